"""InterPodAffinity: which pods a pod wants near, and which it wants far away; the wish of either side counts. Pure.

A place is all nodes with one value of the term's ``topologyKey``. Invariant: required anti-affinity is symmetric: a
pod that is already there keeps out whom it does not want. The first pod of a group that wants its own kind near may go
anywhere; else nobody could begin.
Models k/k pkg/scheduler/framework/plugins/interpodaffinity InterPodAffinity.Filter
Models k/k pkg/scheduler/framework/plugins/interpodaffinity InterPodAffinity.Score
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kubemini.api import labels
from kubemini.api.objects import EMPTY, Obj, get
from kubemini.scheduler.decide.cache import NodeInfo
from kubemini.scheduler.decide.plugin import (
    NODE_ADDED,
    NODE_LABEL,
    POD_ADDED,
    POD_DELETED,
    POD_LABEL,
    Cycle,
    Event,
    Plugin,
)

NEAR, FAR = "podAffinity", "podAntiAffinity"
REQUIRED, PREFERRED = (f"{how}DuringSchedulingIgnoredDuringExecution" for how in ("required", "preferred"))
NOT_NEAR = "node(s) didn't match pod affinity rules"
NOT_FAR = "node(s) didn't match pod anti-affinity rules"
NOT_WANTED = "node(s) didn't satisfy existing pods anti-affinity rules"
Namespaces = Mapping[str, Mapping[str, str]]
Place = tuple[str, str]  # a topology key and its value


@dataclass(frozen=True, slots=True)
class Term:
    """One wish of *owner*: about the pods that *term* picks, in the places of its topology key."""

    owner: Obj
    term: Mapping[str, Any]
    weight: int = 0

    def picks(self, pod: Obj, namespaces: Namespaces) -> bool:
        """Whether the wish is about *pod*."""
        if not self._names(pod["metadata"].get("namespace", ""), namespaces):
            return False
        carried, own = pod["metadata"].get("labels") or EMPTY, self.owner["metadata"].get("labels") or EMPTY
        if not labels.matches(self.term.get("labelSelector"), carried):
            return False
        alike = (key for key in self.term.get("matchLabelKeys") or () if key in own)
        unlike = (key for key in self.term.get("mismatchLabelKeys") or () if key in own)
        return all(carried.get(k) == own[k] for k in alike) and all(carried.get(k) != own[k] for k in unlike)

    def _names(self, namespace: str, namespaces: Namespaces) -> bool:
        """The namespaces that are listed or selected; if none is named, the owner's own."""
        listed, selector = self.term.get("namespaces") or (), self.term.get("namespaceSelector")
        if selector is None and not listed:
            return namespace == self.owner["metadata"].get("namespace", "")
        return namespace in listed or labels.matches(selector, namespaces.get(namespace))

    def place(self, info: NodeInfo) -> Place | None:
        """Where *info* lies in the eyes of this wish; None if it has no such label."""
        key = self.term["topologyKey"]
        return (key, info.labels[key]) if key in info.labels else None


def required(pod: Obj, which: str) -> list[Term]:
    """What *pod* insists on."""
    return [Term(pod, term) for term in get(pod, "spec", "affinity", which, REQUIRED, default=None) or ()]


def preferred(pod: Obj, which: str) -> list[Term]:
    """What *pod* would like, with weights."""
    listed = get(pod, "spec", "affinity", which, PREFERRED, default=None) or ()
    return [Term(pod, wish["podAffinityTerm"], wish["weight"]) for wish in listed]


# -- the filter ------------------------------------------------------------------------------------------------------
def refuse(cycle: Cycle, info: NodeInfo) -> list[str]:
    """Why not this node: a pod that must be near is not, or one that must be far is there."""
    near, far = required(cycle.pod, NEAR), required(cycle.pod, FAR)
    if near and not _near_enough(cycle, near, info):
        return [NOT_NEAR]
    if far and any(_taken(cycle, term, info) for term in far):
        return [NOT_FAR]
    return [NOT_WANTED] if any(place in places_of(info) for place in _forbidden(cycle)) else []


def places_of(info: NodeInfo) -> Iterable[Place]:
    """Every place that a node is part of."""
    return info.labels.items()


def _near_enough(cycle: Cycle, near: Sequence[Term], info: NodeInfo) -> bool:
    places = [term.place(info) for term in near]
    if None in places:
        return False
    there = _all_met(cycle, near)
    if all(place in there for place in places):
        return True
    return not there and all(term.picks(cycle.pod, cycle.namespaces) for term in near)


def _all_met(cycle: Cycle, near: Sequence[Term]) -> dict[Place, None]:
    """The places of pods that all of *near* are about, each by the key of every term."""
    found: dict[Place, None] = {}
    for node in cycle.nodes:
        if any(all(term.picks(pod, cycle.namespaces) for term in near) for pod in node.pods.values()):
            found |= {place: None for term in near if (place := term.place(node)) is not None}
    return found


def _taken(cycle: Cycle, term: Term, info: NodeInfo) -> bool:
    """Whether a pod that *term* is about is in the place of *info*."""
    place = term.place(info)
    if place is None:
        return False
    return any(
        term.picks(pod, cycle.namespaces)
        for node in cycle.nodes
        if term.place(node) == place
        for pod in node.pods.values()
    )


def _forbidden(cycle: Cycle) -> Iterator[Place]:
    """The places where a pod is that does not want this one."""
    for node in cycle.nodes:
        for pod in node.with_affinity.values():
            for term in required(pod, FAR):
                place = term.place(node)
                if place is not None and term.picks(cycle.pod, cycle.namespaces):
                    yield place


# -- the score -------------------------------------------------------------------------------------------------------
def prefer(cycle: Cycle, feasible: Sequence[NodeInfo]) -> list[int] | None:
    """The more of what either side likes is near, by weight, and the less of what it does not, the better."""
    liked = _likings(cycle)
    if not liked:
        return None
    raw = [sum(liked[place] for place in places_of(info)) for info in feasible]
    low, high = min(raw), max(raw)
    return [100 * (value - low) // (high - low) if high > low else 0 for value in raw]


def _likings(cycle: Cycle) -> Counter[Place]:
    """What each place is worth; a place that no wish is about is not in it."""
    pod, worth = cycle.pod, Counter[Place]()
    wishes = [(term, 1) for term in preferred(pod, NEAR)] + [(term, -1) for term in preferred(pod, FAR)]
    for node in cycle.nodes:
        for other in node.pods.values() if wishes else ():
            _add(worth, node, ((t, sign * t.weight) for t, sign in wishes if t.picks(other, cycle.namespaces)))
        for other in node.with_affinity.values():
            _add(worth, node, ((t, w) for t, w in _towards(other) if t.picks(pod, cycle.namespaces)))
    return worth


def _towards(other: Obj) -> Iterator[tuple[Term, int]]:
    """What a pod that is there feels about a new one: a required wish to be near counts 1."""
    yield from ((term, 1) for term in required(other, NEAR))
    yield from ((term, term.weight) for term in preferred(other, NEAR))
    yield from ((term, -term.weight) for term in preferred(other, FAR))


def _add(worth: Counter[Place], node: NodeInfo, wishes: Iterable[tuple[Term, int]]) -> None:
    for term, weight in wishes:
        place = term.place(node)
        if place is not None:
            worth[place] += weight


# -- what may help ---------------------------------------------------------------------------------------------------
def hint(pod: Obj, event: Event) -> bool:
    """Of pods, only those that somebody's wish is about; of nodes, any new or relabelled one."""
    if event.what in (NODE_ADDED, NODE_LABEL):
        return True
    others = [other for other in (event.old, event.new) if other is not None]
    wishes = [*required(pod, NEAR), *required(pod, FAR)]
    return any(
        any(term.picks(other, event.namespaces) for term in wishes)
        or any(term.picks(pod, event.namespaces) for term in required(other, FAR))
        for other in others
    )


PLUGIN = Plugin(
    "InterPodAffinity",
    80,
    refuse,
    prefer,
    weight=2,
    helped_by=(NODE_ADDED, NODE_LABEL, POD_ADDED, POD_DELETED, POD_LABEL),
    hint=hint,
)
