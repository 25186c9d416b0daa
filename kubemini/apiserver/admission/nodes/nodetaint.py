"""TaintNodesByCondition: a new node takes no pods until its kubelet has said that it is ready.

Models k/k plugin/pkg/admission/nodetaint Plugin.Admit.
"""

from kubemini.api.errors import ApiError
from kubemini.api.kinds import NODE
from kubemini.api.objects import Obj, evolve, get
from kubemini.apiserver.decide.attributes import CREATE, Attributes

NAME = "TaintNodesByCondition"
NOT_READY = {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}


def admit(asked: Attributes) -> "Obj | ApiError | None":
    """A new node with the taint."""
    node = asked.obj
    if node is None or asked.kind != NODE or asked.operation != CREATE or asked.subresource:
        return node
    taints = list(get(node, "spec", "taints") or ())
    if any((one.get("key"), one.get("effect")) == tuple(NOT_READY.values()) for one in taints):
        return node
    return evolve(node, ("spec", "taints"), [*taints, NOT_READY])
