"""Instants and lengths of time.

Models cel-go common/types Timestamp Duration, common/stdlib Functions.
Simplified: zones by their distance from UTC only.
"""

import re
from typing import Any

from kubemini.api.cel import values
from kubemini.api.cel.functions.overloads import function
from kubemini.api.cel.types import DURATION, INT, STRING, TIMESTAMP
from kubemini.api.cel.values import NANOS, CelError, Duration, Timestamp

_UNITS = {"h": 3600 * NANOS, "m": 60 * NANOS, "s": NANOS, "ms": 10**6, "us": 1000, "µs": 1000, "ns": 1}
_PIECE = re.compile(r"([0-9]+\.?[0-9]*|\.[0-9]+)(h|ms|m|s|us|µs|ns)")
_INSTANT = re.compile(r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)")


@function("duration", DURATION, gives=DURATION)
@function("duration", STRING, gives=DURATION)
def to_duration(one: Any) -> Duration:
    """A length of time, from ``1h30m`` or nanoseconds."""
    if isinstance(one, Duration):
        return one
    text = one.removeprefix("-").removeprefix("+")
    pieces = _PIECE.findall(text)
    if not text or ("".join(number + unit for number, unit in pieces) != text and text != "0"):
        raise CelError(f"type conversion error from 'string' to '{DURATION}'")
    nanos = round(sum(float(number) * _UNITS[unit] for number, unit in pieces))
    return Duration(-nanos if one.startswith("-") else nanos)


@function("timestamp", TIMESTAMP, gives=TIMESTAMP)
@function("timestamp", INT, gives=TIMESTAMP)
@function("timestamp", STRING, gives=TIMESTAMP)
def to_timestamp(one: Any) -> Timestamp:
    """An instant, from RFC 3339 or seconds since 1970."""
    if isinstance(one, Timestamp):
        return one
    if isinstance(one, int):
        return Timestamp(one * NANOS)
    match = _INSTANT.fullmatch(one)
    if match is None:
        raise CelError(f"type conversion error from 'string' to '{TIMESTAMP}'")
    day, time, fraction, zone = match.groups()
    date = values.datetime.fromisoformat(f"{day}T{time}{'+00:00' if zone in 'Zz' else zone}")
    seconds = (date - values.datetime(1970, 1, 1, tzinfo=values.UTC)) // values.timedelta(seconds=1)
    ahead = date.utcoffset() or values.timedelta()
    return Timestamp(seconds * NANOS + int((fraction or "0").ljust(9, "0")), ahead // values.timedelta(minutes=1))


@function("string", TIMESTAMP, gives=STRING)
def shown_instant(one: Timestamp) -> str:
    """RFC 3339 with as many digits as it needs."""
    fraction = f"{one.nanos % NANOS:09d}".rstrip("0")
    hours, minutes = divmod(abs(one.zone), 60)
    zone = f"{'-' if one.zone < 0 else '+'}{hours:02d}:{minutes:02d}" if one.zone else "Z"
    local = one.date + values.timedelta(minutes=one.zone)
    return local.strftime("%Y-%m-%dT%H:%M:%S") + (f".{fraction}" if fraction else "") + zone


@function("string", DURATION, gives=STRING)
def shown_duration(one: Duration) -> str:
    """In seconds, as cel-go writes it: ``90s``."""
    sign, nanos = ("-" if one.nanos < 0 else ""), abs(one.nanos)
    fraction = f"{nanos % NANOS:09d}".rstrip("0")
    return f"{sign}{nanos // NANOS}" + (f".{fraction}" if fraction else "") + "s"


_PARTS = {
    "getFullYear": lambda date: date.year,
    "getMonth": lambda date: date.month - 1,
    "getDayOfYear": lambda date: date.timetuple().tm_yday - 1,
    "getDayOfMonth": lambda date: date.day - 1,
    "getDate": lambda date: date.day,
    "getDayOfWeek": lambda date: date.isoweekday() % 7,
    "getHours": lambda date: date.hour,
    "getMinutes": lambda date: date.minute,
    "getSeconds": lambda date: date.second,
    "getMilliseconds": lambda date: date.microsecond // 1000,
}
_LENGTHS = {"getHours": 3600 * NANOS, "getMinutes": 60 * NANOS, "getSeconds": NANOS, "getMilliseconds": 10**6}
_ZONE = re.compile(r"([+-]?)(\d\d):(\d\d)")


def _part(name: str) -> Any:
    def run(one: Timestamp, zone: str = "") -> int:
        return _PARTS[name](one.date + _shift(zone))

    return run


def _shift(zone: str) -> Any:
    match = _ZONE.fullmatch(zone)
    if match is None and zone not in ("", "UTC"):
        raise CelError(f"unknown time zone {zone}")
    if match is None:
        return values.timedelta()
    sign, hours, minutes = match.groups()
    ahead = values.timedelta(hours=int(hours), minutes=int(minutes))
    return -ahead if sign == "-" else ahead


def _length(name: str) -> Any:
    def run(one: Duration) -> int:
        count = abs(one.nanos) // _LENGTHS[name]
        return count if one.nanos >= 0 else -count

    return run


for _name in _PARTS:
    function(_name, TIMESTAMP, gives=INT, method=True)(_part(_name))
    function(_name, TIMESTAMP, STRING, gives=INT, method=True)(_part(_name))
for _name in _LENGTHS:
    function(_name, DURATION, gives=INT, method=True)(_length(_name))
