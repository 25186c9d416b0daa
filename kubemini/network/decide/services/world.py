"""What the kube-proxies of a cluster have programmed, ready to be asked where a packet goes. Pure.

Invariant: a table is exactly what was put into it last: nothing is decided again when an endpoint
dies or a Service changes, only when somebody puts.
Models k/k pkg/proxy/iptables Proxier; pkg/proxy/nftables Proxier
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Any

from kubemini.api.labels import SERVICE_NAME
from kubemini.api.objects import Obj, get
from kubemini.network.decide.services.node import Node, ProxyConfig
from kubemini.network.decide.services.ports import (
    IPV4,
    IPV6,
    Categories,
    ServicePort,
    categorize,
    endpoints_of,
    family,
    service_ports,
)

ALL = {IPV4: "0.0.0.0/0", IPV6: "::/0"}
NETWORK = {IPV4: 24, IPV6: 64}  # bits of the networks that nodes stand in
LOOPBACK = {IPV4: "127.0.0.0/8", IPV6: "::1/128"}


@dataclass(frozen=True, slots=True)
class Entry:
    """A Service port and the endpoints that this node uses for it."""

    port: ServicePort
    uses: Categories

    @property
    def rules(self) -> tuple[Any, ...]:
        """What the rules say of it: if that stays, so do they, whatever else has changed."""
        sets = ([e.row() for e in found] for found in (self.uses.cluster, self.uses.local))
        addresses = [e.address for e in self.uses.reachable]
        return self.port, *sets, addresses, self.uses.has_any


class Table:
    """What kube-proxy has programmed on one node.

    *by_service* holds the entries of each ``namespace/name``.
    """

    def __init__(self, node: Node, config: ProxyConfig) -> None:
        self.node = node
        self.config = config
        self.by_service: dict[str, tuple[Entry, ...]] = {}
        self.own = frozenset((*node.addresses, *node.bridges))
        self._at: dict[tuple[str, str, int], tuple[str, Entry]] = {}
        self._node_ports: dict[tuple[str, str, int], Entry] = {}
        self._cluster_ips: dict[str, str] = {}
        self._hairpins: Counter[tuple[str, str, int]] = Counter()

    def put(self, service: str, entries: Iterable[Entry]) -> None:
        """Put *entries* in the place of what was there of ``namespace/name``; none: take it away."""
        for entry in self.by_service.pop(service, ()):
            self._forget(entry)
        if entries := tuple(entries):
            self.by_service[service] = entries
        for entry in entries:
            self._learn(service, entry)

    def _learn(self, service: str, entry: Entry) -> None:
        for kind, ip in _addresses(entry.port):
            self._at[ip, entry.port.protocol, entry.port.port] = (kind, entry)
        self._cluster_ips[entry.port.cluster_ip] = service
        self._hairpins.update(self._meeting_themselves(entry))
        if entry.port.node_port:
            self._node_ports[_node_port(entry.port)] = entry

    def _forget(self, entry: Entry) -> None:
        for _, ip in _addresses(entry.port):
            self._at.pop((ip, entry.port.protocol, entry.port.port), None)
        self._cluster_ips.pop(entry.port.cluster_ip, None)
        self._hairpins.subtract(self._meeting_themselves(entry))
        self._node_ports.pop(_node_port(entry.port), None)

    def _meeting_themselves(self, entry: Entry) -> list[tuple[str, str, int]]:
        protocol, here = entry.port.protocol, self.node.name
        return [(e.ip, protocol, e.port) for e in entry.uses.reachable if e.node == here]

    def is_hairpin(self, ip: str, protocol: str, port: int) -> bool:
        """Whether a packet from an endpoint to itself is masqueraded.

        iptables: each; nftables: one in the set of this node's endpoints, whichever Service put it there.
        """
        return self.config.mode == "iptables" or self._hairpins[ip, protocol, port] > 0

    def find(self, ip: str, protocol: str, port: int) -> tuple[str, Entry] | None:
        """(cluster, external or lb; whose) for a cluster, external or LB address and port."""
        return self._at.get((ip, protocol, port))

    def find_node_port(self, of_family: str, protocol: str, port: int) -> Entry | None:
        """Whose node port it is."""
        return self._node_ports.get((of_family, protocol, port))

    def is_cluster_ip(self, ip: str) -> bool:
        """Whether it is the cluster IP of a Service that this kube-proxy serves."""
        return ip in self._cluster_ips

    def is_health_check(self, of_family: str, port: int) -> bool:
        """Whether kube-proxy itself listens at that port of the node: TCP, a health check node port."""
        ports = (e.port for entries in self.by_service.values() for e in entries)
        return any(port == p.health_check_node_port and p.family == of_family for p in ports)

    def is_own(self, ip: str) -> bool:
        """Whether the node has that address itself, loopback included."""
        return ip in self.own or in_range(ip, LOOPBACK[family(ip)])

    def serves_node_ports_at(self, ip: str) -> bool:
        """Whether node ports are open at this address of the node.

        iptables: all addresses, 127.0.0.1 too; nftables: the primary one; else as the option says.
        """
        loopback = in_range(ip, LOOPBACK[family(ip)])
        here = family(ip)
        if loopback and (here == IPV6 or self.config.mode == "nftables"):
            return False
        if loopback and not self.config.localhost_node_ports:
            return False
        wanted = self.config.node_port_addresses
        if wanted is None:
            wanted = ("primary",) if self.config.mode == "nftables" else (ALL[here],)
        if "primary" in wanted:
            return ip == self.node.primary(here)
        ranges = [w for w in wanted if w != "localhost" and family(w) == here] or [ALL[here]]
        return any(in_range(ip, r) for r in ranges)

    def way_out(self, ip: str) -> str:
        """The node's own address on the way to *ip*: what a masqueraded packet has for a source.

        To the node itself it goes by the loopback, which has none to give: then it is the first.
        """
        node = self.node
        near_pods = any(in_range(ip, cidr) for cidr in node.pod_cidrs) and ip not in node.bridges
        if near_pods and (bridge := next((b for b in node.bridges if family(b) == family(ip)), "")):
            return bridge
        wide = NETWORK[family(ip)]
        near = (a for a in node.addresses if ip not in self.own and in_range(ip, f"{a}/{wide}"))
        return next(near, node.primary(family(ip)))


@dataclass
class World:
    """The nodes of a cluster and what each has programmed; *pods* says on which node an IP is."""

    tables: dict[str, Table]
    pods: Mapping[str, str] = field(default_factory=dict)

    def owner(self, ip: str) -> str:
        """The node that has an address, itself or for a pod; "" for the outside."""
        if ip in self.pods:
            return self.pods[ip]
        for name, table in self.tables.items():
            node = table.node
            if ip in table.own or any(in_range(ip, cidr) for cidr in node.pod_cidrs):
                return name
        return ""


def world_of(
    nodes: Iterable[Node],
    config: ProxyConfig,
    services: Iterable[tuple[Obj, Iterable[Obj]]],
    pods: Mapping[str, str] | None = None,
) -> World:
    """A cluster in which every kube-proxy is up to date: *services* are pairs (Service, slices)."""
    world = World({node.name: Table(node, config) for node in nodes}, pods or {})
    for service, slices in services:
        meta, slices = service["metadata"], tuple(slices)
        for table in world.tables.values():
            table.put(f"{meta.get('namespace', 'default')}/{meta['name']}", entries(service, slices, table.node))
    return world


def entries(service: Obj, slices: Iterable[Obj], node: Node) -> tuple[Entry, ...]:
    """What kube-proxy of *node* makes of a Service and its slices, in both families."""
    slices = tuple(slices)
    return tuple(
        Entry(port, categorize(port, endpoints_of(port, slices, node.name), node.name, node.zone))
        for of_family in (IPV4, IPV6)
        for port in service_ports(service, of_family)
    )


def service_of(endpoint_slice: Obj) -> str:
    """The name of the Service that an EndpointSlice belongs to."""
    return get(endpoint_slice, "metadata", "labels", SERVICE_NAME, default="")


@lru_cache(maxsize=1 << 16)
def in_range(ip: str, range_: str) -> bool:
    """Whether an address is in a range; never in one of the other family."""
    if family(ip) != family(range_):
        return False
    return ip_address(ip) in ip_network(range_, strict=False)


def _addresses(port: ServicePort) -> list[tuple[str, str]]:
    external = [("external", ip) for ip in port.external_ips]
    lb = [("lb", ip) for ip in port.lb_ips]
    return [*lb, *external, ("cluster", port.cluster_ip)]


def _node_port(port: ServicePort) -> tuple[str, str, int]:
    return port.family, port.protocol, port.node_port
