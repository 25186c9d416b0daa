"""What a member refuses before it troubles Raft: requests that could not be right on any member.

Pure; the checks that need the store are in `mvcc.Store`. etcd 3.5 server/etcdserver/api/v3rpc/key.go.
Simplified: sizes count keys and text values; a value that is an object weighs nothing here.
"""

from typing import Any

from kubemini.etcd.errors import (
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
from kubemini.etcd.log import utf8
from kubemini.etcd.mvcc import is_in
from kubemini.params import Params

Request = dict[str, Any]


def check(method: str, request: Request, params: Params) -> EtcdError | None:
    """Why *request* is refused at the door, or None."""
    match method:
        case "range" | "delete_range":
            return None if request.get("key") else EMPTY_KEY
        case "put" | "txn":
            return _check_write(method, request, params)
    return None


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


def _touched(operations: Any) -> tuple[set[str], list[Request]] | None:
    """The keys put and the ranges deleted by *operations*; None if they collide."""
    puts: set[str] = set()
    deletes: list[Request] = []
    for operation in operations:
        more_puts: set[str] = set()
        more_deletes: list[Request] = []
        if "request_put" in operation:
            more_puts = {operation["request_put"]["key"]}
        elif "request_delete_range" in operation:
            more_deletes = [operation["request_delete_range"]]
        elif "request_txn" in operation:
            for branch in ("success", "failure"):
                touched = _touched(operation["request_txn"].get(branch, ()))
                if touched is None:
                    return None
                more_puts |= touched[0]
                more_deletes += touched[1]
        if puts & more_puts:
            return None
        puts |= more_puts
        deletes += more_deletes
        if any(is_in(key, gone["key"], gone.get("range_end", "")) for key in puts for gone in deletes):
            return None
    return puts, deletes


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
