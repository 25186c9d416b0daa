"""The speaker: gives load balancers' addresses to Services, and tells the router which node answers for each.

Invariant: an address is in the status before anybody answers for it; it is withdrawn, or moves, as soon as the API
says that its node or its endpoints are no longer fit. A dead speaker answers for nothing.
MetalLB in its layer 2 mode, controller and speakers in one.
Simplified: one program beside the router, where MetalLB runs one on every node; it learns of a dead node from the API,
where the real ones miss each other after seconds (memberlist).
"""

from kubemini.api.kinds import ENDPOINT_SLICE, NODE, SERVICE, Kind
from kubemini.api.objects import Obj
from kubemini.client import ApiClient, Informer
from kubemini.host import Component, Host
from kubemini.network.decide.speaking import announcing
from kubemini.sim import Sim, Steps
from kubemini.sim.units import SECOND
from kubemini.wire import Network

AGAIN = 1 * SECOND  # after a write that failed


class Speaker(Component):
    """One process, beside the router before the cluster."""

    watched: tuple[Kind, ...] = (SERVICE, ENDPOINT_SLICE, NODE)
    user = "system:serviceaccount:metallb-system:speaker"

    def __init__(self, sim: Sim, net: Network, host: Host, name: str, servers: list[str]):
        super().__init__(sim, net, host, name)
        self.servers = servers
        self.announced: dict[str, str] = {}  # address → node

    def boot(self) -> None:
        self.announced = {}
        self.writing = False
        self.client = ApiClient(self, self.servers, self.user)
        self.known = {kind: Informer(self.client, kind, self._changed) for kind in self.watched}
        for informer in self.known.values():
            informer.on_synced.append(self._look)
            informer.start()

    def shutdown(self) -> None:
        self.announced = {}

    def _changed(self, old: Obj | None, new: Obj | None) -> None:
        self._look()

    def _look(self) -> None:
        """Write what must be written, and say who answers for what."""
        if not all(informer.synced for informer in self.known.values()):
            return
        if announcing.assigned(self._all(SERVICE)) and not self.writing:
            self.writing = True
            self.spawn(self._assign())
        self.announce()

    def _all(self, kind: Kind) -> list[Obj]:
        return list(self.known[kind].objects.values())

    def announce(self) -> None:
        """Say who answers for what, if it is another than before."""
        now = announcing.announced(self._all(SERVICE), self._all(ENDPOINT_SLICE), self._all(NODE))
        for address in sorted({**self.announced, **now}):
            if now.get(address) != self.announced.get(address):
                self._tell(address, now.get(address, ""))
        self.announced = now

    def entrance(self, address: str, number: int) -> str:
        """The node that packet *number* for *address* goes to; "": nobody answers for it."""
        return self.announced.get(address, "")

    def _tell(self, address: str, node: str) -> None:
        text = f"{node} answers for {address}" if node else f"nobody answers for {address}: it is withdrawn"
        self.sim.record(self.name, "note", text=text)

    def _assign(self) -> Steps:
        """Write addresses into the status of Services, one after the other."""
        while written := announcing.assigned(self._all(SERVICE)):
            (namespace, name), address = next(iter(written.items()))
            body = {"status": {"loadBalancer": {"ingress": [{"ip": address}]}}}
            reply = yield from self._write(namespace, name, body)
            if reply:
                self.sim.record(self.name, "note", text=f"gives {address} to {namespace}/{name}")
            yield self.timeout(AGAIN)  # the change comes back by the watch; or it is tried again
        self.writing = False

    def _write(self, namespace: str, name: str, body: Obj) -> Steps:
        reply = yield from self.client.patch(SERVICE, name, namespace, body, "status")
        return reply.ok
