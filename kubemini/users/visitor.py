"""Clients that send requests to a Service, and the pods' end of the wire.

A visitor sits on a worker and opens a connection to the Service's cluster IP, as any process there may: the host's
kernel picks an endpoint by the rules kube-proxy left, and the packet goes to the pod, or nowhere. If a scenario asks
for another door (a node port, an external or load-balancer address), or for visitors outside the cluster, the packet
meets the rules of the host where it arrives, and the record of the visit tells which rule decided and what address
the pod saw. If they are told a name, they look it up first, as a program in a pod does.
Simplified: one short connection a request; the pod answers at once; whoever is outside knows the addresses of a
Service from the rules of the first host that has some, and goes by the hosts in turn, whether they are up or not.
"""

from dataclasses import dataclass
from typing import Any

from kubemini.api.names import host_ip
from kubemini.host import Component
from kubemini.host.linux.addresses import within
from kubemini.host.linux.podnetwork import knows_way, pod_cidrs
from kubemini.network import dataplane, policing
from kubemini.network.dataplane import Sent
from kubemini.network.decide.dns.resolvconf import GLIBC
from kubemini.network.decide.services.ports import ServicePort
from kubemini.network.decide.services.verdict import Asked
from kubemini.network.names import Resolver, Response, destination
from kubemini.network.policing import Flow
from kubemini.network.speaker import Speaker
from kubemini.sim import Steps
from kubemini.sim.units import SECOND
from kubemini.users import inpods
from kubemini.users.lines import NO_ENDPOINT
from kubemini.users.recording import OK, record
from kubemini.wire import Call, Reply, Unreachable
from kubemini.wire.calls import REFUSED

PATIENCE = 30 * SECOND  # so long nobody wonders that a shop has not opened
SILENCE = Unreachable("no answer: nobody turned the packet away, or its answer back", definite=True)
OUTSIDE = "203.0.113."  # the network of whoever is outside


@dataclass(frozen=True, slots=True)
class Answer:
    """Who answered a visit, the address it saw, and what decided where."""

    pod: str
    source: str
    rule: str
    node: str


@dataclass(frozen=True, slots=True)
class WebRequest:
    """A GET of *path* from *host*, and the first packet of the connection that carries it to an ingress controller."""

    packet: Asked
    host: str
    path: str


class PodNetwork(inpods.Stack):
    """The network stack of one host: its pods', whoever manages them, and its own for node ports and the like."""

    arrived = 0  # packets that met the rules of this host from elsewhere, ever

    def handle(self, call: Call) -> Steps | None:
        """A visitor's connection: rewritten on its way to a pod (`Flow`), or still as it was sent.

        Nobody answers what the policies of this host drop, nor whom this host does not find.
        """
        if call.method in inpods.ASKED:
            return inpods.ASKED[call.method](self, call)
        if isinstance(call.payload, Asked):
            return self._arrive(call, call.payload)
        if isinstance(call.payload, WebRequest):
            return self._arrive(call, call.payload.packet, call.payload)
        if policing.enters(self.host, call.payload) and knows_way(self.host, call.payload.source):
            inpods.admit(call, self.host, call.payload)
        return None

    def _arrive(self, call: Call, packet: Asked, web: WebRequest | None = None) -> Steps:
        """A packet meets the rules of this host; whoever is masqueraded here hears the answer through here.

        With *web* the pod that it comes to is an ingress controller's, and hears the request.
        """
        self.arrived += 1
        drawn = self.sim.draws(f"rules/{self.name}").u(self.arrived)
        sent = dataplane.send(self.host, packet, drawn)
        closed = sent.fate == "passed" and packet.destination == host_ip(self.host.name)
        if closed or sent.fate == "refused":
            call.fail(REFUSED)
        elif sent.endpoint is not None and sent.returns and web is not None:
            pod = sent.endpoint
            reply = yield self.call(f"ingress@{pod.node}", "http", (pod.ip, web.host, web.path))
            call.reply({**reply.value, "via": [self.name, *reply.value["via"]]}) if reply.ok else call.fail(reply.error)
        elif sent.endpoint is not None and sent.returns:
            reply = yield from deliver(self, sent)
            if reply.ok:
                call.reply(Answer(reply.value, sent.source, sent.rule, self.host.name))
            else:
                call.fail(reply.error)


def deliver(at: Component, sent: Sent, by: str = "") -> Steps:
    """Bring a connection from *at* to its endpoint; returns the `Reply` with the pod's name. *by*: see `Flow`."""
    assert sent.endpoint is not None
    flow = Flow(sent.source, sent.endpoint.ip, sent.endpoint.port, by=by)
    reply = yield from carry(at, flow, sent.endpoint.node)
    return reply


def carry(at: Component, flow: Flow, node: str) -> Steps:
    """Bring *flow* from *at* to the pod on *node*; a `Reply`, whose error names the rule that dropped it."""
    if not knows_way(at.host, flow.destination):
        yield at.timeout(at.net.params.visitor_timeout)
        return Reply(
            False, error=Unreachable(f"no answer: {at.host.name} has no route to {node}'s pods", definite=True)
        )
    reply = yield at.call(f"pods@{node}", "http", flow, timeout=at.net.params.visitor_timeout)
    return Reply(False, error=Unreachable(flow.rule, definite=True)) if flow.dropped else reply


class Visitor(Component):
    """A client program on a worker, or outside: a request to the Service at a steady pace, each outcome recorded."""

    service = ""
    door = ""  # how it comes in; "" is the cluster IP, and nothing more is told of a visit than that it was
    every = offset = 0
    sent = 0  # ever
    resolver: Resolver | None = None
    port = 0  # of the pods that a headless name leads to
    looking_up: tuple[str, str, str, int] = ("", GLIBC, "", 0)  # name, libc, options, µs that answers are kept

    def visit(self, service: str, every: int, offset: int, door: str = "") -> None:
        """Ask *service* every *every* µs, beginning at *offset*, by *door* (see services.ports.DOORS)."""
        self.service, self.every, self.offset, self.door = service, every, offset, door

    def look_up_first(self, name: str, libc: str = GLIBC, options: str = "", remember: int = 0, port: int = 0) -> None:
        """Ask for *name* before each request; *options* are added to the pod's resolv.conf.

        *port*: the name is headless and leads to pods, which listen there.
        """
        self.looking_up, self.port = (name, libc, options, remember), port

    def boot(self) -> None:
        self.opened = False
        name, libc, options, remember = self.looking_up
        self.resolver = Resolver(self, options, libc, remember) if name else None
        if self.service:
            self.spawn(self.visits())

    def receive(self, source: str, payload: Response) -> None:
        """An answer of a name server."""
        if self.resolver is not None:
            self.resolver.asker.hear(payload)

    def visits(self) -> Steps:
        """The steady pace begins with the Service's first endpoint here: a shop is measured once it has opened."""
        draws = self.sim.draws(f"visitor/{self.name}")
        phase = (self.offset - self.sim.now) % self.every
        yield self.timeout(phase)
        self.spawn(self._wonder())
        while True:
            self.opened = self.opened or any(dataplane.has_endpoints(h, self.service) for h in self._informed())
            if self.opened or self.port:  # nobody's rules tell of a headless Service
                self.sent += 1
                ask = self.request_by_door if self.door else self.request
                self.spawn(ask(self.sent, draws.u(self.sent)))
            yield self.timeout(self.every)

    def _wonder(self) -> Steps:
        """The first of the visitors says that there is nobody to visit."""
        yield self.timeout(PATIENCE)
        if not (self.opened or self.offset):
            text = f"visitors wait: Service {self.service} has no endpoint yet (is there one of this name?)"
            self.sim.record(self.name, "note", text=text)

    def request(self, number: int, drawn: int) -> Steps:
        """One connection, from rule to answer; *drawn* picks the endpoint."""
        started, service, why = self.sim.now, self.service, ""
        if self.resolver is not None:
            service, address, why = yield from destination(self.resolver, self.looking_up[0])
            if address and self.port:
                yield from self._visit_pod(number, started, address)
                return
            if self.port and not self.opened:
                return
        endpoint = dataplane.choose(self.host, service, drawn) if service else None
        if endpoint is None:
            self._record(number, started, "", why or NO_ENDPOINT)
            return
        pod = endpoint.row()["pod"]
        flow = Flow(host_ip(self.host.name), endpoint.ip, endpoint.port, by=self.host.name)
        reply = yield from carry(self, flow, endpoint.node)
        why = "" if reply.ok else f"{pod}: {reply.error.reason}"
        self._record(number, started, pod, why, inpods.status(reply))

    def _visit_pod(self, number: int, started: int, address: str) -> Steps:
        """A connection straight to the pod at *address*, which no rule of a Service touches."""
        self.opened = True
        homes = {cidr: stack.host.name for stack in self._stacks() for cidr in pod_cidrs(stack.host)}
        node = next((home for cidr, home in homes.items() if within(address, cidr)), "")
        flow = Flow(host_ip(self.host.name), address, self.port, by=self.host.name)
        nobody = Reply(False, error=Unreachable("no route to host", definite=True))
        reply = (yield from carry(self, flow, node)) if node else nobody
        why = "" if reply.ok else f"{address}: {reply.error.reason}"
        self._record(number, started, reply.value if reply.ok else "", why, inpods.status(reply))

    def _record(self, number: int, started: int, pod: str, why: str, code: int = 0, **more: Any) -> None:
        """*code*: what the program has said, 0 if nobody has answered."""
        via = [self.service, pod] if pod else [self.service]
        record(self, number, self.service, via, started, code, why, **more)

    # -- by a door that the scenario names -----------------------------------------------------------------------
    def request_by_door(self, number: int, drawn: int) -> Steps:
        """One connection by the door.

        Its record tells where it went *to*, the *source* the pod saw, the *rule*, and *at* which host.
        """
        started = self.sim.now
        packet = self._packet(number)
        if packet is None:
            self._record(number, started, "", f"the Service has no {self.door} (yet)")
            return
        to = f"{packet.destination}:{packet.dport}"
        reply = yield from self._connect(packet, number, drawn)
        if reply.ok:
            found: Answer = reply.value
            told = {"source": found.source, "rule": found.rule, "at": found.node}
            self._record(number, started, found.pod, "", OK, to=to, **told)
        else:
            self._record(number, started, "", f"{to}: {reply.error.reason}", inpods.status(reply), to=to)

    def _connect(self, packet: Asked, number: int, drawn: int) -> Steps:
        """From here, by the rules here, and if none of them decides by those of the host where it arrives."""
        sent = dataplane.send(self.host, packet, drawn)
        patience = self.net.params.visitor_timeout
        if sent.fate == "refused":
            return Reply(False, error=REFUSED)
        if sent.fate == "sent":
            reply = yield from deliver(self, sent, self.host.name)
            if not reply.ok:
                return reply
            return Reply(True, Answer(reply.value, sent.source, sent.rule, self.host.name))
        where = self._entrance(packet, number) if sent.fate == "passed" else ""
        if where:
            reply = yield self.call(where, "http", packet, timeout=patience)
            return reply
        yield self.timeout(patience)
        return Reply(False, error=SILENCE)

    def _packet(self, number: int) -> Asked | None:
        """The first packet of visit *number*; None while the Service has no such door."""
        known = (dataplane.entry(host, self.service) for host in self._informed())
        entry = next(filter(None, known), None)
        address = self._address(entry.port, number) if entry else None
        if entry is None or address is None:
            return None
        inside = dataplane.table(self.host) is not None
        number_of_host = host_ip(self.host.name).rpartition(".")[2]
        source = host_ip(self.host.name) if inside else OUTSIDE + number_of_host
        return Asked(entry.port.protocol, source, *address)

    def _address(self, port: ServicePort, number: int) -> tuple[str, int] | None:
        """Address and port of the door."""
        match self.door:
            case "node-port":
                stacks = self._stacks()
                at = stacks[number % len(stacks)].host.name
                return (host_ip(at), port.node_port) if port.node_port else None
            case "load-balancer":
                return (port.lb_ips[0], port.port) if port.lb_ips else None
            case "external-ip":
                return (port.external_ips[0], port.port) if port.external_ips else None
        return port.cluster_ip, port.port

    def _entrance(self, packet: Asked, number: int) -> str:
        """The stack of the host that a packet for *packet* goes to by the wire; "": nobody's.

        A node has its address; for the others a speaker names the node that answers. Without one the router before the
        cluster knows every host, and takes them in turn.
        """
        stacks = self._stacks()
        at_home = next((s.name for s in stacks if host_ip(s.host.name) == packet.destination), "")
        outside = packet.source.startswith(OUTSIDE)
        speakers = [c for c in self.net.components.values() if isinstance(c, Speaker)]
        if outside and speakers and not at_home:
            answering = (s.entrance(packet.destination, number) for s in speakers)
            return next((f"pods@{node}" for node in answering if node), "")
        return at_home or (stacks[number % len(stacks)].name if outside else "")

    def _stacks(self) -> list[PodNetwork]:
        return [c for c in self.net.components.values() if isinstance(c, PodNetwork)]

    def _informed(self) -> list[Any]:
        """The hosts whose rules tell this visitor of the Service: its own; outside, any that has some."""
        own = self.host
        if dataplane.table(own) is not None or any(s.host is own for s in self._stacks()):
            return [own]
        return [s.host for s in self._stacks()]
