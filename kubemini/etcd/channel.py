"""A subchannel of gRPC: the one connection of a client to one member, dialled again whenever it is gone.

    dials ──open──▶ READY ──breaks, or GOAWAY──▶ dials at once
      │ ▲
      ▼ │ the pause after the n-th failure: 1 s × 1.6^n, but for the first ± 20 %, 120 s at most
    waits

So a member that is back after ten seconds is used again 5 s later, and after 45 s perhaps 27 s later:
the next dial is due only then. Each client has luck of its own, so two do not come back together. A dial
is served by the member's program: one that hangs lets the client wait for 20 s, or for as long as the
next pause if that is longer.
Invariant: at most one connection is dialled or open; a message leaves only on a READY one.
Models google.golang.org/grpc addrConn.resetTransportAndUnlock, backoff.Exponential.Backoff.
"""

from collections.abc import Callable

from kubemini.host import Component
from kubemini.params import Params
from kubemini.sim import Steps
from kubemini.wire.connections import Connection, Limits


def pause(params: Params, failures: int, luck: float) -> int:
    """How long (µs) to wait after a dial has failed that *failures* others did before it; *luck* is in [0, 1)."""
    base, most = params.grpc_backoff
    if failures == 0:
        return base
    grown: float = base
    while grown < most and failures > 0 and params.grpc_backoff_multiplier > 1:
        grown, failures = grown * params.grpc_backoff_multiplier, failures - 1
    return round(min(grown, most) * (1 + params.grpc_backoff_jitter * (2 * luck - 1)))


class Channel:
    """The subchannel of *component* to *endpoint*; *changed* is called when it becomes READY or ceases to be."""

    def __init__(self, component: Component, endpoint: str, owner: str, changed: Callable[[], None]):
        self.component, self.endpoint, self.changed = component, endpoint, changed
        self.params = component.net.params
        self.connection: Connection | None = None  # while it is open
        name = f"grpc/{component.name}/{component.incarnation}/{owner}/{endpoint}"
        self._draws = component.sim.draws(name)
        self._dials = 0
        component.spawn(self._dial())

    @property
    def ready(self) -> bool:
        """Whether a request can leave now."""
        return self.connection is not None and self.connection.open

    @property
    def well(self) -> bool:
        """Whether it is READY, and the member would answer a ping."""
        return self.connection is not None and self.connection.open and self.connection.answers()

    def _dial(self) -> Steps:
        """Until a connection stands."""
        failures = 0
        while True:
            wait = pause(self.params, failures, self._draws.u(self._dials) / 2**64)
            self._dials += 1
            connection = self._connection(max(self.params.grpc_min_connect_timeout, wait))
            reply = yield connection.dial()
            if reply.ok:
                self.connection = connection
                self.changed()
                return
            yield self.component.timeout(wait)
            failures += 1

    def _connection(self, patience: int) -> Connection:
        params = self.params
        idle, pong = params.etcd_client_keepalive_time, params.etcd_client_keepalive_timeout
        limits = Limits(handshake=patience, idle=idle, pong=pong, unacknowledged=pong)
        connection = self.component.connection(self.endpoint, limits, lambda error: self._left(connection), kept=False)
        connection.on_drain = lambda: self._left(connection)
        return connection

    def _left(self, connection: Connection) -> None:
        """*connection* has broken or is to be left: nothing new goes over it, and another is dialled at once."""
        if connection is self.connection:
            self.connection = None
            self.changed()
            self.component.spawn(self._dial())
