"""One decision: filter the nodes, score what is left, pick the best; and say why, plugin by plugin, node by node. Pure.

Invariant: a `Decision` holds everything the choice rests on; equal totals are broken by the luck that is passed in.
k/k pkg/scheduler/schedule_one.go, framework/types.go (FitError: the words of the message).
Simplified: all nodes are looked at (the real one samples above 100 nodes); no preemption.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from kubemini.scheduler.cache import NodeInfo
from kubemini.scheduler.plugins import FILTERS, SCORES, WEIGHTS, Question


@dataclass(frozen=True, slots=True)
class Rejection:
    """A node that cannot take the pod: which plugin says so first, and why."""

    plugin: str
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Decision:
    """The chosen *node* ("" if none can take the pod) and the reasons."""

    node: str
    rejections: dict[str, Rejection]
    scores: dict[str, dict[str, int]] = field(default_factory=dict)  # node → plugin → 0..100
    totals: dict[str, int] = field(default_factory=dict)  # node → weighted sum
    nodes: int = 0

    @property
    def message(self) -> str:
        """Why the pod stays Pending, in kube-scheduler's words."""
        if not self.nodes:
            return "no nodes available to schedule pods"
        reasons = Counter(reason for rejected in self.rejections.values() for reason in rejected.reasons)
        listed = ", ".join(sorted(f"{count} {reason}" for reason, count in reasons.items()))
        return f"0/{self.nodes} nodes are available: {listed}."

    @property
    def plugins(self) -> list[str]:
        """The plugins that rejected a node."""
        return list(dict.fromkeys(rejected.plugin for rejected in self.rejections.values()))

    def explain(self) -> dict[str, Any]:
        """The decision as JSON, for widgets."""
        return {
            "node": self.node,
            "rejected": {node: [r.plugin, list(r.reasons)] for node, r in self.rejections.items()},
            "scores": self.scores,
            "totals": self.totals,
        }


def decide(question: Question, luck: int) -> Decision:
    """Where the pod goes; *luck*, a large number, breaks ties."""
    rejections: dict[str, Rejection] = {}
    feasible = []
    for info in question.nodes:
        rejected = reject(question, info)
        if rejected is None:
            feasible.append(info)
        else:
            rejections[info.name] = rejected
    if not feasible:
        return Decision("", rejections, nodes=len(question.nodes))
    scores = score(question, feasible) if len(feasible) > 1 else {feasible[0].name: {}}
    totals = {name: sum(WEIGHTS[plugin] * value for plugin, value in by.items()) for name, by in scores.items()}
    best = [name for name, total in totals.items() if total == max(totals.values())]
    return Decision(best[luck % len(best)], rejections, scores, totals, len(question.nodes))


def reject(question: Question, info: NodeInfo) -> Rejection | None:
    """The first plugin that says no, and its reasons."""
    for plugin, filter in FILTERS.items():
        reasons = filter(question, info)
        if reasons:
            return Rejection(plugin, tuple(reasons))
    return None


def score(question: Question, feasible: list[NodeInfo]) -> dict[str, dict[str, int]]:
    """What each plugin gives each node."""
    given: dict[str, dict[str, int]] = {info.name: {} for info in feasible}
    for plugin, judge in SCORES.items():
        values = judge(question, feasible)
        for info, value in zip(feasible, values or ()):
            given[info.name][plugin] = value
    return given
