"""The pod network of one host, as its container runtime meets it: who gives pods addresses, and who listens on them.

Invariant: every pod of a worker has an address of the worker's own range (its Node's spec.podCIDR), so any host knows
from the address where to send a packet, and no address is ever rewritten between pods, nor given away while a pod has
it. Who keeps it is the CNI plugin; the runtime only asks: `add` when a pod comes, `delete` when it has gone.
Routes as flannel's host-gw backend sets them.
Simplified: reaching a host is reaching its pods; `kubemini.network.walks` walks every packet.
"""

from collections.abc import Container
from ipaddress import ip_network
from typing import Any, Protocol

from kubemini.host.linux.addresses import within
from kubemini.host.linux.kernel import Kernel

CLUSTER_CIDR = "10.244.0.0/16"
OWN_RANGE = "podCIDR"  # the file in which a host keeps the range of its pods


class NoNetwork(Exception):
    """A pod cannot have a network; the text says why. A CNI plugin raises it, and the kubelet tries again later."""


class Cni(Protocol):
    """What a container runtime asks of a host's CNI plugins. A class of your own may stand in (`Cluster.use_cni`)."""

    def add(self, pod: Any) -> str:
        """Give *pod* (the object) an interface: its address. NoNetwork: it cannot be."""

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


def block(host: Machine, mask_size: int) -> str:
    """The range that worker N is due: the N-th of that size in 10.244.0.0/16, such as 10.244.N.0/24.

    Models k/k pkg/controller/nodeipam/ipam/cidrset CidrSet.AllocateNext
    """
    digits = host.name[len(host.name.rstrip("0123456789")) :]
    cluster = ip_network(CLUSTER_CIDR)
    start = int(cluster.network_address) + (int(digits or 0) << (cluster.max_prefixlen - mask_size))
    return f"{ip_network((start, mask_size))}"


def assign(host: Machine, pod_cidr: str) -> None:
    """The Node says which range its pods have: the host keeps it on disk, for the plugins."""
    host.disk.files[OWN_RANGE] = pod_cidr


def pod_cidr(host: Machine) -> str:
    """The range of the pods of *host*: as its Node says, or, before there is one, as it is due."""
    return str(host.disk.files.get(OWN_RANGE) or block(host, 24))


def forget_way(host: Machine, other: Machine) -> None:
    """``ip route del``: *host* does not know any more where the pods of *other* are."""
    host.kernel.lost_routes[other.name] = pod_cidr(other)


def learn_way(host: Machine, other: Machine) -> None:
    """``ip route add``: it knows again; so it does after a boot, when whoever sets routes starts anew."""
    host.kernel.lost_routes.pop(other.name, None)


def knows_way(host: Machine, address: str) -> bool:
    """Whether *host* can send to *address*: if that is a pod's, it needs the route of its host."""
    return not any(within(address, lost) for lost in host.kernel.lost_routes.values())
