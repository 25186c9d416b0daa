"""What kube-proxy's nftables rules do with a packet, in closed form. Pure.

Invariant: source ranges are asked before anything is translated; what nothing translated meets the
map of those without endpoints, and then the Service network, which is closed for good.
Models k/k pkg/proxy/nftables Proxier.syncProxyRules
"""

from kubemini.network.decide.services.hooks import Chosen, Meeting, at_address, external, internal, without
from kubemini.network.decide.services.world import Entry, in_range

ADDRESSES = "kube-proxy:service-endpoints-check"
NODE_PORTS = "kube-proxy:nodeport-endpoints-check"
CLUSTER_IPS = "kube-proxy:cluster-ips-check"
FIREWALL = "kube-proxy:firewall-*"


def chosen(meeting: Meeting) -> Chosen | None:
    """What these rules do with the packet; None: they let it be."""
    if hit := meeting.hit:
        return at_address(meeting, hit, _cluster_ip, _way_in)
    if (port := meeting.node_port) and meeting.table.serves_node_ports_at(meeting.packet.destination):
        return _way_in(meeting, port, False, NODE_PORTS)
    return None if meeting.to_self else _service_network(meeting)


def _cluster_ip(meeting: Meeting, entry: Entry) -> Chosen:
    endpoints, masquerade = internal(meeting, entry)
    if endpoints:
        return _dnat(entry, endpoints, masquerade, entry.port.internal_local)
    return without(entry, ADDRESSES)


def _way_in(meeting: Meeting, entry: Entry, ranges: bool, check: str = ADDRESSES) -> Chosen:
    port = entry.port
    if ranges and port.source_ranges and not meeting.allowed(port):
        return Chosen("dropped", f"{FIREWALL}=drop", port)
    endpoints, masquerade, local = external(meeting, entry)
    if endpoints:
        return _dnat(entry, endpoints, masquerade, local)
    return without(entry, check)


def _dnat(entry: Entry, endpoints: tuple, masquerade: bool, local: bool) -> Chosen:
    """Chains of endpoints exist for the sake of affinity only; else the Service's chain translates."""
    chain = "endpoint" if entry.port.affinity_s else "local" if local else "service"
    return Chosen("dnat", f"kube-proxy:{chain}-*=dnat", entry.port, endpoints, masquerade)


def _service_network(meeting: Meeting) -> Chosen | None:
    """A known cluster IP with a port or protocol it does not have is refused, the rest dropped."""
    ip, config = meeting.packet.destination, meeting.table.config
    if meeting.table.is_cluster_ip(ip):
        return Chosen("refused", f"{CLUSTER_IPS}=reject")
    if any(in_range(ip, cidr) for cidr in config.service_cidrs):
        return Chosen("dropped", f"{CLUSTER_IPS}=drop")
    return None
