"""kube-network-policies: the agent of NetworkPolicies on a node, for a pod network that knows none of its own.

Watches pods, namespaces, nodes and both kinds of policies, and puts what it knows into the kernel of its host, at most
once in `policy_sync_interval`. A pod network without such an agent takes policies for what they are: objects.
Invariant: nothing is done while no policy exists; what the kernel has follows the last sync, and outlives no agent: one
that starts anew lets everything pass until it has seen all that there is.
Models kubernetes-sigs/kube-network-policies pkg/dataplane newController, pkg/networkpolicy getLocalPodsForNetworkPolicy
Simplified: one sync for the set of judged pods and for what they are judged by, where the real one judges by its
caches as they are; --fail-open always; no NRI.
"""

from kubemini.api.kinds import CLUSTER_NETWORK_POLICY, NAMESPACE, NETWORK_POLICY, NODE, POD
from kubemini.api.objects import Obj
from kubemini.client import ApiClient, Informer
from kubemini.host import Component, Host
from kubemini.network.decide.policy.judge import Policies
from kubemini.network.decide.policy.places import nodes_of, pods_of
from kubemini.network.policing import PolicyTable
from kubemini.sim import Sim
from kubemini.wire import Network


class PolicyAgent(Component):
    """One kube-network-policies process."""

    checks = 0  # of established connections, ever

    def __init__(self, sim: Sim, net: Network, host: Host, name: str, servers: list[str]):
        super().__init__(sim, net, host, name)
        self.servers = servers

    def boot(self) -> None:
        self.host.kernel.policies = None  # until it knows better, nothing is judged
        client = ApiClient(self, self.servers, "system:serviceaccount:kube-system:kube-network-policies")
        self.pods, self.namespaces, self.nodes, self.policies, self.cluster = self.informers = [
            Informer(client, kind, self._changed)
            for kind in (POD, NAMESPACE, NODE, NETWORK_POLICY, CLUSTER_NETWORK_POLICY)
        ]
        self.scheduled = self.checking = False
        self.earliest_sync = self.earliest_check = self.sim.now
        self.said: list[str] = []
        for informer in self.informers:
            informer.on_synced.append(self._plan)
            informer.start()

    def _changed(self, old: Obj | None, new: Obj | None) -> None:
        self._plan()

    def _plan(self) -> None:
        """A sync, if there is something to judge by, or was."""
        known = all(informer.synced for informer in self.informers)
        if known and not self.scheduled and (self.policies.objects or self.cluster.objects or self.said):
            self.scheduled = True
            self.after(max(0, self.earliest_sync - self.sim.now), self._sync)

    def _sync(self) -> None:
        self.scheduled = False
        self.earliest_sync = self.sim.now + self.net.params.policy_sync_interval
        self.host.kernel.policies = PolicyTable(
            Policies(
                self.policies.values(),
                self.cluster.values(),
                pods_of(self.pods.values(), self.namespaces.values()),
                nodes_of(self.nodes.values()),
            ),
            self._listens,
            self.net.params.policy_strict_mode,
            self.checks,
        )
        self._tell()
        if self.net.params.policy_strict_mode and not self.checking:
            self.checking = True
            self.after(max(0, self.earliest_check - self.sim.now), self._check)

    def _check(self) -> None:
        """Established connections are judged again with their next packet."""
        self.checking = False
        self.earliest_check = self.sim.now + self.net.params.policy_check_interval
        self.checks += 1
        self.host.kernel.policies.checks = self.checks

    def _listens(self) -> bool:
        return self.up and not self.paused

    def _tell(self) -> None:
        """Which policies this host knows, if they are others than before."""
        names = [f"{ns}/{name}" if ns else name for ns, name in (*self.policies.objects, *self.cluster.objects)]
        if sorted(names) != self.said:
            self.said = sorted(names)
            self.sim.record(self.name, "policies", names=self.said)
