"""The node lifecycle controller at work: a round over all nodes every 5 s, and what it finds out there.

Theory of operation. Four things run beside each other:

    round        every 5 s: is each node heard of? If not, its conditions become Unknown, its pods are marked not ready,
                 and it waits in the queue of its zone. At the end of the round the zones' states set the rates.
    tainting     every 100 ms, while nodes wait and there may be a token: the NoExecute taint (`decide.nodes.eviction`)
    tidying      whenever a node changes: its NoSchedule taints, and its old labels
    newly bound  a pod that is bound to a node which is not ready is marked, too; at the start all of such nodes

So a node that answers again loses its NoSchedule taint at once, and its NoExecute taint in the next round. Nodes with
something to do are looked at eight at a time, in no order that anybody promises: here it is drawn.
Before a node's conditions become Unknown its Lease is asked for at the API server itself: if it is newer than the
cache, the cache is late and nobody is judged until it has caught up.

Models k/k pkg/controller/nodelifecycle Controller.monitorNodeHealth
Models k/k pkg/controller/nodelifecycle Controller.doNoExecuteTaintingPass
Models k/k pkg/controller/nodelifecycle Controller.processPod
Simplified: a node that is Unknown already is not asked for in each round.
"""

from collections.abc import Generator, Iterable
from dataclasses import replace
from typing import Any

import simpy

from kubemini.api.kinds import LEASE, NODE, POD
from kubemini.api.objects import EMPTY, Obj, freeze, get
from kubemini.client import ApiClient, Index, Informers, WorkQueue
from kubemini.client.client import code
from kubemini.client.events import Recorder
from kubemini.controllers.decide.nodes import eviction, health, taints
from kubemini.controllers.decide.nodes.eviction import EvictionQueue, Zone, zone_of
from kubemini.controllers.decide.nodes.health import NodeHealth, readiness
from kubemini.controllers.nodes.tainting import Tainting
from kubemini.host import Component, Timer
from kubemini.sim import Steps
from kubemini.sim.units import MS
from kubemini.wire.rpc import happen

NODE_LEASES = "kube-node-lease"
AT_ONCE, PODS_AT_ONCE = 8, 4  # nodes, and pods, that are worked on beside each other
TRIES, PAUSE = 5, 20 * MS  # NodeHealthUpdateRetry, retrySleepTime
PASS = 100 * MS  # NodeEvictionPeriod
NOT_KNOWN = 50 * MS  # a node that is not known enough to be tainted is tried again after that
NORMAL, WARNING = "Normal", "Warning"


class NodeLifecycle:
    """Writes conditions at once, NoSchedule taints as nodes change, NoExecute taints through queues."""

    def __init__(self, client: ApiClient, informers: Informers, pods_on: Index):
        self.client, self.component, self.pods_on = client, client.component, pods_on
        component, self.params = self.component, self.component.net.params
        self.nodes, self.leases = informers.of(NODE), informers.of(LEASE, NODE_LEASES)
        self.pods = informers.of(POD)
        self.recorder, self.tainting = Recorder(client, "node-controller"), Tainting(client)
        self.changed = WorkQueue(component, self._tidy, AT_ONCE)
        self.bound = WorkQueue(component, self._newly_bound, PODS_AT_ONCE)
        self.health: dict[str, NodeHealth] = {}
        self.known: dict[str, Obj] = {}
        self.unmarked: dict[str, None] = {}  # nodes whose pods could not all be marked
        self.states: dict[Zone, str] = {}
        self.queues: dict[Zone, EvictionQueue] = {}
        self._caught_up_at = 0  # the version that the cache of Leases must have before anybody is judged
        self._began = 0
        self._pass: tuple[int, Timer] | None = None
        self._passing = False
        self._drawn, self._draws = 0, component.sim.draws(f"nodes/{component.name}/{component.incarnation}")
        self.nodes.handlers.append(self._node_changed)
        self.pods.handlers.append(self._pod_changed)

    def start(self) -> None:
        """The caches are filled: begin."""
        self._began = self.component.sim.now
        self.changed.start()
        self.bound.start()
        self.component.spawn(self._monitor())

    def _node_changed(self, old: Obj | None, new: Obj | None) -> None:
        if new is not None:
            self.changed.add(new["metadata"]["name"])
        elif old is not None:
            self.unmarked.pop(old["metadata"]["name"], None)

    def _tidy(self, name: Any) -> Steps:
        """What a node's conditions call for; what fails is tried again when the node changes next."""
        node = self.nodes.get("", name)
        if node is None:
            return None
        added, gone = taints.no_schedule(node)
        if added or gone:
            yield from self.tainting.swap(node, added, gone)
        old = taints.labels(node)
        if old:
            yield from self.client.patch(NODE, name, "", freeze({"metadata": {"labels": old}}))
        return None

    # -- the round -----------------------------------------------------------------------------------------------------
    def _monitor(self) -> Steps:
        first = True
        while True:
            yield from self._round()
            for pod in self.pods.values() if first else ():
                self._pod_changed(None, pod)  # of nodes that another has found silent
            first = False
            yield self.component.timeout(self.params.node_monitor_period + self.params.node_monitor_work)

    def _round(self) -> Steps:
        nodes = list(self.nodes.values())
        yield from self._register(nodes)
        ready: dict[Zone, list[bool]] = {}
        looks = []
        for node in nodes:
            if self._is_calm(node):
                self._count(node, readiness(node), ready)
            else:
                looks.append(self._look(node, ready))
        yield from together(self.component, self._in_some_order(looks), AT_ONCE)
        yield from self._settle(ready, nodes)

    def _register(self, nodes: list[Obj]) -> Steps:
        """Who is new, and who is gone."""
        there = {node["metadata"]["name"]: node for node in nodes}
        for name, node in there.items():
            if zone_of(node) not in self.states:
                self.states[zone_of(node)] = eviction.INITIAL
                self.queues[zone_of(node)] = EvictionQueue(self.params.node_eviction_rate, self.component.sim.now)
            if name not in self.known:
                self._say_of(node, "RegisteredNode", f"Node {name} event: Registered Node {name} in Controller")
                self.known[name] = node
                yield from self._absolve(node)
        for name in [name for name in self.known if name not in there]:
            self._say_of(
                self.known.pop(name), "RemovingNode", f"Node {name} event: Removing Node {name} from Controller"
            )

    def _say_of(self, node: Obj, reason: str, message: str) -> None:
        self.recorder.event(node, NORMAL, reason, message)

    def _is_calm(self, node: Obj) -> bool:
        """Whether a look at *node* finds nothing to do; what it has said is remembered."""
        name = node["metadata"]["name"]
        if self._is_behind():
            return False
        seen = self._observe(node)
        if health.expired(seen, self.component.sim.now, self._grace(seen)):
            return False
        if seen.ready is None:
            return True
        evicting = any(one in taints.names_of(node) for status in taints.EVICTING for one in _wanted(status)[0])
        waits = self.queues[zone_of(node)].knows(name)
        return seen.ready == "True" and not evicting and not waits and name not in self.unmarked

    def _observe(self, node: Obj) -> NodeHealth:
        name = node["metadata"]["name"]
        lease = self.leases.get(NODE_LEASES, name)
        now, date = self.component.sim.now, self.component.sim.wall
        self.health[name] = health.observe(self.health.get(name), node, lease, now, date)
        return self.health[name]

    def _grace(self, seen: NodeHealth) -> int:
        started = seen.ready is not None
        return self.params.node_monitor_grace_period if started else self.params.node_startup_grace_period

    def _is_behind(self) -> bool:
        return int(self.leases.version or 0) < self._caught_up_at

    def _in_some_order(self, looks: list[Steps]) -> list[Steps]:
        for last in range(len(looks) - 1, 0, -1):
            self._drawn += 1
            other = self._draws.between(self._drawn, 0, last)
            looks[last], looks[other] = looks[other], looks[last]
        return looks

    def _count(self, node: Obj, status: str | None, ready: dict[Zone, list[bool]]) -> None:
        if eviction.EXCLUDED not in (get(node, "metadata", "labels") or EMPTY):
            ready.setdefault(zone_of(node), []).append(status == "True")

    def _look(self, node: Obj, ready: dict[Zone, list[bool]]) -> Steps:
        """One look at one node that may have to be changed."""
        name = node["metadata"]["name"]
        for _ in range(TRIES):
            if self._is_behind():
                return
            observed = readiness(node)
            status = yield from self._judge(node)
            if status != FAILED:
                break
            reply = yield from self.client.get(NODE, name)
            if not reply.ok:
                return
            node = reply.value
            yield self.component.timeout(PAUSE)
        if status in (FAILED, LATE):
            return
        self._count(node, status, ready)
        if status is not None:
            yield from self._evict(node, status)
            turned = status != "True" and observed == "True"
            if turned:
                self._say_of(node, "NodeNotReady", f"Node {name} status is now: NodeNotReady")
            if turned or (name in self.unmarked and observed != "True"):
                marked = yield from self._mark(self.pods_on.get(name))
                if not marked:
                    self.unmarked[name] = None
                    return
        self.unmarked.pop(name, None)

    def _judge(self, node: Obj) -> Generator[Any, Any, str | None]:
        """The status of its Ready condition, Unknown now if nobody has heard of it; or `FAILED`, or `LATE`."""
        seen, now = self._observe(node), self.component.sim.now
        if not health.expired(seen, now, self._grace(seen)) or seen.ready == "Unknown":
            return seen.ready
        name = node["metadata"]["name"]
        lease = yield from self.client.get(LEASE, name, NODE_LEASES)
        if lease.ok and lease.value["metadata"]["resourceVersion"] != seen.version:
            self._caught_up_at = int(lease.value["metadata"]["resourceVersion"])
        if (lease.ok and lease.value["metadata"]["resourceVersion"] != seen.version) or code(lease) not in (0, 404):
            return LATE
        reply = yield from self.client.update_status(health.unknown(node, self.component.sim.wall))
        if not reply.ok:
            return FAILED
        self.health[name] = replace(seen, ready="Unknown")
        return "Unknown"

    def _mark(self, pods: Iterable[Obj]) -> Generator[Any, Any, bool]:
        """Nobody vouches for these; whether all could be marked."""
        well = True
        for pod in pods:
            changed = health.not_ready(pod, self.component.sim.wall)
            if changed is not None:
                reply = yield from self.client.update_status(changed)
                if code(reply) == 404:
                    continue
                well = well and reply.ok
                self.recorder.event(pod, WARNING, "NodeNotReady", "Node is not ready")
        return well

    def _settle(self, ready: dict[Zone, list[bool]], nodes: list[Obj]) -> Steps:
        """The end of a round: the zones' states, and the rates that follow."""
        now, params = self.component.sim.now, self.params
        states = {zone: eviction.zone_state(well, params.unhealthy_zone_threshold) for zone, well in ready.items()}
        found = eviction.verdict(self.states, states)
        if found.stop:
            for node in nodes:
                yield from self._absolve(node)
            for zone in found.states:
                self.queues[zone].swap(0.0, now)
        elif found.resume:
            self.health = {name: replace(seen, probed=now) for name, seen in self.health.items()}
        for zone, state in found.states.items() if not found.stop else ():
            if found.resume or state != self.states.get(zone):
                self.queues[zone].swap(eviction.rate_of(state, len(ready.get(zone, ())), params), now)
        self.states = dict(found.states)
        self._arm()

    # -- who may lose pods ---------------------------------------------------------------------------------------------
    def _evict(self, node: Obj, status: str) -> Steps:
        """A node that is not ready waits for its NoExecute taint; one that has the other one gets it at once."""
        name, held = node["metadata"]["name"], taints.names_of(node)
        if status == "True":
            yield from self._absolve(node)
        if status not in taints.EVICTING:  # a server stores any word: one that is none of the three moves nothing
            return
        added, gone = _wanted(status)
        if gone[0] in held:
            yield from self.tainting.swap(node, added, gone)
            return
        queue = self.queues[zone_of(node)]
        if added[0] not in held:
            queue.forget(name)
        queue.add(name, self.component.sim.now)
        self._arm()

    def _absolve(self, node: Obj) -> Steps:
        """The node answers, or it is not the node that is at fault: its pods may stay."""
        for status in ("Unknown", "False"):
            yield from self.tainting.swap(node, (), _wanted(status)[0])
        self.queues[zone_of(node)].forget(node["metadata"]["name"])

    def _arm(self) -> None:
        """Wake up for the next pass in which somebody can be tainted."""
        now = self.component.sim.now
        times = [at for queue in self.queues.values() if (at := queue.ready_at(now)) is not None]
        if self._passing or not times:
            return
        due = self._began + -(-(min(times) - self._began) // PASS) * PASS
        if self._pass is not None:
            if self._pass[0] <= due:
                return
            self._pass[1].cancel()
        self._pass = due, self.component.after(due - now, lambda: self.component.spawn(self._taint()) and None)

    def _taint(self) -> Steps:
        """One pass over the queues of all zones."""
        self._pass, self._passing = None, True
        for queue in list(self.queues.values()):
            while (name := queue.next(self.component.sim.now)) is not None:
                node, now = self.nodes.get("", name), self.component.sim.now
                status = readiness(node) if node is not None else "True"
                if status is None:
                    queue.again(name, now + NOT_KNOWN)
                elif (
                    node is None
                    or status not in taints.EVICTING
                    or (yield from self.tainting.swap(node, *_wanted(status)))
                ):
                    queue.done(name)
                else:
                    queue.again(name, now)
        self._passing = False
        self._arm()

    # -- pods that come later ------------------------------------------------------------------------------------------
    def _pod_changed(self, old: Obj | None, new: Obj | None) -> None:
        name = get(new, "spec", "nodeName", default=None)
        if new is not None and name and name != get(old, "spec", "nodeName", default=None):
            seen = self.health.get(name)
            if seen is not None and seen.ready not in (None, "True"):
                self.bound.add((new["metadata"]["namespace"], new["metadata"]["name"]))

    def _newly_bound(self, key: Any) -> Generator[Any, Any, Any]:
        """A pod has come to a node that nobody vouches for."""
        pod = self.pods.get(*key)
        if pod is None:
            return None
        marked = yield from self._mark([pod])
        return None if marked else "the pod could not be marked"


FAILED, LATE = "failed", "late"  # what a judgement may come to, beside a status
NO_EXECUTE = taints.NO_EXECUTE


def _wanted(status: str) -> tuple[taints.Names, taints.Names]:
    """The NoExecute taint of a node whose Ready condition has that *status*, and the one that it must not have."""
    other = "False" if status == "Unknown" else "Unknown"
    return ((taints.EVICTING[status], NO_EXECUTE),), ((taints.EVICTING[other], NO_EXECUTE),)


def together(component: Component, jobs: list[Steps], at_once: int) -> Steps:
    """Do all *jobs*, so many at a time, and go on when all are done."""
    waiting, ended = iter(jobs), simpy.Event(component.sim)
    left = min(at_once, len(jobs))

    def worker() -> Steps:
        nonlocal left
        for job in waiting:
            yield from job
        left -= 1
        if not left:
            happen(ended, None)

    for _ in range(left):
        component.spawn(worker())
    if jobs:
        yield ended
