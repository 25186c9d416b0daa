"""PodTopologySpread: keep the pods of one application apart, over hosts and zones. Pure.

A hard constraint (DoNotSchedule) forbids nodes where the skew would exceed ``maxSkew``; a soft one makes crowded places
score lower. A pod that names none, but belongs to a Service or ReplicaSet, is spread softly: hosts skew 3, zones 5.
Models k/k pkg/scheduler/framework/plugins/podtopologyspread PodTopologySpread.Filter
Models k/k pkg/scheduler/framework/plugins/podtopologyspread PodTopologySpread.Score
"""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from kubemini.api import labels, nodeselection
from kubemini.api.objects import EMPTY, Obj
from kubemini.scheduler.decide.cache import NodeInfo
from kubemini.scheduler.decide.plugin import (
    NODE_ADDED,
    NODE_LABEL,
    NODE_TAINT,
    POD_ADDED,
    POD_DELETED,
    POD_LABEL,
    Cycle,
    Event,
    Picks,
    Plugin,
)
from kubemini.scheduler.plugins import tainttoleration

HOSTNAME, ZONE = "kubernetes.io/hostname", "topology.kubernetes.io/zone"
SKEWED = "node(s) didn't match pod topology spread constraints"
MISSING_LABEL = SKEWED + " (missing required label)"


@dataclass(frozen=True, slots=True)
class Constraint:
    """One rule: the label that names the places, how uneven they may be, and which pods count on which nodes."""

    key: str
    max_skew: int
    picks: Picks
    min_domains: int = 1
    by_affinity: bool = True  # nodeAffinityPolicy Honor: nodes that the pod could not be on do not count
    by_taints: bool = False  # nodeTaintsPolicy Honor, likewise

    def count(self, info: NodeInfo, namespace: str) -> int:
        """The pods on one node that count."""
        return sum(
            self.picks(pod)
            for pod in info.pods.values()
            if pod["metadata"].get("namespace") == namespace and "deletionTimestamp" not in pod["metadata"]
        )

    def counts(self, pod: Obj, nodes: Sequence[NodeInfo]) -> Counter[str]:
        """By place, over those nodes that count at all."""
        found: Counter[str] = Counter()
        for info in nodes:
            if self.key in info.labels and self._includes(pod, info):
                found[info.labels[self.key]] += self.count(info, pod["metadata"].get("namespace", ""))
        return found

    def _includes(self, pod: Obj, info: NodeInfo) -> bool:
        if self.by_affinity and not nodeselection.matches(pod, info.node):
            return False
        return not (self.by_taints and tainttoleration.refusing(pod, info))


def constraints(pod: Obj, hard: bool) -> list[Constraint]:
    """The pod's own hard, or soft, constraints."""
    action = "DoNotSchedule" if hard else "ScheduleAnyway"
    own = pod["spec"].get("topologySpreadConstraints") or ()
    return [
        Constraint(
            c["topologyKey"],
            c["maxSkew"],
            _picker(c, pod["metadata"].get("labels") or EMPTY),
            c.get("minDomains") or 1,
            c.get("nodeAffinityPolicy", "Honor") == "Honor",
            c.get("nodeTaintsPolicy", "Ignore") == "Honor",
        )
        for c in own
        if c["whenUnsatisfiable"] == action
    ]


def default_constraints(application: Picks | None) -> list[Constraint]:
    """The system's soft constraints, for pods of an *application*."""
    return [Constraint(HOSTNAME, 3, application), Constraint(ZONE, 5, application)] if application else []


def _picker(constraint: Obj, own: Mapping[str, str]) -> Picks:
    """A selector that is empty, or not there, counts no pod; ``matchLabelKeys`` add what the pod itself carries."""
    selector = constraint.get("labelSelector") or EMPTY
    alike = {key: own[key] for key in constraint.get("matchLabelKeys") or () if key in own}
    if not (selector.get("matchLabels") or selector.get("matchExpressions") or alike):
        return lambda pod: False

    def picks(pod: Obj) -> bool:
        carried = pod["metadata"].get("labels")
        return labels.matches(selector, carried) and labels.contains(carried, alike)

    return picks


def refuse(cycle: Cycle, info: NodeInfo) -> list[str]:
    """Why not this node: a hard constraint forbids it."""
    rules = constraints(cycle.pod, hard=True)
    if any(rule.key not in info.labels for rule in rules):
        return [MISSING_LABEL]
    complete = [node for node in cycle.nodes if all(rule.key in node.labels for rule in rules)]
    for rule in rules:
        there = rule.counts(cycle.pod, complete)
        least = min(there.values(), default=0) if len(there) >= rule.min_domains else 0
        if there[info.labels[rule.key]] + rule.picks(cycle.pod) - least > rule.max_skew:
            return [SKEWED]
    return []


def prefer(cycle: Cycle, feasible: Sequence[NodeInfo]) -> list[int] | None:
    """The fewer pods of its kind are near, the better; None if nothing is to be spread."""
    strict = bool(cycle.pod["spec"].get("topologySpreadConstraints"))
    rules = constraints(cycle.pod, hard=False) if strict else default_constraints(cycle.application)
    if not rules:
        return None

    def counts(info: NodeInfo) -> bool:
        """Whether a node has all that the pod's own constraints ask for; the system's ask for nothing."""
        return not strict or all(rule.key in info.labels for rule in rules)

    nodes, complete = list(filter(counts, cycle.nodes)), list(filter(counts, feasible))
    raw = dict.fromkeys((info.name for info in complete), 0.0)
    for rule in rules:
        crowd = _crowding(rule, cycle.pod, complete, nodes)
        raw = {info.name: raw[info.name] + crowd(info) for info in complete}
    return _normalized([int(raw[info.name] + 0.5) if info.name in raw else None for info in feasible])


def _crowding(rule: Constraint, pod: Obj, feasible: Sequence[NodeInfo], nodes: Sequence[NodeInfo]) -> Callable:
    """How crowded a node is by one rule: pods times ln(places + 2), and the skew that is allowed anyway.

    Nodes without the label are one place more.
    """
    places = {info.labels.get(rule.key): None for info in feasible}
    size = len(feasible) if rule.key == HOSTNAME else len(places)
    factor = math.log(size + 2)
    there = Counter() if rule.key == HOSTNAME else rule.counts(pod, nodes)

    def crowd(info: NodeInfo) -> float:
        if rule.key not in info.labels:
            return 0.0
        if rule.key == HOSTNAME:
            number = rule.count(info, pod["metadata"].get("namespace", ""))
        else:
            number = there[info.labels[rule.key]]
        return number * factor + (rule.max_skew - 1)

    return crowd


def _normalized(raw: Sequence[int | None]) -> list[int]:
    counted = [value for value in raw if value is not None]
    low, high = min(counted, default=0), max(counted, default=0)
    if high == 0:
        return [0 if value is None else 100 for value in raw]
    return [0 if value is None else 100 * (high + low - value) // high for value in raw]


def hint(pod: Obj, event: Event) -> bool:
    """Of pods only those that a hard constraint counts; of nodes, any."""
    if event.what not in OF_PODS:
        return True
    others = [other for other in (event.old, event.new) if other is not None]
    same = [other for other in others if other["metadata"].get("namespace") == pod["metadata"].get("namespace")]
    return any(rule.picks(other) for rule in constraints(pod, hard=True) for other in same)


OF_PODS = (POD_ADDED, POD_DELETED, POD_LABEL)
PLUGIN = Plugin(
    "PodTopologySpread",
    70,
    refuse,
    prefer,
    weight=2,
    helped_by=(NODE_ADDED, NODE_LABEL, NODE_TAINT, *OF_PODS),
    hint=hint,
)
