"""What a member refuses at the door: counts, sizes and words as Debian's etcd has them, asked one by one."""

import pytest

from kubemini.etcd.store.request import check, is_read, is_serializable
from kubemini.params import Params

LIMIT = Params().etcd_max_request_bytes
TOO_MANY = "etcdserver: too many operations in txn request"


def put(key, value="x"):
    return {"request_put": {"key": key, "value": value}}


def said(method, request):
    error = check(method, request, Params())
    return error and error.message


def nested(outer, inner):
    """A transaction of *outer* operations, one of them a transaction of *inner* ones."""
    last = {"request_txn": {"success": [put(f"b{n}") for n in range(inner)]}}
    return {"success": [*(put(f"a{n}") for n in range(outer - 1)), last]}


@pytest.mark.parametrize(
    ("outer", "inner", "words"),
    [(128, 0, None), (129, 0, TOO_MANY), (100, 28, None), (100, 29, TOO_MANY), (1, 127, None), (1, 128, TOO_MANY)],
)
def test_what_a_transaction_uses_those_nested_in_it_cannot(outer, inner, words):
    assert said("txn", nested(outer, inner)) == words


def test_the_longest_of_compares_and_branches_counts():
    compares = [{"key": "z", "target": "VERSION"}] * 64
    assert said("txn", {**nested(1, 64), "compare": compares}) is None
    assert said("txn", {**nested(1, 65), "compare": compares}) == TOO_MANY
    assert said("txn", {"compare": compares * 2, "success": [put("a")] * 1, "failure": [put("a")]}) is None
    assert said("txn", {"compare": [*compares, *compares, compares[0]]}) == TOO_MANY


@pytest.mark.parametrize(
    ("method", "request_", "words"),
    [
        ("put", {"key": "", "value": "x" * (LIMIT + 1)}, "etcdserver: key is not provided"),
        ("put", {"key": "k", "value": "x" * LIMIT, "ignore_value": True}, "etcdserver: value is provided"),
        ("put", {"key": "k", "lease": 7, "ignore_lease": True}, "etcdserver: lease is provided"),
        ("put", {"key": "k", "value": "x" * LIMIT}, "etcdserver: request is too large"),
        ("put", {"key": "k", "value": "x" * (LIMIT - 100)}, None),
        ("txn", {"success": [put("k", "x" * LIMIT)]}, "etcdserver: request is too large"),
        ("txn", {"compare": [{"key": "k" * LIMIT}], "success": [{"request_range": {"key": "k"}}]}, None),
        ("txn", {"success": [{}]}, "etcdserver: key not found"),
        ("txn", {"success": [{"request_range": {"key": ""}}]}, "etcdserver: key is not provided"),
        ("txn", {"compare": [{"key": ""}]}, "etcdserver: key is not provided"),
        ("delete_range", {"key": ""}, "etcdserver: key is not provided"),
        ("range", {"key": ""}, "etcdserver: key is not provided"),
    ],
)
def test_a_request_that_could_not_be_right_is_refused_in_the_real_ones_words(method, request_, words):
    assert said(method, request_) == words


def test_a_message_is_too_long_for_grpc_before_it_is_wrong_for_etcd():
    words = said("put", {"key": "", "value": "x" * (LIMIT + 512 * 1024)})
    assert words == f"grpc: received message larger than max ({LIMIT + 512 * 1024 + 5} vs. {LIMIT + 512 * 1024})"


@pytest.mark.parametrize(
    ("operations", "refused"),
    [
        ([put("a"), put("b")], False),
        ([put("a"), put("a")], True),
        ([put("a"), {"request_delete_range": {"key": "a"}}], True),
        ([{"request_delete_range": {"key": "a", "range_end": "b"}}, {"request_txn": {"success": [put("a5")]}}], True),
        ([{"request_delete_range": {"key": "a"}}, {"request_delete_range": {"key": "a"}}], False),
        ([{"request_txn": {"success": [put("a")], "failure": [put("a")]}}], False),
    ],
)
def test_a_key_is_put_once_in_a_branch_and_not_deleted_there(operations, refused):
    words = "etcdserver: duplicate key given in txn request" if refused else None
    assert said("txn", {"success": operations}) == said("txn", {"failure": operations}) == words


def nest(success=(), failure=()):
    return {"request_txn": {"success": list(success), "failure": list(failure)}}


@pytest.mark.parametrize(
    ("operations", "refused"),
    [
        ([nest([put("a")], [{"request_delete_range": {"key": "a"}}])], False),
        ([nest([put("a")]), nest([{"request_delete_range": {"key": "a"}}])], False),
        ([nest([{"request_delete_range": {"key": "a"}}]), nest([put("a")])], True),
        ([{"request_delete_range": {"key": "a", "range_end": "\0"}}, put("z")], False),
        ([nest(failure=[put("a")], success=[put("a")]), put("a")], True),
        ([nest([put("a")]), nest([], [put("a")])], True),
        ([nest([nest([put("a")], [put("a")])], [put("a")])], False),
        ([put("a"), nest([], [{"request_delete_range": {"key": "a"}}])], True),
    ],
)
def test_branches_that_exclude_each_other_may_touch_one_key(operations, refused):
    """The first five were put to an etcd 3.4.23; the rest follow from checkIntervals."""
    assert (said("txn", {"success": operations}) is not None) == refused


@pytest.mark.parametrize(
    "urls",
    [
        [],
        ["ftp://x:1"],
        ["http://x"],
        ["http://x:1/p"],
        ["http://x:1/"],
        ["http://x:abc"],
        ["x:1"],
        ["http://x:1", "ftp://y:1"],
        ["http://a b:1"],
        ["://x:1"],
        [""],
    ],
)
def test_a_member_is_added_at_a_url_with_a_host_and_a_port_or_not_at_all(urls):
    assert said("member_add", {"peerURLs": urls}) == "etcdserver: given member URLs are invalid"


def test_good_peer_urls_are_taken_blanks_around_them_too():
    for url in ("http://x:1", "https://x.y-z:2380", "http://x:1?y", " http://127.0.0.1:2380 ", "http://[::1]:2380"):
        assert said("member_add", {"peerURLs": [url]}) is None


def test_what_can_change_nothing_is_a_read_and_need_not_ask_the_others_if_it_says_so():
    reach, content = {"request_range": {"key": "k"}}, {"request_range": {"key": "k", "serializable": True}}
    assert is_read("txn", {"success": [reach]}) and not is_read("txn", {"success": [reach], "failure": [put("k")]})
    assert not is_read("txn", {"success": [{"request_txn": {"success": [reach]}}]})
    assert is_serializable("txn", {"success": [content]}) and is_serializable("txn", {"compare": [{"key": "k"}]})
    assert not is_serializable("txn", {"success": [content], "failure": [reach]})
