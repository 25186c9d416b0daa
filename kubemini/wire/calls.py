"""What a call is, at both of its ends, whatever it travels over: rpc.py tells how it does.

Invariant: a call ends once, and so does a stream; what comes after that is nothing to either side.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from kubemini.wire.network import CONNECTION, Network
from kubemini.wire.station import Station


@dataclass(frozen=True, slots=True)
class Unreachable:
    """The wire failed, not the server. *definite*: the call certainly did not happen."""

    reason: str
    definite: bool

    def __str__(self) -> str:
        return self.reason


REFUSED = Unreachable("connection refused", definite=True)
RESET = Unreachable("connection reset by peer", definite=False)
DEADLINE = Unreachable("deadline exceeded", definite=False)
GREET = "greet"  # the method of a dial: see connections.py
LOST = Unreachable("http2: client connection lost", definite=False)
EOF = Unreachable("EOF", definite=False)  # the other end has closed the connection
HANDSHAKE = Unreachable("net/http: TLS handshake timeout", definite=True)
NO_ANSWER = Unreachable("i/o timeout", definite=True)  # TCP itself was not accepted
TIMED_OUT = Unreachable("connection timed out", definite=False)  # nothing was acknowledged
CLOSED = Unreachable("use of closed network connection", definite=True)  # it was before it was used
ENDED = Unreachable("use of closed network connection", definite=False)  # by its own client


@dataclass(frozen=True, slots=True)
class Reply:
    """How a call ended: ``ok`` with a *value*, or not, with an *error*."""

    ok: bool
    value: Any = None
    error: Any = None


class Server(Protocol):
    """Who serves calls; `rpc.Endpoint` is the only one."""

    @property
    def component(self) -> Station:
        """The program."""

    @property
    def net(self) -> Network:
        """Where answers go."""

    def served(self, call: "Call") -> None:
        """*call* is over."""

    def answer(self, source: str, id: int, reply: Reply) -> None:
        """Send *reply* to the caller."""


class Call:
    """The server's end of a call or stream: answer it once."""

    __slots__ = ("_cancel", "closed", "id", "method", "payload", "peer", "server", "source", "stream")

    def __init__(
        self, server: "Server", source: str, id: int, method: str, payload: Any, stream: bool, peer: Any = None
    ):
        self.server, self.source, self.id, self.method, self.payload = server, source, id, method, payload
        self.peer = peer  # the server's end of the connection that it came on (connections.py), if it is kept
        self.stream = ServerStream(self) if stream else None
        self.closed = False
        self._cancel: list[Callable[[], object]] = []

    def reply(self, value: Any = None) -> None:
        """It worked: here is the result."""
        self._finish(Reply(True, value))

    def fail(self, error: Any) -> None:
        """It did not: here is why (a value with ``definite``)."""
        self._finish(Reply(False, None, error))

    def on_cancel(self, act: Callable[[], object]) -> None:
        """Call *act* if the client gives up or is gone."""
        self._cancel.append(act)

    def _finish(self, reply: Reply) -> None:
        if not self.closed:
            self.closed = True
            self.server.served(self)
            if self.peer is not None:
                self.peer.answer(self.id, reply)
            else:
                self.server.answer(self.source, self.id, reply)

    def cancelled(self) -> None:
        """The client is gone."""
        if not self.closed:
            self.closed = True
            self.server.served(self)
            if self.peer is not None:
                self.peer.calls.pop(self.id, None)
            for act in self._cancel:
                act()


class ServerStream:
    """The server's end of a stream."""

    __slots__ = ("call", "held", "lost")

    def __init__(self, call: Call):
        self.call = call
        self.held: list = []  # items a cut keeps back
        self.lost = False  # an item never came through: the connection is broken, though the server does not know yet

    def push(self, item: Any) -> None:
        """Send *item* to the client."""
        call = self.call
        if call.peer is not None and not call.closed:
            call.peer.push(call.id, item)
        elif not call.closed and not self.lost:
            self.held.append(item)
            self.flush()

    def flush(self) -> None:
        """Send what is held back, if the client can be reached."""
        call, server, net = self.call, self.call.server.component, self.call.server.net
        client = net.components[call.source]
        here, there = server.host, client.host
        while self.held and there.powered and net.reachable(here.name, there.name):
            item = self.held.pop(0)
            if net.send(server, call.source, CONNECTION, client.rpc.item, call.id, item) is None:
                client.rpc.broken(call.id)
                self.lost = True

    def close(self, error: Any = None) -> None:
        """End the stream; *error* None means in peace."""
        self.call.fail(error) if error is not None else self.call.reply(None)


class Keeper(Protocol):
    """Who keeps a client's streams: an endpoint, or a connection."""

    @property
    def component(self) -> Station:
        """Whose they are."""

    @property
    def net(self) -> Network:
        """Where they lead through."""

    def drop(self, stream: "ClientStream") -> None:
        """Forget *stream*."""

    def tell_cancel(self, target: str, id: int) -> None:
        """Tell the server that nobody listens any more."""


class ClientStream:
    """The client's end of a stream."""

    __slots__ = ("closed", "endpoint", "id", "incarnation", "on_close", "on_item", "opened", "suspected", "target")

    def __init__(self, endpoint: "Keeper", id: int, target: str, on_item: Callable, on_close: Callable):
        self.endpoint, self.id, self.target, self.on_item, self.on_close = endpoint, id, target, on_item, on_close
        self.incarnation = endpoint.net.components[target].incarnation
        self.opened = endpoint.component.sim.now
        self.closed = self.suspected = False

    def close(self) -> None:
        """Give the stream up; `on_close` is not called."""
        if not self.closed:
            self.endpoint.drop(self)
            self.endpoint.tell_cancel(self.target, self.id)

    def end(self, error: Any) -> None:
        """It is over: tell the owner, once."""
        if not self.closed:
            self.endpoint.drop(self)
            self.on_close(error)
