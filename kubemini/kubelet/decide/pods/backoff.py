"""Back-off as client-go keeps it, of restarts and of image pulls: a wait for each key, doubled each time. Pure.

Theory of operation.

`seen` asks whether the wait of a key, counted from an instant, is still going on; `advance` is called when it is not,
and something is tried: the next wait is twice as long. So the first restart of a container comes at once (nobody has
called `advance` yet), the next after 10 s, then 20, 40 s. A key that nothing has happened to for twice the cap is new
again: a container that ran for ten minutes starts at once.
Models k/client-go util/flowcontrol Backoff.Next Backoff.IsInBackOffSince Backoff.IsInBackOffSinceUpdate
"""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Backoffs:
    """Waits in µs by key; *bounds*: the first and the longest."""

    bounds: tuple[int, int]
    entries: dict[str, tuple[int, int]] = field(default_factory=dict)  # key: (wait, when it was set)

    def wait(self, key: str) -> int:
        """The wait of *key* (µs)."""
        return self.entries.get(key, (0, 0))[0]

    def seen(self, key: str, since: int, now: int) -> bool:
        """Whether the wait that began at *since* is still going on."""
        return not self._forgotten(key, since) and now - since < self.wait(key)

    def seen_since_update(self, key: str, now: int) -> bool:
        """Whether the wait that began when it was set is still going on."""
        found = self.entries.get(key)
        return found is not None and not self._forgotten(key, now) and now - found[1] < found[0]

    def advance(self, key: str, since: int, now: int) -> None:
        """Something is tried: the next wait is longer."""
        low, high = self.bounds
        wait = low if self._forgotten(key, since) else min(2 * self.wait(key), high)
        self.entries[key] = (min(wait, high), now)

    def _forgotten(self, key: str, since: int) -> bool:
        found = self.entries.get(key)
        return found is None or since - found[1] > 2 * self.bounds[1]


def shown(wait: int) -> str:
    """A wait (µs, whole seconds) as Go writes it: ``10s``, ``1m20s``, ``5m0s``."""
    minutes, seconds = divmod(wait // 1_000_000, 60)
    return f"{minutes}m{seconds}s" if minutes else f"{seconds}s"
