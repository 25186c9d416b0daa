"""How many pods a selector picks on each node, and in each place: kept from one question to the next. Pure.

The cache notes which node has changed; whoever asks again looks at those alone.
Invariant: an answer is what counting anew would give.
Models k/k pkg/scheduler/framework/plugins/podtopologyspread countPodsMatchSelector
"""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field

from kubemini.scheduler.decide.kept.changes import Changes
from kubemini.scheduler.decide.nodeinfo import NodeInfo

Count = Callable[[NodeInfo], int]
MOST_KEPT = 256  # crowds; the one that was asked for first goes first


@dataclass(slots=True)
class Crowd:
    """Of one selector: how many on each node, and the sums by the labels that somebody has asked for."""

    count: Count
    on: dict[str, int] = field(default_factory=dict)  # node → pods, of those that have any
    sums: dict[str, dict[str | None, int]] = field(default_factory=dict)  # label → its value → pods
    lies: dict[str, dict[str, str | None]] = field(default_factory=dict)  # label → node → its value as it was counted
    read: int = 0

    def by(self, key: str, nodes: Mapping[str, NodeInfo]) -> Mapping[str | None, int]:
        """The sums by the values of a label; nodes that lack it are together."""
        if key not in self.sums:
            lies = self.lies[key] = {name: info.labels.get(key) for name, info in nodes.items()}
            sums = self.sums[key] = dict.fromkeys(lies.values(), 0)
            for name, many in self.on.items():
                sums[lies[name]] += many
        return self.sums[key]

    def update(self, name: str, info: NodeInfo | None) -> None:
        """A node has changed, or is gone (None)."""
        before, now = self.on.pop(name, 0), self.count(info) if info else 0
        if now:
            self.on[name] = now
        for key, sums in self.sums.items():
            lies = self.lies[key]
            if name in lies:
                sums[lies.pop(name)] -= before
            if info is not None:
                lies[name] = value = info.labels.get(key)
                sums[value] = sums.get(value, 0) + now


class Crowds:
    """All crowds over the *nodes* of a cache."""

    def __init__(self, nodes: Mapping[str, NodeInfo], changes: Changes):
        self.nodes, self.changes = nodes, changes
        self.kept: dict[Hashable, Crowd] = {}

    def of(self, key: Hashable, count: Count) -> Crowd:
        """The crowd under *key*, as it is now; *count* counts on one node."""
        crowd = self.kept.get(key)
        changed = None if crowd is None else self.changes.since(crowd.read)
        if crowd is None or changed is None:
            if len(self.kept) >= MOST_KEPT:
                del self.kept[next(iter(self.kept))]
            crowd = self.kept[key] = Crowd(count)
            crowd.on = {name: many for name, info in self.nodes.items() if (many := count(info))}
        else:
            for name in changed:
                crowd.update(name, self.nodes.get(name))
        crowd.read = self.changes.now
        return crowd
