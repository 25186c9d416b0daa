"""PodTopologySpread: keep the pods of one application apart, over hosts and zones. Pure.

A hard constraint (DoNotSchedule) forbids nodes where the skew would exceed ``maxSkew``; a soft one makes crowded places
score lower. A pod that names none, but belongs to a Service or ReplicaSet, is spread softly: hosts skew 3, zones 5.
Models k/k pkg/scheduler/framework/plugins/podtopologyspread PodTopologySpread.Filter
Models k/k pkg/scheduler/framework/plugins/podtopologyspread PodTopologySpread.Score
Simplified: no minDomains, matchLabelKeys, nodeTaintsPolicy; nodeAffinityPolicy is Honor.
"""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kubemini.api import labels
from kubemini.api.objects import Obj
from kubemini.scheduler.decide.cache import NodeInfo
from kubemini.scheduler.decide.plugin import NODE_ADDED, NODE_LABEL, NODE_TAINT, POD_DELETED, Picks, Plugin, Question
from kubemini.scheduler.plugins import nodeaffinity

HOSTNAME, ZONE = "kubernetes.io/hostname", "topology.kubernetes.io/zone"
SKEWED = "node(s) didn't match pod topology spread constraints"
MISSING_LABEL = SKEWED + " (missing required label)"


@dataclass(frozen=True, slots=True)
class Constraint:
    """One rule: the label that names the places, how uneven they may be, and which pods count."""

    key: str
    max_skew: int
    picks: Picks

    def count(self, info: NodeInfo, namespace: str) -> int:
        """The pods on one node that count."""
        return sum(
            self.picks(pod)
            for pod in info.pods.values()
            if pod["metadata"].get("namespace") == namespace and "deletionTimestamp" not in pod["metadata"]
        )

    def counts(self, pod: Obj, nodes: Sequence[NodeInfo]) -> Counter[str]:
        """By place, over the nodes that the pod could be on at all."""
        found: Counter[str] = Counter()
        for info in nodes:
            if self.key in info.labels and nodeaffinity.matches(pod, info.node):
                found[info.labels[self.key]] += self.count(info, pod["metadata"].get("namespace", ""))
        return found


def constraints(pod: Obj, hard: bool) -> list[Constraint]:
    """The pod's own hard, or soft, constraints."""
    action = "DoNotSchedule" if hard else "ScheduleAnyway"
    own = [c for c in pod["spec"].get("topologySpreadConstraints") or () if c["whenUnsatisfiable"] == action]
    return [Constraint(c["topologyKey"], c["maxSkew"], _picker(c.get("labelSelector"))) for c in own]


def default_constraints(application: Picks | None) -> list[Constraint]:
    """The system's soft constraints, for pods of an *application*."""
    return [Constraint(HOSTNAME, 3, application), Constraint(ZONE, 5, application)] if application else []


def _picker(selector: Obj | None) -> Picks:
    return lambda pod: labels.matches(selector, pod["metadata"].get("labels"))


def refuse(question: Question, info: NodeInfo) -> list[str]:
    """Why not this node: a hard constraint forbids it."""
    pod, nodes = question.pod, question.nodes
    for rule in constraints(pod, hard=True):
        if rule.key not in info.labels:
            return [MISSING_LABEL]
        there = rule.counts(pod, [n for n in nodes if all(r.key in n.labels for r in constraints(pod, hard=True))])
        skew = there[info.labels[rule.key]] + rule.picks(pod) - min(there.values(), default=0)
        if skew > rule.max_skew:
            return [SKEWED]
    return []


def prefer(question: Question, feasible: Sequence[NodeInfo]) -> list[int] | None:
    """The fewer pods of its kind are near, the better; None if nothing is to be spread."""
    pod = question.pod
    own = constraints(pod, hard=False)
    strict = bool(pod["spec"].get("topologySpreadConstraints"))
    rules = own if strict else default_constraints(question.application)
    if not rules:
        return None
    ignored = [strict and any(rule.key not in info.labels for rule in rules) for info in feasible]
    raw = [0.0] * len(feasible)
    for rule in rules:
        crowd = _crowding(rule, pod, [n for n, skip in zip(feasible, ignored) if not skip], question.nodes)
        raw = [total + crowd(info) for total, info in zip(raw, feasible)]
    return _normalized([None if skip else int(total + 0.5) for total, skip in zip(raw, ignored)])


def _crowding(rule: Constraint, pod: Obj, feasible: Sequence[NodeInfo], nodes: Sequence[NodeInfo]) -> Callable:
    """How crowded a node is by one rule: pods times ln(places + 2), and the skew that is allowed anyway."""
    places = {info.labels[rule.key]: None for info in feasible if rule.key in info.labels}
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


PLUGIN = Plugin(
    "PodTopologySpread", 70, refuse, prefer, weight=2, helped_by=(NODE_ADDED, NODE_LABEL, NODE_TAINT, POD_DELETED)
)
