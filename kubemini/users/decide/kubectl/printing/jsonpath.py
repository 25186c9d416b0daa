"""JSONPath as kubectl reads it: ``{range .items[*]}{.metadata.name}{"\\n"}{end}``.

    Path("{.items[?(@.kind=='Pod')].metadata.name}").text(value)

Theory of operation. A template is text with actions in braces. An action is a list of steps, each of which turns a list
of values into another: a field, a slice, a filter, a union. What an action ends with is printed, spaces between. Of
``{range …}`` the actions up to ``{end}`` are done once for each value. Ranges may nest.
Invariant: what a path has parsed is never changed by what it meets.
Models k/client-go util/jsonpath JSONPath.FindResults Parser.parseInsideAction.
Simplified: a slice is reckoned anew for each list; upstream keeps the bounds of the first one it has met.
"""

from typing import Any

from kubemini.users.decide.kubectl.printing import pathwords
from kubemini.users.decide.kubectl.printing.gotext import as_json, printed
from kubemini.users.decide.kubectl.printing.pathwords import Node, PathError

MISSING = object()


class Path:
    """One template; *strict*: a field that is nowhere is an error."""

    def __init__(self, text: str, strict: bool = False):
        self.strict = strict
        self.nodes = pathwords.parse(text)

    def results(self, value: Any) -> list[list[Any]]:
        """What each action of the template has found in *value*. Raises PathError."""
        found, _ = self._run(value, self.nodes, 0, False)
        return found

    def text(self, value: Any) -> str:
        """The template with what its actions have found in *value*. Raises PathError."""
        return "".join(" ".join(_shown(one) for one in results) for results in self.results(value))

    def as_json(self, value: Any) -> str:
        """The same, each result as a JSON list."""
        return "".join(as_json(results, 4) + "\n" for results in self.results(value))

    def _run(self, value: Any, nodes: list[Node], at: int, inside: bool) -> tuple[list[list[Any]], int]:
        """The results of *nodes* from *at* on, up to an end if *inside* a range, and where that was."""
        found: list[list[Any]] = []
        while at < len(nodes):
            node = nodes[at]
            words = [one.value for one in node.parts if one.kind == "word"]
            if "end" in words:
                if not inside:
                    raise PathError("not in range, nothing to end")
                return found, at
            results = self._walk([value], node)
            if "range" in words:
                end = at + 1
                for one in results:
                    more, end = self._run(one, nodes, at + 1, True)
                    found += more
                at = _after(nodes, at + 1) if not results else end
            else:
                found.append(results)
            at += 1
        return found, at

    def _walk(self, values: list[Any], node: Node) -> list[Any]:
        match node.kind:
            case "list":
                for part in node.parts:
                    values = self._walk(values, part)
                return values
            case "text":
                return [node.value]
            case "value":
                return [node.value for _ in values]
            case "word":
                if node.value not in ("range", "end"):
                    raise PathError(f"unrecognized identifier {node.value}")
                return values
            case "union":
                return [one for part in node.parts for one in self._walk(values, part)]
        return getattr(self, f"_{node.kind}")(values, node)

    def _field(self, values: list[Any], node: Node) -> list[Any]:
        if not values:
            return []
        found = [value[node.value] for value in values if isinstance(value, dict) and node.value in value]
        if not found and self.strict:
            raise PathError(f"{node.value} is not found")
        return found

    def _all(self, values: list[Any], node: Node) -> list[Any]:
        return [one for value in values for one in _children(value)]

    def _deep(self, values: list[Any], node: Node) -> list[Any]:
        found: list[Any] = []
        for value in values:
            below = _children(value)
            if below:
                found += [value, *self._deep(below, node)]
        return found

    def _slice(self, values: list[Any], node: Node) -> list[Any]:
        found: list[Any] = []
        for value in values:
            if value is None:
                continue
            if not isinstance(value, list):
                raise PathError(f"{_go_type(value)} is not array or slice")
            found += _cut(value, node.value)
        return found

    def _filter(self, values: list[Any], node: Node) -> list[Any]:
        found: list[Any] = []
        for value in values:
            if not isinstance(value, list):
                raise PathError(f"{printed(value)} is not array or slice and cannot be filtered")
            found += [one for one in value if self._passes(one, node)]
        return found

    def _passes(self, value: Any, node: Node) -> bool:
        left, right = node.parts
        try:
            lefts = self._walk([value], left)
        except PathError:
            if node.value == "exists":
                return False
            raise
        if node.value == "exists":
            return bool(lefts)
        rights = self._walk([value], right) if lefts else []
        if not lefts or not rights:
            return False
        if len(lefts) > 1 or len(rights) > 1:
            raise PathError("can only compare one element at a time")
        return _compared(node.value, lefts[0], rights[0])


def _after(nodes: list[Node], at: int) -> int:
    """Where the range ends whose actions begin at *at*."""
    depth = 0
    for place in range(at, len(nodes)):
        words = [one.value for one in nodes[place].parts if one.kind == "word"]
        depth += ("range" in words) - ("end" in words)
        if depth < 0:
            return place
    return len(nodes)


def _children(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return list(value) if isinstance(value, list) else []


def _cut(value: list[Any], bounds: tuple[int | None, int | None, int | None, bool]) -> list[Any]:
    first, end, step, derived = bounds
    length = len(value)
    begin = 0 if first is None else first
    begin += length if begin < 0 else 0
    stop = length if end is None else end
    stop += length if stop < 0 or (stop == 0 and derived) else 0
    if begin == stop:
        return []
    if not 0 <= begin < length:
        raise PathError(f"array index out of bounds: index {begin}, length {length}")
    if not 0 <= stop <= length:
        raise PathError(f"array index out of bounds: index {stop - 1}, length {length}")
    if begin > stop:
        raise PathError(f"starting index {begin} is greater than ending index {stop}")
    if step is not None and step <= 0:
        raise PathError("step must be > 0")
    return value[begin : stop : step or 1]


def _compared(operator: str, left: Any, right: Any) -> bool:
    """Models k/client-go third_party/forked/golang/template Equal Less"""
    if operator not in ("<", ">", "==", "!=", "<=", ">="):
        raise PathError(f"unrecognized filter operator {operator}")
    kinds = _basic(left), _basic(right)
    if kinds[0] != kinds[1]:
        raise PathError("incompatible types for comparison")
    if operator == "==":
        return bool(left == right)
    if operator == "!=":
        return bool(left != right)
    if kinds[0] == "bool":
        raise PathError("invalid type for comparison")
    less, same = left < right, left == right
    return {"<": less, "<=": less or same, ">": not (less or same), ">=": not less}[operator]


def _basic(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "int"
    if isinstance(value, float):
        return "float"
    if isinstance(value, str):
        return "string"
    raise PathError("invalid type for comparison")


def _go_type(value: Any) -> str:
    if isinstance(value, dict):
        return "map[string]interface {}"
    return {"bool": "bool", "int": "int64", "float": "float64"}.get(_basic(value), "string")


def _shown(value: Any) -> str:
    if isinstance(value, dict | list):
        return as_json(value)
    return "null" if value is None else printed(value)
