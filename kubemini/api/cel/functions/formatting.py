"""format(): `'%d of %s: %.2f'.format([3, 'pods', 0.5])`.

Models cel-go ext/formatting.go stringFormatter formatList formatMap.
"""

import math
import re
from typing import Any, NamedTuple

from kubemini.api.cel.functions.times import shown_duration, shown_instant
from kubemini.api.cel.types import DYN, ERROR, OPEN, Type, said
from kubemini.api.cel.values import (
    CelError,
    Duration,
    Timestamp,
    is_number,
    shown_double,
    type_of,
)

_CLAUSE = re.compile(r"%(?:%|(?:\.(\d+))?(.))", re.DOTALL)
_DIGITS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
STRINGS = "strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps"
ALLOWED = {
    "s": ("string", STRINGS, {"string", "bool", "bytes", "int", "uint", "double", "map", "list", "type", "null_type"}),
    "d": ("decimal", "integers", {"int", "uint"}),
    "f": ("fixed-point", "doubles", {"double"}),
    "e": ("scientific notation", "doubles", {"double"}),
    "b": ("binary", "integers and bools", {"int", "uint", "bool"}),
    "x": ("hex", "integers, byte buffers, and strings", {"int", "uint", "string", "bytes"}),
    "o": ("octal", "integers", {"int", "uint"}),
}
ALLOWED["X"] = ALLOWED["x"]
TIMES = {"google.protobuf.Duration", "google.protobuf.Timestamp"}


class Clause(NamedTuple):
    """%.2f: how, and with how many digits."""

    verb: str
    digits: int | None = None


def clauses(text: str) -> list[Clause]:
    """Those of *text*, in order. Raises CelError."""
    found = []
    for match in _CLAUSE.finditer(text):
        if match[0] == "%%":
            continue
        if match[2] not in ALLOWED:
            why = f'unrecognized formatting clause "{match[2]}"'
            raise CelError(f"could not parse formatting clause: {why}")
        found.append(Clause(match[2], int(match[1]) if match[1] else None))
    return found


def wrong_argument(clause: Clause, type: Type) -> str:
    """Why a value of *type* cannot stand there, or nothing."""
    name, wanted, allowed = ALLOWED[clause.verb]
    fine = type.name in allowed or (clause.verb == "s" and type.name in TIMES) or type in (DYN, OPEN, ERROR)
    return "" if fine else f"{name} clause can only be used on {wanted}, was given {said(type)}"


def formatted(text: str, items: list[Any]) -> str:
    """*text* with the items in their places. Raises CelError."""
    place = -1
    clauses(text)

    def put(match: "re.Match[str]") -> str:
        nonlocal place
        if match[0] == "%%":
            return "%"
        place += 1
        if place >= len(items):
            raise CelError(f"index {place} out of range")
        return _put(Clause(match[2], int(match[1]) if match[1] else None), items[place])

    return _CLAUSE.sub(put, text)


def _put(clause: Clause, value: Any) -> str:
    wrong = wrong_argument(clause, type_of(value))
    if wrong:
        raise CelError(f"error during formatting: {wrong}")
    match clause.verb:
        case "s":
            return _text(value)
        case "d":
            return str(int(value))
        case "f":
            return _special(value) or f"{value:.{6 if clause.digits is None else clause.digits}f}"
        case "e":
            return _special(value) or _scientific(value, 6 if clause.digits is None else clause.digits)
        case "b" | "o":
            return format(int(value), clause.verb)
    found = format(int(value), "x") if is_number(value) else (value.encode() if isinstance(value, str) else value).hex()
    return found.upper() if clause.verb == "X" else found


def _special(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return ("∞" if value > 0 else "-∞") if math.isinf(value) else ""


def _scientific(value: float, digits: int) -> str:
    mantissa, _, exponent = f"{value:.{digits}e}".partition("e")
    power = (
        str(int(exponent)) if abs(int(exponent)) > 9 else f"{'-' if exponent[0] == '-' else ''}0{abs(int(exponent))}"
    )
    return f"{mantissa}×10{power.translate(_DIGITS)}"


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if isinstance(value, Timestamp):
        return shown_instant(value)
    if isinstance(value, Duration):
        return shown_duration(value)
    if isinstance(value, float):
        return shown_double(value)
    return _inner(value)


def _inner_double(value: float) -> str:
    if math.isnan(value):
        return '"NaN"'
    if math.isinf(value):
        return '"+Inf"' if value > 0 else '"-Inf"'
    return f"{value:.6f}"


def _inner(value: Any) -> str:
    """A value inside of a list or a map."""
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case str():
            return quoted(value)
        case bytes():
            return f"b{quoted(value.decode(errors='replace'))}"
        case float():
            return _inner_double(value)
        case Duration():
            return f'duration("{shown_duration(value)}")'
        case Timestamp():
            return f'timestamp("{shown_instant(value)}")'
        case list() | tuple():
            return f"[{', '.join(map(_inner, value))}]"
        case dict():
            return "{" + ", ".join(f"{_inner(key)}:{_inner(value[key])}" for key in sorted(value, key=str)) + "}"
    return str(value)


def quoted(text: str) -> str:
    """As Go quotes it."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t") + '"'
