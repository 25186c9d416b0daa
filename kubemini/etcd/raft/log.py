"""The log of one member: what is on disk, what is still to be written, what is committed and applied. Pure.

Invariant: ``applied <= applying <= commit <= last_index`` and ``stable <= given <= last_index``; a committed entry
never changes. Entries before ``start`` have been compacted into a snapshot and only the term at ``start`` is known.
Ongaro and Ousterhout 2014 §5.3 (matching), §7 (compaction); sizes as etcd-io/raft counts them.
Models raft . raftLog.maybeAppend, raftLog.findConflictByTerm, raftLog.nextCommittedEnts, unstable.stableTo.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from kubemini.etcd.raft.confchange import NOBODY, ConfChange, Configuration


class LogLost(Exception):
    """What is committed elsewhere is not in our log, though we have said that it is: our disk has forgotten."""

    def __init__(self, commit: int, last: int):
        lost = "Was the raft log corrupted, truncated, or lost?"
        super().__init__(f"tocommit({commit}) is out of range [lastIndex({last})]. {lost}")


class Entry:
    """One slot of the log: *data* is a command, a `ConfChange`, or None for a leader's first, empty entry."""

    __slots__ = ("data", "index", "term")

    def __init__(self, term: int, index: int, data: Any = None):
        self.term, self.index, self.data = term, index, data

    def __repr__(self) -> str:
        return f"{self.term}/{self.index} {self.data!r}"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The applied state up to *index*, and the configuration as of then, in place of the entries before."""

    index: int
    term: int
    configuration: Configuration = NOBODY
    data: Any = None


def utf8(text: str) -> int:
    """Bytes of *text* in UTF-8; most text is ASCII, where nothing need be encoded to know."""
    return len(text) if text.isascii() else len(text.encode())


def payload(entry: Entry) -> int:
    """Bytes that a proposal asks the log to carry: of text as UTF-8; any other command may have a ``size``."""
    data = entry.data
    if data is None:
        return 0
    if isinstance(data, ConfChange):
        return _conf_change_bytes(data)
    if isinstance(data, str):
        return utf8(data)
    return len(data) if isinstance(data, bytes) else getattr(data, "size", 0)


def encoded(entry: Entry) -> int:
    """Bytes of the entry as a protobuf message: type, term, index, data."""
    size, data = payload(entry), entry.data
    framed = 1 + _varint(size) + size if data is not None else 0
    return 2 + 1 + _varint(entry.term) + 1 + _varint(entry.index) + framed


def _varint(number: int) -> int:
    return max(1, (number.bit_length() + 6) // 7)


def _conf_change_bytes(change: ConfChange) -> int:
    if change.leaves_joint:
        return 0
    sizes = [2 + 1 + _varint(c.member) for c in change.changes]
    return 2 + sizes[0] if change.simple else 2 + sum(1 + _varint(size) + size for size in sizes)


def limited(entries: Sequence[Entry], limit: int | None) -> list[Entry]:
    """As many of the first *entries* as fit into *limit* bytes, but at least one."""
    if limit is None:
        return list(entries)
    total = 0
    for position, entry in enumerate(entries):
        total += encoded(entry)
        if total > limit and position:
            return list(entries[:position])
    return list(entries)


class Log:
    """The log. *note* is told of what happens to entries that were not written yet."""

    def __init__(
        self,
        snapshot: Snapshot | None,
        entries: Sequence[Entry],
        commit: int,
        applied: int,
        note: Callable[..., None],
        max_applying: int | None = None,
    ):
        self.start, self.start_term = (snapshot.index, snapshot.term) if snapshot else (0, 0)
        self.entries = list(entries)
        self.last_index = self.start + len(self.entries)
        self.stable = self.given = self.last_index  # on disk; given to the driver to be written
        self.commit = max(commit, self.start)
        self.applied = self.applying = max(applied, self.start)
        self.snapshot: Snapshot | None = None  # to be installed
        self.snapshot_given = False
        self.max_applying = max_applying
        self.applying_size = 0
        self.applying_paused = False
        self._note = note

    # -- what is where -------------------------------------------------------------------------------------------
    @property
    def last_term(self) -> int:
        """The term of the last entry."""
        return self.entries[-1].term if self.entries else self.start_term

    def term(self, index: int) -> int | None:
        """The term of the entry at *index*; None if it was compacted or does not exist."""
        position = index - self.start
        if position > 0:
            return self.entries[position - 1].term if position <= len(self.entries) else None
        return None if position else self.start_term

    def up_to_date(self, index: int, term: int) -> bool:
        """Whether a log that ends so is at least as up to date as this one (paper §5.4.1)."""
        return term > self.last_term or (term == self.last_term and index >= self.last_index)

    def between(self, first: int, last: int, limit: int | None = None) -> list[Entry]:
        """The entries *first* to *last*, as many as fit into *limit* bytes."""
        found = self.entries[first - self.start - 1 : last - self.start]
        return found if limit is None else limited(found, limit)

    def conflict_hint(self, index: int, term: int) -> tuple[int, int]:
        """The last place up to *index* that can agree with a log whose term there is *term*, and our term at it.

        Terms never decrease along a log, so whole terms are passed over in one exchange (paper §5.3, end).
        """
        while index > 0:
            ours = self.term(index)
            if ours is None or ours <= term:
                return index, ours or 0
            index -= 1
        return 0, 0

    # -- growing ---------------------------------------------------------------------------------------------------
    def append(self, entries: Sequence[Entry]) -> None:
        """Put *entries* at their indexes; what was there and behind is gone."""
        first = entries[0].index
        assert first > self.commit, "a committed entry may never be cut off"
        if first <= self.last_index:
            self._cut(first)
        self.entries.extend(entries)
        self.last_index = entries[-1].index

    def _cut(self, first: int) -> None:
        if first <= self.stable + 1:
            self._note("replaced", first)
            self.stable = self.given = first - 1
        else:
            self._note("truncated", first)
            self.given = min(self.given, first - 1)
        del self.entries[first - self.start - 1 :]

    def follow(self, index: int, term: int, entries: Sequence[Entry], commit: int) -> int | None:
        """A leader's *entries* that follow the one at *index*: the last index now known to match, or None.

        Cut only where an entry really conflicts: an old message must not undo a newer one (§5.3). Commit no further
        than this message vouches for.
        """
        if self.term(index) != term:
            return None
        for position, entry in enumerate(entries):
            ours = self.term(entry.index)
            if ours != entry.term:
                if ours is not None:
                    self._note("conflict", entry.index, ours, entry.term)
                self.append(entries[position:])
                break
        last = index + len(entries)
        self.commit_to(min(commit, last))
        return last

    def commit_to(self, index: int) -> None:
        """Everything up to *index* is on a majority's disks."""
        if index > self.last_index:
            raise LogLost(index, self.last_index)
        self.commit = max(self.commit, index)

    # -- to the disk -----------------------------------------------------------------------------------------------
    def to_write(self) -> list[Entry]:
        """The entries that the driver has not been given yet."""
        return self.entries[self.given - self.start :]

    def mark_given(self) -> None:
        """What there is to write has been given to the driver."""
        self.given = self.last_index
        self.snapshot_given = self.snapshot is not None

    @property
    def snapshot_to_write(self) -> Snapshot | None:
        """The snapshot that the driver has not been given yet."""
        return None if self.snapshot_given else self.snapshot

    @property
    def being_written(self) -> bool:
        """Whether some of the log is not known to be on disk."""
        return self.stable < self.last_index

    def written(self, index: int, term: int) -> None:
        """The log up to that entry is on disk, if it is still our entry."""
        if not self.stable < index <= self.last_index:
            self._note("missing" if index != self.start or self.snapshot is None else "snapshot-matched", index)
        elif self.term(index) != term:
            self._note("mismatched", term, index, self.term(index))
        else:
            self.stable, self.given = index, max(self.given, index)

    # -- to the state machine --------------------------------------------------------------------------------------
    def appliable(self, unwritten: bool) -> int:
        """How far the log may be applied; *unwritten*: also what this member is still writing."""
        return self.commit if unwritten else min(self.commit, self.stable)

    def has_to_apply(self, unwritten: bool) -> bool:
        """Whether there is something to apply, and room for it."""
        if self.applying == self.commit or self.applying_paused or self.snapshot is not None:
            return False
        return self.applying < self.appliable(unwritten)

    def to_apply(self, unwritten: bool) -> list[Entry]:
        """The next committed entries to apply, as many as may be under way."""
        if not self.has_to_apply(unwritten):
            return []
        room = None if self.max_applying is None else self.max_applying - self.applying_size
        return self.between(self.applying + 1, self.appliable(unwritten), room)

    def apply_begun(self, entries: Sequence[Entry], unwritten: bool) -> None:
        """*entries* have been given to the driver to be applied."""
        self.applying = entries[-1].index
        if self.max_applying is not None:
            self.applying_size += sum(map(encoded, entries))
            cut_short = self.applying < self.appliable(unwritten)
            self.applying_paused = cut_short or self.applying_size >= self.max_applying

    def apply_done(self, index: int, entries: Sequence[Entry] = ()) -> None:
        """Everything up to *index* has been applied."""
        assert self.applied <= index <= self.commit, f"{index} applied, of {self.applied} to {self.commit}"
        self.applied, self.applying = index, max(self.applying, index)
        if self.max_applying is not None:
            self.applying_size = max(0, self.applying_size - sum(map(encoded, entries)))
            self.applying_paused = self.applying_size >= self.max_applying

    # -- snapshots (§7) --------------------------------------------------------------------------------------------
    def compact(self, index: int) -> None:
        """Forget the entries up to *index*, which has been applied; a snapshot stands for them."""
        assert index <= self.applied, f"the log can be compacted up to {self.applied}, which is applied, not to {index}"
        if index > self.start:
            term = self.term(index)
            assert term is not None
            del self.entries[: index - self.start]
            self.start, self.start_term = index, term

    def restore(self, snapshot: Snapshot) -> None:
        """Put *snapshot* in the place of the whole log."""
        self._note("restoring", snapshot)
        self.entries, self.start, self.start_term = [], snapshot.index, snapshot.term
        self.last_index = self.stable = self.given = self.commit = snapshot.index
        self.snapshot, self.snapshot_given = snapshot, False

    def installed(self, index: int) -> None:
        """The snapshot up to *index* is on disk."""
        if self.snapshot is not None and self.snapshot.index == index:
            self.snapshot, self.snapshot_given = None, False
