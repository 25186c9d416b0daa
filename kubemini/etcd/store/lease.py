"""Leases: a time to live that keys can hang on; when it runs out, etcd deletes them all in one revision.

Which leases and keys exist is replicated; *when* one runs out is known to the leader alone (the primary lessor).
Invariant: a new leader gives every lease its full time again, plus one election timeout, so a lease may live too
long but never too short. Pure: instants (µs) are handed in. etcd 3.7 server/lease/lessor.go.
Models etcd server/lease lessor.Grant, lessor.Revoke, lessor.Renew, lessor.Promote.
Simplified: no checkpoints of the remaining time; no limit on revocations a second.
"""

from dataclasses import dataclass, field
from typing import Any

from kubemini.etcd.errors import LEASE_EXISTS, LEASE_NOT_FOUND, LEASE_TTL_TOO_LARGE, EtcdError
from kubemini.sim.units import SECOND

MAX_TTL = 9_000_000_000  # seconds


@dataclass(slots=True)
class Lease:
    """A lease of *ttl* seconds; *expiry* is None where this member is not the leader."""

    id: int
    ttl: int
    keys: dict[str, None] = field(default_factory=dict)
    expiry: int | None = None


class Lessor:
    """The leases of one member."""

    def __init__(self, minimum_ttl: int = 2):
        self.minimum_ttl = minimum_ttl
        self.leases: dict[int, Lease] = {}
        self.primary = False

    # -- replicated: every member does the same ------------------------------------------------------------------
    def grant(self, id: int, ttl: int, now: int) -> dict[str, Any] | EtcdError:
        """A new lease of *ttl* seconds, or of the minimum if that is longer."""
        if ttl > MAX_TTL:
            return LEASE_TTL_TOO_LARGE
        if id in self.leases:
            return LEASE_EXISTS
        lease = self.leases[id] = Lease(id, max(ttl, self.minimum_ttl))
        if self.primary:
            lease.expiry = now + lease.ttl * SECOND
        return {"ID": id, "TTL": lease.ttl}

    def revoke(self, id: int) -> list[str] | EtcdError:
        """The lease is gone; the keys that must go with it, sorted."""
        lease = self.leases.pop(id, None)
        return LEASE_NOT_FOUND if lease is None else sorted(lease.keys)

    def copies(self) -> dict[int, Lease]:
        """The leases and their keys, for a snapshot: nobody knows there when they run out."""
        return {lease.id: Lease(lease.id, lease.ttl, dict(lease.keys)) for lease in self.leases.values()}

    def attach(self, id: int, key: str) -> None:
        """*key* hangs on lease *id* from now on."""
        if id in self.leases:
            self.leases[id].keys[key] = None

    def detach(self, id: int, key: str) -> None:
        """*key* does not hang on lease *id* any more."""
        if id in self.leases:
            self.leases[id].keys.pop(key, None)

    # -- time: the leader alone ----------------------------------------------------------------------------------
    def promote(self, now: int, extend: int) -> None:
        """This member leads: every lease starts again in full, *extend* µs later at the earliest."""
        self.primary = True
        for lease in self.leases.values():
            lease.expiry = now + lease.ttl * SECOND + extend

    def demote(self) -> None:
        """Somebody else leads, or nobody."""
        self.primary = False
        for lease in self.leases.values():
            lease.expiry = None

    def renew(self, id: int, now: int) -> int:
        """Keep-alive on the leader: the full time again; 0 if there is no such lease."""
        lease = self.leases.get(id)
        if lease is None:
            return 0
        lease.expiry = now + lease.ttl * SECOND
        return lease.ttl

    def remaining(self, id: int, now: int) -> int:
        """Whole seconds left on the leader; -1 if there is no such lease."""
        lease = self.leases.get(id)
        return -1 if lease is None or lease.expiry is None else max(0, (lease.expiry - now) // SECOND)

    def expired(self, now: int) -> list[int]:
        """The leases that ran out, oldest expiry first."""
        out = [(lease.expiry, lease.id) for lease in self.leases.values() if lease.expiry is not None]
        return [id for expiry, id in sorted(out) if expiry <= now]

    def next_expiry(self) -> int | None:
        """The instant at which the next lease runs out."""
        return min((lease.expiry for lease in self.leases.values() if lease.expiry is not None), default=None)
