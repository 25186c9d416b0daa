"""Values that Python has no type of its own for, and how any value is compared and shown.

Models cel-go common/types Int Uint Double String Duration Timestamp Optional; k/apiserver pkg/cel Quantity IP CIDR URL.
"""

import math
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Any
from urllib.parse import SplitResult

from kubemini.api.cel.nodes import Uint
from kubemini.api.cel.types import BOOL, BYTES, DOUBLE, DURATION, INT, NULL, STRING, TIMESTAMP, UINT, Type
from kubemini.api.quantity import Quantity

NANOS = 10**9
LOWEST, HIGHEST = -(2**63), 2**63 - 1


class CelError(Exception):
    """An expression that cannot be worked out, in the words of cel-go."""


@dataclass(frozen=True, slots=True, order=True)
class Duration:
    """A length of time in nanoseconds."""

    nanos: int


@dataclass(frozen=True, slots=True, order=True)
class Timestamp:
    """An instant in nanoseconds since 1970; *zone*: so many minutes ahead of UTC it was written."""

    nanos: int
    zone: int = field(default=0, compare=False)

    @property
    def date(self) -> datetime:
        """In UTC, to the microsecond."""
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=self.nanos // 1000)


@dataclass(frozen=True, slots=True)
class Optional:
    """A value that may be missing."""

    there: bool = False
    value: Any = None


@dataclass(frozen=True, slots=True)
class Ip:
    """An address."""

    address: IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class Cidr:
    """A range of addresses; *said*: the address in front of the slash."""

    said: IPv4Address | IPv6Address
    network: IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Url:
    """A URL in its parts."""

    parts: SplitResult


@dataclass(frozen=True, slots=True)
class Semver:
    """A version: major, minor, patch, and what makes it a version before that."""

    numbers: tuple[int, int, int]
    before: tuple[str, ...] = ()


IP, CIDR, URL = Type("net.IP"), Type("net.CIDR"), Type("kubernetes.URL")
QUANTITY, SEMVER = Type("kubernetes.Quantity"), Type("kubernetes.Semver")
_TYPES: tuple[tuple[type, Type], ...] = (
    (bool, BOOL),
    (Uint, UINT),
    (int, INT),
    (float, DOUBLE),
    (str, STRING),
    (bytes, BYTES),
    (Duration, DURATION),
    (Timestamp, TIMESTAMP),
    (Optional, Type("optional_type")),
    (Ip, IP),
    (Cidr, CIDR),
    (Url, URL),
    (Quantity, QUANTITY),
    (Semver, SEMVER),
    (list, Type("list")),
    (tuple, Type("list")),
    (dict, Type("map")),
    (Type, Type("type")),
)


def type_of(value: Any) -> Type:
    """The type of a value while it runs: ``list``, not ``list(int)``."""
    if value is None:
        return NULL
    said = getattr(value, "cel_type", None)
    if isinstance(said, Type):
        return said
    return next((type for python, type in _TYPES if isinstance(value, python)), Type("dyn"))


def is_number(value: Any) -> bool:
    """Whether it counts: an int, uint or double, which compare with one another."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def equal(one: Any, other: Any) -> bool:
    """`==`: numbers by their value, lists and maps item by item; other types are never equal."""
    if is_number(one) and is_number(other):
        return not (_not_a_number(one) or _not_a_number(other)) and one == other
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(equal(a, b) for a, b in zip(one, other, strict=True))
    if isinstance(one, dict) and isinstance(other, dict):
        return len(one) == len(other) and all(key in other and equal(one[key], other[key]) for key in one)
    if isinstance(one, Quantity) and isinstance(other, Quantity):
        return one.amount == other.amount
    if isinstance(one, Optional) and isinstance(other, Optional):
        return one.there == other.there and equal(one.value, other.value)
    return type_of(one) == type_of(other) and bool(one == other)


def _not_a_number(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)


def integer(value: int) -> int:
    """*value*, if 64 bits hold it. Raises CelError."""
    if not LOWEST <= value <= HIGHEST:
        raise CelError("integer overflow")
    return value


def unsigned(value: int) -> Uint:
    """*value*, if 64 bits without a sign hold it. Raises CelError."""
    if not 0 <= value < 2**64:
        raise CelError("unsigned integer overflow")
    return Uint(value)


def shown_double(value: float) -> str:
    """As Go prints it, as short as it can be: with an exponent from a million on."""
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    if math.isnan(value):
        return "NaN"
    number = Decimal(repr(value))
    exponent = number.adjusted() if value else 0
    if -5 < exponent < 6:
        return f"{number.normalize():f}" if value else repr(value).removesuffix(".0")
    digits = "".join(map(str, number.normalize().as_tuple().digits))
    mantissa = digits[0] + (f".{digits[1:]}" if len(digits) > 1 else "")
    return f"{'-' if value < 0 else ''}{mantissa}e{'-' if exponent < 0 else '+'}{abs(exponent):02d}"
