"""What Go's time.Parse says of a text that is no instant, in the two layouts that Kubernetes writes.

    problem("soon", RFC3339)  →  parsing time "soon" as "2006-01-02T15:04:05Z07:00": cannot parse "soon" as "2006"

Models go src/time/format.go Parse; k/apimachinery pkg/apis/meta/v1 Time, MicroTime.
"""

import re
from functools import lru_cache

RFC3339 = "2006-01-02T15:04:05Z07:00"
MICRO = "2006-01-02T15:04:05.000000Z07:00"
_PARTS = [  # (in the layout, what fits there, the largest value, its name)
    ("2006", "[0-9]{4}", 9999, ""),
    ("-", "-", 0, ""),
    ("01", "[0-9]{2}", 12, "month"),
    ("-", "-", 0, ""),
    ("02", "[0-9]{2}", 31, "day"),
    ("T", "T", 0, ""),
    ("15", "[0-9]{1,2}", 23, "hour"),
    (":", ":", 0, ""),
    ("04", "[0-9]{2}", 59, "minute"),
    (":", ":", 0, ""),
    ("05", "[0-9]{2}", 59, "second"),
]
_FRACTION = {RFC3339: ("", "([.,][0-9]+)?"), MICRO: (".000000", "[.][0-9]{6}")}
_ZONE = "Z|[+-]([01][0-9]|2[0-4]):[0-5][0-9]"
_LENGTHS = (0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


@lru_cache(maxsize=4096)  # an object is read again with every write, and most of its times are the old ones
def problem(text: str, layout: str = RFC3339) -> str:
    """Why *text* is no instant in *layout*; "" if it is one."""
    about, rest, numbers = f'parsing time "{text}"', text, {}
    fraction, fits = _FRACTION[layout]
    for part, pattern, largest, name in [*_PARTS, (fraction, fits, 0, ""), ("Z07:00", _ZONE, 0, "")]:
        match = re.match(pattern, rest, re.ASCII)
        if not match:
            return f'{about} as "{layout}": cannot parse "{rest}" as "{part}"'
        if name:
            numbers[name] = int(match[0])
            if numbers[name] > largest or (name in ("month", "day") and not numbers[name]):
                return f"{about}: {name} out of range"
        rest = rest[match.end() :]
    if rest:
        return f'{about}: extra text: "{rest}"'
    return "" if numbers["day"] <= _days(int(text[:4]), numbers["month"]) else f"{about}: day out of range"


def _days(year: int, month: int) -> int:
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return 29 if month == 2 and leap else 28 if month == 2 else _LENGTHS[month]


_UNITS = {"ns": 1, "us": 10**3, "µs": 10**3, "μs": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}
_AMOUNT = re.compile(r"([0-9]*)(?:\.([0-9]*))?")


def duration(text: str) -> int:
    """The duration that *text* is, in µs. Raises ValueError in the words of Go's time.ParseDuration."""
    invalid = ValueError(f'time: invalid duration "{text}"')
    sign, rest = (-1 if text.startswith("-") else 1), text[1:] if text[:1] in ("+", "-") else text
    if rest == "0":
        return 0
    total = 0
    while rest:
        amount = _AMOUNT.match(rest)
        if amount is None or not (amount[1] or amount[2]):
            raise invalid
        rest = rest[amount.end() :]
        unit = re.match(r"[^0-9.]*", rest)
        name = unit[0] if unit else ""
        if not name:
            raise ValueError(f'time: missing unit in duration "{text}"')
        if name not in _UNITS:
            raise ValueError(f'time: unknown unit "{name}" in duration "{text}"')
        fraction = amount[2] or ""
        total += int(amount[1] or 0) * _UNITS[name] + int(fraction or 0) * _UNITS[name] // 10 ** len(fraction)
        rest = rest[len(name) :]
    if not text or total >= 1 << 63 or text in ("+", "-"):
        raise invalid
    return sign * (total // 1000)
