"""Types of CEL: what an expression is before it is run. `dyn` fits everything; `A`, `B` stand for any one type.

Models cel-go common/types Type, checker isAssignable FormatCELType.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Type:
    """A type by its name, and what it is of: ``list(int)``. *fields*: those of an object; None: it has any, of dyn."""

    name: str
    of: tuple["Type", ...] = ()
    fields: "Mapping[str, Type] | None" = field(default=None, compare=False)

    def __str__(self) -> str:
        return f"{self.name}({', '.join(map(str, self.of))})" if self.of else self.name


DYN, NULL = Type("dyn"), Type("null_type")
OPEN = Type("?")  # of an empty list or map: anything, as soon as somebody knows
ERROR = Type("!error!")  # of what is wrong: it fits everywhere, so that one slip is told once
BOOL, INT, UINT, DOUBLE = Type("bool"), Type("int"), Type("uint"), Type("double")
STRING, BYTES = Type("string"), Type("bytes")
TIMESTAMP, DURATION = Type("google.protobuf.Timestamp"), Type("google.protobuf.Duration")
A, B = Type("A"), Type("B")
VARIABLES = (A.name, B.name)
Bound = dict[str, Type]


def list_of(item: Type) -> Type:
    """``list(item)``."""
    return Type("list", (item,))


def map_of(key: Type, value: Type) -> Type:
    """``map(key, value)``."""
    return Type("map", (key, value))


def optional(value: Type) -> Type:
    """A value that may be missing."""
    return Type("optional_type", (value,))


def type_of(value: Type) -> Type:
    """What `type()` gives."""
    return Type("type", (value,))


_SHORT = {"null_type": "null", "google.protobuf.Timestamp": "timestamp", "google.protobuf.Duration": "duration"}


def said(type: Type) -> str:
    """As the checker names it: in short."""
    name = _SHORT.get(type.name, "dyn" if type == OPEN else type.name)
    return f"{name}({', '.join(map(said, type.of))})" if type.of else name


def known(type: Type) -> Type:
    """*type*, with dyn for what nobody has learned."""
    if type in (OPEN, ERROR):
        return DYN
    return Type(type.name, tuple(map(known, type.of)), type.fields) if type.of else type


def fits(wanted: Type, found: Type, bound: Bound) -> bool:
    """Whether a value of *found* may stand where *wanted* is asked for; *bound* learns what A and B are."""
    if wanted.name in VARIABLES:
        before = bound.get(wanted.name)
        both = found if before is None else joined(before, found)
        if both is None:
            return False
        bound[wanted.name] = both
        return True
    if ERROR in (wanted, found) or OPEN in (wanted, found) or DYN in (wanted, found):
        return True
    if found == NULL:
        return wanted == NULL or wanted.fields is not None or wanted.name in (TIMESTAMP.name, DURATION.name)
    if wanted.name != found.name or len(wanted.of) != len(found.of):
        return False
    return all(fits(one, other, bound) for one, other in zip(wanted.of, found.of, strict=True))


def settled(type: Type, bound: Bound) -> Type:
    """*type* with A and B as they were learned; what was not is dyn."""
    if type.name in VARIABLES:
        return bound.get(type.name, OPEN)
    return Type(type.name, tuple(settled(one, bound) for one in type.of), type.fields) if type.of else type


def joined(one: Type, other: Type) -> Type | None:
    """The type that both fit; None: there is none. Whoever is dyn makes both dyn."""
    if one in (OPEN, ERROR) or other == DYN:
        return other
    if other in (OPEN, ERROR) or one == DYN:
        return one
    if one.name == other.name and len(one.of) == len(other.of):
        parts = tuple(joined(a, b) for a, b in zip(one.of, other.of, strict=True))
        inner = tuple(part for part in parts if part is not None)
        return Type(one.name, inner, one.fields) if len(inner) == len(parts) else None
    if fits(one, other, {}):
        return one
    return other if fits(other, one, {}) else None


def same(one: Type, other: Type) -> Type | None:
    """As `joined`, for items of one list: dyn is no exception."""
    if DYN in (one, other) and one != other and OPEN not in (one, other):
        return None
    if NULL in (one, other) and one != other and OPEN not in (one, other):
        return None
    return joined(one, other)


def has_variables(type: Type) -> bool:
    """Whether A or B is in it."""
    return type.name in VARIABLES or any(map(has_variables, type.of))
