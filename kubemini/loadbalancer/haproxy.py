"""HAProxy in TCP mode in front of the API servers: it passes connections on, and asks each server whether it is well.

Invariant: a connection stays with the server it was given. A server marked down gets no new ones and keeps those it has
(no ``on-marked-down shutdown-sessions``); so a client outlives its server's bad health, and suffers it: the balancer
saves new connections only. Refused or unanswered, a connection goes to another server (``option redispatch``); when no
server is left it is closed, which a client reads as EOF. When either side breaks, the other is closed.
What each check costs and how it can fail stands in checks.py.
HAProxy 2.6 manual and kubeadm's sample configuration, checked against recordings of HAProxy 2.6.12.
Simplified: TLS is passed on unseen; no queue, no weights; both limits of an idle session count what passes either way.
"""

from collections.abc import Generator
from typing import Any

import simpy

from kubemini.host import Component, Host
from kubemini.loadbalancer.checks import Checks
from kubemini.loadbalancer.decide.health import ServerHealth, next_server
from kubemini.sim import Sim, Steps
from kubemini.wire import Call, Network, Unreachable
from kubemini.wire.calls import EOF, REFUSED
from kubemini.wire.connections import Connection, Limits
from kubemini.wire.peers import Peer

NO_SERVER = Unreachable("EOF", definite=True)  # closed before a byte of the request was passed on


class Session:
    """A client's connection and the one to its server; what passes either way keeps both from being idle."""

    def __init__(self, balancer: "HAProxy", peer: Peer, upstream: Connection, server: str):
        self.balancer, self.peer, self.upstream, self.server = balancer, peer, upstream, server
        self.active = balancer.sim.now
        self.over = self.doubted = False

    def handle(self, call: Call) -> None:
        """A call of the client, or a stream that it opens, goes on to the server."""
        self.passed()
        if call.stream is not None:
            self._pipe(call)
            return
        event = self.upstream.call(call.method, call.payload, None)

        def given_up() -> None:
            self.passed()
            self.upstream.cancel(event)

        call.on_cancel(given_up)

        def answered(event: simpy.Event) -> None:
            self.passed()
            reply: Any = event.value
            if reply.ok:
                call.reply(reply.value)
            else:
                call.fail(reply.error)

        if event.callbacks is None:
            answered(event)  # the server has just gone
        else:
            event.callbacks.append(answered)

    def _pipe(self, call: Call) -> None:
        downstream: Any = call.stream

        def push(item: Any) -> None:
            self.passed()
            downstream.push(item)

        stream = self.upstream.open_stream(call.method, call.payload, push, downstream.close)
        call.on_cancel(stream.close)

    def passed(self) -> None:
        """Something has passed."""
        self.active = self.balancer.sim.now


class HAProxy(Component):
    """One haproxy process."""

    def __init__(self, sim: Sim, net: Network, host: Host, name: str, servers: list[str]):
        super().__init__(sim, net, host, name)
        self.servers = servers
        self.params = net.params
        self.phases = sim.draws(f"haproxy/{name}/phase")
        net.watchers.append(self._look)

    def boot(self) -> None:
        self.turn = 0
        self.sessions = dict.fromkeys(self.servers, 0)
        self.open: dict[Peer, Session] = {}
        self.checks = Checks(self)
        self.checks.start()

    @property
    def health(self) -> dict[str, ServerHealth]:
        """Its opinion of each server."""
        return self.checks.health

    # -- connections -------------------------------------------------------------------------------------------------
    def greet(self, call: Call) -> Steps:
        """A client has connected: it gets a server, and what that says to it, or EOF."""
        session = yield from self.connect(call)
        if call.closed:
            if session is not None:
                self.end(session)
        elif session is None:
            call.fail(NO_SERVER)
        else:
            call.reply(session.upstream.server)
            self._watch(session)

    def connect(self, call: Call) -> Generator[Any, Any, Session | None]:
        """A session with a server that accepts, or None when the retries are used up or none is up."""
        server, retries = self.choose(), self.params.haproxy_retries
        while server is not None and not call.closed:
            session = self._begin(call.peer, server)
            call.on_cancel(session.upstream.close)
            reply = yield session.upstream.dial()
            if reply.ok:
                return session
            self.end(session)
            if session.upstream.peer is not None or retries == 0:
                return None  # it had been accepted: what broke then breaks for the client, too
            retries -= 1
            if self.params.haproxy_redispatch:
                server = self.choose(avoid=server)
            elif reply.error == REFUSED:
                yield self.timeout(self.params.haproxy_turnaround)
        return None

    def _begin(self, peer: Peer, server: str) -> Session:
        """A connection to *server* for the client at *peer*."""
        params = self.params
        limits = Limits(params.haproxy_server_timeout, 0, 0, None, connect=params.haproxy_connect_timeout)
        upstream = self.connection(server, limits, lambda error: self.end(session), kept=False)
        session = Session(self, peer, upstream, server)
        upstream.downstream, peer.upstream = peer, upstream
        peer.on_gone = lambda: self.end(session)
        self.sessions[server] += 1
        self.open[peer] = session
        return session

    def end(self, session: Session) -> None:
        """Either side is gone: close what is left of the other. A client that is not let in yet may go elsewhere."""
        if session.over:
            return
        session.over = True
        self.sessions[session.server] -= 1
        self.open.pop(session.peer, None)
        if session.upstream.server:
            session.peer.lose(EOF)
        else:
            session.peer.upstream = None
        session.upstream.close()

    def _watch(self, session: Session) -> None:
        """Pings of HTTP/2 pass more often than kubeadm's limits run out; shorter ones cut an idle session."""
        limit = min(self.params.haproxy_client_timeout, self.params.haproxy_server_timeout)
        if limit <= self.params.http2_read_idle_timeout:
            self.after(limit, self._idle, session, limit)

    def _idle(self, session: Session, limit: int) -> None:
        left = session.active + limit - self.sim.now
        if left > 0 and not session.over:
            self.after(left, self._idle, session, limit)
        else:
            self.end(session)

    def _look(self) -> None:
        """Something has changed: checks go on. Whoever came by an address that has left this host sends no more."""
        if not self.up:
            return
        self.checks.wake()
        for session in [s for s in self.open.values() if s.peer.stranded and not s.doubted]:
            session.doubted = True
            self.after(self.params.haproxy_client_timeout, self._still_stranded, session)

    def _still_stranded(self, session: Session) -> None:
        session.doubted = False
        if session.peer.stranded:
            self.end(session)

    def handle(self, call: Call) -> None:
        """A request on a connection that stands."""
        session = self.open.get(call.peer)
        if session is None:
            call.fail(NO_SERVER)  # nobody has connected: only what is sent over a connection is passed on
        else:
            session.handle(call)

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
