"""An expression that is ready to run.

Models cel-go cel.Env.Compile, common/error.go Error.ToDisplayString.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from kubemini.api.cel import constants
from kubemini.api.cel.checker import check
from kubemini.api.cel.evaluator import Budget, evaluate
from kubemini.api.cel.nodes import Node, Problem
from kubemini.api.cel.parser import parse
from kubemini.api.cel.types import Type
from kubemini.api.cel.values import CelError

BUDGET = 1_000_000  # steps of one expression


@dataclass(frozen=True, slots=True)
class Refusal(Exception):
    """Why a text is no expression that may stand there; *internal*: found out only when it was made ready to run."""

    text: str
    internal: bool = False

    def __str__(self) -> str:
        return f"Internal error: {self.text}" if self.internal else self.text


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression, and the type of its result."""

    text: str
    tree: Node
    type: Type

    def run(self, values: Mapping[str, Any], steps: int = BUDGET) -> Any:
        """Its value. Raises CelError."""
        return evaluate(self.tree, values, Budget(steps))


def compiled(text: str, scope: Mapping[str, Type], *wanted: Type) -> Expression:
    """*text* where the names of *scope* are known, with a result of one of *wanted*; none: of any. Raises Refusal."""
    try:
        tree = _parsed(text)
        type = check(tree, scope)
    except Problem as problem:
        raise Refusal(f"compilation failed: {shown(text, problem)}") from None
    if wanted and type not in wanted:
        names = " or ".join(map(str, wanted))
        raise Refusal(f"must evaluate to {names} but got {type}")
    try:
        constants.fold(tree)
    except CelError as error:
        raise Refusal(f"program instantiation failed: {error}", internal=True) from None
    return Expression(text, tree, type)


@lru_cache(maxsize=512)
def _parsed(text: str) -> Node:
    return parse(text)


def shown(text: str, problem: Problem) -> str:
    """Where it is wrong, line by line."""
    return "\n".join(_one(text, problem.at, problem.text) for problem in (problem, *problem.more))


def _one(text: str, at: int, why: str) -> str:
    start = text.rfind("\n", 0, at) + 1
    line, column = text.count("\n", 0, at) + 1, at - start
    end = text.find("\n", start)
    snippet = text[start : len(text) if end < 0 else end].replace("\t", " ")
    return f"ERROR: <input>:{line}:{column + 1}: {why}\n | {snippet}\n | {'.' * column}^"
