"""Who writes so much? A store that several programs write to, and what ``get / --prefix`` showed of it, twice.

Invariant: a scenario is a function of its seed. One kind of object is written four times as often as any other between
the two looks. Before, it may have been another one; a third one has the most keys; and keys may have been deleted and
created again right after the first look, which begins their versions anew.
Simplified: one kind of object for each program, and every write changes one key.
"""

from collections import Counter
from random import Random
from typing import Any, NamedTuple

from kubemini.etcd.store.mvcc import TO_THE_END, KeyValue, Store

KINDS = ("configmaps", "events", "leases", "pods", "secrets")
BEFORE, BETWEEN = 400, 150  # writes


class Looks(NamedTuple):
    """The records at two moments, and how many revisions each kind made between them."""

    before: list[KeyValue]
    after: list[KeyValue]
    revisions: Counter[str]


def kind_of(key: str) -> str:
    """``/registry/KIND/NAME`` → KIND."""
    return key.split("/")[2]


def looks(seed: int) -> Looks:
    """Two looks at the store of *seed*."""
    rng, store = Random(f"talkers/{seed}"), Store()
    loud, other, many = rng.sample(KINDS, 3)
    anew = seed % 3 == 1
    keys = {kind: 15 if kind == many else rng.randint(3, 8) for kind in KINDS}
    _write(store, rng, BEFORE, loud if anew else other, keys)
    before, revision = _look(store), store.revision
    for kv in [kv for kv in before if anew and kind_of(kv["key"]) == loud]:
        store.apply("delete_range", {"key": kv["key"]})
        store.apply("put", {"key": kv["key"], "value": "…"})
    _write(store, rng, BETWEEN, loud, keys)
    revisions = Counter(kind_of(change.kv["key"]) for change in store.log if change.revision > revision)
    return Looks(before, _look(store), revisions)


def _write(store: Store, rng: Random, times: int, loud: str, keys: dict[str, int]) -> None:
    weights = [4 if kind == loud else 1 for kind in KINDS]
    for kind in rng.choices(KINDS, weights, k=times):
        store.apply("put", {"key": f"/registry/{kind}/{rng.randrange(keys[kind])}", "value": "…"})


def _look(store: Store) -> list[dict[str, Any]]:
    answer = store.apply("range", {"key": "/", "range_end": TO_THE_END})
    assert isinstance(answer, dict), "nothing is compacted here"
    return [dict(kv) for kv in answer["kvs"]]


def mistaken(found: Looks) -> dict[str, str]:
    """The kind that other ways to count would name: by number of keys, by all writes, across a new creation."""
    old = {kv["key"]: kv["version"] for kv in found.before}
    ways = {
        "keys": lambda kv: 1,
        "all": lambda kv: kv["version"],
        "across": lambda kv: kv["version"] - old.get(kv["key"], 0),
    }
    counts = {way: Counter[str]() for way in ways}
    for kv in found.after:
        for way, count in ways.items():
            counts[way][kind_of(kv["key"])] += count(kv)
    return {way: count.most_common(1)[0][0] for way, count in counts.items()}
