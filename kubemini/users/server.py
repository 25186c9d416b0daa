"""The servers in the pods of one host: connections that stay, so many requests at once, a queue, an end.

Whoever connects to an address on which a pod listens has a connection until one side ends it, or its machine goes.
What a server can do, its pod says by annotations (`users.decide.servers`). When the pod is told to end, nobody can
connect any more; a server that drains closes what idles and answers what is under way, another dies there and then.
Invariant: a connection belongs to a process: when that has ended, whatever arrives on it is reset, and the kernel says
so to the client at once. A machine without power says nothing.
Simplified: one server a pod; a request is small, and so is its answer.
"""

from dataclasses import dataclass, field
from typing import Any

import simpy

from kubemini.host import Component
from kubemini.host.linux.podnetwork import knows_way, pod_at
from kubemini.network import policing
from kubemini.network.policing import Flow
from kubemini.sim import Sim, Steps
from kubemini.users import inpods
from kubemini.users.decide.servers import Desk, skill, unreadable
from kubemini.users.recording import OK
from kubemini.wire import Call, Network
from kubemini.wire.calls import RESET
from kubemini.wire.rpc import happen

BUSY = 503
LATER = 10  # a maximum age is a tenth more or less


@dataclass(frozen=True, slots=True)
class Ask:
    """A request on a client's connection *number*, perhaps the *first*; with *http2* it carries many at once."""

    number: int
    flow: Flow
    http2: bool
    first: bool


@dataclass(frozen=True, slots=True)
class Bye:
    """A connection ends: *broken*, at once; else it takes nothing new (GOAWAY, or a FIN while it idles)."""

    number: int
    broken: bool = False


@dataclass(slots=True)
class Accepted:
    """The server's end of a connection, and the requests that are open on it."""

    http2: bool
    calls: list[Call] = field(default_factory=list)


@dataclass(slots=True)
class Server:
    """The process in one pod; connections by (client, number)."""

    desk: Desk
    connections: dict[tuple[str, int], Accepted] = field(default_factory=dict)
    ending: bool = False


class Servers(Component):
    """The servers of one host's pods, by address."""

    def __init__(self, sim: Sim, net: Network, host: Any, name: str):
        super().__init__(sim, net, host, name)
        self._draws = sim.draws(f"servers/{name}")
        self._drawn = 0
        host.in_pods.append(self)

    def boot(self) -> None:
        self.servers: dict[str, Server] = {}

    # -- what the container runtime tells ------------------------------------------------------------------------------
    def began(self, ip: str) -> None:
        """A server is made when its first client comes."""

    def told_to_end(self, ip: str) -> None:
        self.guarded(self.incarnation, self._end, (ip,))

    def gone(self, ip: str) -> None:
        self.guarded(self.incarnation, self._reset, (ip,))

    def _end(self, ip: str) -> None:
        server = self.servers.get(ip)
        if server is None:
            return
        if not server.desk.skill.drains:
            self._reset(ip)
            return
        server.ending = True
        for key in list(server.connections):
            self._retire(server, key)

    def _reset(self, ip: str) -> None:
        server = self.servers.pop(ip, None)
        if server is not None:
            for (client, number), accepted in server.connections.items():
                self.send(client, Bye(number, broken=True))
                for call in accepted.calls:
                    call.fail(RESET)

    def _retire(self, server: Server, key: tuple[str, int]) -> None:
        """Nothing new on this connection: the client closes it after the last answer.

        HTTP/1.1 has no word for that while it idles: the server closes it, and a request that is under way just then
        is reset.
        """
        accepted = server.connections.get(key)
        if accepted is not None:
            self.send(key[0], Bye(key[1]))
            if not (accepted.http2 or accepted.calls):
                del server.connections[key]

    def receive(self, source: str, payload: Bye) -> None:
        """A client has closed a connection."""
        for server in self.servers.values():
            server.connections.pop((source, payload.number), None)

    # -- connections ---------------------------------------------------------------------------------------------------
    def handle(self, call: Call) -> Steps | None:
        """A request arrives on a connection; what a policy drops nobody answers."""
        ask: Ask = call.payload
        if not (policing.enters(self.host, ask.flow) and knows_way(self.host, ask.flow.source)):
            return None
        key = call.source, ask.number
        server = self._accept(key, ask) if ask.first else self.servers.get(ask.flow.destination)
        if server is None or key not in server.connections:
            call.fail(RESET)
            return None
        server.connections[key].calls.append(call)
        return self._serve(call, server, key)

    def _accept(self, key: tuple[str, int], ask: Ask) -> Server | None:
        """The server that takes a connection which the kernel (`PodNetwork`) has accepted for it."""
        pod = pod_at(self.host, ask.flow.destination)
        if pod is None:
            return None
        server = self._server(ask.flow.destination, pod)
        server.connections[key] = Accepted(ask.http2)
        if oldest := server.desk.skill.oldest:
            self._drawn += 1
            age = self._draws.between(self._drawn, oldest - oldest // LATER, oldest + oldest // LATER)
            self.after(age, self._retire, server, key)
        return server

    def _server(self, ip: str, name: str) -> Server:
        """The process in the pod *name*, which listens on *ip*."""
        if ip not in self.servers or self.servers[ip].ending:
            runtime = self.host.kernel.containers
            pod = next(r.pod for r in runtime.of_pod.values() if (r.name, r.ip) == (name, ip))
            for text in unreadable(pod):
                self.sim.remark(self.name, text)
            self.servers[ip] = Server(Desk(skill(pod)))
        return self.servers[ip]

    # -- requests ------------------------------------------------------------------------------------------------------
    def _serve(self, call: Call, server: Server, key: tuple[str, int]) -> Steps:
        turn = simpy.Event(self.sim)
        taken = server.desk.arrive(turn)
        if taken is None:
            yield turn
        if taken is not False:
            takes = server.desk.skill.takes
            self._drawn += 1
            yield self.timeout(self._draws.between(self._drawn, takes // 2, takes + takes // 2))
            if (following := server.desk.done()) is not None:
                happen(following, None)
        accepted = server.connections.get(key)
        if accepted is not None and call in accepted.calls:
            accepted.calls.remove(call)
        if taken is not False:
            inpods.note(self.host, call.payload.flow)
        call.reply(BUSY if taken is False else OK)
