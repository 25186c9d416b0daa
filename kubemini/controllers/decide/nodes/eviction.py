"""How fast silent nodes may lose their pods: a queue a zone, a bucket of tokens a queue, and what slows it.

Theory of operation. A node that is not ready waits in the queue of its zone until there is a token, then it gets its
NoExecute taint. A bucket holds one token and refills at the zone's rate, so the first node is given up at once, the
next after 10 s. The rate depends on the state of the zone, which is worked out at the end of each round:

    Normal              --node-eviction-rate (0.1 a second)
    PartialDisruption   more than two, and 55 %, are not ready: --secondary-node-eviction-rate, or none in a zone of up
                        to 50 nodes
    FullDisruption      none is ready: the normal rate, as the fault is in the zone
    all zones Full      none at all: as all are silent, the fault is likely here. Taints that were put are taken off

A new rate makes a new bucket, empty if the old one was: so, when the first node answers again, the next gets its
taint after 10 s. A zone that is not known yet has the normal rate: nodes that are tainted before the end of the round
in which it breaks are evicted all the same.
Invariant: a node waits once, and after it has been dealt with not again until it was absolved (`forget`).

Models k/k pkg/controller/nodelifecycle Controller.handleDisruption
Models k/k pkg/controller/nodelifecycle Controller.ComputeZoneState
Models k/k pkg/controller/nodelifecycle/scheduler RateLimitedTimedQueue.Try
Models k/k pkg/controller/nodelifecycle/scheduler RateLimitedTimedQueue.SwapLimiter
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kubemini.api.objects import Obj, get
from kubemini.params import Params
from kubemini.sim.units import SECOND

INITIAL, NORMAL, PARTIAL, FULL = "Initial", "Normal", "PartialDisruption", "FullDisruption"
EXCLUDED = "node.kubernetes.io/exclude-disruption"  # such a node is not counted
_ZONE = ("failure-domain.beta.kubernetes.io/zone", "topology.kubernetes.io/zone")
_REGION = ("failure-domain.beta.kubernetes.io/region", "topology.kubernetes.io/region")


def zone_of(node: Obj) -> tuple[str, str]:
    """(region, zone) that a node stands in, as far as it says."""
    said = get(node, "metadata", "labels") or {}
    zone, region = (next((said[key] for key in keys if key in said), "") for keys in (_ZONE, _REGION))
    return region, zone


Zone = tuple[str, str]


def zone_state(ready: Iterable[bool], threshold: float) -> str:
    """The state of a zone, by whether each of its nodes is ready."""
    well = list(ready)
    silent = well.count(False)
    if silent == len(well) > 0:
        return FULL
    return PARTIAL if silent > 2 and silent / len(well) >= threshold else NORMAL


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a round comes to: the states now; *stop*: all is silent; *resume*: it no longer is."""

    states: Mapping[Zone, str]
    stop: bool = False
    resume: bool = False


def verdict(before: Mapping[Zone, str], now: Mapping[Zone, str]) -> Verdict:
    """From the states *before* and those that the nodes show *now*. A zone without nodes is forgotten."""
    known = {zone: before.get(zone, INITIAL) for zone in {**before, **now} if zone in now}
    all_now, all_before = (all(state == FULL for state in states.values()) for states in (now, known))
    if all_now and all_before:
        return Verdict(known)
    if all_now:
        return Verdict(dict.fromkeys(known, FULL), stop=True)
    return Verdict(dict(now), resume=all_before)


def rate_of(state: str, size: int, params: Params) -> float:
    """Nodes a second that may get their NoExecute taint in a zone of *size* nodes."""
    if state != PARTIAL:
        return params.node_eviction_rate
    return params.secondary_node_eviction_rate if size > params.large_cluster_size_threshold else 0.0


class Bucket:
    """One token at most, refilled at *rate* a second; it begins full."""

    def __init__(self, rate: float, now: int):
        self.rate, self._full_at = rate, now

    def full_at(self) -> int | None:
        """The instant (µs) at which there is a token; None: never."""
        return self._full_at if self.rate > 0 else None

    def take(self, now: int) -> bool:
        """A token, if there is one."""
        if self.rate <= 0 or now < self._full_at:
            return False
        self._full_at = now + round(SECOND / self.rate)
        return True


class EvictionQueue:
    """The silent nodes of one zone, and how fast they are dealt with."""

    def __init__(self, rate: float, now: int):
        self.bucket = Bucket(rate, now)
        self._due: dict[str, int] = {}  # node → when it may be dealt with (µs)
        self._known: set[str] = set()

    def swap(self, rate: float, now: int) -> None:
        """From now on *rate* nodes a second."""
        if rate != self.bucket.rate:
            old, self.bucket = self.bucket, Bucket(rate, now)
            if not old.take(now):
                self.bucket.take(now)

    def add(self, node: str, now: int) -> None:
        """It has to be dealt with, if it has not been."""
        if node not in self._known:
            self._known.add(node)
            self._due[node] = now

    def forget(self, node: str) -> None:
        """It need not be dealt with, and may come again."""
        self._known.discard(node)
        self._due.pop(node, None)

    def next(self, now: int) -> str | None:
        """Who is to be dealt with now, for which it takes a token; or None."""
        if not self._due or not self.bucket.take(now):
            return None
        node = min(self._due, key=lambda name: self._due[name])
        return node if self._due[node] <= now else None

    def done(self, node: str) -> None:
        """It has been dealt with."""
        self._due.pop(node, None)

    def again(self, node: str, at: int) -> None:
        """It has not, and is to be tried again at *at*."""
        if node in self._known:
            self._due[node] = at

    def ready_at(self, now: int) -> int | None:
        """When somebody can be dealt with next; None: nobody waits, or nobody may go."""
        token = self.bucket.full_at()
        return None if token is None or not self._due else max(now, token, min(self._due.values()))

    def knows(self, node: str) -> bool:
        """Whether it waits, or has been dealt with and not been absolved."""
        return node in self._known
