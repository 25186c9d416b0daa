"""The scheduling queue: who is next, who must wait a little, who waits for something to happen. Pure: no clock inside.

active          by priority, then by age
backing off     failed lately: 1 s, twice as long each time, at most 10 s
unschedulable   no node could take it: until an event that might help, or five minutes
Invariant: a pod is in one of the three, or in flight. An event that comes while a pod is in flight is not lost.
Models k/k pkg/scheduler/backend/queue PriorityQueue
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from kubemini.api.objects import Obj, get
from kubemini.scheduler.decide.plugin import (
    NODE_ADDED,
    NODE_ALLOCATABLE,
    NODE_LABEL,
    NODE_SPEC,
    NODE_TAINT,
    POD_ADDED,
    POD_LABEL,
    Event,
    Namespaces,
    Plugin,
)


@dataclass(slots=True)
class QueuedPod:
    """A pod in the queue."""

    pod: Obj
    since: int
    attempts: int = 0
    rejected_by: tuple[str, ...] = ()
    not_before: int = 0
    parked_at: int = 0

    @property
    def rank(self) -> tuple[int, int, str]:
        """Higher priority first, then whoever came into the queue first; a pod that was refused comes anew."""
        return -(get(self.pod, "spec", "priority") or 0), self.since, self.pod["metadata"]["uid"]


@dataclass(slots=True)
class SchedulingQueue:
    """Pods without a node, by UID; the *plugins*, by name, tell who may enter and what may help whom."""

    backoff: tuple[int, int]
    flush: int
    plugins: dict[str, Plugin]
    active: dict[str, QueuedPod] = field(default_factory=dict)
    backing_off: dict[str, QueuedPod] = field(default_factory=dict)
    unschedulable: dict[str, QueuedPod] = field(default_factory=dict)
    in_flight: dict[str, list[Event]] = field(default_factory=dict)  # UID → events that came meanwhile

    def add(self, pod: Obj, now: int) -> None:
        """A pod without a node has appeared, or was changed: a change may make it fit."""
        if any(plugin.holds(pod) for plugin in self.plugins.values() if plugin.holds):
            return
        uid = pod["metadata"]["uid"]
        for part in (self.active, self.backing_off):
            if uid in part:
                part[uid].pod = pod
                return
        held = self.unschedulable.get(uid)
        if held is None:
            if uid not in self.in_flight:
                self.active[uid] = QueuedPod(pod, now)
        elif pod["spec"] == held.pod["spec"] and pod["metadata"].get("labels") == held.pod["metadata"].get("labels"):
            held.pod = pod  # only its status: we wrote that ourselves
        else:
            held.pod = pod
            self._release(uid, now)

    def remove(self, uid: str) -> None:
        """The pod is bound, or gone."""
        for part in (self.active, self.backing_off, self.unschedulable):
            part.pop(uid, None)

    def pop(self, now: int) -> QueuedPod | None:
        """The next pod to schedule; it is in flight until `done` or `failed`."""
        for uid, entry in list(self.backing_off.items()):
            if entry.not_before <= now:
                self.active[uid] = self.backing_off.pop(uid)
        for uid, entry in list(self.unschedulable.items()):
            if entry.parked_at + self.flush <= now:
                self.active[uid] = self.unschedulable.pop(uid)
        if not self.active:
            return None
        uid, entry = min(self.active.items(), key=lambda item: item[1].rank)
        del self.active[uid]
        entry.attempts += 1
        self.in_flight[uid] = []
        return entry

    def done(self, uid: str) -> None:
        """It has a node."""
        self.in_flight.pop(uid, None)

    def failed(self, entry: QueuedPod, plugins: Iterable[str], now: int) -> None:
        """No node could take it, because of *plugins*; or, if there are none, something went wrong: try again soon."""
        uid = entry.pod["metadata"]["uid"]
        entry.rejected_by, entry.parked_at, entry.since = tuple(plugins), now, now
        low, high = self.backoff
        entry.not_before = now + min(low << min(entry.attempts - 1, 30), high)
        events = self.in_flight.pop(uid, [])
        if not entry.rejected_by or any(self._helps(event, entry) for event in events):
            self.backing_off[uid] = entry
        else:
            self.unschedulable[uid] = entry

    def happened(self, event: Event, now: int) -> None:
        """Something has changed in the cluster: those whom it might help try again."""
        for events in self.in_flight.values():
            events.append(event)
        for uid, entry in list(self.unschedulable.items()):
            if self._helps(event, entry):
                self._release(uid, now)

    def next_instant(self) -> int | None:
        """When somebody's waiting ends by itself."""
        ends = [entry.not_before for entry in self.backing_off.values()]
        ends += [entry.parked_at + self.flush for entry in self.unschedulable.values()]
        return min(ends, default=None)

    def _helps(self, event: Event, entry: QueuedPod) -> bool:
        """Whether *event* may change the mind of a plugin that refused the pod."""
        return any(self.plugins[name].may_change_its_mind(entry.pod, event) for name in entry.rejected_by)

    def _release(self, uid: str, now: int) -> None:
        entry = self.unschedulable.pop(uid)
        (self.backing_off if entry.not_before > now else self.active)[uid] = entry


def node_events(old: Obj | None, new: Obj) -> list[Event]:
    """What a change of a node means to the queue."""
    if old is None:
        return [Event(NODE_ADDED, None, new)]
    parts = {
        NODE_TAINT: ("spec", "taints"),
        NODE_SPEC: ("spec", "unschedulable"),
        NODE_LABEL: ("metadata", "labels"),
        NODE_ALLOCATABLE: ("status", "allocatable"),
    }
    return [Event(what, old, new) for what, path in parts.items() if get(old, *path) != get(new, *path)]


def pod_events(old: Obj | None, new: Obj, namespaces: Namespaces) -> list[Event]:
    """What a change of a pod that has a node means to the queue."""
    if not get(old, "spec", "nodeName"):
        return [Event(POD_ADDED, None, new, namespaces)]
    relabelled = get(old, "metadata", "labels") != get(new, "metadata", "labels")
    return [Event(POD_LABEL, old, new, namespaces)] if relabelled else []
