"""NodeResourcesFit: the requests of all pods must fit into what the node offers; the more is left, the better. Pure.

Compares requests, never usage: cpu in millicores, all else in units.
Models k/k pkg/scheduler/framework/plugins/noderesources Fit.Filter
Models k/k pkg/scheduler/framework/plugins/noderesources leastResourceScorer
Simplified: the default strategy, LeastAllocated; a device of a driver never stands for an extended resource.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from kubemini.api.objects import Obj, get
from kubemini.scheduler.decide.events import NODE_ADDED, NODE_ALLOCATABLE, OWN_SMALLER, POD_DELETED, POD_SMALLER
from kubemini.scheduler.decide.nodeinfo import NodeInfo
from kubemini.scheduler.decide.plugin import Cycle, Event, Plugin, Refusal
from kubemini.scheduler.decide.resources import Resources, amounts, assumed_requests, requests

NAME, FREE = "NodeResourcesFit", "NodeResourcesFit/score"
MIB = 1024 * 1024
FIRST = ("cpu", "memory", "ephemeral-storage")  # reasons come in this order, then all others


def prepare(cycle: Cycle) -> None:
    """What the pod requests, less what it requests nothing of."""
    wanted = requests(cycle.pod)
    order = sorted(wanted, key=lambda name: (FIRST.index(name) if name in FIRST else len(FIRST), name))
    cycle.state[NAME] = {name: wanted[name] for name in order if wanted[name] > 0}


def refuse(cycle: Cycle, info: NodeInfo) -> Refusal | None:
    """Why not this node: too many pods, or too little of a resource."""
    room, used = info.allocatable, info.requested
    full = len(info.pods) >= room.get("pods", 0)
    wanted: Resources = cycle.state[NAME]
    for name, amount in wanted.items():
        if amount > room.get(name, 0) - used.get(name, 0):
            break
    else:
        return Refusal(("Too many pods",)) if full else None
    lacks = insufficient(wanted, used, room)
    reasons = ("Too many pods",) * full + tuple(f"Insufficient {lack.resource}" for lack in lacks)
    return Refusal(reasons, resolvable=all(lack.requested <= lack.capacity for lack in lacks))


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


def begin(cycle: Cycle, feasible: Sequence[NodeInfo]) -> None:
    """What the pod counts for in the score: a container without requests counts as a small one."""
    wanted = assumed_requests(cycle.pod, incoming=True)
    cycle.state[FREE] = (wanted.get("cpu", 0), wanted.get("memory", 0))


def prefer(cycle: Cycle, info: NodeInfo) -> int:
    """The more cpu and memory is left, the better."""
    cpu, memory = cycle.state[FREE]
    shares, number = 0, 0
    for name, wanted in (("cpu", cpu), ("memory", memory)):
        capacity = info.allocatable.get(name, 0)
        if capacity:
            total = info.assumed.get(name, 0) + wanted
            shares += (capacity - total) * 100 // capacity if total <= capacity else 0
            number += 1
    return shares // number if number else 0


def cure(cycle: Cycle, info: NodeInfo) -> str:
    """How much is missing."""
    lacks = insufficient(cycle.state[NAME], info.requested, info.allocatable)
    more = [f"{_amount(one.resource, one.requested + one.used - one.capacity)} more {one.resource}" for one in lacks]
    if len(info.pods) >= info.allocatable.get("pods", 0):
        more.insert(0, "room for one more pod")
    small = [one.resource for one in lacks if one.requested > one.capacity]
    never = f"; even when it is empty there is too little {' and '.join(small)}" if small else ""
    return f"it needs {', '.join(more)}{never}"


def _amount(resource: str, amount: int) -> str:
    if resource == "cpu":
        return f"{amount}m"
    return f"{-(-amount // MIB)}Mi" if resource == "memory" else str(amount)


# -- what may help -----------------------------------------------------------------------------------------------------
def hint(pod: Obj, event: Event) -> bool:
    """Any pod that is gone; one made smaller in what this one wants; a node on which it would fit were it empty."""
    if event.what in (POD_DELETED, OWN_SMALLER):
        return True
    if event.old is not None and event.new is not None and event.what == POD_SMALLER:
        before, after = requests(event.old), requests(event.new)
        return any(before.get(name, 0) > after.get(name, 0) for name in _wanted(pod))
    return event.new is not None and fits_when_empty(pod, event.new) and (event.old is None or _grown(pod, event))


def _wanted(pod: Obj) -> Iterable[str]:
    return (name for name, amount in requests(pod).items() if amount > 0)


def fits_when_empty(pod: Obj, node: Obj) -> bool:
    """Whether the pod would fit on *node* if nothing else were there."""
    room = amounts(get(node, "status", "allocatable"))
    return room.get("pods", 0) >= 1 and not insufficient(requests(pod), {}, room)


def _grown(pod: Obj, event: Event) -> bool:
    before, after = (_offer(node) for node in (event.old, event.new))
    return any(after.get(name, 0) > before.get(name, 0) for name in ("pods", *_wanted(pod)))


def _offer(node: Obj | None) -> Mapping[str, int]:
    return amounts(get(node, "status", "allocatable"))


PLUGIN = Plugin(
    NAME,
    60,
    refuse,
    prefer,
    weight=1,
    prefilter=prepare,
    prescore=begin,
    helped_by=(NODE_ADDED, NODE_ALLOCATABLE, POD_DELETED, POD_SMALLER, OWN_SMALLER),
    hint=hint,
    local=True,
    cure=cure,
)
