"""Connections that are kept: dialled once, used for many calls and streams, open until they break.

Theory of operation.

**Two ends.** A `Connection` is the client's end, a `Peer` the server's; a `tcp.Pipe` leads each way. A
call on a connection is a `rpc.Call` like others and costs the same two events. What it adds is that both
ends know of each other, so that a peer's end is news even when nothing is asked.

**Three ways to be gone.** A *crash*: the kernel of the dead program closes its sockets, every peer hears
of it at once (`Peer.lost`, EOF), also on an idle connection. A *hang*: the kernel takes what is sent,
nobody answers, and what was taken is carried out when the program goes on. *Silence* (power off, cut):
nothing is acknowledged; the pipes hold back what is sent, and let it pass when the cut has healed. A
frame that reaches a kernel which knows the connection no more is answered with a reset.

**Keep-alive.** Nobody sends pings while the server would answer them. When reachability changes
(`Network.watchers`) or a pipe begins to hold back, a client whose server would not answer (`answers`)
pings in earnest once *idle* is over since the last frame, and gives the connection up *pong* later. The
pings that were not sent would have been answered, so the last frame is at most *idle* old. The ping is a
frame like others: a hung server answers it when it wakes, a cut holds it back, a reset comes instead.
With *unacknowledged* (TCP_USER_TIMEOUT) the kernel gives up a connection that acknowledges nothing.

**A dial** is served by the program, `Component.greet`: one that hangs lets the client wait for TLS. A
balancer greets by dialling a server itself; it then names its connection there in `Peer.upstream`, so
that pings go through both.

Simplified: TCP's and TLS's round trips are one; what a program has closed reaches the other end in
order, after all that was sent before; acknowledgements are not lost alone.

    self.api = self.connection("haproxy-1", limits, self.lost)
    reply = yield self.api.dial()
    if reply.ok:
        reply = yield self.api.call("request", payload, timeout=10 * SECOND)
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import simpy

from kubemini.wire import rpc
from kubemini.wire.calls import (
    CLOSED,
    ENDED,
    GREET,
    HANDSHAKE,
    LOST,
    NO_ANSWER,
    REFUSED,
    RESET,
    TIMED_OUT,
    ClientStream,
    Reply,
    Unreachable,
)
from kubemini.wire.network import CONNECTION, Network
from kubemini.wire.peers import Peer
from kubemini.wire.station import Station
from kubemini.wire.tcp import SYN, Pipe
from kubemini.wire.ways import ToAddress


class Limits(NamedTuple):
    """How long a client waits before it gives a connection up, in µs; 0 for *idle*: it sends no pings."""

    handshake: int  # from TCP's accept to the end of the greeting
    idle: int  # without a frame from there, until a ping is sent
    pong: int  # for the answer to the ping
    unacknowledged: int | None  # TCP_USER_TIMEOUT; None: for ever
    connect: int | None = None  # for TCP's accept; None: as handshake


class Connection:
    """The client's end; *kept* ones write the trace word "connection", fresh ones do not."""

    def __init__(
        self,
        component: Station,
        net: Network,
        target: str,
        limits: Limits,
        on_break: Callable[[Any], None] | None,
        kept: bool,
        before: str,
    ):
        self.component, self.net, self.target, self.limits = component, net, target, limits
        self.on_break, self.kept, self.before = on_break, kept, before
        self.endpoint: rpc.Endpoint = component.rpc  # type: ignore[assignment]  # the only Port
        self.incarnation = component.incarnation
        self.server = ""
        self.open = self.draining = self.over = False
        self.on_drain: Callable[[], None] | None = None  # called when the server has sent GOAWAY
        self.heard = 0
        self.number = self.endpoint.number()
        self.calls: dict[int, simpy.Event] = {}
        self.streams: dict[int, ClientStream] = {}
        self.floating = target in net.addresses.doors
        way = ToAddress(net, component.host, target, self._astray) if self.floating else None
        self.out = Pipe(net, component, None if self.floating else net.components[target], self._stuck, way)
        self.peer: Peer | None = None  # None until the server's kernel has accepted
        self.downstream: Peer | None = None  # of a balancer: the client's side of the session
        self._dialled: simpy.Event | None = None
        self._began = self._accepted = 0
        self._suspected = self._unacknowledged = False

    # -- to open and to close ----------------------------------------------------------------------
    def dial(self) -> simpy.Event:
        """Open it, once: an event of Reply(True, the server's name) or Reply(False, an Unreachable)."""
        assert self._dialled is None, "a connection is dialled once: make a new one"
        dialled = self._dialled = simpy.Event(self.component.sim)
        self._began = self.component.sim.now
        self.endpoint.dialled[self.number] = self
        self.endpoint.remind(self.number, min(self.limits.handshake, self._connect))
        self.out.timeout = SYN
        self.out.send(self._knock, self.out.target)
        return dialled

    @property
    def _connect(self) -> int:
        return self.limits.handshake if self.limits.connect is None else self.limits.connect

    def _astray(self, host: Station) -> None:
        """A packet for the address is at a program that has not accepted this connection."""
        if self.peer is None:
            self._knock(host)
        elif host.host.powered:
            self.net.send(host, self.component.name, CONNECTION, self.told, RESET)

    def _knock(self, server: Station) -> None:
        """The client's first packet is at the server's kernel, which accepts for its program."""
        if not server.host.powered:
            self.out.hold(self._knock, server)
            return
        self.out.timeout = self.net.params.tcp_retransmission_timeout
        if not (server.up and server.listens):
            self.net.send(server, self.component.name, CONNECTION, self.told, REFUSED)
            return
        self._accepted = self.component.sim.now
        self.out.target = server
        self.peer = Peer(self, server, self.net)
        self.peer.frame(self.peer.serve, self.number, GREET, None, False)

    def late(self, id: int) -> None:
        """The limit of a call, or of the greeting, is over."""
        if id != self.number:
            self.calls.pop(id, None)
            if self.open and self.peer is not None:
                self.out.send(self.peer.frame, self.peer.cancel, id)
            self._drained()
            return
        now = self.component.sim.now
        at = self._accepted + self.limits.handshake if self.peer else self._began + self._connect
        if self.open or self.over:
            return
        if now >= at:
            self._break(HANDSHAKE if self.peer else NO_ANSWER)
        else:
            self.endpoint.remind(self.number, at - now)

    def close(self) -> None:
        """In peace; whatever is open on it ends, and the other side is told."""
        self._end("closed" if self.open else "", None)

    def _break(self, error: Unreachable) -> None:
        if not self.over:
            was_open = self.open
            self._end("broken" if was_open else "refused", error)
            if was_open and self.on_break is not None:
                self.on_break(error)

    def _end(self, state: str, error: Unreachable | None) -> None:
        if self.over:
            return
        was_open, self.open, self.over = self.open, False, True
        self.endpoint.dialled.pop(self.number, None)
        if self.peer is not None:
            self.out.send(self.peer.frame, self.peer.gone)
        self.out.closed = True
        self._record(state, error)
        calls, self.calls = self.calls, {}
        for id in calls:
            self.endpoint.finish(id, Reply(False, None, error or ENDED))
        for stream in list(self.streams.values()):
            stream.end(error)
        if not was_open and self._dialled is not None:
            rpc.happen(self._dialled, Reply(False, None, error or ENDED))

    @property
    def door(self) -> str:
        """Who was dialled; of an address, the program that accepted there."""
        return self.peer.station.name if self.floating and self.peer is not None else self.target

    def _record(self, state: str, error: Unreachable | None) -> None:
        if self.kept and state:
            self.component.sim.record(
                self.component.name,
                "connection",
                to=self.door,
                server=self.server,
                state=state,
                why=str(error or ""),
                before=self.before,
            )

    def abandon(self, reset: bool) -> None:
        """The client's program has died; unless the power went (not *reset*), its kernel tells the server."""
        if self.over:
            return
        was_open, self.open, self.over = self.open, False, True
        self.out.closed = True
        for stream in self.streams.values():
            stream.closed = True
        if not reset:
            self.out.forget()
        elif self.peer is not None:
            self.out.send(self.peer.frame, self.peer.gone)
        if was_open:
            self._record("closed", None)

    # -- calls and streams -------------------------------------------------------------------------
    def call(self, method: str, payload: Any, timeout: int | None) -> simpy.Event:
        """As `Component.call`; if the connection breaks the reply has its error."""
        if not self.open or self.peer is None:
            event = simpy.Event(self.component.sim)
            rpc.happen(event, Reply(False, None, CLOSED))
            return event
        id, event = self.endpoint.begin(timeout, self)
        self.calls[id] = event
        self._send(self.peer.frame, self.peer.serve, id, method, payload, False)
        return event

    def cancel(self, event: simpy.Event) -> None:
        """Give up the call that *event* is of: the server is told, and nobody hears how it ends."""
        for id in [id for id, of in self.calls.items() if of is event]:
            self.late(id)
            self.endpoint.forget(id)

    def open_stream(
        self, method: str, payload: Any, on_item: Callable[[Any], None], on_close: Callable[[Any], None]
    ) -> ClientStream:
        """As `Component.open_stream`; if the connection breaks, *on_close* gets its error."""
        assert self.open and self.peer is not None, "open a stream on a connection that is open"
        id = self.endpoint.number()
        stream = self.streams[id] = ClientStream(self, id, self.peer.station.name, on_item, on_close)
        self._send(self.peer.frame, self.peer.serve, id, method, payload, True)
        return stream

    def drop(self, stream: ClientStream) -> None:
        """Forget *stream*, which is over."""
        stream.closed = True
        self.streams.pop(stream.id, None)
        self._drained()

    def tell_cancel(self, target: str, id: int) -> None:
        """Tell the server that nobody listens to stream *id* any more."""
        if self.open and self.peer is not None:
            self._send(self.peer.frame, self.peer.cancel, id)

    def _drained(self) -> None:
        """A balancer only passes GOAWAY on: it is the client that closes."""
        ours = self.draining and self.open and self.downstream is None
        if ours and not self.calls and not self.streams:
            self.close()

    def _send(self, act: Callable[..., Any], *args: Any) -> None:
        self.out.send(act, *args)
        if self.limits.unacknowledged is not None and not self._acknowledges():
            self._await_acknowledgement()

    # -- what arrives ------------------------------------------------------------------------------
    def frame(self, act: Callable[..., Any], *args: Any) -> None:
        """Something from the server is at this kernel, for the program if it still has the connection."""
        component = self.component
        if self.over or component.incarnation != self.incarnation:
            if component.host.powered and self.peer is not None:
                self.net.send(component, self.peer.station.name, CONNECTION, self.peer.frame, self.peer.gone)
            return
        component.guarded(self.incarnation, self._take, (act, args))

    def _take(self, act: Callable[..., Any], args: tuple) -> None:
        if not self.over:
            self.heard = self.component.sim.now
            act(*args)

    def greeted(self, id: int, reply: Reply) -> None:
        """The server's program has answered the greeting, or a call."""
        if id == self.number:
            self._greeted(reply)
        elif id in self.streams:
            self.streams[id].end(reply.error)
        else:
            self.calls.pop(id, None)
            self.endpoint.finish(id, reply)
            self._drained()

    def _greeted(self, reply: Reply) -> None:
        if not reply.ok:
            self._break(reply.error)
            return
        self.open, self.server = True, reply.value
        self._record("open", None)
        assert self._dialled is not None, "only who has dialled is greeted"
        rpc.happen(self._dialled, reply)
        self.look()

    def item(self, id: int, item: Any) -> None:
        """A stream's item."""
        stream = self.streams.get(id)
        if stream is not None:
            stream.on_item(item)

    def go_away(self) -> None:
        """GOAWAY: what runs on it goes on, nothing new is begun."""
        self.draining = True
        if self.downstream is not None:
            self.downstream.go_away()
        if self.on_drain is not None:
            self.on_drain()
        self._drained()

    def told(self, error: Unreachable) -> None:
        """The server's kernel has closed or reset the connection, or refuses it."""
        if not self.over:
            self.component.guarded(self.incarnation, self._break, (error,))

    # -- keep-alive --------------------------------------------------------------------------------
    def answers(self) -> bool:
        """Whether a ping would be answered now: by the server, through a balancer if one is between."""
        peer = self.peer
        if peer is None or peer.over or self.out.held or peer.back.held:
            return False
        server, here = peer.station, self.component.host.name
        there = server.host.name
        if self.floating and self.net.at(self.component.host, self.target) != server.name:
            return False
        if not (server.up and not server.paused and server.incarnation == peer.incarnation):
            return False
        if not (self.net.reachable(here, there) and self.net.reachable(there, here)):
            return False
        return peer.upstream is None or peer.upstream.answers()

    def look(self) -> None:
        """Something may have gone wrong: if pings would not be answered, they are sent from now on."""
        if self.open and not self._suspected and self.limits.idle and not self.answers():
            self._suspected = True
            idle, now = self.limits.idle, self.component.sim.now
            self.heard += (now - self.heard) // idle * idle  # as if all pings so far had been answered
            self.component.after(self.heard + idle - now, self._ping_due)
        if self.downstream is not None:
            self.downstream.connection.look()

    def _stuck(self) -> None:
        self.look()
        if self.open and self.limits.unacknowledged is not None:
            self._await_acknowledgement()

    def _ping_due(self) -> None:
        if self.over:
            return
        due = self.heard + self.limits.idle - self.component.sim.now
        if self.answers():
            self._suspected = False
        elif due > 0:
            self.component.after(due, self._ping_due)
        else:
            self.ping(self._pong)
            self.component.after(self.limits.pong, self._pong_due, self.component.sim.now)

    def ping(self, pong: Callable[[], None]) -> None:
        """Send a ping to the server at the other end; *pong* is called when its answer is here."""
        if self.peer is not None:
            self._send(self.peer.frame, self.peer.ping, pong)

    def _pong(self) -> None:
        """The ping is answered; `heard` says when."""

    def _pong_due(self, sent: int) -> None:
        if self.over:
            return
        if self.heard < sent:
            self._break(LOST)
        else:
            self.component.after(max(0, self.heard + self.limits.idle - self.component.sim.now), self._ping_due)

    def _acknowledges(self) -> bool:
        """Whether the server's kernel has what was sent, and its acknowledgement comes through."""
        assert self.out.target is not None, "only an open connection is asked for acknowledgements"
        there = self.out.target.host
        return not self.out.held and (
            not (self.net.severed or self.net.losses) or self.net.reachable(there.name, self.component.host.name)
        )

    def _await_acknowledgement(self) -> None:
        if not self._unacknowledged and self.limits.unacknowledged is not None:
            self._unacknowledged = True
            self.component.after(self.limits.unacknowledged, self._unacknowledged_due)

    def _unacknowledged_due(self) -> None:
        self._unacknowledged = False
        if not self._acknowledges():
            self._break(TIMED_OUT)
