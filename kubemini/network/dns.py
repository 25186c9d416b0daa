"""CoreDNS in the pods of one host, NodeLocal DNSCache, and the name server outside: programs that answer names.

Theory of operation. A CoreDNS process begins with the container of a pod that runs its image and ends with it: the
container runtime starts and stops it. It lists and watches Services, EndpointSlices and namespaces as any client of
the API server does, so its answers are as late as its informers, and go on when the API server is gone. One that
starts without an API server waits 5 s, and then fails every name of the cluster.
Invariant: what is answered is decided by `coredns.CoreDNS`; here questions come, are asked further, and go.
coredns plugin/kubernetes/controller.go, plugin/forward; k/dns cmd/node-cache.
Simplified: the CoreDNS pods of one host are one process; the plugin loop looks only where it could find something,
that is if a stanza forwards elsewhere than to the name server outside.
"""

from dataclasses import replace

import simpy

from kubemini.api.kinds import CONFIG_MAP, ENDPOINT_SLICE, NAMESPACE, POD, SERVICE
from kubemini.api.objects import Obj, get
from kubemini.client import ApiClient, Informer
from kubemini.host import Component, Host
from kubemini.host.linux import podnetwork
from kubemini.network import policing
from kubemini.network.decide.dns.coredns import Aside, Ask, CoreDNS, Finding
from kubemini.network.decide.dns.coredns import Steps as Answering
from kubemini.network.decide.dns.corefile import STANDARD, CorefileError
from kubemini.network.decide.dns.message import NOERROR, NXDOMAIN, Answer, Question, Record, within
from kubemini.network.decide.dns.resolver import Send
from kubemini.network.decide.dns.store import read_store
from kubemini.network.names import LOOPBACK, NODE_CACHE_IP, OUTSIDE_IP, PORT, Asker, Query, Response, send
from kubemini.sim import Sim, Steps
from kubemini.sim.units import SECOND
from kubemini.wire import Network
from kubemini.wire.rpc import happen

IMAGE = "coredns"
CONFIG = ("kube-system", "coredns")  # the ConfigMap with the Corefile
NODE_CACHE = """
cluster.local:53 in-addr.arpa:53 ip6.arpa:53 {
    errors
    cache {
        success 9984 30
        denial 9984 5
    }
    forward . 10.96.0.10 {
        force_tcp
    }
}
.:53 {
    errors
    cache 30
    forward . 198.51.100.53
}
"""
MOST_SEEN, HELP = 2, "https://coredns.io/plugins/loop#troubleshooting"  # of the plugin loop
EPHEMERAL = (32768, 60999)  # net.ipv4.ip_local_port_range
KNOWN, ADDRESS, TTL = "example.com.", "203.0.113.80", 60  # what the name server outside knows


class NameServer(Component):
    """A program that answers questions, and may ask others first."""

    server: CoreDNS | None = None

    def boot(self) -> None:
        self.asker = Asker(self)

    def receive(self, source: str, payload: Query | Response) -> None:
        """A question, or the answer to one of its own."""
        if isinstance(payload, Response):
            self.asker.hear(payload)
        elif self.takes(payload.to) and (payload.flow is None or policing.enters(self.host, payload.flow)):
            self.spawn(self._answer(source, payload))

    def takes(self, ip: str) -> bool:
        """Whether packets to *ip* are for this program, and it is ready for them."""
        return self.server is not None

    def refresh(self) -> None:
        """Before a question: bring what the server knows up to date."""

    def _answer(self, source: str, query: Query) -> Steps:
        assert self.server is not None
        answer = yield from self._go(self.server, self.server.serve(query.question))
        send(self, source, Response(query.number, answer))

    def _go(self, server: CoreDNS, steps: Answering | Finding) -> Steps:
        """Go through *steps* of *server*; returns what they find."""
        said, asked = None, False
        while True:
            server.now = self.sim.now
            self.refresh()
            try:
                wanted = steps.send(said) if asked else next(steps)
            except StopIteration as done:
                return done.value
            further = self._further(wanted) if isinstance(wanted, Ask) else self._beside(server, wanted)
            said, asked = (yield from further), True

    def _beside(self, server: CoreDNS, aside: Aside) -> Steps:
        """Let these steps go on their own; what they find within the time that whoever asks has, or None."""
        found: list[Answer | None] = []
        over = simpy.Event(self.sim)

        def end() -> None:
            if over.callbacks is not None:
                happen(over, None)

        def go() -> Steps:
            found.append((yield from self._go(server, aside.steps)))
            end()

        self.spawn(go())
        if aside.wait:
            timer = self.after(aside.wait, end)
            yield over
            timer.cancel()
        return found[0] if found else None

    def _further(self, ask: Ask) -> Steps:
        """Ask a server outside; None if it says nothing."""
        patience = self.net.params.coredns_forward_timeout
        for _ in range(self.net.params.coredns_forward_tries):
            got = yield from self.asker.ask(Send((ask.server,), (replace(ask.question, tcp=ask.tcp),), patience), {})
            if got:
                return got[ask.question.type]
        return None


class NodeCache(NameServer):
    """NodeLocal DNSCache: one on each host, in front of kube-dns, which it asks by TCP."""

    def boot(self) -> None:
        super().boot()
        self.server = CoreDNS(NODE_CACHE)

    def takes(self, ip: str) -> bool:
        """It has an address of its own on its host."""
        return ip == NODE_CACHE_IP


class Outside(NameServer):
    """The name server of the company: knows one domain."""

    def takes(self, ip: str) -> bool:
        """Everything that reaches it is for it."""
        return True

    def _answer(self, source: str, query: Query) -> Steps:
        send(self, source, Response(query.number, outside(query.question)))
        yield from ()


def outside(question: Question) -> Answer:
    """What the name server outside answers."""
    known = within(KNOWN, question.name)
    if known and question.type == "A":
        return Answer(NOERROR, (Record(question.name, TTL, "A", ADDRESS),), ra=True, rule="outside: it knows the name")
    soa = (Record(".", TTL, "SOA", ". . 1 2 3 4 60"),)
    return Answer(NOERROR if known else NXDOMAIN, authority=soa, ra=True, rule="outside: no such name or type")


class CoreDNSProcess(NameServer):
    """CoreDNS in the pods of one host."""

    def __init__(self, sim: Sim, net: Network, host: Host, name: str, servers: list[str]):
        super().__init__(sim, net, host, name)
        self.servers = servers
        self.draws = sim.draws(f"coredns/{name}")
        self.loops: dict[str, int] = {}  # the names by which the plugin loop knows its own question: how often seen
        host.images[IMAGE] = self

    # -- a container begins and ends ---------------------------------------------------------------
    def start(self) -> None:
        """Begin, if there is a container to run in."""
        if self._containers():
            super().start()

    def _containers(self) -> list[str]:
        runtime = self.host.kernel.containers
        return runtime.running(IMAGE) if runtime is not None else []

    @property
    def linger(self) -> int:
        """How long it goes on after SIGTERM: ``health { lameduck 5s }``."""
        return int(self.server.lameduck * SECOND) if self.server is not None else 0

    @property
    def well(self) -> bool:
        """What ``/ready`` says: the plugin is there, and the first lists of the plugin *kubernetes* have come."""
        return self.server is not None and self.server.ready and self._synced()

    def shutdown(self) -> None:
        """If it has died of itself, its containers have, too."""
        self.server = None
        self.loops.clear()
        if not self.host.powered:
            return
        for uid in self._containers():
            self.host.kernel.containers.fail(uid)

    # -- what it knows -------------------------------------------------------------------------------
    def boot(self) -> None:
        super().boot()
        self.server, self.stale, self.began, self.reloads = None, True, self.sim.now, 0
        client = ApiClient(self, self.servers, "system:serviceaccount:kube-system:coredns")
        kinds = (SERVICE, ENDPOINT_SLICE, NAMESPACE)
        self.informers = {kind: Informer(client, kind, self._changed) for kind in kinds}
        self.config = Informer(client, CONFIG_MAP, self._config_changed, CONFIG[0])
        self.config.on_synced.append(self._read)
        for informer in (*self.informers.values(), self.config):
            informer.on_synced.append(self._open)
            informer.start()
        self.client = client
        self.after(self.net.params.coredns_startup_timeout, self._open, True)

    def _changed(self, old: Obj | None, new: Obj | None) -> None:
        self.stale = True

    def _synced(self) -> bool:
        return all(informer.synced for informer in self.informers.values())

    def _read(self) -> None:
        """The Corefile, as the kubelet put it into the container; the host still has it when the API server is gone."""
        self.host.disk.files["corefile"] = corefile(self.config.get(*CONFIG))

    def _open(self, late: bool = False) -> None:
        """Begin to answer: when all lists have come, or 5 s after the start."""
        if self.server is None and (late or (self._synced() and self.config.synced)):
            try:
                self._serve(self.host.disk.files.get("corefile", STANDARD))
            except CorefileError as error:
                self.sim.record(self.name, "note", text=f"CoreDNS does not start: {error}")
                self.exit("it cannot read its Corefile")
                return
            self._look_for_loops()
        if self.well:
            self.host.kernel.containers.probe(IMAGE)

    def _serve(self, text: str) -> None:
        self.server = CoreDNS(text, (OUTSIDE_IP,))
        options = [block.kubernetes for block in self.server.blocks if block.kubernetes]
        if any(option.pods == "verified" for option in options) and POD not in self.informers:
            self.informers[POD] = Informer(self.client, POD, self._changed)
            self.informers[POD].start()
        self.stale = True

    def _config_changed(self, old: Obj | None, new: Obj | None) -> None:
        """Another Corefile: `reload` sees it when it looks next. One that cannot be read changes nothing."""
        if self.server is not None and (corefile(old) != corefile(new)):
            self.reloads += 1
            self.after(self.draws.between(self.reloads, *self.net.params.coredns_reload), self._reload)

    def _reload(self) -> None:
        self._read()
        try:
            self._serve(self.host.disk.files["corefile"])
        except CorefileError as error:
            self.sim.record(self.name, "note", text=f"CoreDNS keeps its old Corefile: {error}")

    # -- a question that comes back --------------------------------------------------------------------
    def _look_for_loops(self) -> None:
        """Ask itself a name that nobody knows; who sees it again forwards to itself, or to one who forwards to it.

        Models coredns plugin/loop setup
        """
        assert self.server is not None
        luck = self.sim.draws(f"{self.name}/loop/{self.incarnation}")
        for block in self.server.blocks:
            if block.loop and any(ip != OUTSIDE_IP for forward in block.forwards for ip in forward.to):
                numbers = [luck.between(2 * len(self.loops) + n, 1, 2**63 - 1) for n in (1, 2)]
                name = ".".join([*map(str, numbers), block.loop.removeprefix(".")])
                self.loops[name] = 0
                send(self, self.name, Query(0, LOOPBACK, Question(name, "HINFO")))

    def receive(self, source: str, payload: Query | Response) -> None:
        """As any name server; but its own question must not come back. Models coredns plugin/loop Loop.ServeDNS"""
        if isinstance(payload, Query) and payload.question.name in self.loops:
            name = payload.question.name
            self.loops[name] += 1
            if self.loops[name] > MOST_SEEN:
                port = self.sim.draws(f"{self.name}/port").between(self.incarnation, *EPHEMERAL)
                zone = name.split(".", 2)[2] or "."
                said = f'Loop ({LOOPBACK}:{port} -> :{PORT}) detected for zone "{zone}", see {HELP}.'
                self.sim.record(self.name, "note", text=f'plugin/loop: {said} Query: "HINFO {name}".')
                self.exit("it forwards questions to itself")
                return
        super().receive(source, payload)

    # -- what it answers -----------------------------------------------------------------------------
    def takes(self, ip: str) -> bool:
        """Its pod listens on that address, and the server has opened."""
        return self.server is not None and (ip == LOOPBACK or podnetwork.pod_at(self.host, ip) is not None)

    def refresh(self) -> None:
        """Read the caches of the informers, if something has changed in them."""
        if self.stale and self.server is not None:
            services, slices, namespaces = (i.values() for i in list(self.informers.values())[:3])
            pods = self.informers[POD].values() if POD in self.informers else ()
            names = [namespace["metadata"]["name"] for namespace in namespaces]
            store = read_store(services, slices, names, pods)
            store.synced, store.serial = self._synced(), self.sim.wall // SECOND
            store.local = tuple(self._addresses())
            self.server.store, self.stale = store, not self._synced()

    def _addresses(self) -> list[str]:
        runtime = self.host.kernel.containers
        return [runtime.of_pod[uid].ip for uid in self._containers()] if runtime is not None else []


def corefile(config: Obj | None) -> str:
    """The Corefile in the ConfigMap *config*; without one, kubeadm's."""
    return get(config or {}, "data", "Corefile", default=STANDARD)
