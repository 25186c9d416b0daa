"""Addresses, ranges and what is local, as both modes need them. Pure.

Models k/k pkg/proxy/util NewDetectLocalByCIDR, NewDetectLocalByBridgeInterface,
    NodePortAddresses.GetNodeIPs
Models k/k pkg/proxy/nftables Proxier.localhostNodePortRejectProtocols
Models k/k cmd/kube-proxy/app expandNodePortAddressKeywords
Simplified: pods are not known by a prefix of their interfaces' names (InterfaceNamePrefix).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
    summarize_address_range,
)

from kubemini.network.decide.services.node import Node, ProxyConfig
from kubemini.network.decide.services.ports import IPV4, IPV6, family

Net = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address
NFTABLES = "nftables"
PRIMARY, ALL = "primary", "all"  # words of nodePortAddresses
UNSERVED = ("udp", "sctp")  # by the process that serves node ports on localhost
LOOPBACK = {IPV4: "127.0.0.1", IPV6: "::1"}


def host(ip: str) -> str:
    """A single address as a range: ``10.96.0.1/32``."""
    return f"{ip}/32" if family(ip) == IPV4 else f"{ip}/128"


def networks(ranges: Iterable[str]) -> list[Net]:
    """Ranges by their first address, whatever stands behind the prefix."""
    return [ip_network(text, strict=False) for text in ranges]


def covers(ranges: Iterable[str], ip: str) -> bool:
    """Whether *ip* is in one of *ranges*; no address is in none."""
    return bool(ip) and any(ip_address(ip) in network for network in networks(ranges))


def primary(node: Node, of_family: str = IPV4) -> str:
    """The first address of *node* in a family, "" if it has none."""
    return next((ip for ip in node.addresses if family(ip) == of_family), "")


def serving(config: ProxyConfig, node: Node, of_family: str = IPV4) -> tuple[str, ...] | None:
    """The addresses of *node* that answer on node ports; None is all that it has.

    The default is all for iptables, the primary one for nftables; so is a list without the family.
    """
    default = (PRIMARY,) if config.mode == NFTABLES else (ALL,)
    asked = default if config.node_port_addresses is None else config.node_port_addresses
    ranges = networks(range for word in asked for range in _meant(word, node) if family(range) == of_family)
    if not ranges or any(network.prefixlen == 0 for network in ranges):
        return None
    its = (*node.addresses, *node.bridges, LOOPBACK[of_family])
    addresses = [ip_address(ip) for ip in its if family(ip) == of_family]
    return tuple(str(ip) for ip in addresses if any(ip in network for network in ranges))


def _meant(word: str, node: Node) -> tuple[str, ...]:
    """The ranges that an entry of nodePortAddresses means."""
    if word == PRIMARY:
        return tuple(host(ip) for of_family in LOOPBACK if (ip := primary(node, of_family)))
    return {"localhost": ("127.0.0.0/8", "::1/128"), ALL: ("0.0.0.0/0", "::/0")}.get(word, (word,))


def refused_on_localhost(config: ProxyConfig) -> tuple[str, ...]:
    """Protocols whose node ports nftables refuses on localhost: it serves TCP there, if asked to.

    Asked is by naming loopback among the addresses (feature gate KubeProxyNFTablesLocalhostNodePorts).
    """
    asked = {"localhost", "127.0.0.0/8", "::1/128"} & set(config.node_port_addresses or ())
    return UNSERVED if asked and config.mode == NFTABLES else ()


def on_localhost(config: ProxyConfig, node: Node, of_family: str = IPV4) -> bool:
    """Whether iptables serves node ports on 127.0.0.1: asked for, and not shut out by the addresses.

    On ::1 it never does.
    """
    addresses = serving(config, node)
    return of_family == IPV4 and config.localhost_node_ports and (addresses is None or "127.0.0.1" in addresses)


@dataclass(frozen=True, slots=True)
class Local:
    """How a packet of a pod is known: by *source* (a range) or *interface*; by neither, nothing is local.

    *everything*: all traffic to cluster IPs is masqueraded, whoever sends it.
    """

    source: str = ""
    interface: str = ""
    everything: bool = False

    @property
    def known(self) -> bool:
        """Whether a pod's packet can be told from others at all."""
        return bool(self.source or self.interface)

    def iptables(self) -> str:
        """What matches a pod's packet."""
        return f"-s {self.source}" if self.source else f"-i {self.interface}"

    def nftables(self, negated: bool = False) -> str:
        """The same in nftables, or what matches all others."""
        equal = "!= " if negated else ""
        if self.source:
            return f"{'ip' if family(self.source) == IPV4 else 'ip6'} saddr {equal}{self.source}"
        return f'iifname {equal}"{self.interface}"'


def local(config: ProxyConfig, node: Node, of_family: str = IPV4) -> Local:
    """What counts as local on *node* in a family: its first range there, of several after commas."""
    told = {"ClusterCIDR": config.cluster_cidr, "NodeCIDR": node.pod_cidr}
    ranges = told.get(config.detect_local or "", "").split(",")
    source = next((range for range in ranges if range and family(range) == of_family), "")
    interface = config.bridge_interface if config.detect_local == "BridgeInterface" else ""
    return Local(source, interface, config.masquerade_all)


def merged(ranges: Iterable[str]) -> list[str]:
    """Ranges as nft shows an unnamed set of them: sorted, and those that overlap or touch made one.

    What is no range with a prefix is shown by its first and last address.
    """
    spans: list[tuple[int, int]] = []
    found = networks(ranges)
    for first, last in sorted((int(n[0]), int(n[-1])) for n in found):
        if spans and first <= spans[-1][1] + 1:
            spans[-1] = (spans[-1][0], max(last, spans[-1][1]))
        else:
            spans.append((first, last))
    kind = type(found[0][0])
    return [_span(kind(first), kind(last)) for first, last in spans]


def _span(first: Address, last: Address) -> str:
    if first == last:
        return str(first)
    covering = list(summarize_address_range(first, last))
    return str(covering[0]) if len(covering) == 1 else f"{first}-{last}"
