"""A client outside of the cluster: it asks for a URL at a node port, as a browser behind a cloud's balancer does.

The workers are asked in turn; one that does not answer costs the client's patience.
Simplified: the name resolves to the nodes without DNS; one connection a request, GET only.
"""

from kubemini.host import Component, Host
from kubemini.sim import Sim, Steps
from kubemini.sim.units import SECOND
from kubemini.users.recording import record
from kubemini.wire import Network

PATIENCE = 60 * SECOND


class Outsider(Component):
    """Somebody who asks for a URL at a steady pace, each outcome recorded."""

    def __init__(self, sim: Sim, net: Network, host: Host, name: str, doors: list[str]):
        super().__init__(sim, net, host, name)
        self.doors = doors  # the node ports
        self.urls: list[str] = []
        self.every = self.sent = 0

    def ask(self, urls: list[str], every: int) -> None:
        """Ask for *urls* in turn (``shop.example/cart``), one every *every* µs."""
        self.urls, self.every = urls, every

    def boot(self) -> None:
        if self.urls:
            self.spawn(self.asks())

    def asks(self) -> Steps:
        """The steady pace."""
        while True:
            yield self.timeout(self.every)
            self.sent += 1
            self.spawn(self.request(self.urls[(self.sent - 1) % len(self.urls)], self.sent))

    def request(self, url: str, number: int) -> Steps:
        """One request, from the door to the answer."""
        started, door = self.sim.now, self.doors[number % len(self.doors)]
        host, slash, path = url.partition("/")
        reply = yield self.call(door, "http", (host, slash + path or "/"), timeout=PATIENCE)
        if reply.ok:
            code, why, via = reply.value["status"], reply.value["rule"], reply.value["via"]
        else:
            code, why, via = 0, reply.error.reason, [door]
        record(self, number, url, via, started, code, why)
