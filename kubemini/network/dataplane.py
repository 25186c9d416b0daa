"""What a host's kernel knows of Services, and where it sends a new connection.

Invariant: a connection is decided by the rules of the host that it meets and by nothing else; they outlive the
kube-proxy that wrote them, and end with the power.
The tables that kube-proxy fills (k/k pkg/proxy/iptables, nftables); affinity is the kernel's xt_recent, or a set.
"""

from dataclasses import dataclass
from ipaddress import ip_network

from kubemini.api.names import host_ip
from kubemini.host import Host
from kubemini.host.linux.podnetwork import own_addresses, pod_cidrs
from kubemini.network.decide.services.node import Node, ProxyConfig
from kubemini.network.decide.services.picking import connect
from kubemini.network.decide.services.ports import Endpoint, family
from kubemini.network.decide.services.verdict import Asked, Header
from kubemini.network.decide.services.world import Entry, Table, World


@dataclass(frozen=True, slots=True)
class Sent:
    """What the kernel of a host made of a new connection.

    *fate*: sent (to *endpoint*, which sees *source*; *returns*: whether its answer comes back), refused,
    dropped, or passed: no rule of this host decided. *rule* is the chain that did.
    """

    fate: str
    rule: str = ""
    endpoint: Endpoint | None = None
    source: str = ""
    returns: bool = True


PASSED = Sent("passed")


def node_of(host: Host) -> Node:
    """*host* as its kube-proxy knows it."""
    cidrs = pod_cidrs(host)
    bridges = ",".join(str(ip_network(cidr)[1]) for cidr in cidrs)
    return Node(host.name, own_addresses(host), host.zone, ",".join(cidrs), bridges)


def table(host: Host) -> Table | None:
    """The rules in the kernel of *host*, None where no kube-proxy has written any since it booted."""
    found: Table | None = host.kernel.services
    return found


def written(host: Host, config: ProxyConfig) -> Table:
    """The rules in the kernel of *host*, begun anew if there are none, or those of another *config*."""
    found, node = table(host), node_of(host)
    if found is None or found.config != config:
        found = host.kernel.services = Table(node, config)
    elif found.node != node:  # the range of its pods has become known
        before, found = found, Table(node, found.config)
        for service, entries in before.by_service.items():
            found.put(service, entries)
        host.kernel.services = found
    return found


def entry(host: Host, service: str) -> Entry | None:
    """What the kernel of *host* knows of the first port of *service* (``namespace/name``, or one in default)."""
    found = table(host)
    entries = found.by_service.get(service if "/" in service else f"default/{service}", ()) if found else ()
    return entries[0] if entries else None


def has_endpoints(host: Host, service: str) -> bool:
    """Whether a connection from *host* to *service* (``namespace/name``, or a name in default) goes to some pod."""
    found = entry(host, service)
    return found is not None and bool(internal_endpoints(found))


def internal_endpoints(found: Entry) -> tuple[Endpoint, ...]:
    """The endpoints behind the cluster IP."""
    return found.uses.local if found.port.internal_local else found.uses.cluster


def choose(host: Host, service: str, draw: int) -> Endpoint | None:
    """The endpoint that a new connection from *host* goes to, or None: no endpoint, the kernel rejects it.

    *draw* is a draw, uniform in [0, 2**64).
    """
    found = entry(host, service)
    if found is None:
        return None
    ip = found.port.cluster_ip
    packet = Asked(found.port.protocol, source_towards(host, ip), ip, found.port.port)
    return send(host, packet, draw).endpoint


def source_towards(host: Host, address: str) -> str:
    """The address of *host* that a connection to *address* begins with: of its family, if the host has one."""
    return node_of(host).primary(family(address)) or host_ip(host.name)


def send(host: Host, packet: Header, draw: int) -> Sent:
    """What the rules of *host* do with the first packet of a connection; *draw* picks the endpoint."""
    found = table(host)
    if found is None:
        return PASSED
    alone = World({host.name: found})
    chosen, way = connect(alone, host.name, packet, draw, host.kernel.recent, host.sim.now)
    if chosen is None:
        return PASSED
    if way is None:
        return Sent(chosen.fate, chosen.rule)
    return Sent("sent", chosen.rule, way.endpoint, way.source, way.returns)
