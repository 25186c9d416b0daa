"""Pods that wait, by UID: who of them is first, and whom an event may concern, without looking at all of them. Pure.

Invariant: whoever is in the mapping is in the heap, under the key it has now, and in the group of those who refused it.
Whoever has left, or has another key now, is passed over when the heap comes to it.
Models k/k pkg/scheduler/backend/heap Heap
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from operator import attrgetter
from typing import Any

from kubemini.api.objects import Obj
from kubemini.scheduler.decide.framework import priority


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

    @property
    def seen_at(self) -> tuple[int, int]:
        """When it was refused, or flushed since."""
        return max(self.since, self.flushed_at), self.order


class Waiting(dict[str, QueuedPod]):
    """A part of the queue; the *key* of a pod changes only while it is somewhere else, or is put in anew."""

    def __init__(self, key: Callable[[QueuedPod], tuple[Any, ...]]) -> None:
        super().__init__()
        self.key = key
        self._heap: list[tuple[tuple[Any, ...], str]] = []
        self._refused: dict[tuple[str, ...], dict[str, QueuedPod]] = {}  # by whom

    def __setitem__(self, uid: str, entry: QueuedPod) -> None:
        """Put it in, or, where it is already, under the key that it has now."""
        self._ungroup(uid)
        super().__setitem__(uid, entry)
        self._refused.setdefault(entry.rejected_by, {})[uid] = entry
        heappush(self._heap, (self.key(entry), uid))
        if len(self._heap) > 2 * len(self) + 64:  # most of them have left
            self._heap = [(self.key(one), one.uid) for one in self.values()]
            heapify(self._heap)

    def pop(self, uid: str, *default: Any) -> Any:
        """Take it out."""
        self._ungroup(uid)
        return super().pop(uid, *default)

    __delitem__ = pop

    def _ungroup(self, uid: str) -> None:
        entry = self.get(uid)
        if entry is not None:
            group = self._refused[entry.rejected_by]
            del group[uid]
            if not group:
                del self._refused[entry.rejected_by]

    def first(self) -> QueuedPod | None:
        """Whoever has the least key, if anybody is here."""
        while self._heap:
            key, uid = self._heap[0]
            entry = self.get(uid)
            if entry is not None and self.key(entry) == key:
                return entry
            heappop(self._heap)
        return None

    def take_while(self, over: Callable[[QueuedPod], bool]) -> list[QueuedPod]:
        """Take out, one after another, the first ones that are *over*."""
        taken: list[QueuedPod] = []
        while (entry := self.first()) is not None and over(entry):
            taken.append(self.pop(entry.uid))
        return taken

    def refused_by(self, plugins: Iterable[str]) -> list[QueuedPod]:
        """Those whom one of *plugins* has refused, as they came."""
        names = set(plugins)
        groups = [group.values() for refused, group in self._refused.items() if not names.isdisjoint(refused)]
        return sorted((entry for group in groups for entry in group), key=attrgetter("order"))
