"""The store above the log: every change makes a revision, and old revisions can be read until compacted.

Invariant: applying the same requests in the same order gives the same store on every member. One transaction is one
revision, and one that changes nothing makes none. The first write is revision 2, as in etcd.
Requests and answers are dicts named like the fields of etcd's protocol; absent fields have their default. A key-value
record (`kv`) is shared by all who ask: never change one. A value may be any Python value; text alone has an order.
Follows etcd 3.7 server/mvcc and etcdserver/apply.go. https://etcd.io/docs/v3.7/learning/data_model/
The size of the file is kept in `quota.py`. Simplified: compaction is done at once.
Models etcd server/storage/mvcc store.Read, store.Write, store.Compact; server/etcdserver/txn Txn.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from operator import eq, gt, lt, ne
from typing import Any, NamedTuple
from zlib import crc32

from kubemini.etcd.errors import COMPACTED, FUTURE_REVISION, KEY_NOT_FOUND, LEASE_NOT_FOUND, EtcdError
from kubemini.etcd.store.lease import Lessor
from kubemini.etcd.store.quota import Backend

Request = dict[str, Any]
Answer = dict[str, Any]
KeyValue = dict[str, Any]  # key, create_revision, mod_revision, version (0: a deletion), value, lease

PUT, DELETE = "PUT", "DELETE"
TO_THE_END = "\0"  # as range_end: every key from `key` on

NOTHING: KeyValue = {"key": "", "create_revision": 0, "mod_revision": 0, "version": 0, "value": "", "lease": 0}
RESULTS: dict[str, Callable[[Any, Any], bool]] = {"EQUAL": eq, "GREATER": gt, "LESS": lt, "NOT_EQUAL": ne}
# what a compare or a sort looks at: the name of the target → the field of a key-value record
TARGETS = {
    "KEY": "key",
    "VERSION": "version",
    "CREATE": "create_revision",
    "MOD": "mod_revision",
    "VALUE": "value",
    "LEASE": "lease",
}


class KeyChange(NamedTuple):
    """One key changed at *revision*; *kv* with version 0 says it was deleted. *previous*: before that revision."""

    revision: int
    kv: KeyValue
    previous: KeyValue | None

    @property
    def type(self) -> str:
        """PUT or DELETE."""
        return PUT if self.kv["version"] else DELETE


def is_in(key: str, start: str, range_end: str) -> bool:
    """Whether *key* lies in etcd's range: one key, from *start* to the end, or [start, range_end)."""
    if not range_end:
        return key == start
    return start <= key and (range_end == TO_THE_END or key < range_end)


def is_empty(start: str, range_end: str) -> bool:
    """Whether no key at all can lie in etcd's range."""
    return range_end not in ("", TO_THE_END) and range_end <= start


class Store:
    """Keys, their versions, and the log of changes."""

    def __init__(self, lessor: Lessor | None = None):
        self.lessor = lessor or Lessor()
        self.backend = Backend()
        self.revision = 1
        self.compacted = -1  # nothing yet: compacting to 0 is a deed, once
        self.log: list[KeyChange] = []  # oldest first; what watches read
        self._live: dict[str, KeyValue] = {}
        self._versions: dict[str, list[KeyValue]] = {}  # of each key, oldest first, deletions included
        self._keys: list[str] = []  # of _versions, sorted
        self._pending = 0  # changes of the transaction under way

    # -- the door: one call is one transaction ---------------------------------------------------------------------
    def apply(self, method: str, request: Request, now: int = 0) -> Answer | EtcdError:
        """Carry out *method*; an error means that nothing has changed. *now* matters to leases alone."""
        answer: Answer | EtcdError
        match method:
            case "range":
                answer = self._check_range(request) or self._range(request)
            case "put":
                answer = self._check_put(request) or self._put(request)
            case "delete_range":
                answer = self._delete_range(request)
            case "txn":
                answer = self._txn(request)
            case "compact":
                answer = self._compact(request.get("revision", 0))
            case "lease_grant":
                answer = self.lessor.grant(request["ID"], request.get("TTL", 0), now)
            case "lease_revoke":
                answer = self._lease_revoke(request.get("ID", 0))
            case _:
                raise AssertionError(f"the store knows no {method!r}: see Store.apply for what it knows")
        self._close()
        if not isinstance(answer, EtcdError) and "header" not in answer:
            answer["header"] = {"revision": self.revision}
        return answer

    def _close(self) -> None:
        """The transaction is over: if it changed something, that was one revision."""
        if self._pending:
            self.revision += 1
            self._pending = 0

    def become(self, other: "Store") -> None:
        """Hold what *other* holds; what changes in one of them later does not touch the other."""
        self.revision, self.compacted = other.revision, other.compacted
        self.log, self._keys = list(other.log), list(other._keys)
        self._live = dict(other._live)
        self._versions = {key: list(versions) for key, versions in other._versions.items()}
        self.backend, self.lessor.leases = replace(other.backend), other.lessor.copies()

    # -- reading -----------------------------------------------------------------------------------------------------
    def get(self, key: str) -> KeyValue | None:
        """The record of *key* as of now."""
        return self._live.get(key)

    def _keys_in(self, start: str, range_end: str) -> list[str]:
        """The keys of a range, deleted ones included, in order."""
        if not range_end:
            return [start]
        first = bisect_left(self._keys, start)
        last = len(self._keys) if range_end == TO_THE_END else bisect_left(self._keys, range_end)
        return self._keys[first:last]

    def _records(self, request: Request, revision: int) -> Iterator[KeyValue]:
        """The records of a range at *revision* (0: now), by key."""
        keys = self._keys_in(request.get("key", ""), request.get("range_end", ""))
        if revision <= 0 or revision >= self.revision + (1 if self._pending else 0):
            return (kv for kv in map(self._live.get, keys) if kv is not None)
        return (kv for kv in (self._at(key, revision) for key in keys) if kv is not None)

    def _at(self, key: str, revision: int) -> KeyValue | None:
        versions = self._versions.get(key, [])
        position = bisect_right(versions, revision, key=_mod_revision)
        return versions[position - 1] if position and versions[position - 1]["version"] else None

    def _check_range(self, request: Request) -> EtcdError | None:
        revision = request.get("revision", 0)
        if revision > self.revision:
            return FUTURE_REVISION
        return COMPACTED if 0 < revision < self.compacted else None

    def _range(self, request: Request) -> Answer:
        """``count`` is of the whole range: neither limit nor the min/max filters change it."""
        found = list(self._records(request, request.get("revision", 0)))
        count, more = len(found), False
        if request.get("count_only"):
            found = []
        for bound, keep in (("min", lambda a, b: a >= b), ("max", lambda a, b: a <= b)):
            for what in ("mod_revision", "create_revision"):
                if edge := request.get(f"{bound}_{what}"):
                    found = [kv for kv in found if keep(kv[what], edge)]
        target, order = request.get("sort_target", "KEY"), request.get("sort_order", "NONE")
        if order != "NONE" or target != "KEY":
            field = TARGETS[target]
            found.sort(key=lambda kv: _ordered(kv[field]), reverse=order == "DESCEND")
        limit = request.get("limit", 0)
        if 0 < limit < len(found):
            found, more = found[:limit], True
        if request.get("keys_only"):
            lease = {} if target == "VALUE" else {"lease": 0}  # since 3.7 the index of keys answers, which knows none
            found = [{**kv, **lease, "value": ""} for kv in found]
        return {"header": {"revision": self._revision_now()}, "kvs": found, "more": more, "count": count}

    def _revision_now(self) -> int:
        return self.revision + (1 if self._pending else 0)

    # -- writing -----------------------------------------------------------------------------------------------------
    def _change(self, kv: KeyValue, previous: KeyValue | None) -> None:
        key = kv["key"]
        versions = self._versions.get(key)
        if versions is None:
            versions = self._versions[key] = []
            insort(self._keys, key)
        before = previous
        if previous is not None and previous["mod_revision"] == kv["mod_revision"]:  # twice in one transaction
            before = self._at(key, self.revision)
        versions.append(kv)
        self.backend.add(kv)
        self.log.append(KeyChange(kv["mod_revision"], kv, before))
        self._pending += 1
        if previous is not None and previous["lease"]:
            self.lessor.detach(previous["lease"], key)
        if kv["version"]:
            self._live[key] = kv
            if kv["lease"]:
                self.lessor.attach(kv["lease"], key)
        else:
            del self._live[key]

    def _check_put(self, request: Request) -> EtcdError | None:
        if (request.get("ignore_value") or request.get("ignore_lease")) and request["key"] not in self._live:
            return KEY_NOT_FOUND
        lease = request.get("lease", 0)
        return LEASE_NOT_FOUND if lease and lease not in self.lessor.leases else None

    def _put(self, request: Request) -> Answer:
        key = request["key"]
        previous = self._live.get(key)
        revision, old = self.revision + 1, previous or NOTHING
        kv = {
            "key": key,
            "create_revision": old["create_revision"] or revision,
            "mod_revision": revision,
            "version": old["version"] + 1,
            "value": old["value"] if request.get("ignore_value") else request.get("value", ""),
            "lease": old["lease"] if request.get("ignore_lease") else request.get("lease", 0),
        }
        self._change(kv, previous)
        answer: Answer = {"header": {"revision": revision}}
        if request.get("prev_kv") and previous is not None:
            answer["prev_kv"] = previous
        return answer

    def _delete_range(self, request: Request) -> Answer:
        gone = list(self._records(request, 0))
        for kv in gone:
            self._delete(kv)
        answer: Answer = {"header": {"revision": self._revision_now()}, "deleted": len(gone)}
        if request.get("prev_kv"):
            answer["prev_kvs"] = gone
        return answer

    def _delete(self, kv: KeyValue) -> None:
        self._change({**NOTHING, "key": kv["key"], "mod_revision": self.revision + 1}, kv)

    def _lease_revoke(self, id: int) -> Answer | EtcdError:
        keys = self.lessor.revoke(id)
        if isinstance(keys, EtcdError):
            return keys
        for key in keys:
            self._delete(self._live[key])
        return {}

    # -- transactions ------------------------------------------------------------------------------------------------
    def _txn(self, request: Request) -> Answer | EtcdError:
        """All or nothing: branches are chosen and checked before the first change."""
        branches = list(self._choose(request))
        error = self._check_txn(request, branches)
        if error:
            return error
        answer = self._run(request, iter(branches))
        answer["header"] = {"revision": self._revision_now()}
        return answer

    def _choose(self, txn: Request) -> Iterator[bool]:
        """Whether the compares hold, of this transaction and of those nested in the branch it takes."""
        holds = all(self._compare(compare) for compare in txn.get("compare", ()))
        yield holds
        for operation in txn.get("success" if holds else "failure", ()):
            if "request_txn" in operation:
                yield from self._choose(operation["request_txn"])

    def _compare(self, compare: Request) -> bool:
        target = compare.get("target", "VERSION")
        field, holds = TARGETS[target], RESULTS[compare.get("result", "EQUAL")]
        wanted = compare.get(field, "" if target == "VALUE" else 0)
        found = list(self._records(compare, 0))
        if not found:  # a missing key has version and revisions 0, but no value, not even an empty one
            return target != "VALUE" and holds(0, wanted)
        if target == "VALUE" and holds in (gt, lt):
            return all(holds(_ordered(kv[field]), _ordered(wanted)) for kv in found)
        return all(holds(kv[field], wanted) for kv in found)

    def _check_txn(self, txn: Request, branches: list[bool]) -> EtcdError | None:
        """etcd looks at all the puts first, then at all the ranges. Models etcd server/etcdserver/txn checkTxn."""
        taken = list(_taken(txn, iter(branches)))
        errors = [
            *(self._check_put(request) for kind, request in taken if kind == "request_put"),
            *(self._check_range_of_txn(request) for kind, request in taken if kind == "request_range"),
        ]
        return next((error for error in errors if error), None)

    def _check_range_of_txn(self, request: Request) -> EtcdError | None:
        """As for any range, but a revision below zero is not the present there: it is long compacted."""
        compacted = request.get("revision", 0) < min(0, self.compacted)
        return COMPACTED if compacted else self._check_range(request)

    def _run(self, txn: Request, branches: Iterator[bool]) -> Answer:
        holds, responses = next(branches), []
        for kind, request in _operations(txn, holds):
            match kind:
                case "request_range":
                    responses.append({"response_range": self._range(request)})
                case "request_put":
                    responses.append({"response_put": self._put(request)})
                case "request_delete_range":
                    responses.append({"response_delete_range": self._delete_range(request)})
                case "request_txn":
                    responses.append({"response_txn": {"header": {"revision": 0}, **self._run(request, branches)}})
        return {"succeeded": holds, "responses": responses}

    # -- history -----------------------------------------------------------------------------------------------------
    def history(self, from_revision: int) -> list[KeyChange] | EtcdError:
        """The changes from *from_revision* on, oldest first; COMPACTED if some of them are forgotten."""
        if from_revision < self.compacted:
            return COMPACTED
        return self.log[bisect_left(self.log, from_revision, key=_revision) :]

    def hash(self, revision: int = 0) -> int | EtcdError:
        """A number that tells whether two stores hold the same history up to *revision* (0: all of it)."""
        if 0 < revision <= self.compacted:
            return COMPACTED
        if revision > self.revision:
            return FUTURE_REVISION
        upto = revision or self.revision
        kept = [kv for key in self._keys for kv in self._versions[key] if kv["mod_revision"] <= upto]
        return crc32(repr((self.compacted, kept)).encode())

    def last_changes(self) -> list[KeyChange]:
        """What the newest revision changed."""
        return self.log[bisect_left(self.log, self.revision, key=_revision) :]

    def _compact(self, revision: int) -> Answer | EtcdError:
        """Forget what *revision* overwrote; it can still be read itself."""
        if revision <= self.compacted:
            return COMPACTED
        if revision > self.revision:
            return FUTURE_REVISION
        self.compacted = revision
        del self.log[: bisect_left(self.log, revision, key=_revision)]
        for key in list(self._versions):
            versions = self._versions[key]
            self._forget(versions, max(0, bisect_right(versions, revision, key=_mod_revision) - 1))
            if versions[0]["mod_revision"] <= revision and not versions[0]["version"]:
                self._forget(versions, 1)
            if not versions:
                del self._versions[key]
        self._keys = sorted(self._versions)
        return {}

    def bump(self, by: int) -> None:
        """Go on *by* revisions later, with nothing to be read before that (a restored store, see `backup.py`)."""
        self.revision += by
        self._compact(self.revision)

    def _forget(self, versions: list[KeyValue], count: int) -> None:
        """The first *count* of *versions* are no longer needed."""
        for kv in versions[:count]:
            self.backend.add(kv, times=-1)
        del versions[:count]


def _operations(txn: Request, holds: bool) -> Iterator[tuple[str, Request]]:
    """(kind, request) of each operation in the branch taken."""
    for operation in txn.get("success" if holds else "failure", ()):
        yield from operation.items()


def _taken(txn: Request, branches: Iterator[bool]) -> Iterator[tuple[str, Request]]:
    """(kind, request) of each operation that will be carried out, those of nested transactions in their place."""
    for kind, request in _operations(txn, next(branches)):
        if kind == "request_txn":
            yield from _taken(request, branches)
        else:
            yield kind, request


def _ordered(value: Any) -> Any:
    """*value* as something that has an order; an object stands before every text."""
    return "" if isinstance(value, Mapping) else value


def _mod_revision(kv: KeyValue) -> int:
    return kv["mod_revision"]


def _revision(change: KeyChange) -> int:
    return change.revision
