"""Calls and streams between components, over connections.

Theory of operation.

**A call.** `Endpoint.call` numbers it, puts a deadline on it and sends a packet to the server's
endpoint (`request`). Three things can be there. No power: silence, and only the deadline ends the
call. A machine whose program does not run: "connection refused", at once. A program: it gets a
`Call`, and answers it once, now or by a task; a paused one gets it when it resumes. The answer is
a packet back (`result`), and whoever waits goes on in the event of its arrival: a call costs two
events. Whatever a cut, a loss or a death swallows, no further packet tells of it: the deadline
does. A program that dies takes its calls along: `abandon` forgets those it made, and resets those
it served, unless the power went.

So a call ends exactly once, with a value: the server's answer, the server's error, or
`Unreachable`. What the caller may conclude is in ``error.definite``: True means it certainly did
not happen. "connection refused" is definite; "connection reset by peer" (the program died) and
"deadline exceeded" (silence) are not.

**One timer for all deadlines.** Most calls are answered long before; so an endpoint keeps a heap
of deadlines and one timer, armed for the earliest, which most often finds its call done.

**A stream** is a call whose server pushes items. They arrive in order, on the same connection. A
cut holds them back (`held`) until it heals, as TCP would; an item that is lost for good breaks the
connection: nothing after it may arrive (`broken`). Nobody sends pings: when reachability changes
(`Network.watchers`), a client whose server cannot answer a ping notes when the next one would have
gone unanswered (`_suspect`), looks again then (`_pinged`), and gives the stream up. That is HTTP/2
in client-go: a ping after 30 s of silence, 15 s to answer it.

**Who is who.** Each packet carries the number of its call and the name of its source. A number is
never used twice by an endpoint, so an answer to a former life finds nobody; a stream remembers the
server's incarnation, so that a restarted server is not taken for the one that promised to push.

Simplified: a call or stream without a connection of its client's (connections.py) is one of its own, and a
cut drops such calls in flight.
"""

import heapq
from collections.abc import Callable
from typing import Any, Protocol

import simpy

from kubemini.wire.calls import (
    DEADLINE,
    GREET,
    LOST,
    REFUSED,
    RESET,
    Call,
    ClientStream,
    Reply,
    ServerStream,
    Unreachable,
)
from kubemini.wire.network import CONNECTION, Network
from kubemini.wire.station import Station


class Kept(Protocol):
    """The client's end of a kept connection; `connections.Connection` is the only one."""

    open: bool

    def late(self, id: int) -> None:
        """The limit of the call numbered *id*, or of the connection's own greeting, is over."""

    def look(self) -> None:
        """Reachability has changed."""

    def abandon(self, reset: bool) -> None:
        """The program has died; with *reset*, its kernel tells the server."""


class Accepted(Protocol):
    """The server's end of a kept connection; `connections.Peer` is the only one."""

    def go_away(self) -> None:
        """Tell the client to use another one for what is new."""

    def lose(self, error: Unreachable) -> None:
        """Break it from this side."""

    def abandon(self, reset: bool) -> None:
        """The program has died; with *reset*, its kernel tells the client."""


class Endpoint:
    """One component's calls: those it made (`calls`, `streams`) and those it serves (`open`)."""

    def __init__(self, component: Station, net: Network):
        self.component, self.net = component, net
        self.calls: dict[int, simpy.Event] = {}
        self.streams: dict[int, ClientStream] = {}
        self.open: dict[tuple[str, int], Call] = {}
        self.dialled: dict[int, Kept] = {}  # the client's ends of kept connections
        self.accepted: dict[tuple[str, int], Accepted] = {}  # the server's ends of kept connections
        self._carried: dict[int, Kept] = {}  # the calls made over kept connections
        self._drained: simpy.Event | None = None
        self._next = 0
        self._deadlines: list[tuple[int, int]] = []
        self._armed: int | None = None
        net.watchers.append(self._reachability_changed)

    # -- the client's side ---------------------------------------------------------------------------------------
    def call(self, target: str, method: str, payload: Any, timeout: int | None) -> simpy.Event:
        component = self.component
        id, event = self.begin(timeout)
        target = self.net.at(component.host, target)
        if target:
            act = self.net.components[target].rpc.request
            self.net.send(component, target, CONNECTION, act, component.name, id, method, payload, False)
        return event

    def number(self) -> int:
        """One that this endpoint has never used."""
        self._next += 1
        return self._next

    def begin(self, timeout: int | None, over: "Kept | None" = None) -> tuple[int, simpy.Event]:
        """Number a call, *over* a kept connection if it goes there, and put a deadline on it."""
        id = self.number()
        event = self.calls[id] = simpy.Event(self.component.sim)
        if over is not None:
            self._carried[id] = over
        if timeout is not None:
            self.remind(id, timeout)
        return id, event

    def remind(self, id: int, delay: int) -> None:
        """Put a deadline, *delay* µs from now, on the call or the connection numbered *id*."""
        heapq.heappush(self._deadlines, (self.component.sim.now + delay, id))
        self._arm()

    def open_stream(
        self, target: str, method: str, payload: Any, on_item: Callable, on_close: Callable
    ) -> ClientStream:
        component = self.component
        id, found = self.number(), self.net.at(component.host, target)
        target = found or self.net.addresses.first(target)
        stream = self.streams[id] = ClientStream(self, id, target, on_item, on_close)
        act = self.net.components[target].rpc.request
        if not found or not self.net.send(
            component, target, CONNECTION, act, component.name, id, method, payload, True
        ):
            self.broken(stream.id)  # the server has not heard of it, and will not when a cut heals
        return stream

    def _arm(self) -> None:
        """One timer for all deadlines: armed for the earliest, found done when it fires in most cases."""
        first = self._deadlines[0][0]
        if self._armed is None or first < self._armed:
            self._armed = first
            self.component.after(first - self.component.sim.now, self._expire, first)

    def _expire(self, armed: int) -> None:
        if armed != self._armed:
            return
        self._armed = None
        now = self.component.sim.now
        while self._deadlines and (self._deadlines[0][0] <= now or not self._waits(self._deadlines[0][1])):
            _, id = heapq.heappop(self._deadlines)
            if id in self.calls:
                if id in self._carried:
                    self._carried[id].late(id)
                self.finish(id, Reply(False, None, DEADLINE))
            elif id in self.dialled:
                self.dialled[id].late(id)
        if self._deadlines:
            self._arm()

    def _waits(self, id: int) -> bool:
        return id in self.calls or (id in self.dialled and not self.dialled[id].open)

    def finish(self, id: int, reply: Reply) -> None:
        """The call is over: its waiters go on at once."""
        self._carried.pop(id, None)
        event = self.calls.pop(id, None)
        if event is not None:
            happen(event, reply)

    def forget(self, id: int) -> None:
        """Nobody waits for that call any more."""
        self._carried.pop(id, None)
        self.calls.pop(id, None)

    def result(self, id: int, reply: Reply) -> None:
        """An answer has arrived."""
        component = self.component
        component.guarded(component.incarnation, self._result, (id, reply))

    def _result(self, id: int, reply: Reply) -> None:
        if id in self.streams:
            self.streams[id].end(reply.error)
        else:
            self.finish(id, reply)

    def item(self, id: int, item: Any) -> None:
        """A stream's item has arrived."""
        component = self.component
        component.guarded(component.incarnation, self._item, (id, item))

    def _item(self, id: int, item: Any) -> None:
        stream = self.streams.get(id)
        if stream is not None and stream.incarnation >= 0:
            stream.on_item(item)

    def broken(self, id: int) -> None:
        """Something on the way to stream *id* is lost for good: what comes after it must not arrive either."""
        stream = self.streams.get(id)
        if stream is not None:
            stream.incarnation = -1
            self._suspect(stream)

    def drop(self, stream: ClientStream) -> None:
        """Forget *stream*."""
        stream.closed = True
        self.streams.pop(stream.id, None)

    def tell_cancel(self, target: str, id: int) -> None:
        """Tell the server that nobody listens any more."""
        server = self.net.components[target]
        self.net.send(self.component, target, CONNECTION, server.rpc.cancel, self.component.name, id)

    # -- keep-alive ----------------------------------------------------------------------------------------------
    def _reachability_changed(self) -> None:
        for call in list(self.open.values()):
            if call.stream is not None and call.stream.held:
                call.stream.flush()
        for stream in list(self.streams.values()):
            if not self._answers(stream):
                self._suspect(stream)
        for connection in list(self.dialled.values()):
            connection.look()

    def _answers(self, stream: ClientStream) -> bool:
        server, here = self.net.components[stream.target], self.component.host.name
        there = server.host.name
        net = self.net
        reached = net.reachable(here, there) and net.reachable(there, here)
        return server.up and not server.paused and reached and server.incarnation == stream.incarnation

    def _suspect(self, stream: ClientStream) -> None:
        """Look again when the next ping would have gone unanswered."""
        if stream.suspected:
            return
        stream.suspected = True
        params = self.net.params
        age = self.component.sim.now - stream.opened
        next_ping = params.http2_read_idle_timeout - age % params.http2_read_idle_timeout
        self.component.after(next_ping + params.http2_ping_timeout, self._pinged, stream)

    def _pinged(self, stream: ClientStream) -> None:
        stream.suspected = False
        if not stream.closed and not self._answers(stream):
            stream.end(LOST)

    # -- the server's side ---------------------------------------------------------------------------------------
    def request(self, source: str, id: int, method: str, payload: Any, stream: bool) -> None:
        """A call has arrived at this host."""
        component = self.component
        if not component.host.powered:
            return
        if not (component.up and component.listens):
            self.answer(source, id, Reply(False, None, REFUSED))
            return
        component.guarded(component.incarnation, self._serve, (source, id, method, payload, stream))

    def _serve(self, source: str, id: int, method: str, payload: Any, stream: bool) -> None:
        self.serve(Call(self, source, id, method, payload, stream))

    def serve(self, call: Call) -> None:
        """Let the program answer *call*."""
        self.open[call.source, call.id] = call
        generator = (self.component.greet if call.method == GREET else self.component.handle)(call)
        if generator is not None:
            self.component.spawn(generator)

    def served(self, call: Call) -> None:
        """*call* is over."""
        self.open.pop((call.source, call.id), None)
        if self._drained is not None and not self.open:
            drained, self._drained = self._drained, None
            happen(drained, None)

    def drained(self) -> simpy.Event:
        """It happens as soon as no call is open: now, or when the last of them ends."""
        event = simpy.Event(self.component.sim)
        if self.open:
            self._drained = event
        else:
            happen(event, None)
        return event

    def reset(self) -> None:
        """Break the connections of all calls that are still open; the program lives on."""
        for call in list(self.open.values()):
            if call.peer is None:
                call.fail(RESET)
        for peer in list(self.accepted.values()):
            peer.lose(RESET)

    def answer(self, source: str, id: int, reply: Reply) -> None:
        """Send *reply* to the caller; whatever a cut drops, the caller's deadline notices."""
        component = self.component
        client = self.net.components[source]
        if self.net.send(component, source, CONNECTION, client.rpc.result, id, reply) is None:
            client.rpc.broken(id)

    def cancel(self, source: str, id: int) -> None:
        """The client of a call has gone."""
        call = self.open.get((source, id))
        if call is not None:
            self.component.enter(call.cancelled, ())

    def abandon(self, reset: bool) -> None:
        """The component died: forget its calls; with *reset*, the machine tells the peers at once."""
        calls, self.open, self._drained = list(self.open.values()), {}, None
        streams, self.streams = list(self.streams.values()), {}
        kept, self.dialled = list(self.dialled.values()), {}
        peers, self.accepted = list(self.accepted.values()), {}
        self.calls.clear()
        self._carried.clear()
        self._deadlines.clear()
        self._armed = None
        for call in calls:
            call.closed = True
            if reset and call.peer is None:
                self.answer(call.source, call.id, Reply(False, None, RESET))
        for stream in streams:
            stream.closed = True
            if reset:
                self.tell_cancel(stream.target, stream.id)
        for connection in kept:
            connection.abandon(reset)
        for peer in peers:
            peer.abandon(reset)


def happen(event: simpy.Event, value: Any) -> None:
    """*event* happens in this very instant: whoever waits for it goes on."""
    event._ok, event._value = True, value
    waiters: Any = event.callbacks
    event.callbacks = None  # type: ignore[assignment]  # what SimPy itself does to an event that has happened
    for waiter in waiters:
        waiter(event)


__all__ = ["DEADLINE", "LOST", "REFUSED", "RESET", "Call", "ClientStream", "Reply", "ServerStream", "Unreachable"]
