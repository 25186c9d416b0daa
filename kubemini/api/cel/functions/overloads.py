"""The table of functions: what a name may be called with, what comes of it, how it is worked out.

    @function("startsWith", STRING, STRING, gives=BOOL, method=True)

The first type of a method is that of its target. A module that adds functions is imported by `library.py`.
Models cel-go common/decls FunctionDecl OverloadDecl.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kubemini.api.cel.types import Type

Run = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Overload:
    """One way to call a function. ``run`` gets the values, that of the target first."""

    args: tuple[Type, ...]
    gives: Type
    method: bool
    run: Run


TABLE: dict[str, list[Overload]] = {}


def function(name: str, *args: Type, gives: Type, method: bool = False) -> Callable[[Run], Run]:
    """Add an overload of *name*; may stand several times above one function."""

    def add(run: Run) -> Run:
        TABLE.setdefault(name, []).append(Overload(args, gives, method, run))
        return run

    return add
