"""Which start of a CronJob is due, which were missed, and when the next one is.

Starts are counted from the last one, or from the CronJob's birth. Of several that were missed only the latest counts.
Models k/k pkg/controller/cronjob mostRecentScheduleTime, nextScheduleTime, nextScheduleTimeDuration, formatSchedule
"""

from typing import NamedTuple

from kubemini.api.cron.schedule import Every, Schedule, parse
from kubemini.api.objects import Obj, get
from kubemini.api.timestamps import instant
from kubemini.sim.units import MS, SECOND

PADDING = 100 * MS  # nextScheduleDelta: clocks differ a little
MANY = 100  # missed starts that are more than a pause
NONSENSE = "time difference between two schedules is less than 1 second"

Clock = Schedule | Every


class Missed(NamedTuple):
    """The *latest* start that is due (µs), None if none is; how *many* were; *since* when they are counted."""

    since: int
    latest: int | None
    many: int


def clock_of(cronjob: Obj) -> Clock:
    """Its schedule, in its time zone. Raises ValueError."""
    spec = cronjob["spec"]
    return parse(spec["schedule"], None if "TZ" in spec["schedule"] else spec.get("timeZone"))


def missed(cronjob: Obj, clock: Clock, now: int, by_deadline: bool) -> Missed:
    """What was due up to *now*; *by_deadline*: what is past its starting deadline counts for nothing.

    Raises ValueError for a schedule that makes no sense, such as the 31st of February.
    """
    since = instant(get(cronjob, "status", "lastScheduleTime") or cronjob["metadata"]["creationTimestamp"])
    deadline = cronjob["spec"].get("startingDeadlineSeconds")
    if by_deadline and deadline is not None:
        since = max(since, now - deadline * SECOND)
    first = clock.next(since)
    second = None if first is None else clock.next(first)
    if first is None or second is None:
        raise ValueError(NONSENSE)
    if now < second:
        return Missed(since, first if first <= now else None, 0)
    period = (second - first + SECOND // 2) // SECOND
    many = (now - first) // SECOND // period + 1
    latest, following = None, clock.next(first + (many - 2) * period * SECOND)
    while following is not None and following <= now:
        latest, following = following, clock.next(following)
    return Missed(since, latest, many)


def next_look(cronjob: Obj, clock: Clock, now: int) -> int:
    """When (µs) to look next: a little after the start that follows the last one that was due."""
    try:
        since, latest, many = missed(cronjob, clock, now, by_deadline=False)
        start = latest if latest is not None else now if many else since
    except ValueError:
        start = now
    following = clock.next(start)
    return now if following is None else following + PADDING
