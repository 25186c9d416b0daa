"""What the scheduler knows of each node: its object, the pods on it, and the sum of their requests. Pure.

Invariant: a pod counts on its node from the moment the scheduler has chosen it (it is *assumed*), not only when the
watch shows the binding; so two decisions in a row never give the same room away twice.
k/k pkg/scheduler/backend/cache, framework/types.go; requests: component-helpers resource/helpers.go.
Simplified: no sidecar containers, no in-place resizing.
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
    """What *pod* requests: the sum of its containers, or its largest init container, and its overhead."""
    return _total(pod, EMPTY)


def assumed_requests(pod: Obj) -> Resources:
    """The same for scoring, where a container that is silent about cpu or memory counts as a small one."""
    return _total(pod, {"cpu": DEFAULT_CPU, "memory": DEFAULT_MEMORY})


def _total(pod: Obj, defaults: Resources) -> Resources:
    spec = pod["spec"]
    total: Counter[str] = Counter()
    for container in spec.get("containers") or ():
        total.update(_requested(container, defaults))
    for container in spec.get("initContainers") or ():
        total |= Counter(_requested(container, defaults))
    total.update(amounts(spec.get("overhead")))
    return total


def _requested(container: Obj, defaults: Resources) -> Resources:
    return {**defaults, **amounts(get(container, "resources", "requests"))}


class NodeInfo:
    """One node as the scheduler sees it."""

    __slots__ = ("allocatable", "assumed", "name", "node", "pods", "requested")

    def __init__(self, node: Obj, pods: Iterable[Obj] = ()):
        self.name = node["metadata"]["name"]
        self.pods: dict[str, Obj] = {}  # by UID
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
        self.requested.update(requests(pod))
        self.assumed.update(assumed_requests(pod))

    def remove(self, uid: str) -> None:
        """A pod is not on this node any more."""
        pod = self.pods.pop(uid, None)
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
        return self.node["spec"].get("taints") or []


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
