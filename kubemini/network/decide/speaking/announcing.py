"""Which Service gets which address of a pool, and which node tells the network that it has it. Pure.

Invariant: one node at most answers for an address, one that may: it is ready, and by policy Local it has a
ready endpoint of its own. From equal facts always the same one.
Models metallb speaker layer2Controller.ShouldAnnounce
Models metallb internal/allocator Allocator.Allocate
"""

import hashlib
from collections.abc import Iterable, Mapping
from ipaddress import ip_network

from kubemini.api.objects import Obj, get
from kubemini.network.decide.services.ports import service_ports
from kubemini.network.decide.services.world import service_of

POOL = "198.51.100.0/24"
EXCLUDED = "node.kubernetes.io/exclude-from-external-load-balancers"  # a node that answers for none


def wants_address(service: Obj) -> bool:
    """Whether a load balancer is asked for, and is ours: no class names another's."""
    spec = service["spec"]
    return spec.get("type") == "LoadBalancer" and not spec.get("loadBalancerClass")


def address_of(service: Obj) -> str:
    """The address that its status says, "" if none."""
    given = get(service, "status", "loadBalancer", "ingress", default=()) or ()
    return next((door["ip"] for door in given if door.get("ip")), "")


def assigned(services: Iterable[Obj]) -> dict[tuple[str, str], str]:
    """What must be written: (namespace, name) → an address.

    A Service keeps what it has; the others get the lowest free ones, in the order of their names. One that becomes
    another type has lost its address in the same write, by the API server.
    """
    services = sorted(services, key=_key)
    held = [address_of(s) for s in services if wants_address(s)]
    free = (str(ip) for ip in ip_network(POOL).hosts() if str(ip) not in held)
    written: dict[tuple[str, str], str] = {}
    for service in services:
        if wants_address(service) and not address_of(service):
            if address := next(free, ""):
                written[_key(service)] = address
    return written


def _key(service: Obj) -> tuple[str, str]:
    return service["metadata"]["namespace"], service["metadata"]["name"]


def announced(services: Iterable[Obj], slices: Iterable[Obj], nodes: Iterable[Obj]) -> dict[str, str]:
    """Address → the node that answers for it; one that nobody may answer for is left out."""
    slices, ready = list(slices), [n["metadata"]["name"] for n in nodes if _may(n)]
    found = {}
    for service in services:
        address = address_of(service)
        if wants_address(service) and address and service_ports(service):
            ours = [s for s in slices if (s["metadata"]["namespace"], service_of(s)) == _key(service)]
            if fit := _fit(service, ours, ready):
                found[address] = min(fit, key=lambda node: _rank(node, address))
    return found


def _rank(node: str, address: str) -> bytes:
    """Each address has an order of nodes of its own."""
    return hashlib.sha256(f"{node}#{address}".encode()).digest()


def _may(node: Obj) -> bool:
    conditions: Iterable[Mapping[str, str]] = get(node, "status", "conditions", default=()) or ()
    ready = any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)
    return ready and EXCLUDED not in (node["metadata"].get("labels") or ())


def _fit(service: Obj, slices: Iterable[Obj], ready: list[str]) -> list[str]:
    """The nodes that may answer for a Service's address: any while there is an endpoint; by policy Local its own."""
    serving = [
        endpoint.get("nodeName") or ""
        for slice in slices
        for endpoint in slice.get("endpoints") or ()
        if get(endpoint, "conditions", "ready", default=True)
    ]
    if service["spec"].get("externalTrafficPolicy") == "Local":
        return [node for node in ready if node in serving]
    return ready if serving else []
