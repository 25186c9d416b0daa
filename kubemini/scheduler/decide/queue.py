"""The scheduling queue: who is next, who must wait a little, who waits for something to happen. Pure: no clock inside.

active          by priority, then by the time of coming into the queue last
backing off     failed lately: 1 s, twice as long each time, at most 10 s, cut down to the whole second; over when that
                second is
after an error  the same, counted on its own: a plugin or a binding failed, or there are no nodes
unschedulable   no node could take it: until an event that might help, or five minutes, looked at every 30 s
How long somebody backs off is felt only while others are active: when the active queue is empty, the one whose back-off
ends first is taken out of it at once. After an error one is never taken early.
Invariant: a pod is in one of the four, or in flight. An event that comes while a pod is in flight is not lost.
Models k/k pkg/scheduler/backend/queue PriorityQueue
Models k/k pkg/scheduler/backend/queue backoffQueue.getBackoffTime
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from kubemini.api.objects import Obj
from kubemini.scheduler.decide.events import TIMEOUT, pod_events
from kubemini.scheduler.decide.framework import priority
from kubemini.scheduler.decide.nominator import Nominator
from kubemini.scheduler.decide.plugin import Event, Plugin

WINDOW = 1_000_000  # backoffQOrderingWindowDuration, µs
FLUSH_EVERY = 30_000_000  # µs
ACTIVE, BACKOFF, UNSCHEDULABLE = "Active", "Backoff", "Unschedulable"
Moved = Callable[[Obj, str, str], None]  # a pod, by which event, to which queue


@dataclass(slots=True)
class QueuedPod:
    """A pod in the queue."""

    pod: Obj
    since: int  # when it came in last
    order: int = 0  # of coming in
    attempts: int = 0
    refusals: int = 0  # tries that ended with no node to take it
    errors: int = 0  # tries in a row that ended with an error
    rejected_by: tuple[str, ...] = ()
    gated: bool = False
    flushed_at: int = -1

    @property
    def uid(self) -> str:
        """Of its pod."""
        found: str = self.pod["metadata"]["uid"]
        return found

    @property
    def rank(self) -> tuple[int, int, int]:
        """Higher priority first, then whoever came into the queue first; a pod that was refused comes anew."""
        return -priority(self.pod), self.since, self.order


@dataclass(slots=True)
class SchedulingQueue:
    """Pods without a node, by UID; the *plugins*, by name, tell who may enter and what may help whom."""

    backoff: tuple[int, int]
    flush: int
    plugins: dict[str, Plugin]
    active: dict[str, QueuedPod] = field(default_factory=dict)
    backing_off: dict[str, QueuedPod] = field(default_factory=dict)
    in_error: dict[str, QueuedPod] = field(default_factory=dict)
    unschedulable: dict[str, QueuedPod] = field(default_factory=dict)
    in_flight: dict[str, list[Event]] = field(default_factory=dict)  # UID → events that came meanwhile
    nominator: Nominator = field(default_factory=Nominator)
    pops_early: bool = True  # SchedulerPopFromBackoffQ
    moved: Moved = lambda pod, event, queue: None
    preempting: Callable[[Obj], bool] = lambda pod: False  # whether its victims are being told just now
    began: int = 0  # since when unschedulable pods are looked at
    _count: int = 0

    # -- who comes -----------------------------------------------------------------------------------------------
    def add(self, pod: Obj, now: int) -> None:
        """A pod without a node has appeared."""
        self.nominator.add(pod)
        self._enter(QueuedPod(pod, now), "UnscheduledPodAdd", ACTIVE)

    def update(self, old: Obj, pod: Obj, now: int) -> None:
        """A pod without a node has changed: if it was refused, that may make it fit."""
        uid = pod["metadata"]["uid"]
        events = pod_events(old, pod)
        if uid in self.in_flight:
            self.in_flight[uid] += events
            return
        entry = next((part[uid] for part in self._parts() if uid in part), None)
        if entry is None:
            self.add(pod, now)
            return
        entry.pod = pod
        self.nominator.update(old, pod)
        if uid not in self.unschedulable:
            return
        for event in events:
            if self._may_leave(entry, event) and self._helps(event, entry):
                del self.unschedulable[uid]
                if self._release(entry, event.what, now) != UNSCHEDULABLE:
                    return

    def remove(self, uid: str) -> None:
        """The pod is bound, or gone."""
        for part in self._parts():
            part.pop(uid, None)
        self.nominator.remove(uid)

    def _parts(self) -> tuple[dict[str, QueuedPod], ...]:
        return self.active, self.backing_off, self.in_error, self.unschedulable

    # -- who goes ------------------------------------------------------------------------------------------------
    def pop(self, now: int) -> QueuedPod | None:
        """The next pod to schedule; it is in flight until `done` or `failed`."""
        self._end_backoffs(now)
        if self.active:
            entry = min(self.active.values(), key=lambda one: one.rank)
            del self.active[entry.uid]
        elif self.pops_early and self.backing_off:
            entry = min(self.backing_off.values(), key=lambda one: (self.ends(one), one.rank))
            del self.backing_off[entry.uid]
        else:
            return None
        entry.attempts += 1
        self.in_flight[entry.uid] = []
        return entry

    def _end_backoffs(self, now: int) -> None:
        for part in (self.backing_off, self.in_error):
            over = [entry for entry in part.values() if not self.backs_off(entry, now)]
            for entry in sorted(over, key=self.ends):
                del part[entry.uid]
                self._enter(entry, "BackoffComplete", ACTIVE)

    def ends(self, entry: QueuedPod) -> int:
        """The whole second in which its back-off ends; 0: it has none."""
        count = entry.errors or entry.refusals
        if not count:
            return 0
        low, high = self.backoff
        at = entry.since + min(low << min(count - 1, 30), high)
        return at - at % WINDOW if self.pops_early else at

    def backs_off(self, entry: QueuedPod, now: int) -> bool:
        """Whether its back-off is not over yet: it is when the second in which it ends has passed."""
        here = now - now % WINDOW if self.pops_early else now
        return self.ends(entry) >= here and self.ends(entry) > 0

    def done(self, uid: str) -> None:
        """It has a node, or is nobody's business any more."""
        self.in_flight.pop(uid, None)

    def failed(self, entry: QueuedPod, plugins: Iterable[str], now: int) -> None:
        """No node could take it, because of *plugins*; or, if there are none, something went wrong: try again soon."""
        entry.rejected_by, entry.since, entry.flushed_at = tuple(plugins), now, -1
        if entry.rejected_by:
            entry.refusals, entry.errors = entry.refusals + 1, 0
        else:
            entry.errors += 1
        events = self.in_flight.pop(entry.uid, [])
        if not entry.rejected_by or any(self._helps(event, entry) for event in events):
            self._release(entry, "ScheduleAttemptFailure", now)
        else:
            self._enter(entry, "ScheduleAttemptFailure", UNSCHEDULABLE)

    # -- what happens --------------------------------------------------------------------------------------------
    def happened(self, event: Event, now: int, among: Callable[[Obj], bool] | None = None) -> None:
        """Something has changed in the cluster: those whom it might help try again; only those *among*, if given."""
        for events in self.in_flight.values():
            events.append(event)
        for entry in list(self.unschedulable.values()):
            if (among is None or among(entry.pod)) and self._may_leave(entry, event) and self._helps(event, entry):
                del self.unschedulable[entry.uid]
                self._release(entry, event.what, now)

    def flush_old(self, now: int) -> None:
        """Whoever has waited for too long tries again, whatever has happened."""
        for entry in list(self.unschedulable.values()):
            if now - max(entry.since, entry.flushed_at) > self.flush:
                del self.unschedulable[entry.uid]
                entry.flushed_at = now
                self._release(entry, TIMEOUT, now)

    def activate(self, uid: str, now: int) -> None:
        """Try this pod at once, whoever refused it."""
        for part in (self.unschedulable, self.backing_off):
            if uid in part:
                self._enter(part.pop(uid), "ForceActivate", ACTIVE)

    def next_instant(self) -> int | None:
        """When somebody's waiting ends by itself."""
        ends = [self.ends(entry) + (WINDOW if self.pops_early else 1) for entry in self.in_error.values()]
        ends += [] if self.pops_early else [self.ends(entry) + 1 for entry in self.backing_off.values()]
        return min(ends, default=None)

    def next_flush(self) -> int | None:
        """When the first of those who have waited for too long is found."""
        waits = [max(entry.since, entry.flushed_at) + self.flush for entry in self.unschedulable.values()]
        if not waits:
            return None
        rounds = (min(waits) - self.began) // FLUSH_EVERY + 1
        return self.began + rounds * FLUSH_EVERY

    # -- inside --------------------------------------------------------------------------------------------------
    def _helps(self, event: Event, entry: QueuedPod) -> bool:
        """Whether *event* may change the mind of a plugin that refused the pod."""
        return any(self.plugins[name].may_change_its_mind(entry.pod, event) for name in entry.rejected_by)

    def _may_leave(self, entry: QueuedPod, event: Event) -> bool:
        """Whether what keeps the pod out of the queue cares for *event*."""
        return not entry.gated or not self._held(entry.pod)

    def _held(self, pod: Obj) -> str:
        holds = (plugin.name for plugin in self.plugins.values() if plugin.holds and plugin.holds(pod))
        return next(holds, "")

    def _release(self, entry: QueuedPod, what: str, now: int) -> str:
        return self._enter(entry, what, BACKOFF if self.backs_off(entry, now) else ACTIVE)

    def _enter(self, entry: QueuedPod, what: str, queue: str) -> str:
        """Put it into *queue*, unless a plugin holds it back, or its victims are just being told."""
        holder = self._held(entry.pod)
        entry.gated = bool(holder) or self.preempting(entry.pod)
        if entry.gated:
            if holder:
                entry.rejected_by = (holder,)
            queue = UNSCHEDULABLE
        self._count += 1
        entry.order = self._count
        if queue == ACTIVE:
            self.active[entry.uid] = entry
        elif queue == UNSCHEDULABLE:
            self.unschedulable[entry.uid] = entry
        else:
            (self.backing_off if entry.rejected_by else self.in_error)[entry.uid] = entry
        self.moved(entry.pod, what, queue)
        return queue
