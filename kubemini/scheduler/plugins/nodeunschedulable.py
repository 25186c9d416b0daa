"""NodeUnschedulable: a cordoned node takes only pods that tolerate that. Pure.

Models k/k pkg/scheduler/framework/plugins/nodeunschedulable NodeUnschedulable.Filter
"""

from kubemini.api.objects import Obj, get
from kubemini.api.placement.tolerations import tolerates
from kubemini.scheduler.decide.events import NODE_ADDED, NODE_TAINT, OWN_TOLERATION
from kubemini.scheduler.decide.nodeinfo import NodeInfo
from kubemini.scheduler.decide.plugin import Cycle, Event, Plugin, Refusal, hopeless

CORDON = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}


def refuse(cycle: Cycle, info: NodeInfo) -> Refusal | None:
    """Why not this node, if it is cordoned."""
    if not get(info.node, "spec", "unschedulable") or tolerated(cycle.pod):
        return None
    return hopeless("node(s) were unschedulable")


def tolerated(pod: Obj) -> bool:
    """Whether the pod puts up with a cordon."""
    return any(tolerates(toleration, CORDON) for toleration in pod["spec"].get("tolerations") or ())


def hint(pod: Obj, event: Event) -> bool:
    """A node that is cordoned no more, or is added without; a toleration for it."""
    if event.what == OWN_TOLERATION:
        return event.new is not None and tolerated(event.new)
    cordoned = bool(get(event.new, "spec", "unschedulable"))
    return not cordoned and (event.old is None or bool(get(event.old, "spec", "unschedulable")))


def cure(cycle: Cycle, info: NodeInfo) -> str:
    """Lift the cordon, or put up with it."""
    return f"kubectl uncordon {info.name}, or tolerate {CORDON['key']}:NoSchedule"


HELPED_BY = (NODE_ADDED, NODE_TAINT, OWN_TOLERATION)
PLUGIN = Plugin("NodeUnschedulable", 20, refuse, helped_by=HELPED_BY, hint=hint, local=True, cure=cure)
