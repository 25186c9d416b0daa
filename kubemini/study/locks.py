"""Programs that want one lock, kept as a key of etcd that hangs on a lease.

Invariant: a program believes that it holds the lock only as long as its lease must live: from the moment at which it
*asked* for the last renewal, not from that at which it was answered. So etcd forgets a lease later than its holder.
What a claim looks like is the caller's choice. https://etcd.io/docs/v3.7/learning/api/#lease-api
Simplified: nobody releases a lock; who waits asks again twice a second, where a real client would watch the key.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kubemini.etcd.client import EtcdClient
from kubemini.host import Component, Host
from kubemini.sim import Steps
from kubemini.sim.units import MS, SECOND
from kubemini.study.etcdctl import Etcd

TTL = 5  # seconds
RETRY = 500 * MS
APART = 70 * MS  # one begins after the other
Claim = Callable[[str, int], dict[str, Any]]  # owner, lease → the transaction that takes the lock


@dataclass(slots=True)
class Tenure:
    """*owner* believes that it holds the lock, from *since* to *until*."""

    owner: str
    since: int
    until: int


class Program(Component):
    """Keeps a lease alive, tries for the lock twice a second, and believes in it as long as its lease must live."""

    def __init__(self, etcd: Etcd, name: str, number: int, claim: Claim):
        super().__init__(etcd.sim, etcd.net, Host(etcd.sim, f"host-{name}"), name)
        self.members, self.number, self.claim = list(etcd.members), number, claim
        self.tenures: list[Tenure] = []
        self.lease, self.until = 0, 0

    def boot(self) -> None:
        """Begin."""
        self.client = EtcdClient(self, self.members, "lock")
        self.spawn(self._life())

    def holds(self) -> bool:
        """Whether it believes, now, to have the lock."""
        return self.up and bool(self.tenures) and self.tenures[-1].until > self.sim.now

    def _life(self) -> Steps:
        yield self.timeout(self.number * APART)
        while True:
            yield from self._keep_lease()
            if self.until > self.sim.now and not self.holds():
                yield from self._try()
            yield self.timeout(RETRY)

    def _keep_lease(self) -> Steps:
        """Renew the lease, or get another one when it is over. What is promised counts from the question."""
        asked = self.sim.now
        if self.until <= asked:
            self.lease += 100
            wish = {"TTL": TTL, "ID": self.lease + self.number}
            reply = yield from self.client.request("lease_grant", wish, SECOND)
        else:
            wish = {"ID": self.lease + self.number}
            reply = yield from self.client.request("lease_keepalive", wish, SECOND)
        if reply.ok and reply.value["TTL"]:
            self.until = asked + TTL * SECOND
            if self.tenures and self.tenures[-1].until > self.sim.now:
                self.tenures[-1].until = self.until

    def _try(self) -> Steps:
        lease = self.lease + self.number
        txn = self.claim(self.name, lease)
        reply = yield from self.client.request("txn", txn, SECOND)
        mine = reply.ok and (reply.value["succeeded"] or _is_mine(reply.value["responses"], lease))
        if mine and self.until > self.sim.now:
            self.tenures.append(Tenure(self.name, self.sim.now, self.until))


def _is_mine(responses: list[dict[str, Any]], lease: int) -> bool:
    """A claim that timed out may have succeeded all the same: read before you try again."""
    return any(kv["lease"] == lease for r in responses for kv in r.get("response_range", {}).get("kvs", ()))
