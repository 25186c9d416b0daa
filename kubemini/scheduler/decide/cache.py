"""What the scheduler knows of each node: its object, the pods on it, and the sum of their requests. Pure.

Invariant: a pod counts on its node from the moment the scheduler has chosen it (it is *assumed*), not only when the
watch shows the binding; so two decisions in a row never give the same room away twice.
Models k/k pkg/scheduler/backend/cache cacheImpl
Models k/k pkg/scheduler/framework NodeInfo
Models k/component-helpers resource PodRequests
Simplified: no in-place resizing.
"""

from collections import Counter
from collections.abc import Iterable, Mapping

from kubemini.api import quantity
from kubemini.api.objects import EMPTY, Obj, get

Resources = Mapping[str, int]  # cpu in millicores, all else in units
DEFAULT_CPU, DEFAULT_MEMORY = 100, 200 * 1024 * 1024  # what scoring assumes of a container that requests nothing


def amounts(listed: Mapping[str, str] | None) -> Counter[str]:
    """A list of resources in numbers."""
    read = {"cpu": quantity.millicores}
    return Counter({name: read.get(name, quantity.in_bytes)(text) for name, text in (listed or EMPTY).items()})


def requests(pod: Obj) -> Resources:
    """What *pod* requests: of its containers together, or for itself as a whole, and its overhead."""
    return _total(pod, EMPTY)


def assumed_requests(pod: Obj, incoming: bool = False) -> Resources:
    """The same for scoring, where a container that is silent about cpu or memory counts as a small one.

    Of the *incoming* pod, the one to be placed, requests for the pod as a whole are not read.
    """
    return _total(pod, {"cpu": DEFAULT_CPU, "memory": DEFAULT_MEMORY}, whole=not incoming)


def _total(pod: Obj, defaults: Resources, whole: bool = True) -> Resources:
    spec = pod["spec"]
    total = _of_containers(spec, defaults)
    if whole:
        total = Counter({**total, **amounts(get(spec, "resources", "requests"))})
    total.update(amounts(spec.get("overhead")))
    return total


def _of_containers(spec: Obj, defaults: Resources) -> Counter[str]:
    """All that run together, sidecars too; or, if more, one init container beside the sidecars before it."""
    sidecars: Counter[str] = Counter()
    most: Counter[str] = Counter()
    for container in spec.get("initContainers") or ():
        here = sidecars + Counter(_requested(container, defaults))
        most |= here
        if is_sidecar(container):
            sidecars = here
    total = Counter(sidecars)
    for container in spec.get("containers") or ():
        total.update(_requested(container, defaults))
    return total | most


def is_sidecar(container: Obj) -> bool:
    """Whether an init container goes on running beside the others."""
    return container.get("restartPolicy") == "Always"


def _requested(container: Obj, defaults: Resources) -> Resources:
    return {**defaults, **amounts(get(container, "resources", "requests"))}


class NodeInfo:
    """One node as the scheduler sees it."""

    __slots__ = ("allocatable", "assumed", "name", "node", "pods", "requested", "with_affinity")

    def __init__(self, node: Obj, pods: Iterable[Obj] = ()):
        self.name = node["metadata"]["name"]
        self.pods: dict[str, Obj] = {}  # by UID
        self.with_affinity: dict[str, Obj] = {}  # those that care which pods are near
        self.requested: Counter[str] = Counter()
        self.assumed: Counter[str] = Counter()
        self.set(node)
        for pod in pods:
            self.add(pod)

    def set(self, node: Obj) -> None:
        """The node object has changed."""
        self.node = node
        self.allocatable: Resources = amounts(get(node, "status", "allocatable"))

    def add(self, pod: Obj) -> None:
        """A pod is on this node, or will be."""
        self.remove(pod["metadata"]["uid"])
        self.pods[pod["metadata"]["uid"]] = pod
        if get(pod, "spec", "affinity", "podAffinity") or get(pod, "spec", "affinity", "podAntiAffinity"):
            self.with_affinity[pod["metadata"]["uid"]] = pod
        self.requested.update(requests(pod))
        self.assumed.update(assumed_requests(pod))

    def remove(self, uid: str) -> None:
        """A pod is not on this node any more."""
        pod = self.pods.pop(uid, None)
        self.with_affinity.pop(uid, None)
        if pod is not None:
            self.requested.subtract(requests(pod))
            self.assumed.subtract(assumed_requests(pod))

    @property
    def labels(self) -> Mapping[str, str]:
        """The node's labels."""
        return self.node["metadata"].get("labels") or EMPTY

    @property
    def taints(self) -> list[Obj]:
        """The node's taints."""
        return get(self.node, "spec", "taints") or []


class Cache:
    """All nodes; pods whose node is not known yet wait for it."""

    def __init__(self) -> None:
        self.nodes: dict[str, NodeInfo] = {}
        self.where: dict[str, str] = {}  # UID of a pod → its node
        self.homeless: dict[str, dict[str, Obj]] = {}

    def set_node(self, node: Obj) -> None:
        """A node is new, or has changed."""
        name = node["metadata"]["name"]
        if name in self.nodes:
            self.nodes[name].set(node)
        else:
            self.nodes[name] = NodeInfo(node, self.homeless.pop(name, EMPTY).values())

    def remove_node(self, name: str) -> None:
        """A node is gone; its pods may outlive it for a while."""
        info = self.nodes.pop(name, None)
        if info is not None and info.pods:
            self.homeless[name] = dict(info.pods)

    def add_pod(self, pod: Obj, node: str) -> None:
        """A pod is on *node*, bound or assumed."""
        uid = pod["metadata"]["uid"]
        if self.where.get(uid) != node:
            self.remove_pod(uid)
        self.where[uid] = node
        if node in self.nodes:
            self.nodes[node].add(pod)
        else:
            self.homeless.setdefault(node, {})[uid] = pod

    def remove_pod(self, uid: str) -> None:
        """A pod is gone, or was assumed in vain."""
        node = self.where.pop(uid, "")
        if node in self.nodes:
            self.nodes[node].remove(uid)
        else:
            self.homeless.get(node, {}).pop(uid, None)
