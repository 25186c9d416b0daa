"""Service ports and their endpoints: what kube-proxy keeps of Services and EndpointSlices. Pure.

Invariant: everything that the rules of a node say follows from these values, the node's name and its
zone; no other field of a Service or a slice is looked at (not targetPort, not trafficDistribution).
Models k/k pkg/proxy ServicePortMap
Models k/k pkg/proxy EndpointSliceCache
Models k/k pkg/proxy CategorizeEndpoints
Simplified: where two slices give one endpoint different conditions, the slice named first counts, or
rather the endpoint of this node (the real one takes either, by chance).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from kubemini.api.names import host_port
from kubemini.api.objects import Obj, get

OTHER_PROXY = "service.kubernetes.io/service-proxy-name"
HEADLESS = "service.kubernetes.io/headless"
IPV4, IPV6 = "IPv4", "IPv6"
DOORS = ("cluster-ip", "node-port", "load-balancer", "external-ip")  # the ways into a Service
THREE_HOURS = 10_800  # seconds: affinity when nothing else is said


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One address and port behind a Service port; *node* is "" where the slice names none."""

    ip: str
    port: int
    node: str = ""
    pod: str = ""
    ready: bool = True
    serving: bool = True
    terminating: bool = False
    zone_hints: tuple[str, ...] = ()
    node_hints: tuple[str, ...] = ()

    @property
    def address(self) -> str:
        """``ip:port``, ``[ip]:port`` of IPv6: its name in rules, and its place in their order."""
        return host_port(self.ip, self.port)

    def row(self) -> dict[str, str]:
        """As it stands in the trace; without a pod's name its address has to do."""
        return {"pod": self.pod or self.ip, "ip": self.ip, "node": self.node}


@dataclass(frozen=True, slots=True)
class ServicePort:
    """A port of a Service in one family of addresses, with all that decides where it leads.

    *lb_ips* are those of ipMode VIP: kube-proxy does not know the others. *affinity_s* is in
    seconds, 0 for none; a port that is not there is 0.
    """

    namespace: str
    name: str
    port_name: str
    protocol: str
    cluster_ip: str
    port: int
    node_port: int = 0
    external_ips: tuple[str, ...] = ()
    lb_ips: tuple[str, ...] = ()
    source_ranges: tuple[str, ...] = ()
    affinity_s: int = 0
    internal_local: bool = False
    external_local: bool = False
    health_check_node_port: int = 0

    @property
    def id(self) -> str:
        """``namespace/name:port``, ``namespace/name`` if the port has no name."""
        service = f"{self.namespace}/{self.name}"
        return f"{service}:{self.port_name}" if self.port_name else service

    @property
    def family(self) -> str:
        """IPv4 or IPv6."""
        return family(self.cluster_ip)

    @property
    def external(self) -> bool:
        """Whether traffic from outside may come: a node port, an LB address, an external IP."""
        return bool(self.node_port or self.lb_ips or self.external_ips)

    @property
    def uses_cluster(self) -> bool:
        """Whether any traffic goes by policy Cluster; external Local keeps it for its short cut."""
        return not self.internal_local or self.external

    @property
    def uses_local(self) -> bool:
        """Whether any traffic goes by policy Local."""
        return self.internal_local or (self.external_local and self.external)


@dataclass(frozen=True, slots=True)
class Categories:
    """The endpoints of a Service port as one node uses them, each in the order of addresses as text.

    *cluster* for policy Cluster, *local* for policy Local, *reachable* for either (what has rules at
    all); *has_any*: whether any endpoint anywhere is usable, which parts a REJECT from a DROP.
    """

    cluster: tuple[Endpoint, ...] = ()
    local: tuple[Endpoint, ...] = ()
    reachable: tuple[Endpoint, ...] = ()
    has_any: bool = False


def family(ip: str) -> str:
    """IPv4 or IPv6, by how an address or range is written."""
    return IPV6 if ":" in ip else IPV4


def is_ours(obj: Obj) -> bool:
    """Whether kube-proxy looks at a Service or slice at all.

    Not if a label hands it to another proxy, or says that it is headless.
    """
    labels = get(obj, "metadata", "labels") or ()
    return OTHER_PROXY not in labels and HEADLESS not in labels


# -- Services ----------------------------------------------------------------------------------------
def service_ports(service: Obj, of_family: str = IPV4) -> tuple[ServicePort, ...]:
    """The ports of *service* that kube-proxy serves in one family of addresses.

    None for headless and ExternalName, for another proxy's, and without an address of the family.
    """
    spec, meta = service["spec"], service["metadata"]
    cluster_ip = _cluster_ip(spec, of_family)
    if not cluster_ip or spec.get("type") == "ExternalName" or not is_ours(service):
        return ()
    lb_ips = _vips(service, of_family)
    external_ips = _of(of_family, spec.get("externalIPs"))
    external_local = _external_local(spec)
    health_check = external_local and spec.get("type") == "LoadBalancer"
    return tuple(
        ServicePort(
            namespace=meta.get("namespace", "default"),
            name=meta["name"],
            port_name=port.get("name") or "",
            protocol=port.get("protocol", "TCP"),
            cluster_ip=cluster_ip,
            port=port["port"],
            node_port=port.get("nodePort") or 0,
            external_ips=external_ips,
            lb_ips=lb_ips,
            source_ranges=_ranges(spec, of_family),
            affinity_s=_affinity(spec),
            internal_local=spec.get("internalTrafficPolicy") == "Local",
            external_local=external_local,
            health_check_node_port=(health_check and spec.get("healthCheckNodePort")) or 0,
        )
        for port in spec.get("ports") or ()
    )


def _cluster_ip(spec: Obj, of_family: str) -> str:
    """Its cluster IP of that family, "" if it has none; headless is ``None`` as a word."""
    named = spec.get("clusterIPs") or [spec.get("clusterIP") or ""]
    return next((ip for ip in named if ip and ip != "None" and family(ip) == of_family), "")


def _of(of_family: str, addresses: Iterable[str] | None) -> tuple[str, ...]:
    return tuple(a for a in addresses or () if family(a) == of_family)


def _vips(service: Obj, of_family: str) -> tuple[str, ...]:
    given = get(service, "status", "loadBalancer", "ingress", default=()) or ()
    vips = (i["ip"] for i in given if i.get("ip") and i.get("ipMode", "VIP") == "VIP")
    return _of(of_family, vips)


def _ranges(spec: Obj, of_family: str) -> tuple[str, ...]:
    """Who may come to the LB addresses; nothing is everybody, and so is a list with a range of all.

    The older annotation is read by cloud providers, not by kube-proxy.
    """
    given = spec.get("loadBalancerSourceRanges") or ()
    ranges = _of(of_family, (range.strip() for range in given))
    return () if any(range.endswith("/0") for range in ranges) else ranges


def _external_local(spec: Obj) -> bool:
    """Whether external traffic stays on the node, which only a Service open to the outside can ask."""
    open_to_all = spec.get("type") in ("NodePort", "LoadBalancer") or bool(spec.get("externalIPs"))
    return open_to_all and spec.get("externalTrafficPolicy") == "Local"


def _affinity(spec: Obj) -> int:
    if spec.get("sessionAffinity") != "ClientIP":
        return 0
    config = get(spec, "sessionAffinityConfig", "clientIP", "timeoutSeconds", default=THREE_HOURS)
    return int(config)


# -- EndpointSlices ----------------------------------------------------------------------------------
def endpoints_of(port: ServicePort, slices: Iterable[Obj], node: str = "") -> tuple[Endpoint, ...]:
    """The endpoints that the slices of its Service give a Service port, by address as text.

    A slice counts if it names the port (name and protocol). One address and port counts once: the
    first, or rather the one on *node*.
    """
    found: dict[str, Endpoint] = {}
    for slice in sorted(slices, key=lambda s: get(s, "metadata", "name", default="")):
        if not is_ours(slice) or slice.get("addressType", IPV4) != port.family:
            continue
        for number in _numbers(slice, port):
            for entry in slice.get("endpoints") or ():
                endpoint = _endpoint(entry, number, port.family)
                if endpoint and (endpoint.address not in found or endpoint.node == node != ""):
                    found[endpoint.address] = endpoint
    return tuple(found[key] for key in sorted(found))


def _numbers(slice: Obj, port: ServicePort) -> list[int]:
    """The port numbers that a slice gives a Service port; none if it does not name it."""
    wanted = (port.port_name, port.protocol)
    return [
        p["port"]
        for p in slice.get("ports") or ()
        if p.get("port") and (p.get("name") or "", p.get("protocol") or "TCP") == wanted
    ]


def _endpoint(entry: Obj, port: int, of_family: str) -> Endpoint | None:
    """An endpoint of a slice; None without an address of the family."""
    ip = next(iter(entry.get("addresses") or ()), "")
    if not ip or family(ip) != of_family:
        return None
    conditions, hints = entry.get("conditions") or {}, entry.get("hints") or {}
    ready = conditions.get("ready") is not False
    return Endpoint(
        ip=ip,
        port=port,
        node=entry.get("nodeName") or "",
        pod=get(entry, "targetRef", "name", default=""),
        ready=ready,
        serving=conditions.get("serving") is not False,
        terminating=conditions.get("terminating") is True,
        zone_hints=tuple(h["name"] for h in hints.get("forZones") or ()),
        node_hints=tuple(h["name"] for h in hints.get("forNodes") or ()),
    )


# -- what a node uses --------------------------------------------------------------------------------
def categorize(port: ServicePort, endpoints: Iterable[Endpoint], node: str, zone: str = "") -> Categories:
    """The endpoints of *port* that the node of that name and zone uses, by traffic policy."""
    endpoints = tuple(endpoints)
    cluster: tuple[Endpoint, ...] = ()
    if port.uses_cluster:
        suits = _topology(endpoints, node, zone)
        cluster = _usable([e for e in endpoints if not e.ready or suits(e)])
    if not port.uses_local:
        return Categories(cluster, (), cluster, bool(cluster))
    local = _usable([e for e in endpoints if e.node == node != ""])
    has_any = any(e.ready or (e.serving and e.terminating) for e in endpoints)
    either = {e.address for e in (*cluster, *local)}
    reachable = tuple(e for e in endpoints if e.address in either)
    return Categories(cluster, local, reachable, has_any)


def _usable(endpoints: Iterable[Endpoint]) -> tuple[Endpoint, ...]:
    """The ready ones, or, if there is none, those that still serve while they terminate."""
    endpoints = tuple(endpoints)
    ready = tuple(e for e in endpoints if e.ready)
    return ready or tuple(e for e in endpoints if e.serving and e.terminating)


def _topology(endpoints: Iterable[Endpoint], node: str, zone: str) -> Callable[[Endpoint], bool]:
    """Which ready endpoints hints leave to this node: its own, else its zone's, else all.

    Hints count only where every ready endpoint has them and one of them names this node (or zone).
    """
    ready = [e for e in endpoints if e.ready]
    if all(e.node_hints for e in ready) and any(node in e.node_hints for e in ready):
        return lambda endpoint: node in endpoint.node_hints
    if zone and all(e.zone_hints for e in ready) and any(zone in e.zone_hints for e in ready):
        return lambda endpoint: zone in endpoint.zone_hints
    return lambda _: True
