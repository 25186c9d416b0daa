"""When a CronJob runs: five fields, or a word, and a time zone.

    parse("*/15 9-17 * * mon-fri", "Europe/Berlin").next(instant)     the next instant, in µs
    parse("60 * * * *")      ValueError: end of range (60) above maximum (59): 60

A day fits if the day of the month and that of the week fit, or, where both are given, one of the two.
Source: ParseStandard and SpecSchedule.Next in robfig/cron v3.
Simplified: the texts of a number that is no number are Go's for decimal digits only.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from kubemini.api import gotime
from kubemini.api.cron import timezones
from kubemini.api.timestamps import EPOCH

MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
FIELDS: tuple[tuple[int, int, dict[str, int]], ...] = (  # minute, hour, day, month, day of the week
    (0, 59, {}),
    (0, 23, {}),
    (1, 31, {}),
    (1, 12, {name: number + 1 for number, name in enumerate(MONTHS)}),
    (0, 6, {name: number for number, name in enumerate(DAYS)}),
)
WORDS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
EVERY = "@every "
SECOND = 1_000_000  # µs
YEARS = 5  # that are searched
ANY = -1  # stands in a field that was given as a star


@dataclass(frozen=True, slots=True)
class Every:
    """Again after *period* µs."""

    period: int

    def next(self, after: int) -> int:
        """The next instant (µs) after *after*, on the second."""
        return after + self.period - (EPOCH + after) % SECOND


@dataclass(frozen=True, slots=True)
class Schedule:
    """By the clock of a *zone*: the numbers that fit in each field."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    zone: timezones.Zone

    def next(self, after: int) -> int | None:
        """The next instant (µs) after *after*; None if there is none within five years.

        A field is looked at again only when the one below it has begun anew, as the real one does it: where clocks
        leave midnight out, an hour after it may fit though the day does not.
        """
        unix = (EPOCH + after) // SECOND + 1
        limit, fresh, settled = self._clock(unix).year + YEARS, True, 0  # settled: months, then days, then hours fit
        while (clock := self._clock(unix)).year <= limit:
            if settled < 1 and clock.month not in self.months:
                unix = self._at(_next_month(clock.replace(day=1, hour=0, minute=0, second=0) if fresh else clock))
            elif settled < 2 and not self._fits(clock):
                unix = self._next_day(clock.replace(hour=0, minute=0, second=0) if fresh else clock)
                settled = 0 if self._clock(unix).day == 1 else 1
            elif settled < 3 and clock.hour not in self.hours:
                unix = (self._at(clock.replace(minute=0, second=0)) if fresh else unix) + 3600
                settled = 0 if self._clock(unix).hour == 0 else 2
            elif clock.minute not in self.minutes or clock.second:
                unix += 60 - clock.second
                settled = 0 if self._clock(unix).minute == 0 else 3
            else:
                return unix * SECOND - EPOCH
            fresh = False
        return None

    def _fits(self, clock: datetime) -> bool:
        of_month, of_week = clock.day in self.days, clock.isoweekday() % 7 in self.weekdays
        both = ANY in self.days or ANY in self.weekdays
        return (of_month and of_week) if both else (of_month or of_week)

    def _clock(self, unix: int) -> datetime:
        """What the clock shows at an instant."""
        return timezones.EPOCH + timedelta(seconds=unix + self.zone.offset(unix))

    def _at(self, clock: datetime) -> int:
        """The instant at which the clock shows this; one that it never shows is taken as Go takes it."""
        local = (clock - timezones.EPOCH) // timedelta(seconds=1)
        ahead = self.zone.offset(local)
        return local - self.zone.offset(local - ahead)

    def _next_day(self, clock: datetime) -> int:
        """A day later, at midnight; where clocks leave that out, an hour beside it, as the real one does."""
        unix = self._at(clock + timedelta(days=1))
        hour = self._clock(unix).hour
        return unix + 3600 * ((24 - hour) if hour > 12 else -hour)


def _next_month(clock: datetime) -> datetime:
    year, month = divmod(12 * clock.year + clock.month, 12)
    return clock.replace(year=year, month=month + 1)


def parse(text: str, zone: str | None = None) -> Schedule | Every:
    """The schedule that *text* is, meant in *zone*. Raises ValueError in the words of robfig/cron."""
    place = zone or ""
    if text.startswith(("TZ=", "CRON_TZ=")):
        place, _, rest = text.partition("=")[2].partition(" ")
        if place not in ("", "Local") and not timezones.known(place):
            raise ValueError(f"provided bad location {place}: unknown time zone {place}")
        text = rest.strip()
    if text.startswith(EVERY):
        return _every(text)
    if text.startswith("@") and text not in WORDS:
        raise ValueError(f"unrecognized descriptor: {text}")
    given = WORDS.get(text, text).split()
    if len(given) != len(FIELDS):
        raise ValueError(f"expected exactly 5 fields, found {len(given)}: [{' '.join(given)}]")
    minutes, hours, days, months, weekdays = (_field(f, *bounds) for f, bounds in zip(given, FIELDS))
    return Schedule(minutes, hours, days, months, weekdays, timezones.zone(place))


def _every(text: str) -> Every:
    try:
        period = gotime.duration(text[len(EVERY) :])
    except ValueError as error:
        raise ValueError(f"failed to parse duration {text}: {error}") from None
    return Every(max(SECOND, period - period % SECOND))


def _field(text: str, least: int, most: int, words: dict[str, int]) -> frozenset[int]:
    found: set[int] = set()
    for part in filter(None, text.split(",")):
        found |= _range(part, least, most, words)
    return frozenset(found)


def _range(part: str, least: int, most: int, words: dict[str, int]) -> set[int]:
    """The numbers of ``1-5/2``."""
    span, *steps = part.split("/")
    ends = span.split("-")
    start, end, star = least, most, ends[0] in ("*", "?")
    if not star:
        start = _number(ends[0], words)
        if len(ends) > 2:
            raise ValueError(f"too many hyphens: {part}")
        end = _number(ends[1], words) if len(ends) == 2 else most if steps else start
    if len(steps) > 1:
        raise ValueError(f"too many slashes: {part}")
    step = _number(steps[0], {}) if steps else 1
    if start < least:
        raise ValueError(f"beginning of range ({start}) below minimum ({least}): {part}")
    if end > most:
        raise ValueError(f"end of range ({end}) above maximum ({most}): {part}")
    if start > end:
        raise ValueError(f"beginning of range ({start}) beyond end of range ({end}): {part}")
    if not step:
        raise ValueError(f"step of range should be a positive number: {part}")
    return {*range(start, end + 1, step), *((ANY,) if star and step == 1 else ())}


def _number(text: str, words: dict[str, int]) -> int:
    if text.lower() in words:
        return words[text.lower()]
    if not re.fullmatch("[-+]?[0-9]+", text, re.ASCII):
        raise ValueError(f'failed to parse int from {text}: strconv.Atoi: parsing "{text}": invalid syntax')
    if int(text) < 0:
        raise ValueError(f"negative number ({int(text)}) not allowed: {text}")
    return int(text)
