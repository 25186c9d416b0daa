"""NodeResourcesBalancedAllocation: the more a pod evens out the shares of cpu and memory in use, the better. Pure.

Models k/k pkg/scheduler/framework/plugins/noderesources balancedResourceScorer
"""

from collections.abc import Sequence

from kubemini.scheduler.decide.nodeinfo import NodeInfo
from kubemini.scheduler.decide.plugin import SKIP, Cycle, Plugin
from kubemini.scheduler.decide.resources import requests

NAME = "NodeResourcesBalancedAllocation"


def begin(cycle: Cycle, feasible: Sequence[NodeInfo]) -> str | None:
    """What the pod requests of cpu and memory; one that requests neither is none of its business."""
    wanted = requests(cycle.pod)
    cycle.state[NAME] = (wanted.get("cpu", 0), wanted.get("memory", 0))
    return None if any(cycle.state[NAME]) else SKIP


def prefer(cycle: Cycle, info: NodeInfo) -> int:
    """The more the pod evens out the shares of cpu and memory in use, the better; 75 changes nothing."""
    cpu, memory = cycle.state[NAME]
    return 50 + (50 + _balance(info, cpu, memory) - _balance(info, 0, 0)) // 2


def _balance(info: NodeInfo, cpu: int, memory: int) -> int:
    """100 if cpu and memory are used to the same share, less by their standard deviation."""
    room, used = info.allocatable, info.requested
    cores, space = room.get("cpu", 0), room.get("memory", 0)
    if not cores or not space:
        return 100
    one = min(cores, used.get("cpu", 0) + cpu) / cores
    other = min(space, used.get("memory", 0) + memory) / space
    return int((1 - abs(one - other) / 2) * 100)


PLUGIN = Plugin(NAME, 130, score=prefer, weight=1, prescore=begin, local=True)
