"""NodeName: a pod that names its node wants no other. Pure.

Models k/k pkg/scheduler/framework/plugins/nodename Fits
"""

from kubemini.scheduler.decide.cache import NodeInfo
from kubemini.scheduler.decide.plugin import NODE_ADDED, Cycle, Plugin


def refuse(cycle: Cycle, info: NodeInfo) -> list[str]:
    """Why not this node, if the pod asks for another by name."""
    wanted = cycle.pod["spec"].get("nodeName")
    return ["node(s) didn't match the requested node name"] if wanted and wanted != info.name else []


PLUGIN = Plugin("NodeName", 10, filter=refuse, helped_by=(NODE_ADDED,))
