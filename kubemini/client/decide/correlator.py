"""What becomes of an Event that a program wants to tell: a new object, one more of an old one, or nothing. Pure.

Three filters, in this order. **Aggregation**: of a source, an object, a type and a reason, the tenth other text within
ten minutes of the one before is not told as such; it is one more of "(combined from similar events)". **Counting**:
what has been told before, word for word, is no new object; a patch raises the count of the old one. **Spam**: 25 of a
source, an object and a type go through, then one more every five minutes; what is dropped is counted all the same, so
that the next one that goes through has the whole count.

Invariant: the server's answer, not the request, is what later ones are counted on (`stored`). An aggregate is kept
under the key of its group, so the answer to its creation changes nothing: its text is another every time.
Models k/client-go tools/record EventCorrelator.EventCorrelate
Models k/client-go tools/record EventAggregator.EventAggregate
Models k/client-go tools/record EventSourceObjectSpamFilter.Filter
Simplified: of ten texts the oldest is forgotten, where Go takes any; one of similar events has the name of the newest.
"""

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from kubemini.api.objects import EMPTY, Obj, evolve_many, freeze
from kubemini.api.timestamps import timestamp
from kubemini.sim.units import MINUTE

REMEMBERED = 4096  # maxLruCacheEntries
SIMILAR = 10  # defaultAggregateMaxEvents
INTERVAL = 10 * MINUTE  # defaultAggregateIntervalInSeconds
BURST, REFILL = 25, 5 * MINUTE  # defaultSpamBurst, defaultSpamQPS
COMBINED = "(combined from similar events): "

Value = TypeVar("Value")


class Recent(Generic[Value]):
    """The last *REMEMBERED* values that were asked for or put in."""

    def __init__(self) -> None:
        self._values: dict[Hashable, Value] = {}

    def get(self, key: Hashable) -> Value | None:
        """The value under *key*, which is now the most recent one."""
        if key not in self._values:
            return None
        self._values[key] = self._values.pop(key)
        return self._values[key]

    def put(self, key: Hashable, value: Value) -> None:
        """The oldest goes, if there is no room."""
        self._values.pop(key, None)
        self._values[key] = value
        if len(self._values) > REMEMBERED:
            del self._values[next(iter(self._values))]


@dataclass(slots=True)
class Similar:
    """The texts of one group, oldest first, and when the last of them came (µs)."""

    texts: dict[str, None] = field(default_factory=dict)
    last: int = 0


@dataclass(slots=True)
class Bucket:
    """A token bucket in µs: a token is `REFILL`; *at* is when it was looked at last."""

    filled: int
    at: int

    def accept(self, now: int) -> bool:
        """Take a token, if there is one."""
        self.filled, self.at = min(BURST * REFILL, self.filled + now - self.at), now
        if self.filled < REFILL:
            return False
        self.filled -= REFILL
        return True


@dataclass(frozen=True, slots=True)
class Log:
    """What is known of an Event that was told: its name, how often, and when first."""

    name: str
    count: int
    first: str


@dataclass(frozen=True, slots=True)
class Told:
    """What to send: *event*, anew; or if *patch* is not empty, that patch of the one that is there."""

    event: Obj
    patch: Obj


class Correlator:
    """The memory of one recorder's writer."""

    def __init__(self) -> None:
        self.groups: Recent[Similar] = Recent()
        self.known: Recent[Log] = Recent()  # as told or as the server has it
        self.buckets: Recent[Bucket] = Recent()

    def correlate(self, event: Obj, now: int) -> Told | None:
        """What to send of *event* at *now* (µs); None: nothing."""
        event, key = self._aggregate(event, now)
        before, patch = self.known.get(key), EMPTY
        if before is not None:
            count = before.count + 1
            name = (("metadata", "name"), before.name)
            event = evolve_many(event, name, (("firstTimestamp",), before.first), (("count",), count))
            patch = freeze({field: event[field] for field in ("count", "lastTimestamp", "message")})
        self.known.put(key, _log(event))
        return Told(event, patch) if self._has_room(event, now) else None

    def stored(self, event: Obj) -> None:
        """The server has it so."""
        self.known.put((*_about(event), event["reason"], event["message"]), _log(event))

    def _aggregate(self, event: Obj, now: int) -> tuple[Obj, Hashable]:
        """The event to count, and what it is counted under."""
        said = event.get("reportingComponent"), event.get("reportingInstance")
        group = (*_about(event, field_path=False), event["reason"], *said)
        similar = self.groups.get(group)
        if similar is None or now - similar.last > INTERVAL:
            similar = Similar()
        similar.texts.setdefault(event["message"])
        similar.last = now
        self.groups.put(group, similar)
        if len(similar.texts) < SIMILAR:
            return event, (*_about(event), event["reason"], event["message"])
        del similar.texts[next(iter(similar.texts))]
        return _combined(event, now), group

    def _has_room(self, event: Obj, now: int) -> bool:
        key = _about(event, field_path=False)
        bucket = self.buckets.get(key) or Bucket(BURST * REFILL, now)
        self.buckets.put(key, bucket)
        return bucket.accept(now)


def _about(event: Obj, field_path: bool = True) -> tuple[Any, ...]:
    """Who tells of which object, and the type."""
    source, about = event["source"], event["involvedObject"]
    fields = ("kind", "namespace", "name", "uid", "apiVersion", *(["fieldPath"] if field_path else []))
    return source.get("component"), source.get("host"), *map(about.get, fields), event["type"]


def _log(event: Obj) -> Log:
    return Log(event["metadata"]["name"], event["count"], event["firstTimestamp"])


def _combined(event: Obj, now: int) -> Obj:
    """One for all of its group: of this instant, and reported by nobody."""
    return evolve_many(
        event,
        (("message",), COMBINED + event["message"]),
        (("firstTimestamp",), timestamp(now)),
        (("lastTimestamp",), timestamp(now)),
        (("reportingComponent",), ""),
        (("reportingInstance",), ""),
    )
