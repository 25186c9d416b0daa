"""A packet at the rules of one node: what both modes of kube-proxy ask of it. Pure.

Models k/k pkg/proxy/util LocalTrafficDetector
Models k/k pkg/proxy/iptables Proxier.syncProxyRules
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kubemini.network.decide.services.ports import Endpoint, ServicePort, family
from kubemini.network.decide.services.world import Entry, Table, in_range


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the rules of a node do with a packet: dnat to one of *endpoints*, refused, or dropped."""

    fate: str
    rule: str
    port: ServicePort | None = None
    endpoints: tuple[Endpoint, ...] = ()
    masquerade: bool = False


class Meeting:
    """A packet and the table of the node whose rules it meets."""

    __slots__ = ("from_self", "packet", "table", "to_self")

    def __init__(self, table: Table, packet: Any) -> None:
        self.table = table
        self.packet = packet
        self.from_self = table.is_own(packet.source)  # hook OUTPUT, and --src-type LOCAL
        self.to_self = table.is_own(packet.destination)  # hook INPUT, and --dst-type LOCAL

    @property
    def hit(self) -> tuple[str, Entry] | None:
        """The cluster, external or LB address it goes to, and whose."""
        packet = self.packet
        return self.table.find(packet.destination, packet.protocol, packet.dport)

    @property
    def node_port(self) -> Entry | None:
        """Whose node port it goes to."""
        packet = self.packet
        if not self.to_self:
            return None
        return self.table.find_node_port(family(packet.destination), packet.protocol, packet.dport)

    @property
    def detects(self) -> bool:
        """Whether this kube-proxy can tell its pods from others at all."""
        return self.table.config.detect_local is not None

    @property
    def from_pod(self) -> bool:
        """Whether the packet counts as a pod's, by the way that the option says."""
        config, node, source = self.table.config, self.table.node, self.packet.source
        if config.detect_local == "ClusterCIDR":
            return any(in_range(source, r) for r in config.cluster_cidr.split(","))
        if config.detect_local == "NodeCIDR":
            return any(in_range(source, cidr) for cidr in node.pod_cidrs)
        if config.detect_local == "BridgeInterface":
            return any(in_range(source, cidr) for cidr in node.pod_cidrs) and not self.from_self
        return False

    @property
    def masquerades_cluster_ip(self) -> bool:
        """Whether a packet to a cluster IP is masqueraded: all, or what is no pod's."""
        return self.table.config.masquerade_all or (self.detects and not self.from_pod)

    def allowed(self, port: ServicePort) -> bool:
        """Whether the source ranges of an LB address let it in.

        If they let the node's own address in, they let the LB address in as a source, too: it may
        stand on the node, and then it is what the node's own packets carry.
        """
        source, node = self.packet.source, self.table.node
        if any(in_range(source, r) for r in port.source_ranges):
            return True
        primary = node.primary(port.family)
        return source in port.lb_ips and any(in_range(primary, r) for r in port.source_ranges)


OfClusterIp = Callable[[Meeting, Entry], Chosen]
OfWayIn = Callable[[Meeting, Entry, bool], Chosen | None]  # whether ranges may guard it


def at_address(meeting: Meeting, hit: tuple[str, Entry], cluster_ip: OfClusterIp, way_in: OfWayIn) -> Chosen | None:
    """What becomes of a packet that hits an address: a cluster IP, or a way in from outside."""
    kind, entry = hit
    return cluster_ip(meeting, entry) if kind == "cluster" else way_in(meeting, entry, kind == "lb")


def internal(meeting: Meeting, entry: Entry) -> tuple[tuple[Endpoint, ...], bool]:
    """(endpoints, whether masqueraded) for a cluster IP; no endpoints: a filter ends it."""
    uses = entry.uses.local if entry.port.internal_local else entry.uses.cluster
    return uses, meeting.masquerades_cluster_ip


def external(meeting: Meeting, entry: Entry) -> tuple[tuple[Endpoint, ...], bool, bool]:
    """(endpoints, whether masqueraded, whether by policy Local) for a way in from outside.

    Policy Local lets pods and the node itself take a short cut to all endpoints.
    """
    if not entry.port.external_local:
        return entry.uses.cluster, True, False
    if meeting.from_pod:
        return entry.uses.cluster, False, False
    if meeting.from_self:
        return entry.uses.cluster, True, False
    return entry.uses.local, False, True


def has_external(entry: Entry) -> bool:
    """Whether traffic from outside finds an endpoint here; if not, a filter ends it."""
    return bool(entry.uses.local) if entry.port.external_local else entry.uses.has_any


def without(entry: Entry, rule: str) -> Chosen:
    """No endpoint: dropped if there is one elsewhere, else refused; *rule* is the chain's name."""
    if entry.uses.has_any:
        return Chosen("dropped", f"{rule}=drop", entry.port)
    return Chosen("refused", f"{rule}=reject", entry.port)
