"""Services: from EndpointSlices to a rule, and from a rule to the one endpoint of a connection. Pure.

Invariant: a rule says all that decides a connection; a dead endpoint is tried as readily as a live one, and nobody
tries a second one.
Models k/k pkg/proxy CategorizeEndpoints
Models k/k pkg/proxy EndpointSliceCache
kubernetes.io "Virtual IPs and Service Proxies", KEP-1669 (ProxyTerminatingEndpoints); checked against kube-proxy's own
packet-flow tables and the Linux kernel.
Simplified: ClusterIP only, IPv4; every port of a Service leads to the endpoints of the first; no topology hints.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from kubemini.api.objects import Obj, get
from kubemini.network.decide.services.ports import IPV4, is_ours
from kubemini.sim.units import SECOND

WHOLE = 1 << 64  # draws are uniform below this


@dataclass(frozen=True, slots=True)
class ServiceEndpoint:
    """One pod behind a Service, as an EndpointSlice names it."""

    pod: str
    ip: str
    node: str

    def row(self) -> dict[str, str]:
        """As it stands in the trace."""
        return {"pod": self.pod, "ip": self.ip, "node": self.node}


@dataclass(frozen=True, slots=True)
class Port:
    """A port of a Service and where it leads on the pods; 0: no slice names it, so it leads nowhere."""

    name: str
    port: int
    target: int
    protocol: str = "TCP"


@dataclass(frozen=True, slots=True)
class Rule:
    """What the kernel of one host knows of one Service; *affinity* is a duration in µs, 0 for none.

    *otherwise* is what happens to a connection when there is no endpoint: REJECT (refused at once), or DROP (silence),
    if the Service wants an endpoint on this node and all of them are elsewhere.
    """

    service: str
    ip: str
    ports: tuple[Port, ...]
    endpoints: tuple[ServiceEndpoint, ...]
    affinity: int = 0
    otherwise: str = "REJECT"


# -- deciding the rules ------------------------------------------------------------------------------------------------
def usable(endpoints: Iterable[Obj]) -> list[Obj]:
    """The ready ones, or, if there is none, those that still serve while they terminate."""
    endpoints = list(endpoints)
    ready = [e for e in endpoints if get(e, "conditions", "ready", default=True)]
    return ready or [e for e in endpoints if _serves(e) and get(e, "conditions", "terminating", default=False)]


def _serves(endpoint: Obj) -> bool:
    return get(endpoint, "conditions", "serving", default=get(endpoint, "conditions", "ready", default=True))


def rule(service: Obj, slices: Iterable[Obj], node: str) -> Rule | None:
    """The rule for *service* on *node*; None for a Service that kube-proxy does not touch.

    That is one without an address of IPv4 (headless, ExternalName), and one that another proxy looks after.
    """
    spec = service["spec"]
    ip = spec.get("clusterIP") or ""
    if not is_ipv4(ip) or spec.get("type") == "ExternalName" or not is_ours(service):
        return None
    slices = [slice for slice in slices if slice.get("addressType", IPV4) == IPV4 and is_ours(slice)]
    ports = tuple(_port(p, slices) for p in spec.get("ports") or ())
    everywhere = _by_address((slice for slice in slices if not ports or _names(slice, ports[0].name)), node)
    local = spec.get("internalTrafficPolicy") == "Local"
    found = usable(e for e in everywhere if not local or e.get("nodeName") == node)
    meta = service["metadata"]
    return Rule(
        service=f"{meta.get('namespace', 'default')}/{meta['name']}",
        ip=ip,
        ports=ports if found else tuple(replace(port, target=0) for port in ports),
        endpoints=tuple(sorted(map(_endpoint, found), key=lambda e: e.ip)),
        affinity=_affinity(spec),
        otherwise="DROP" if local and usable(everywhere) else "REJECT",
    )


def _by_address(slices: Iterable[Obj], node: str) -> list[Obj]:
    """One endpoint an address: whoever is named first, or, rather, one on *node* itself.

    Without an address of IPv4 an endpoint is left out.
    """
    found: dict[str, Obj] = {}
    for slice in sorted(slices, key=lambda s: get(s, "metadata", "name", default="")):
        for endpoint in slice.get("endpoints") or ():
            address = next(iter(endpoint.get("addresses") or ()), "")
            if is_ipv4(address) and (address not in found or endpoint.get("nodeName") == node):
                found[address] = endpoint
    return list(found.values())


def _endpoint(endpoint: Obj) -> ServiceEndpoint:
    address = endpoint["addresses"][0]
    return ServiceEndpoint(get(endpoint, "targetRef", "name", default=address), address, endpoint.get("nodeName") or "")


def _port(port: Obj, slices: list[Obj]) -> Port:
    """A Service port; which number it has on the pods the slices say, and only they: 0 if none of them names it."""
    name = port.get("name") or ""
    numbers = [_names(slice, name) for slice in slices]
    return Port(name, port["port"], next(filter(None, numbers), 0), port.get("protocol", "TCP"))


def _names(slice: Obj, port: str) -> int:
    """The number that a slice gives the port of that name; 0 if it does not name it."""
    return next((p.get("port") or 0 for p in slice.get("ports") or () if (p.get("name") or "") == port), 0)


def is_ipv4(address: str) -> bool:
    """Whether it is four numbers with dots."""
    parts = address.split(".")
    return len(parts) == 4 and all(part.isascii() and part.isdigit() and int(part) < 256 for part in parts)


def _affinity(spec: Obj) -> int:
    if spec.get("sessionAffinity") != "ClientIP":
        return 0
    return get(spec, "sessionAffinityConfig", "clientIP", "timeoutSeconds", default=10_800) * SECOND


def pick(endpoints: tuple[ServiceEndpoint, ...], draw: int) -> ServiceEndpoint:
    """Walk the chain: rule i of n applies with probability 1/(n-i), so that each endpoint gets 1/n."""
    for left in range(len(endpoints), 1, -1):
        if draw * left < WHOLE:
            return endpoints[-left]
        draw = (draw * left - WHOLE) // (left - 1)
    return endpoints[-1]


def summary(rule: Rule) -> dict[str, Any]:
    """*rule* as it stands in the trace."""
    return {"service": rule.service, "ip": rule.ip, "endpoints": [e.row() for e in rule.endpoints]}
