"""Kinds of settings: what a value may be, how people write it, and the sentence for one that will not do.

Each kind reads what stands in a file or on a command line (`read`) and judges what a program is given (`fits`):
durations are microseconds there, sizes are bytes. Nothing is guessed: a value is meant in one way or refused.
A bare number means what the real flag means by it: seconds for ``toleration_seconds: 30``, milliseconds for etcd's
``--heartbeat-interval 100``; where the real flag wants a unit (Go's durations do), so do we.
"""

import re
from dataclasses import dataclass
from fractions import Fraction
from ipaddress import ip_network
from typing import Any

from kubemini.sim.units import MS, SECOND, duration, written

TRUE, FALSE = ("true", "yes", "on"), ("false", "no", "off")
BARE = {"s": SECOND, "ms": MS}  # what a number without a unit counts
UNITS = {"": "", "s": "seconds", "ms": "milliseconds"}
SIZES = {"": 1, "B": 1} | {
    f"{letter}{form}": (1024 if "i" in form else 1000) ** power
    for power, letter in enumerate("KMGT", 1)
    for form in ("", "i", "B", "iB")
}
_SIZE = re.compile(r"(\d{1,30})(\.\d{1,9})?\s*([KMGT]?i?B?)")
_NUMBER = re.compile(r"[+-]?\d{1,30}(\.\d{1,30})?")
LONGEST = 60  # characters of a wrong value that a sentence repeats


class Unfit(ValueError):
    """A value that will not do; the message says what would."""


def shown(value: Any, most: int = LONGEST) -> str:
    """*value* as the sentence repeats it, cut short if it is longer than *most* characters."""
    try:
        text = repr(value) if isinstance(value, str) else str(value)
    except (RecursionError, ValueError):  # too deep or too long to be written at all
        text = f"a {type(value).__name__} that is too long to be shown"
    except Exception:  # an object of the reader's, whose own words fail
        text = f"a {type(value).__name__} that cannot be shown"
    return cut(text, most)


def cut(text: str, most: int = LONGEST) -> str:
    """*text*, without what is beyond *most* characters."""
    return text if len(text) <= most else text[:most] + "…"


def is_whole(value: Any) -> bool:
    """Whether *value* is a whole number, and not true or false."""
    return isinstance(value, int) and not isinstance(value, bool)


def number(value: Any) -> float | None:
    """The number that *value* is or says, or None."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        return float(value) if "." in value else int(value)
    return None


@dataclass(frozen=True, slots=True)
class Duration:
    """A time from *low* to *high* (µs); *bare*: the unit of a bare number ("" = none); in whole *step*s."""

    low: int
    high: int
    bare: str = ""
    step: int = 1

    def __str__(self) -> str:
        unit = UNITS[self.bare]
        whole = f" in whole {unit}" if self.step > 1 else ""
        bare = f"a bare number counts {unit}" if unit else "with its unit"
        return f"a duration from {written(self.low)} to {written(self.high)}{whole} ({bare})"

    def fits(self, value: Any) -> bool:
        return is_whole(value) and self.low <= value <= self.high and value % self.step == 0

    def read(self, value: Any) -> int:
        bare = number(value)
        try:
            if bare is None:
                return duration(value if isinstance(value, str) else "")
            if not self.bare and bare:
                raise ValueError
            return round(bare * BARE[self.bare or "s"])
        except (ValueError, OverflowError):
            raise Unfit(f"{shown(value)} was given") from None

    def write(self, value: int) -> str:
        return written(value)


@dataclass(frozen=True, slots=True)
class Span:
    """Two times, the shorter first, each a *each*: something takes that long, or grows from one to the other."""

    each: Duration

    def __str__(self) -> str:
        return f"a list of two, the shorter first, each {self.each}"

    def fits(self, value: Any) -> bool:
        if not isinstance(value, tuple) or len(value) != 2 or not all(map(self.each.fits, value)):
            return False
        return value[0] <= value[1]

    def read(self, value: Any) -> tuple[int, ...]:
        parts = value.strip().strip("[]").split(",") if isinstance(value, str) else value
        if not isinstance(parts, list | tuple) or len(parts) != 2:
            raise Unfit(f"{shown(value)} was given")
        return tuple(self.each.read(part) for part in parts)

    def write(self, value: tuple[int, int]) -> str:
        return f"[{written(value[0])}, {written(value[1])}]"


@dataclass(frozen=True, slots=True)
class Count:
    """A whole number from *low* to *high*."""

    low: int
    high: int

    def __str__(self) -> str:
        return f"a whole number from {self.low} to {self.high}"

    def fits(self, value: Any) -> bool:
        return is_whole(value) and self.low <= value <= self.high

    def read(self, value: Any) -> int:
        found = number(value)
        if found is None or not is_whole(found):
            raise Unfit(f"{shown(value)} was given")
        return int(found)

    def write(self, value: int) -> str:
        return str(value)


@dataclass(frozen=True, slots=True)
class Size:
    """Bytes from *low* to *high*: a plain number, or with a unit such as 16MiB, 16Mi, 16MB."""

    low: int
    high: int

    def __str__(self) -> str:
        return f"a size from {size(self.low)} to {size(self.high)}"

    def fits(self, value: Any) -> bool:
        return is_whole(value) and self.low <= value <= self.high

    def read(self, value: Any) -> int:
        if is_whole(value):
            return value
        match = _SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
        if not match or match[3] not in SIZES:
            raise Unfit(f"{shown(value)} was given")
        amount = Fraction(match[1] + (match[2] or "")) * SIZES[match[3]]
        if amount.denominator != 1:
            raise Unfit(f"{shown(value)} was given")
        return int(amount)

    def write(self, value: int) -> str:
        return size(value)


@dataclass(frozen=True, slots=True)
class Rate:
    """A number from *low* to *high*, *unit* if it has one."""

    low: float
    high: float
    unit: str = ""

    def __str__(self) -> str:
        return f"a number from {self.low:g} to {self.high:g}{self.unit and ' ' + self.unit}"

    def fits(self, value: Any) -> bool:
        return isinstance(value, int | float) and not isinstance(value, bool) and self.low <= value <= self.high

    def read(self, value: Any) -> float:
        found = number(value)
        if found is None:
            raise Unfit(f"{shown(value)} was given")
        return found

    def write(self, value: float) -> str:
        return f"{value:g}"


@dataclass(frozen=True, slots=True)
class Choice:
    """One of a few words."""

    words: tuple[str, ...]

    def __str__(self) -> str:
        return " or ".join(self.words)

    def fits(self, value: Any) -> bool:
        return isinstance(value, str) and value in self.words

    def read(self, value: Any) -> Any:
        return value

    def write(self, value: str) -> str:
        return value


@dataclass(frozen=True, slots=True)
class Switch:
    """On or off."""

    def __str__(self) -> str:
        return "true or false"

    def fits(self, value: Any) -> bool:
        return isinstance(value, bool)

    def read(self, value: Any) -> bool:
        word = value.strip().lower() if isinstance(value, str) else value
        if isinstance(word, bool):
            return word
        if word not in TRUE + FALSE:
            raise Unfit(f"{shown(value)} was given")
        return word in TRUE

    def write(self, value: bool) -> str:
        return "true" if value else "false"


@dataclass(frozen=True, slots=True)
class Networks:
    """One range of addresses, or one of each family with a comma between, the first is the default."""

    def __str__(self) -> str:
        return "a range of addresses, or one of IPv4 and one of IPv6 with a comma between"

    def fits(self, value: Any) -> bool:
        if not isinstance(value, tuple) or not 1 <= len(value) <= 2 or not all(map(self._is_one, value)):
            return False
        return len({":" in cidr for cidr in value}) == len(value)

    def _is_one(self, value: Any) -> bool:
        try:
            return isinstance(value, str) and str(ip_network(value)) == value
        except ValueError:
            return False

    def read(self, value: Any) -> tuple[str, ...]:
        parts = value.split(",") if isinstance(value, str) else value
        if not isinstance(parts, list | tuple) or not all(isinstance(part, str) for part in parts):
            raise Unfit(f"{shown(value)} was given")
        return tuple(part.strip() for part in parts)

    def write(self, value: tuple[str, ...]) -> str:
        return ",".join(value)


@dataclass(frozen=True, slots=True)
class Interval:
    """The whole numbers from one to another, both between *low* and *high*: ``30000-32767``."""

    low: int
    high: int

    def __str__(self) -> str:
        return f"two whole numbers from {self.low} to {self.high}, the smaller first, with a dash between"

    def fits(self, value: Any) -> bool:
        if not isinstance(value, tuple) or len(value) != 2 or not all(map(is_whole, value)):
            return False
        return bool(self.low <= value[0] <= value[1] <= self.high)

    def read(self, value: Any) -> tuple[int, ...]:
        parts = value.split("-") if isinstance(value, str) else value
        if not isinstance(parts, list | tuple) or len(parts) != 2:
            raise Unfit(f"{shown(value)} was given")
        return tuple(Count(self.low, self.high).read(part) for part in parts)

    def write(self, value: tuple[int, int]) -> str:
        return f"{value[0]}-{value[1]}"


Legal = Duration | Span | Count | Size | Rate | Choice | Switch | Networks | Interval


def size(value: int) -> str:
    """Bytes with the largest unit that leaves a whole number: ``2GiB``."""
    for unit in ("TiB", "GiB", "MiB", "KiB"):
        if value and value % SIZES[unit] == 0:
            return f"{value // SIZES[unit]}{unit}"
    return f"{value}B"
