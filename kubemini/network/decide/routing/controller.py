"""An ingress controller: which objects it serves, by what its proxy is configured, where a request then goes. Pure.

Invariant: a request is decided by the configuration that the proxy runs with, however old, and by nothing else. Pods
are found by the controller itself, in EndpointSlices: kube-proxy has no part in the way from proxy to pod.
Rules and endpoints are told apart: rules need a reload, endpoints do not.
Models ingress-nginx internal/ingress/controller NGINXController.getBackendServers, NGINXController.syncIngress
Models ingress-nginx internal/ingress/status statusSyncer.runningAddresses
Simplified: only ready endpoints; no annotations; one controller (the real ones elect who writes status).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kubemini.api.objects import Obj, get
from kubemini.network.decide.routing import ingress
from kubemini.network.decide.routing.exchange import ANSWERED, FORWARDED, Backend, Request, Verdict
from kubemini.network.decide.services.ports import SERVICE_NAME, Endpoint, endpoints_of, service_ports

NAME = "k8s.io/ingress-nginx"  # what an IngressClass calls this controller
Place = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Configuration:
    """What a proxy runs with: the Ingresses it serves, and the endpoints of every port that they name."""

    ingresses: tuple[Obj, ...] = ()
    endpoints: Mapping[tuple[str, str, int | str], tuple[Endpoint, ...]] | None = None

    @property
    def rules(self) -> tuple[Obj, ...]:
        """What needs a reload if it changes: what is wanted of each Ingress."""
        return tuple(one["spec"] for one in self.ingresses)

    @property
    def routes(self) -> list[str]:
        """Each path, in words."""
        return [
            f"{path.host or '*'}{path.path} → {get(path.backend, 'service', 'name') or 'a resource'}"
            for path in ingress.paths(self.ingresses)
        ]


def configuration(
    ingresses: Iterable[Obj], classes: Iterable[Obj], services: Mapping[Place, Obj], slices: Iterable[Obj]
) -> Configuration:
    """What the proxy should run with, by what the controller has read."""
    classes, slices = list(classes), list(slices)
    mine = tuple(sorted((i for i in ingresses if ingress.served(i, classes, NAME)[0]), key=ingress.age))
    found: dict[tuple[str, str, int | str], tuple[Endpoint, ...]] = {}
    for one in mine:
        defaults = [get(one, "spec", "defaultBackend")]
        for backend in [*(path.backend for path in ingress.paths([one])), *filter(None, defaults)]:
            if backend.get("service") is None:
                continue
            to = ingress.named(backend, one)
            found[to.namespace, to.name, to.port] = _ready(to, services, slices)
    return Configuration(mine, found)


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


def decide(running: Configuration, request: Request) -> tuple[Verdict, tuple[Endpoint, ...]]:
    """Where a request goes by the configuration that the proxy runs with: a verdict, and whom it may try."""
    verdict = ingress.route(running.ingresses, request)
    if verdict.fate != FORWARDED:
        return verdict, ()
    to = verdict.backends[0]
    pods = (running.endpoints or {}).get((to.namespace, to.name, to.port), ())
    if not pods:
        return Verdict(ANSWERED, f"{verdict.rule}: {to.place} has no endpoints", status=503), ()
    return verdict, pods


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
