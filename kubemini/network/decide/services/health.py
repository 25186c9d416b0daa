"""What kube-proxy answers when it is asked how it is: on health check node ports, and on its own, 10256.

Invariant: only ready endpoints of the node count; one that terminates still gets traffic, and the load
balancer turns away meanwhile, so that nobody is cut off. Pure.
Models k/k pkg/proxy/healthcheck hcHandler.ServeHTTP
Models k/k pkg/proxy/healthcheck healthzHandler.ServeHTTP, livezHandler.ServeHTTP, ProxyHealthServer.Health
Simplified: one address family; a node is always eligible, also one that an autoscaler is about to take.
"""

from dataclasses import dataclass
from typing import Any

from kubemini.network.decide.services.world import Table

HEALTHZ_PORT = 10256  # healthzBindAddress
JSON = {"Content-Type": "application/json"}
Answer = tuple[int, dict[str, str], dict[str, Any]]  # status, headers, body


@dataclass(frozen=True, slots=True)
class Probe:
    """``GET path`` on a port of a node, from whoever asks how it is."""

    port: int
    path: str = "/healthz"


def health_checks(table: Table, healthy: bool = True) -> dict[str, Answer]:
    """The answer for each Service with a health check node port, by ``namespace/name``.

    *healthy*: whether kube-proxy itself is; if not, no port of its node is worth a packet.
    """
    return {service: _answer(service, local, healthy) for service, (_, local) in local_counts(table).items()}


def local_counts(table: Table) -> dict[str, tuple[int, int]]:
    """(health check node port, ready endpoints of this node) of each Service that has such a port."""
    found = {}
    for service, entries in table.by_service.items():
        if port := next((e.port.health_check_node_port for e in entries if e.port.health_check_node_port), 0):
            found[service] = port, len({e.ip for entry in entries for e in entry.uses.local if e.ready})
    return found


def answered(counts: dict[str, tuple[int, int]], probe: Probe, healthy: bool) -> Answer | None:
    """The answer on a health check node port, by the *counts* of the last sync; None: nobody listens there."""
    for service, (port, local) in counts.items():
        if port == probe.port:
            return _answer(service, local, healthy)
    return None


def _answer(service: str, local: int, healthy: bool) -> Answer:
    namespace, _, name = service.partition("/")
    headers = {**JSON, "X-Load-Balancing-Endpoint-Weight": str(local)}
    body = {
        "service": {"namespace": namespace, "name": name},
        "localEndpoints": local,
        "serviceProxyHealthy": healthy,
    }
    return (200 if local and healthy else 503), headers, body


def proxy_health(path: str, healthy: bool, updated: str, now: str) -> Answer | None:
    """The answer on kube-proxy's own port; None: there is no such page. *updated*: when it last wrote rules.

    One that is well says that it was updated just now, as older releases did.
    """
    if path not in ("/healthz", "/livez"):
        return None
    body: dict[str, Any] = {"lastUpdated": now if healthy else updated, "currentTime": now, "healthy": healthy}
    if path == "/healthz":
        body["nodeEligible"] = True
    if updated:
        body["status"] = {"IPv4": {"lastUpdated": updated, "healthy": healthy}}
    return (200 if healthy else 503), {**JSON, "X-Content-Type-Options": "nosniff"}, body
