"""kube-proxy: watches Services and EndpointSlices and programs the kernel of its host. No packet ever goes through it.

Invariant: the rules in the kernel change only when kube-proxy changes them: while it is dead or cut off from the API
server they stay as they are, right or wrong. All that has changed is written in one go, at most once a second.
pkg/proxy/iptables/proxier.go syncProxyRules, pkg/util/async BoundedFrequencyRunner.
Simplified: no periodic full sync (nothing else touches the rules), no burst of two syncs.
"""

from kubemini.api.kinds import ENDPOINT_SLICE, SERVICE
from kubemini.api.objects import Obj, get
from kubemini.client import ApiClient, Informer
from kubemini.host import Component, Host
from kubemini.network import dataplane
from kubemini.network.decide.services import rule as services
from kubemini.network.decide.services.ports import SERVICE_NAME
from kubemini.network.decide.services.rule import Rule
from kubemini.sim import Sim
from kubemini.wire import Network


class KubeProxy(Component):
    """One kube-proxy process."""

    def __init__(self, sim: Sim, net: Network, host: Host, name: str, servers: list[str]):
        super().__init__(sim, net, host, name)
        self.servers = servers
        self.params = net.params
        self._durations = sim.draws(f"kube-proxy/{name}")
        self._syncs = 0

    def boot(self) -> None:
        client = ApiClient(self, self.servers, "system:kube-proxy")
        self.services = Informer(client, SERVICE, self._service_changed)
        self.slices = Informer(client, ENDPOINT_SLICE, self._slice_changed)
        self.dirty: dict[str, None] = {}
        self.earliest = self.sim.now  # when the next sync may begin
        self.scheduled = False
        for informer in (self.services, self.slices):
            informer.on_synced.append(self._synced)
            informer.start()

    # -- news --------------------------------------------------------------------------------------------------------
    def _synced(self) -> None:
        """The first lists are here: whatever an earlier incarnation left in the kernel is looked at, too."""
        if self._ready():
            self.dirty.update(dict.fromkeys(dataplane.rules(self.host)))
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
                self._mark(obj["metadata"].get("namespace", ""), _service_of(obj))

    def _mark(self, namespace: str, name: str) -> None:
        self.dirty[f"{namespace}/{name}"] = None
        self._plan_sync()

    # -- syncing -----------------------------------------------------------------------------------------------------
    def _plan_sync(self) -> None:
        if self._ready() and self.dirty and not self.scheduled:
            self.scheduled = True
            self.after(max(0, self.earliest - self.sim.now), self._sync)

    def _sync(self) -> None:
        """Decide now; the kernel has it when iptables-restore is done."""
        self.earliest = self.sim.now + self.params.iptables_min_sync_period
        changed, self.dirty = self.dirty, {}
        wanted = {key: self._rule(*key.split("/")) for key in changed}
        self._syncs += 1
        self.after(self._durations.between(self._syncs, *self.params.iptables_restore), self._program, wanted)

    def _rule(self, namespace: str, name: str) -> Rule | None:
        service = self.services.get(namespace, name)
        if service is None:
            return None
        slices = [s for s in self.slices.values(namespace) if _service_of(s) == name]
        return services.rule(service, slices, self.host.name)

    def _program(self, wanted: dict[str, Rule | None]) -> None:
        kernel = dataplane.rules(self.host)
        for key, rule in wanted.items():
            before = kernel.get(key)
            if rule == before:
                continue
            if rule is not None:
                kernel[key] = rule
                self.sim.record(self.name, "rules", **services.summary(rule))
            elif before is not None:
                del kernel[key]
                self.sim.record(self.name, "rules", service=key, ip=before.ip, endpoints=[])
        self.scheduled = False
        self._plan_sync()


def _service_of(endpoint_slice: Obj) -> str:
    return get(endpoint_slice, "metadata", "labels", SERVICE_NAME, default="")
