"""What the scheduler knows of the nodes and of the pods on them, in the order in which it looks at them. Pure.

Invariant: a pod counts on its node from the moment the scheduler has chosen it (it is *assumed*), not only when the
watch shows the binding; so two decisions in a row never give the same room away twice.
The order: zones in turn, as they were first seen, a node of each; within a zone as the nodes were added.
Models k/k pkg/scheduler/backend/cache cacheImpl
Models k/k pkg/scheduler/backend/cache nodeTree.list
"""

from collections.abc import Sequence
from itertools import zip_longest

from kubemini.api.objects import EMPTY, Obj
from kubemini.scheduler.decide.kept.changes import Changes
from kubemini.scheduler.decide.kept.columns import Columns
from kubemini.scheduler.decide.kept.crowds import Crowds
from kubemini.scheduler.decide.nodeinfo import NodeInfo

REGION, ZONE = "topology.kubernetes.io/region", "topology.kubernetes.io/zone"
BETA = {
    REGION: "failure-domain.beta.kubernetes.io/region",
    ZONE: "failure-domain.beta.kubernetes.io/zone",
}


class Images:
    """Which nodes have an image; its size is that which was heard of first."""

    def __init__(self) -> None:
        self.sizes: dict[str, int] = {}
        self.nodes: dict[str, dict[str, None]] = {}  # image → the nodes that have it
        self.generation = 0

    def changed(self, name: str, before: dict[str, int], now: dict[str, int]) -> None:
        """Node *name* had some images, and has others."""
        if before == now:
            return
        self.generation += 1
        for image in before:
            there = self.nodes[image]
            del there[name]
            if not there:
                del self.nodes[image], self.sizes[image]
        for image, size in now.items():
            self.sizes.setdefault(image, size)
            self.nodes.setdefault(image, {})[name] = None


class Cache:
    """All nodes; pods whose node is not known yet wait for it."""

    def __init__(self) -> None:
        self.nodes: dict[str, NodeInfo] = {}
        self.where: dict[str, str] = {}  # UID of a pod → its node
        self.homeless: dict[str, dict[str, Obj]] = {}
        self.affine: dict[str, NodeInfo] = {}  # nodes with pods that care which pods are near
        self.images = Images()
        self.changes = Changes()
        self.crowds, self.columns = Crowds(self.nodes, self.changes), Columns(self.changes)
        self._zones: dict[tuple[str, str], dict[str, None]] = {}
        self._order: list[NodeInfo] | None = None

    def set_node(self, node: Obj) -> None:
        """A node is new, or has changed."""
        name = node["metadata"]["name"]
        known = self.nodes.get(name)
        before = dict(known.images) if known else {}
        zone = _zone(known.node) if known else None
        if known:
            known.set(node)
            self.columns.relabelled(name)
        else:
            known = self.nodes[name] = NodeInfo(node, self.homeless.pop(name, EMPTY).values())
        self.images.changed(name, before, known.images)
        self._changed(known)
        if zone != _zone(node):
            if zone is not None:
                self._leave(name, zone)
            self._zones.setdefault(_zone(node), {})[name] = None
            self._order = None

    def remove_node(self, name: str) -> None:
        """A node is gone; its pods may outlive it for a while."""
        info = self.nodes.pop(name, None)
        if info is None:
            return
        self.images.changed(name, info.images, {})
        self.changes.note(name)
        self.affine.pop(name, None)
        self._leave(name, _zone(info.node))
        if info.pods:
            self.homeless[name] = dict(info.pods)

    def _changed(self, info: NodeInfo) -> None:
        self.changes.note(info.name)
        if info.with_affinity:
            self.affine[info.name] = info
        else:
            self.affine.pop(info.name, None)

    def _leave(self, name: str, zone: tuple[str, str]) -> None:
        del self._zones[zone][name]
        if not self._zones[zone]:
            del self._zones[zone]
        self._order = None

    def ordered(self) -> Sequence[NodeInfo]:
        """The nodes, zone by zone in turn."""
        if self._order is None:
            rounds = zip_longest(*self._zones.values())
            self._order = [self.nodes[name] for names in rounds for name in names if name is not None]
            self.columns.arrange(self._order)
        return self._order

    def add_pod(self, pod: Obj, node: str) -> None:
        """A pod is on *node*, bound or assumed."""
        uid = pod["metadata"]["uid"]
        if self.where.get(uid) != node:
            self.remove_pod(uid)
        self.where[uid] = node
        if node in self.nodes:
            self.nodes[node].add(pod)
            self._changed(self.nodes[node])
        else:
            self.homeless.setdefault(node, {})[uid] = pod

    def remove_pod(self, uid: str) -> None:
        """A pod is gone, or was assumed in vain."""
        node = self.where.pop(uid, "")
        if node in self.nodes:
            self.nodes[node].remove(uid)
            self._changed(self.nodes[node])
        else:
            self.homeless.get(node, {}).pop(uid, None)


def _zone(node: Obj) -> tuple[str, str]:
    carried = node["metadata"].get("labels") or EMPTY
    region, zone = (carried.get(BETA[key]) or carried.get(key) or "" for key in (REGION, ZONE))
    return region, zone
