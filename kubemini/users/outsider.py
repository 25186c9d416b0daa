"""A client outside of the cluster: it asks for a URL at a node port, as a browser behind a cloud's balancer does.

It comes in by the same door as any visitor from outside (`Visitor`): the workers are asked in turn, and the rules of
each decide where its connection goes; one that does not answer costs the client's patience.
Simplified: the name resolves to the nodes without DNS; one connection a request, GET only.
"""

from kubemini.network.ingress import PUBLISHED
from kubemini.sim import Steps
from kubemini.sim.units import SECOND
from kubemini.users.recording import record
from kubemini.users.visitor import Visitor, WebRequest
from kubemini.wire.calls import REFUSED

PATIENCE = 60 * SECOND


class Outsider(Visitor):
    """Somebody who asks for a URL at a steady pace, each outcome recorded."""

    service = "/".join(PUBLISHED)
    door = "node-port"
    urls: tuple[str, ...] = ()

    def ask(self, urls: list[str], every: int) -> None:
        """Ask for *urls* in turn (``shop.example/cart``), one every *every* µs."""
        self.urls, self.every = tuple(urls), every

    def boot(self) -> None:
        if self.urls:
            self.spawn(self.asks())

    def asks(self) -> Steps:
        """The steady pace."""
        while True:
            yield self.timeout(self.every)
            self.sent += 1
            self.spawn(self.fetch(self.urls[(self.sent - 1) % len(self.urls)], self.sent))

    def fetch(self, url: str, number: int) -> Steps:
        """One request, from the door to the answer."""
        started, packet = self.sim.now, self._packet(number)
        where = self._entrance(packet, number) if packet else ""
        if packet is None or not where:
            record(self, number, url, [url], started, 0, REFUSED.reason)
            return
        host, slash, path = url.partition("/")
        asked = WebRequest(packet, host, slash + path or "/")
        reply = yield self.call(where, "http", asked, timeout=PATIENCE)
        if reply.ok:
            code, why, via = reply.value["status"], reply.value["rule"], reply.value["via"]
        else:
            code, why, via = 0, reply.error.reason, [where]
        record(self, number, url, via, started, code, why)
