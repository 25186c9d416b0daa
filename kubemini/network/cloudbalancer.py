"""A cloud's load balancer: it gives addresses to Services, asks each node how it is, and sends to those that are well.

It asks by HTTP: at a Service's health check node port, or at kube-proxy's 10256, so what answers is the kube-proxy of
the node, and one that is dead is found out. What answers the packets is the kernel of the node.
Invariant: it never looks at the API to learn whether a node can take a packet; only what was answered counts.
A node of which the next answer cannot but be as the last is not asked: it is asked again when something has changed
(`Network.watchers`, `KubeProxy.when_answers_change`), at the instant when its turn would have come.
cloud-provider's service controller, and the health checks of Google's passthrough load balancer.
Simplified: the controller and the balancer are one program; an address is given within a second, where clouds take
minutes.
"""

from kubemini.api.kinds import NODE, SERVICE
from kubemini.host import Host
from kubemini.network.decide.services.health import Probe
from kubemini.network.decide.speaking.checking import Opinion, Place, places
from kubemini.network.kubeproxy import KubeProxy
from kubemini.network.speaker import Speaker
from kubemini.sim import Sim, Steps
from kubemini.wire import Network


class CloudBalancer(Speaker):
    """One process, beside the router before the cluster."""

    watched = (SERVICE, NODE)
    user = "system:cloud-controller-manager"

    def __init__(self, sim: Sim, net: Network, host: Host, name: str, servers: list[str]):
        super().__init__(sim, net, host, name, servers)
        self.params = net.params
        self._draws = sim.draws(f"cloud/{name}")
        self._numbers = 0
        net.watchers.append(self._changed_around)

    def boot(self) -> None:
        self.opinions: dict[Place, Opinion] = {}
        self.resting: dict[Place, int] = {}  # when it would be asked next
        for program in self.net.components.values():
            if isinstance(program, KubeProxy) and self._changed_around not in program.when_answers_change:
                program.when_answers_change.append(self._changed_around)
        super().boot()

    def shutdown(self) -> None:
        self.opinions = {}

    # -- whom it asks --------------------------------------------------------------------------------------------------
    def announce(self) -> None:
        """The nodes behind each address: those that are new are asked soon, spread over one interval."""
        wanted = places(self._all(SERVICE), self._all(NODE))
        for gone in [place for place in self.opinions if place not in wanted]:
            del self.opinions[gone]
            self.resting.pop(gone, None)
        for place in wanted:
            if place not in self.opinions:
                self.opinions[place] = Opinion(self.params.cloud_check_healthy, self.params.cloud_check_unhealthy)
                self._numbers += 1
                self._ask_in(self._draws.between(self._numbers, 1, self.params.cloud_check_interval), place)

    def entrance(self, address: str, number: int) -> str:
        """A node that is well, or any if none is; "" for an address that is not ours."""
        behind = [place for place in self.opinions if place.address == address]
        well = [place for place in behind if self.opinions[place].well] or behind
        drawn = self.sim.draws(f"entrance/{self.name}").between(number, 1, max(1, len(well)))
        return well[drawn - 1].node if well else ""

    # -- asking --------------------------------------------------------------------------------------------------------
    def _ask_in(self, delay: int, place: Place) -> None:
        self.after(delay, self._ask, place, self.opinions[place])

    def _ask(self, place: Place, opinion: Opinion) -> None:
        if self.opinions.get(place) is opinion:
            self.spawn(self._once(place, opinion))

    def _once(self, place: Place, opinion: Opinion) -> Steps:
        began, target = self.sim.now, f"kube-proxy@{place.node}"
        settled = self._settled(target)
        reply = yield self.call(target, "http", Probe(place.port), timeout=self.params.cloud_check_timeout)
        if self.opinions.get(place) is not opinion:
            return
        good = reply.ok and reply.value[0] == 200
        if opinion.hear(good):
            why = f"HTTP {reply.value[0]}" if reply.ok else reply.error.reason
            where = {"address": place.address, "node": place.node, "port": place.port}
            self.sim.record(self.name, "target", **where, up=opinion.well, why=why)
        due = max(self.sim.now, began + self.params.cloud_check_interval)
        if settled and self._settled(target) and good == opinion.well:
            self.resting[place] = due
        else:
            self._ask_in(due - self.sim.now, place)

    def _settled(self, target: str) -> bool:
        """Whether *target* answers alike until `_changed_around` is called."""
        program = self.net.components[target]
        return self.net.untouched and not (isinstance(program, KubeProxy) and program.waits)

    def _changed_around(self) -> None:
        """Something has changed: whoever rests is asked again when its turn comes."""
        if self.up:
            resting, self.resting = self.resting, {}
            now, interval = self.sim.now, self.params.cloud_check_interval
            for place, due in resting.items():
                self._ask_in((due - now) % interval if due < now else due - now, place)
