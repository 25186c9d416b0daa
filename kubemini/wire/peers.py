"""The server's end of a kept connection; connections.py tells how the two ends work together.

A program that stood still reads all that has come in meanwhile before the first of its handlers gets anywhere: a call
whose end has come in as well (RST_STREAM, or that of the connection) is never begun. In trials with etcd 3.7.3 none of
30 writes that were given up singly was found in the store, and 20 of 172 whose connection was.
Simplified: of the latter none is begun, either.
Invariant: nothing of a connection outlives its server's program; a frame for one that is gone is reset.
"""

from collections.abc import Callable
from typing import Any, Protocol

from kubemini.wire import rpc
from kubemini.wire.calls import EOF, RESET, Call, Reply, Unreachable
from kubemini.wire.network import CONNECTION, Network
from kubemini.wire.station import Station
from kubemini.wire.tcp import Pipe
from kubemini.wire.ways import FromAddress


class Client(Protocol):
    """The client's end; `connections.Connection` is the only one."""

    number: int
    target: str
    floating: bool  # dialled by a virtual address

    @property
    def component(self) -> Station:
        """The client."""

    def frame(self, act: Callable[..., Any], *args: Any) -> None:
        """Something for the program is at the client's kernel."""

    def greeted(self, id: int, reply: Reply) -> None:
        """An answer."""

    def item(self, id: int, item: Any) -> None:
        """A stream's item."""

    def go_away(self) -> None:
        """GOAWAY."""

    def told(self, error: Unreachable) -> None:
        """The end."""

    def look(self) -> None:
        """Something does not get through."""


class Upstream(Protocol):
    """A balancer's own connection to the server that it chose."""

    def answers(self) -> bool:
        """Whether a ping would be answered."""

    def ping(self, pong: Callable[[], None]) -> None:
        """Pass a ping on."""


class Peer:
    """The server's end of a connection: what arrives on it, and what goes back."""

    def __init__(self, connection: Client, station: Station, net: Network):
        self.connection, self.station, self.net = connection, station, net
        self.endpoint: rpc.Endpoint = station.rpc  # type: ignore[assignment]  # the only Port
        self.incarnation = station.incarnation
        self.over = False
        self.calls: dict[int, Call] = {}
        self.unread = False  # something has come in that the program has not read
        self.given_up: set[int] = set()  # calls whose end has come in while the program stood still
        self.left = False  # the end of the connection has
        self.upstream: Upstream | None = None  # of a balancer: its connection to the server it chose
        self.on_gone: Callable[[], None] | None = None  # called when the client is gone
        way = FromAddress(net, station, connection.target, connection.component) if connection.floating else None
        self.back = Pipe(net, station, connection.component, connection.look, way)
        self.endpoint.accepted[connection.component.name, connection.number] = self

    @property
    def source(self) -> str:
        """The client's name."""
        return self.connection.component.name

    @property
    def stranded(self) -> bool:
        """Whether the client has dialled an address that this host has no more."""
        return self.back.way is not None and self.back.way.there() is None

    # -- what arrives ------------------------------------------------------------------------------
    def frame(self, act: Callable[..., Any], *args: Any) -> None:
        """Something from the client is at this kernel; one that does not know the connection resets it."""
        station = self.station
        if not station.host.powered:
            return
        if self.over or station.incarnation != self.incarnation:
            if act != self.gone:
                self.net.send(station, self.source, CONNECTION, self.connection.told, RESET)
            return
        if station.paused:
            self.unread = True
            if act == self.cancel:
                self.given_up.add(*args)
            self.left = self.left or act == self.gone
        station.guarded(self.incarnation, self._take, (act, args))

    def _take(self, act: Callable[..., Any], args: tuple) -> None:
        self.unread = False
        if not self.over:
            act(*args)

    def serve(self, id: int, method: str, payload: Any, stream: bool) -> None:
        """A call for the program, or, with the method "greet", the client itself."""
        if self.left or id in self.given_up:
            return
        call = Call(self.endpoint, self.source, id, method, payload, stream, self)
        self.calls[id] = call
        self.endpoint.serve(call)

    def cancel(self, id: int) -> None:
        """The client has given a call up."""
        call = self.calls.get(id)
        if call is not None:
            call.cancelled()

    def ping(self, pong: Callable[[], None]) -> None:
        """A ping: it is answered, by the server behind if this is a balancer."""
        if self.upstream is None:
            self.back.send(self.connection.frame, pong)
        else:
            self.upstream.ping(lambda: self.back.send(self.connection.frame, pong))

    def gone(self) -> None:
        """The client has closed the connection, or died: its calls are cancelled."""
        self._end()
        for call in list(self.calls.values()):
            call.cancelled()
        if self.on_gone is not None:
            self.on_gone()

    # -- what goes back ----------------------------------------------------------------------------
    def answer(self, id: int, reply: Reply) -> None:
        """A call has ended."""
        self.calls.pop(id, None)
        if not self.over:
            self.back.send(self.connection.frame, self.connection.greeted, id, reply)

    def push(self, id: int, item: Any) -> None:
        """An item of a stream."""
        if not self.over:
            self.back.send(self.connection.frame, self.connection.item, id, item)

    def go_away(self) -> None:
        """Send GOAWAY: what runs goes on, whatever is new shall use another connection."""
        if not self.over:
            self.back.send(self.connection.frame, self.connection.go_away)

    def lose(self, error: Unreachable) -> None:
        """Close the connection from this side: the client gets *error*, all calls on it end."""
        if not self.over:
            self._end()
            for call in list(self.calls.values()):
                call.cancelled()
            self.back.send(self.connection.told, error)
            self.back.closed = True

    def _end(self) -> None:
        self.over = True
        self.endpoint.accepted.pop((self.source, self.connection.number), None)

    def abandon(self, reset: bool) -> None:
        """The program has died; unless the power went (not *reset*), its kernel tells the client.

        Closing a socket with something unread in it resets the connection; else it ends in peace, with EOF.
        """
        self.over = True
        if reset:
            self.back.send(self.connection.told, RESET if self.unread else EOF)
            self.back.closed = True
        else:
            self.back.forget()
