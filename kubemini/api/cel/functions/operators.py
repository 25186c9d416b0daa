"""Operators and conversions of CEL.

Models cel-go common/stdlib Functions, common/types Int.Add Double.Divide String.ConvertToType.
"""

import math
import re
from typing import Any

from kubemini.api.cel import values
from kubemini.api.cel.functions.overloads import function
from kubemini.api.cel.nodes import Uint
from kubemini.api.cel.types import (
    BOOL,
    BYTES,
    DOUBLE,
    DURATION,
    DYN,
    INT,
    STRING,
    TIMESTAMP,
    UINT,
    A,
    B,
    Type,
    list_of,
    map_of,
    optional,
    type_of,
)
from kubemini.api.cel.values import NANOS, CelError, Duration, Optional, Timestamp, equal, integer, unsigned

LIST, MAP = list_of(A), map_of(A, B)
NUMBERS = (INT, UINT, DOUBLE)


def _same(value: Any, result: Any) -> Any:
    """*result* in the type of *value*, if it fits."""
    if isinstance(value, Uint):
        return unsigned(result)
    return float(result) if isinstance(value, float) else integer(result)


def arithmetic(name: str) -> Any:
    """An operator of two numbers of one type."""

    def add(run: Any) -> Any:
        for type in NUMBERS:
            function(name, type, type, gives=type)(run)
        return run

    return add


@arithmetic("_+_")
def add(one: Any, other: Any) -> Any:
    """The sum."""
    return _same(one, one + other)


@function("_+_", STRING, STRING, gives=STRING)
@function("_+_", BYTES, BYTES, gives=BYTES)
def join(one: Any, other: Any) -> Any:
    """One behind the other."""
    return one + other


@function("_+_", LIST, LIST, gives=LIST)
def chain(one: Any, other: Any) -> list[Any]:
    """The items of both."""
    return [*one, *other]


@function("_+_", DURATION, DURATION, gives=DURATION)
def longer(one: Duration, other: Duration) -> Duration:
    """Both lengths."""
    return Duration(integer(one.nanos + other.nanos))


@function("_+_", TIMESTAMP, DURATION, gives=TIMESTAMP)
@function("_+_", DURATION, TIMESTAMP, gives=TIMESTAMP)
def later(one: Any, other: Any) -> Timestamp:
    """That instant, so much later."""
    return Timestamp(one.nanos + other.nanos)


@arithmetic("_-_")
def subtract(one: Any, other: Any) -> Any:
    """The difference."""
    return _same(one, one - other)


@function("_-_", DURATION, DURATION, gives=DURATION)
@function("_-_", TIMESTAMP, TIMESTAMP, gives=DURATION)
def between(one: Any, other: Any) -> Duration:
    """From the second to the first."""
    return Duration(integer(one.nanos - other.nanos))


@function("_-_", TIMESTAMP, DURATION, gives=TIMESTAMP)
def earlier(one: Timestamp, other: Duration) -> Timestamp:
    """That instant, so much earlier."""
    return Timestamp(one.nanos - other.nanos)


@arithmetic("_*_")
def multiply(one: Any, other: Any) -> Any:
    """The product."""
    return _same(one, one * other)


@arithmetic("_/_")
def divide(one: Any, other: Any) -> Any:
    """The quotient; of whole numbers towards zero."""
    if isinstance(one, float):
        if other == 0:
            return math.nan if one == 0 or math.isnan(one) else math.copysign(math.inf, one) * math.copysign(1, other)
        return one / other
    if other == 0:
        raise CelError("division by zero")
    quotient = abs(one) // abs(other)
    return _same(one, quotient if (one < 0) == (other < 0) else -quotient)


@function("_%_", INT, INT, gives=INT)
@function("_%_", UINT, UINT, gives=UINT)
def remainder(one: Any, other: Any) -> Any:
    """What is left; with the sign of the first."""
    if other == 0:
        raise CelError("modulus by zero")
    rest = abs(one) % abs(other)
    return _same(one, -rest if one < 0 else rest)


@function("-_", INT, gives=INT)
@function("-_", DOUBLE, gives=DOUBLE)
def negate(one: Any) -> Any:
    """The other sign."""
    return _same(one, -one)


@function("!_", BOOL, gives=BOOL)
def negation(one: bool) -> bool:
    """Not."""
    return not one


# -- comparing -----------------------------------------------------------------------------------------------------
@function("_==_", A, A, gives=BOOL)
def same(one: Any, other: Any) -> bool:
    """Whether both are equal."""
    return equal(one, other)


@function("_!=_", A, A, gives=BOOL)
def different(one: Any, other: Any) -> bool:
    """Whether they are not."""
    return not equal(one, other)


def _ordered(name: str, run: Any) -> None:
    pairs = [(type, type) for type in (BOOL, INT, UINT, DOUBLE, STRING, BYTES, TIMESTAMP, DURATION)]
    pairs += [(one, other) for one in NUMBERS for other in NUMBERS if one != other]
    for one, other in pairs:
        function(name, one, other, gives=BOOL)(run)


_ordered("_<_", lambda one, other: one < other)
_ordered("_<=_", lambda one, other: one <= other)
_ordered("_>_", lambda one, other: one > other)
_ordered("_>=_", lambda one, other: one >= other)


@function("@in", A, LIST, gives=BOOL)
@function("@in", A, MAP, gives=BOOL)
def held(one: Any, where: Any) -> bool:
    """Whether a list has it, or a map has it as a key."""
    return any(equal(one, item) for item in where)


@function("_[_]", LIST, INT, gives=A)
@function("_[_]", LIST, DOUBLE, gives=A)
def item(where: Any, index: Any) -> Any:
    """The item at a place."""
    if isinstance(index, float) and not index.is_integer():
        raise CelError(f"unsupported index value {values.shown_double(index)} in list")
    if not 0 <= index < len(where):
        raise CelError(f"index out of bounds: {int(index)}")
    return where[int(index)]


@function("_[_]", MAP, A, gives=B)
def entry(where: Any, key: Any) -> Any:
    """The value under a key."""
    if isinstance(key, dict | list | tuple) or key not in where:
        raise CelError(f"no such key: {shown(key)}")
    return where[key]


@function("_[?_]", LIST, INT, gives=optional(A))
@function("_[?_]", MAP, A, gives=optional(B))
def maybe(where: Any, key: Any) -> Optional:
    """It, if it is there."""
    where = where.value if isinstance(where, Optional) else where
    there = 0 <= key < len(where) if isinstance(where, list | tuple) else where is not None and key in where
    return Optional(True, where[key]) if there else Optional()


@function("_[?_]", optional(LIST), INT, gives=optional(A))
@function("_[?_]", optional(MAP), A, gives=optional(B))
def maybe_of_maybe(where: Optional, key: Any) -> Optional:
    """It, if all that leads there is there."""
    return maybe(where.value, key) if where.there else Optional()


@function("_[_]", optional(LIST), INT, gives=optional(A))
@function("_[_]", optional(MAP), A, gives=optional(B))
def of_maybe(where: Optional, key: Any) -> Optional:
    """The item of what may be missing."""
    if not where.there:
        return Optional()
    return Optional(True, (entry if isinstance(where.value, dict) else item)(where.value, key))


def shown(value: Any) -> str:
    """A value in a text of cel-go."""
    if isinstance(value, bool):
        return str(value).lower()
    return values.shown_double(value) if isinstance(value, float) else str(value)


# -- sizes and types -----------------------------------------------------------------------------------------------
for _type in (STRING, BYTES, LIST, MAP):
    for _method in (False, True):
        function("size", _type, gives=INT, method=_method)(len)


@function("type", A, gives=type_of(A))
def its_type(one: Any) -> Type:
    """What it is."""
    return values.type_of(one)


@function("dyn", A, gives=DYN)
def unknown(one: Any) -> Any:
    """The same, of a type that nobody knows."""
    return one


# -- conversions ---------------------------------------------------------------------------------------------------
@function("int", INT, gives=INT)
@function("int", UINT, gives=INT)
@function("int", DOUBLE, gives=INT)
@function("int", STRING, gives=INT)
@function("int", TIMESTAMP, gives=INT)
@function("int", DURATION, gives=INT)
def to_int(one: Any) -> int:
    """As a whole number; an instant in seconds since 1970, a length of time in nanoseconds."""
    if isinstance(one, str):
        return integer(_whole(one, INT))
    if isinstance(one, Timestamp):
        return one.nanos // NANOS
    if isinstance(one, Duration):
        return one.nanos
    if isinstance(one, float) and not -(2.0**63) < one < 2.0**63:
        raise CelError("integer overflow")
    return integer(int(one))


@function("uint", INT, gives=UINT)
@function("uint", UINT, gives=UINT)
@function("uint", DOUBLE, gives=UINT)
@function("uint", STRING, gives=UINT)
def to_uint(one: Any) -> Uint:
    """As a whole number without a sign."""
    if isinstance(one, str):
        return unsigned(_whole(one, UINT))
    return unsigned(int(one))


@function("double", INT, gives=DOUBLE)
@function("double", UINT, gives=DOUBLE)
@function("double", DOUBLE, gives=DOUBLE)
@function("double", STRING, gives=DOUBLE)
def to_double(one: Any) -> float:
    """As a number with a fraction."""
    try:
        return float(one)
    except ValueError:
        raise CelError("type conversion error from 'string' to 'double'") from None


@function("bool", BOOL, gives=BOOL)
@function("bool", STRING, gives=BOOL)
def to_bool(one: Any) -> bool:
    """As true or false."""
    if isinstance(one, bool):
        return one
    if one in ("1", "t", "T", "true", "TRUE", "True"):
        return True
    if one in ("0", "f", "F", "false", "FALSE", "False"):
        return False
    raise CelError("type conversion error from 'string' to 'bool'")


def _whole(text: str, type: Type) -> int:
    fine = re.fullmatch(r"[+-]?[0-9]+" if type == INT else r"[0-9]+", text)
    number = int(text) if fine else 2**64
    if not (-(2**63) <= number < 2**63 if type == INT else 0 <= number < 2**64):
        raise CelError(f"type conversion error from 'string' to '{type}'")
    return number


@function("string", STRING, gives=STRING)
@function("string", INT, gives=STRING)
@function("string", UINT, gives=STRING)
@function("string", DOUBLE, gives=STRING)
@function("string", BOOL, gives=STRING)
@function("string", BYTES, gives=STRING)
def to_string(one: Any) -> str:
    """As a text."""
    if isinstance(one, bytes):
        try:
            return one.decode()
        except UnicodeDecodeError:
            raise CelError("invalid UTF-8 in bytes, cannot convert to string") from None
    return shown(one)


@function("bytes", BYTES, gives=BYTES)
@function("bytes", STRING, gives=BYTES)
def to_bytes(one: Any) -> bytes:
    """As UTF-8."""
    return one.encode() if isinstance(one, str) else one
