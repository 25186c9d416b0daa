"""What kube-proxy answers on a health check node port: a load balancer asks it who is worth a packet.

Invariant: only ready endpoints of the node count; one that terminates still gets traffic, and the load
balancer turns away meanwhile, so that nobody is cut off. Pure.
Models k/k pkg/proxy/healthcheck hcHandler.ServeHTTP
"""

from typing import Any

from kubemini.network.decide.services.world import Table

Answer = tuple[int, dict[str, str], dict[str, Any]]  # status, headers, body


def health_checks(table: Table, healthy: bool = True) -> dict[str, Answer]:
    """The answer for each Service with a health check node port, by ``namespace/name``.

    *healthy*: whether kube-proxy itself is; if not, no port of its node is worth a packet.
    """
    found = {}
    for service, entries in table.by_service.items():
        if any(entry.port.health_check_node_port for entry in entries):
            local = {e.ip for entry in entries for e in entry.uses.local if e.ready}
            found[service] = _answer(service, len(local), healthy)
    return found


def _answer(service: str, local: int, healthy: bool) -> Answer:
    namespace, _, name = service.partition("/")
    headers = {
        "Content-Type": "application/json",
        "X-Load-Balancing-Endpoint-Weight": str(local),
    }
    body = {
        "service": {"namespace": namespace, "name": name},
        "localEndpoints": local,
        "serviceProxyHealthy": healthy,
    }
    return (200 if local and healthy else 503), headers, body
