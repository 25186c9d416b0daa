"""The rules of a Service port in nftables mode: its chains and sets, and its elements of the shared maps. Pure.

Invariant: a packet finds its Service by one look-up of address, protocol and port, however many Services
there are; what has no endpoint stands in another map, which is asked in the filter hooks.
Models k/k pkg/proxy/nftables Proxier.syncProxyRules, Proxier.writeServiceToEndpointDNATs,
    Proxier.writeServiceToEndpointJumps
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from kubemini.network.decide.rules.names import (
    AFFINITY,
    ENDPOINT,
    EXTERNAL,
    FIREWALL,
    LOCAL,
    SERVICE,
    base,
)
from kubemini.network.decide.rules.network import Local, covers, merged, primary
from kubemini.network.decide.rules.plan import REJECT, Plan
from kubemini.network.decide.services.node import Node
from kubemini.network.decide.services.ports import IPV4, Endpoint

MARK = "meta mark set meta mark | 0x00004000"
SERVICE_IPS, NODE_PORTS = "service-ips", "service-nodeports"
NO_SERVICES, NO_NODE_PORTS = "no-endpoint-services", "no-endpoint-nodeports"
CLUSTER_IPS, HAIRPINS, FIREWALL_IPS = "cluster-ips", "hairpin-connections", "firewall-ips"
ON_LOCALHOST, REFUSED_ON_LOCALHOST = "localhost-nodeport-reject-ports", "localhost-nodeport-reject-"
LONGEST = 128  # bytes of a comment
UNITS = ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))


@dataclass(frozen=True, slots=True)
class Written:
    """Chains and sets by name with their lines, and elements by the set or map that they belong to."""

    sets: dict[str, list[str]] = field(default_factory=dict)
    chains: dict[str, list[str]] = field(default_factory=dict)
    elements: dict[str, dict[str, str]] = field(default_factory=dict)  # of a set: key → the whole element
    counters: list[str] = field(default_factory=list)

    def element(self, of: str, key: str, value: str = "") -> None:
        self.elements.setdefault(of, {})[key] = f"{key}{value}"

    def add(self, other: "Written") -> None:
        """Take over all that is in *other*; where both have an element, the other's counts."""
        self.sets.update(other.sets)
        self.chains.update(other.chains)
        self.counters.extend(other.counters)
        for of, elements in other.elements.items():
            self.elements.setdefault(of, {}).update(elements)


def rules(plan: Plan, node: Node, local: Local, refused: Sequence[str] = ()) -> Written:
    """What *node* has for a Service port; *local* tells a pod's packet.

    *refused*: protocols whose node ports are refused on localhost by name.
    """
    writer = _Writer(plan, node, local)
    writer.write()
    if plan.port.node_port and plan.protocol in refused:
        key = f"{plan.protocol} . {plan.port.node_port}"
        writer.out.element(ON_LOCALHOST, key, f" : goto {REFUSED_ON_LOCALHOST}{plan.protocol}")
    return writer.out


class _Writer:
    """One Service port, into *out*."""

    def __init__(self, plan: Plan, node: Node, local: Local):
        self.plan, self.port, self.node, self.local = plan, plan.port, node, local
        self.out = Written()
        self.ip = "ip" if self.port.family == IPV4 else "ip6"
        self.base = base(self.port.namespace, self.port.name, plan.protocol, self.port.port_name)
        self.inside = (LOCAL if self.port.internal_local else SERVICE) + self.base

    def write(self) -> None:
        self._cluster_ip()
        for ip in (*self.port.external_ips, *self.port.lb_ips):
            self._outside(SERVICE_IPS, NO_SERVICES, self._key(ip))
        if self.port.node_port:
            self._outside(NODE_PORTS, NO_NODE_PORTS, f"{self.plan.protocol} . {self.port.node_port}")
        if self.plan.fenced:
            self._fence()
        for endpoint in self.plan.reachable:
            self._endpoint(endpoint)
        for prefix, endpoints in ((SERVICE, self.plan.cluster), (LOCAL, self.plan.local)):
            if endpoints:
                self.out.chains[prefix + self.base] = self._deal(endpoints)
        if self.plan.entered:
            self.out.chains[EXTERNAL + self.base] = list(self._entrance())

    # -- where packets for the Service are met ---------------------------------------------------------
    def _key(self, ip: str) -> str:
        return f"{ip} . {self.plan.protocol} . {self.port.port}"

    def _cluster_ip(self) -> None:
        self.out.element(CLUSTER_IPS, self.port.cluster_ip)
        key = self._key(self.port.cluster_ip)
        if self.plan.internal:
            self.out.element(SERVICE_IPS, key, f" : goto {self.inside}")
        else:
            self.out.element(NO_SERVICES, key, self._refusal())

    def _outside(self, served: str, refused: str, key: str) -> None:
        """An address, or a node port, that the outside knows."""
        if self.plan.any:
            self.out.element(served, key, f" : goto {EXTERNAL}{self.base}")
        if not self.plan.external:
            self.out.element(refused, key, self._refusal())

    def _refusal(self) -> str:
        fate = "goto reject-chain" if self.plan.verdict == REJECT else "drop"
        return f' comment "{self.port.id[:LONGEST]}" : {fate}'

    def _fence(self) -> None:
        """Source ranges, asked before any translation: who is in none of them is dropped."""
        allowed = list(self.port.source_ranges)
        if covers(allowed, primary(self.node, self.port.family)):
            allowed += self.port.lb_ips
        shown = merged(allowed)
        sources = shown[0] if len(allowed) == 1 else f"{{ {', '.join(shown)} }}"
        self.out.chains[FIREWALL + self.base] = [f"{self.ip} saddr != {sources} drop"]
        for ip in self.port.lb_ips:
            self.out.element(FIREWALL_IPS, self._key(ip), f" : goto {FIREWALL}{self.base}")

    # -- the chains of the Service ---------------------------------------------------------------------
    def _entrance(self) -> Iterable[str]:
        """Traffic from outside: masqueraded by policy Cluster; by policy Local pods and the node take a short cut."""
        cluster = f"goto {SERVICE}{self.base}"
        if not self.port.external_local:
            yield f'{MARK} comment "masquerade"'
        else:
            if self.local.known:
                yield f'{self.local.nftables()} {cluster} comment "short-circuit pod traffic"'
            yield f'fib saddr type local {MARK} comment "masquerade local traffic"'
            yield f'fib saddr type local {cluster} comment "short-circuit local traffic"'
        if self.plan.external:
            yield f"goto {LOCAL}{self.base}" if self.port.external_local else cluster

    def _deal(self, endpoints: tuple[Endpoint, ...]) -> list[str]:
        """One rule for all endpoints; with affinity, first one for each: a client seen lately goes where it went."""
        if not self.port.affinity_s:
            return [f"meta l4proto {self.plan.protocol} dnat {self._destination(endpoints)}"]
        names = [self._name(endpoint) for endpoint in endpoints]
        seen = [f"{self.ip} saddr @{AFFINITY}{name} goto {ENDPOINT}{name}" for name in names]
        chances = ", ".join(f"{i} : goto {ENDPOINT}{name}" for i, name in enumerate(names))
        return [*seen, f"numgen random mod {len(names)} vmap {{ {chances} }}"]

    def _destination(self, endpoints: tuple[Endpoint, ...]) -> str:
        if len(endpoints) == 1:
            return f"to {endpoints[0].address}"
        chances = ", ".join(f"{i} : {e.ip} . {e.port}" for i, e in enumerate(endpoints))
        return f"{self.ip} to numgen random mod {len(endpoints)} map {{ {chances} }}"

    def _endpoint(self, endpoint: Endpoint) -> None:
        """With affinity an endpoint has a chain and a set of clients; one on this node may answer itself (hairpin)."""
        if endpoint.node == self.node.name:
            ip, protocol = endpoint.ip, self.plan.protocol
            self.out.element(HAIRPINS, f"{ip} . {ip} . {protocol} . {endpoint.port}")
        if self.port.affinity_s:
            name = self._name(endpoint)
            clients = f"{AFFINITY}{name}"
            self.out.sets[clients] = [
                f"type {'ipv4_addr' if self.port.family == IPV4 else 'ipv6_addr'}",
                "size 65535",
                "flags dynamic,timeout",
                f"timeout {duration(self.port.affinity_s)}",
            ]
            self.out.chains[f"{ENDPOINT}{name}"] = [
                f"update @{clients} {{ {self.ip} saddr }}",
                f"meta l4proto {self.plan.protocol} dnat to {endpoint.address}",
            ]

    def _name(self, endpoint: Endpoint) -> str:
        port = self.port
        return base(port.namespace, port.name, self.plan.protocol, port.port_name, endpoint.address)


def duration(seconds: int) -> str:
    """As nft prints it: 10,800 s are ``3h``."""
    parts = []
    for size, unit in UNITS:
        many, seconds = divmod(seconds, size)
        parts += [f"{many}{unit}"] if many else []
    return "".join(parts)
