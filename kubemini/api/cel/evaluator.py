"""Work an expression out. Pure.

    evaluate(tree, {"self": ["a", "b"]})  ->  a value, or raises CelError in the words of cel-go

&& and || know their answer if one side tells it, whatever is wrong with the other one; so do all and exists.
Models cel-go interpreter Interpretable.Eval.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import cmp_to_key
from typing import Any

from kubemini.api.cel.functions.access import Question
from kubemini.api.cel.functions.catalogue import TABLE
from kubemini.api.cel.functions.operators import LIST, MAP, shown
from kubemini.api.cel.functions.overloads import Overload
from kubemini.api.cel.nodes import Call, ListOf, Literal, Loop, MapOf, Name, Node, Select, Struct
from kubemini.api.cel.types import DYN, VARIABLES, Type
from kubemini.api.cel.values import CelError, Optional, equal, type_of

Scope = Mapping[str, Any]
NAMED = {"duration": "google.protobuf.Duration", "timestamp": "google.protobuf.Timestamp"}
TOO_MUCH = "operation cancelled: actual cost limit exceeded"


class Budget:
    """How many steps an expression may still take."""

    def __init__(self, steps: int):
        self.steps = self.left = steps

    def spend(self, steps: int = 1) -> None:
        """Raises CelError when nothing is left."""
        self.left -= steps
        if self.left < 0:
            raise CelError(TOO_MUCH)


def evaluate(node: Node, scope: Scope, budget: Budget) -> Any:
    """The value of *node*. Raises CelError."""
    budget.spend()
    match node:
        case Literal():
            return node.value
        case Name():
            return _name(node, scope)
        case Select():
            return _select(node, evaluate(node.operand, scope, budget))
        case Call():
            return _call(node, scope, budget)
        case ListOf():
            return _list(node, scope, budget)
        case MapOf():
            return _map(node, scope, budget)
        case Struct():
            return _struct(node, scope, budget)
        case Loop():
            return _loop(node, scope, budget)


def _name(node: Name, scope: Scope) -> Any:
    if node.name in scope:
        found = scope[node.name]
        return found() if isinstance(found, Later) else found
    return Type(NAMED.get(node.name, node.name))


class Later:
    """A value that is worked out when somebody asks for it, once; what goes wrong goes wrong for all who ask."""

    def __init__(self, work: Callable[[], Any]):
        self._work, self._found, self._done = work, None, False

    def __call__(self) -> Any:
        if not self._done:
            self._found, self._done = self._work(), True
        return self._found


def _select(node: Select, whole: Any) -> Any:
    if isinstance(whole, Optional):
        if not whole.there:
            return False if node.test else Optional()
        whole = whole.value
        there = isinstance(whole, Mapping) and node.field in whole
        return there if node.test else Optional(there, whole[node.field] if there else None)
    if isinstance(whole, Question) and node.field == "requestResource":
        return whole.request
    if isinstance(whole, list | tuple):
        raise CelError("unsupported index type 'string' in list")
    if not isinstance(whole, Mapping):
        raise CelError(f"no such key: {node.field}")
    there = node.field in whole
    if node.test:
        return there
    if node.maybe:
        return Optional(there, whole[node.field] if there else None)
    if not there:
        raise CelError(f"no such key: {node.field}")
    found = whole[node.field]
    return found() if isinstance(found, Later) else found


# -- calls ---------------------------------------------------------------------------------------------------------


def _call(node: Call, scope: Scope, budget: Budget) -> Any:
    if node.function == "_&&_":
        return _logic(node.args, False, scope, budget)
    if node.function == "_||_":
        return _logic(node.args, True, scope, budget)
    if node.function == "_?_:_":
        test = evaluate(node.args[0], scope, budget)
        if not isinstance(test, bool):
            raise CelError("no such overload")
        return evaluate(node.args[1 if test else 2], scope, budget)
    name, target = node.function, node.target
    if isinstance(target, Name) and target.name not in scope and f"{target.name}.{name}" in TABLE:
        name, target = f"{target.name}.{name}", None
    parts = node.args if target is None else (target, *node.args)
    values = [evaluate(part, scope, budget) for part in parts]
    return _run(name, target is not None, values, budget)


def _run(name: str, method: bool, values: list[Any], budget: Budget) -> Any:
    for one in TABLE.get(name, ()):
        if one.method == method and _takes(one, values):
            budget.spend(sum(len(value) // 10 for value in values if isinstance(value, str | bytes)))
            return one.run(*values)
    if name == "_[_]":
        where, key = values
        in_list = isinstance(where, list | tuple)
        raise CelError(f"unsupported index type '{type_of(key)}' in list" if in_list else f"no such key: {shown(key)}")
    if name == "size":
        raise CelError("no such overload: size")
    converts = len(values) == 1 and name in ("string", "int", "uint", "double", "bool", "bytes")
    raise CelError(f"no such overload: {name}({type_of(values[0])})" if converts else "no such overload")


def _takes(one: Overload, values: list[Any]) -> bool:
    return len(one.args) == len(values) and all(map(_is, one.args, values))


def _is(wanted: Type, value: Any) -> bool:
    if wanted.name in VARIABLES or wanted == DYN:
        return True
    if wanted.name == "optional_type" and wanted.of[0] in (LIST, MAP):
        held = value.value if isinstance(value, Optional) else None
        return isinstance(value, Optional) and (not value.there or type_of(held).name == wanted.of[0].name)
    found = type_of(value)
    if wanted.name == "list" and found.name == "list" and wanted.of[0].name not in VARIABLES and wanted.of[0] != DYN:
        return all(type_of(item).name == wanted.of[0].name for item in value)
    return found.name == wanted.name


def _logic(parts: Iterable[Node], decides: bool, scope: Scope, budget: Budget) -> bool:
    """&& and ||: *decides* is the value that settles it."""
    return _settled((_later(part, scope, budget) for part in parts), decides)


def _later(node: Node, scope: Scope, budget: Budget) -> Callable[[], Any]:
    return lambda: evaluate(node, scope, budget)


def _settled(tries: Iterable[Callable[[], Any]], decides: bool) -> bool:
    wrong: CelError | None = None
    for attempt in tries:
        try:
            found = attempt()
            if not isinstance(found, bool):
                raise CelError("no such overload")
            if found is decides:
                return decides
        except CelError as error:
            if str(error) == TOO_MUCH:
                raise
            wrong = wrong or error
    if wrong is not None:
        raise wrong
    return not decides


# -- what is made --------------------------------------------------------------------------------------------------


def _list(node: ListOf, scope: Scope, budget: Budget) -> list[Any]:
    found = []
    for place, part in enumerate(node.items):
        value = evaluate(part, scope, budget)
        if place not in node.maybe:
            found.append(value)
        elif value.there:
            found.append(value.value)
    return found


def _map(node: MapOf, scope: Scope, budget: Budget) -> dict[Any, Any]:
    found: dict[Any, Any] = {}
    for key_node, value_node, maybe in node.entries:
        key, value = evaluate(key_node, scope, budget), evaluate(value_node, scope, budget)
        if not isinstance(key, str | int):
            raise CelError(f"unsupported key type: {type_of(key)}")
        if key in found:
            raise CelError(f"Failed with repeated key: {key}")
        if not maybe or value.there:
            found[key] = value.value if maybe else value
    return found


def _struct(node: Struct, scope: Scope, budget: Budget) -> dict[str, Any]:
    found = {}
    for name, part, maybe in node.fields:
        value = evaluate(part, scope, budget)
        if not maybe or value.there:
            found[name] = value.value if maybe else value
    return found


# -- loops ---------------------------------------------------------------------------------------------------------


def _loop(node: Loop, scope: Scope, budget: Budget) -> Any:
    over = evaluate(node.over, scope, budget)
    if node.macro in ("optMap", "optFlatMap"):
        if not over.there:
            return Optional()
        made = evaluate(node.body, {**scope, node.names[0]: over.value}, budget)
        return made if node.macro == "optFlatMap" else Optional(True, made)
    if not isinstance(over, list | tuple | dict):
        name = str(type_of(over)).rpartition(".")[2].removesuffix("_type").capitalize()
        raise CelError(f"got 'types.{name}', expected iterable type")
    rounds = [{**scope, **dict(zip(node.names, names, strict=True))} for names in _names(over, len(node.names))]
    if node.macro in ("all", "exists"):
        return _settled((_later(node.body, one, budget) for one in rounds), node.macro == "exists")
    if node.when is not None:
        rounds = [one for one in rounds if _holds(node.when, one, budget)]
    return _made(node, over, rounds, budget)


def _names(over: Any, count: int) -> Iterable[tuple[Any, ...]]:
    if count == 2:
        return enumerate(over) if isinstance(over, list | tuple) else over.items()
    return ((item,) for item in over)


def _holds(node: Node, scope: Scope, budget: Budget) -> bool:
    found = evaluate(node, scope, budget)
    if not isinstance(found, bool):
        raise CelError("no such overload")
    return found


def _made(node: Loop, over: Any, rounds: list[dict[str, Any]], budget: Budget) -> Any:
    first = node.names[0]
    match node.macro:
        case "existsOne":
            return sum(_holds(node.body, one, budget) for one in rounds) == 1
        case "filter":
            return [one[first] for one in rounds if _holds(node.body, one, budget)]
        case "map" | "transformList":
            return [evaluate(node.body, one, budget) for one in rounds]
        case "transformMap":
            return {one[first]: evaluate(node.body, one, budget) for one in rounds}
        case "transformMapEntry":
            return _entries([evaluate(node.body, one, budget) for one in rounds])
    keyed = [(evaluate(node.body, one, budget), one[first]) for one in rounds]
    return [item for _, item in sorted(keyed, key=cmp_to_key(_order))]


def _entries(parts: list[dict[Any, Any]]) -> dict[Any, Any]:
    found: dict[Any, Any] = {}
    for part in parts:
        for key, value in part.items():
            if key in found and not equal(found[key], value):
                raise CelError(f"insert failed: key {key} already exists")
            found[key] = value
    return found


def _order(one: tuple[Any, Any], other: tuple[Any, Any]) -> int:
    return (one[0] > other[0]) - (one[0] < other[0])
