"""What *local* plugins say of every node to the pods of one shape, in the order of the search. Pure.

Most pods are like those before them, and between two of them a node or two have changed: all else is read off, a
stretch of nodes at a time. An answer that is not known yet is asked for when the search comes by.
Invariant: what a column says of a node is what the plugins would say now.
Models nothing upstream: there every plugin is asked of every node, by 16 workers.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from kubemini.scheduler.decide.kept.changes import Changes
from kubemini.scheduler.decide.nodeinfo import NodeInfo

REFUSED, FITS, UNKNOWN = 0, 1, 2
MOST_KEPT = 128  # columns; the one that was asked for first goes first
Span = tuple[int, int]  # a stretch of nodes: from this place up to that one
Ask = Callable[[NodeInfo], Any]  # None: the node can take the pod; else why not


@dataclass(slots=True)
class Column:
    """The answers of all *nodes*; *said*: why those refuse that do."""

    nodes: Sequence[NodeInfo]
    fits: bytearray
    said: dict[int, Any] = field(default_factory=dict)
    scores: dict[str, list[int]] = field(default_factory=dict)
    scored: dict[str, bytearray] = field(default_factory=dict)  # by plugin: of which nodes its score is known
    read: int = 0

    def forget(self, place: int) -> None:
        """The node there has changed."""
        self.fits[place] = UNKNOWN
        for known in self.scored.values():
            known[place] = 0

    def verdict(self, place: int, ask: Ask) -> Any:
        """Why the node there cannot take the pod, or None."""
        known = self.fits[place]
        if known == UNKNOWN:
            said = ask(self.nodes[place])
            self.fits[place] = FITS if said is None else REFUSED
            if said is not None:
                self.said[place] = said
            return said
        return None if known else self.said[place]

    def learn(self, first: int, end: int, ask: Ask) -> None:
        """Ask about those nodes from *first* up to *end* of which nothing is known."""
        place = self.fits.find(UNKNOWN, first, end)
        while place >= 0:
            self.verdict(place, ask)
            place = self.fits.find(UNKNOWN, place + 1, end)

    def scored_by(self, plugin: str) -> tuple[list[int], bytearray]:
        """The raw scores of *plugin*, and of which nodes they are known."""
        if plugin not in self.scores:
            self.scores[plugin], self.scored[plugin] = [0] * len(self.nodes), bytearray(len(self.nodes))
        return self.scores[plugin], self.scored[plugin]

    def score(self, plugin: str, first: int, end: int, give: Callable[[NodeInfo], int]) -> None:
        """Ask *plugin* for its scores of those nodes from *first* up to *end* whose score is not known."""
        scores, known = self.scored_by(plugin)
        place = known.find(0, first, end)
        while place >= 0:
            scores[place], known[place] = give(self.nodes[place]), 1
            place = known.find(0, place + 1, end)


def taken(values: Sequence[Any], spans: Sequence[Span]) -> list[Any]:
    """Those of *values* that lie in *spans*."""
    return list(chain.from_iterable(values[first:end] for first, end in spans))


class Columns:
    """All columns over the nodes of a cache, in the order of the search."""

    def __init__(self, changes: Changes):
        self.changes = changes
        self.kept: dict[Hashable, Column] = {}
        self.labels: dict[str, list[str | None]] = {}
        self.arrange(())

    def arrange(self, nodes: Sequence[NodeInfo]) -> None:
        """These are the nodes now, in this order: all is asked anew."""
        self.nodes, self.names = nodes, [info.name for info in nodes]
        self.places = {name: place for place, name in enumerate(self.names)}
        self.kept.clear()
        self.labels.clear()

    def label(self, key: str) -> Sequence[str | None]:
        """What each node has for the label *key*."""
        if key not in self.labels:
            self.labels[key] = [info.labels.get(key) for info in self.nodes]
        return self.labels[key]

    def relabelled(self, name: str) -> None:
        """The object of a node has changed."""
        place = self.places.get(name)
        if place is not None:
            for key, carried in self.labels.items():
                carried[place] = self.nodes[place].labels.get(key)

    def of(self, key: Hashable) -> Column:
        """The column under *key*: unknown is what has changed since it was asked for last."""
        column = self.kept.get(key)
        changed = None if column is None else self.changes.since(column.read)
        if column is None or changed is None:
            if len(self.kept) >= MOST_KEPT:
                del self.kept[next(iter(self.kept))]
            column = self.kept[key] = Column(self.nodes, bytearray([UNKNOWN]) * len(self.nodes))
        else:
            for name in changed:
                column.forget(self.places[name])
        column.read = self.changes.now
        return column
