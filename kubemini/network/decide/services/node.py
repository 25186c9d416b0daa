"""A node as kube-proxy knows it, and the options kube-proxy was started with. Pure values.

Models k/k pkg/proxy/apis/config KubeProxyConfiguration
Models k/k pkg/proxy/util LocalTrafficDetector
"""

from dataclasses import dataclass

from kubemini.network.decide.services.ports import family

SERVICE_CIDR = "10.96.0.0/16"
CLUSTER_CIDR = "10.244.0.0/16"


@dataclass(frozen=True, slots=True)
class Node:
    """A node: *addresses* are its own on its networks, the first the primary one (of each family).

    *pod_cidr* is the range of its pods, *bridge* the address of their bridge, "" if it has none; where there are two
    families, both are two, with a comma between. *zone* is "" where no label says it.
    """

    name: str
    addresses: tuple[str, ...]
    zone: str = ""
    pod_cidr: str = ""
    bridge: str = ""

    @property
    def pod_cidrs(self) -> tuple[str, ...]:
        """The ranges of its pods."""
        return tuple(filter(None, self.pod_cidr.split(",")))

    @property
    def bridges(self) -> tuple[str, ...]:
        """The addresses of its pods' bridge."""
        return tuple(filter(None, self.bridge.split(",")))

    def primary(self, of_family: str) -> str:
        """Its first address of that family, "" if it has none."""
        return next((a for a in self.addresses if family(a) == of_family), "")


@dataclass(frozen=True, slots=True)
class ProxyConfig:
    """The options of kube-proxy that change what happens to a packet, by their meaning.

    *detect_local* says how a packet of a pod is known: ``ClusterCIDR``, ``NodeCIDR``,
    ``BridgeInterface``, or None, when nothing is local (no clusterCIDR given).
    *node_port_addresses*: ranges, and the words ``primary`` and ``localhost``; None is the default
    of the mode: every address for iptables, the primary one for nftables.
    *localhost_node_ports*: node ports on 127.0.0.1; iptables' option of that name. In nftables mode
    the word ``localhost`` among the addresses asks for it, with a feature gate.
    """

    mode: str = "iptables"
    cluster_cidr: str = CLUSTER_CIDR
    service_cidrs: tuple[str, ...] = (SERVICE_CIDR,)
    detect_local: str | None = "ClusterCIDR"
    bridge_interface: str = "cbr0"
    masquerade_all: bool = False
    node_port_addresses: tuple[str, ...] | None = None
    localhost_node_ports: bool = True
