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
    """A scheduler with its nodes; *owned*: the pods belong to applications."""

    def __init__(self, owned: bool = False, nodes: int = NODES):
        self.objects: dict[str, dict[tuple[str, str], Obj]] = {"Pod": {}}
        if owned:
            self.objects |= {"Service": {}, "ReplicaSet": {}}
            for number in range(APPS):
                self._application(f"app-{number}")
        known = Listers(lambda kind: self.objects.get(kind, {}))
        self.machine = Machine(plugins.profile(), (SECOND, 10 * SECOND), 5 * MINUTE, known)
        self.owned = owned
        for number in range(nodes):
            self.machine.node_changed(None, _node(number), 0)

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
        cpu, memory = SIZES[number % len(SIZES)]
        requests = {"requests": {"cpu": cpu, "memory": memory}}
        app = f"app-{number % APPS}"
        name = f"p{number}"
        meta: dict[str, Any] = {"name": name, "namespace": "default", "uid": name, "labels": {"app": app}}
        if self.owned:
            owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": app, "uid": app, "controller": True}
            meta["ownerReferences"] = [owner]
        container = {"name": "c", "image": "registry.example/app:1", "resources": requests}
        made: Obj = freeze({"kind": "Pod", "metadata": meta, "spec": {"containers": [container]}})
        return made


def _node(number: int) -> Obj:
    name = f"node-{number:05}"
    labels = {"kubernetes.io/hostname": name, "topology.kubernetes.io/zone": "abc"[number % 3]}
    room = {"cpu": "32", "memory": "64Gi", "pods": "110"}
    made: Obj = freeze({"metadata": {"name": name, "labels": labels}, "spec": {}, "status": {"allocatable": room}})
    return made
