"""What is wrong with a literal that a function is given, which can be said before it is run.

Models cel-go cel/validator.go ValidateDurationLiterals ValidateRegexLiterals, ext/formatting.go stringFormatValidator.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from kubemini.api.cel.functions.formatting import clauses, wrong_argument
from kubemini.api.cel.functions.texts import pattern
from kubemini.api.cel.functions.times import to_duration, to_timestamp
from kubemini.api.cel.nodes import Call, ListOf, Literal, Loop, MapOf, Node, Problem, Select, Struct
from kubemini.api.cel.types import Type
from kubemini.api.cel.values import CelError

TESTS: dict[str, Any] = {"duration": to_duration, "timestamp": to_timestamp, "matches": pattern}


def check(tree: Node, types: Mapping[int, Type], problems: list[Problem]) -> None:
    """Add to *problems* what is wrong with the literals in *tree*; *types*: id of a node → its type."""
    for node in all_of(tree):
        if isinstance(node, Call):
            problems += _of_call(node, types)


def _of_call(node: Call, types: Mapping[int, Type]) -> Iterator[Problem]:
    last = node.args[-1] if node.args else None
    if node.function in TESTS and isinstance(last, Literal) and isinstance(last.value, str):
        try:
            TESTS[node.function](last.value)
        except CelError:
            yield Problem(last.at, f"invalid {node.function} argument")
    if node.function == "format" and isinstance(node.target, Literal) and isinstance(last, ListOf):
        yield from _of_format(node, node.target.value, last, types)


def _of_format(node: Call, text: str, given: ListOf, types: Mapping[int, Type]) -> Iterator[Problem]:
    try:
        wanted = clauses(text)
    except CelError as error:
        yield Problem(node.at, str(error))
        return
    for place, clause in enumerate(wanted):
        if place >= len(given.items):
            yield Problem(node.at, f"index {place} out of range")
            return
        wrong = wrong_argument(clause, types[id(given.items[place])])
        if wrong:
            yield Problem(given.items[place].at, f"error during formatting: {wrong}")
            return
    if len(given.items) > len(wanted):
        text = f"too many arguments supplied to string.format (expected {len(wanted)}, got {len(given.items)})"
        yield Problem(node.at, text)


def all_of(node: Node) -> Iterator[Node]:
    """*node* and all below it."""
    yield node
    for part in _parts(node):
        yield from all_of(part)


def _parts(node: Node) -> list[Node]:
    match node:
        case Select():
            return [node.operand]
        case Call():
            return [*([node.target] if node.target is not None else []), *node.args]
        case ListOf():
            return list(node.items)
        case MapOf():
            return [part for key, value, _ in node.entries for part in (key, value)]
        case Struct():
            return [value for _, value, _ in node.fields]
        case Loop():
            return [node.over, node.body, *([node.when] if node.when is not None else [])]
    return []
