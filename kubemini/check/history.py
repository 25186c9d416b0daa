"""A history: what each process asked for, what it was told, and in which order the two happened.

Jepsen's shape, one JSON object a line: {"process": 0, "type": "invoke", "f": "write", "key": "x", "value": 1}.
`type` is invoke, ok (it happened), fail (it certainly did not) or info (nobody knows); `f` is read, write, cas (value
[old, new]) or append. Each operation is an invoke and at most one completion; without one its fate is unknown.
What the process "nemesis" did is trouble, no operation.
Invariant: what certainly did not happen, and a read without an answer, says nothing and is left out.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

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
    events = []
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            try:
                events.append((number, json.loads(line)))
            except ValueError as error:
                raise HistoryError(f"line {number}: not JSON ({error}); write one object a line") from None
    if not events:
        raise HistoryError("the history is empty; write one JSON object a line, such as an invoke of a read")
    return from_events(events)


def from_events(events: Iterable[tuple[int, Any]]) -> list[Operation]:
    """The operations behind numbered events, in order of invocation. Raises HistoryError naming the number."""
    under_way: dict[Any, tuple[int, Mapping[str, Any]]] = {}
    found: list[Operation] = []
    for number, event in events:
        if isinstance(event, dict) and event.get("process") == "nemesis":
            continue
        _check(event, number)
        process = event["process"]
        if event["type"] == "invoke":
            if process in under_way:
                _close(under_way.pop(process), None, found)
            under_way[process] = (number, event)
            continue
        if process not in under_way:
            raise HistoryError(f"line {number}: process {process} completes nothing; its invoke is missing")
        _close(under_way.pop(process), (number, event), found)
    for asked in under_way.values():
        _close(asked, None, found)
    return sorted(found, key=lambda op: op.invoked)


def _check(event: Any, number: int) -> None:
    if not isinstance(event, dict):
        raise HistoryError(f"line {number}: expected an object such as {{...}}, got {json.dumps(event)}")
    for field in ("process", "type", "f"):
        if field not in event:
            raise HistoryError(f"line {number}: {field!r} is missing")
    for field, known in (("type", TYPES), ("f", FUNCTIONS)):
        if event[field] not in known:
            raise HistoryError(f"line {number}: {field} is {event[field]!r}; expected one of {', '.join(known)}")
    if isinstance(event["process"], (dict, list)) or isinstance(event.get("key"), (dict, list)):
        raise HistoryError(f"line {number}: process and key are numbers or texts")
    value = event.get("value")
    if event["f"] == "cas" and not (isinstance(value, list) and len(value) == 2):
        raise HistoryError(f"line {number}: the value of a cas is [old, new], got {json.dumps(value)}")


def _close(asked: tuple[int, Mapping[str, Any]], told: tuple[int, Mapping[str, Any]] | None, found: list) -> None:
    """Add the operation, unless it says nothing."""
    number, event = asked
    f, kind = event["f"], told[1]["type"] if told else "info"
    if told and told[1]["f"] != f:
        raise HistoryError(f"line {told[0]}: process {event['process']} invoked {f}, and completes {told[1]['f']}")
    if kind == "fail" or (f == "read" and kind == "info"):
        return
    answer = told[1] if told and f == "read" else event
    returned = told[0] if told and kind == "ok" else None
    found.append(Operation(event["process"], f, event.get("key"), answer.get("value"), number, returned))
