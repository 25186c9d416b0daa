"""Real connections in the simulation: for each of them a simulated one, from a machine outside to whoever is dialled.

What is dialled decides what a client lives through: of an API server, that one's crash and its end in peace; of a
balancer, its choice among the servers, and that an idle connection breaks with the server behind. Requests themselves
are handed to the server that the connection leads to (apiserver/http.py), which answers as it does to any client.
Simplified: the machine outside is near, and is never cut off.
"""

from collections.abc import Callable

from kubemini.apiserver.http import Exchange, HttpRequest, HttpResponse
from kubemini.apiserver.server import ApiServer
from kubemini.cluster import Cluster
from kubemini.host import Component, Host
from kubemini.sim import Steps
from kubemini.sim.units import SECOND
from kubemini.wire import Unreachable
from kubemini.wire.connections import Connection, Limits

Answered = Callable[[HttpResponse | Unreachable], None]
MACHINE, PROGRAM = "outside", "real-clients"  # that stand for all of them
LIMITS = Limits(handshake=10 * SECOND, idle=0, pong=0, unacknowledged=None)  # real clients have their own


class Clients(Component):
    """All real clients, as one program of the simulation."""

    @classmethod
    def of(cls, cluster: Cluster) -> "Clients":
        """Those of *cluster*, near all its machines."""
        cluster.net.near_all.add(MACHINE)
        clients = cls(cluster.sim, cluster.net, Host(cluster.sim, MACHINE), PROGRAM)
        clients.start()
        return clients


class Line:
    """One real connection's simulated one. It is dialled at once; *on_end* is called when it leads nowhere any more.

    A request that comes before the server has answered the dial waits for it.
    """

    def __init__(self, clients: Clients, target: str, on_end: Callable[[], None]):
        self.clients, self.on_end = clients, on_end
        self.server: ApiServer | None = None
        self.over = self.draining = False
        self._early: tuple[HttpRequest, Answered] | None = None
        self._exchange: Exchange | None = None
        self.connection: Connection = clients.connection(target, LIMITS, lambda error: self._end(), kept=False)
        self.connection.on_drain = self._drain
        clients.spawn(self._dial())

    def _dial(self) -> Steps:
        reply = yield self.connection.dial()
        found = self.clients.net.components.get(reply.value) if reply.ok else None
        if not isinstance(found, ApiServer):
            self._end()
            return
        self.server = found
        if self._early is not None:
            self.ask(*self._early)

    def ask(self, request: HttpRequest, on_answer: Answered) -> None:
        """Send *request*, one at a time; *on_answer* is called once, if the line does not end before."""
        if self.server is None:
            self._early = request, on_answer
        else:
            self._exchange = Exchange(self.server, request, on_answer)

    def give_up(self) -> None:
        """The client waits for its answer no more."""
        self._early = None
        if self._exchange is not None:
            self._exchange.cancel()

    def _drain(self) -> None:
        """The server is about to leave: what runs may end, the client dials anew for what is new."""
        self.draining = True

    def _end(self) -> None:
        if not self.over:
            self.over = True
            self.on_end()

    def close(self) -> None:
        """The client has gone."""
        self.over = True
        self.connection.close()
