"""An ingress controller: which objects it serves, by what its proxy is configured, where a request then goes. Pure.

Invariant: a request is decided by the configuration that the proxy runs with, however old, and by nothing else. Pods
are found by the controller itself, in EndpointSlices: kube-proxy has no part in the way from proxy to pod.
Rules and endpoints are told apart: rules need a reload, endpoints do not.
It serves both APIs, as Traefik or Envoy-based ones do: a request that no listener or route of its Gateways takes is
looked up among its Ingresses.
Models ingress-nginx internal/ingress/controller NGINXController.getBackendServers, NGINXController.syncIngress
Models ingress-nginx internal/ingress/status statusSyncer.runningAddresses
Models kubernetes-sigs/gateway-api apis/v1 GatewayClassSpec
Simplified: only ready endpoints; no annotations; one controller (the real ones elect who writes status); requests are
HTTP, so TLSRoutes and BackendTLSPolicies (`routing.tls`) are not read here.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from kubemini.api.labels import SERVICE_NAME
from kubemini.api.objects import Obj, get
from kubemini.network.decide.routing import gateway, ingress, status
from kubemini.network.decide.routing.exchange import ANSWERED, FORWARDED, Backend, Request, Verdict
from kubemini.network.decide.routing.gateway import ROUTES, Facts
from kubemini.network.decide.routing.listeners import place
from kubemini.network.decide.services.ports import Endpoint, endpoints_of, service_ports

NAME = "k8s.io/ingress-nginx"  # what an IngressClass calls this controller
GATEWAY_NAME = "example.com/gateway"  # what a GatewayClass calls it
NOTHING = Facts()
Place = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Configuration:
    """What a proxy runs with: the Ingresses and Gateways it serves, and the endpoints of every port that they name."""

    ingresses: tuple[Obj, ...] = ()
    endpoints: Mapping[tuple[str, str, int | str], tuple[Endpoint, ...]] | None = None
    facts: Facts = NOTHING
    gateways: tuple[Obj, ...] = ()

    @property
    def rules(self) -> tuple[Obj, ...]:
        """What needs a reload if it changes: what is wanted of each object."""
        others = self.facts.of("ReferenceGrant", *ROUTES) if self.gateways else []
        return tuple(one["spec"] for one in (*self.ingresses, *self.gateways, *others))

    @property
    def told(self) -> tuple[object, ...]:
        """What a request can meet of it: an Ingress that got its address is served as before."""
        return self.rules, self.routes, self.endpoints

    @property
    def routes(self) -> list[str]:
        """Each path of an Ingress, and each route that is attached, in words."""
        paths = [
            f"{path.host or '*'}{path.path} → {get(path.backend, 'service', 'name') or 'a resource'}"
            for path in ingress.paths(self.ingresses)
        ]
        attached = [one for one in self.facts.of(*ROUTES) if status.route(self.facts, one, self.gateways, "")]
        return paths + [f"{one['kind'].lower()} {'/'.join(place(one))}" for one in attached]


def configuration(objects: Iterable[Obj]) -> Configuration:
    """What the proxy should run with, by all that the controller has read."""
    facts = Facts(tuple(objects))
    classes, slices, services = facts.of("IngressClass"), facts.of("EndpointSlice"), facts.services
    ingresses = [one for one in facts.of("Ingress") if ingress.served(one, classes, NAME)[0]]
    mine = tuple(sorted(ingresses, key=ingress.age))
    gateways = tuple(gateway.gateways(facts, GATEWAY_NAME))
    kept = ("Gateway", "ReferenceGrant", "Service", "Namespace", "GatewayClass", *ROUTES)
    known = Facts(tuple(facts.of(*kept))) if gateways else NOTHING
    found = {(to.namespace, to.name, to.port): _ready(to, services, slices) for to in _named(mine, known)}
    return Configuration(mine, found, known, gateways)


def _named(ingresses: Iterable[Obj], facts: Facts) -> Iterator[Backend]:
    """Every back end that some rule names."""
    for one in ingresses:
        defaults = [get(one, "spec", "defaultBackend")]
        for backend in [*(path.backend for path in ingress.paths([one])), *filter(None, defaults)]:
            if backend.get("service") is not None:
                yield ingress.named(backend, one)
    for route in facts.of(*ROUTES):
        for rule in get(route, "spec", "rules") or ():
            for ref in rule.get("backendRefs") or ():
                yield Backend(ref.get("namespace") or place(route)[0], ref["name"], ref.get("port") or 0)


def _ready(to: Backend, services: Mapping[Place, Obj], slices: list[Obj]) -> tuple[Endpoint, ...]:
    service = services.get((to.namespace, to.name))
    if service is None:
        return ()
    own = [
        s
        for s in slices
        if s["metadata"].get("namespace") == to.namespace and get(s, "metadata", "labels", SERVICE_NAME) == to.name
    ]
    ports = [port for port in service_ports(service) if to.port in (port.port, port.port_name)]
    every = [e for port in ports[:1] for e in endpoints_of(port, own) if e.ready]
    return tuple(sorted(every, key=lambda e: e.address))


def decide(running: Configuration, request: Request, draw: int = 0) -> tuple[Verdict, tuple[Endpoint, ...]]:
    """Where a request goes by the configuration that the proxy runs with: a verdict, and whom it may try.

    *draw*, uniform below `exchange.WHOLE`, picks among back ends with weights.
    """
    verdict = _by_gateways(running, request, draw) or ingress.route(running.ingresses, request)
    if verdict.fate != FORWARDED:
        return verdict, ()
    to = verdict.backends[0]
    pods = (running.endpoints or {}).get((to.namespace, to.name, to.port), ())
    if not pods:
        return Verdict(ANSWERED, f"{verdict.rule}: {to.place} has no endpoints", status=503), ()
    return verdict, pods


def _by_gateways(running: Configuration, request: Request, draw: int) -> Verdict | None:
    """What the first Gateway says that has a rule for the request."""
    for one in running.gateways:
        verdict = gateway.route(running.facts, one, request)
        if verdict.fate == FORWARDED:
            return gateway.settled(verdict, verdict.pick(draw), request.port)
        if verdict.status != 404:
            return verdict
    return None


def addresses(service: Obj | None) -> list[str]:
    """The addresses that an Ingress gets: those of the Service that publishes the controller."""
    if service is None:
        return []
    balanced = [entry.get("ip") or "" for entry in get(service, "status", "loadBalancer", "ingress") or ()]
    own = get(service, "spec", "clusterIP") or ""
    return [one for one in balanced if one] or [ip for ip in (own,) if ip and ip != "None"]


def unpublished(running: Configuration, at: list[str]) -> list[Obj]:
    """The Ingresses whose status does not say that they are served *at* these addresses."""
    wanted = [{"ip": address} for address in at]
    return [
        one
        for one in running.ingresses
        if [{"ip": e.get("ip")} for e in get(one, "status", "loadBalancer", "ingress") or ()] != wanted
    ]


def reports(running: Configuration, at: list[str]) -> list[tuple[Obj, Obj]]:
    """(object, its status) of every object of Gateway API whose status does not say what is true."""
    facts, mine = running.facts, running.gateways
    wanted: list[tuple[Obj, Obj]] = []
    for one in facts.of("GatewayClass") if mine else ():
        if get(one, "spec", "controllerName") == GATEWAY_NAME:
            wanted.append((one, {"conditions": status.gateway_class(one)}))
    wanted += [(one, status.gateway(facts, one, at)) for one in mine]
    for one in facts.of(*ROUTES):
        others = [p for p in get(one, "status", "parents") or () if p["controllerName"] != GATEWAY_NAME]
        parents = status.route(facts, one, mine, GATEWAY_NAME)
        if parents or len(others) < len(get(one, "status", "parents") or ()):
            wanted.append((one, {"parents": [*others, *parents]}))
    return [(one, told) for one, told in wanted if _timeless(one.get("status")) != _timeless(told)]


def _timeless(value: object) -> object:
    """A status without the times of its conditions, and without fields that are empty."""
    if isinstance(value, Mapping):
        kept = {key: _timeless(item) for key, item in value.items() if key != "lastTransitionTime"}
        return {key: item for key, item in kept.items() if item not in ("", [], {}, None)}
    return [_timeless(item) for item in value] if isinstance(value, list | tuple) else value


def dated(value: Obj, now: str) -> Obj:
    """A status whose conditions say when they were made."""
    out: dict[str, object] = {}
    for key, item in value.items():
        several = isinstance(item, list | tuple) and all(isinstance(one, Mapping) for one in item)
        out[key] = [dated(one, now) for one in item] if several else item
    return {**out, "lastTransitionTime": now} if {"type", "status", "reason"} <= set(out) else out
