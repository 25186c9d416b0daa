"""The tree of an expression. ``at`` is where it stands in the text: the character that cel-go points at."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Literal:
    """A value: None, bool, int, Uint, float, str or bytes."""

    at: int
    value: Any


@dataclass(frozen=True, slots=True)
class Name:
    """A variable."""

    at: int
    name: str


@dataclass(frozen=True, slots=True)
class Select:
    """A field of something; *test*: has(…) of it; *maybe*: `?.`."""

    at: int
    operand: "Node"
    field: str
    test: bool = False
    maybe: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """A function, or a method of *target*; operators are called `_+_` and the like."""

    at: int
    function: str
    args: tuple["Node", ...]
    target: "Node | None" = None


@dataclass(frozen=True, slots=True)
class ListOf:
    """[a, ?b]; *maybe* are the places of those that are left out if they are nothing."""

    at: int
    items: tuple["Node", ...]
    maybe: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class MapOf:
    """{a: b, ?c: d}."""

    at: int
    entries: tuple[tuple["Node", "Node", bool], ...]


@dataclass(frozen=True, slots=True)
class Struct:
    """Type{field: value, ?field: value}: an object of a known type."""

    at: int
    type: str
    fields: tuple[tuple[str, "Node", bool], ...]


@dataclass(frozen=True, slots=True)
class Loop:
    """A macro over a list or map: all, exists, existsOne, map, filter, transformList, transformMap, …

    *names*: the variable, or index (key) and value. *body*: the test or what is made; *when*: which ones.
    """

    at: int
    macro: str
    over: "Node"
    names: tuple[str, ...]
    body: "Node"
    when: "Node | None" = None


Node = Literal | Name | Select | Call | ListOf | MapOf | Struct | Loop


@dataclass(frozen=True, slots=True)
class Problem(Exception):
    """Why a text is no expression, or what is wrong at one place of it."""

    at: int
    text: str
    more: tuple["Problem", ...] = field(default=())


def together(problems: list[Problem]) -> Problem:
    """All of them as one, in the order of their places."""
    first, *rest = sorted(problems, key=lambda problem: problem.at)
    return Problem(first.at, first.text, tuple(rest))


class Uint(int):
    """A number that CEL tells apart from an int."""
