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
from operator import attrgetter

from kubemini.api.objects import Obj
from kubemini.scheduler.decide.events import TIMEOUT, pod_events
from kubemini.scheduler.decide.nominator import Nominator
from kubemini.scheduler.decide.plugin import Event, Plugin
from kubemini.scheduler.decide.waiting import QueuedPod, Waiting

WINDOW = 1_000_000  # backoffQOrderingWindowDuration, µs
FLUSH_EVERY = 30_000_000  # µs
ACTIVE, BACKOFF, UNSCHEDULABLE = "Active", "Backoff", "Unschedulable"
Moved = Callable[[Obj, str, str], None]  # a pod, by which event, to which queue


@dataclass(slots=True)
class SchedulingQueue:
    """Pods without a node, by UID; the *plugins*, by name, tell who may enter and what may help whom."""

    backoff: tuple[int, int]
    flush: int
    plugins: dict[str, Plugin]
    active: Waiting = field(default_factory=lambda: Waiting(attrgetter("rank")))
    backing_off: Waiting = field(init=False)
    in_error: Waiting = field(init=False)
    unschedulable: Waiting = field(default_factory=lambda: Waiting(attrgetter("seen_at")))
    in_flight: dict[str, list[Event]] = field(default_factory=dict)  # UID → events that came meanwhile
    nominator: Nominator = field(default_factory=Nominator)
    pops_early: bool = True  # SchedulerPopFromBackoffQ
    moved: Moved = lambda pod, event, queue: None
    preempting: Callable[[Obj], bool] = lambda pod: False  # whether its victims are being told just now
    began: int = 0  # since when unschedulable pods are looked at
    _count: int = 0

    def __post_init__(self) -> None:
        self.backing_off, self.in_error = (Waiting(lambda one: (self.ends(one), one.rank)) for _ in range(2))

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
        part = next((part for part in self._parts() if uid in part), None)
        if part is None:
            self.add(pod, now)
            return
        entry = part[uid]
        entry.pod = pod
        part[uid] = entry
        self.nominator.update(old, pod)
        if uid not in self.unschedulable:
            return
        for event in events:
            if self._may_leave(entry, event) and self._helps(event, entry):
                self.unschedulable.pop(uid)
                if self._release(entry, event.what, now) != UNSCHEDULABLE:
                    return

    def remove(self, uid: str) -> None:
        """The pod is bound, or gone."""
        for part in self._parts():
            part.pop(uid, None)
        self.nominator.remove(uid)

    def _parts(self) -> tuple[Waiting, ...]:
        return self.active, self.backing_off, self.in_error, self.unschedulable

    # -- who goes ------------------------------------------------------------------------------------------------
    def pop(self, now: int) -> QueuedPod | None:
        """The next pod to schedule; it is in flight until `done` or `failed`."""
        self._end_backoffs(now)
        part = self.backing_off if self.pops_early and not self.active else self.active
        entry = part.first()
        if entry is None:
            return None
        part.pop(entry.uid)
        entry.attempts += 1
        self.in_flight[entry.uid] = []
        return entry

    def _end_backoffs(self, now: int) -> None:
        for part in (self.backing_off, self.in_error):
            over = part.take_while(lambda one: not self.backs_off(one, now))
            for entry in sorted(over, key=lambda one: (self.ends(one), one.order)):
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
        concerned = [name for name, plugin in self.plugins.items() if event.what in plugin.helped_by]
        for entry in self.unschedulable.refused_by(concerned):
            if (among is None or among(entry.pod)) and self._may_leave(entry, event) and self._helps(event, entry):
                self.unschedulable.pop(entry.uid)
                self._release(entry, event.what, now)

    def flush_old(self, now: int) -> None:
        """Whoever has waited for too long tries again, whatever has happened."""
        old = self.unschedulable.take_while(lambda one: now - one.seen_at[0] > self.flush)
        for entry in sorted(old, key=attrgetter("order")):
            entry.flushed_at = now
            self._release(entry, TIMEOUT, now)

    def activate(self, uid: str, now: int) -> None:
        """Try this pod at once, whoever refused it."""
        for part in (self.unschedulable, self.backing_off):
            if uid in part:
                self._enter(part.pop(uid), "ForceActivate", ACTIVE)

    def next_instant(self) -> int | None:
        """When somebody's waiting ends by itself."""
        parts = ((self.in_error, WINDOW if self.pops_early else 1), (self.backing_off, 1))
        firsts = [(part.first(), more) for part, more in parts[: 1 if self.pops_early else 2]]
        return min((self.ends(entry) + more for entry, more in firsts if entry is not None), default=None)

    def next_flush(self) -> int | None:
        """When the first of those who have waited for too long is found."""
        entry = self.unschedulable.first()
        if entry is None:
            return None
        rounds = (entry.seen_at[0] + self.flush - self.began) // FLUSH_EVERY + 1
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
