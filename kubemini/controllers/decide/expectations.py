"""What a controller has asked for and not yet seen in its cache: expectations, and the versions of its own writes.

Invariant: a controller whose cache lags behind its own deeds does nothing more for that owner until the watch has
shown them all, or five minutes have passed; so it never makes up twice for the same lack. One that also remembers
which versions it has written (`Writes`; Kubernetes 1.36 and later) waits without a limit until its caches are that new:
after a restore of etcd without ``--bump-revision`` that may be never.
Models k/k pkg/controller UIDTrackingControllerExpectations
Models k/k pkg/controller/util/consistency RealConsistencyStore.EnsureReady
"""

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field

from kubemini.api.kinds import Kind


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

    def expect_more(self, key: Hashable, creations: int, deletions: Iterable[str], now: int) -> None:
        """These too are about to be asked for, in the same look at the owner."""
        expected = self.of.setdefault(key, Expected())
        expected.creations += creations
        expected.deletions.update(dict.fromkeys(deletions))
        expected.since = now

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


class Writes:
    """The newest version that one controller has written for each owner, by kind."""

    def __init__(self) -> None:
        self.of: dict[Hashable, dict[Kind, int]] = {}

    def wrote(self, key: Hashable, kind: Kind, version: str) -> None:
        """An object of *kind* got the resourceVersion *version*."""
        versions = self.of.setdefault(key, {})
        versions[kind] = max(int(version), versions.get(kind, 0))

    def behind(self, key: Hashable, read: Callable[[Kind], str]) -> str | None:
        """Why nothing may be done for the owner: a cache is older than what was written; *read* tells how old."""
        for kind, wrote in self.of.get(key, {}).items():
            if int(read(kind) or 0) < wrote:
                group = f"{kind.plural}.{kind.group}" if kind.group else kind.plural
                return (
                    f"read version: {read(kind)} is not as new as written version: {wrote} for group resource {group}"
                )
        self.forget(key)
        return None

    def forget(self, key: Hashable) -> None:
        """All of it has been seen, or the owner is gone."""
        self.of.pop(key, None)
