"""The priority levels as their objects configure them, and how long whoever was refused should stay away. Pure.

Models k/apiserver pkg/util/flowcontrol cfgMeal.finishQueueSetReconfigsLocked droppedRequestsStats.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import ceil

from kubemini.api.objects import Obj
from kubemini.apiserver.decide.fairness.queues import Level

EXEMPT = "Exempt"
WIDEST = 0.15  # of a level's seats that one request may take
LONGEST = 32  # seconds that a client is told to stay away


def configured(levels: Iterable[Obj], seats: int) -> dict[str, Level]:
    """Name → level, when the whole server has so many *seats*."""
    found, known = {}, list(levels)
    total = sum(_shares(one) for one in known)
    for one in known:
        limit = ceil(seats * _shares(one) / total) if total else 0
        found[one["metadata"]["name"]] = _level(one, limit - round(limit * _lendable(one) / 100) // 2)
    return found


def most_seats(level: Obj, limit: int) -> int:
    """How wide one request of a level may be; 0: as wide as any."""
    queuing = _queuing(level)
    return max(1, min(ceil(limit * WIDEST), limit // queuing["handSize"])) if queuing else 0


def _shares(level: Obj) -> int:
    spec = level["spec"]
    part = spec.get("exempt" if spec["type"] == EXEMPT else "limited") or {}
    return int(part.get("nominalConcurrencyShares", 0 if spec["type"] == EXEMPT else 30))


def _lendable(level: Obj) -> int:
    spec = level["spec"]
    part = spec.get("exempt" if spec["type"] == EXEMPT else "limited") or {}
    return int(part.get("lendablePercent") or 0)


def _queuing(level: Obj) -> Mapping[str, int]:
    response = (level["spec"].get("limited") or {}).get("limitResponse") or {}
    return response.get("queuing") or {}


def _level(level: Obj, limit: int) -> Level:
    if level["spec"]["type"] == EXEMPT:
        return Level(limit, exempt=True)
    queuing = _queuing(level)
    if not queuing:
        return Level(limit)
    return Level(limit, queuing["queues"], queuing["handSize"], queuing["queueLengthLimit"])


@dataclass(slots=True)
class Dropped:
    """How many requests a level has refused, second by second, and what it therefore answers in Retry-After."""

    retry_after: int = 1
    changed: int = 0  # the second in which it was raised
    second: int = 0
    count: int = 0
    history: list[tuple[int, int]] = field(default_factory=list)

    def note(self, second: int) -> int:
        """One more was refused in this *second*; the answer for it."""
        if second == self.second:
            self.count += 1
            return self.retry_after
        self.history.append((self.second, self.count))
        oldest = self.second - min(2 * self.retry_after, LONGEST)
        self.history = [entry for entry in self.history if entry[0] >= oldest]
        self.second, self.count = second, 1
        self._adapt(second)
        return self.retry_after

    def _adapt(self, second: int) -> None:
        """Twice as long if it is too much, a second less if it is little."""
        again = self.retry_after
        refused = sum(count for at, count in self.history if second - again <= at < second)
        if second - self.changed >= again and refused >= 3 * again:
            self.retry_after, self.changed = min(2 * again, LONGEST), second
        elif refused < again and again > 1:
            self.retry_after -= 1
