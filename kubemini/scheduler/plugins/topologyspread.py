"""PodTopologySpread: keep the pods of one application apart, over hosts and zones. Pure.

A hard constraint (DoNotSchedule) forbids nodes where the skew would exceed ``maxSkew``; a soft one makes crowded places
score lower. A pod that names none, but belongs to Services or to a controller, is spread softly: hosts skew 3, zones 5.
Pods that are being deleted count for nothing.
Models k/k pkg/scheduler/framework/plugins/podtopologyspread PodTopologySpread.Filter
Models k/k pkg/scheduler/framework/plugins/podtopologyspread PodTopologySpread.Score
Models k/k pkg/scheduler/framework/plugins/podtopologyspread criticalPaths.update
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from operator import add
from typing import Any

from kubemini.api.labels import Requirement, Selector, from_object
from kubemini.api.objects import EMPTY, Obj, get
from kubemini.api.placement import nodeselection
from kubemini.scheduler.decide.events import (
    NODE_ADDED,
    NODE_DELETED,
    NODE_LABEL,
    NODE_TAINT,
    OWN_LABEL,
    OWN_TOLERATION,
    POD_ADDED,
    POD_DELETED,
    POD_LABEL,
)
from kubemini.scheduler.decide.kept.crowds import Crowd
from kubemini.scheduler.decide.nodeinfo import NodeInfo
from kubemini.scheduler.decide.owners import application
from kubemini.scheduler.decide.plugin import SKIP, Cycle, Event, Plugin, Refusal, hopeless
from kubemini.scheduler.plugins import tainttoleration

NAME, SOFT = "PodTopologySpread", "PodTopologySpread/score"
HOSTNAME, ZONE = "kubernetes.io/hostname", "topology.kubernetes.io/zone"
SKEWED = "node(s) didn't match pod topology spread constraints"
MISSING_LABEL = SKEWED + " (missing required label)"
ENDLESS = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Constraint:
    """One rule: the label that names the places, how uneven they may be, and which pods count on which nodes."""

    key: str
    max_skew: int
    selector: Selector
    min_domains: int = 1
    by_affinity: bool = True  # nodeAffinityPolicy Honor: nodes that the pod could not be on do not count
    by_taints: bool = False  # nodeTaintsPolicy Honor, likewise

    def picks(self, pod: Obj) -> bool:
        """Whether the rule is about *pod*."""
        return self.selector.matches(pod["metadata"].get("labels"))

    def count(self, info: NodeInfo, namespace: str) -> int:
        """The pods on one node that count; a selector that asks for nothing counts none."""
        if not self.selector.requirements:
            return 0
        return sum(
            "deletionTimestamp" not in pod["metadata"]
            and pod["metadata"].get("namespace") == namespace
            and self.picks(pod)
            for pod in info.pods.values()
        )

    def includes(self, pod: Obj, info: NodeInfo) -> bool:
        """Whether *info* counts at all."""
        if self.by_affinity and not nodeselection.matches(pod, info.node):
            return False
        return not (self.by_taints and tainttoleration.refusing(pod, info.taints))


def constraints(pod: Obj, hard: bool) -> list[Constraint]:
    """The pod's own hard, or soft, constraints."""
    action = "DoNotSchedule" if hard else "ScheduleAnyway"
    own = pod["spec"].get("topologySpreadConstraints") or ()
    return [
        Constraint(
            c["topologyKey"],
            c["maxSkew"],
            _selector(c, pod["metadata"].get("labels") or EMPTY),
            c.get("minDomains") or 1,
            c.get("nodeAffinityPolicy", "Honor") == "Honor",
            c.get("nodeTaintsPolicy", "Ignore") == "Honor",
        )
        for c in own
        if c["whenUnsatisfiable"] == action
    ]


def _selector(constraint: Obj, own: Mapping[str, str]) -> Selector:
    """Its labelSelector; ``matchLabelKeys`` add what the pod itself carries."""
    found = from_object(constraint.get("labelSelector"))
    alike = [Requirement(key, "=", (own[key],)) for key in constraint.get("matchLabelKeys") or () if key in own]
    return found if found.nothing else Selector((*alike, *found.requirements))


def default_constraints(selector: Selector | None) -> list[Constraint]:
    """The system's soft constraints, for pods of an application."""
    return [Constraint(HOSTNAME, 3, selector), Constraint(ZONE, 5, selector)] if selector else []


def _complete(rules: Sequence[Constraint], labels: Mapping[str, str]) -> bool:
    return all(rule.key in labels for rule in rules)


# -- the filter --------------------------------------------------------------------------------------------------------
@dataclass(slots=True)
class Least:
    """The two places with the fewest pods, kept while pods come and go in thought.

    As upstream keeps them, who looks for the third only when it becomes the second.
    """

    first: tuple[str | None, int] = (None, ENDLESS)
    second: tuple[str | None, int] = (None, ENDLESS)

    def update(self, place: str, number: int) -> None:
        """There are so many at *place* now."""
        if place == self.first[0]:
            self.first = (place, number)
        elif place == self.second[0]:
            self.second = (place, number)
        elif number < self.first[1]:
            self.first, self.second = (place, number), self.first
            return
        elif number < self.second[1]:
            self.second = (place, number)
        if self.first[1] > self.second[1]:
            self.first, self.second = self.second, self.first


@dataclass(slots=True)
class Spread:
    """How the pods that count are spread, by rule."""

    rules: Sequence[Constraint]
    counts: list[dict[str, int]] = field(default_factory=list)
    least: list[Least] = field(default_factory=list)

    def fork(self) -> "Spread":
        """A copy to try something out on."""
        least = [Least(one.first, one.second) for one in self.least]
        return Spread(self.rules, [dict(one) for one in self.counts], least)


def prepare(cycle: Cycle) -> str | None:
    """Count the pods of each place, over those nodes that have all labels and that the policies let count."""
    pod, rules = cycle.pod, constraints(cycle.pod, hard=True)
    if not rules:
        return SKIP
    namespace = pod["metadata"].get("namespace", "")
    spread = Spread(rules, [{} for _ in rules], [Least() for _ in rules])
    for info in cycle.nodes:
        if _complete(rules, info.labels):
            for rule, counts in zip(rules, spread.counts):
                if rule.includes(pod, info):
                    place = info.labels[rule.key]
                    counts[place] = counts.get(place, 0) + rule.count(info, namespace)
    for counts, least in zip(spread.counts, spread.least):
        for place, number in counts.items():
            least.update(place, number)
    cycle.state[NAME] = spread
    return None


def change(cycle: Cycle, other: Obj, info: NodeInfo, sign: int) -> None:
    """Another pod has come, or gone."""
    spread: Spread = cycle.state[NAME]
    same = other["metadata"].get("namespace") == cycle.pod["metadata"].get("namespace")
    if not same or not _complete(spread.rules, info.labels):
        return
    for rule, counts, least in zip(spread.rules, spread.counts, spread.least):
        if rule.picks(other) and rule.includes(cycle.pod, info):
            place = info.labels[rule.key]
            counts[place] = counts.get(place, 0) + sign
            least.update(place, counts[place])


def refuse(cycle: Cycle, info: NodeInfo) -> Refusal | str | None:
    """Why not this node: a hard constraint forbids it."""
    spread: Spread = cycle.state[NAME]
    for rule, counts, least in zip(spread.rules, spread.counts, spread.least):
        if rule.key not in info.labels:
            return hopeless(MISSING_LABEL)
        lowest = least.first[1] if len(counts) >= rule.min_domains else 0
        if counts.get(info.labels[rule.key], 0) + rule.picks(cycle.pod) - lowest > rule.max_skew:
            return SKEWED
    return None


def cure(cycle: Cycle, info: NodeInfo) -> str:
    """How many too many there are."""
    spread: Spread = cycle.state[NAME]
    for rule, counts, least in zip(spread.rules, spread.counts, spread.least):
        if rule.key not in info.labels:
            return f"the node needs a label {rule.key}"
        lowest = least.first[1] if len(counts) >= rule.min_domains else 0
        here = counts.get(info.labels[rule.key], 0) + rule.picks(cycle.pod)
        if here - lowest > rule.max_skew:
            place = f"{rule.key}={info.labels[rule.key]}"
            return f"with it {place} would have {here}, the least has {lowest}, maxSkew is {rule.max_skew}"
    return "nothing"


# -- the score ---------------------------------------------------------------------------------------------------------
@dataclass(slots=True)
class Near:
    """What each rule weighs a pod with, and how many there are in each place; *ignored*: nodes without a label."""

    rules: Sequence[Constraint]
    weights: list[float]
    counts: list[dict[str | None, int]]
    ignored: dict[str, None]
    hosts: Sequence[Mapping[str, int] | None]  # the same by node, of rules by hostname, where it is known


def begin(cycle: Cycle, feasible: Sequence[NodeInfo]) -> str | None:
    """Count the pods near those nodes that are left. A host's own pods are counted when it is asked."""
    pod = cycle.pod
    strict = bool(pod["spec"].get("topologySpreadConstraints"))  # the system's constraints ask for no label
    rules = constraints(pod, hard=False) if strict else default_constraints(application(pod, cycle.known))
    if not rules:
        return SKIP
    ignored = {info.name: None for info in feasible if not _complete(rules, info.labels)} if strict else {}
    counted = [info for info in feasible if info.name not in ignored] if ignored else feasible
    counts: list[dict[str | None, int]] = [
        {} if rule.key == HOSTNAME else dict.fromkeys(cycle.labels(rule.key, counted), 0) for rule in rules
    ]
    sizes = [len(counted) if rule.key == HOSTNAME else len(places) for rule, places in zip(rules, counts)]
    hosts = [_crowd(cycle, rule).on if cycle.crowds and rule.key == HOSTNAME else None for rule in rules]
    if cycle.crowds and not strict and not nodeselection.insists(pod):
        for rule, places in zip(rules, counts):
            if places:
                sums = _crowd(cycle, rule).by(rule.key, cycle.crowds.nodes)
                places.update({place: sums.get(place, 0) for place in places})
    else:
        _count(cycle, rules, counts, strict)
    cycle.state[SOFT] = Near(rules, [math.log(size + 2) for size in sizes], counts, ignored, hosts)
    return None


def _count(cycle: Cycle, rules: Sequence[Constraint], counts: Sequence[dict[str | None, int]], strict: bool) -> None:
    """Count the pods of all nodes that count, by the places of those that are left."""
    namespace = cycle.pod["metadata"].get("namespace", "")
    for info in cycle.nodes if any(counts) else ():
        if not strict or _complete(rules, info.labels):
            for rule, places in zip(rules, counts):
                place = info.labels.get(rule.key)
                if place in places and rule.includes(cycle.pod, info):
                    places[place] += rule.count(info, namespace)


def _crowd(cycle: Cycle, rule: Constraint) -> Crowd:
    """The pods that a rule picks, as they were counted before, and what has changed since."""
    assert cycle.crowds is not None, "only a cycle over the cache remembers"
    namespace = cycle.pod["metadata"].get("namespace", "")
    return cycle.crowds.of((namespace, rule.selector), lambda info: rule.count(info, namespace))


def prefer(cycle: Cycle, info: NodeInfo) -> int:
    """How crowded a node is: pods times ln(places + 2), and the skew that is allowed anyway, over all rules."""
    return prefer_all(cycle, [info])[0]


def prefer_all(cycle: Cycle, feasible: Sequence[NodeInfo]) -> list[int]:
    """The same, of many nodes: what a rule adds is looked up, by the number of pods on a host, or by the place."""
    near: Near = cycle.state[SOFT]
    crowds: Iterable[float] = repeat(0.0, len(feasible))
    for rule, weight, counts, host in zip(near.rules, near.weights, near.counts, near.hosts):
        carried = cycle.labels(rule.key, feasible)
        on: Sequence[Any] = carried if rule.key != HOSTNAME else _on_hosts(cycle, rule, host, feasible)
        many = counts if rule.key != HOSTNAME else {number: number for number in dict.fromkeys(on)}
        adds = {one: number * weight + (rule.max_skew - 1) for one, number in many.items()}
        if None in carried:
            adds[None], on = 0.0, [None if label is None else one for label, one in zip(carried, on)]
        crowds = map(add, crowds, map(adds.get, on, repeat(0.0)))  # a node that is ignored may be in a place of its own
    scores = [int(crowd + 0.5) for crowd in crowds]
    if near.ignored:
        return [0 if info.name in near.ignored else score for info, score in zip(feasible, scores)]
    return scores


def _on_hosts(
    cycle: Cycle, rule: Constraint, known: Mapping[str, int] | None, feasible: Sequence[NodeInfo]
) -> list[int]:
    """How many pods of a rule are on each node."""
    if known is not None:
        return list(map(known.get, [info.name for info in feasible], repeat(0)))
    namespace = cycle.pod["metadata"].get("namespace", "")
    return [rule.count(info, namespace) for info in feasible]


def normalize(cycle: Cycle, feasible: Sequence[NodeInfo], raw: list[int]) -> list[int]:
    """The less crowded the better; a node without a label gets nothing."""
    ignored = cycle.state[SOFT].ignored
    counted = [value for info, value in zip(feasible, raw) if info.name not in ignored] if ignored else raw
    low, high = min(counted, default=0), max(counted, default=0)
    shares = {value: 100 * (high + low - value) // high if high else 100 for value in dict.fromkeys(raw)}
    if ignored:
        return [0 if info.name in ignored else shares[value] for info, value in zip(feasible, raw)]
    return [shares[value] for value in raw]


# -- what may help -----------------------------------------------------------------------------------------------------
def hint(pod: Obj, event: Event) -> bool:
    """Of pods only those that a hard constraint counts, or counted; of nodes those with its labels."""
    rules = constraints(pod, hard=True)
    if event.what in (NODE_ADDED, NODE_DELETED, NODE_LABEL, NODE_TAINT):
        return _node_helps(rules, event)
    old, new = event.old, event.new
    if event.what == OWN_TOLERATION:
        return any(rule.by_taints for rule in rules)
    if event.what != OWN_LABEL and any(_foreign(other, pod) for other in (old, new) if other is not None):
        return False
    if event.what in (POD_ADDED, POD_DELETED):
        there = new if event.what == POD_ADDED else old
        return there is not None and any(rule.picks(there) for rule in rules)
    return old is not None and new is not None and any(rule.picks(old) != rule.picks(new) for rule in rules)


def _foreign(other: Obj, pod: Obj) -> bool:
    return other["metadata"].get("namespace") != pod["metadata"].get("namespace")


def _node_helps(rules: Sequence[Constraint], event: Event) -> bool:
    before, after = (get(node, "metadata", "labels") or EMPTY for node in (event.old, event.new))
    was = event.old is not None and _complete(rules, before)
    now = event.new is not None and _complete(rules, after)
    if event.old is None or event.new is None or was != now:
        return was or now
    moved = any(before.get(rule.key) != after.get(rule.key) for rule in rules)
    return now and (moved or (get(event.old, "spec", "taints") or []) != (get(event.new, "spec", "taints") or []))


PLUGIN = Plugin(
    NAME,
    100,
    refuse,
    prefer,
    weight=2,
    prefilter=prepare,
    change=change,
    fork=Spread.fork,
    prescore=begin,
    cure=cure,
    normalize=normalize,
    scores=prefer_all,
    helped_by=(
        NODE_ADDED,
        NODE_DELETED,
        NODE_LABEL,
        NODE_TAINT,
        POD_ADDED,
        POD_DELETED,
        POD_LABEL,
        OWN_LABEL,
        OWN_TOLERATION,
    ),
    hint=hint,
)
