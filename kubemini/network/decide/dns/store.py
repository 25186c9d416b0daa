"""What CoreDNS keeps of a cluster: Services, endpoints, namespaces and pods, stripped to what a name needs.

Invariant: of EndpointSlices only ready endpoints come in here (an unknown readiness counts as ready), so whether a
Service publishes addresses that are not ready is decided where slices are made, and nowhere else.
coredns plugin/kubernetes/object, plugin/kubernetes/controller.go.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from kubemini.api.labels import SERVICE_NAME
from kubemini.api.objects import Obj, get

NO_PORT = -1  # the sentinel of a Service or slice without ports
LONGEST_LABEL = 63


@dataclass(frozen=True, slots=True)
class NamedPort:
    """A port of a Service or of a slice."""

    name: str
    protocol: str
    number: int


@dataclass(frozen=True, slots=True)
class DnsService:
    """A Service as a name needs it.

    Models coredns plugin/kubernetes/object ToService
    """

    namespace: str
    name: str
    ips: tuple[str, ...]
    ports: tuple[NamedPort, ...]
    external_name: str = ""  # of type ExternalName

    @property
    def headless(self) -> bool:
        """It has no cluster IP: its names are those of its endpoints."""
        return self.ips[0] == "None"


@dataclass(frozen=True, slots=True)
class DnsAddress:
    """One ready address of a slice."""

    ip: str
    hostname: str = ""
    pod: str = ""
    zone: str = ""

    def label(self, pod_names: bool) -> str:
        """What the endpoint is called: its hostname, else its pod if that is wanted, else its address with dashes.

        Models coredns plugin/kubernetes endpointHostname
        """
        if self.hostname or (pod_names and self.pod):
            return self.hostname or self.pod
        dashed = self.ip.replace(".", "-").replace(":", "-")
        return dashed + "0" if dashed.endswith("-") else dashed


@dataclass(frozen=True, slots=True)
class DnsEndpoints:
    """One EndpointSlice.

    Models coredns plugin/kubernetes/object EndpointSliceToEndpoints
    """

    namespace: str
    service: str
    addresses: tuple[DnsAddress, ...]
    ports: tuple[NamedPort, ...]


@dataclass(slots=True)
class Store:
    """All of it, indexed as the questions come."""

    services: dict[tuple[str, str], DnsService] = field(default_factory=dict)
    endpoints: dict[tuple[str, str], list[DnsEndpoints]] = field(default_factory=dict)
    pods: dict[str, list[str]] = field(default_factory=dict)  # address -> namespaces of the pods that have it
    namespaces: frozenset[str] = frozenset()
    local: tuple[str, ...] = ()  # the addresses that this CoreDNS listens on
    synced: bool = True  # the first lists have come
    serial: int = 0  # of the SOA: when something changed last, in Unix seconds

    def service_with(self, ip: str) -> DnsService | None:
        """The Service whose cluster IP is *ip*."""
        return next((service for service in self.services.values() if ip in service.ips), None)

    def endpoints_with(self, ip: str) -> list[DnsEndpoints]:
        """The slices that have *ip*."""
        return [
            slice_
            for slices in self.endpoints.values()
            for slice_ in slices
            if any(address.ip == ip for address in slice_.addresses)
        ]


def read_store(
    services: Iterable[Obj], slices: Iterable[Obj], namespaces: Iterable[str], pods: Iterable[Obj] = ()
) -> Store:
    """The store from API objects; of *namespaces* the names."""
    store = Store(namespaces=frozenset(namespaces))
    for service in services:
        kept = read_service(service)
        store.services[kept.namespace, kept.name] = kept
    for slice_ in slices:
        ends = read_slice(slice_)
        store.endpoints.setdefault((ends.namespace, ends.service), []).append(ends)
    for pod in pods:
        for entry in get(pod, "status", "podIPs", default=()):
            store.pods.setdefault(entry["ip"], []).append(pod["metadata"]["namespace"])
    return store


def read_service(service: Obj) -> DnsService:
    """A Service, stripped."""
    meta, spec = service["metadata"], service["spec"]
    ips = tuple(spec.get("clusterIPs") or (spec.get("clusterIP", ""),))
    external = spec.get("externalName", "") if spec.get("type") == "ExternalName" else ""
    return DnsService(meta["namespace"], meta["name"], ips, _ports(spec.get("ports")), external)


def read_slice(slice_: Obj) -> DnsEndpoints:
    """An EndpointSlice, stripped to its ready addresses."""
    meta = slice_["metadata"]
    addresses = [
        DnsAddress(ip, end.get("hostname") or "", _short(get(end, "targetRef", "name", default="")), _zone(end))
        for end in slice_.get("endpoints") or ()
        if (end.get("conditions") or {}).get("ready") is not False
        for ip in end["addresses"]
    ]
    service = get(meta, "labels", SERVICE_NAME, default="")
    return DnsEndpoints(meta["namespace"], service, tuple(addresses), _ports(slice_.get("ports")))


def _ports(ports: Iterable[Obj] | None) -> tuple[NamedPort, ...]:
    found = tuple(
        NamedPort(p.get("name") or "", p.get("protocol") or "TCP", p.get("port") or NO_PORT) for p in ports or ()
    )
    return found or (NamedPort("", "", NO_PORT),)


def _short(pod: str) -> str:
    return pod if len(pod) <= LONGEST_LABEL else ""


def _zone(end: Obj) -> str:
    return (end.get("zone") or "").lower()
