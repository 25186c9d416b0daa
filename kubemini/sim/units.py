"""Simulated time is an integer number of microseconds, like metav1.MicroTime.

Integers add exactly (10 x 100 * MS == 1 * SECOND), so simultaneous events are truly simultaneous and golden
traces never print 0.30000000000000004.
"""

US = 1
MS = 1_000 * US
SECOND = 1_000 * MS
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

_UNITS = {"us": US, "ms": MS, "s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY}


def clock(t: int) -> str:
    """An instant or duration in seconds: ``clock(1_304 * MS) == "1.304s"``."""
    return f"{t // SECOND}.{t % SECOND // MS:03d}s"


def duration(value: str | int | float) -> int:
    """Microseconds in *value*: ``"200ms"``, ``"1.5s"``, ``"2m"`` or a bare number of seconds.

    Raises ValueError with what was expected.
    """
    text = str(value).strip()
    unit = next((u for u in ("us", "ms", "s", "m", "h", "d") if text.endswith(u)), "")
    number = text[: len(text) - len(unit)] if unit else text
    try:
        micros = round(float(number) * _UNITS[unit or "s"])
    except (ValueError, OverflowError):
        raise ValueError(f'"{value}" is not a duration: write a number and a unit, such as 200ms, 1.5s or 2m') from None
    if micros < 0:
        raise ValueError(f'"{value}" is negative: a duration starts at 0')
    return micros
