"""HAProxy in TCP mode in front of the API servers: it passes connections on, and asks each server whether it is well.

Invariant: a connection stays with the server it was given. A server marked down gets no new ones and keeps those it has
(no ``on-marked-down shutdown-sessions``); so a watch outlives its server's bad health.
Each request is a connection of its own; refused or unanswered, it goes to another server (``option redispatch``).
HAProxy 2.6 manual and kubeadm's sample configuration, checked against recordings of HAProxy 2.6.12.
Simplified: TLS is passed on unseen; idle streams are not cut (HTTP/2 pings keep them busy); no queue, no weights.
"""

from collections.abc import Generator
from typing import Any

from kubemini.host import Component, Host
from kubemini.loadbalancer.decide.health import ServerHealth, next_server
from kubemini.sim import Sim, Steps
from kubemini.wire import Call, Network, Unreachable
from kubemini.wire.rpc import DEADLINE, REFUSED

CLOSED = Unreachable("EOF", definite=True)  # closed before a byte of the request was passed on
NO_ANSWER = Unreachable("connect timed out", definite=True)

READYZ: dict[str, Any] = {"verb": "GET", "path": "/readyz", "query": {}, "body": None, "user": "system:anonymous"}
L7OK, L4CON, L4TOUT, L7TOUT = "check passed", "Layer4 connection problem", "Layer4 timeout", "Layer7 timeout"


class HAProxy(Component):
    """One haproxy process."""

    def __init__(self, sim: Sim, net: Network, host: Host, name: str, servers: list[str]):
        super().__init__(sim, net, host, name)
        self.servers = servers
        self.params = net.params
        self._phases = sim.draws(f"haproxy/{name}/phase")

    def boot(self) -> None:
        self.turn = 0
        self.sessions = dict.fromkeys(self.servers, 0)
        self.health = {
            server: ServerHealth(self.params.haproxy_rise, self.params.haproxy_fall) for server in self.servers
        }
        first = self._phases.between(self.incarnation, 1, self.params.haproxy_inter)
        for number, server in enumerate(self.servers):
            self._record(server, "not checked yet")
            spread = (first + number * self.params.haproxy_inter // len(self.servers)) % self.params.haproxy_inter
            self.spawn(self.checks(server, spread))

    # -- health checks -----------------------------------------------------------------------------------------------
    def checks(self, server: str, first: int) -> Steps:
        """Check *server* for ever: the next check begins *inter* after the last one ended."""
        yield self.timeout(first)
        while True:
            trouble = yield from self.check(server)
            health = self.health[server]
            if health.failed() if trouble else health.passed():
                self._record(server, trouble or L7OK)
            yield self.timeout(self.params.haproxy_inter)

    def check(self, server: str) -> Generator[Any, Any, str]:
        """One check, given *inter* in all: what is wrong with *server*, or nothing."""
        error = self.handshake(server)
        if error is NO_ANSWER:
            yield self.timeout(self.params.haproxy_inter)
            return L4TOUT
        if error is REFUSED:
            return L4CON
        if self.params.haproxy_check == "tcp":
            return ""
        reply = yield self.call(server, "request", READYZ, timeout=self.params.haproxy_inter)
        if reply.ok:
            return ""
        code = getattr(reply.error, "code", 0)
        return f"Layer7 wrong status, code: {code}" if code else L7TOUT if reply.error is DEADLINE else L4CON

    def _record(self, server: str, why: str) -> None:
        self.sim.record(self.name, "backend", server=server, up=self.health[server].up, why=why)

    # -- connections -------------------------------------------------------------------------------------------------
    def handshake(self, server: str) -> Unreachable | None:
        """How a TCP connection to *server* would begin now: None if accepted, as by the kernel of a paused one."""
        target = self.net.components[server]
        here, there = self.host.name, target.host.name
        if not (target.host.powered and self.net.reachable(here, there) and self.net.reachable(there, here)):
            return NO_ANSWER
        return None if target.up else REFUSED

    def handle(self, call: Call) -> Steps:
        """A client has connected."""
        server = yield from self.connect()
        if server is None:
            call.fail(CLOSED)
        elif not call.closed and call.stream is not None:
            self.pipe(call, server)
        elif not call.closed:
            yield from self.forward(call, server)

    def connect(self) -> Generator[Any, Any, str | None]:
        """A server that accepts the connection, or None when the retries are used up or none is up."""
        server, retries = self.choose(), self.params.haproxy_retries
        while server is not None:
            error = self.handshake(server)
            if error is None:
                return server
            if error is NO_ANSWER:
                yield self.timeout(self.params.haproxy_connect_timeout)
            if retries == 0:
                return None
            retries -= 1
            if self.params.haproxy_redispatch:
                server = self.choose(avoid=server)
            elif error is REFUSED:
                yield self.timeout(self.params.haproxy_turnaround)
        return None

    def choose(self, avoid: str = "") -> str | None:
        """The server whose turn it is; the one to *avoid* only if no other is up."""
        up = {server: health.up for server, health in self.health.items()}
        if any(up[server] for server in self.servers if server != avoid):
            up[avoid] = False
        place = next_server(self.servers, up, self.turn, self.sessions, self.params.haproxy_balance)
        if place < 0:
            return None
        self.turn = (place + 1) % len(self.servers)
        return self.servers[place]

    def forward(self, call: Call, server: str) -> Steps:
        """A connection with one request on it."""
        self.sessions[server] += 1
        reply = yield self.call(server, call.method, call.payload, timeout=self.params.haproxy_server_timeout)
        self.sessions[server] -= 1
        if reply.ok:
            call.reply(reply.value)
        else:
            call.fail(reply.error)

    def pipe(self, call: Call, server: str) -> None:
        """A connection with a stream on it: items go through until either side ends it."""
        assert call.stream is not None
        downstream = call.stream
        self.sessions[server] += 1

        def ended(error: Any) -> None:
            self.sessions[server] -= 1
            downstream.close(error)

        def gave_up() -> None:
            self.sessions[server] -= 1
            upstream.close()

        upstream = self.open_stream(server, call.method, call.payload, downstream.push, ended)
        call.on_cancel(gave_up)
