"""Expectations: what a controller has asked for and not yet seen in its cache.

Invariant: a controller whose cache lags behind its own deeds does nothing more for that owner until the watch has
shown them all, or five minutes have passed; so it never makes up twice for the same lack.
Models k/k pkg/controller UIDTrackingControllerExpectations
"""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Expected:
    """Of one owner: so many creations, these deletions (by UID), since an instant."""

    creations: int = 0
    deletions: dict[str, None] = field(default_factory=dict)
    since: int = 0


class Expectations:
    """The ledger of one controller, by the key of the owner."""

    def __init__(self, timeout: int) -> None:
        self.timeout = timeout
        self.of: dict[Hashable, Expected] = {}

    def expect(self, key: Hashable, creations: int, deletions: Iterable[str], now: int) -> None:
        """These are about to be asked for."""
        doomed = dict.fromkeys(deletions)
        if creations or doomed:
            self.of[key] = Expected(creations, doomed, now)

    def created(self, key: Hashable) -> None:
        """One creation was seen, or will not come."""
        if key in self.of:
            self.of[key].creations -= 1

    def deleted(self, key: Hashable, uid: str) -> None:
        """The deletion of *uid* was seen, or will not come."""
        if key in self.of:
            self.of[key].deletions.pop(uid, None)

    def satisfied(self, key: Hashable, now: int) -> bool:
        """Whether the cache shows all that was asked for, or one has waited long enough."""
        expected = self.of.get(key)
        if expected is None:
            return True
        return (expected.creations <= 0 and not expected.deletions) or now - expected.since > self.timeout

    def forget(self, key: Hashable) -> None:
        """The owner is gone."""
        self.of.pop(key, None)
