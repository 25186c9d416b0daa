"""Instants as Kubernetes writes them: ``metav1.Time`` in seconds, ``metav1.MicroTime`` in microseconds, both UTC.

The simulation's instant 0 is the first second of 2026: no wall clock is ever asked.
"""

import re
from datetime import datetime, timedelta

START = datetime(2026, 1, 1)
EPOCH = (START - datetime(1970, 1, 1)) // timedelta(microseconds=1)  # µs from the first second of Unix to ours
_FIRST, _LAST = ((day - START) // timedelta(microseconds=1) for day in (datetime.min, datetime.max))


def timestamp(instant: int) -> str:
    """The instant (µs) in whole seconds, rounded down: ``2026-01-01T00:00:01Z``."""
    return date(instant).isoformat(timespec="seconds") + "Z"


def micro_timestamp(instant: int) -> str:
    """The instant (µs) in full: ``2026-01-01T00:00:01.304000Z``."""
    return date(instant).isoformat(timespec="microseconds") + "Z"


def date(instant: int) -> datetime:
    """The date; an instant beyond the calendar is its last, or its first, day."""
    return START + timedelta(microseconds=max(_FIRST, min(instant, _LAST)))


def instant(text: str) -> int:
    """The instant (µs) that either form states, also with another offset than UTC; finer than a microsecond is cut."""
    match = _FORM.fullmatch(text)
    assert match, f"{text!r} is no instant; what the API server stores has been checked"
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    days = (365 * year + _leaps(year) + _before(month, year) + day) - _DAYS_TO_START
    seconds = ((days * 24 + hour) * 60 + minute) * 60 + second - _offset(match["zone"])
    return seconds * 1_000_000 + int((match["fraction"] or "")[:6].ljust(6, "0"))


def _leaps(year: int) -> int:
    """Leap days in the years before *year*."""
    return (year + 3) // 4 - (year + 99) // 100 + (year + 399) // 400


def _before(month: int, year: int) -> int:
    """Days of *year* before its *month*."""
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return sum((31, 28 + leap, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)[: month - 1])


def _offset(zone: str) -> int:
    """Seconds that a clock of *zone* is ahead of UTC."""
    if zone in ("Z", ""):
        return 0
    ahead = int(zone[1:3]) * 3600 + int(zone[4:6]) * 60
    return -ahead if zone[0] == "-" else ahead


_FORM = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{1,2}):([0-9]{2}):([0-9]{2})"
    r"([.,](?P<fraction>[0-9]+))?(?P<zone>Z|[+-][0-9]{2}:[0-9]{2}|)"
)
_DAYS_TO_START = 365 * START.year + _leaps(START.year) + 1


# -- durations as kubectl's columns show them ----------------------------------------------------------

_SECOND = 1_000_000  # µs
_MINUTE, _HOUR = 60, 3600
_DAY, _YEAR = 24, 24 * 365  # hours
INVALID = "<invalid>"


def human(duration: int) -> str:
    """The *duration* (µs) in two or three figures: 70s, 3m10s, 47h, 8d.

    Models k/apimachinery pkg/util/duration HumanDuration
    """
    seconds = _whole(duration)
    if seconds < 2 * _MINUTE:
        return INVALID if seconds < -1 else f"{max(seconds, 0)}s"
    minutes, hours = seconds // _MINUTE, seconds // _HOUR
    if minutes < 10:
        return _two(minutes, "m", seconds % 60, "s")
    if minutes < 3 * 60:
        return f"{minutes}m"
    if hours < 8:
        return _two(hours, "h", minutes % 60, "m")
    if hours < 48:
        return f"{hours}h"
    if hours < 8 * _DAY:
        return _two(hours // _DAY, "d", hours % _DAY, "h")
    if hours < 2 * _YEAR:
        return f"{hours // _DAY}d"
    return _two(hours // _YEAR, "y", hours // _DAY % 365 if hours < 8 * _YEAR else 0, "d")


def short_human(duration: int) -> str:
    """The *duration* (µs) in one figure: 3m, 2d. Models k/apimachinery pkg/util/duration ShortHumanDuration"""
    seconds = _whole(duration)
    if seconds < _MINUTE:
        return INVALID if seconds < -1 else f"{max(seconds, 0)}s"
    hours = seconds // _HOUR
    if hours < 1:
        return f"{seconds // _MINUTE}m"
    if hours < _DAY:
        return f"{hours}h"
    return f"{hours // _DAY}d" if hours < _YEAR else f"{hours // _YEAR}y"


def _whole(duration: int) -> int:
    """Whole seconds of a duration (µs), toward zero as Go cuts."""
    return int(duration / _SECOND) if duration < 0 else duration // _SECOND


def _two(large: int, unit: str, small: int, part: str) -> str:
    return f"{large}{unit}{small}{part}" if small else f"{large}{unit}"
