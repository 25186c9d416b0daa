"""Texts, lists, sets and values that may be missing.

Models cel-go ext/strings.go Strings (version 2), ext/sets.go Sets, cel/library.go OptionalTypes; k/apiserver
pkg/cel/library Lists Regex.
"""

import itertools
import re
from typing import Any

from kubemini.api.cel.functions import formatting
from kubemini.api.cel.functions.operators import LIST
from kubemini.api.cel.functions.overloads import function
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
    list_of,
    optional,
)
from kubemini.api.cel.values import CelError, Duration, Optional, equal, integer

STRINGS = list_of(STRING)
NOTHING = "missing argument to repetition operator: `{}`"
ORDERED = (INT, UINT, DOUBLE, BOOL, DURATION, TIMESTAMP, STRING, BYTES)


def pattern(text: str) -> "re.Pattern[str]":
    """A regular expression. Raises CelError."""
    try:
        return re.compile(text)
    except re.error as error:
        part = text[error.pos or 0 :]
        known = {
            "unterminated character set": f"missing closing ]: `{part}`",
            "nothing to repeat": NOTHING.format(part[:1]),
        }
        known["missing ), unterminated subpattern"] = f"missing closing ): `{text}`"
        known["unbalanced parenthesis"] = f"unexpected ): `{text}`"
        raise CelError(f"error parsing regexp: {known.get(error.msg, f'{error.msg}: `{text}`')}") from None


@function("contains", STRING, STRING, gives=BOOL, method=True)
def contains(one: str, part: str) -> bool:
    """Whether it has this in it."""
    return part in one


function("startsWith", STRING, STRING, gives=BOOL, method=True)(str.startswith)
function("endsWith", STRING, STRING, gives=BOOL, method=True)(str.endswith)


@function("matches", STRING, STRING, gives=BOOL)
@function("matches", STRING, STRING, gives=BOOL, method=True)
def matches(one: str, expression: str) -> bool:
    """Whether a part of it matches."""
    return pattern(expression).search(one) is not None


@function("find", STRING, STRING, gives=STRING, method=True)
def find(one: str, expression: str) -> str:
    """The first part that matches, or nothing."""
    match = pattern(expression).search(one)
    return match[0] if match else ""


@function("findAll", STRING, STRING, gives=STRINGS, method=True)
@function("findAll", STRING, STRING, INT, gives=STRINGS, method=True)
def find_all(one: str, expression: str, most: int = -1) -> list[str]:
    """All parts that match, at most so many."""
    found = [match[0] for match in pattern(expression).finditer(one)]
    return found if most < 0 else found[:most]


@function("charAt", STRING, INT, gives=STRING, method=True)
def char_at(one: str, place: int) -> str:
    """The character there; at the very end none."""
    if not 0 <= place <= len(one):
        raise CelError(f"index out of range: {place}")
    return one[place : place + 1]


@function("indexOf", STRING, STRING, gives=INT, method=True)
@function("indexOf", STRING, STRING, INT, gives=INT, method=True)
def index_of(one: str, part: str, start: int = 0) -> int:
    """Where it first has this; -1: nowhere."""
    if start < 0:
        raise CelError(f"index out of range: {start}")
    return one.find(part, start)


@function("lastIndexOf", STRING, STRING, gives=INT, method=True)
@function("lastIndexOf", STRING, STRING, INT, gives=INT, method=True)
def last_index_of(one: str, part: str, start: int | None = None) -> int:
    """Where it last has this; -1: nowhere."""
    if start is not None and not 0 <= start <= len(one):
        raise CelError(f"index out of range: {start}")
    return one.rfind(part) if start is None else one.rfind(part, 0, start + len(part))


def _cased(low: str, high: str, shift: int) -> Any:
    return lambda one: "".join(chr(ord(c) + shift) if low <= c <= high else c for c in one)


function("lowerAscii", STRING, gives=STRING, method=True)(_cased("A", "Z", 32))
function("upperAscii", STRING, gives=STRING, method=True)(_cased("a", "z", -32))
function("trim", STRING, gives=STRING, method=True)(str.strip)


@function("replace", STRING, STRING, STRING, gives=STRING, method=True)
@function("replace", STRING, STRING, STRING, INT, gives=STRING, method=True)
def replace(one: str, old: str, new: str, most: int = -1) -> str:
    """With *new* for *old*, at most so often."""
    return one.replace(old, new, most if most >= 0 else -1)


@function("split", STRING, STRING, gives=STRINGS, method=True)
@function("split", STRING, STRING, INT, gives=STRINGS, method=True)
def split(one: str, by: str, most: int = -1) -> list[str]:
    """Its parts, at most so many."""
    if most == 0:
        return []
    if not by:
        return list(one) if most < 0 else [*one[: most - 1], one[most - 1 :]]
    return one.split(by) if most < 0 else one.split(by, most - 1)


@function("substring", STRING, INT, gives=STRING, method=True)
@function("substring", STRING, INT, INT, gives=STRING, method=True)
def substring(one: str, start: int, end: int | None = None) -> str:
    """From here to there."""
    last = len(one) if end is None else end
    if not 0 <= start <= len(one):
        raise CelError(f"index out of range: {start}")
    if not 0 <= last <= len(one):
        raise CelError(f"index out of range: {last}")
    if start > last:
        raise CelError(f"invalid substring range. start: {start}, end: {last}")
    return one[start:last]


@function("join", STRINGS, gives=STRING, method=True)
@function("join", STRINGS, STRING, gives=STRING, method=True)
def joined(items: list[str], by: str = "") -> str:
    """All in one."""
    return by.join(items)


@function("strings.quote", STRING, gives=STRING)
def quote(one: str) -> str:
    """As a literal of CEL."""
    escapes = {"\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v"}
    escapes |= {"\\": "\\\\", '"': '\\"'}
    return '"' + "".join(escapes.get(char, char) for char in one) + '"'


function("format", STRING, list_of(DYN), gives=STRING, method=True)(formatting.formatted)

# -- lists and sets ------------------------------------------------------------------------------------------------


@function("indexOf", LIST, A, gives=INT, method=True)
def place_of(items: list[Any], one: Any) -> int:
    """Where it first stands; -1: nowhere."""
    return next((place for place, item in enumerate(items) if equal(item, one)), -1)


@function("lastIndexOf", LIST, A, gives=INT, method=True)
def last_place_of(items: list[Any], one: Any) -> int:
    """Where it last stands; -1: nowhere."""
    return max((place for place, item in enumerate(items) if equal(item, one)), default=-1)


def is_sorted(items: list[Any]) -> bool:
    """Whether none is less than the one before."""
    return all(not after < before for before, after in itertools.pairwise(items))


def _some(items: list[Any], name: str) -> list[Any]:
    if not items:
        raise CelError(f"{name} called on empty list")
    return items


def _total(zero: Any) -> Any:
    def run(items: list[Any]) -> Any:
        if isinstance(zero, Duration):
            return Duration(sum(item.nanos for item in items))
        found = sum(items, zero)
        return found if isinstance(found, float) else type(zero)(integer(found))

    return run


for _type in ORDERED:
    function("isSorted", list_of(_type), gives=BOOL, method=True)(is_sorted)
    function("min", list_of(_type), gives=_type, method=True)(lambda items: min(_some(items, "min")))
    function("max", list_of(_type), gives=_type, method=True)(lambda items: max(_some(items, "max")))
for _type, _zero in ((INT, 0), (UINT, 0), (DOUBLE, 0.0), (DURATION, Duration(0))):
    function("sum", list_of(_type), gives=_type, method=True)(_total(_zero))


for _type in ORDERED:
    function("sort", list_of(_type), gives=list_of(_type), method=True)(sorted)


@function("reverse", LIST, gives=LIST, method=True)
def reverse(items: list[Any]) -> list[Any]:
    """From the end to the start."""
    return list(items[::-1])


@function("distinct", LIST, gives=LIST, method=True)
def distinct(items: list[Any]) -> list[Any]:
    """Each once."""
    return [item for place, item in enumerate(items) if place_of(items, item) == place]


@function("slice", LIST, INT, INT, gives=LIST, method=True)
def cut(items: list[Any], start: int, end: int) -> list[Any]:
    """From here to there."""
    if start < 0 or end < 0:
        raise CelError(f"cannot slice({start}, {end}), negative indexes not supported")
    if start > end:
        raise CelError(f"cannot slice({start}, {end}), start index must be less than or equal to end index")
    if end > len(items):
        raise CelError(f"cannot slice({start}, {end}), list is length {len(items)}")
    return list(items[start:end])


@function("flatten", list_of(LIST), gives=LIST, method=True)
@function("flatten", list_of(DYN), INT, gives=list_of(DYN), method=True)
def flat(items: list[Any], depth: int = 1) -> list[Any]:
    """The items of its lists, so many levels down."""
    if depth < 0:
        raise CelError("level must be non-negative")
    found: list[Any] = []
    for item in items:
        deeper = isinstance(item, list | tuple) and depth > 0
        found += flat(list(item), depth - 1) if deeper else [item]
    return found


@function("lists.range", INT, gives=list_of(INT))
def numbers(count: int) -> list[int]:
    """0, 1, 2 …"""
    return list(range(count))


@function("first", LIST, gives=optional(A), method=True)
def first(items: list[Any]) -> Optional:
    """The first, if there is one."""
    return Optional(True, items[0]) if items else Optional()


@function("last", LIST, gives=optional(A), method=True)
def last(items: list[Any]) -> Optional:
    """The last, if there is one."""
    return Optional(True, items[-1]) if items else Optional()


@function("sets.contains", LIST, LIST, gives=BOOL)
def all_held(items: list[Any], wanted: list[Any]) -> bool:
    """Whether the first has all of the second."""
    return all(any(equal(item, one) for item in items) for one in wanted)


@function("sets.equivalent", LIST, LIST, gives=BOOL)
def same_set(items: list[Any], others: list[Any]) -> bool:
    """Whether each has all of the other."""
    return all_held(items, others) and all_held(others, items)


@function("sets.intersects", LIST, LIST, gives=BOOL)
def some_held(items: list[Any], others: list[Any]) -> bool:
    """Whether both have one in common."""
    return any(equal(item, one) for item in items for one in others)


# -- what may be missing -------------------------------------------------------------------------------------------


@function("optional.of", A, gives=optional(A))
def there(one: Any) -> Optional:
    """It is there."""
    return Optional(True, one)


@function("optional.none", gives=optional(A))
def nothing() -> Optional:
    """It is not."""
    return Optional()


@function("optional.ofNonZeroValue", A, gives=optional(A))
def there_unless_zero(one: Any) -> Optional:
    """It is there, unless it is empty, zero or null."""
    zero = one is None or one == 0 or (isinstance(one, str | bytes | list | tuple | dict) and not one)
    return Optional() if zero else Optional(True, one)


@function("hasValue", optional(A), gives=BOOL, method=True)
def has_value(one: Optional) -> bool:
    """Whether it is there."""
    return one.there


@function("value", optional(A), gives=A, method=True)
def value_of(one: Optional) -> Any:
    """It."""
    if not one.there:
        raise CelError("optional.none() dereference")
    return one.value


@function("orValue", optional(A), A, gives=A, method=True)
def or_value(one: Optional, other: Any) -> Any:
    """It, or else that."""
    return one.value if one.there else other


@function("or", optional(A), optional(A), gives=optional(A), method=True)
def or_else(one: Optional, other: Optional) -> Optional:
    """The first that is there."""
    return one if one.there else other
