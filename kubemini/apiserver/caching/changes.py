"""What a watch hears: an entry of the cache's log, and how it looks through a selection."""

from typing import NamedTuple

from kubemini.api.objects import FrozenDict, Obj
from kubemini.apiserver.caching.selection import Selection
from kubemini.apiserver.storage import with_version

ADDED, MODIFIED, DELETED, BOOKMARK, ERROR = "ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR"


class CachedChange(NamedTuple):
    """One entry of the log: the object before and after; *new* of a deletion is its last state.

    *told*: the event that all hear who want everything.
    """

    at: int
    revision: int
    type: str
    old: Obj | None
    new: Obj
    told: Obj

    def seen_through(self, selection: Selection | None) -> Obj | None:
        """What a watcher with a selection hears: an object that begins to match is added, one that ceases deleted."""
        if selection is None:
            return self.told
        after = self.type != DELETED and selection(self.new)
        before = self.old is not None and selection(self.old)
        if not after:
            return event(DELETED, _as_last_seen(self)) if before else None
        type = MODIFIED if before else ADDED
        return self.told if type == self.type else event(type, self.new)


def _as_last_seen(change: CachedChange) -> Obj:
    """A deletion shows the state that did match, with the revision at which it ceased to."""
    assert change.old is not None
    return change.new if change.type == DELETED else with_version(change.old, change.revision)


def event(type: str, obj: Obj) -> Obj:
    """A watch event as it goes over the wire."""
    return FrozenDict({"type": type, "object": obj})
