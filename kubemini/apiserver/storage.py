"""What the API server says to etcd: objects in, objects out, guarded by resourceVersion.

Invariant: a write replaces exactly the state it was decided on, else it is decided again on the newer one; one that
would change nothing makes no revision. The resourceVersion is etcd's revision, never part of what is stored. What an
object claims for itself alone (a Service its addresses) is written with it, in one transaction, which fails if there
are ServiceCIDRs that the server has not decided by (``decide/allocation``).
A write has 34 s for all its requests to etcd, a read 60 s; one that finds no member waits as long, and is served
late if a member returns. Each kind has an etcd client of its own, so not all kinds are back at the same instant.
Models k/apiserver pkg/storage/etcd3 store.GuaranteedUpdate, pkg/endpoints/handlers requestTimeoutUpperBound.
Keys are those of the real server (/registry/pods/NAMESPACE/NAME, /registry/services/specs/…, /registry/minions/NAME).
Simplified: the look for an unknown namespace has 34 s of its own; a value is the object itself, where the real server
writes protobuf behind the four bytes k8s and a zero, or for custom resources JSON.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, NamedTuple

from kubemini.api import errors
from kubemini.api.errors import ApiError
from kubemini.api.kinds import IP_ADDRESS, SERVICE_CIDR, CustomKind, Kind
from kubemini.api.objects import FrozenDict, Obj, Same, freeze
from kubemini.apiserver import served
from kubemini.apiserver.decide.allocation import services
from kubemini.apiserver.decide.allocation.cidrs import Known
from kubemini.apiserver.decide.allocation.repair import Repair
from kubemini.apiserver.decide.attributes import Witness, unseen
from kubemini.apiserver.decide.customs.conversion import Unconverted
from kubemini.apiserver.decide.deletion import Remove
from kubemini.apiserver.decide.update import Decide
from kubemini.etcd.client import NEVER_SENT, EtcdClient, prefix_end
from kubemini.etcd.errors import EtcdError
from kubemini.host import Component
from kubemini.sim import Steps
from kubemini.wire import Reply, Unreachable
from kubemini.wire.calls import DEADLINE, LOST

PINGS = "keepalive ping failed to receive ACK within timeout"
CIDRS: dict[str, Any] = {"key": SERVICE_CIDR.key(), "range_end": prefix_end(SERVICE_CIDR.key())}
ADDRESSES: dict[str, Any] = {"key": services.IP_KEY, "range_end": prefix_end(services.IP_KEY), "keys_only": True}
COMPACT_KEY = "compact_rev_key"
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


class Taken(NamedTuple):
    """A write that was not carried out, as others hold what it claims: the keys; none: it was decided on old facts."""

    keys: tuple[str, ...]


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


def decode(kind: Kind, kv: dict[str, Any]) -> Obj:
    """The object in a key-value record of etcd, as *kind*; of one state it is one object, whoever reads it."""
    plain = isinstance(kind, CustomKind) or not isinstance(kv["value"], FrozenDict)
    return (_decoded.__wrapped__ if plain else _decoded)(kind, Same(kv["value"]), kv["mod_revision"])


@lru_cache(maxsize=4096)
def _decoded(kind: Kind, value: Same, revision: int) -> Obj:
    return with_version(served.of(kind).from_store(value.obj), revision)


def encode(kind: Kind, obj: Obj) -> Obj:
    """*obj*, of *kind*, as it is stored."""
    return without_version(served.of(kind).to_store(obj))


def stored(kind: Kind, obj: Obj) -> Obj:
    """*obj* as it will be read again: what the version that is stored does not know is lost."""
    return served.of(kind).from_store(encode(kind, obj)) if isinstance(kind, CustomKind) else obj


def revision_of(obj: Obj) -> int:
    """The etcd revision that wrote this state."""
    return int(obj["metadata"]["resourceVersion"])


def failure(error: Any, late: ApiError) -> ApiError:
    """The answer to the user when etcd did not do as asked; *late*: when time was up before it said anything."""
    if isinstance(error, EtcdError):
        return errors.from_etcd(error.message, error.definite)
    if error in (DEADLINE, NEVER_SENT):
        return replace(late, definite=True) if error == NEVER_SENT else late
    return errors.from_etcd(_unavailable(error), error.definite)


def _unavailable(error: Unreachable) -> str:
    """As gRPC puts it when the connection breaks under a call."""
    why = PINGS if error == LOST else f"error reading from server: {error.reason}"
    return f"rpc error: code = Unavailable desc = {why}"


def _absent(key: str) -> dict[str, Any]:
    return {"key": key, "target": "MOD", "mod_revision": 0}


def _put(key: str, value: Obj | str) -> dict[str, Any]:
    return {"request_put": {"key": key, "value": value}}


def _delete(key: str) -> dict[str, Any]:
    return {"request_delete_range": {"key": key}}


def _with_addresses(keys: Iterable[str]) -> bool:
    return any(key.startswith(services.IP_KEY) for key in keys)


def _found(reply: Reply) -> dict[str, Any]:
    """Key → record of all that a failed transaction found."""
    kvs = [kv for response in reply.value["responses"] for kv in response["response_range"]["kvs"]]
    return {kv["key"]: kv for kv in kvs}


def corrupt(key: str, why: str) -> str:
    """What is said of an object that is there and cannot be read. Models k/apiserver pkg/storage NewCorruptObjError"""
    return f"StorageError: corrupt object, Code: 7, Key: {key}, ResourceVersion: 0, AdditionalErrorMsg: {why}"


def _unreadable(kind: Kind, kvs: Sequence[dict[str, Any]]) -> ApiError:
    """Why a list cannot be shown: all that cannot be read.

    Models k/apiserver pkg/storage/etcd3 corruptObjErrAggregator.
    """
    causes = []
    for kv in kvs:
        try:
            decode(kind, kv)
        except Unconverted as why:
            text = corrupt(kv["key"], f"object not decodable revision={kv['mod_revision']}: {why}")
            causes.append({"reason": "UnexpectedServerResponse", "message": text, "field": kv["key"]})
    told = [cause["message"] for cause in causes]
    what = told[0] if len(told) == 1 else f"[{', '.join(told)}]"
    details = {"name": "list", "group": kind.group, "kind": kind.plural, "causes": causes}
    message = f"failed to read one or more {kind.resource} from the storage: {what}"
    return ApiError(500, "StorageReadError", message, freeze(details))


class Storage:
    """Objects in etcd; *client* is that of a kind."""

    def __init__(self, component: Component, client: Callable[[Kind], EtcdClient]):
        self.component, self.params, self.client = component, component.net.params, client
        self.cidrs = Known(self.params.service_cluster_ip_range)  # the ServiceCIDRs that addresses are given by

    def get(self, kind: Kind, namespace: str, name: str, witness: Witness = unseen) -> Steps:
        """The latest state: an object, or an ApiError."""
        late = errors.read_timeout(kind, name)
        return (yield from self._get(kind, namespace, name, self.params.request_timeout, late, False, witness))

    def get_for_write(
        self, kind: Kind, namespace: str, name: str, deadline: int | None = None, witness: Witness = unseen
    ) -> Steps:
        """The same within the time that a write has, which ends at *deadline* (None: it begins now)."""
        left = (deadline or self._deadline()) - self.component.sim.now
        return (yield from self._get(kind, namespace, name, left, errors.timeout(), True, witness))

    def _deadline(self) -> int:
        """The instant until which a write that begins now may take."""
        limits = self.params.request_timeout, self.params.write_request_timeout
        return self.component.sim.now + min(limits)

    def _get(
        self, kind: Kind, namespace: str, name: str, patience: int, late: ApiError, writes: bool, witness: Witness
    ) -> Steps:
        key = kind.key(namespace, name)
        reply = yield from self.client(kind).range(key, timeout=max(1, patience))
        witness("etcd", {"range": key}, reply)
        if not reply.ok:  # a read that fails has certainly changed nothing
            return replace(failure(reply.error, late), definite=True)
        kvs = reply.value["kvs"]
        if not kvs:
            return errors.not_found(kind, name)
        try:
            return decode(kind, kvs[0])
        except Unconverted as why:
            text = f"object not decodable revision={kvs[0]['mod_revision']}: {why}"
            return (
                errors.failed(text)
                if writes
                else errors.internal(corrupt(kvs[0]["key"].removeprefix("/registry"), text))
            )

    def list(
        self, kind: Kind, namespace: str = "", revision: int = 0, start: str = "", witness: Witness = unseen
    ) -> Steps:
        """(objects by key, revision) as of *revision* (0: now), from the key *start* on, or an ApiError."""
        prefix = kind.key(namespace)
        end, patience = prefix_end(prefix), self.params.request_timeout
        at = {"revision": revision} if revision else {}
        reply = yield from self.client(kind).range(start or prefix, end, timeout=patience, **at)
        witness("etcd", {"range": start or prefix, "range_end": end, **at}, reply)
        if not reply.ok:
            return replace(failure(reply.error, errors.read_timeout(kind)), definite=True)
        try:
            return {kv["key"]: decode(kind, kv) for kv in reply.value["kvs"]}, reply.value["header"]["revision"]
        except Unconverted:
            return _unreadable(kind, reply.value["kvs"])

    def create(
        self, kind: Kind, namespace: str, name: str, obj: Obj, dry: bool = False, witness: Witness = unseen
    ) -> Steps:
        """Store a new object: Written, an ApiError, or Taken if it claims what another holds.

        *dry*: only look whether it could be.
        """
        key = kind.key(namespace, name)
        self.component.sim.ever.add(kind.kind)
        claims = services.claims(obj, self.component.sim.wall)
        compare = [*(_absent(one) for one in (key, *claims)), *self._guards(claims)]
        try:
            made = stored(kind, obj)
            puts = [_put(key, encode(kind, obj))]
        except Unconverted as why:
            return errors.failed(str(why))
        puts += [*(_put(one, held) for one, held in claims.items())]
        reply = yield from self._txn(kind, compare, [] if dry else puts, [key, *claims], self._deadline(), witness)
        if not reply.ok:
            return failure(reply.error, errors.timeout())
        if reply.value["succeeded"]:
            return Written(None, made if dry else with_version(made, reply.value["header"]["revision"]))
        found = _found(reply)
        if key not in found:
            return self._taken(found, claims, reply)
        return errors.already_exists(kind, name, being_deleted="deletionTimestamp" in found[key]["value"]["metadata"])

    def update(
        self,
        kind: Kind,
        namespace: str,
        name: str,
        decide: Decide,
        seen: Obj | None = None,
        dry: bool = False,
        witness: Witness = unseen,
    ) -> Steps:
        """Do to an object what *decide* makes of its current state: Written, an ApiError, or Taken.

        *seen* is a state from the cache to begin with. It may be old, so a refusal on its account is not final.
        """
        key = kind.key(namespace, name)
        current, fresh, deadline = seen, False, self._deadline()
        while True:
            if current is None:
                current, fresh = (yield from self.get_for_write(kind, namespace, name, deadline, witness)), True
            if isinstance(current, ApiError):
                return current
            wanted = decide(current)
            settled = isinstance(wanted, ApiError) or _same(wanted, current)
            if settled and fresh:
                return wanted if isinstance(wanted, ApiError) else Written(current, current)
            if settled:
                current = None
                continue
            done = yield from self._replace(kind, key, current, wanted, dry, deadline, witness)
            if done is not None:
                return done
            current = None

    def _replace(
        self, kind: Kind, key: str, old: Obj, wanted: Any, dry: bool, deadline: int, witness: Witness
    ) -> Steps:
        """Put *wanted* in the place of *old*: Written, an ApiError, Taken, or None if something else is there."""
        removed = isinstance(wanted, Remove)
        new = wanted.last if isinstance(wanted, Remove) else wanted
        held, claims = services.keys(old), {} if removed else services.claims(new, self.component.sim.wall)
        added = [one for one in claims if one not in held]
        unchanged = {"key": key, "target": "MOD", "mod_revision": revision_of(old)}
        try:
            kept = new if removed else stored(kind, new)
            acts = [_delete(key) if removed else _put(key, encode(kind, new))]
        except Unconverted as why:
            return errors.failed(str(why))
        acts += [_put(one, claims[one]) for one in added] + [_delete(one) for one in held if one not in claims]
        compare = [unchanged, *(_absent(one) for one in added), *self._guards(added)]
        reply = yield from self._txn(kind, compare, [] if dry else acts, [key, *added], deadline, witness)
        if not reply.ok:
            return failure(reply.error, errors.timeout())
        if reply.value["succeeded"]:
            revision = revision_of(old) if dry else reply.value["header"]["revision"]
            return Written(old, with_version(kept, revision), removed)
        found = _found(reply)
        unseen = key not in found or found[key]["mod_revision"] != revision_of(old)
        return None if unseen and not any(one in found for one in added) else self._taken(found, added, reply)

    # -- the ServiceCIDRs that an address is given by ------------------------------------------------------------------
    def _guards(self, claims: Iterable[str]) -> Operations:
        """Whoever adds addresses must have decided by the ServiceCIDRs that there are: none newer, none gone."""
        if not _with_addresses(claims):
            return []
        last = {"target": "MOD", "result": "LESS", "mod_revision": self.cidrs.revision + 1}
        same = [
            {"key": key, "target": "MOD", "mod_revision": revision_of(obj)} for key, obj in self.cidrs.found.items()
        ]
        return [{**CIDRS, **last}, *same]

    def repair(self, wrong: Repair) -> Steps:
        """Set one key right, if it is still as it was found; else it is looked at another time."""
        before = revision_of(wrong.found) if wrong.found is not None else 0
        compare = [{"key": wrong.key, "target": "MOD", "mod_revision": before}]
        act = _delete(wrong.key) if wrong.wanted is None else _put(wrong.key, wrong.wanted)
        yield from self._txn(IP_ADDRESS, compare, [act], [], self._deadline())

    def learns_of_cidrs(self) -> Steps:
        """Read the ServiceCIDRs: whether there are others than were known; a failure to read is no news."""
        reply = yield from self.client(SERVICE_CIDR).range(**CIDRS, timeout=self.params.request_timeout)
        if not reply.ok:
            return False
        before, there = self.cidrs.found, {kv["key"]: decode(SERVICE_CIDR, kv) for kv in reply.value["kvs"]}
        self.cidrs = replace(self.cidrs, found=there, revision=reply.value["header"]["revision"])
        return there != before

    def _taken(self, found: Mapping[str, Any], claims: Iterable[str], reply: Reply) -> Taken:
        """What others hold, of *claims* and of all addresses. From now on the ServiceCIDRs are known."""
        if _with_addresses(claims):
            there = {key: decode(SERVICE_CIDR, kv) for key, kv in found.items() if key.startswith(CIDRS["key"])}
            self.cidrs = replace(self.cidrs, found=there, revision=reply.value["header"]["revision"])
        addresses = (key for key in found if key.startswith(services.IP_KEY))
        return Taken(tuple(dict.fromkeys((*(key for key in claims if key in found), *addresses))))

    def _txn(
        self,
        kind: Kind,
        compare: Operations,
        success: Operations,
        keys: Sequence[str],
        deadline: int,
        witness: Witness = unseen,
    ) -> Steps:
        """A transaction that reads *keys* if the comparison fails; of addresses all, and the ServiceCIDRs."""
        reads = [{"request_range": {"key": key}} for key in keys]
        if any("range_end" in one for one in compare):
            reads += [{"request_range": CIDRS}, {"request_range": ADDRESSES}]
        left = max(1, deadline - self.component.sim.now)
        reply = yield from self.client(kind).txn(compare, success, reads, timeout=left)
        witness("etcd", {"compare": compare, "success": success, "failure": reads}, reply)
        return reply


def _same(wanted: Any, current: Obj) -> bool:
    """Whether there is nothing to write: all but the resourceVersion is as it was."""
    if isinstance(wanted, Remove):
        return False
    return wanted is current or without_version(wanted) == without_version(current)


# -- history -----------------------------------------------------------------------------------------------------------


def compact(component: Component, client: EtcdClient, interval: int) -> Steps:
    """Every *interval* (µs) let etcd forget what was old at the time before: so it keeps between one and two of them.

    A key of its own counts the rounds: who finds another number than it left there has been forestalled by another
    server, and waits for the next one. Models k/apiserver pkg/storage/etcd3 compactor.runCompactLoop Compact.
    """
    rounds = revision = 0
    while True:
        yield component.timeout(interval)
        mine = {"key": COMPACT_KEY, "target": "VERSION", "version": rounds}
        read = [{"request_range": {"key": COMPACT_KEY}}]
        reply = yield from client.txn([mine], [_put(COMPACT_KEY, str(revision))], read, timeout=interval)
        if not reply.ok:
            continue
        old, revision = revision, reply.value["header"]["revision"]
        if not reply.value["succeeded"]:
            rounds = reply.value["responses"][0]["response_range"]["kvs"][0]["version"]
            continue
        rounds += 1
        if old:
            yield from client.request("compact", {"revision": old}, timeout=interval)
