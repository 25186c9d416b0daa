"""An ingress controller in its pods; the outside comes to it by its Service, as to any.

Theory. The controller is an ordinary program that watches: Ingresses, Gateways and routes with their classes, Services
and EndpointSlices.
Whatever changes is taken over in one sync, at most one in `ingress_sync_interval`; new rules cost a reload of its
proxy, endpoints do not. Until then the proxy serves by what it had, and tries pods that have gone: that is where 502
and 504 come from. It runs on a host if the Service that publishes it has a ready endpoint there, as its EndpointSlice
says: pods of that Service are the controller's.
Invariant: an Ingress gets an address only from a controller that serves it.
Models ingress-nginx internal/ingress/controller NGINXController.syncIngress, internal/ingress/status statusSyncer.sync
Simplified: every controller writes the status, where real ones elect one; requests are GETs; a pod answers at once.
Nobody in the cluster speaks TLS, so TLSRoutes and BackendTLSPolicies are stored, judged, and followed by nobody here:
what they mean is decided in decide/routing/tls, which can be asked by itself.
"""

from typing import Any

from kubemini.api.kinds import (
    ENDPOINT_SLICE,
    GATEWAY,
    GATEWAY_CLASS,
    GRPC_ROUTE,
    HTTP_ROUTE,
    INGRESS,
    INGRESS_CLASS,
    NAMESPACE,
    REFERENCE_GRANT,
    SERVICE,
)
from kubemini.api.labels import SERVICE_NAME
from kubemini.api.objects import Obj, evolve, freeze, get
from kubemini.api.timestamps import timestamp
from kubemini.client import ApiClient, Informer
from kubemini.host import Component, Host
from kubemini.host.linux.podnetwork import pod_at
from kubemini.network import policing
from kubemini.network.decide.routing import controller, proxies
from kubemini.network.decide.routing.controller import Configuration
from kubemini.network.decide.routing.exchange import FORWARDED, Request
from kubemini.network.decide.routing.status import ingress as ingress_status
from kubemini.network.decide.services.ports import Endpoint
from kubemini.network.policing import Flow
from kubemini.sim import Sim, Steps
from kubemini.wire import Call, Network
from kubemini.wire.calls import REFUSED

KINDS = (
    *(INGRESS, INGRESS_CLASS, SERVICE, ENDPOINT_SLICE, NAMESPACE),
    *(GATEWAY_CLASS, GATEWAY, HTTP_ROUTE, GRPC_ROUTE, REFERENCE_GRANT),
)
PUBLISHED = ("default", "ingress-controller")  # --publish-service


class IngressController(Component):
    """The program in the controller's pods on one host."""

    def __init__(self, sim: Sim, net: Network, host: Host, name: str, servers: list[str]):
        super().__init__(sim, net, host, name)
        self.servers = servers
        self.params = net.params
        self._durations = sim.draws(f"reload/{name}")
        self._shares = sim.draws(f"weights/{name}")
        self._syncs = 0

    def boot(self) -> None:
        client = ApiClient(self, self.servers, "system:serviceaccount:default:ingress-controller")
        self.client = client
        self.known = {kind: Informer(client, kind, self._changed) for kind in KINDS}
        self.running = Configuration()
        self.serving = self.scheduled = False
        self.dirty = True
        self.earliest = self.sim.now
        self._turn = 0
        for informer in self.known.values():
            informer.on_synced.append(self._plan)
            informer.start()

    # -- news --------------------------------------------------------------------------------------------------------
    def _changed(self, old: Obj | None, new: Obj | None) -> None:
        if new is not None and old is not None and _wanted(old) == _wanted(new):
            return  # only its status, or somebody's mark
        self.dirty = True
        self._plan()

    def _plan(self) -> None:
        ready = all(informer.synced for informer in self.known.values())
        if ready and self.dirty and not self.scheduled:
            self.scheduled = True
            self.after(max(0, self.earliest - self.sim.now), self._sync)

    def _sync(self) -> None:
        """Decide now; the proxy has it when the reload is over."""
        self.earliest = self.sim.now + self.params.ingress_sync_interval
        self.dirty = False
        wanted = controller.configuration(obj for informer in self.known.values() for obj in informer.values())
        serving = bool(self._here())
        reload = wanted.rules != self.running.rules or serving != self.serving
        self._syncs += 1
        took = self._durations.between(self._syncs, *self.params.ingress_reload) if reload else 0
        self.after(took, self._loaded, wanted, serving, reload)

    def _here(self) -> list[str]:
        """The addresses of the controller's ready pods on this host."""
        return [
            address
            for piece in self.known[ENDPOINT_SLICE].values(PUBLISHED[0])
            if get(piece, "metadata", "labels", SERVICE_NAME) == PUBLISHED[1]
            for endpoint in piece.get("endpoints") or ()
            if endpoint.get("nodeName") == self.host.name and get(endpoint, "conditions", "ready", default=True)
            for address in endpoint["addresses"]
        ]

    def _loaded(self, wanted: Configuration, serving: bool, reload: bool) -> None:
        if serving != self.serving or (serving and wanted.told != self.running.told):
            many = sum(len(pods) for pods in (wanted.endpoints or {}).values())
            self.sim.record(self.name, "loaded", serving=serving, reload=reload, routes=wanted.routes, endpoints=many)
        self.running, self.serving, self.scheduled = wanted, serving, False
        if serving:
            self.spawn(self._publish())
        self._plan()

    def _publish(self) -> Steps:
        """Give each Ingress that is served the address of this controller; tell Gateways and routes how they fare."""
        at = controller.addresses(self.known[SERVICE].get(*PUBLISHED))
        for one in controller.unpublished(self.running, at):
            status = freeze(ingress_status(at))
            yield from self.client.update_status(evolve(one, ("status",), status))
        now = timestamp(self.sim.wall)
        for one, told in controller.reports(self.running, at):
            yield from self.client.update_status(evolve(one, ("status",), freeze(controller.dated(told, now))))

    # -- requests ----------------------------------------------------------------------------------------------------
    def handle(self, call: Call) -> Steps | None:
        """A request that reached one of its pods: (pod IP, host, path)."""
        ip, host, path = call.payload
        if pod_at(self.host, ip) is None or not self.serving:
            call.fail(REFUSED)
            return None
        return self._serve(call, ip, Request(host, path))

    def _serve(self, call: Call, own: str, request: Request) -> Steps:
        self._turn += 1
        verdict, pods = controller.decide(self.running, request, self._shares.u(self._turn))
        via = [self.name]
        if verdict.fate != FORWARDED:
            call.reply(_answer(verdict.status, verdict.rule, via))
            return
        settings = proxies.NGINX
        for number in range(min(len(pods), self.params.ingress_tries)):
            pod = pods[(self._turn + number) % len(pods)]
            via.append(pod.pod)
            last = yield from self._try(own, pod, number)
            if last.reason == proxies.ANSWER:
                call.reply(_answer(200, verdict.rule, via))
                return
            if not proxies.next_upstream(settings, last, request.method):
                break
        status, why = proxies.failed(last)
        call.reply(_answer(status, f"{verdict.rule}; {why}", via))

    def _try(self, own: str, pod: Endpoint, number: int) -> Steps:
        """One try on a pod, from the controller's pod at *own*: what came of it, as `proxies` calls it."""
        began, limit = self.sim.now, self.params.ingress_connect_timeout
        flow = Flow(own, pod.ip, pod.port)
        if not policing.leaves(self.host, flow):
            yield self.timeout(limit)
            return proxies.Try(number, proxies.NO_CONNECTION, limit, False, False)
        reply = yield self.call(f"pods@{pod.node}", "http", flow, timeout=limit)
        definite = not reply.ok and reply.error.definite
        reason = proxies.ANSWER if reply.ok else proxies.REFUSED if definite else proxies.NO_CONNECTION
        return proxies.Try(number, reason, self.sim.now - began, reply.ok, reply.ok)


def _answer(status: int, rule: str, via: list[str]) -> dict[str, Any]:
    return {"status": status, "rule": rule, "via": via}


def _wanted(obj: Obj) -> dict[str, Any]:
    return {key: value for key, value in obj.items() if key not in ("metadata", "status")}
