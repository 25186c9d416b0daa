"""What the API server says to etcd: objects in, objects out, guarded by resourceVersion.

Invariant: a write replaces exactly the state it was decided on, else it is decided again on the newer one; one that
would change nothing makes no revision. The resourceVersion is etcd's revision, never part of what is stored.
kubernetes/apiserver pkg/storage/etcd3/store.go (GuaranteedUpdate), pkg/registry/generic/registry/store.go.
Simplified: a member that refuses the connection is reported at once, where the real client first dials again for some
seconds; the words are those of its gRPC error.
"""

from collections.abc import Callable, Generator
from dataclasses import replace
from typing import Any, NamedTuple

from kubemini.api import errors
from kubemini.api.errors import ApiError
from kubemini.api.kinds import Kind
from kubemini.api.objects import FrozenDict, FrozenList, Obj
from kubemini.apiserver.decide.deletion import Remove
from kubemini.apiserver.decide.update import Decide
from kubemini.etcd.client import EtcdClient, prefix_end
from kubemini.etcd.errors import EtcdError
from kubemini.net import Unreachable
from kubemini.net.rpc import DEADLINE
from kubemini.params import Params

Fate = Generator[Any, Any, Any]  # to be used with `yield from`; the value is the result or an ApiError


Operations = list[dict[str, Any]]


class Written(NamedTuple):
    """A write that was carried out: the state before (None: created), after, and whether *new* is gone now."""

    old: Obj | None
    new: Obj
    removed: bool = False

    @property
    def changed(self) -> bool:
        """Whether there was anything to write."""
        return self.old is not self.new


def with_version(obj: Obj, revision: int) -> Obj:
    """*obj* with *revision* as its resourceVersion."""
    meta = FrozenDict({**obj["metadata"], "resourceVersion": str(revision)})
    return FrozenDict({**obj, "metadata": meta})


def without_version(obj: Obj) -> Obj:
    """*obj* as it is stored."""
    meta = obj["metadata"]
    if "resourceVersion" not in meta:
        return obj
    rest = FrozenDict({key: value for key, value in meta.items() if key != "resourceVersion"})
    return FrozenDict({**obj, "metadata": rest})


def decode(kv: dict[str, Any]) -> Obj:
    """The object in a key-value record of etcd."""
    return with_version(kv["value"], kv["mod_revision"])


def revision_of(obj: Obj) -> int:
    """The etcd revision that wrote this state."""
    return int(obj["metadata"]["resourceVersion"])


def listing(kind: Kind, items: list[Obj], revision: int) -> Obj:
    """The list object around *items*."""
    meta = FrozenDict({"resourceVersion": str(revision)})
    return FrozenDict(
        {"kind": kind.list_kind, "apiVersion": kind.api_version, "metadata": meta, "items": FrozenList(items)}
    )


def failure(error: Any, read: bool = False) -> ApiError:
    """The answer to the user when etcd did not do as asked; a failed read has certainly changed nothing."""
    if isinstance(error, EtcdError):
        answer = errors.from_etcd(error.message, error.definite)
    elif error == DEADLINE:
        answer = errors.timeout()
    else:
        answer = errors.from_etcd(_unavailable(error), error.definite)
    return replace(answer, definite=True) if read else answer


def _unavailable(error: Unreachable) -> str:
    """As gRPC puts it when nobody listens, and when the connection breaks under a call."""
    if error.definite:
        return (
            'rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: '
            f'dial tcp: {error.reason}"'
        )
    return f"rpc error: code = Unavailable desc = error reading from server: {error.reason}"


class Storage:
    """Objects in etcd. *heard* is told of the outcome of everything that needed a majority of the members."""

    def __init__(self, etcd: EtcdClient, params: Params, heard: Callable[[Any], None]):
        self.etcd, self.params, self.heard = etcd, params, heard

    def get(self, kind: Kind, namespace: str, name: str) -> Fate:
        """The latest state: an object, or an ApiError."""
        reply = yield from self.etcd.range(kind.key(namespace, name), timeout=self.params.request_timeout)
        self.heard(reply.error)
        if not reply.ok:
            return failure(reply.error, read=True)
        kvs = reply.value["kvs"]
        return decode(kvs[0]) if kvs else errors.not_found(kind, name)

    def list(self, kind: Kind, namespace: str = "", serializable: bool = False) -> Fate:
        """(objects by key, revision) as of now, or an ApiError."""
        prefix = kind.key(namespace)
        reply = yield from self.etcd.range(
            prefix, prefix_end(prefix), timeout=self.params.request_timeout, serializable=serializable
        )
        self.heard(reply.error)
        if not reply.ok:
            return failure(reply.error, read=True)
        return {kv["key"]: decode(kv) for kv in reply.value["kvs"]}, reply.value["header"]["revision"]

    def create(self, kind: Kind, namespace: str, name: str, obj: Obj) -> Fate:
        """Store a new object: Written, or an ApiError."""
        key = kind.key(namespace, name)
        absent = {"key": key, "target": "MOD", "mod_revision": 0}
        put = {"request_put": {"key": key, "value": without_version(obj)}}
        reply = yield from self._txn([absent], [put], key)
        if not reply.ok:
            return failure(reply.error)
        if not reply.value["succeeded"]:
            found = reply.value["responses"][0]["response_range"]["kvs"][0]["value"]
            return errors.already_exists(kind, name, being_deleted="deletionTimestamp" in found["metadata"])
        return Written(None, with_version(obj, reply.value["header"]["revision"]))

    def update(self, kind: Kind, namespace: str, name: str, decide: Decide, seen: Obj | None = None) -> Fate:
        """Do to an object what *decide* makes of its current state: Written, or an ApiError.

        *seen* is a state from the cache to begin with. It may be old, so a refusal on its account is not final.
        """
        key = kind.key(namespace, name)
        current, fresh = seen, False
        while True:
            if current is None:
                current, fresh = (yield from self.get(kind, namespace, name)), True
            if isinstance(current, ApiError):
                return current
            wanted = decide(current)
            settled = isinstance(wanted, ApiError) or _same(wanted, current)
            if settled and fresh:
                return wanted if isinstance(wanted, ApiError) else Written(current, current)
            if settled:
                current = None
                continue
            done = yield from self._replace(key, current, wanted)
            if done is not None:
                return done
            current = None

    def _replace(self, key: str, old: Obj, wanted: Any) -> Fate:
        """Put *wanted* in the place of *old*: Written, an ApiError, or None if something else is there by now."""
        unchanged = {"key": key, "target": "MOD", "mod_revision": revision_of(old)}
        removed = isinstance(wanted, Remove)
        new = wanted.last if isinstance(wanted, Remove) else wanted
        if removed:
            act: dict[str, Any] = {"request_delete_range": {"key": key}}
        else:
            act = {"request_put": {"key": key, "value": without_version(new)}}
        reply = yield from self._txn([unchanged], [act], key)
        if not reply.ok:
            return failure(reply.error)
        if not reply.value["succeeded"]:
            return None
        return Written(old, with_version(new, reply.value["header"]["revision"]), removed)

    def _txn(self, compare: Operations, success: Operations, key: str) -> Fate:
        """A transaction that reads *key* if the comparison fails."""
        reply = yield from self.etcd.txn(
            compare, success, [{"request_range": {"key": key}}], timeout=self.params.request_timeout
        )
        self.heard(reply.error)
        return reply


def _same(wanted: Any, current: Obj) -> bool:
    """Whether there is nothing to write: all but the resourceVersion is as it was."""
    if isinstance(wanted, Remove):
        return False
    return wanted is current or without_version(wanted) == without_version(current)
