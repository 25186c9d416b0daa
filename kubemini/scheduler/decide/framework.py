"""One decision: filter the nodes, score what is left, pick the best; and say why, plugin by plugin, node by node. Pure.

Invariant: a `Decision` holds everything the choice rests on; equal totals are broken by the draw that is passed in.
Models k/k pkg/scheduler Scheduler.schedulePod
Models k/k pkg/scheduler/framework FitError.Error
Simplified: all nodes are looked at (the real one samples above 100 nodes); no preemption.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from kubemini.scheduler.decide.cache import NodeInfo
from kubemini.scheduler.decide.plugin import Cycle, Plugin


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


def decide(cycle: Cycle, plugins: Sequence[Plugin], draw: int) -> Decision:
    """Where the pod goes, in the opinion of *plugins*; *draw*, a large number, breaks ties."""
    rejections: dict[str, Rejection] = {}
    feasible = []
    for info in cycle.nodes:
        rejected = reject(cycle, plugins, info)
        if rejected is None:
            feasible.append(info)
        else:
            rejections[info.name] = rejected
    if not feasible:
        return Decision("", rejections, nodes=len(cycle.nodes))
    scores = score(cycle, plugins, feasible) if len(feasible) > 1 else {feasible[0].name: {}}
    weights = {plugin.name: plugin.weight for plugin in plugins}
    totals = {name: sum(weights[plugin] * value for plugin, value in by.items()) for name, by in scores.items()}
    best = [name for name, total in totals.items() if total == max(totals.values())]
    return Decision(best[draw % len(best)], rejections, scores, totals, len(cycle.nodes))


def reject(cycle: Cycle, plugins: Sequence[Plugin], info: NodeInfo) -> Rejection | None:
    """The first plugin that says no, and its reasons."""
    for plugin in plugins:
        reasons = plugin.filter(cycle, info) if plugin.filter else []
        if reasons:
            return Rejection(plugin.name, tuple(reasons))
    return None


def score(cycle: Cycle, plugins: Sequence[Plugin], feasible: list[NodeInfo]) -> dict[str, dict[str, int]]:
    """What each plugin gives each node."""
    given: dict[str, dict[str, int]] = {info.name: {} for info in feasible}
    for plugin in plugins:
        values = plugin.score(cycle, feasible) if plugin.score else None
        for info, value in zip(feasible, values or ()):
            given[info.name][plugin.name] = value
    return given
