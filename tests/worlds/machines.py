"""The parts of a little world of Raft machines: disks, members, kinds of worlds, and the properties that must hold.

Invariant (paper, figure 3): one leader a term; a leader has all that was committed; a term and an index name one entry,
and what comes before it; what is committed is the same everywhere, for good. And beyond the figure: what leaves is on
disk, if it says that it is, and a linearizable read sees what was committed before it.
"""

from dataclasses import dataclass, field
from random import Random

from kubemini.etcd.raft.confchange import NOBODY, Configuration
from kubemini.etcd.raft.log import Entry, Snapshot
from kubemini.etcd.raft.messages import LEADER, HardState, Message, Ready
from kubemini.etcd.raft.raft import Raft


class Violation(AssertionError):
    """A property of Raft does not hold."""


@dataclass
class Disk:
    """What survives a crash: what was synced, and a snapshot of the state machine."""

    hard_state: HardState = field(default_factory=HardState)
    synced: HardState = field(default_factory=HardState)
    start: Snapshot | None = None  # where the log begins
    entries: list[Entry] = field(default_factory=list)
    applied: int = 0
    configuration: Configuration = NOBODY

    @property
    def last_index(self) -> int:
        return (self.start.index if self.start else 0) + len(self.entries)

    def write(self, ready: Ready) -> None:
        if ready.hard_state is not None:
            self.hard_state = ready.hard_state
        if ready.snapshot is not None:
            self.start, self.entries = ready.snapshot, []
            self.applied, self.configuration = ready.snapshot.index, ready.snapshot.configuration
        if ready.entries:
            first = ready.entries[0].index - (self.start.index if self.start else 0) - 1
            self.entries[first:] = ready.entries
        if ready.must_sync or ready.snapshot is not None:
            self.sync()

    def sync(self) -> None:
        """What was written will survive a crash."""
        self.synced = self.hard_state

    def crash(self) -> None:
        """What was not synced is gone."""
        self.hard_state = self.synced


@dataclass
class Member:
    """A machine and its disk. *applied* is what its state machine has reached, *under_way* what is being written."""

    id: int
    disk: Disk
    rng: Random  # for its election timeouts
    raft: Raft | None = None
    applied: int = 0
    commit: int = 0
    paused: bool = False
    under_way: Ready | None = None


@dataclass(frozen=True)
class Kind:
    """What a schedule is about."""

    members: int = 3
    strangers: int = 0
    pre_vote: bool = True
    check_quorum: bool = True
    changes: bool = False
    small_messages: bool = False


class Properties:
    """What has been seen of the members so far, and what it forbids."""

    def __init__(self) -> None:
        self.leaders: dict[int, int] = {}  # by term
        self.committed: list[tuple[int, object, int]] = []  # term, data, term in which it was committed
        self.known: dict[tuple[int, int], tuple[object, int]] = {}  # (term, index): data, term before
        self.reads: dict[tuple[int, int], int] = {}

    def _look(self, member: Member) -> None:
        raft = member.raft
        if raft.role == LEADER and self.leaders.get(raft.term) != member.id:
            self._check_leader(raft)
        if raft.log.commit > member.commit:
            self._check_commit(member)

    def _check_leader(self, raft: Raft) -> None:
        if raft.term in self.leaders:
            raise Violation(f"election safety: {self.leaders[raft.term]} and {raft.id} lead in term {raft.term}")
        self.leaders[raft.term] = raft.id
        log = raft.log
        for index, (term, _, when) in enumerate(self.committed, start=1):
            if when < raft.term and index >= log.start and log.term(index) != term:
                raise Violation(f"leader completeness: {raft.id} leads in term {raft.term} without {term}/{index}")

    def _check_commit(self, member: Member) -> None:
        """Whatever anyone holds for committed is the same everywhere, for good."""
        raft, log = member.raft, member.raft.log
        first = max(member.commit, log.start)
        for entry in log.between(first + 1, log.commit):
            if entry.index > len(self.committed):
                self.committed.append((entry.term, entry.data, raft.term))
            elif self.committed[entry.index - 1][:2] != (entry.term, entry.data):
                raise Violation(f"{member.id} has {entry} committed, others {self.committed[entry.index - 1]}")
        if log.commit > len(self.committed):
            raise Violation(f"{member.id} has {log.commit} committed, which nobody else has")
        member.commit = log.commit

    def _learn(self, raft: Raft, entry: Entry) -> None:
        """Log matching: a term and an index name one entry, and what comes before it."""
        before = raft.log.term(entry.index - 1)
        seen = self.known.setdefault((entry.term, entry.index), (entry.data, before))
        if seen[0] != entry.data or (None not in (seen[1], before) and seen[1] != before):
            raise Violation(f"log matching: {raft.id} has {entry} after term {before}, others {seen}")

    def _check_promise(self, member: Member, m: Message) -> None:
        """What leaves is on disk, if it says that it is."""
        state = member.disk.synced
        if m.type in ("MsgAppResp", "MsgVoteResp") and state.term < m.term:
            raise Violation(f"{member.id} speaks in term {m.term}, on disk is {state.term}")
        if m.type == "MsgVoteResp" and not m.reject and state.term == m.term and state.vote != m.target:
            raise Violation(f"{member.id} votes for {m.target}, on disk is {state.vote}")
        if m.type == "MsgAppResp" and not m.reject and state.term == m.term and member.disk.last_index < m.index:
            raise Violation(f"{member.id} says it has {m.index}, on disk is {member.disk.last_index}")

    def _check_read(self, member: Member, context: int, index: int) -> None:
        needed = self.reads.get((member.id, context), 0)
        if index < needed:
            raise Violation(f"linearizable reads: {member.id} may read at {index}, {needed} was committed before")
