"""Requests that no client of etcd could mean: one clear error each, nothing changed, every member alive."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubemini.etcd.store.shapes import SHAPES, check
from kubemini.sim.units import SECOND
from tests.worlds.etcd import World

KEY = {"key": "k"}
NUMBERS = ["abc", "7", 1.5, True, None, [], {}, 2**70]


@pytest.mark.parametrize(
    ("method", "request_", "words"),
    [
        ("range", {"key": 5}, "RangeRequest: key is text, got 5"),
        ("range", {**KEY, "revision": "abc"}, "RangeRequest: revision is a whole number, got 'abc'"),
        ("range", {**KEY, "limit": True}, "RangeRequest: limit is a whole number, got True"),
        ("range", {**KEY, "revision": 2**70}, f"RangeRequest: revision has 64 bits, got {2**70}"),
        ("range", {**KEY, "sort_order": "UP"}, 'unknown value "UP" for enum etcdserverpb.RangeRequest_SortOrder'),
        ("range", {**KEY, "sort_target": 9}, 'unknown value "9" for enum etcdserverpb.RangeRequest_SortTarget'),
        ("range", [], "the request is a RangeRequest, an object of fields, got []"),
        ("put", {**KEY, "prev_kv": "yes"}, "PutRequest: prev_kv is true or false, got 'yes'"),
        ("put", {**KEY, "value": 7}, "PutRequest: value is text or an object, got 7"),
        ("txn", {"success": 5}, "TxnRequest: success is a list, got 5"),
        ("txn", {"success": [5]}, "TxnRequest: success is a RequestOp, an object of fields, got 5"),
        ("txn", {"compare": [{**KEY, "target": "X"}]}, 'unknown value "X" for enum etcdserverpb.Compare_CompareTarget'),
        (
            "txn",
            {"success": [{"request_put": KEY, "request_range": KEY}]},
            "RequestOp: one operation at a time, got request_put, request_range",
        ),
        ("alarm", {"action": "X"}, 'unknown value "X" for enum etcdserverpb.AlarmRequest_AlarmAction'),
        ("lease_grant", {"TTL": "abc"}, "LeaseGrantRequest: TTL is a whole number, got 'abc'"),
        ("member_add", {"peerURLs": "http://x:1"}, "MemberAddRequest: peerURLs is a list, got 'http://x:1'"),
        ("snapshot", 3, "the request is a request, an object of fields, got 3"),
    ],
)
def test_a_request_of_the_wrong_form_is_refused_and_the_field_is_named(method, request_, words):
    error = check(method, request_)
    assert (error.code, error.message, error.definite) == ("INVALID_ARGUMENT", words, True)


@pytest.mark.parametrize(
    ("method", "request_"),
    [
        ("range", {**KEY, "limit": -5, "revision": -1, "foo": 1}),
        ("lease_grant", {"TTL": -1}),
        ("lease_grant", {"TTL": 5, "ID": -4}),
        ("compact", {}),
        ("txn", {"success": [{}]}),
    ],
)
def test_what_a_real_etcd_takes_is_of_the_right_form(method, request_):
    assert check(method, request_) is None


def answer(world, method, payload):
    """What a member says to it."""
    world.client.ask("etcd-1", method, payload, timeout=10 * SECOND)
    return world.wait()[0]


SHARED = World(1)
METHODS = [method for method in SHAPES if method != "watch"]
json = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.just(2**64) | st.sampled_from(["", "k", "abc", "MOD", "NOPUT"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["key", "x"]), inner, max_size=2),
    max_leaves=4,
)
fields = sorted({name for shape in SHAPES.values() for name in shape.fields})
requests = st.dictionaries(st.sampled_from([*fields, "compare", "success"]), json, max_size=4) | json


@settings(max_examples=250, deadline=None)
@given(st.sampled_from([*METHODS, "status", "snapshot", "defragment", "watch_progress", "nonsense"]), requests)
def test_whatever_is_asked_is_answered_once_and_the_member_lives(method, request_):
    reply = answer(SHARED, method, request_)
    assert SHARED.members[0].up and SHARED.leaders == SHARED.members
    assert reply.ok or reply.error.message.strip()


@settings(max_examples=300, deadline=None)
@given(requests)
def test_whatever_is_to_be_watched_is_watched_or_refused(request_):
    items, ends = [], []
    stream = SHARED.client.open_stream("etcd-1", "watch", request_, items.append, ends.append)
    SHARED.run(0.01)
    assert SHARED.members[0].up and (items or ends)
    stream.close()


@pytest.mark.parametrize("method", ["compact", "lease_revoke", "lease_keepalive", "lease_time_to_live", "hash_kv"])
def test_a_request_without_its_fields_means_zero(method):
    reply = answer(World(1), method, None)
    assert reply.ok or reply.error.message == "etcdserver: requested lease not found"


def test_an_object_and_a_text_can_be_compared_and_sorted():
    world = World(1)
    assert world.put("etcd-1", {"kind": "Pod"}, key="a") and world.put("etcd-1", "text", key="b")
    everything = {"key": "\0", "range_end": "\0"}
    found = answer(world, "range", {**everything, "sort_target": "VALUE", "sort_order": "DESCEND"}).value["kvs"]
    assert [kv["key"] for kv in found] == ["b", "a"]
    compare = {**everything, "target": "VALUE", "result": "LESS", "value": "tf"}
    assert answer(world, "txn", {"compare": [compare]}).value["succeeded"]
