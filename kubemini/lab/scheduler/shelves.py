"""Clusters as the scheduler sees them, without anything else: nodes, and pods that are put on them one after another.

    shelf = Shelf([a_node("n1", "a", "4")])
    shelf.place(a_pod("web-1", "web", "500m"))      the real decision, of the default profile and whatever is plugged in

Hundreds of them are made and judged where one whole cluster would take a second.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from kubemini.api.objects import Obj, evolve, freeze
from kubemini.scheduler import plugins
from kubemini.scheduler.decide.nodeinfo import NodeInfo
from kubemini.scheduler.decide.plugin import Plugin
from kubemini.scheduler.machine import Attempt, Machine
from kubemini.sim.units import MINUTE, SECOND

ZONE, HOSTNAME = "topology.kubernetes.io/zone", "kubernetes.io/hostname"
BACKOFF, FLUSH = (SECOND, 10 * SECOND), 5 * MINUTE


class Shelf:
    """*nodes* and whoever is put on them; *more* plugins beside those of the default profile."""

    def __init__(self, nodes: Sequence[Obj], more: Sequence[Plugin] = ()):
        profile = sorted((*plugins.profile(), *more), key=lambda plugin: plugin.place)
        self.machine = Machine(tuple(profile), BACKOFF, FLUSH)
        for node in nodes:
            self.machine.node_changed(None, node, 0)

    @property
    def nodes(self) -> list[NodeInfo]:
        """The nodes with their pods, in the order of the search."""
        return list(self.machine.cache.ordered())

    def put(self, pod: Obj, node: str) -> None:
        """The pod is there already."""
        self.machine.pod_changed(None, evolve(pod, ("spec", "nodeName"), node), 0)

    def place(self, pod: Obj) -> Attempt:
        """Let the scheduler decide; a pod with a node counts there from now on."""
        self.machine.pod_changed(None, pod, 0)
        entry = self.machine.pop(0)
        assert entry is not None, "the queue holds the pod that has just come"
        attempt = self.machine.attempt(entry, 0)
        if attempt.decision.node:
            self.machine.pod_changed(pod, evolve(pod, ("spec", "nodeName"), attempt.decision.node), 0)
        return attempt

    def take(self, name: str) -> None:
        """The pod is gone."""
        pod = next(pod for info in self.nodes for pod in info.pods.values() if pod["metadata"]["name"] == name)
        self.machine.pod_changed(pod, None, 0)

    def counts(self, app: str, by: str = HOSTNAME) -> Counter[str]:
        """How many pods of *app* are in each domain of a label; domains with none too."""
        found = Counter({info.labels[by]: 0 for info in self.nodes})
        for info in self.nodes:
            found[info.labels[by]] += sum(pod["metadata"]["labels"].get("app") == app for pod in info.pods.values())
        return found


def a_node(name: str, zone: str, cpu: int, memory: str = "32Gi") -> Obj:
    """A node with so many CPUs."""
    labels = {HOSTNAME: name, ZONE: zone}
    room = {"cpu": str(cpu), "memory": memory, "pods": "110"}
    return freeze({"metadata": {"name": name, "labels": labels}, "spec": {}, "status": {"allocatable": room}})


def a_pod(name: str, app: str, cpu: str, **spec: Any) -> Obj:
    """A pod of an app that asks for so much CPU."""
    meta: Mapping[str, Any] = {"name": name, "namespace": "default", "uid": name, "labels": {"app": app}}
    container = {"name": "c", "image": app, "resources": {"requests": {"cpu": cpu, "memory": "128Mi"}}}
    return freeze({"metadata": meta, "spec": {"containers": [container], **spec}, "status": {}})
