"""kube-scheduler: takes the next pod from its queue, decides, assumes the pod there, and binds it.

Invariant: decisions are made one after another, each over a cache that holds all earlier ones; bindings travel
meanwhile. A binding that fails is forgotten and the pod tries again. Nothing is ever moved: a decision is made once.
A standby keeps its caches warm and decides nothing. k/k pkg/scheduler/schedule_one.go, eventhandlers.go.
Simplified: a decision takes no time; failures show in the pod's condition, not as Event objects.
"""

from typing import Any

from kubemini.api import labels
from kubemini.api.kinds import NAMESPACE, NODE, POD, REPLICA_SET, SERVICE
from kubemini.api.objects import EMPTY, Obj, evolve, freeze, get
from kubemini.api.timestamps import timestamp
from kubemini.client import ApiClient, Elector, Informers
from kubemini.client.client import code
from kubemini.host import Component, Host, Timer
from kubemini.scheduler import plugins
from kubemini.scheduler.decide import queue
from kubemini.scheduler.decide.cache import Cache
from kubemini.scheduler.decide.framework import Decision, decide
from kubemini.scheduler.decide.plugin import POD_DELETED, Cycle, Event, Picks
from kubemini.scheduler.decide.queue import QueuedPod, SchedulingQueue
from kubemini.sim import Sim, Steps
from kubemini.wire import Network

USER = "system:kube-scheduler"
LEASE_NAME = "kube-scheduler"
PROFILE = "default-scheduler"


class Scheduler(Component):
    """One copy of the program; *servers* are the API servers it may use."""

    def __init__(self, sim: Sim, net: Network, host: Host, name: str, servers: list[str]):
        super().__init__(sim, net, host, name)
        self.servers = servers

    def boot(self) -> None:
        params = self.net.params
        self.client = ApiClient(self, self.servers, USER)
        self.cache = Cache()
        self.plugins = plugins.profile()
        by_name = {plugin.name: plugin for plugin in self.plugins}
        self.queue = SchedulingQueue(params.scheduler_backoff, params.scheduler_unschedulable_flush, by_name)
        self.draws = self.sim.draws(f"scheduler/{self.name}/{self.incarnation}")
        self.decisions = 0
        self._woken = False
        self._alarm: Timer | None = None
        self.informers = Informers(self.client)
        self.informers.of(NODE).handlers.append(self.node_changed)
        self.informers.of(POD).handlers.append(self.pod_changed)
        self.services, self.replicasets = self.informers.of(SERVICE), self.informers.of(REPLICA_SET)
        self.namespaces = self.informers.of(NAMESPACE)
        self.elector = Elector(self.client, LEASE_NAME, self.wake, releases=True)
        self.informers.start(self.elector.start)

    def on_sigterm(self) -> None:
        """Release the Lease first."""
        self.elector.resign()

    # -- news ----------------------------------------------------------------------------------------------------
    def node_changed(self, old: Obj | None, new: Obj | None) -> None:
        """A node has come, changed or gone."""
        if new is None:
            self.cache.remove_node((old or {})["metadata"]["name"])
            return
        self.cache.set_node(new)
        for event in queue.node_events(old, new):
            self.queue.happened(event, self.sim.now)
        self.wake()

    def pod_changed(self, old: Obj | None, new: Obj | None) -> None:
        """A pod has come, changed or gone."""
        pod: Any = new or old
        uid, node = pod["metadata"]["uid"], get(pod, "spec", "nodeName")
        if new is None or get(new, "status", "phase") in ("Succeeded", "Failed"):
            self.queue.remove(uid)
            self.cache.remove_pod(uid)
            if node:
                self.queue.happened(Event(POD_DELETED, pod, None, self.labels_of_namespaces()), self.sim.now)
        elif node:
            self.queue.remove(uid)
            self.cache.add_pod(new, node)
            for event in queue.pod_events(old, new, self.labels_of_namespaces()):
                self.queue.happened(event, self.sim.now)
        elif uid not in self.cache.where and "deletionTimestamp" not in new["metadata"]:
            if new["spec"].get("schedulerName", PROFILE) == PROFILE:
                self.queue.add(new, self.sim.now)
        self.wake()

    # -- decisions -----------------------------------------------------------------------------------------------
    def wake(self) -> None:
        """There may be something to do, when all that happens at this instant has been heard."""
        if self.elector.leading and not self._woken:
            self._woken = True
            self.after(0, self._schedule)

    def _schedule(self) -> None:
        self._woken = False
        while (entry := self.queue.pop(self.sim.now)) is not None:
            self.schedule_one(entry)
        self._set_alarm()

    def _set_alarm(self) -> None:
        """Wake up when a back-off ends."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        at = self.queue.next_instant()
        if at is not None:
            self._alarm = self.after(max(0, at - self.sim.now), self.wake)

    def schedule_one(self, entry: QueuedPod) -> None:
        """Decide for one pod."""
        pod = entry.pod
        self.decisions += 1
        nodes = list(self.cache.nodes.values())
        cycle = Cycle(pod, nodes, self.application(pod), self.labels_of_namespaces())
        decision = decide(cycle, self.plugins, self.draws.u(self.decisions))
        self.sim.record(self.name, "decision", pod=pod["metadata"]["name"], **decision.explain())
        if decision.node:
            self.cache.add_pod(evolve(pod, ("spec", "nodeName"), decision.node), decision.node)
            self.spawn(self.bind(entry, decision.node))
        else:
            self.queue.failed(entry, decision.plugins, self.sim.now)
            self.spawn(self.report(pod, decision))

    def labels_of_namespaces(self) -> dict[str, Obj]:
        """What affinity to pods of other namespaces asks for."""
        return {
            found["metadata"]["name"]: found["metadata"].get("labels") or EMPTY for found in self.namespaces.values()
        }

    def application(self, pod: Obj) -> Picks | None:
        """Which pods are of the same kind as *pod*: those that its Services and its ReplicaSet select, all at once."""
        namespace, carried = pod["metadata"]["namespace"], pod["metadata"].get("labels")
        wanted = [s["spec"].get("selector") for s in self.services.values(namespace)]
        selectors = [labels.from_labels(w) for w in wanted if w and labels.contains(carried, w)]
        for reference in pod["metadata"].get("ownerReferences") or ():
            manages = reference["kind"] == "ReplicaSet" and reference.get("controller")
            owner = self.replicasets.get(namespace, reference["name"]) if manages else None
            if owner is not None:
                selectors.append(labels.from_object(owner["spec"]["selector"]))
        if not selectors:
            return None
        return lambda other: all(selector.matches(other["metadata"].get("labels")) for selector in selectors)

    # -- deeds ---------------------------------------------------------------------------------------------------
    def bind(self, entry: QueuedPod, node: str) -> Steps:
        """Tell the API server; the kubelet will see it there."""
        meta = entry.pod["metadata"]
        binding = {
            "apiVersion": "v1",
            "kind": "Binding",
            "metadata": {"name": meta["name"], "namespace": meta["namespace"], "uid": meta["uid"]},
            "target": {"apiVersion": "v1", "kind": "Node", "name": node},
        }
        path = POD.path(meta["namespace"], meta["name"], "binding")
        reply = yield from self.client.post(path, freeze(binding))
        if reply.ok:
            self.queue.done(meta["uid"])
            return
        seen = self.informers.of(POD).get(meta["namespace"], meta["name"])
        if seen is None or seen["metadata"]["uid"] != meta["uid"] or get(seen, "spec", "nodeName"):
            self.queue.done(meta["uid"])  # gone, or bound after all
            return
        self.cache.remove_pod(meta["uid"])
        entry.pod = seen
        self.queue.failed(entry, (), self.sim.now)
        self.queue.happened(Event(POD_DELETED, entry.pod, None, self.labels_of_namespaces()), self.sim.now)
        self.wake()

    def report(self, pod: Obj, decision: Decision) -> Steps:
        """Write into the pod why it stays Pending, unless it says so already."""
        held = get(pod, "status", "conditions", default=())
        before = next((c for c in held if c["type"] == "PodScheduled"), None)
        if before is not None and before.get("message") == decision.message:
            return
        condition = {
            "type": "PodScheduled",
            "status": "False",
            "reason": "Unschedulable",
            "message": decision.message,
            "lastTransitionTime": get(before, "lastTransitionTime") or timestamp(self.sim.now),
        }
        others = [c for c in held if c["type"] != "PodScheduled"]
        meta = pod["metadata"]
        body = freeze({"metadata": {"uid": meta["uid"]}, "status": {"conditions": [*others, condition]}})
        reply = yield from self.client.patch(POD, meta["name"], meta["namespace"], body, "status")
        assert reply.ok or code(reply) != 422, reply.error
