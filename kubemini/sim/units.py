"""Simulated time is an integer number of microseconds, like metav1.MicroTime.

Integers add exactly (10 x 100 * MS == 1 * SECOND), so simultaneous events are truly simultaneous and golden
traces never print 0.30000000000000004.
"""

import re

US = 1
MS = 1_000 * US
SECOND = 1_000 * MS
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
NEVER = 1 << 62  # an instant that does not come

_UNITS = {"us": US, "ms": MS, "s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY}


def clock(t: int) -> str:
    """An instant or duration in seconds: ``clock(1_304 * MS) == "1.304s"``."""
    return f"{t // SECOND}.{t % SECOND // MS:03d}s"


def written(t: int) -> str:
    """A duration as people write it, exactly: ``written(1_500 * MS) == "1500ms"``, ``written(2 * MINUTE) == "2m"``."""
    unit = next((u for u in ("d", "h", "m", "s", "ms") if t and t % _UNITS[u] == 0), "us")
    return f"{t // _UNITS[unit]}{unit}" if t else "0s"


_PART = re.compile(r"([0-9.]+(?:e[0-9]+)?) *(us|ms|s|m|h|d)")
_PARTS = re.compile(f"(?:{_PART.pattern})+")


def duration(value: str | int | float) -> int:
    """Microseconds in *value*: ``"200ms"``, ``"1.5s"``, ``"1m30s"`` or a bare number of seconds.

    Raises ValueError with what was expected.
    """
    endless = isinstance(value, int) and value.bit_length() > 10_000  # more digits than Python writes
    text = "a number of thousands of digits" if endless else str(value).strip()
    shown = text if len(text) <= 40 else text[:40] + "…"
    if re.match("-[0-9.]", text):
        raise ValueError(f'"{shown}" is negative: a duration starts at 0')
    parts = _PART.findall(text) if _PARTS.fullmatch(text) else [(text, "s")]
    try:
        return sum(round(float(number) * _UNITS[unit]) for number, unit in parts)
    except (ValueError, OverflowError):
        raise ValueError(f'"{shown}" is not a duration: write a number and a unit, such as 200ms, 1.5s or 2m') from None
