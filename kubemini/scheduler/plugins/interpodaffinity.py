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
from kubemini.scheduler.decide.events import NODE_ADDED, NODE_LABEL, OWN_LABEL, POD_ADDED, POD_DELETED, POD_LABEL
from kubemini.scheduler.decide.nodeinfo import FAR, NEAR, NodeInfo
from kubemini.scheduler.decide.plugin import SKIP, Cycle, Event, Namespaces, Plugin, Refusal, hopeless

NAME, LIKED = "InterPodAffinity", "InterPodAffinity/score"
REQUIRED, PREFERRED = (f"{how}DuringSchedulingIgnoredDuringExecution" for how in ("required", "preferred"))
NOT_NEAR = "node(s) didn't match pod affinity rules"
NOT_FAR = "node(s) didn't match pod anti-affinity rules"
NOT_WANTED = "node(s) didn't satisfy existing pods anti-affinity rules"
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

    @property
    def key(self) -> str:
        """The label that names the places."""
        found: str = self.term["topologyKey"]
        return found

    def place(self, info: NodeInfo) -> Place | None:
        """Where *info* lies in the eyes of this wish; None if it has no such label."""
        return (self.key, info.labels[self.key]) if self.key in info.labels else None


def required(pod: Obj, which: str) -> list[Term]:
    """What *pod* insists on."""
    return [Term(pod, term) for term in get(pod, "spec", "affinity", which, REQUIRED, default=None) or ()]


def preferred(pod: Obj, which: str) -> list[Term]:
    """What *pod* would like, with weights."""
    listed = get(pod, "spec", "affinity", which, PREFERRED, default=None) or ()
    return [Term(pod, wish["podAffinityTerm"], wish["weight"]) for wish in listed]


# -- the filter ------------------------------------------------------------------------------------------------------
@dataclass(slots=True)
class Found:
    """How many pods each place has: whom the pod must be near, must be far from, and who want it far from them."""

    near: Sequence[Term]
    far: Sequence[Term]
    wanted: Counter[Place]
    feared: Counter[Place]
    forbidden: Counter[Place]
    namespaces: Namespaces

    def count(self, other: Obj, info: NodeInfo, sign: int) -> None:
        """*other* is there, or there no more."""
        if self.near and all(term.picks(other, self.namespaces) for term in self.near):
            _note(self.wanted, (term.place(info) for term in self.near), sign)
        _note(self.feared, (t.place(info) for t in self.far if t.picks(other, self.namespaces)), sign)

    def ward(self, pod: Obj, other: Obj, info: NodeInfo, sign: int) -> None:
        """Where *other* does not want *pod* near it."""
        terms = (term for term in required(other, FAR) if term.picks(pod, self.namespaces))
        _note(self.forbidden, (term.place(info) for term in terms), sign)

    def fork(self) -> "Found":
        """A copy to try something out on."""
        wanted, feared, forbidden = (Counter(one) for one in (self.wanted, self.feared, self.forbidden))
        return Found(self.near, self.far, wanted, feared, forbidden, self.namespaces)


def _note(counts: Counter[Place], places: Iterable[Place | None], sign: int) -> None:
    for place in places:
        if place is not None:
            counts[place] += sign
            if not counts[place]:
                del counts[place]


def prepare(cycle: Cycle) -> str | None:
    """Look once at all pods that matter: everybody's, if the pod has wishes of its own, else those with wishes."""
    pod, (near, far) = cycle.pod, (required(cycle.pod, NEAR), required(cycle.pod, FAR))
    with_wishes = cycle.with_affinity()
    namespaces = cycle.namespaces if near or far or with_wishes else EMPTY
    found = Found(near, far, Counter(), Counter(), Counter(), namespaces)
    for info in with_wishes:
        for other in info.with_affinity.values():
            found.ward(pod, other, info, +1)
    for info in cycle.nodes if near or far else ():
        for other in info.pods.values():
            found.count(other, info, +1)
    cycle.state[NAME] = found
    return None if near or far or found.forbidden else SKIP


def change(cycle: Cycle, other: Obj, info: NodeInfo, sign: int) -> None:
    """Another pod has come, or gone."""
    found: Found = cycle.state[NAME]
    found.ward(cycle.pod, other, info, sign)
    found.count(other, info, sign)


def refuse(cycle: Cycle, info: NodeInfo) -> Refusal | str | None:
    """Why not this node: a pod that must be near is not, or one that must be far is there."""
    found: Found = cycle.state[NAME]
    if found.near and not _near_enough(cycle.pod, found, info):
        return hopeless(NOT_NEAR)
    if found.feared and any(term.place(info) in found.feared for term in found.far):
        return NOT_FAR
    return NOT_WANTED if found.forbidden and any(place in found.forbidden for place in info.labels.items()) else None


def _near_enough(pod: Obj, found: Found, info: NodeInfo) -> bool:
    places = [term.place(info) for term in found.near]
    if None in places:
        return False
    if all(place is not None and found.wanted.get(place, 0) > 0 for place in places):
        return True
    return not found.wanted and all(term.picks(pod, found.namespaces) for term in found.near)


def cure(cycle: Cycle, info: NodeInfo) -> str:
    """Who would have to come, or to go."""
    found: Found = cycle.state[NAME]
    if found.near and not _near_enough(cycle.pod, found, info):
        return f"a pod that it wants near must run where {_places(info, found.near)} is the same"
    if any(term.place(info) in found.feared for term in found.far):
        return f"the pods that it wants far away must leave {_places(info, found.far)}"
    keys = [f"{key}={value}" for key, value in info.labels.items() if (key, value) in found.forbidden]
    return f"the pods that want it far away must leave {', '.join(keys)}"


def _places(info: NodeInfo, terms: Sequence[Term]) -> str:
    return ", ".join(f"{term.key}={info.labels.get(term.key, '(no such label)')}" for term in terms)


# -- the score -------------------------------------------------------------------------------------------------------
def begin(cycle: Cycle, feasible: Sequence[NodeInfo]) -> str | None:
    """What each place is worth; a place that no wish is about is not in it."""
    pod = cycle.pod
    wishes = [(term, 1) for term in preferred(pod, NEAR)] + [(term, -1) for term in preferred(pod, FAR)]
    with_wishes = cycle.with_affinity()
    if not wishes and not with_wishes:
        return SKIP
    worth, namespaces = Counter[Place](), cycle.namespaces
    for info in cycle.nodes if wishes else with_wishes:
        for other in info.pods.values() if wishes else ():
            _add(worth, info, ((t, sign * t.weight) for t, sign in wishes if t.picks(other, namespaces)))
        for other in info.with_affinity.values():
            _add(worth, info, ((t, w) for t, w in _towards(other) if t.picks(pod, namespaces)))
    cycle.state[LIKED] = worth
    return None if worth else SKIP


def prefer(cycle: Cycle, info: NodeInfo) -> int:
    """The more of what either side likes is near, by weight, and the less of what it does not, the better."""
    worth: Counter[Place] = cycle.state[LIKED]
    return sum(worth.get(place, 0) for place in info.labels.items())


def normalize(cycle: Cycle, feasible: Sequence[NodeInfo], raw: list[int]) -> list[int]:
    """From the worst to the best."""
    low, high = min(raw), max(raw)
    return [int(100 * ((value - low) / (high - low))) if high > low else 0 for value in raw]


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
    """Own labels; a pod that some wish is about; a node on, or off, a topology key."""
    if event.what == OWN_LABEL:
        return True
    near, far = required(pod, NEAR), required(pod, FAR)
    if event.what in (NODE_ADDED, NODE_LABEL):
        return _node_helps(near, far, event)
    if event.new is None:
        gone = event.old or EMPTY
        return _any(far, gone) or _any(required(gone, FAR), pod)
    if event.old is None or event.what == POD_ADDED:
        return _all(near, event.new)
    return (not _all(near, event.old) and _all(near, event.new)) or (_any(far, event.old) and not _any(far, event.new))


def _all(terms: Sequence[Term], pod: Obj) -> bool:
    return bool(terms) and all(term.picks(pod, EMPTY) for term in terms)


def _any(terms: Sequence[Term], pod: Obj) -> bool:
    return any(term.picks(pod, EMPTY) for term in terms)


def _node_helps(near: Sequence[Term], far: Sequence[Term], event: Event) -> bool:
    """Whether the node has come to a place of a wish, or, of those to be far, has left one."""
    before, after = (get(node, "metadata", "labels") or EMPTY for node in (event.old, event.new))
    if event.old is None:
        return bool(far) or any(term.key in after for term in near)
    moved = (term for term in (*near, *far) if term.key in before and term.key in after)
    return (
        any(before[term.key] != after[term.key] for term in moved)
        or any(term.key in after and term.key not in before for term in near)
        or any(term.key in before and term.key not in after for term in far)
    )


PLUGIN = Plugin(
    NAME,
    110,
    refuse,
    prefer,
    weight=2,
    prefilter=prepare,
    change=change,
    fork=Found.fork,
    prescore=begin,
    cure=cure,
    normalize=normalize,
    helped_by=(NODE_ADDED, NODE_LABEL, POD_ADDED, POD_DELETED, POD_LABEL, OWN_LABEL),
    hint=hint,
)
