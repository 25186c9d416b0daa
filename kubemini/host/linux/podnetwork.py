"""The pod network of one host: which addresses its pods get, and who listens on them.

Invariant: every pod of worker N has an address of 10.244.N.0/24, so any host knows from the address where to send a
packet, and no address is ever rewritten between pods, nor given away while a pod still has it.
The host-local IPAM plugin and routes as flannel's host-gw backend sets them.
Simplified: reaching a host is reaching its pods; no bridges, no encapsulation, no MTU.
"""

from collections.abc import Container
from typing import Any, Protocol

from kubemini.host.linux.kernel import Kernel


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


def pod_cidr(host: Machine) -> str:
    """The range of the pods of worker N: 10.244.N.0/24."""
    return f"{_pods_of(host)}.0/24"


def next_ip(host: Machine, taken: Container[str] = ()) -> str:
    """An IP for a new pod: the one after the last given away, which is on disk, that is not *taken*.

    Models containernetworking/plugins plugins/ipam/host-local/backend/allocator IPAllocator.Get
    """
    pods, last = _pods_of(host), host.disk.files.get("ipam", 1)
    for number in (*range(last + 1, 255), *range(2, last + 1)):
        if f"{pods}.{number}" not in taken:
            host.disk.files["ipam"] = number
            return f"{pods}.{number}"
    raise AssertionError(f"{host.name} has more than 253 pods: a kubelet takes 110, so somebody forgot to remove them")


def _pods_of(host: Machine) -> str:
    digits = host.name[len(host.name.rstrip("0123456789")) :]
    return f"10.244.{int(digits or 0)}"
