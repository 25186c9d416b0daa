"""What both modes of kube-proxy ask of a Service port before they write a rule. Pure.

Invariant: iptables and nftables write the same plan; where their packets have different fates, the hooks
and the tables differ, not this.
Models k/k pkg/proxy/iptables Proxier.syncProxyRules
Models k/k pkg/proxy/nftables Proxier.syncProxyRules
"""

from collections.abc import Iterable
from dataclasses import dataclass

from kubemini.api.objects import Obj
from kubemini.network.decide.services.node import Node
from kubemini.network.decide.services.ports import (
    IPV4,
    Categories,
    Endpoint,
    ServicePort,
    categorize,
    endpoints_of,
    service_ports,
)

REJECT, DROP = "REJECT", "DROP"
NO_ENDPOINTS, NO_LOCAL = "has no endpoints", "has no local endpoints"


@dataclass(frozen=True, slots=True)
class Plan:
    """A Service port as one node serves it.

    *cluster* and *local* are the endpoints of a chain that is needed, else empty; *internal* and
    *external* say whether such traffic has somewhere to go, *entered* whether there is a chain for
    external traffic at all, *fenced* whether source ranges guard the load balancer's addresses. *known*
    counts all endpoints that slices name, whatever their state.
    """

    port: ServicePort
    cluster: tuple[Endpoint, ...]
    local: tuple[Endpoint, ...]
    reachable: tuple[Endpoint, ...]
    any: bool
    internal: bool
    external: bool
    entered: bool
    fenced: bool
    known: int

    @property
    def protocol(self) -> str:
        """In small letters, as rules spell it."""
        return self.port.protocol.lower()

    @property
    def verdict(self) -> str:
        """What becomes of traffic that has nowhere to go."""
        return DROP if self.any else REJECT

    @property
    def why(self) -> str:
        """The same in words."""
        return f"{self.port.id} {NO_LOCAL if self.any else NO_ENDPOINTS}"


def plan(port: ServicePort, endpoints: tuple[Endpoint, ...], node: Node) -> Plan:
    """The plan of *node* for *port* with these *endpoints*."""
    return planned(port, categorize(port, endpoints, node.name, node.zone), len(endpoints))


def planned(port: ServicePort, found: Categories, known: int) -> Plan:
    """The plan for *port*, whose endpoints are told apart already; slices name *known* of them."""
    here = bool(found.local)
    return Plan(
        port=port,
        cluster=found.cluster if port.uses_cluster else (),
        local=found.local if port.uses_local else (),
        reachable=found.reachable,
        any=found.has_any,
        internal=here if port.internal_local else found.has_any,
        external=here if port.external_local else found.has_any,
        entered=found.has_any and port.external,
        fenced=bool(port.lb_ips and port.source_ranges),
        known=known,
    )


def plans(service: Obj, slices: Iterable[Obj], node: Node, of_family: str = IPV4) -> list[Plan]:
    """The plans for all ports of a Service, given its EndpointSlices; none if it is not for kube-proxy."""
    slices = list(slices)
    return [plan(port, endpoints_of(port, slices, node.name), node) for port in service_ports(service, of_family)]
