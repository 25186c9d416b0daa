"""Random histories of a register and a list: the same seed writes the same one.

Every operation takes effect at some moment between its two ends, or its fate is unknown; so far the history is
linearizable. In two of three, something is then told wrong: mostly a violation, now and then still explicable.
"""

import json
from collections.abc import Iterator
from random import Random
from typing import Any

Event = dict[str, Any]
VALUES = (0, 1, 2, "1", True)


class Store:
    """What the operations act on, one at a time."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}

    def act(self, f: str, key: str, value: Any) -> tuple[bool, Any]:
        """Whether it took place, and what is told."""
        holds = self.values.get(key)
        match f:
            case "read":
                return True, holds
            case "write":
                self.values[key] = value
            case "append":
                self.values[key] = [*(holds or []), value]
            case "cas" if same(holds, value[0]):
                self.values[key] = value[1]
            case _:
                return False, value
        return True, value


def same(one: Any, other: Any) -> bool:
    """Whether JSON has one text for both: true is not 1."""
    return json.dumps(one) == json.dumps(other)


def operations(rng: Random) -> Iterator[tuple[str, str, Any]]:
    """Function, key and value, without end: numbers and the like at x, lists at y."""
    number = 0
    while True:
        number += 1
        if rng.random() < 0.3:
            yield (("read", "y", None), ("append", "y", number))[rng.random() < 0.6]
        else:
            f = rng.choice(("read", "read", "write", "cas"))
            yield f, "x", [rng.choice(VALUES), rng.choice(VALUES)] if f == "cas" else rng.choice(VALUES)


def history(seed: int, honest: bool = False) -> list[Event]:
    """The events of one history, in order; an *honest* one tells nothing wrong."""
    rng, store = Random(seed), Store()
    todo, wanted = operations(rng), rng.randrange(8, 40)
    events: list[Event] = []
    waiting: dict[int, Event] = {}  # process → its invoke, not carried out yet
    finished: dict[int, Event] = {}  # process → what it will be told
    process, asked = 0, 0
    while asked < wanted or waiting or finished:
        act = rng.random()
        if act < 0.4 and asked < wanted and len(waiting) + len(finished) < 5:
            f, key, value = next(todo)
            process, asked = process + 1, asked + 1
            told = None if f == "read" else value
            waiting[process] = {"process": process, "type": "invoke", "f": f, "key": key, "value": told}
            events.append(waiting[process])
        elif act < 0.7 and waiting:
            number = rng.choice(list(waiting))
            finished[number] = _carried_out(rng, store, waiting.pop(number))
        elif finished:
            events.append(finished.pop(rng.choice(list(finished))))
    if not honest and rng.random() < 2 / 3:
        _tell_wrong(rng, events)
    return events


def _carried_out(rng: Random, store: Store, invoke: Event) -> Event:
    """What the process is told in the end: sometimes that nobody knows, and then it may not have happened."""
    lost = rng.random() < 0.15
    if lost and rng.random() < 0.5:
        return invoke | {"type": "info"}
    took, told = store.act(invoke["f"], invoke["key"], invoke["value"])
    return invoke | {"type": "info" if lost else "ok" if took else "fail", "value": told}


def _tell_wrong(rng: Random, events: list[Event]) -> None:
    """One read is told what another one saw, or a refused change is told to have happened."""
    told = [e for e in events if e["type"] == "ok" and e["f"] == "read"]
    refused = [e for e in events if e["type"] == "fail"]
    if refused and rng.random() < 0.3:
        rng.choice(refused)["type"] = "ok"
    elif len(told) > 1:
        one, other = rng.sample(told, 2)
        if one["key"] == other["key"]:
            one["value"] = other["value"]
