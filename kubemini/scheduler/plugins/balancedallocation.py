"""NodeResourcesBalancedAllocation: the more a pod evens out the shares of cpu and memory in use, the better. Pure.

Models k/k pkg/scheduler/framework/plugins/noderesources balancedResourceScorer
"""

from collections.abc import Sequence

from kubemini.scheduler.decide.cache import NodeInfo, Resources, requests
from kubemini.scheduler.decide.plugin import Cycle, Plugin


def prefer(cycle: Cycle, feasible: Sequence[NodeInfo]) -> list[int] | None:
    """The more the pod evens out the shares of cpu and memory in use, the better; 75 changes nothing."""
    wanted = requests(cycle.pod)
    if not any(wanted.get(name) for name in ("cpu", "memory")):
        return None
    return [50 + (50 + _balance(info, wanted) - _balance(info, {})) // 2 for info in feasible]


def _balance(info: NodeInfo, wanted: Resources) -> int:
    """100 if cpu and memory are used to the same share, less by their standard deviation."""
    fractions = [
        min(capacity, info.requested[name] + wanted.get(name, 0)) / capacity
        for name in ("cpu", "memory")
        if (capacity := info.allocatable.get(name, 0))
    ]
    deviation = abs(fractions[0] - fractions[1]) / 2 if len(fractions) == 2 else 0.0
    return int((1 - deviation) * 100)


PLUGIN = Plugin("NodeResourcesBalancedAllocation", 90, score=prefer, weight=1)
