"""memory.list-at: what the store held at a revision, on 200 random histories.

Invariant: the store itself knows the answer.
"""

from random import Random
from typing import Any

from kubemini.etcd.store.mvcc import TO_THE_END, Store
from kubemini.lab import NotYet, Report, ask, exercise

Changes = list[tuple[int, str, str, str]]  # revision, PUT or DELETE, key, value
HISTORIES = 200


def history(seed: int) -> tuple[Store, Changes]:
    """A store after a random life, and its log."""
    dice, store = Random(seed), Store()
    for _ in range(dice.randint(3, 25)):
        operations = [_operation(dice, key) for key in dice.sample("abcde", dice.choice((1, 1, 1, 2, 3)))]
        store.apply("txn", {"success": operations})
    return store, [(c.revision, c.type, c.kv["key"], c.kv["value"]) for c in store.log]


def _operation(dice: Random, key: str) -> dict[str, Any]:
    if dice.random() < 0.3:
        return {"request_delete_range": {"key": key}}
    return {"request_put": {"key": key, "value": str(dice.randint(1, 99))}}


def held(store: Store, revision: int) -> dict[str, str]:
    """What *store* says it held at *revision*."""
    answer = store.apply("range", {"key": "\0", "range_end": TO_THE_END, "revision": revision})
    assert isinstance(answer, dict), "nothing is compacted here"
    return {kv["key"]: kv["value"] for kv in answer["kvs"]}


@exercise("memory.list-at")
def check_list_at(answer: Any) -> Report:
    """*answer*: a function of a list of changes and a revision: the keys and values that were there."""
    asked, deleted = 0, 0
    for seed in range(HISTORIES):
        store, changes = history(seed)
        for revision in sorted({1, 1 + store.revision // 2, store.revision}):
            _compare(answer, changes, revision, held(store, revision))
            asked += 1
        deleted += sum(change[1] == "DELETE" for change in changes)
    return Report(
        "pass",
        (f"{asked} of {asked} questions about {HISTORIES} histories", f"{deleted:,} deletions among their changes"),
        "Whoever has every change up to a revision has the whole store as it was then.",
        "That is how an informer keeps its copy: a list at one revision, then a watch from the next one on.",
    )


def _compare(answer: Any, changes: Changes, revision: int, right: dict[str, str]) -> None:
    got = ask(answer, list(changes), revision)
    if got == right:
        return
    if not isinstance(got, dict):
        raise NotYet(f"Return a dict of keys and values, not {got!r}.")
    near = [change for change in changes if abs(change[0] - revision) < 3]
    facts = (f"at revision {revision} the store held {right}, you say {got}", f"changes around it: {near}")
    if got == _replayed(changes, revision - 1):
        raise NotYet("That is the store one revision too early: the change of the revision itself counts.", *facts)
    if any(key not in right for key in got):
        raise NotYet("You list a key that was not there: deleted, or not yet written.", *facts)
    raise NotYet("That is not what the store held.", *facts, next="Of several changes of a key the last one counts.")


def _replayed(changes: Changes, revision: int) -> dict[str, str]:
    there: dict[str, str] = {}
    for at, kind, key, value in changes:
        if at <= revision:
            there.pop(key, None)
            there.update({key: value} if kind == "PUT" else {})
    return there
