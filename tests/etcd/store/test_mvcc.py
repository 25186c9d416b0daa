"""The store of revisions: what the recorded session does not ask it."""

import random

import pytest

from kubemini.etcd.errors import COMPACTED, FUTURE_REVISION, LEASE_NOT_FOUND
from kubemini.etcd.store.lease import Lessor
from kubemini.etcd.store.mvcc import Store, is_in
from kubemini.sim.units import SECOND


def put(store, key, value="v", **more):
    return store.apply("put", {"key": key, "value": value, **more})


def values(store, key="\0", range_end="\0", **more):
    return {kv["key"]: kv["value"] for kv in store.apply("range", {"key": key, "range_end": range_end, **more})["kvs"]}


def test_the_first_write_is_revision_two():
    store = Store()
    assert store.revision == 1
    assert put(store, "a")["header"]["revision"] == 2


def test_a_transaction_that_changes_something_is_one_revision_and_one_that_changes_nothing_is_none():
    store = Store()
    store.apply("txn", {"success": [{"request_put": {"key": k, "value": k}} for k in "abc"]})
    assert store.revision == 2
    store.apply("txn", {"success": [{"request_delete_range": {"key": "z"}}, {"request_range": {"key": "a"}}]})
    assert store.revision == 2


def test_a_value_is_kept_by_reference_whatever_it_is():
    store, pod = Store(), {"kind": "Pod"}
    put(store, "/registry/pods/default/web", pod)
    assert store.get("/registry/pods/default/web")["value"] is pod


def test_every_past_revision_reads_as_it_was_then():
    """Against the simplest store there is: a copy of the whole dict at every revision."""
    chance, store, past = random.Random(7), Store(), {1: {}}
    for number in range(300):
        now, key = dict(past[store.revision]), f"k{chance.randrange(12)}"
        if chance.random() < 0.7:
            put(store, key, str(number))
            now[key] = str(number)
        else:
            end = f"k{chance.randrange(12)}"
            store.apply("delete_range", {"key": key, "range_end": end})
            now = {k: v for k, v in now.items() if not is_in(k, key, end)}
        past[store.revision] = now
    for revision, then in past.items():
        assert values(store, revision=revision) == then
    store.apply("compact", {"revision": 150})
    for revision, then in past.items():
        if revision >= 150:
            assert values(store, revision=revision) == then
        else:
            assert store.apply("range", {"key": "k1", "revision": revision}) is COMPACTED


def test_replaying_the_history_rebuilds_the_store():
    store = Store()
    for number in range(20):
        put(store, f"k{number % 5}", str(number))
    store.apply("delete_range", {"key": "k1", "range_end": "k3"})
    rebuilt = {}
    for change in store.history(2):
        if change.type == "PUT":
            rebuilt[change.kv["key"]] = change.kv["value"]
        else:
            del rebuilt[change.kv["key"]]
    assert rebuilt == values(store)


def test_history_begins_at_the_asked_revision_and_knows_the_record_before():
    store = Store()
    put(store, "a", "1")
    put(store, "a", "2")
    (change,) = store.history(3)
    assert (change.revision, change.kv["value"], change.previous["value"]) == (3, "2", "1")
    assert store.history(4) == []


def test_history_before_the_compaction_is_refused_and_at_it_is_not():
    store = Store()
    for number in range(5):
        put(store, "a", str(number))
    store.apply("compact", {"revision": 4})
    assert store.history(3) is COMPACTED
    assert [c.revision for c in store.history(4)] == [4, 5, 6]


def test_compaction_forgets_deleted_keys_altogether():
    store = Store()
    put(store, "gone")
    store.apply("delete_range", {"key": "gone"})
    put(store, "stays")
    store.apply("compact", {"revision": store.revision})
    assert store._keys == ["stays"]


def test_a_failed_transaction_leaves_no_trace():
    store = Store()
    error = store.apply(
        "txn",
        {"success": [{"request_put": {"key": "a", "value": "1"}}, {"request_range": {"key": "a", "revision": 99}}]},
    )
    assert error is FUTURE_REVISION
    assert store.revision == 1 and store.log == [] and store.get("a") is None


def test_reads_inside_a_transaction_see_its_writes_and_past_revisions_do_not():
    store = Store()
    put(store, "a", "old")
    answer = store.apply(
        "txn",
        {
            "success": [
                {"request_put": {"key": "a", "value": "new"}},
                {"request_range": {"key": "a"}},
                {"request_range": {"key": "a", "revision": 2}},
            ]
        },
    )
    seen = [r["response_range"]["kvs"][0]["value"] for r in answer["responses"][1:]]
    assert seen == ["new", "old"]


@pytest.mark.parametrize(
    ("target", "field", "value"), [("MOD", "mod_revision", 2), ("VALUE", "value", "1"), ("LEASE", "lease", 0)]
)
def test_compare_and_swap_succeeds_on_what_is_there_and_fails_on_anything_else(target, field, value):
    store = Store()
    put(store, "a", "1")
    compare = {"key": "a", "target": target, field: value}
    wrong = {**compare, field: "2" if target == "VALUE" else 3}
    assert not store.apply("txn", {"compare": [compare, wrong]})["succeeded"]
    assert store.apply("txn", {"compare": [compare]})["succeeded"]


@pytest.mark.parametrize(
    ("target", "field", "value"),
    [("VERSION", "version", 3), ("CREATE", "create_revision", 2), ("MOD", "mod_revision", 5), ("LEASE", "lease", 7)],
)
def test_each_compare_looks_at_a_number_of_its_own(target, field, value):
    store = Store()
    store.apply("lease_grant", {"ID": 7, "TTL": 60})
    for key in "kkxk":
        store.apply("put", {"key": key, "value": "v", "lease": 7})
    holds = {"EQUAL": {value}, "GREATER": set(range(value)), "LESS": set(range(value + 1, 10))}
    holds["NOT_EQUAL"] = set(range(10)) - {value}
    for result, wanted in holds.items():
        for number in range(10):
            compare = {"key": "k", "target": target, "result": result, field: number}
            assert store.apply("txn", {"compare": [compare]})["succeeded"] == (number in wanted), (result, number)


def test_a_key_that_moves_to_another_lease_or_to_none_does_not_go_with_the_old_one():
    store = Store()
    for lease in (7, 8):
        store.apply("lease_grant", {"ID": lease, "TTL": 60})
    for key in "ab":
        store.apply("put", {"key": key, "value": "v", "lease": 7})
    store.apply("put", {"key": "a", "value": "v", "lease": 8})
    store.apply("put", {"key": "b", "value": "v"})
    store.apply("lease_revoke", {"ID": 7})
    assert store.get("a") and store.get("b")
    store.apply("lease_revoke", {"ID": 8})
    assert store.get("a") is None and store.get("b")


def test_a_lease_takes_its_keys_along_in_one_revision():
    store = Store()
    store.apply("lease_grant", {"ID": 5, "TTL": 10})
    put(store, "b", lease=5)
    put(store, "a", lease=5)
    put(store, "c")
    store.apply("lease_revoke", {"ID": 5})
    assert [(c.revision, c.kv["key"], c.type) for c in store.history(5)] == [(5, "a", "DELETE"), (5, "b", "DELETE")]
    assert put(store, "d", lease=5) is LEASE_NOT_FOUND


def test_only_the_leader_knows_when_a_lease_ends_and_a_new_leader_gives_it_its_full_time_again():
    lessor = Lessor()
    lessor.grant(1, 5, now=0)
    assert lessor.next_expiry() is None
    lessor.promote(now=3 * SECOND, extend=SECOND)
    assert lessor.next_expiry() == 9 * SECOND
    assert lessor.expired(8 * SECOND) == [] and lessor.expired(9 * SECOND) == [1]
    lessor.demote()
    assert lessor.expired(99 * SECOND) == []


def test_a_range_of_a_transaction_may_not_look_below_what_is_compacted_not_even_below_zero():
    """Asked of an etcd 3.4.23, as the next one: of a plain range a revision below zero is the present."""
    store = Store()
    for value in "123":
        put(store, "a", value)
    past = {"request_range": {"key": "a", "revision": -1}}
    assert store.apply("txn", {"success": [past]})["succeeded"]
    store.apply("compact", {"revision": 3})
    before = store.revision
    assert values(store, "a", "", revision=-1) == {"a": "3"}
    assert store.apply("txn", {"success": [past]}) == COMPACTED
    assert store.apply("txn", {"success": [{"request_put": {"key": "b", "value": "x"}}, past]}) == COMPACTED
    assert store.apply("txn", {"failure": [past], "success": []})["succeeded"]
    nested = {"request_txn": {"success": [{"request_put": {"key": "b"}}, past]}}
    assert store.apply("txn", {"success": [nested]}) == COMPACTED
    assert store.get("b") is None and store.revision == before


def test_in_a_transaction_all_puts_are_judged_before_the_first_range():
    put(store := Store(), "a")
    future = {"request_range": {"key": "a", "revision": 99}}
    for operations in (
        [future, {"request_put": {"key": "b", "lease": 5}}],
        [{"request_put": {"key": "b", "lease": 5}}, future],
    ):
        assert store.apply("txn", {"success": operations}) == LEASE_NOT_FOUND
    assert store.apply("txn", {"success": [future]}) == FUTURE_REVISION


def test_the_hash_of_a_past_that_is_forgotten_or_not_yet_there_is_refused():
    store = Store()
    for value in "123":
        put(store, "a", value)
    store.apply("compact", {"revision": 3})
    assert (store.hash(3), store.hash(9)) == (COMPACTED, FUTURE_REVISION)
    assert store.hash(4) == store.hash()


def test_what_was_before_a_change_is_what_was_before_its_revision():
    """A nested put, then a nested deletion: a watch of a real etcd (3.4.23) has the older value with both events."""
    store = Store()
    put(store, "a", "old")
    nested = [{"request_put": {"key": "a", "value": "new"}}], [{"request_delete_range": {"key": "a"}}]
    store.apply("txn", {"success": [{"request_txn": {"success": operations}} for operations in nested]})
    changes = store.history(3)
    assert [(change.type, change.previous["value"]) for change in changes] == [("PUT", "old"), ("DELETE", "old")]
