"""Conversions of constants are worked out when an expression is made ready; what goes wrong then is told at once.

Models cel-go interpreter/planner.go decOptimize maybeOptimizeConstUnary, interpreter/optimizations.go.
"""

from kubemini.api.cel.evaluator import Budget, evaluate
from kubemini.api.cel.literals import all_of
from kubemini.api.cel.nodes import Call, ListOf, Literal, MapOf, Node

CONVERSIONS = {"int", "uint", "double", "bool", "string", "bytes", "duration", "timestamp", "dyn"}
PATTERNS = {"matches", "find", "findAll"}


def fold(tree: Node) -> None:
    """Work out what can be. Raises CelError."""
    for node in all_of(tree):
        converts = isinstance(node, Call) and node.function in CONVERSIONS and node.target is None
        searches = isinstance(node, Call) and node.function in PATTERNS
        if (converts or searches) and _is_constant(node):
            evaluate(node, {}, Budget(1000))


def _is_constant(node: Node) -> bool:
    match node:
        case Literal():
            return True
        case ListOf():
            return all(map(_is_constant, node.items))
        case MapOf():
            return all(_is_constant(key) and _is_constant(value) for key, value, _ in node.entries)
        case Call():
            parts = [*([node.target] if node.target is not None else []), *node.args]
            known = node.function in CONVERSIONS | PATTERNS
            return known and all(map(_is_constant, parts))
    return False
