"""What a host's kernel knows of Services, and where it sends a new connection.

Invariant: a connection is decided by the rules of the host it starts on and by nothing else; they outlive the
kube-proxy that wrote them, and end with the power.
The nat table that kube-proxy fills (k/k pkg/proxy/iptables); affinity is the kernel's module xt_recent.
"""

from kubemini.host import Host
from kubemini.network.decide.services.rule import Rule, ServiceEndpoint, pick


def rules(host: Host) -> dict[str, Rule]:
    """The rules in the kernel of *host*, by ``namespace/name``; gone with the power, not with kube-proxy."""
    return host.kernel.services


def has_endpoints(host: Host, service: str) -> bool:
    """Whether a connection from *host* to *service* (``namespace/name``, or a name in default) goes to some pod."""
    found = rules(host).get(_key(service))
    return found is not None and bool(found.endpoints)


def choose(host: Host, service: str, draw: int) -> dict[str, str] | None:
    """The endpoint that a new connection from *host* goes to, or None: no endpoint, the kernel rejects it.

    *draw* is a draw, uniform in [0, 2**64).
    """
    found = rules(host).get(_key(service))
    if found is None or not found.endpoints:
        return None
    endpoint = _remembered(host, found) or pick(found.endpoints, draw)
    if found.affinity:
        host.kernel.recent[found.service] = (endpoint, host.sim.now)
    return endpoint.row()


def _remembered(host: Host, rule: Rule) -> ServiceEndpoint | None:
    """The endpoint of this client's last connection, if the Service wants that and it is not too long ago.

    The time runs from the last new connection: each renews it (xt_recent; measured).
    """
    endpoint, at = host.kernel.recent.get(rule.service, (None, 0))
    fresh = rule.affinity and host.sim.now - at < rule.affinity
    return endpoint if fresh and endpoint in rule.endpoints else None


def _key(service: str) -> str:
    return service if "/" in service else f"default/{service}"
