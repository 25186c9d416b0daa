"""The pod network of one host, as its container runtime meets it: who gives pods addresses, and who listens on them.

Invariant: every pod of a worker has an address of the worker's own range (its Node's spec.podCIDRs, one of each family
that the cluster speaks), so any host knows from the address where to send a packet, and no address is ever rewritten
between pods, nor given away while a pod has it. Who keeps it is the CNI plugin; the runtime only asks: `add` when a pod
comes, `delete` when it has gone.
Routes as flannel's host-gw backend sets them.
Simplified: reaching a host is reaching its pods; `kubemini.network.walks` walks every packet.
"""

from collections.abc import Container, Iterable, Mapping
from ipaddress import ip_network
from typing import Any, Protocol

from kubemini.api.names import host_ip, host_ip6, host_number
from kubemini.host.linux.addresses import within
from kubemini.host.linux.kernel import Kernel

CLUSTER_CIDR = "10.244.0.0/16"
OWN_RANGE = "podCIDR"  # the file in which a host keeps the range of its pods


class NoNetwork(Exception):
    """A pod cannot have a network; the text says why. A CNI plugin raises it, and the kubelet tries again later."""


class Cni(Protocol):
    """What a container runtime asks of a host's CNI plugins. A class of your own may stand in (`Cluster.use_cni`)."""

    def add(self, pod: Any) -> str:
        """Give *pod* (the object) an interface: its address, or two with a comma between. NoNetwork: it cannot be."""

    def delete(self, pod: Any) -> None:
        """*pod* has gone: take back what it had. Asked once more than needed, it does nothing."""

    def collect(self, pods: Container[str]) -> None:
        """Only the pods with these uids are still there: take back what others had."""


class Machine(Protocol):
    """A host, as its pod network knows it."""

    name: str
    kernel: Kernel

    @property
    def disk(self) -> Any:
        """What outlives the power."""


def listening(host: Machine) -> dict[str, str]:
    """Who listens on the pod IPs of *host*: {ip: pod name}."""
    return host.kernel.listening


def pod_at(host: Machine, ip: str) -> str | None:
    """The pod that listens on *ip* of *host*, or None: the connection is refused."""
    return listening(host).get(ip)


def block(host: Machine, mask_size: int, cluster_cidr: str = CLUSTER_CIDR) -> str:
    """The range that worker N is due: the N-th of that size in the cluster's, such as 10.244.N.0/24.

    Models k/k pkg/controller/nodeipam/ipam/cidrset CidrSet.AllocateNext
    """
    cluster = ip_network(cluster_cidr)
    start = int(cluster.network_address) + (host_number(host.name) << (cluster.max_prefixlen - mask_size))
    if cluster.version == 6:
        return f"{ip_network((start.to_bytes(16, 'big'), mask_size))}"
    return f"{ip_network((start, mask_size))}"


def blocks(host: Machine, cluster_cidrs: Iterable[str], masks: tuple[int, int]) -> list[str]:
    """The ranges that it is due, one of each family of the cluster; *masks*: their sizes in IPv4 and IPv6."""
    return [block(host, masks[":" in cidr], cidr) for cidr in cluster_cidrs]


def assign(host: Machine, pod_cidrs: Iterable[str]) -> None:
    """The Node says which ranges its pods have: the host keeps them on disk, for the plugins."""
    host.disk.files[OWN_RANGE] = ",".join(pod_cidrs)


def pod_cidrs(host: Machine) -> list[str]:
    """The ranges of the pods of *host*, one a family: as its Node says, or, before there is one, as it is due."""
    return str(host.disk.files.get(OWN_RANGE) or block(host, 24)).split(",")


def own_addresses(host: Machine) -> tuple[str, ...]:
    """The host's own addresses, one of each family that its pods have."""
    return addresses_for(host, pod_cidrs(host))


def addresses_for(host: Machine, cidrs: Iterable[str]) -> tuple[str, ...]:
    """The same, if its pods have these ranges."""
    return tuple((host_ip6 if ":" in cidr else host_ip)(host.name) for cidr in cidrs)


def forget_way(host: Machine, other: Machine) -> None:
    """``ip route del``: *host* does not know any more where the pods of *other* are."""
    host.kernel.lost_routes[other.name] = ",".join(pod_cidrs(other))


def learn_way(host: Machine, other: Machine) -> None:
    """``ip route add``: it knows again; so it does after a boot, when whoever sets routes starts anew."""
    host.kernel.lost_routes.pop(other.name, None)


def knows_way(host: Machine, address: str) -> bool:
    """Whether *host* can send to *address*: if that is a pod's, it needs the route of its host."""
    return not any(within(address, cidr) for lost in host.kernel.lost_routes.values() for cidr in lost.split(","))


def stack_at(stations: Mapping[str, Any], ip: str) -> Any | None:
    """The network stack (``pods@worker-1``) of the machine that has *ip*, or whose pods have such addresses."""
    for name, found in stations.items():
        if name.startswith("pods@"):
            own, cidrs = own_addresses(found.host), pod_cidrs(found.host)
            if ip in own or any(within(ip, cidr) for cidr in cidrs):
                return found
    return None
