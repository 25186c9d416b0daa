"""Names on the wire: a program's resolver, which asks name servers by UDP and waits.

Invariant: what is asked, and for how long is waited, is decided by `resolver.look_up`; here packets go and come. A
question to a Service goes to the endpoint that the rules of this host give it. All tries for one name use one socket,
so the kernel's conntrack sends them to one endpoint, unless kube-proxy has taken that from the rules meanwhile.
glibc resolv/res_send.c; conntrack of a Service: `dataplane`.
Simplified: what goes by TCP is a datagram too; an ICMP "port unreachable" comes at once.
"""

from dataclasses import dataclass, field
from typing import Any

import simpy

from kubemini.api.names import host_ip
from kubemini.api.objects import Obj, freeze
from kubemini.host import Component, Host
from kubemini.network import dataplane, policing
from kubemini.network.decide.dns.message import Answer, Question
from kubemini.network.decide.dns.resolvconf import GLIBC, NodeDns, ResolvConf, pod_resolv_conf, settings
from kubemini.network.decide.dns.resolver import Outcome, Send, look_up
from kubemini.network.decide.services.ports import Endpoint
from kubemini.network.decide.services.verdict import Asked
from kubemini.network.policing import Flow
from kubemini.sim import Steps
from kubemini.wire.network import BARE
from kubemini.wire.rpc import happen

NODE_CACHE_IP = "169.254.20.10"  # of NodeLocal DNSCache, on every host
PORT, LOOPBACK = 53, "127.0.0.1"
OUTSIDE_IP, OUTSIDE = "198.51.100.53", "upstream-dns"  # the name server of the company, and its program here


@dataclass(frozen=True, slots=True)
class Query:
    """A question under way to the address *to*; *number* is the sender's."""

    number: int
    to: str
    question: Question
    flow: Flow | None = None  # if a pod asks: what it is to the policies


@dataclass(frozen=True, slots=True)
class Response:
    """What came back."""

    number: int
    answer: Answer


def send(component: Component, target: str, payload: Query | Response) -> None:
    """A datagram that travels over no connection: a cut, a loss or a program that is down swallow it."""
    component.net.send(component, target, BARE, component.net.components[target].arrive, component.name, payload)


def service_of(host: Host, ip: str) -> str:
    """The Service whose cluster IP is *ip*, as the rules of *host* have it; "" if there is none."""
    table = dataplane.table(host)
    services = table.by_service.items() if table else ()
    return next((name for name, entries in services if any(e.port.cluster_ip == ip for e in entries)), "")


@dataclass(slots=True)
class Source:
    """The pod at *address* that asks, for one name, and what its questions were to the policies."""

    address: str
    flows: list[Flow] = field(default_factory=list)

    def flow(self, to: str, protocol: str) -> Flow:
        """A question to the name server at *to*."""
        self.flows.append(Flow(self.address, to, PORT, protocol))
        return self.flows[-1]

    @property
    def dropped(self) -> str:
        """The rule that dropped the last of them, "" if none did."""
        return next((flow.rule for flow in reversed(self.flows) if flow.dropped), "")


class Round:
    """Questions that are sent together: their event happens when each has its answer, or the time is up."""

    def __init__(self, component: Component, size: int):
        self.event, self.size = simpy.Event(component.sim), size
        self.got: dict[str, Answer] = {}  # by type

    def hear(self, kind: str, answer: Answer) -> None:
        """One of the answers; the last one ends the round."""
        self.got.setdefault(kind, answer)
        if len(self.got) == self.size:
            self.over()

    def over(self) -> None:
        """Whoever waits goes on."""
        if self.event.callbacks is not None:
            happen(self.event, None)


class Asker:
    """The questions of one program: numbered, sent, and waited for."""

    def __init__(self, component: Component):
        self.component = component
        self.asked = self._drawn = 0
        self._waiting: dict[int, tuple[Round, str]] = {}
        self._draws = component.sim.draws(f"resolver/{component.name}/{component.incarnation}")

    def ask(self, wanted: Send, pinned: dict[str, Endpoint], source: Source | None = None) -> Steps:
        """Send *wanted* and wait: what came, by type. *pinned* holds the endpoint of each server for one socket.

        *source*: the pod that asks; the policies of both ends let its questions through, or nothing comes.
        """
        this, sent = Round(self.component, len(wanted.questions)), []
        protocol = "TCP" if any(question.tcp for question in wanted.questions) else "UDP"
        asks = source.address if source else host_ip(self.component.host.name)
        ways = [self._way(server, protocol, pinned, asks) for server in wanted.servers]
        for target, ip in ways:
            flow = source.flow(ip, protocol) if source and (target or "").startswith("coredns@") else None
            if flow is not None and not policing.leaves(self.component.host, flow):
                target = None
            for question in wanted.questions if target != "" else ():
                self.asked += 1
                sent.append(self.asked)
                self._waiting[self.asked] = this, question.type
                if target:
                    send(self.component, target, Query(self.asked, ip, question, flow))
        if sent or not wanted.questions:
            timer = self.component.after(wanted.wait, this.over)
            yield this.event
            timer.cancel()
        for number in sent:
            self._waiting.pop(number, None)
        return this.got

    def hear(self, response: Response) -> None:
        """A response has arrived; a late one finds nobody."""
        this, kind = self._waiting.pop(response.number, (None, ""))
        if this is not None:
            this.hear(kind, response.answer)

    def _way(self, server: str, protocol: str, pinned: dict[str, Endpoint], asks: str) -> tuple[str | None, str]:
        """The program that a packet to *server* reaches, and the address on it then.

        "" is nobody: refused at once; None: dropped without a word.
        """
        host, there = self.component.host, self.component.net.components
        if pinned.get(server) not in _endpoints(host, server, protocol):
            pinned.pop(server, None)
            self._drawn += 1
            packet = Asked(protocol, asks, server, PORT)
            sent = dataplane.send(host, packet, self._draws.u(self._drawn))
            if sent.endpoint is None:
                programs = {
                    NODE_CACHE_IP: f"node-cache@{host.name}",
                    OUTSIDE_IP: OUTSIDE,
                    LOOPBACK: f"coredns@{host.name}",
                }
                target = programs.get(server, "") if sent.fate == "passed" else ""
                return (None if sent.fate == "dropped" else target if target in there else ""), server
            pinned[server] = sent.endpoint
        endpoint = pinned[server]
        target = f"coredns@{endpoint.node}"
        return (target if target in there else None), endpoint.ip


def _endpoints(host: Host, ip: str, protocol: str) -> tuple[Endpoint, ...]:
    """Where a packet to port 53 of the cluster IP *ip* may go, by the rules of *host*."""
    table = dataplane.table(host)
    found = table.find(ip, protocol, PORT) if table else None
    return dataplane.internal_endpoints(found[1]) if found else ()


def resolv_conf(component: Component, options: str) -> ResolvConf:
    """What the kubelet writes for a pod of the namespace default; the cache of the host is asked first, if any."""
    own = [dict(zip(("name", "value"), option.split(":", 1), strict=False)) for option in options.split()]
    pod = freeze({"metadata": {"namespace": "default"}, "spec": {"dnsConfig": {"options": own}}})
    cached = f"node-cache@{component.host.name}" in component.net.components
    return pod_resolv_conf(pod, NodeDns((NODE_CACHE_IP,)) if cached else NodeDns())[0]


def dns_complaints(pod: Obj) -> list[str]:
    """What of the resolv.conf of *pod* is beyond the limits, in the words of the kubelet's events."""
    return pod_resolv_conf(pod, NodeDns())[1]


def resolv_conf_text(pod: Obj) -> str:
    """The resolv.conf of *pod*, as the kubelet writes it."""
    return pod_resolv_conf(pod, NodeDns())[0].text


class Resolver:
    """getaddrinfo of one program in a pod with these *options* in its dnsConfig.

    The program itself remembers what it heard *keep* µs, whatever the TTL.
    """

    def __init__(self, component: Component, options: str = "", libc: str = GLIBC, keep: int = 0):
        self.component, self.libc, self.keep = component, libc, keep
        self.settings = settings(resolv_conf(component, options), libc)
        self.asker = Asker(component)
        self._kept: dict[str, tuple[tuple[str, ...], int]] = {}

    def look_up(self, name: str, source: Source | None = None) -> Steps:
        """The addresses of *name*, or the error as text; what was asked stands in the trace as ``lookup``."""
        sim, started = self.component.sim, self.component.sim.now
        addresses, until = self._kept.get(name, ((), -1))
        if sim.now < until:
            return addresses, ""
        outcome = yield from self._walk(name, source)
        sim.record(self.component.name, "lookup", **told(name, outcome, started))
        if outcome.addresses and self.keep:
            self._kept[name] = outcome.addresses, sim.now + self.keep
        return outcome.addresses, outcome.error

    def _walk(self, name: str, source: Source | None) -> Steps:
        steps, asked = look_up(name, self.settings, self.libc), ""
        pinned: dict[str, Endpoint] = {}
        try:
            wanted = next(steps)
            while True:
                if wanted.questions and wanted.questions[0].name != asked:
                    asked, pinned = wanted.questions[0].name, {}  # a new socket for each name
                before = self.component.sim.now
                got = yield from self.asker.ask(wanted, pinned, source)
                wanted = steps.send((got, self.component.sim.now - before))
        except StopIteration as done:
            return done.value


def destination(resolver: Resolver, name: str, source: Source | None = None) -> Steps:
    """(the Service that *name* leads to, the address of a pod if it is headless, what is wrong if it leads nowhere).

    A program takes the first address that it is told.
    """
    addresses, error = yield from resolver.look_up(name, source)
    if error:
        return "", "", f"{name}: {(source.dropped if source else '') or error}"
    service = service_of(resolver.component.host, addresses[0])
    return service, "" if service else addresses[0], ""


def told(name: str, outcome: Outcome, started: int) -> dict[str, Any]:
    """A lookup as it stands in the trace."""
    return {
        "name": name,
        "addresses": list(outcome.addresses),
        "error": outcome.error,
        "queries": outcome.queries,
        "walk": [[step.name, step.types, step.rcode] for step in outcome.walk],
        "rule": outcome.walk[-1].rule if outcome.walk else "",
        "started": started,
    }
