"""The pod network of one host: which addresses its pods get, and who listens on them.

Invariant: every pod of worker N has an address of 10.244.N.0/24, so any host knows from the address where to send a
packet, and no address is ever rewritten between pods.
The host-local IPAM plugin and routes as flannel's host-gw backend sets them.
Simplified: reaching a host is reaching its pods; no bridges, no encapsulation, no MTU.
"""

from kubemini.host.machine import Host


def listening(host: Host) -> dict[str, str]:
    """Who listens on the pod IPs of *host*: {ip: pod name}."""
    return host.kernel.setdefault("listening", {})


def pod_at(host: Host, ip: str) -> str | None:
    """The pod that listens on *ip* of *host*, or None: the connection is refused."""
    return listening(host).get(ip)


def pod_cidr(host: Host) -> str:
    """The range of the pods of worker N: 10.244.N.0/24."""
    return f"{_pods_of(host)}.0/24"


def next_ip(host: Host) -> str:
    """An IP for a new pod: the one after the last given away, which is on disk, as the host-local plugin does.

    Simplified: after .254 it begins again, without looking whether a pod still has the address.
    """
    last = host.disk.files.get("ipam", 1)
    host.disk.files["ipam"] = following = 2 if last >= 254 else last + 1
    return f"{_pods_of(host)}.{following}"


def _pods_of(host: Host) -> str:
    digits = host.name[len(host.name.rstrip("0123456789")) :]
    return f"10.244.{int(digits or 0)}"
