"""kube-proxy: watches Services and EndpointSlices and programs the kernel of its host. No packet ever goes through it.

Invariant: the rules in the kernel change only when kube-proxy changes them: while it is dead or cut off from the API
server they stay as they are, right or wrong. All that has changed is written in one go, at most once a second.
pkg/proxy/iptables/proxier.go syncProxyRules, pkg/util/async BoundedFrequencyRunner.
Simplified: no periodic full sync (nothing else touches the rules), no burst of two syncs; the zone of its node is the
machine's (the real one watches its Node). Its options are the defaults but for the mode.
"""

from collections.abc import Callable

from kubemini.api.kinds import ENDPOINT_SLICE, SERVICE
from kubemini.api.objects import Obj
from kubemini.api.timestamps import micro_timestamp
from kubemini.client import ApiClient, Informer
from kubemini.host import Component, Host
from kubemini.network import dataplane
from kubemini.network.decide.services.health import HEALTHZ_PORT, Probe, answered, local_counts, proxy_health
from kubemini.network.decide.services.node import ProxyConfig
from kubemini.network.decide.services.world import Entry, entries, service_of
from kubemini.sim import Sim, Steps
from kubemini.wire import Call, Network
from kubemini.wire.calls import REFUSED

NEVER = -1  # an instant that has not come


class KubeProxy(Component):
    """One kube-proxy process."""

    def __init__(self, sim: Sim, net: Network, host: Host, name: str, servers: list[str]):
        super().__init__(sim, net, host, name)
        self.servers = servers
        self.params = net.params
        self._durations = sim.draws(f"kube-proxy/{name}")
        self._syncs = 0
        self.when_answers_change: list[Callable[[], None]] = []  # of those who ask on health check node ports

    @property
    def config(self) -> ProxyConfig:
        """What it was started with."""
        cidrs, services = ",".join(self.params.cluster_cidr), self.params.service_cluster_ip_range
        return ProxyConfig(self.params.proxy_mode, cidrs, services)

    def boot(self) -> None:
        client = ApiClient(self, self.servers, "system:kube-proxy")
        self.services = Informer(client, SERVICE, self._service_changed)
        self.slices = Informer(client, ENDPOINT_SLICE, self._slice_changed)
        self.dirty: dict[str, None] = {}
        self.earliest = self.sim.now  # when the next sync may begin
        self.scheduled = False
        self.written_at = self.waiting_since = NEVER
        self.counts: dict[str, tuple[int, int]] = {}  # what it answers on health check node ports
        for informer in (self.services, self.slices):
            informer.on_synced.append(self._synced)
            informer.start()

    # -- news --------------------------------------------------------------------------------------------------------
    def _synced(self) -> None:
        """The first lists are here: whatever an earlier incarnation left in the kernel is looked at, too."""
        if self._ready():
            if found := dataplane.table(self.host):
                self.dirty.update(dict.fromkeys(found.by_service))
            self._plan_sync()

    def _ready(self) -> bool:
        """Before it knows everything, kube-proxy touches nothing."""
        return self.services.synced and self.slices.synced

    def _service_changed(self, old: Obj | None, new: Obj | None) -> None:
        obj = new or old
        assert obj is not None
        self._mark(obj["metadata"].get("namespace", ""), obj["metadata"]["name"])

    def _slice_changed(self, old: Obj | None, new: Obj | None) -> None:
        for obj in (old, new):
            if obj is not None:
                self._mark(obj["metadata"].get("namespace", ""), service_of(obj))

    def _mark(self, namespace: str, name: str) -> None:
        self.dirty[f"{namespace}/{name}"] = None
        self._plan_sync()

    # -- how it is -----------------------------------------------------------------------------------------------------
    @property
    def waits(self) -> bool:
        """Whether news waits to be written."""
        return self.waiting_since != NEVER

    def handle(self, call: Call) -> Steps | None:
        """A GET on one of its ports; on health check node ports it listens since the sync that told it of them."""
        probe: Probe = call.payload
        late = self.waits and self.sim.now - self.waiting_since >= 2 * self.params.proxy_sync_period
        if probe.port == HEALTHZ_PORT:
            updated = (
                "" if self.written_at == NEVER else micro_timestamp(self.written_at - self.sim.now + self.sim.wall)
            )
            answer = proxy_health(probe.path, not late or not updated, updated, micro_timestamp(self.sim.wall))
            call.reply(answer or (404, {}, {}))
        elif answer := answered(self.counts, probe, not late):
            call.reply(answer)
        else:
            call.fail(REFUSED)
        return None

    # -- syncing -----------------------------------------------------------------------------------------------------
    def _plan_sync(self) -> None:
        if self._ready() and self.dirty and not self.waits:
            self.waiting_since = self.sim.now
        if self._ready() and self.dirty and not self.scheduled:
            self.scheduled = True
            self.after(max(0, self.earliest - self.sim.now), self._sync)

    def _sync(self) -> None:
        """Decide now; the kernel has it when iptables-restore is done."""
        self.earliest = self.sim.now + self.params.iptables_min_sync_period
        changed, self.dirty = self.dirty, {}
        wanted = {key: self._entries(*key.split("/")) for key in changed}
        self._syncs += 1
        self.after(self._durations.between(self._syncs, *self.params.iptables_restore), self._program, wanted)

    def _entries(self, namespace: str, name: str) -> tuple[Entry, ...]:
        service = self.services.get(namespace, name)
        if service is None:
            return ()
        slices = [s for s in self.slices.values(namespace) if service_of(s) == name]
        return entries(service, slices, dataplane.node_of(self.host))

    def _program(self, wanted: dict[str, tuple[Entry, ...]]) -> None:
        table = dataplane.written(self.host, self.config)
        for key, new in wanted.items():
            before = table.by_service.get(key, ())
            table.put(key, new)
            if [entry.rules for entry in new] != [entry.rules for entry in before]:
                self._tell(key, new or before, gone=not new)
        self.scheduled, self.written_at, self.waiting_since = False, self.sim.now, NEVER
        counted, self.counts = self.counts, local_counts(table)
        if self.counts != counted:
            for look in self.when_answers_change:
                look()
        self._plan_sync()

    def _tell(self, service: str, said: tuple[Entry, ...], gone: bool) -> None:
        """The rules of a Service have changed: those of its first port, as they stand in the trace."""
        first = said[0]
        rows = [] if gone else [e.row() for e in first.uses.reachable]
        self.sim.record(self.name, "rules", service=service, ip=first.port.cluster_ip, endpoints=rows)
