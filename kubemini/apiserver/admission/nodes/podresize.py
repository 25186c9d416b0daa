"""PodResizeValidator: a pod that runs is not resized beyond what its whole node has, nor on a node that is no Linux.

Models k/k plugin/pkg/admission/podresize Plugin.Validate
"""

from dataclasses import replace
from operator import attrgetter

from kubemini.api.errors import ApiError
from kubemini.api.kinds import NODE, POD, Kind
from kubemini.api.objects import Obj, freeze, get
from kubemini.api.usage import amounts, pods
from kubemini.apiserver.admission import forbid
from kubemini.apiserver.decide.attributes import UPDATE, Attributes

NAME = "PodResizeValidator"
SYSTEM = "kubernetes.io/os"
millis, whole = attrgetter("millis"), attrgetter("whole")


def needs(asked: Attributes) -> tuple[Kind, ...]:
    """The nodes, for a pod that is resized and has one."""
    return (NODE,) if _node(asked) else ()


def validate(asked: Attributes) -> ApiError | None:
    """Why the new size is refused, if it is."""
    called = _node(asked)
    if not called or asked.obj is None:
        return None
    node = asked.known.get(NODE, "", called)
    if node is None:
        return forbid(asked, f'node "{called}" not found')
    system = get(node, "metadata", "labels", SYSTEM)
    if system not in (None, "linux"):
        text = f'pod resize is only supported on linux nodes, node "{called}" is "{system}"'
        return _because(forbid(asked, text), "UnsupportedPlatform")
    lacks = too_large(asked.obj, node)
    if lacks:
        return _because(forbid(asked, f"node didn't have enough allocatable resources: {lacks}"), "NodeCapacity")
    return None


def too_large(pod: Obj, node: Obj) -> str:
    """What *pod* requests beyond the whole of *node*, in words; "" if nothing."""
    wanted, has = pods.requests(pod), amounts.read(get(node, "status", "allocatable"))
    found = []
    for name, number in (("cpu", millis), ("memory", whole)):
        asked, there = wanted.get(name, amounts.ZERO), has.get(name, amounts.ZERO)
        if asked.amount > there.amount:
            found.append(f"{name}, requested: {number(asked)}, allocatable: {number(there)}")
    return "; ".join(found)


def _node(asked: Attributes) -> str:
    """The node of the pod that is resized; "" if it is another request, or changes nothing of the spec."""
    if (asked.kind, asked.operation, asked.subresource) != (POD, UPDATE, "resize") or asked.obj is None:
        return ""
    same = get(asked.old, "spec") == asked.obj["spec"]
    return "" if same else str(get(asked.obj, "spec", "nodeName") or "")


def _because(refused: ApiError, reason: str) -> ApiError:
    return replace(refused, details=freeze({**refused.details, "causes": [{"reason": reason}]}))
