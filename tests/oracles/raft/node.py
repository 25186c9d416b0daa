"""One of our machines, and what its driver keeps for it: a disk, the states that were applied, the work of threads."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from kubemini.etcd.raft.confchange import ConfChange
from kubemini.etcd.raft.log import Entry, Snapshot
from kubemini.etcd.raft.raft import Raft
from tests.oracles.raft.describe import StorageMessage
from tests.oracles.raft.grammar import Refusal


@dataclass
class Node:
    """A machine with its disk: what was written, and every state that was applied."""

    raft: Raft
    history: list[Snapshot]
    entries: list[Entry]
    start: int
    timeout: int = 5
    to_append: list[StorageMessage] = field(default_factory=list)
    to_apply: list[StorageMessage] = field(default_factory=list)

    def write(self, entries: Iterable[Entry], snapshot: Snapshot | None) -> None:
        entries = list(entries)
        if snapshot is not None:
            if entries:
                raise Refusal("can't apply snapshot and entries at the same time")
            self.entries, self.start = [], snapshot.index
        for entry in entries:
            if entry.index > self.start:
                del self.entries[entry.index - self.start - 1 :]
                self.entries.append(entry)

    def compact(self, index: int) -> None:
        if index <= self.start:
            raise Refusal("requested index is unavailable due to compaction")
        if index > self.raft.log.applied:
            raise Refusal(f"compact {index} is out of bound: {self.raft.log.applied} is applied")
        self.raft.compact(index)
        del self.entries[: index - self.start]
        self.start = index

    def apply(self, entries: Iterable[Entry]) -> None:
        """An appender: its state is all that was ever proposed."""
        for entry in entries:
            latest = self.history[-1]
            now, data = latest.configuration, latest.data or ""
            if isinstance(entry.data, ConfChange):
                now = self.raft.apply_conf_change(entry.data)
            else:
                data += entry.data or ""
            self.history.append(Snapshot(entry.index, entry.term, now, data))
