"""A history: what each process asked for, what it was told, and in which order the two happened.

Jepsen's shape, one JSON object a line: {"process": 0, "type": "invoke", "f": "write", "key": "x", "value": 1}.
`type` is invoke, ok (it happened), fail (it certainly did not) or info (nobody knows); `f` is read, write, cas (value
[old, new]) or append. Each operation is an invoke and at most one completion; without one its fate is unknown. What
is written stands in the invoke, what was read in the completion.
What the process "nemesis" did is trouble, no operation.
Invariant: what certainly did not happen, and a read without an answer, says nothing and is left out.
"""

import json
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from kubemini.ranges import cut, shown

DEEPEST = 50  # levels of lists and objects in a value
FUNCTIONS = ("read", "write", "cas", "append")
TYPES = ("invoke", "ok", "fail", "info")


class HistoryError(ValueError):
    """A history that cannot be read; the message names the line and what was expected there."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One deed of a process between two places of the history. *returned* is None if its fate is unknown."""

    process: Any
    f: str
    key: Any
    value: Any
    invoked: int
    returned: int | None

    def __str__(self) -> str:
        if self.f == "cas":
            return f"cas {self.value[0]}→{self.value[1]}"
        return f"read {self.value}" if self.f == "read" else f"{self.f} {self.value}"


def parse(text: str) -> list[Operation]:
    """The operations of *text*, JSON lines. Raises HistoryError naming the line."""
    lines = enumerate(text.split("\n"), start=1)  # not `splitlines`: JSON may hold U+2028 and its like
    events = [(number, _decoded(line, number)) for number, line in lines if line.strip()]
    if not events:
        raise HistoryError("the history is empty; write one JSON object a line, such as an invoke of a read")
    return from_events(events)


def _decoded(line: str, number: int) -> Any:
    try:
        return json.loads(line, object_pairs_hook=_once_each, parse_constant=_no_number)
    except RecursionError:
        raise HistoryError(f"line {number}: nested more than {DEEPEST} levels deep; a value is simpler") from None
    except ValueError as error:
        raise HistoryError(f"line {number}: not JSON ({error}); write one object a line") from None


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; a name that stands in it twice is a mistake."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"{next(name for name in names if names.count(name) > 1)!r} stands there twice")
    return found


def _no_number(word: str) -> Any:
    raise ValueError(f"{word} is no number of JSON")


def from_events(events: Iterable[tuple[int, Any]]) -> list[Operation]:
    """The operations behind numbered events, in order of invocation. Raises HistoryError naming the number."""
    under_way: dict[Any, tuple[int, Mapping[str, Any]]] = {}
    found: list[Operation] = []
    for number, event in events:
        if isinstance(event, dict) and event.get("process") == "nemesis":
            continue
        _check(event, number)
        process = frozen(event["process"])
        if event["type"] == "invoke":
            if process in under_way:
                _close(under_way.pop(process), None, found)
            under_way[process] = (number, event)
            continue
        if process not in under_way:
            raise HistoryError(
                f"line {number}: process {cut(str(event['process']))} completes nothing; its invoke is missing"
            )
        _close(under_way.pop(process), (number, event), found)
    for asked in under_way.values():
        _close(asked, None, found)
    return sorted(found, key=lambda op: op.invoked)


def _check(event: Any, number: int) -> None:
    if not isinstance(event, dict):
        raise HistoryError(f"line {number}: expected an object such as {{...}}, got {cut(json.dumps(event))}")
    for field in ("process", "type", "f"):
        if field not in event:
            raise HistoryError(f"line {number}: {field!r} is missing")
    for field, known in (("type", TYPES), ("f", FUNCTIONS)):
        if event[field] not in known:
            raise HistoryError(f"line {number}: {field} is {shown(event[field])}; expected one of {', '.join(known)}")
    if isinstance(event["process"], (dict, list)) or isinstance(event.get("key"), (dict, list)):
        raise HistoryError(f"line {number}: process and key are numbers or texts")
    if _depth(event.get("value")) > DEEPEST:
        raise HistoryError(f"line {number}: nested more than {DEEPEST} levels deep; a value is simpler")
    if event["type"] == "invoke" and event["f"] != "read":
        _check_asked(event, number)


def _check_asked(event: Mapping[str, Any], number: int) -> None:
    """What is to be written stands in the invocation."""
    value = event.get("value")
    if event["f"] == "cas" and not (isinstance(value, list) and len(value) == 2):
        raise HistoryError(f"line {number}: the value of a cas is [old, new], got {cut(json.dumps(value))}")
    if "value" not in event:
        raise HistoryError(f"line {number}: {event['f']} what? its value is missing")


def _depth(value: Any) -> int:
    """How many lists and objects lie in each other."""
    levels, inside = 0, [value]
    while inside := [item for item in inside if isinstance(item, (list, dict))]:
        levels += 1
        inside = [inner for item in inside for inner in (item.values() if isinstance(item, dict) else item)]
    return levels


class Truth(Enum):
    """A boolean of JSON. Python's own are equal to 1 and 0, JSON's are not."""

    FALSE = False
    TRUE = True


def frozen(value: Any) -> Hashable:
    """*value* as something that can be compared and remembered, and is equal to nothing that JSON tells from it."""
    if isinstance(value, bool):
        return Truth(value)
    if isinstance(value, (list, tuple)):
        return tuple(map(frozen, value))
    if isinstance(value, Mapping):
        return frozenset((name, frozen(inner)) for name, inner in value.items())
    return value


def thawed(value: Hashable) -> Any:
    """What was `frozen`; lists stay tuples."""
    if isinstance(value, Truth):
        return value.value
    if isinstance(value, tuple):
        return tuple(map(thawed, value))
    return {name: thawed(inner) for name, inner in sorted(value)} if isinstance(value, frozenset) else value


def _close(asked: tuple[int, Mapping[str, Any]], told: tuple[int, Mapping[str, Any]] | None, found: list) -> None:
    """Add the operation, unless it says nothing."""
    number, event = asked
    f, kind = event["f"], told[1]["type"] if told else "info"
    if told:
        _check_answer(event, *told)
    if kind == "fail" or (f == "read" and kind == "info"):
        return
    answer = told[1] if told and f == "read" else event
    returned = told[0] if told and kind == "ok" else None
    found.append(Operation(event["process"], f, event.get("key"), answer.get("value"), number, returned))


def _check_answer(asked: Mapping[str, Any], number: int, told: Mapping[str, Any]) -> None:
    """The completion is that of what was asked."""
    who, f = f"process {cut(str(asked['process']))}", asked["f"]
    if told["f"] != f:
        raise HistoryError(f"line {number}: {who} invoked {f}, and completes {told['f']}")
    if frozen(told.get("key", asked.get("key"))) != frozen(asked.get("key")):
        keys = f"of key {cut(str(asked.get('key')))}, and completes {cut(str(told['key']))}"
        raise HistoryError(f"line {number}: {who} invoked {f} {keys}")
