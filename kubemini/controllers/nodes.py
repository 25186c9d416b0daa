"""The drivers of the controllers that watch over nodes: life cycle, taint eviction, pod garbage collection.

What they decide stands in `nodelifecycle`, `tainteviction` and `podgc`; here are their clocks and queues.
"""

from collections.abc import Hashable
from typing import Any

from kubemini.api.kinds import LEASE, NODE, POD
from kubemini.api.objects import Obj, get
from kubemini.client import ApiClient, Index, Informers, WorkQueue
from kubemini.client.client import code
from kubemini.controllers.decide import nodelifecycle, podgc, tainteviction
from kubemini.controllers.decide.actions import Delete, UpdateStatus, is_finished, terminating
from kubemini.controllers.decide.controller import Key, key_of
from kubemini.controllers.decide.nodelifecycle import NodeHealth
from kubemini.controllers.reconcile import execute_all
from kubemini.host import Timer
from kubemini.sim import Steps

NODE_LEASES = "kube-node-lease"


class NodeLifecycle:
    """Looks at every node every 5 s; writes conditions at once, and taints through a queue."""

    def __init__(self, client: ApiClient, informers: Informers, pods_on: Index):
        self.client, self.component, self.pods_on = client, client.component, pods_on
        self.params = self.component.net.params
        self.nodes, self.leases = informers.of(NODE), informers.of(LEASE, NODE_LEASES)
        self.queue = WorkQueue(self.component, self.taint, self.params.concurrent_syncs)
        self.health: dict[str, NodeHealth] = {}
        self.granted: dict[str, None] = {}  # nodes whose pods may be evicted
        self.absolved: dict[str, None] = {}  # nodes that were well at the last look
        self.last_grant: dict[str, int] = {}  # by zone
        self.all_disrupted = False
        self.nodes.handlers.append(self._changed)

    def start(self) -> None:
        """The caches are filled: begin."""
        self.queue.start()
        self.component.spawn(self._monitor())

    def _changed(self, old: Obj | None, new: Obj | None) -> None:
        if new is not None:
            self.queue.add(new["metadata"]["name"])
        elif old is not None:
            self.health.pop(old["metadata"]["name"], None)
            self.granted.pop(old["metadata"]["name"], None)
            self.absolved.pop(old["metadata"]["name"], None)

    def _monitor(self) -> Steps:
        while True:
            seen = {}
            for node in list(self.nodes.values()):
                seen[node["metadata"]["name"]] = yield from self._look(node)
            self._grant(seen)
            yield self.component.timeout(self.params.node_monitor_period + self.params.node_monitor_work)

    def _look(self, node: Obj) -> Steps:
        """One look at one node; returns it as the API server has it now."""
        name, now = node["metadata"]["name"], self.component.sim.now
        lease = self.leases.get(NODE_LEASES, name)
        health = self.health[name] = nodelifecycle.observe(self.health.get(name), node, lease, now)
        judged = nodelifecycle.judge(node, health, now, self._grace(node))
        if judged is not node:
            reply = yield from self.client.update_status(judged)
            node = reply.value if reply.ok else node  # if not, the next look will try again
        if nodelifecycle.readiness(node) != "True":
            yield from self._mark_pods(name)
        return node

    def _grace(self, node: Obj) -> int:
        started = nodelifecycle.condition(node, "Ready") is not None
        return self.params.node_monitor_grace_period if started else self.params.node_startup_grace_period

    def _mark_pods(self, node: str) -> Steps:
        """Nobody vouches for the pods of a node that is not ready; what fails is tried again at the next look."""
        for pod in self.pods_on.get(node):
            changed = nodelifecycle.not_ready(pod, self.component.sim.now)
            if changed is not None:
                yield from self.client.update_status(changed)

    def _grant(self, nodes: dict[str, Obj]) -> None:
        """Which silent nodes may lose their pods now, by the state of their zone."""
        params = self.params
        states = nodelifecycle.zone_states(nodes.values(), params.unhealthy_zone_threshold)
        rates = nodelifecycle.eviction_rates(states, nodes.values(), params)
        self.all_disrupted = nodelifecycle.all_disrupted(states)
        for name, node in nodes.items():
            zone, ready = nodelifecycle.zone_of(node), nodelifecycle.readiness(node) == "True"
            if ready or self.all_disrupted:
                self._absolve(node)
            elif name not in self.granted:
                if nodelifecycle.may_evict(self.last_grant.get(zone), rates[zone], self.component.sim.now):
                    self.last_grant[zone] = self.component.sim.now
                    self.granted[name] = None
                    self.absolved.pop(name, None)
                    self.queue.add(name)

    def _absolve(self, node: Obj) -> None:
        """The node answers again, or it is not the node that is at fault: from this round on its pods may stay."""
        name = node["metadata"]["name"]
        self.granted.pop(name, None)
        self.absolved[name] = None
        if nodelifecycle.without_no_execute(node) is not node:
            self.queue.add(name)

    def taint(self, name: Hashable) -> Steps:
        """Bring the taints of one node in line with its conditions."""
        node = self.nodes.get("", str(name))
        if node is None:
            return None
        now = self.component.sim.now
        wanted = nodelifecycle.with_no_schedule(node, now)
        if name in self.granted and nodelifecycle.readiness(node) != "True":
            wanted = nodelifecycle.with_no_execute(wanted, now)
        elif name in self.absolved:
            wanted = nodelifecycle.without_no_execute(wanted)
        if wanted is node:
            return None
        reply = yield from self.client.update(wanted)
        return reply.error


class TaintEviction:
    """A timer for each pod that may stay for a while, and a queue for those whose time is up."""

    def __init__(self, client: ApiClient, informers: Informers, pods_on: Index):
        self.client, self.component, self.pods_on = client, client.component, pods_on
        self.nodes, self.pods = informers.of(NODE), informers.of(POD)
        self.queue = WorkQueue(self.component, self.evict, self.component.net.params.concurrent_syncs)
        self.timers: dict[Key, Timer] = {}
        self.nodes.handlers.append(self._node_changed)
        self.pods.handlers.append(self._pod_changed)

    def start(self) -> None:
        """The caches are filled: begin."""
        self.queue.start()

    def _node_changed(self, old: Obj | None, new: Obj | None) -> None:
        if new is not None and tainteviction.no_execute(old) != tainteviction.no_execute(new):
            for pod in self.pods_on.get(new["metadata"]["name"]):
                self._consider(pod, new)

    def _pod_changed(self, old: Obj | None, new: Obj | None) -> None:
        if new is None:
            self._cancel(key_of(old or {}))
        elif get(old, "spec") != new["spec"] or terminating(new):
            node = self.nodes.get("", get(new, "spec", "nodeName", default=""))
            self._consider(new, node)

    def _consider(self, pod: Obj, node: Obj | None) -> None:
        """Set, keep or cancel the timer of one pod."""
        key, taints = key_of(pod), tainteviction.no_execute(node)
        wait = tainteviction.stay(pod, taints) if taints and not terminating(pod) and not is_finished(pod) else None
        if wait is None:
            self._cancel(key)
        elif wait == 0:
            self._cancel(key)
            self.queue.add(key)
        elif key not in self.timers:
            self.timers[key] = self.component.after(wait, self._time_is_up, key)

    def _cancel(self, key: Key) -> None:
        timer = self.timers.pop(key, None)
        if timer is not None:
            timer.cancel()

    def _time_is_up(self, key: Key) -> None:
        del self.timers[key]
        self.queue.add(key)

    def evict(self, key: Any) -> Steps:
        """Say why, then delete."""
        pod = self.pods.get(*key)
        if pod is None or terminating(pod):
            return None
        marked = tainteviction.doomed(pod, self.component.sim.now)
        return (yield from execute_all(self.client, [UpdateStatus(marked), Delete(pod)]))


class PodGarbageCollector:
    """A deleted node is looked for once more after the quarantine; then its pods go."""

    def __init__(self, client: ApiClient, informers: Informers, pods_on: Index):
        self.client, self.component, self.pods_on = client, client.component, pods_on
        self.nodes = informers.of(NODE)
        self.quarantine = self.component.net.params.pod_gc_quarantine
        self.queue = WorkQueue(self.component, self.collect)
        self.nodes.handlers.append(self._node_changed)
        informers.of(POD).handlers.append(self._pod_changed)

    def start(self) -> None:
        """The caches are filled: begin."""
        self.queue.start()

    def _node_changed(self, old: Obj | None, new: Obj | None) -> None:
        if new is None and old is not None:
            self.queue.add_after(old["metadata"]["name"], self.quarantine)

    def _pod_changed(self, old: Obj | None, new: Obj | None) -> None:
        """A pod may also come, or be found at the start, when its node is gone already."""
        name = get(new, "spec", "nodeName")
        if name and not get(old, "spec", "nodeName") and self.nodes.synced and self.nodes.get("", name) is None:
            self.queue.add_after(name, self.quarantine)

    def collect(self, name: Any) -> Steps:
        """Ask the API server itself whether the node is gone."""
        if self.nodes.get("", name) is not None:
            return None
        reply = yield from self.client.get(NODE, name)
        if not reply.ok and code(reply) != 404:
            return reply.error
        steps = podgc.collect(self.pods_on.get(name), reply.value, self.component.sim.now)
        return (yield from execute_all(self.client, steps))
