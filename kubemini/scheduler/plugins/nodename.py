"""NodeName: a pod that names its node wants no other. Pure.

Models k/k pkg/scheduler/framework/plugins/nodename Fits
"""

from collections.abc import Sequence

from kubemini.scheduler.decide.events import NODE_ADDED
from kubemini.scheduler.decide.nodeinfo import NodeInfo
from kubemini.scheduler.decide.plugin import Cycle, Plugin, Refusal, hopeless


def narrow(cycle: Cycle) -> Sequence[str] | None:
    """The node that the pod names."""
    wanted = cycle.pod["spec"].get("nodeName")
    return (wanted,) if wanted else None


def refuse(cycle: Cycle, info: NodeInfo) -> Refusal | None:
    """Why not this node, if the pod asks for another by name."""
    wanted = cycle.pod["spec"].get("nodeName")
    return hopeless("node(s) didn't match the requested node name") if wanted and wanted != info.name else None


def cure(cycle: Cycle, info: NodeInfo) -> str:
    """Another name, in another pod."""
    return f"make it anew without spec.nodeName, or with {info.name}"


PLUGIN = Plugin("NodeName", 10, refuse, prefilter=narrow, helped_by=(NODE_ADDED,), local=True, cure=cure)
