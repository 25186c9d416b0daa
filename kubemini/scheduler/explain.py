"""Why a pod goes where it goes: what each plugin says of every node, in full, and what would have to change. Pure.

A search stops at the first plugin that refuses a node, and at enough nodes; here every plugin is asked of every node.
Scores are those that the nodes which fit give each other, as in the real cycle.
Simplified: what would have to change is said of each reason by itself; one change may make another one needless.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from kubemini.api.objects import Obj
from kubemini.scheduler.decide.decision import Decision, Marks
from kubemini.scheduler.decide.framework import decide, prefilter, refused
from kubemini.scheduler.decide.nodeinfo import NodeInfo
from kubemini.scheduler.decide.plugin import Cycle, Plugin, Refusal
from kubemini.scheduler.decide.preemption import Candidate, Preemption


@dataclass(slots=True)
class NodeSaid:
    """What is said of one node: by each plugin that filters, None if it has nothing against it; and its scores."""

    name: str
    verdicts: dict[str, Refusal | None] = field(default_factory=dict)
    cures: dict[str, str] = field(default_factory=dict)  # plugin → what would have to change
    scores: Mapping[str, Marks] = field(default_factory=dict)
    total: int | None = None
    victims: Candidate | None = None  # who would have to go

    @property
    def fits(self) -> bool:
        """Whether nobody has anything against it."""
        return not any(self.verdicts.values())

    @property
    def refusals(self) -> list[Refusal]:
        """Those against it, in the order in which they are asked."""
        return [refusal for refusal in self.verdicts.values() if refusal is not None]


@dataclass(slots=True, repr=False)
class Explanation:
    """Where *pod* goes, and what is said of each node; prints itself as a table."""

    pod: str
    decision: Decision
    nodes: list[NodeSaid]
    weights: dict[str, int]
    preemption: Preemption | None = None
    start: int = 0  # the number of the node at which the search began
    placed: str = ""  # where it is already: it is asked as if it were not
    only: str = ""  # the one node that the reader asks about

    def node(self, name: str) -> NodeSaid:
        """What is said of one node. Raises ValueError."""
        found = next((one for one in self.nodes if one.name == name), None)
        if found is None:
            raise ValueError(f"there is no node {name!r}; there is: {', '.join(one.name for one in self.nodes)}")
        return found

    def why(self) -> str:
        """One sentence: why this node, or why none."""
        decision = self.decision
        if not decision.node:
            return f"It fits nowhere: {decision.message}"
        if len(decision.feasible) == 1:
            return f"{decision.node} is the only node that it fits on; nobody scores."
        best = self.node(decision.node)
        equals = [name for name in decision.best() if name != decision.node]
        if equals:
            equal = f"so has {some(equals)}: of equals the search decides."
            return f"{decision.node} has the highest total, {best.total}; {equal}"
        rivals = [one for one in self.nodes if one.total is not None and one is not best]
        second = max(rivals, key=lambda one: one.total or 0)
        return f"{decision.node} has the highest total, {best.total}: {self.lead(best, second)}"

    def lead(self, one: NodeSaid, other: NodeSaid) -> str:
        """By what the total of *one* is higher than that of *other*."""
        leads = {name: marks[2] - other.scores[name][2] for name, marks in one.scores.items() if name in other.scores}
        told = [f"{name} {lead:+d}" for name, lead in sorted(leads.items(), key=lambda it: -it[1]) if lead]
        return f"{(one.total or 0) - (other.total or 0)} more than {other.name} ({', '.join(told)})."

    def searched(self) -> str:
        """One sentence: where the search began, and how far it went."""
        many, looked = len(self.nodes), self.decision.searched
        begins = f"The search began at {self.nodes[self.start].name}" if self.nodes else ""
        if not looked or (looked == many and not self.start):
            return ""
        ended = f": {looked} of {many} nodes were asked, then enough fitted" if looked < many else " and went all round"
        return f"{begins}{ended}; the next begins at {self.nodes[(self.start + looked) % many].name}."

    def would(self, name: str) -> str:
        """In one sentence what would have to change for the pod to go to the node *name*."""
        said, decision = self.node(name), self.decision
        if name == decision.node:
            return f"Nothing has to change: it goes to {name}."
        if decision.prefilter is not None:
            return f"{decision.prefilter.plugin} says no to every node: {', '.join(decision.prefilter.reasons)}."
        needs = _once([said.cures.get(one.plugin, f"what {one.plugin} says must go") for one in said.refusals])
        if needs:
            gone = _names(said.victims.victims) if said.victims else []
            spare = f", or {some(gone)} of lower priority must go" if gone else ""
            return f"For {name}: {'; and '.join(needs)}{spare}."
        if said.total is None or not decision.node:
            return f"{name} would do: the search had found enough nodes before it." if decision.node else "It fits."
        best = self.node(decision.node)
        behind = (best.total or 0) - said.total
        if not behind:
            return (
                f"{name} has the same total as {decision.node}: of equals the order decides in which they were found."
            )
        return f"{name} fits; it would have to gain {behind + 1}: {decision.node} has {self.lead(best, said)}"

    def change(self, name: str) -> list[str]:
        """What would have to change for the pod to go to the node *name*, one sentence each."""
        said, decision = self.node(name), self.decision
        if name == decision.node:
            return ["Nothing: it goes there."]
        lines = [
            f"{refusal.plugin}: {', '.join(refusal.reasons)}: {said.cures.get(refusal.plugin, 'its cause must go')}"
            for refusal in said.refusals
        ]
        if said.victims is not None:
            lines.append(f"or these pods of lower priority must go: {', '.join(_names(said.victims.victims))}")
        if said.fits and said.total is not None and decision.node:
            best = self.node(decision.node)
            better = (
                f"is better: {self.lead(best, said)}"
                if best.total != said.total
                else "is as good: of equals the search decides."
            )
            lines.append(f"It fits, but {decision.node} {better}")
        elif said.fits and decision.prefilter is None:
            lines.append("It fits, but the search had found enough nodes before it." if decision.node else "It fits.")
        if decision.prefilter is not None:
            reasons = ", ".join(decision.prefilter.reasons)
            lines.append(f"{decision.prefilter.plugin} says no to every node: {reasons}")
        return lines

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        fitting = sum(one.fits for one in self.nodes)
        where = self.decision.node or "nowhere"
        placed = f" (it is on {self.placed}; asked as if it were not)" if self.placed else ""
        head = f"{self.pod} → {where}{placed}: {fitting} of {len(self.nodes)} nodes fit"
        lines = [head, self.why(), *filter(None, [self.searched()]), *self._scores(), *self._refusals()]
        if self.only:
            lines += ["", f"For {self.only} would have to change:", *(f"  {line}" for line in self.change(self.only))]
        return "\n".join(lines)

    def _scores(self) -> list[str]:
        """A table: a line a node, a column a plugin: raw → 0 to 100 × weight."""
        scored = [one for one in self.nodes if one.scores]
        if not scored:
            return []
        names = list(scored[0].scores)
        head = ["NODE", "TOTAL", *(f"{name}×{self.weights[name]}" for name in names)]
        rows = [head]
        for one in sorted(scored, key=lambda one: -(one.total or 0)):
            marks = (one.scores[name] for name in names)
            rows.append([one.name, str(one.total), *(_mark(raw, share) for raw, share, _ in marks)])
        return ["", *_table(rows)]

    def _refusals(self) -> list[str]:
        refused = [one for one in self.nodes if not one.fits]
        rows = [
            [one.name, refusal.plugin, ", ".join(refusal.reasons), one.cures.get(refusal.plugin, "")]
            for one in refused
            for refusal in one.refusals
        ]
        return ["", *_table([["NODE", "REFUSED BY", "BECAUSE", "TO CHANGE"], *rows])] if rows else []


def _mark(raw: int, share: int) -> str:
    return str(share) if raw == share else f"{raw} → {share}"


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]


def _once(needs: Sequence[str]) -> list[str]:
    """Without what an earlier one has done: who uncordons a node takes its taint away."""
    return [need for at, need in enumerate(needs) if not any(need.split(", or")[0] in other for other in needs[:at])]


def some(names: Sequence[str], most: int = 4) -> str:
    """The first few names, and how many there are more."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _names(pods: Sequence[Obj]) -> list[str]:
    return [f"{pod['metadata'].get('namespace', 'default')}/{pod['metadata']['name']}" for pod in pods]


# -- how it is found out -----------------------------------------------------------------------------------------------
def explained(
    cycle: Cycle, plugins: Sequence[Plugin], start: int, preemption: Preemption | None, decision: Decision | None = None
) -> Explanation:
    """Ask every plugin of every node; *decision* is what the real cycle comes to, if that is known already."""
    found = decision or decide(cycle, plugins, start)
    asked = prefilter(cycle, plugins)
    filters = asked.filters if asked.refusal is None else ()
    scores, totals = found.scores, found.totals if len(found.feasible) > 1 else {}
    candidates = {one.node: one for one in preemption.candidates} if preemption else {}
    nodes = []
    for info in cycle.nodes:
        said = NodeSaid(info.name, scores=scores.get(info.name, {}), total=totals.get(info.name))
        for plugin in filters:
            _ask(cycle, plugin, info, said)
        said.victims = candidates.get(info.name)
        nodes.append(said)
    meta = cycle.pod["metadata"]
    weights = {plugin.name: plugin.weight for plugin in plugins}
    whose = f"{meta.get('namespace', 'default')}/{meta['name']}"
    return Explanation(whose, found, nodes, weights, preemption, start % max(1, len(nodes)))


def _ask(cycle: Cycle, plugin: Plugin, info: NodeInfo, said: NodeSaid) -> None:
    answer = plugin.filter(cycle, info) if plugin.filter is not None else None
    said.verdicts[plugin.name] = refused(answer, plugin) if answer else None
    if answer and plugin.cure is not None:
        said.cures[plugin.name] = plugin.cure(cycle, info)
