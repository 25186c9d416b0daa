"""NodeResourcesFit: the requests of all pods must fit into what the node offers; the more is left, the better. Pure.

Compares requests, never usage: cpu in millicores, all else in units.
Models k/k pkg/scheduler/framework/plugins/noderesources Fit.Filter
Models k/k pkg/scheduler/framework/plugins/noderesources leastResourceScorer
"""

from collections.abc import Sequence
from dataclasses import dataclass

from kubemini.scheduler.decide.cache import NodeInfo, Resources, assumed_requests, requests
from kubemini.scheduler.decide.plugin import NODE_ADDED, NODE_ALLOCATABLE, POD_DELETED, Cycle, Plugin


def refuse(cycle: Cycle, info: NodeInfo) -> list[str]:
    """Why not this node: too many pods, or too little of a resource."""
    full = len(info.pods) + 1 > info.allocatable.get("pods", 0)
    missing = insufficient(requests(cycle.pod), info.requested, info.allocatable)
    return ["Too many pods"] * full + [f"Insufficient {lack.resource}" for lack in missing]


@dataclass(frozen=True, slots=True)
class Lack:
    """Too little of one resource."""

    resource: str
    requested: int
    used: int
    capacity: int


def insufficient(wanted: Resources, used: Resources, capacity: Resources) -> list[Lack]:
    """Every resource of which there is too little left."""
    return [
        Lack(name, amount, used.get(name, 0), capacity.get(name, 0))
        for name, amount in wanted.items()
        if amount > 0 and amount > capacity.get(name, 0) - used.get(name, 0)
    ]


def prefer(cycle: Cycle, feasible: Sequence[NodeInfo]) -> list[int] | None:
    """The more cpu and memory is left, the better; a container without requests counts as a small one."""
    wanted = assumed_requests(cycle.pod, incoming=True)
    return [_free_share(wanted, info) for info in feasible]


def _free_share(wanted: Resources, info: NodeInfo) -> int:
    shares = []
    for name in ("cpu", "memory"):
        capacity, total = info.allocatable.get(name, 0), info.assumed[name] + wanted.get(name, 0)
        if capacity:
            shares.append((capacity - total) * 100 // capacity if total <= capacity else 0)
    return sum(shares) // len(shares) if shares else 0


PLUGIN = Plugin("NodeResourcesFit", 60, refuse, prefer, weight=1, helped_by=(NODE_ADDED, NODE_ALLOCATABLE, POD_DELETED))
