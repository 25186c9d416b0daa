"""What a clock on the wall shows in a time zone: the names of the IANA database, and their rules.

    offset("Europe/Berlin", unix)   3600 in winter, 7200 in summer

The rules are in ``timezones.txt``, so that every machine, and every browser, knows the same.
Source: RFC 9636, section 3.3 (the TZ string at the end of a file), and POSIX.1 for its grammar.
Simplified: the rules are those in force since 2026; what a zone's clocks showed before is not known here.
"""

import re
from calendar import monthrange
from datetime import datetime, timedelta
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

UTC = "UTC"
EPOCH = datetime(1970, 1, 1)
_NAME = r"(?:<[^>]+>|[A-Za-z]+)"
_TIME = r"[-+]?\d+(?::\d+(?::\d+)?)?"
_RULE = re.compile(rf"{_NAME}({_TIME})(?:{_NAME}({_TIME})?,([^,]+),([^,]+))?")


class Turn(NamedTuple):
    """When clocks are changed every year: the *week*-th *weekday* (0 is Sunday) of *month*, so many seconds into it."""

    month: int
    week: int  # 5: the last
    weekday: int
    second: int

    def of(self, year: int) -> datetime:
        """By the clock that is about to be changed."""
        first, days = monthrange(year, self.month)
        day = 1 + (self.weekday - 1 - first) % 7 + 7 * (self.week - 1)
        day -= 7 if day > days else 0
        return datetime(year, self.month, day) + timedelta(seconds=self.second)


class Zone(NamedTuple):
    """Seconds ahead of UTC: in *standard* time, and in *other* time from *begins* to *ends* of each year."""

    standard: int
    other: int = 0
    begins: Turn | None = None
    ends: Turn | None = None

    def offset(self, unix: int) -> int:
        """How far ahead of UTC its clocks are at the instant *unix* (seconds since 1970)."""
        if self.begins is None or self.ends is None:
            return self.standard
        year = (EPOCH + timedelta(seconds=unix + self.standard)).year
        start = _unix(self.begins.of(year)) - self.standard
        end = _unix(self.ends.of(year)) - self.other
        is_other = start <= unix < end if start < end else not end <= unix < start
        return self.other if is_other else self.standard


def _unix(clock: datetime) -> int:
    return (clock - EPOCH) // timedelta(seconds=1)


@lru_cache(maxsize=1)
def _rules() -> dict[str, str]:
    text = (Path(__file__).parent / "timezones.txt").read_text(encoding="utf-8")
    lines = (line.partition(" ") for line in text.splitlines() if not line.startswith("#"))
    return {name: rule for name, _, rule in lines}


def known(name: str) -> bool:
    """Whether there is a time zone of that name."""
    return name in _rules()


@cache
def zone(name: str) -> Zone:
    """The time zone of a *known* name; "" and Local are UTC, as on the machines of a control plane."""
    return parsed(_rules()[name] if name not in ("", "Local") else "UTC0")


def parsed(rule: str) -> Zone:
    """A rule such as ``CET-1CEST,M3.5.0,M10.5.0/3``: its offsets count westward."""
    match = _RULE.fullmatch(rule)
    assert match, f"{rule!r} is no rule of a time zone; timezones.txt has been checked"
    standard = -_seconds(match[1])
    if match[3] is None:
        return Zone(standard)
    other = -_seconds(match[2]) if match[2] else standard + 3600
    return Zone(standard, other, _turn(match[3]), _turn(match[4]))


def _turn(text: str) -> Turn:
    day, _, time = text.partition("/")
    month, week, weekday = (int(part) for part in day[1:].split("."))
    return Turn(month, week, weekday, _seconds(time) if time else 7200)


def _seconds(text: str) -> int:
    sign = -1 if text.startswith("-") else 1
    hours, minutes, seconds = ([int(part) for part in text.lstrip("+-").split(":")] + [0, 0])[:3]
    return sign * (3600 * hours + 60 * minutes + seconds)
