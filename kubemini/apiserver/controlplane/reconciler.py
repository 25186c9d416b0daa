"""An API server keeps its own address in the Service `kubernetes`, by a lease in etcd, and takes out those without one.

Every 10 s it renews its lease of 15 s (a new one each time, on which its key hangs) and writes Endpoints and the
EndpointSlice anew if they do not name those that have one. Whoever is told to stop gives up his lease and takes his
address out; of one that has crashed the address stays until the lease has ended *and* another server looks again.
Invariant: no address is taken out whose lease is there; if etcd does not say which there are, nothing is changed.
Models k/k pkg/controlplane/controller/kubernetesservice Controller.Start Controller.RunKubernetesService
Controller.Stop; k/k pkg/controlplane/reconcilers storageLeases.UpdateLease storageLeases.RemoveLease
Simplified: no webhook and no policy is asked about these objects; it begins when the server is ready, not up to 0.1 s
later.
"""

from collections.abc import Callable

from kubemini.api.errors import ApiError
from kubemini.api.kinds import ENDPOINT_SLICE, ENDPOINTS, SERVICE, Kind
from kubemini.api.objects import Obj
from kubemini.api.patch.apply import UPDATE, Manager
from kubemini.apiserver import bootstrap, writing
from kubemini.apiserver.bootstrap import NAME, NAMESPACE
from kubemini.apiserver.bootstrap import endpoints as decide
from kubemini.apiserver.core import Core
from kubemini.apiserver.decide import ownership, strategy
from kubemini.etcd.client import EtcdClient, prefix_end
from kubemini.host.linux.podnetwork import own_addresses
from kubemini.sim import Steps
from kubemini.sim.units import SECOND

Fill = Callable[[Obj | None], Obj]


class Reconciler:
    """Of one incarnation of an API server."""

    def __init__(self, core: Core):
        self.core, self.params = core, core.params
        self.etcd = EtcdClient(core.component, core.etcd_endpoints, "masterleases")
        self.address = own_addresses(core.component.host)[0]
        self.key, self.stopped = decide.lease_key(self.address), False

    def run(self) -> Steps:
        """Take out what a crash has left of this server; once it is ready, renew for good."""
        component = self.core.component
        if (yield from self._give_up()):
            yield from self._reconcile()
        yield self.core.health.when_ready()
        while not self.stopped:
            begun = component.sim.now
            yield from self._ensure_service()
            if (yield from self._renew()):
                yield from self._reconcile()
            since = component.sim.now - begun
            yield component.timeout(max(0, self.params.endpoint_reconciler_interval - since))

    def stop(self) -> Steps:
        """Give up the lease, and take this server out."""
        self.stopped = True
        yield from self._give_up()
        yield from self._reconcile()

    def _ensure_service(self) -> Steps:
        cache = self.core.cache(SERVICE)
        if (yield from cache.wait()) is None and cache.get(NAMESPACE, NAME) is None:
            yield from self._create(SERVICE, bootstrap.service(self.params.service_cluster_ip_range[0]))

    # -- leases --------------------------------------------------------------------------------------------------------
    def _renew(self) -> Steps:
        """Put our key, on a new lease; whether that is done."""
        reply = yield from self.etcd.range(self.key)
        if not reply.ok or self.stopped:
            return False
        before = reply.value["kvs"][0] if reply.value["kvs"] else None
        ttl = {"TTL": self.params.endpoint_reconciler_ttl // SECOND}
        granted = yield from self.etcd.request("lease_grant", ttl)
        if not granted.ok or self.stopped:
            return False
        unchanged = {"key": self.key, "target": "MOD", "mod_revision": before["mod_revision"] if before else 0}
        value = decide.lease(self.address, before["value"] if before else None)
        put = {"request_put": {"key": self.key, "value": value, "lease": granted.value["ID"]}}
        done = yield from self.etcd.txn([unchanged], [put])
        return done.ok and done.value["succeeded"]

    def _give_up(self) -> Steps:
        """Delete our key; whether there was one."""
        reply = yield from self.etcd.request("delete_range", {"key": self.key})
        return reply.ok and reply.value["deleted"] > 0

    # -- what everybody sees -------------------------------------------------------------------------------------------
    def _reconcile(self) -> Steps:
        """Write what the leases say, if it is not what is there."""
        prefix = decide.LEASES
        reply = yield from self.etcd.range(prefix, prefix_end(prefix))
        if not reply.ok:
            return
        addresses = decide.holders(kv["key"] for kv in reply.value["kvs"])
        written = yield from self._ensure(ENDPOINTS, lambda before: decide.endpoints(addresses, before))
        if written is not None:
            yield from self._ensure(ENDPOINT_SLICE, lambda before: decide.endpoint_slice(written, before))

    def _ensure(self, kind: Kind, fill: Fill) -> Steps:
        """The object as *fill* would have it, in the place of what is there; None if it could not be written."""
        core = self.core

        def decided(old: Obj) -> Obj:
            new = fill(old)
            return old if new == old else self._owned(kind, old, strategy.recounted(old, new, kind))

        done = yield from core.storage.update(kind, NAMESPACE, NAME, decided)
        if isinstance(done, ApiError):
            return (yield from self._create(kind, fill(None))) if done.code == 404 else None
        core.tell(kind, done)
        return done.new

    def _create(self, kind: Kind, obj: Obj) -> Steps:
        made = yield from writing.store_new(self.core, kind, self._owned(kind, None, obj))
        return None if isinstance(made, ApiError) else made.new

    def _owned(self, kind: Kind, old: Obj | None, new: Obj) -> Obj:
        me = Manager(bootstrap.MANAGER, UPDATE, kind.api_version, "")
        return ownership.after_write(old, new, me, True, self.core.sim.wall)
