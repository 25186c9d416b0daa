"""NodeUnschedulable: a cordoned node takes only pods that tolerate that. Pure.

Models k/k pkg/scheduler/framework/plugins/nodeunschedulable NodeUnschedulable.Filter
"""

from kubemini.api.objects import get
from kubemini.api.tolerations import tolerates
from kubemini.scheduler.decide.cache import NodeInfo
from kubemini.scheduler.decide.plugin import NODE_ADDED, NODE_SPEC, NODE_TAINT, Cycle, Plugin

CORDON = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}


def refuse(cycle: Cycle, info: NodeInfo) -> list[str]:
    """Why not this node, if it is cordoned."""
    tolerations = cycle.pod["spec"].get("tolerations") or ()
    cordoned = bool(get(info.node, "spec", "unschedulable"))
    tolerated = any(tolerates(toleration, CORDON) for toleration in tolerations)
    return ["node(s) were unschedulable"] if cordoned and not tolerated else []


PLUGIN = Plugin("NodeUnschedulable", 20, filter=refuse, helped_by=(NODE_ADDED, NODE_SPEC, NODE_TAINT))
