"""A work queue: keys of objects that somebody should look at.

Invariant: a key that waits is in the queue once, however often it was added; a key that is being worked on is never
given to a second worker: if it is added meanwhile, it is looked at once more afterwards. A key whose work failed comes
back after 5 ms, twice as long each time, at most 1000 s, until it succeeds, or has failed as often as it may. All that
have failed share a bucket besides: a hundred at once, then ten a second; of the two waits the longer one counts.

Models k/client-go util/workqueue Typed.Add
Models k/client-go util/workqueue DefaultTypedControllerRateLimiter
Models k/client-go util/workqueue TypedItemExponentialFailureRateLimiter.When
"""

from collections.abc import Callable, Hashable
from typing import Any

from kubemini.client.decide.throttle import Throttle
from kubemini.host import Component, Timer
from kubemini.sim import Steps
from kubemini.sim.units import SECOND

Work = Callable[[Any], Steps]
RETRIED_EACH, RETRIED_AT_ONCE = SECOND // 10, 100  # the bucket of DefaultTypedControllerRateLimiter


def exponential(failures: int, bounds: tuple[int, int]) -> int:
    """The delay (µs) after so many failures: the first bound, doubled each time, never above the second."""
    low, high = bounds
    return min(low << min(failures, 40), high)


class WorkQueue:
    """Gives each key to *work*, a generator that returns None when all is well, or anything else to be called again."""

    def __init__(
        self,
        component: Component,
        work: Work,
        workers: int = 1,
        backoff: tuple[int, int] | None = None,
        retries: int | None = None,
    ):
        """*retries*: how often a key that fails comes back; None: for ever."""
        self.component, self.work, self.workers, self.retries = component, work, workers, retries
        self.bucket = Throttle(RETRIED_EACH, RETRIED_AT_ONCE)
        self.backoff = backoff or component.net.params.workqueue_backoff
        self.waiting: dict[Hashable, None] = {}  # in order of adding
        self.processing: dict[Hashable, bool] = {}  # whether it was added again meanwhile
        self.failures: dict[Hashable, int] = {}
        self._later: dict[Hashable, tuple[int, Timer]] = {}
        self._running = self._woken = False
        self.on_change: list[Callable[[], None]] = []  # who wants to hear that it is another than before

    @property
    def later(self) -> dict[Hashable, int]:
        """The keys that will be added, and when (µs)."""
        return {key: due for key, (due, _) in self._later.items()}

    def _changed(self) -> None:
        for tell in self.on_change:
            tell()

    def start(self) -> None:
        """Let the workers begin: call it when the caches are filled."""
        self._running = True
        self._wake()

    def add(self, key: Hashable) -> None:
        """Somebody should look at *key* soon."""
        if key in self.processing:
            self.processing[key] = True
        elif key not in self.waiting:
            self.waiting[key] = None
            self._wake()
        self._changed()

    def add_after(self, key: Hashable, delay: int) -> None:
        """Somebody should look at *key* after *delay* µs; of several such wishes the earliest counts."""
        due = self.component.sim.now + delay
        if delay <= 0:
            self.add(key)
        elif key not in self._later or due < self._later[key][0]:
            if key in self._later:
                self._later[key][1].cancel()
            self._later[key] = (due, self.component.after(delay, self._due, key))
            self._changed()

    def _due(self, key: Hashable) -> None:
        del self._later[key]
        self.add(key)

    def retry(self, key: Hashable) -> None:
        """Look at *key* again, after its back-off; one that has failed too often is dropped until somebody adds it."""
        failures = self.failures.get(key, 0)
        if failures == self.retries:
            del self.failures[key]
            return
        self.failures[key] = failures + 1
        self.add_after(key, max(exponential(failures, self.backoff), self.bucket.reserve(self.component.sim.now)))

    def _wake(self) -> None:
        """Begin when all that happens at this instant has been heard."""
        if self._running and not self._woken:
            self._woken = True
            self.component.after(0, self._begin)

    def _begin(self) -> None:
        self._woken = False
        while self.waiting and len(self.processing) < self.workers:
            key = next(iter(self.waiting))
            del self.waiting[key]
            self.processing[key] = False
            self._changed()
            self.component.spawn(self._process(key))

    def _process(self, key: Hashable) -> Steps:
        failure = yield from self.work(key)
        if failure is None:
            self.failures.pop(key, None)
        else:
            self.retry(key)
        if self.processing.pop(key):
            self.waiting[key] = None
        self._changed()
        if self.waiting:
            self._wake()
