"""Clients that send requests to a Service, and the pods' end of the wire.

A visitor sits on a worker and opens a connection to the Service's cluster IP, as any process there may: the host's
kernel picks an endpoint by the rules kube-proxy left, and the packet goes to the pod, or nowhere.
Simplified: one short connection a request; the pod answers at once.
"""

from kubemini.host import Component
from kubemini.host.linux.podnetwork import pod_at
from kubemini.network import dataplane
from kubemini.sim import Steps
from kubemini.sim.units import SECOND
from kubemini.wire import Call, Unreachable

PATIENCE = 30 * SECOND  # so long nobody wonders that a shop has not opened
REFUSED = Unreachable("connection refused", definite=True)


class PodNetwork(Component):
    """The network stack of one host's pods: answers for the containers that run here, whoever manages them."""

    def handle(self, call: Call) -> Steps | None:
        """A visitor's connection to the pod IP in the payload."""
        pod = pod_at(self.host, call.payload)
        if pod is None:
            call.fail(REFUSED)
        else:
            call.reply(pod)
        return None


class Visitor(Component):
    """A client program on a worker: a request to the Service at a steady pace, each outcome recorded."""

    service = ""
    every = offset = 0
    sent = 0  # ever

    def visit(self, service: str, every: int, offset: int) -> None:
        """Ask *service* every *every* µs, beginning at *offset*."""
        self.service, self.every, self.offset = service, every, offset

    def boot(self) -> None:
        self.opened = False
        if self.service:
            self.spawn(self.visits())

    def visits(self) -> Steps:
        """The steady pace begins with the Service's first endpoint here: a shop is measured once it has opened."""
        draws = self.sim.draws(f"visitor/{self.name}")
        phase = (self.offset - self.sim.now) % self.every
        yield self.timeout(phase)
        self.spawn(self._wonder())
        while True:
            self.opened = self.opened or dataplane.has_endpoints(self.host, self.service)
            if self.opened:
                self.sent += 1
                self.spawn(self.request(self.sent, draws.u(self.sent)))
            yield self.timeout(self.every)

    def _wonder(self) -> Steps:
        """The first of the visitors says that there is nobody to visit."""
        yield self.timeout(PATIENCE)
        if not (self.opened or self.offset):
            text = f"visitors wait: Service {self.service} has no endpoint yet (is there one of this name?)"
            self.sim.record(self.name, "note", text=text)

    def request(self, number: int, drawn: int) -> Steps:
        """One connection, from rule to answer; *drawn* picks the endpoint."""
        started = self.sim.now
        endpoint = dataplane.choose(self.host, self.service, drawn)
        via, outcome, why = [self.service], "failed", "no endpoint: the kernel rejects the connection"
        if endpoint is not None:
            via.append(endpoint["pod"])
            reply = yield self.call(
                f"pods@{endpoint['node']}", "http", endpoint["ip"], timeout=self.net.params.visitor_timeout
            )
            outcome = "ok" if reply.ok else "failed"
            why = "" if reply.ok else f"{endpoint['pod']}: {reply.error.reason}"
        self.sim.record(
            self.name,
            "request",
            id=f"{self.name}/{number}",
            kind="service",
            verb="GET",
            path=self.service,
            via=via,
            outcome=outcome,
            started=started,
            code=200 if outcome == "ok" else 0,
            why=why,
        )
