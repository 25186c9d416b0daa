"""PodTopologyLabels: a pod that gets its node gets that node's zone and region as labels of its own.

Models k/k plugin/pkg/admission/podtopologylabels Plugin.Admit.
"""

from kubemini.api.errors import ApiError
from kubemini.api.kinds import NODE, POD, Kind
from kubemini.api.objects import Obj, evolve, get
from kubemini.apiserver.decide.attributes import DELETE, Attributes

NAME = "PodTopologyLabels"
LABELS = ("topology.kubernetes.io/region", "topology.kubernetes.io/zone")


def needs(asked: Attributes) -> tuple[Kind, ...]:
    """The nodes, for a pod that has one, and for a Binding."""
    return (NODE,) if _node(asked) else ()


def admit(asked: Attributes) -> "Obj | ApiError | None":
    """The pod, or the Binding whose labels go over to it, with those of the node."""
    obj, called = asked.obj, _node(asked)
    node = asked.known.get(NODE, "", called) if called else None
    if obj is None or node is None:
        return obj
    held = get(node, "metadata", "labels") or {}
    added = {key: held[key] for key in LABELS if key in held}
    labels = get(obj, "metadata", "labels") or {}
    return evolve(obj, ("metadata", "labels"), {**labels, **added}) if added.items() - labels.items() else obj


def _node(asked: Attributes) -> str:
    if asked.kind != POD or asked.obj is None or asked.operation == DELETE:
        return ""
    if asked.subresource == "binding":
        target = asked.obj.get("target") or {}
        return str(target.get("name") or "") if target.get("kind") == "Node" else ""
    return "" if asked.subresource else str(get(asked.obj, "spec", "nodeName") or "")
