"""What becomes of an Event of events.k8s.io: a new object, or one more of a series. Pure.

The first is an object; the second within six minutes makes it a series of two, which is told; from the third on they
are only counted, and the count is told when nothing has come for six minutes, and each half hour in between.
Models k/client-go tools/events eventBroadcasterImpl.recordToSink, eventBroadcasterImpl.finishSeries
Models k/client-go tools/events eventBroadcasterImpl.refreshExistingEventSeries, getKey
"""

from collections.abc import Hashable

from kubemini.api.objects import Obj, evolve, freeze, get
from kubemini.api.timestamps import instant, micro_timestamp
from kubemini.sim.units import MINUTE

FINISH = 6 * MINUTE  # finishTime
REFRESH = 30 * MINUTE  # refreshTime


class Series:
    """The memory of one recorder: what was told lately, by everything but text and time."""

    def __init__(self) -> None:
        self.known: dict[Hashable, Obj] = {}

    def told(self, event: Obj, now: int) -> Obj | None:
        """What to send of *event* at *now* (µs): it, or the first with a series; None: it is only counted."""
        key = _key(event)
        first = self.known.setdefault(key, event)
        if first is event:
            return event
        count = get(first, "series", "count", default=1) + 1
        series = {"count": count, "lastObservedTime": micro_timestamp(now)}
        self.known[key] = evolve(first, ("series",), freeze(series))
        return self.known[key] if count == 2 else None

    def over(self, now: int) -> list[Obj]:
        """The series that have ended, whose count is to be told; those that came once are forgotten."""
        ended = {key: event for key, event in self.known.items() if _last(event) < now - FINISH}
        for key, event in ended.items():
            if "series" not in event:
                del self.known[key]
        return [event for event in ended.values() if "series" in event]

    def running(self) -> list[Obj]:
        """The series that are not over: told anew, the API server keeps them for another hour."""
        return [event for event in self.known.values() if "series" in event]

    def forget(self, event: Obj) -> None:
        """Its end has been told."""
        self.known.pop(_key(event), None)


def patch(event: Obj) -> Obj:
    """What of *event* changes when it is told again."""
    return freeze({"series": event["series"]})


def _last(event: Obj) -> int:
    return instant(event["series"]["lastObservedTime"] if "series" in event else event["eventTime"])


def _key(event: Obj) -> Hashable:
    said = ("type", "action", "reason", "reportingController", "reportingInstance")
    about = (tuple(sorted((event.get(field) or {}).items())) for field in ("regarding", "related"))
    return (*map(event.get, said), *about)
