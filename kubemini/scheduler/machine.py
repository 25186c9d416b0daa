"""The whole scheduler but for the wire: news of the cluster go in, attempts come out. Pure: it is told the time.

    machine.pod_changed(None, pod, now)         news, as an informer tells them
    attempt = machine.attempt(machine.pop(now), now)
    attempt.decision.node                       where the pod goes; the machine counts it there from now on
    attempt.preemption, attempt.binding         what whoever drives it has to do

Invariant: decisions are made one after another, each over a picture that holds all earlier ones.
Models k/k pkg/scheduler Scheduler.schedulingCycle
Models k/k pkg/scheduler Scheduler.addAllEventHandlers (what each piece of news does)
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from kubemini.api.objects import Obj, evolve, evolve_many, get
from kubemini.scheduler.decide import events, preemption
from kubemini.scheduler.decide.cache import Cache
from kubemini.scheduler.decide.claims import BY_CONTROLLER, SELECTED_NODE
from kubemini.scheduler.decide.decision import Decision
from kubemini.scheduler.decide.framework import decide, priority
from kubemini.scheduler.decide.listers import Listers
from kubemini.scheduler.decide.nominator import nominated_node
from kubemini.scheduler.decide.plugin import Cycle, Event, Plugin, shape
from kubemini.scheduler.decide.preemption import Candidate, Preemption
from kubemini.scheduler.decide.queue import SchedulingQueue
from kubemini.scheduler.decide.waiting import QueuedPod
from kubemini.scheduler.plugins.volumes.volumebinding import Chosen, Claims, is_for
from kubemini.scheduler.vectors import Vectors

PROFILE = "default-scheduler"
NOT_PREFILTERED = "not found"  # says PostFilter of DynamicResources when its PreFilter has not run
ENDED = ("Succeeded", "Failed")


@dataclass(slots=True)
class Attempt:
    """What came of one try: the *decision*; who must go for it; the volumes and claims to be written before binding."""

    entry: QueuedPod
    decision: Decision
    preemption: Preemption | None = None
    volumes: list[Obj] = field(default_factory=list)

    @property
    def victims(self) -> list[Obj]:
        """Those that must be told to go; whoever is going already is only waited for."""
        chosen = self.preemption.chosen if self.preemption else None
        return [pod for pod in chosen.victims if "deletionTimestamp" not in pod["metadata"]] if chosen else []


Tried = Callable[[Cycle, Attempt], None]


class Machine:
    """Cache, queue, and the place where the next search begins."""

    def __init__(
        self,
        plugins: Sequence[Plugin],
        backoff: tuple[int, int],
        flush: int,
        known: Listers | None = None,
        now: int = 0,
    ):
        self.plugins = tuple(plugins)
        self.known = known or Listers()
        self.cache = Cache()
        self.vectors: Vectors | None = Vectors(self.cache.columns, self.cache.changes)
        self.queue = SchedulingQueue(backoff, flush, {p.name: p for p in plugins}, began=now)
        self.queue.preempting = lambda pod: self.is_preempting(pod)
        self.assumed: dict[str, Obj] = {}  # by UID: chosen, and not seen bound yet
        self.preempting: dict[str, Obj | None] = {}  # UID of a pod → the last victim, once it is its turn
        self.start = 0
        self.tried: Tried = lambda cycle, attempt: None  # whoever looks on, before the pod counts anywhere
        self.latest: Callable[[Obj], Obj | None] = lambda pod: self.known.seen("Pod", *_key(pod))

    def plug_in(self, plugins: Sequence[Plugin]) -> None:
        """Ask these from now on; what the former ones have said of a node is forgotten."""
        self.plugins = tuple(plugins)
        self.queue.plugins = {plugin.name: plugin for plugin in plugins}
        self.cache.columns.kept.clear()

    # -- news ----------------------------------------------------------------------------------------------------
    def node_changed(self, old: Obj | None, new: Obj | None, now: int) -> None:
        """A node has come, changed or gone."""
        found = events.node_events(old, new)
        if new is not None:
            self.cache.set_node(new)
        elif old is not None:
            self.cache.remove_node(old["metadata"]["name"])
        for event in found:
            self.queue.happened(event, now)

    def object_changed(self, kind: str, old: Obj | None, new: Obj | None, now: int) -> None:
        """Something else that plugins look up has come, changed or gone."""
        self.queue.happened(events.storage_event(kind, old, new), now)

    def pod_changed(self, old: Obj | None, new: Obj | None, now: int) -> None:
        """A pod has come, changed or gone; one that has ended is gone for the scheduler."""
        old, new = (None if pod is None or _ended(pod) else pod for pod in (old, new))
        if new is None:
            if old is not None:
                self._pod_gone(old, now)
        elif get(new, "spec", "nodeName"):
            self._pod_placed(old, new, now)
        elif _ours(new):
            self._pod_waits(old, new, now)

    def _pod_gone(self, pod: Obj, now: int) -> None:
        uid = pod["metadata"]["uid"]
        if get(pod, "spec", "nodeName"):
            self.assumed.pop(uid, None)
            self.queue.remove(uid)
            self.cache.remove_pod(uid)
            self.queue.happened(Event(events.POD_DELETED, pod), now)
        elif _ours(pod):
            self.queue.remove(uid)
            if uid in self.assumed:
                self.forget(uid, now)
            elif nominated_node(pod):
                self._room_freed(pod, now)

    def _pod_placed(self, old: Obj | None, new: Obj, now: int) -> None:
        uid = new["metadata"]["uid"]
        self.assumed.pop(uid, None)
        self.cache.add_pod(new, new["spec"]["nodeName"])
        if old is not None and get(old, "spec", "nodeName"):
            found = events.pod_events(old, new)
        else:
            found = [Event(events.POD_ADDED, None, new)]
        for event in found:
            self.queue.happened(event, now)
        if not get(old, "spec", "nodeName"):
            self.queue.remove(uid)

    def _pod_waits(self, old: Obj | None, new: Obj, now: int) -> None:
        uid = new["metadata"]["uid"]
        if uid in self.assumed:
            if "deletionTimestamp" in new["metadata"]:
                self.forget(uid, now)
        elif old is None:
            self.queue.add(new, now)
        else:
            self.queue.update(old, new, now)
            if nominated_node(old) and nominated_node(old) != nominated_node(new):
                self._room_freed(old, now)

    def _room_freed(self, pod: Obj, now: int) -> None:
        """A nomination is no more: room for those of the same or a lower priority."""
        self.queue.happened(Event(events.POD_DELETED, pod), now, lambda other: priority(other) <= priority(pod))

    def forget(self, uid: str, now: int, tell: bool = True) -> None:
        """A pod that was assumed is not there after all."""
        pod = self.assumed.pop(uid, None)
        if pod is not None:
            self.cache.remove_pod(uid)
            if tell:
                self.queue.happened(Event(events.POD_DELETED, pod), now)

    # -- attempts ------------------------------------------------------------------------------------------------
    def pop(self, now: int) -> QueuedPod | None:
        """Who is next; nobody who was placed meanwhile."""
        while (entry := self.queue.pop(now)) is not None:
            if entry.uid not in self.assumed:
                return entry
            self.queue.done(entry.uid)
        return None

    def cycle(self, pod: Obj) -> Cycle:
        """The picture of this moment, for *pod*."""
        nodes = self.cache.ordered()
        waiting, cache = self.queue.nominator.pods(), self.cache
        kept, affine = (cache.crowds, cache.columns, shape(pod)), list(cache.affine.values())
        return Cycle(pod, nodes, self.known, waiting, cache.images, *kept, affine=affine, vectors=self.vectors)

    def attempt(self, entry: QueuedPod, now: int) -> Attempt:
        """Try to place a pod, and remember what came of it."""
        cycle = self.cycle(entry.pod)
        decision = decide(cycle, self.plugins, self.start)
        attempt = Attempt(entry, decision, None if decision.node else self.make_room(cycle, decision))
        self.tried(cycle, attempt)
        if cycle.nodes:
            self.start = (self.start + decision.searched) % len(cycle.nodes)
        if decision.node:
            self._assume(cycle, attempt)
        else:
            if attempt.victims:
                self.preempting[entry.uid] = None
            self.refused(entry, decision, now)
        return attempt

    def make_room(self, cycle: Cycle, decision: Decision) -> Preemption | None:
        """What else could be done for a pod that fits nowhere; *decision* learns what is said of it.

        Models k/k pkg/scheduler/framework/runtime frameworkImpl.RunPostFilterPlugins
        """
        if decision.error or not decision.nodes:
            decision.nomination = ""
            return None
        if decision.prefilter is not None:
            decision.after = NOT_PREFILTERED
            return None
        latest = self.latest(cycle.pod) or cycle.pod
        budgets = self.known.all("PodDisruptionBudget")
        found = preemption.preempt(replace(cycle, pod=latest), self.plugins, decision, budgets)
        decision.after = f"preemption: {found.text}"
        decision.nomination = None if found.ineligible else found.chosen.node if found.chosen else ""
        return found

    def refused(self, entry: QueuedPod, decision: Decision, now: int) -> None:
        """Back into the queue, as it is now; a nomination counts at once."""
        latest = self.latest(entry.pod)
        if latest is None or latest["metadata"]["uid"] != entry.uid or get(latest, "spec", "nodeName"):
            self.queue.done(entry.uid)
            return
        entry.pod = latest
        plugins = () if decision.error or not decision.nodes else decision.plugins
        self.queue.failed(entry, plugins, now)
        self.queue.nominator.add(latest, decision.nomination)

    def lower_nominations(self, pod: Obj, chosen: Candidate) -> list[Obj]:
        """Pods of lower priority that wait for the node where *pod* makes room."""
        return [other for other in self.queue.nominator.on(chosen.node) if priority(other) < priority(pod)]

    def is_preempting(self, pod: Obj) -> bool:
        """Whether its victims are just being told; it is tried again when the last one is seen to go.

        Models k/k pkg/scheduler/framework/preemption Executor.isRunningPreemption
        """
        uid = pod["metadata"]["uid"]
        if uid not in self.preempting:
            return False
        last = self.preempting[uid]
        seen = None if last is None else self.latest(last)
        return last is None or (seen is not None and "deletionTimestamp" not in seen["metadata"])

    def _assume(self, cycle: Cycle, attempt: Attempt) -> None:
        """From now on the pod counts on its node, and its volumes are given away."""
        entry, node = attempt.entry, attempt.decision.node
        pod = evolve(entry.pod, ("spec", "nodeName"), node)
        self.assumed[entry.uid] = pod
        self.cache.add_pod(pod, node)
        self.queue.nominator.remove(entry.uid)
        claims: Claims | None = cycle.state.get("VolumeBinding")
        if claims is not None and claims.waiting and node in claims.nodes:
            attempt.volumes = reserved(claims.nodes[node], node)
            for obj in attempt.volumes:
                self.known.assume(obj)


def reserved(chosen: Chosen, node: str) -> list[Obj]:
    """Volumes that mean their claims, and claims that name the node for which a volume is wanted.

    Models k/k pkg/scheduler/framework/plugins/volumebinding volumeBinder.AssumePodVolumes
    """
    return [
        *(_bound_to(volume, claim) for claim, volume in chosen.static),
        *(evolve(claim, ("metadata", "annotations", SELECTED_NODE), node) for claim, _ in chosen.provisioned),
    ]


def _bound_to(volume: Obj, claim: Obj) -> Obj:
    meta, before = claim["metadata"], volume["spec"].get("claimRef")
    reference = {
        "kind": "PersistentVolumeClaim",
        "namespace": meta["namespace"],
        "name": meta["name"],
        "uid": meta["uid"],
        "apiVersion": "v1",
        "resourceVersion": meta.get("resourceVersion", ""),
    }
    edits: list[tuple[tuple[str, ...], Any]] = (
        [] if before is not None and before.get("uid") == meta["uid"] else [(("spec", "claimRef"), reference)]
    )
    if before is None or not is_for(before, claim):
        edits.append((("metadata", "annotations", BY_CONTROLLER), "yes"))
    found: Obj = evolve_many(volume, *edits)
    return found


def _key(pod: Obj) -> tuple[str, str]:
    return pod["metadata"].get("namespace", ""), pod["metadata"]["name"]


def _ended(pod: Obj) -> bool:
    return get(pod, "status", "phase") in ENDED


def _ours(pod: Obj) -> bool:
    return (pod["spec"].get("schedulerName") or PROFILE) == PROFILE
