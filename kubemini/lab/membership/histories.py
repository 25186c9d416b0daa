"""membership.histories: 40 histories of a register, half of them linearizable.

Invariant: the key is what `kubemini check` finds, never written down.
"""

from itertools import count
from math import inf
from random import Random
from typing import Any

from kubemini.judge.history import Operation
from kubemini.judge.linearizability import Violation
from kubemini.judge.linearizability import check as violation
from kubemini.lab import NotYet, Report, ask, exercise

HISTORIES = 40
History = list[dict[str, Any]]  # client, does, value, from, to


def history(seed: int) -> History:
    """What three or four clients were told by one register; if *seed* is odd, one of the answers is made up."""
    dice = Random(f"history/{seed}")
    operations: History = []
    for client in range(1, dice.choice((3, 4, 4)) + 1):
        now = dice.randint(0, 8)
        for _ in range(dice.choice((1, 2, 2))):
            now += dice.randint(1, 4)
            does = "write" if dice.random() < 0.4 else "read"
            operations.append({"client": client, "does": does, "from": now, "to": now + dice.randint(2, 8)})
            now = operations[-1]["to"]
    _fill_in(operations, dice)
    if seed % 2:
        _make_up(operations, dice)
    return _on_one_clock([o for o in operations if o["does"] == "write" or o["to"] < inf])


def _fill_in(operations: History, dice: Random) -> None:
    """Values: each operation takes effect at one moment while it is under way; some writes nobody heard of again."""
    effects = []
    for number, operation in enumerate(operations, start=1):
        moment = dice.uniform(operation["from"], operation["to"])
        if operation["does"] == "write":
            operation["value"] = number
            last = all(o is operation or o["client"] != operation["client"] for o in operations[number:])
            if last and dice.random() < 0.4:
                operation["to"], moment = inf, dice.choice((moment, moment + 6, inf))
        effects.append((moment, number, operation))
    value = None
    for _, _, operation in sorted(effects, key=lambda effect: effect[:2]):
        if operation["does"] == "write":
            value = operation["value"]
        else:
            operation["value"] = value


def _make_up(operations: History, dice: Random) -> None:
    reads = [o for o in operations if o["does"] == "read"]
    if reads:
        read = dice.choice(reads)
        begun = [o["value"] for o in operations if o["does"] == "write" and o["from"] < read["to"]]
        read["value"] = dice.choice([value for value in begun if value != read["value"]] or [None])


def _on_one_clock(operations: History) -> History:
    """Moments as whole numbers, no two alike."""
    moments = [(o[end], number, end) for number, o in enumerate(operations) for end in ("from", "to") if o[end] < inf]
    for place, (_, number, end) in enumerate(sorted(moments), start=1):
        operations[number] = {**operations[number], end: place}
    return sorted(operations, key=lambda o: o["from"])


def judge(operations: History) -> Violation | None:
    """What `kubemini.check` says: the answer that cannot be, or None if the history is linearizable."""
    return violation(
        Operation(o["client"], o["does"], "x", o["value"], o["from"], None if o["to"] == inf else o["to"])
        for o in operations
    )


def histories() -> list[tuple[History, Violation | None]]:
    """Forty that are worth a look, half of them not linearizable, each with what is wrong with it."""
    kinds: dict[bool, list[tuple[History, Violation | None]]] = {False: [], True: []}
    for seed in count(1):
        candidate = history(seed)
        if len(candidate) >= 5 and sum(o["does"] == "read" for o in candidate) >= 2:
            wrong = judge(candidate)
            kinds[wrong is None].append((candidate, wrong))
        if min(map(len, kinds.values())) >= HISTORIES // 2:
            break
    found = [pair for kind in kinds.values() for pair in kind[: HISTORIES // 2]]
    Random("order").shuffle(found)
    return found


@exercise("membership.histories")
def check_histories(answer: Any) -> Report:
    """*answer*: a function of a history: whether some order explains it."""
    forty = histories()
    for number, (found, wrong) in enumerate(forty, start=1):
        _compare(answer, number, found, wrong)
    for number, (found, wrong) in enumerate(forty, start=1):
        _try_disguised(answer, number, found, wrong is None)
    timed_out = sum(any(o["to"] == inf for o in found) for found, _ in forty)
    return Report(
        "pass",
        (
            f"{HISTORIES} of {HISTORIES} histories, half of them not linearizable",
            f"in {timed_out} of them somebody never learned what became of a write",
        ),
        "A history is linearizable if some order explains it in which what was over comes before what began later.",
        "So it is one of a single register, although there are many: python -m kubemini check does it for thousands.",
    )


def _try_disguised(answer: Any, number: int, found: History, right: bool) -> None:
    """The same once more: with other names, later; and what is left when nobody has read anything."""
    if _verdict(answer, _disguised(found, number)) != right:
        raise NotYet(
            f"History {number} with other clients' names and a later clock, and you say the opposite.",
            next="What counts is what was over before what began; names do not.",
        )
    if not _verdict(answer, [o for o in found if o["does"] == "write"]):
        raise NotYet(
            "You refuse a history of writes alone: nobody has seen anything that could be wrong.",
            f"history {number} without its reads",
        )


def _disguised(operations: History, shift: int) -> History:
    other = [{**o, "client": 9 - o["client"], "from": o["from"] + shift, "to": o["to"] + shift} for o in operations]
    return other[::-1]


def _verdict(answer: Any, operations: History) -> bool:
    said = ask(answer, [dict(o) for o in operations])
    if not isinstance(said, bool):
        raise NotYet(f"Return True if the history is linearizable, False if it is not; yours is {said!r}.")
    return said


def _compare(answer: Any, number: int, found: History, wrong: Violation | None) -> None:
    if _verdict(answer, found) == (wrong is None):
        return
    facts = (f"history {number} of {HISTORIES}", *map(told, found))
    if wrong is None:
        order = ", ".join(_short(o) for o in explain(found) or ())
        raise NotYet("You refuse a history that an order explains.", *facts, next=f"This is one: {order}.")
    op = wrong.operation
    cannot = f"Client {op.process} cannot have read {op.value} from {op.invoked} to {op.returned}."
    raise NotYet("You accept a history that no order explains.", *facts, next=cannot)


def explain(operations: History, value: Any = None) -> History | None:
    """An order that explains the answers, or None: try first whatever was not over when another began."""
    if all(o["to"] == inf for o in operations):
        return []
    first = min(o["to"] for o in operations)
    for o in operations:
        if o["from"] < first and (o["does"] == "write" or o["value"] == value):
            rest = explain([other for other in operations if other is not o], o["value"])
            if rest is not None:
                return [o, *rest]
    return None


def _short(o: dict[str, Any]) -> str:
    return f"{o['does']} {o['value']} of client {o['client']}"


def told(o: dict[str, Any]) -> str:
    """One operation of a history in words."""
    end = f"to {o['to']}" if o["to"] < inf else "timed out"
    return f"client {o['client']}: {o['does']} {o['value']}, from {o['from']}, {end}"
