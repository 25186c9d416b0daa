"""The scheduler's own work, without a wire: 5,000 nodes in three zones, pods of five sizes, all default plugins.

As upstream's it looks for enough nodes, not for all. Two cases: pods that nobody owns, as in upstream's own tests,
and pods of twenty applications, each with a Service and a ReplicaSet, which are spread over hosts and zones.
"""

from typing import Any

from kubemini.api.objects import Obj, freeze
from kubemini.scheduler import plugins
from kubemini.scheduler.decide.listers import Listers
from kubemini.scheduler.machine import Machine
from kubemini.sim.units import MINUTE, SECOND

NODES, PODS, APPS = 5000, 1000, 20
SIZES = (("100m", "128Mi"), ("250m", "256Mi"), ("500m", "1Gi"), ("1", "2Gi"), ("50m", "64Mi"))


class Crowd:
    """A scheduler with its nodes; *owned*: the pods belong to applications; *own*: no two of them request the same."""

    def __init__(self, owned: bool = False, nodes: int = NODES, own: bool = False):
        self.objects: dict[str, dict[tuple[str, str], Obj]] = {"Pod": {}}
        if owned:
            self.objects |= {"Service": {}, "ReplicaSet": {}}
            for number in range(APPS):
                self._application(f"app-{number}")
        known = Listers(lambda kind: self.objects.get(kind, {}))
        self.machine = Machine(plugins.profile(), (SECOND, 10 * SECOND), 5 * MINUTE, known)
        self.owned, self.own = owned, own
        for number in range(nodes):
            self.machine.node_changed(None, freeze(a_node(number)), 0)

    def _application(self, name: str) -> None:
        meta, picks = {"name": name, "namespace": "default"}, {"app": name}
        service = {"kind": "Service", "metadata": meta, "spec": {"selector": picks}}
        owner = {"kind": "ReplicaSet", "metadata": meta, "spec": {"selector": {"matchLabels": picks}}}
        self.objects["Service"]["default", name] = freeze(service)
        self.objects["ReplicaSet"]["default", name] = freeze(owner)

    def place(self, pods: int = PODS) -> list[str]:
        """Place so many pods, one after another; returns the nodes that they were given."""
        chosen = []
        for number in range(pods):
            pod = self._pod(number)
            self.objects["Pod"]["default", pod["metadata"]["name"]] = pod
            self.machine.pod_changed(None, pod, 0)
            entry = self.machine.pop(0)
            assert entry is not None, "the pod that has just come is next"
            chosen.append(self.machine.attempt(entry, 0).decision.node)
            self.machine.queue.done(entry.uid)
        return chosen

    def _pod(self, number: int) -> Obj:
        return freeze(a_pod(number, self.owned, self.own))


def a_pod(number: int, owned: bool = False, own: bool = False) -> dict[str, Any]:
    """A pod; *owned*: of a ReplicaSet; *own*: it requests what no other does."""
    cpu, memory = (f"{100 + number}m", f"{128 + number}Mi") if own else SIZES[number % len(SIZES)]
    name, app = f"p{number}", f"app-{number % APPS}"
    meta: dict[str, Any] = {"name": name, "namespace": "default", "uid": name, "labels": {"app": app}}
    if owned:
        owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": app, "uid": app, "controller": True}
        meta["ownerReferences"] = [owner]
    resources = {"requests": {"cpu": cpu, "memory": memory}}
    container = {"name": "c", "image": "registry.example/app:1", "resources": resources}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {"containers": [container]}}


def a_node(number: int) -> dict[str, Any]:
    """A node in one of three zones, which is ready."""
    name = f"node-{number:05}"
    labels = {"kubernetes.io/hostname": name, "topology.kubernetes.io/zone": "abc"[number % 3]}
    room = {"cpu": "32", "memory": "64Gi", "pods": "110"}
    status = {"allocatable": room, "capacity": room, "conditions": [{"type": "Ready", "status": "True"}]}
    metadata = {"name": name, "labels": labels}
    return {"apiVersion": "v1", "kind": "Node", "metadata": metadata, "spec": {}, "status": status}
