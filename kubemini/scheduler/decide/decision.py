"""What came of one scheduling cycle, with everything it rests on, and the words for it. Pure.

Invariant: a `Decision` holds each plugin's verdict on each node that was asked, and each score.
Models k/k pkg/scheduler/framework FitError.Error
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from kubemini.scheduler.decide.plugin import Refusal

NO_NODES = "no nodes available to schedule pods"
NOTE_LIMIT, CUT = 1024, " ..."  # bytes of an Event's note
MANY = 100  # nodes that a reader looks at
FEW = 20  # equals: more are met soon on the way down
Marks = tuple[int, int, int]  # raw, normalised, weighted


@dataclass(slots=True)
class Decision:
    """The chosen *node*, "" if none, and the reasons."""

    nodes: int  # how many there are
    node: str = ""
    refusals: dict[str, Refusal] = field(default_factory=dict)  # of nodes that were asked
    prefilter: Refusal | None = None  # it ended the cycle
    narrowed_by: tuple[str, ...] = ()  # the plugins that let only some nodes be asked
    allowed: tuple[str, ...] = ()  # those nodes
    skipped_filters: tuple[str, ...] = ()
    feasible: list[str] = field(default_factory=list)  # in the order in which they were found
    skipped_scores: tuple[str, ...] = ()
    given: list[tuple[str, int, list[int], list[int]]] = field(default_factory=list)  # plugin, weight, raw, 0 to 100
    sums: list[int] = field(default_factory=list)  # of the weighted scores, node by node
    error: str = ""  # a plugin could not do its work
    searched: int = 0  # how far the search went
    after: str = ""  # what was tried when no node could take it
    nomination: str | None = None  # "": take the pod's nomination away; None: leave it

    @property
    def message(self) -> str:
        """Why the pod stays Pending, in kube-scheduler's words."""
        if self.error:
            return self.error
        if not self.nodes:
            return NO_NODES
        if self.prefilter is not None:
            said = ", ".join(self.prefilter.reasons)
            return " ".join(filter(None, (f"0/{self.nodes} nodes are available: {said}.", self.after)))
        absent = f"node(s) didn't satisfy plugin(s) [{' '.join(self.narrowed_by)}]" if self.narrowed_by else ""
        return " ".join(filter(None, (available(self.nodes, self.refusals, absent), self.after)))

    @property
    def reason(self) -> str:
        """Of the condition PodScheduled."""
        return "SchedulerError" if self.error else "Unschedulable"

    @property
    def plugins(self) -> list[str]:
        """The plugins that refused a node, or all of them."""
        if self.prefilter is not None:
            return [self.prefilter.plugin]
        found = (refusal.plugin for refusal in self.refusals.values())
        return list(dict.fromkeys((*self.narrowed_by, *found)))

    @property
    def scores(self) -> dict[str, dict[str, Marks]]:
        """Of each fitting node, what each plugin gives it."""
        return {
            node: {name: (raw[at], share[at], share[at] * weight) for name, weight, raw, share in self.given}
            for at, node in enumerate(self.feasible)
        }

    @property
    def totals(self) -> dict[str, int]:
        """Of each fitting node; 0 for a single one, which nobody scores."""
        return dict(zip(self.feasible, self.sums or [0] * len(self.feasible)))

    def best(self) -> list[str]:
        """The nodes with the highest total."""
        most = max(self.sums, default=0)
        return [name for name, total in self.totals.items() if total == most]

    def explain(self) -> dict[str, Any]:
        """The decision as JSON, for widgets: scores from 0 to 100, totals weighted; of many nodes only the best."""
        if len(self.feasible) > MANY:
            return self.shortened().explain()
        return {
            "node": self.node,
            "rejected": {node: [r.plugin, list(r.reasons)] for node, r in self.refusals.items()},
            "scores": {node: {name: marks[1] for name, marks in by.items()} for node, by in self.scores.items()},
            "totals": dict(self.totals),
        }

    def shortened(self) -> "Decision":
        """The same, but of the fitting nodes only the best, and of the others as many."""
        order = sorted(range(len(self.feasible)), key=lambda at: -self.sums[at])[:MANY]
        given = [
            (name, weight, [raw[i] for i in order], [share[i] for i in order])
            for name, weight, raw, share in self.given
        ]
        names, sums = [self.feasible[at] for at in order], [self.sums[at] for at in order]
        refusals = dict(list(self.refusals.items())[:MANY])
        return replace(self, feasible=names, sums=sums, given=given, refusals=refusals)


def _at(values: Sequence[int], places: Sequence[int]) -> list[int]:
    return [values[place] for place in places]


def available(nodes: int, refusals: Mapping[str, Refusal], absent: str = "") -> str:
    """How many nodes say what; *absent* is what stands for those that were not asked."""
    reasons = Counter(reason for refusal in refusals.values() for reason in refusal.reasons)
    if absent and len(refusals) < nodes:
        reasons[absent] += nodes - len(refusals)
    listed = ", ".join(sorted(f"{count} {reason}" for reason, count in reasons.items()))
    return f"0/{nodes} nodes are available:" + (f" {listed}." if listed else "")


def note(message: str) -> str:
    """*message* as an Event can hold it."""
    data = message.encode()
    return message if len(data) <= NOTE_LIMIT else data[: NOTE_LIMIT - len(CUT)].decode(errors="ignore") + CUT


def winner(totals: Sequence[int]) -> int:
    """The place of the best of *totals*, in the order in which the nodes were found.

    Upstream takes the root of a binary heap: of equals it is the one that nothing pushes aside on the way up, which is
    the first to be met going down from the root, left before right: the way to a place is its number in binary.
    Models k/k pkg/scheduler/framework sortedNodeScores
    """
    most = max(totals)
    if totals.count(most) < FEW:
        best = (place for place, total in enumerate(totals) if total == most)
        return min(best, key=lambda place: f"{place + 1:b}")
    places = [0]
    while totals[place := places.pop()] != most:
        places += [below for below in (2 * place + 2, 2 * place + 1) if below < len(totals)]
    return place
