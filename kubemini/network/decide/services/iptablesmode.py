"""What kube-proxy's iptables rules do with a packet, in closed form. Pure.

Invariant: first the nat table, which translates or lets be; what it did not translate meets the
filters, each hook its own: INPUT and FORWARD know external addresses, FORWARD and OUTPUT cluster IPs.
Models k/k pkg/proxy/iptables Proxier.syncProxyRules
"""

from kubemini.network.decide.services.hooks import (
    Chosen,
    Meeting,
    at_address,
    external,
    has_external,
    internal,
    without,
)
from kubemini.network.decide.services.world import Entry

DNAT = "nat:KUBE-SEP-*=dnat"
PORTALS = "filter:KUBE-SERVICES"
OUTSIDE = "filter:KUBE-EXTERNAL-SERVICES"
FIREWALL = "filter:KUBE-PROXY-FIREWALL"
HEALTH = "filter:KUBE-NODEPORTS"


def chosen(meeting: Meeting) -> Chosen | None:
    """What these rules do with the packet; None: they let it be."""
    if hit := meeting.hit:
        return at_address(meeting, hit, _cluster_ip, _way_in)
    if port := meeting.node_port:
        if meeting.table.serves_node_ports_at(meeting.packet.destination):
            return _way_in(meeting, port, False)
        return None if has_external(port) else without(port, OUTSIDE)
    return None


def _cluster_ip(meeting: Meeting, entry: Entry) -> Chosen:
    endpoints, masquerade = internal(meeting, entry)
    if endpoints:
        return Chosen("dnat", DNAT, entry.port, endpoints, masquerade)
    return without(entry, PORTALS)


def _way_in(meeting: Meeting, entry: Entry, ranges: bool) -> Chosen | None:
    """An external or LB address, or a node port.

    What ranges guard and nat has not translated, for whichever reason, the firewall's chain drops first.
    Without any endpoint no rule but the REJECT is written, and OUTPUT does not pass that: what the
    node itself sends off goes its way, unless it is for the node itself.
    """
    port = entry.port
    if entry.uses.has_any:
        fenced = ranges and bool(port.source_ranges)
        endpoints, masquerade, _ = external(meeting, entry)
        if endpoints and not (fenced and not meeting.allowed(port)):
            return Chosen("dnat", DNAT, port, endpoints, masquerade)
        if fenced:
            return Chosen("dropped", f"{FIREWALL}=drop", port)
    if meeting.from_self and not meeting.to_self:
        return None
    return without(entry, OUTSIDE)
