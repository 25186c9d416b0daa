"""What a member refuses before it troubles Raft: requests that could not be right on any member.

Pure; the checks that need the store are in `mvcc.Store`. etcd 3.7 server/etcdserver/api/v3rpc/key.go.
Simplified: sizes count keys and text values; a value that is an object weighs nothing here.
"""

import re
from collections.abc import Sequence
from typing import Any

from kubemini.etcd.errors import (
    ALARM_NOT_SIMULATED,
    BAD_URLS,
    DUPLICATE_KEY,
    EMPTY_KEY,
    KEY_NOT_FOUND,
    LEASE_PROVIDED,
    TOO_LARGE,
    TOO_MANY_OPS,
    VALUE_PROVIDED,
    EtcdError,
    message_too_long,
)
from kubemini.etcd.raft.log import utf8
from kubemini.params import Params

Request = dict[str, Any]
PEER_URL = re.compile(r"https?://([^\s/?#@]*@)?(\[[0-9A-Fa-f:.%]+\]|[^\s/?#:@\[\]]*):[0-9]*(\?[^#]*)?(#.*)?")


def check(method: str, request: Request, params: Params) -> EtcdError | None:
    """Why *request* is refused at the door, or None."""
    match method:
        case "range" | "delete_range":
            return None if request.get("key") else EMPTY_KEY
        case "put" | "txn":
            return _check_write(method, request, params)
        case "alarm" if request.get("action") == "ACTIVATE" and request.get("alarm") != "NOSPACE":
            return ALARM_NOT_SIMULATED
        case "member_add":
            return None if are_urls(request.get("peerURLs", ())) else BAD_URLS
    return None


def are_urls(urls: Sequence[str]) -> bool:
    """Whether there is a URL, and all of them are ``http://HOST:PORT``. etcd client/pkg/types NewURLs."""
    return bool(urls) and all(PEER_URL.fullmatch(url.strip()) for url in urls)


def _check_write(method: str, request: Request, params: Params) -> EtcdError | None:
    """gRPC looks at the size first, etcd last, and only at what goes through the log."""
    size, limit = _size(request), params.etcd_max_request_bytes
    longest = limit + params.etcd_grpc_overhead_bytes
    if size > longest:
        return message_too_long(size, longest)
    if method == "put":
        error = _check_put(request)
    else:
        error = _check_txn(request, params.etcd_max_txn_ops) or _check_duplicates(request)
    return error or (TOO_LARGE if size > limit and not is_read(method, request) else None)


def is_read(method: str, request: Request) -> bool:
    """Whether the request can change nothing, whatever the store holds."""
    if method == "txn":
        branches = (*request.get("success", ()), *request.get("failure", ()))
        return all("request_range" in operation for operation in branches)
    return method == "range"


def is_serializable(method: str, request: Request) -> bool:
    """Whether a read is content with what this member knows; a transaction that only compares always is."""
    if method == "txn":
        branches = (*request.get("success", ()), *request.get("failure", ()))
        return all(operation["request_range"].get("serializable") for operation in branches)
    return bool(request.get("serializable"))


def for_learners(method: str, request: Request) -> bool:
    """Whether a learner may answer: it serves what needs no other member, to those who know what they ask."""
    return method in ("status", "snapshot") or (method == "range" and bool(request.get("serializable")))


def _check_put(request: Request) -> EtcdError | None:
    if not request.get("key"):
        return EMPTY_KEY
    if request.get("ignore_value") and request.get("value"):
        return VALUE_PROVIDED
    return LEASE_PROVIDED if request.get("ignore_lease") and request.get("lease") else None


def _check_txn(txn: Request, most: int) -> EtcdError | None:
    """*most*: how many operations it may have; what it uses, the transactions nested in it cannot."""
    parts = [txn.get(part, ()) for part in ("compare", "success", "failure")]
    left = most - max(map(len, parts))
    if left < 0:
        return TOO_MANY_OPS
    if not all(compare.get("key") for compare in parts[0]):
        return EMPTY_KEY
    errors = (_check_operation(operation, left) for operation in (*parts[1], *parts[2]))
    return next((error for error in errors if error), None)


def _check_operation(operation: Request, most: int) -> EtcdError | None:
    for kind, request in operation.items():
        if kind == "request_txn":
            return _check_txn(request, most)
        if kind == "request_put":
            return _check_put(request)
        return None if request.get("key") else EMPTY_KEY
    return KEY_NOT_FOUND  # etcd's words for an operation that is none


def _check_duplicates(txn: Request) -> EtcdError | None:
    """A key may be put once in a branch, and not be deleted there too."""
    for branch in ("success", "failure"):
        if _touched(txn.get(branch, ())) is None:
            return DUPLICATE_KEY
    return None


Touched = tuple[set[str], list[Request]]  # the keys put, the ranges deleted


def _touched(operations: Sequence[Request]) -> Touched | None:
    """What *operations* put and delete; None if they collide. Models etcd server/etcdserver/api/v3rpc checkIntervals.

    The order is etcd's: deletions of this level first, then nested transactions one after the other, then puts. So a
    nested deletion may follow the put of an earlier sibling, not the other way round.
    """
    puts: set[str] = set()
    deletes = [operation["request_delete_range"] for operation in operations if "request_delete_range" in operation]
    for operation in operations:
        if "request_txn" in operation and not _add_nested(operation["request_txn"], puts, deletes):
            return None
    for operation in operations:
        if "request_put" in operation and not _add_puts({operation["request_put"]["key"]}, puts, deletes):
            return None
    return puts, deletes


def _add_nested(txn: Request, puts: set[str], deletes: list[Request]) -> bool:
    """Add what a nested transaction touches; False if it collides. Its two branches exclude each other."""
    then, otherwise = _touched(txn.get("success", ())), _touched(txn.get("failure", ()))
    if then is None or otherwise is None:
        return False
    before = set(puts)
    fit = _add_puts(then[0], puts, deletes) and _add_puts(otherwise[0], before, deletes)
    puts |= before
    deletes += then[1] + otherwise[1]
    return fit


def _add_puts(more: set[str], puts: set[str], deletes: list[Request]) -> bool:
    """Add the keys *more* to *puts*; False if one is there already, or deleted."""
    fit = not (puts & more) and not any(_is_deleted(key, gone) for key in more for gone in deletes)
    puts |= more
    return fit


def _is_deleted(key: str, gone: Request) -> bool:
    """Whether etcd's interval tree says that *gone* covers *key*; a range to the end covers nothing there."""
    start, end = gone["key"], gone.get("range_end", "")
    return start <= key < end if end else key == start


def _size(value: Any) -> int:
    """Bytes of the text in *value* as protobuf frames it: tag, length, UTF-8."""
    if isinstance(value, str):
        length = utf8(value)
        return 1 + max(1, (length.bit_length() + 6) // 7) + length if length else 0
    if isinstance(value, list):
        return sum(map(_size, value))
    if type(value) is dict:
        return sum(map(_size, value.values()))
    return 0
