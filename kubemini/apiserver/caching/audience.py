"""Who watches a kind, and who of them a change may concern.

Theory of operation. Each of 5,000 kubelets watches the pods of its own node. To ask each of them about every pod costs
more than all else that an API server does. So watchers who ask for the same make a group, a change is looked at once
for each group, and the groups are filed by a field that their objects must have a certain value in, if there is one:
the node's name, the name, the namespace. A change is put to the groups that are filed under what the object was, or
is, and to those that are filed nowhere.
Invariant: everybody hears what he would hear if all were asked; those who hear the same hear it in the order in which
they came.
Models k/apiserver pkg/storage/cacher indexedWatchers, Cacher.startDispatching, pkg/util/flowcontrol watchTracker.
Simplified: any field files, where a real kind has an index of one field, if any.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from kubemini.api import fields
from kubemini.api.objects import Obj
from kubemini.apiserver.caching.changes import CachedChange
from kubemini.apiserver.caching.selection import Selection
from kubemini.wire import Call

News = list[tuple[int, Obj]]  # the revision, and the event


def news(changes: Iterable[CachedChange], selection: Selection | None) -> News:
    """What of *changes* is heard through *selection*."""
    heard = ((change.revision, change.seen_through(selection)) for change in changes)
    return [(revision, event) for revision, event in heard if event is not None]


class CacheWatcher:
    """One client's watch: up to which revision it has heard, and whether it wants bookmarks."""

    __slots__ = ("bookmarks", "call", "number", "seen")

    def __init__(self, call: Call, seen: int, bookmarks: bool):
        self.call, self.seen, self.bookmarks, self.number = call, seen, bookmarks, 0

    def hear(self, heard: News) -> None:
        """Pass on what is news here; a revision is heard whole."""
        seen = self.seen
        for revision, event in heard:
            if revision > seen:
                self.seen = revision
                self.push(event)

    def push(self, event: Obj) -> None:
        assert self.call.stream is not None
        self.call.stream.push(event)


class Group:
    """Those who ask for the same, in the order in which they came."""

    def __init__(self, selection: Selection | None):
        self.selection = selection
        self.place = selection.place if selection is not None else None
        self.watchers: dict[int, CacheWatcher] = {}


class Audience:
    """All who watch a kind; *index*: the field by which a real server's cache files them (none: "")."""

    def __init__(self, index: str = "") -> None:
        self._index, self._came = index, 0
        self._counted = Counter[tuple[str, str]]()  # by the namespace and the name that they ask for
        self._unfiled: dict[Selection | None, Group] = {}
        self._filed: dict[str, dict[str, dict[Selection | None, Group]]] = {}  # by field, by value
        self._of: dict[Call, tuple[Group, CacheWatcher]] = {}

    def __iter__(self) -> Iterator[CacheWatcher]:
        return (watcher for _, watcher in [*self._of.values()])

    def __len__(self) -> int:
        return len(self._of)

    def add(self, watcher: CacheWatcher, selection: Selection | None) -> None:
        """It hears from now on, until it is removed."""
        self._came += 1
        watcher.number = self._came
        drawer = self._drawer(selection.place if selection is not None else None)
        group = drawer.setdefault(selection, Group(selection))
        group.watchers[watcher.number] = watcher
        self._of[watcher.call] = group, watcher
        self._count(selection, 1)

    def remove(self, call: Call) -> bool:
        """It hears nothing more; whether it was there."""
        group, watcher = self._of.pop(call, (None, None))
        if group is None or watcher is None:
            return False
        del group.watchers[watcher.number]
        self._count(group.selection, -1)
        if not group.watchers:
            self._close(group)
        return True

    def tell(self, changes: Sequence[CachedChange]) -> None:
        """Each hears what he asks for."""
        heard: list[tuple[CacheWatcher, News]] = []
        told = 0
        for group in self._concerned(changes):
            if said := news(changes, group.selection):
                heard += [(watcher, said) for watcher in group.watchers.values()]
                told += 1
        if told > 1:
            heard.sort(key=lambda one: one[0].number)
        for watcher, said in heard:
            watcher.hear(said)

    def interested(self, namespace: str, name: str) -> int:
        """So many may have to be told of a write, as a real server counts them before it knows the object."""
        asked = {("", ""), (namespace, ""), (namespace, name)}
        return sum(self._counted[key] for key in asked)

    def _count(self, selection: Selection | None, by: int) -> None:
        if selection is None:
            self._counted["", ""] += by
        elif not (self._index and fields.required(selection.terms, self._index)):
            self._counted[selection.namespace, fields.required(selection.terms, "metadata.name") or ""] += by

    def _close(self, group: Group) -> None:
        """Nobody is left of it."""
        drawer = self._drawer(group.place)
        del drawer[group.selection]
        if group.place is not None and not drawer:
            field, value = group.place
            del self._filed[field][value]

    def _drawer(self, place: tuple[str, str] | None) -> dict[Selection | None, Group]:
        if place is None:
            return self._unfiled
        field, value = place
        return self._filed.setdefault(field, {}).setdefault(value, {})

    def _concerned(self, changes: Sequence[CachedChange]) -> Iterable[Group]:
        found = dict(self._unfiled)
        for field, drawers in self._filed.items():
            for change in changes:
                for obj in (change.old, change.new):
                    if obj is not None:
                        found |= drawers.get(fields.value(obj, field), {})
        return found.values()
