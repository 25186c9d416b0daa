"""The transport under a program's clients: one connection for all of them, kept until it breaks.

Invariant: a request that may have been carried out is sent a second time only if it just reads. What
certainly never left goes out on a new connection, whatever it is.
All who ask while none is open share one dial. A GET that ends in EOF, a reset or a lost connection is
tried again up to ten times, a second apart; "connection refused" and a time limit are final. After GOAWAY
what is new gets a new connection, and what runs goes on. So it does when a hundred requests are under way
on one, as many as an API server allows: who asks a silent server four times a second is free of it after
25 s. A connection does not move back: it leaves a server only when it breaks.
Of several *servers* (where no load balancer stands) the next one is dialled when one cannot be reached.
A transport that is not *kept* is a person's: its connections leave no record, see users/kubectl.py.

Models k/client-go rest Request.request, withRetry.IsNextRetry
"""

from collections.abc import Callable, Sequence
from typing import Any

import simpy

from kubemini.host import Component
from kubemini.sim import Steps
from kubemini.wire import Reply, Unreachable
from kubemini.wire.calls import DEADLINE, EOF, LOST, RESET, ClientStream
from kubemini.wire.connections import Connection, Limits
from kubemini.wire.rpc import happen

UNEXPECTED_EOF = Unreachable("unexpected EOF", definite=False)  # in the middle of something
PASSING = (EOF.reason, UNEXPECTED_EOF.reason, RESET.reason, LOST.reason)


class Watch:
    """A stream that is opened as soon as there is a connection."""

    __slots__ = ("closed", "stream")

    def __init__(self) -> None:
        self.stream: ClientStream | None = None
        self.closed = False

    def close(self) -> None:
        """Give it up; its `on_close` is not called."""
        self.closed = True
        if self.stream is not None:
            self.stream.close()


class Transport:
    """One program's way to the API: *servers* are the balancer, or the API servers that it may use."""

    def __init__(self, component: Component, servers: Sequence[str], kept: bool = True):
        self.component, self.servers, self.kept = component, list(servers), kept
        params = component.net.params
        self.limits = Limits(
            params.tls_handshake_timeout,
            params.http2_read_idle_timeout,
            params.http2_ping_timeout,
            None,
            connect=params.dial_timeout,
        )
        self.connections: list[Connection] = []  # the open ones, oldest first
        self._turn = 0
        self._former = ""  # the server of the last connection
        self._waiting: list[simpy.Event] = []
        self._closed = False

    @property
    def target(self) -> str:
        """The balancer, or the API server, that is dialled."""
        return self.servers[self._turn]

    @property
    def path(self) -> list[str]:
        """Who is dialled, and who serves behind it if that is another."""
        if self.connection is None:
            return [self.target]
        door, behind = self.connection.door, self.connection.server
        return [door] if behind in ("", door) else [door, behind]

    # -- requests ----------------------------------------------------------------------------------
    def request(self, payload: Any, timeout: int | None, deadline: int | None = None) -> Steps:
        """The reply; each attempt lasts *timeout* µs at most, all end at the instant *deadline*."""
        clock, params = self.component.sim, self.component.net.params
        reads, tries = payload["verb"] == "GET", 0
        while True:
            limits = [left for left in (timeout, deadline and deadline - clock.now) if left is not None]
            reply = yield from self._attempt(payload, clock.now + min(limits) if limits else None)
            if not (reads and _passes(reply.error)) or tries == params.client_max_retries:
                return reply
            tries += 1
            if deadline is not None and clock.now + params.client_retry_after >= deadline:
                yield self.component.timeout(max(0, deadline - clock.now))
                return Reply(False, None, DEADLINE)
            yield self.component.timeout(params.client_retry_after)

    def _attempt(self, payload: Any, deadline: int | None) -> Steps:
        """One request on an open connection, dialled if there is none."""
        clock = self.component.sim
        connection = self._usable()
        if connection is None:
            reply = yield self._dialled(None if deadline is None else deadline - clock.now)
            if not reply.ok:  # whatever it was, the request has not left
                return Reply(False, None, Unreachable(reply.error.reason, definite=True))
            connection = reply.value
        left = None if deadline is None else max(0, deadline - clock.now)
        reply = yield connection.call("request", payload, left)
        return Reply(False, None, UNEXPECTED_EOF) if reply.error == EOF else reply

    def stream(
        self,
        method: str,
        payload: Any,
        on_item: Callable[[Any], None],
        on_close: Callable[[Any], None],
    ) -> Watch:
        """Open a stream; *on_close* gets the error of the dial if there is no connection to be had."""
        watch = Watch()
        connection = self._usable()
        if connection is not None:
            watch.stream = connection.open_stream(method, payload, on_item, on_close)
            return watch

        def dialled(event: simpy.Event) -> None:
            if watch.closed:
                return
            reply: Any = event.value
            if reply.ok:
                watch.stream = reply.value.open_stream(method, payload, on_item, on_close)
            else:
                on_close(reply.error)

        waiters: Any = self._dialled(None).callbacks
        waiters.append(dialled)
        return watch

    def close(self) -> None:
        """Nobody needs it any more, nor what is being dialled."""
        self._closed = True
        for connection in self.connections:
            connection.close()

    # -- the connection ----------------------------------------------------------------------------
    @property
    def connection(self) -> Connection | None:
        """The one that was opened last."""
        return self.connections[-1] if self.connections else None

    def _usable(self) -> Connection | None:
        """The oldest that is open, takes something new, and is not full."""
        self.connections = [one for one in self.connections if one.open] or self.connections[-1:]
        room = self.component.net.params.http2_max_streams
        usable = (one for one in self.connections if one.open and not one.draining)
        return next((one for one in usable if len(one.calls) + len(one.streams) < room), None)

    def _dialled(self, limit: int | None) -> simpy.Event:
        """An event of Reply(True, an open connection), or of the error of the dial, or of the *limit* (µs)."""
        waits = simpy.Event(self.component.sim)
        first, self._waiting = not self._waiting, [*self._waiting, waits]
        if limit is not None:
            self.component.after(max(0, limit), self._give_up, waits)
        if first:
            self.component.spawn(self._dial())
        return waits

    def _give_up(self, waits: simpy.Event) -> None:
        """Whoever waits has no more time; the dial goes on for the next."""
        if waits.callbacks is not None:
            happen(waits, Reply(False, None, DEADLINE))

    def _dial(self) -> Steps:
        """Dial one server after the other, each once, until one lets us in."""
        for _ in self.servers:
            connection = self.component.connection(self.target, self.limits, self._broken, self.kept, self._former)
            reply = yield connection.dial()
            if self._closed:
                connection.close()
                return
            if reply.ok:
                self.connections.append(connection)
                self._former = connection.server
                reply = Reply(True, connection)
                break
            self._move_on()
        waiting, self._waiting = self._waiting, []
        for waits in waiting:
            if waits.callbacks is not None:
                happen(waits, reply)

    def _broken(self, error: Unreachable) -> None:
        self._move_on()

    def _move_on(self) -> None:
        self._turn = (self._turn + 1) % len(self.servers)


def _passes(error: Any) -> bool:
    """Whether the same GET may succeed a second later."""
    return isinstance(error, Unreachable) and error.reason in PASSING
