"""What one pod's worker hears of the runtime, and when: by the clock of `decide/pods/relists`, or when it asks itself.

Theory of operation.

Each change of a container, or of the sandbox, is an event. Events are heard at the next tick of the clock; a turn that
has done something and has not failed has the pod listed at once, and hears then. An event wakes the worker; one that
comes while it is busy means another turn after this one, and that turn waits for the next listing. So a second event in
one listing is worth a turn of its own, if the worker has begun with the first before the second comes: half the time.
Models k/k pkg/kubelet Kubelet.syncLoopIteration podWorkers.UpdatePod; k/k pkg/kubelet/pleg GenericPLEG.RequestRelist
Simplified: half the time is by chance, for any pod.
"""

from collections.abc import Callable

from kubemini.kubelet.decide.pods.relists import ASKING
from kubemini.kubelet.pods.shared import Shared
from kubemini.sim import Steps

NEVER_YET = -1


class Listing:
    """Of the worker of pod *uid*; *wake* wakes it, *busy* says whether it takes a turn; *name*: of its luck."""

    def __init__(self, shared: Shared, uid: str, name: str, wake: Callable[[], None], busy: Callable[[], bool]):
        self.shared, self.uid, self.name, self._wake, self._busy = shared, uid, name, wake, busy
        self._events = 0  # that nobody has heard of yet
        self._armed = False
        self._listed_at = self._turned_at = NEVER_YET

    def hear(self) -> None:
        """Something is another in the runtime."""
        self._events += 1
        if not self._armed:
            self._armed = True
            now = self.shared.now
            self.shared.component.after(self.shared.relists.next(now) - now, self._tick)

    def _tick(self) -> None:
        self._armed = False
        events, self._events = self._events, 0
        if not events:
            return
        again = not self._busy() and self._twice(events)
        self._wake()
        if again:
            self._wake()

    def _twice(self, events: int) -> bool:
        return events > 1 and bool(self.shared.draw(f"{self.name}/events", (0, 1)))

    def at_once(self, waiting: bool) -> bool:
        """A turn has done something: list the pod. Whether two turns come of it; *waiting*: one is to come anyway."""
        events, self._events = max(1, self._events), 0
        self._listed_at = self.shared.listed[self.uid] = self.shared.now
        return waiting or self._twice(events)

    @property
    def is_new(self) -> bool:
        """Whether its pod has had no turn yet: nothing has to be heard of the runtime before its first."""
        return self._turned_at == NEVER_YET

    def turned(self) -> None:
        """A turn is over."""
        self._turned_at = self.shared.now

    def newer(self) -> Steps:
        """Wait until the pod has been listed after its last turn."""
        now, timeout = self.shared.now, self.shared.component.timeout
        if self._turned_at < self.shared.relists.last(now):
            return
        if self._listed_at >= self._turned_at:
            yield timeout(self.shared.draw(f"{self.name}/listed", ASKING))
            self.shared.listed[self.uid] = self.shared.now
        else:
            yield timeout(self.shared.relists.next(now) - now)
