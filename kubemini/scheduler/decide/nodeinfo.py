"""One node as the scheduler sees it: its object, the pods on it, and the sum of what they request. Pure.

Invariant: the sums are those of the pods that are in it. Its taken ports are not counted, as upstream does not: of two
pods with one port (a kubelet refuses the second) the first that goes takes it off, though the other has it still.
Models k/k pkg/scheduler/framework NodeInfo
Models k/kube-scheduler framework HostPortInfo.Remove
"""

from collections.abc import Iterable, Mapping

from kubemini.api.objects import EMPTY, Obj, get
from kubemini.scheduler.decide.resources import Resources, amounts, assumed_requests, is_sidecar, requests

NEAR, FAR = "podAffinity", "podAntiAffinity"
Port = tuple[str, str, int]  # address of the host, "" for all; protocol; number


class Guest:
    """A pod as it counts on a node, worked out once."""

    __slots__ = ("affine", "assumed", "pod", "ports", "requested")

    def __init__(self, pod: Obj):
        self.pod = pod
        self.requested = requests(pod)
        self.assumed = assumed_requests(pod)
        self.ports = host_ports(pod)
        affinity = pod["spec"].get("affinity") or EMPTY
        self.affine = bool(affinity.get(NEAR) or affinity.get(FAR))  # it cares which pods are near


class NodeInfo:
    """A node with its pods."""

    __slots__ = (
        "allocatable",
        "assumed",
        "guests",
        "images",
        "labels",
        "name",
        "node",
        "pods",
        "ports",
        "requested",
        "taints",
        "with_affinity",
    )

    def __init__(self, node: Obj, pods: Iterable[Obj] = ()):
        self.name: str = node["metadata"]["name"]
        self.pods: dict[str, Obj] = {}  # by UID
        self.guests: dict[str, Guest] = {}
        self.with_affinity: dict[str, Obj] = {}
        self.requested: dict[str, int] = {}
        self.assumed: dict[str, int] = {}
        self.ports: dict[Port, None] = {}
        self.set(node)
        for pod in pods:
            self.add(pod)

    def set(self, node: Obj) -> None:
        """The node object has changed."""
        self.node = node
        self.labels: Mapping[str, str] = node["metadata"].get("labels") or EMPTY
        self.taints: list[Obj] = get(node, "spec", "taints") or []
        self.allocatable: Resources = amounts(get(node, "status", "allocatable"))
        listed = get(node, "status", "images") or ()
        self.images: dict[str, int] = {}
        for image in listed:
            for name in image.get("names") or ():
                self.images.setdefault(name, image.get("sizeBytes", 0))

    def add(self, pod: Obj) -> None:
        """A pod is on this node, or will be."""
        uid = pod["metadata"]["uid"]
        self.remove(uid)
        self.admit(uid, Guest(pod))

    def admit(self, uid: str, guest: Guest) -> None:
        """The same, of a pod whose figures are known."""
        self.pods[uid], self.guests[uid] = guest.pod, guest
        if guest.affine:
            self.with_affinity[uid] = guest.pod
        self._count(guest, 1)

    def remove(self, uid: str) -> None:
        """A pod is not on this node any more."""
        guest = self.guests.pop(uid, None)
        if guest is not None:
            del self.pods[uid]
            self.with_affinity.pop(uid, None)
            self._count(guest, -1)

    def _count(self, guest: Guest, sign: int) -> None:
        for name, amount in guest.requested.items():
            self.requested[name] = self.requested.get(name, 0) + sign * amount
        for name in ("cpu", "memory"):
            self.assumed[name] = self.assumed.get(name, 0) + sign * guest.assumed.get(name, 0)
        for port in guest.ports:
            if sign > 0:
                self.ports[port] = None
            else:
                self.ports.pop(port, None)

    def copy(self) -> "NodeInfo":
        """Another one, to try something out on."""
        other = NodeInfo.__new__(NodeInfo)
        other.name, other.node, other.labels, other.taints = self.name, self.node, self.labels, self.taints
        other.allocatable, other.images = self.allocatable, self.images
        other.pods, other.guests = dict(self.pods), dict(self.guests)
        other.with_affinity = dict(self.with_affinity)
        other.requested, other.assumed, other.ports = dict(self.requested), dict(self.assumed), dict(self.ports)
        return other


def host_ports(pod: Obj) -> list[Port]:
    """The ports of the host that a pod's containers, sidecars too, want."""
    spec = pod["spec"]
    containers = [*(spec.get("containers") or ()), *filter(is_sidecar, spec.get("initContainers") or ())]
    ports = (port for container in containers for port in container.get("ports") or ())
    return [(_address(port), port.get("protocol", "TCP"), port["hostPort"]) for port in ports if port.get("hostPort")]


def _address(port: Obj) -> str:
    found: str = port.get("hostIP") or ""
    return "" if found == "0.0.0.0" else found
