"""A few Raft machines with disks and a wire between them, and a nemesis that decides what happens next.

A schedule is a list of actions (name, a, b), so a failure can be replayed, shrunk and read. After every action the
safety properties of the paper (figure 3) are checked; at the end everything heals, and the cluster must get on.
``python -m tests.raft_world 100000`` runs so many seeds and prints the shortest schedule of the first failure.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random

from kubemini.etcd.raft.confchange import (
    EXPLICIT,
    LEARNER,
    NOBODY,
    REMOVE,
    VOTER,
    Change,
    ConfChange,
    Configuration,
    configuration,
)
from kubemini.etcd.raft.log import Entry, Snapshot
from kubemini.etcd.raft.messages import LEADER, Config, HardState, Message, Ready
from kubemini.etcd.raft.raft import Raft

ELECTION = 4  # ticks
Action = tuple[str, int, int]


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
    luck: Random  # for its election timeouts
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


class World:
    """The members and everything between them."""

    def __init__(self, kind: Kind, seed: int = 0):
        self.kind, self.seed = kind, seed
        self.wire: list[Message] = []
        self.cuts: set[tuple[int, int]] = set()
        self.leaders: dict[int, int] = {}  # by term
        self.committed: list[tuple[int, object, int]] = []  # term, data, term in which it was committed
        self.known: dict[tuple[int, int], tuple[object, int]] = {}  # (term, index): data, term before
        self.reads: dict[tuple[int, int], int] = {}
        self.count = 0
        members = configuration(range(1, kind.members + 1))
        start = Snapshot(1, 1, members)
        self.committed.append((1, None, 0))
        self.members: list[Member] = []
        for id in range(1, kind.members + kind.strangers + 1):
            state = HardState(1, 0, 1)
            disk = Disk(state, state, start, [], 1, members) if id in members.members else Disk()
            self.members.append(Member(id, disk, Random(seed * 16 + id)))
            self._boot(self.members[-1])

    # -- life ------------------------------------------------------------------------------------------------------
    def _boot(self, member: Member) -> None:
        disk, kind = member.disk, self.kind
        member.applied, member.commit, member.under_way, member.paused = disk.applied, disk.applied, None, False
        member.raft = Raft(
            Config(
                id=member.id,
                timeout=lambda draw: ELECTION + member.luck.randrange(ELECTION),
                configuration=disk.configuration,
                election_tick=ELECTION,
                pre_vote=kind.pre_vote,
                check_quorum=kind.check_quorum,
                step_down_on_removal=True,
                max_inflight=3 if kind.small_messages else 256,
                max_size_per_message=40 if kind.small_messages else None,
                max_committed_size_per_ready=60 if kind.small_messages else None,
                max_uncommitted_size=400 if kind.small_messages else None,
                hard_state=disk.hard_state,
                snapshot=disk.start,
                entries=disk.entries,
                applied=disk.applied,
                take_snapshot=lambda: self._snapshot(member),
            )
        )

    def _snapshot(self, member: Member) -> Snapshot | None:
        assert member.raft is not None
        if not member.applied:
            return None
        return Snapshot(member.applied, self.committed[member.applied - 1][0], member.raft.configuration)

    def act(self, action: Action) -> None:
        """Do one thing, then look at the member it happened to."""
        name, a, b = action
        getattr(self, "do_" + name)(a, b)

    def _live(self, number: int) -> Member | None:
        member = self.members[number % len(self.members)]
        return member if member.raft is not None and not member.paused else None

    def do_crash(self, a: int, b: int) -> None:
        """Memory is gone, and what was being written."""
        member = self.members[a % len(self.members)]
        if member.raft is not None:
            member.raft = None
            member.disk.crash()

    def do_restart(self, a: int, b: int) -> None:
        member = self.members[a % len(self.members)]
        if member.raft is None:
            self._boot(member)

    def do_pause(self, a: int, b: int) -> None:
        self.members[a % len(self.members)].paused = True

    def do_resume(self, a: int, b: int) -> None:
        self.members[a % len(self.members)].paused = False

    # -- time and the wire -----------------------------------------------------------------------------------------
    def do_tick(self, a: int, b: int) -> None:
        """Time passes for one member: clocks do not agree."""
        member = self._live(a)
        for _ in range(b % 3 + 1):
            if member is not None:
                member.raft.tick()
                self._look(member)

    def do_time(self, a: int, b: int) -> None:
        """Time passes for everyone."""
        for member in self.members:
            self.do_tick(member.id - 1, b // 3)

    def do_deliver(self, a: int, b: int) -> None:
        """Some messages arrive, not always the oldest."""
        for _ in range(b % 6 + 1):
            if self.wire:
                self._arrive(self.wire.pop(a % len(self.wire)))

    def _arrive(self, m: Message) -> None:
        member = self.members[m.target - 1]
        if member.paused:
            self.wire.append(m)
            return
        arrives = (m.source, m.target) not in self.cuts and member.raft is not None
        self._report(m, arrives)
        if arrives:
            member.raft.step(m)
            self._look(member)

    def _report(self, m: Message, arrived: bool) -> None:
        """The connection that carries a snapshot knows whether it got there."""
        source = self.members[m.source - 1]
        if m.type == "MsgSnap" and source.raft is not None:
            source.raft.report_snapshot(m.target, arrived)

    def do_duplicate(self, a: int, b: int) -> None:
        if self.wire:
            self.wire.append(self.wire[a % len(self.wire)])

    def do_drop(self, a: int, b: int) -> None:
        if self.wire:
            self._report(self.wire.pop(a % len(self.wire)), False)

    def do_cut(self, a: int, b: int) -> None:
        """One direction of one link."""
        self.cuts.add((a % len(self.members) + 1, b % len(self.members) + 1))

    def do_isolate(self, a: int, b: int) -> None:
        """All links of one member."""
        alone = a % len(self.members) + 1
        for other in range(1, len(self.members) + 1):
            self.cuts |= {(alone, other), (other, alone)}

    def do_strand(self, a: int, b: int) -> None:
        """A leader is cut off and does not know it: it goes on appending what nobody gets."""
        for member in self.members:
            if member.raft is not None and member.raft.role == LEADER:
                self.do_isolate(member.id - 1, 0)
                for _ in range(b % 7 + 1):
                    self.do_propose(member.id - 1, 0)
                self.do_work(member.id - 1, 1)

    def do_heal(self, a: int, b: int) -> None:
        self.cuts.clear()

    # -- requests --------------------------------------------------------------------------------------------------
    def do_propose(self, a: int, b: int) -> None:
        member = self._live(a)
        if member is not None:
            self.count += 1
            member.raft.propose(f"p{self.count}")
            self._look(member)

    def do_read(self, a: int, b: int) -> None:
        """A linearizable read: whatever was committed when it began must be seen."""
        member = self._live(a)
        if member is not None:
            self.count += 1
            self.reads[member.id, self.count] = len(self.committed)
            member.raft.read_index(self.count)
            self._look(member)

    def do_transfer(self, a: int, b: int) -> None:
        member = self._live(a)
        if member is not None:
            member.raft.transfer_leader(b % len(self.members) + 1)
            self._look(member)

    def do_forget(self, a: int, b: int) -> None:
        member = self._live(a)
        if member is not None:
            member.raft.forget_leader()

    def do_unreachable(self, a: int, b: int) -> None:
        member = self._live(a)
        if member is not None:
            member.raft.report_unreachable(b % len(self.members) + 1)

    def do_change(self, a: int, b: int) -> None:
        """A change of membership: someone joins, learns or goes."""
        member = self._live(a)
        if member is not None and self.kind.changes and member.raft.role == LEADER:
            member.raft.propose_conf_change(self._a_change(member.raft.configuration, b))
            self._look(member)

    def _a_change(self, now: Configuration, luck: int) -> ConfChange:
        if now.outgoing:
            return ConfChange()
        target, kind = luck % len(self.members) + 1, (VOTER, LEARNER, REMOVE)[luck // 8 % 3]
        changes = [Change(kind, target)]
        if luck // 32 % 3 == 0:
            changes.append(Change(VOTER, (luck // 3) % len(self.members) + 1))
        left = set(now.voters)
        for change in changes:
            (left.add if change.kind == VOTER else left.discard)(change.member)
        if not left:
            changes = [Change(VOTER, target)]
        transition = EXPLICIT if luck // 64 % 4 == 0 else "auto"
        return ConfChange(tuple(changes), transition)

    def do_compact(self, a: int, b: int) -> None:
        """Keep a snapshot of what has been applied, forget the log before, all of it or not quite."""
        member = self._live(a)
        if member is None or member.raft.log.snapshot is not None or member.under_way is not None:
            return
        disk, raft = member.disk, member.raft
        index = max(raft.log.start, member.applied - b % 3)
        if disk.start is None or index <= disk.start.index:
            return
        disk.sync()
        disk.applied, disk.configuration = member.applied, raft.configuration
        del disk.entries[: index - disk.start.index]
        disk.start = Snapshot(index, raft.log.term(index), raft.configuration)
        raft.compact(index)

    # -- carrying out ------------------------------------------------------------------------------------------------
    def do_work(self, a: int, b: int) -> None:
        """Begin a write, or end one, or both."""
        member = self._live(a)
        for _ in range(1 if b % 3 == 0 else 2):
            if member is not None:
                self._end(member) if member.under_way is not None else self._begin(member)

    def do_flow(self, a: int, b: int) -> None:
        """What is on the wire arrives and is worked on, a few times."""
        for _ in range(b % 3 + 1):
            for member in self.members:
                self.do_work(member.id - 1, 1)
            arriving, self.wire = self.wire, []
            for message in arriving:
                self._arrive(message)

    def _begin(self, member: Member) -> None:
        raft = member.raft
        if not raft.has_ready():
            return
        ready = raft.ready()
        for entry in ready.entries:
            self._learn(raft, entry)
        promises = set(map(id, ready.promises))
        for message in ready.messages:
            if id(message) not in promises:  # may leave at once
                self._check_promise(member, message)
                self.wire.append(message)
        member.under_way = ready
        self._look(member)

    def _end(self, member: Member) -> None:
        raft, ready = member.raft, member.under_way
        member.under_way = None
        member.disk.write(ready)
        for promise in ready.promises:
            self._check_promise(member, promise)
            if promise.target != member.id:
                self.wire.append(promise)
        if ready.snapshot is not None:
            self._apply_snapshot(member, ready.snapshot)
        for entry in ready.committed:
            self._apply(member, entry)
        raft.advance(ready)
        for context, index in ready.reads:
            self._check_read(member, context, index)
        self._look(member)

    def _apply(self, member: Member, entry: Entry) -> None:
        if entry.index != member.applied + 1:
            raise Violation(f"{member.id} applies {entry.index} after {member.applied}")
        if self.committed[entry.index - 1][:2] != (entry.term, entry.data):
            raise Violation(
                f"state machine safety: {member.id} applies {entry}, others {self.committed[entry.index - 1]}"
            )
        member.applied = entry.index
        if isinstance(entry.data, ConfChange):
            member.raft.apply_conf_change(entry.data)

    def _apply_snapshot(self, member: Member, snapshot: Snapshot) -> None:
        if self.committed[snapshot.index - 1][0] != snapshot.term:
            raise Violation(f"state machine safety: {member.id} installs {snapshot}")
        if snapshot.index < member.applied:
            raise Violation(f"{member.id} goes back from {member.applied} to {snapshot}")
        member.applied = snapshot.index

    # -- the properties (paper, figure 3) ------------------------------------------------------------------------------
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

    # -- healing -------------------------------------------------------------------------------------------------------
    def heal(self) -> None:
        """Everything works again: someone leads, and a proposal reaches everyone who is a member."""
        self.cuts.clear()
        for member in self.members:
            member.paused = False
            if member.raft is None:
                self._boot(member)
        for _ in range(40 * ELECTION):
            self._round()
            if self._gets_on():
                return
        raise Violation(f"no progress {40 * ELECTION} ticks after everything healed: {self.picture()}")

    def _round(self) -> None:
        for member in self.members:
            member.raft.tick()
            self._look(member)
        self.drain()

    def drain(self, limit: int = 4000) -> None:
        """Deliver and carry out until nothing moves."""
        for _ in range(limit):
            moved = False
            for member in self.members:
                while member.raft and (member.under_way is not None or member.raft.has_ready()):
                    self.do_work(member.id - 1, 1)
                    moved = True
            arriving, self.wire = self.wire, []
            for message in arriving:
                self._arrive(message)
            if not moved and not arriving:
                return
        raise Violation(f"the members never fall silent: {self.picture()}")

    def _gets_on(self) -> bool:
        leader = max((m.raft for m in self.members if m.raft.role == LEADER), key=lambda raft: raft.term, default=None)
        if leader is None or leader.id not in leader.configuration.all_voters:
            return False
        self.count += 1
        marker = f"p{self.count}"
        if not leader.propose(marker):
            return False
        self.drain()
        index = next((i for i, entry in enumerate(self.committed, start=1) if entry[1] == marker), None)
        return index is not None and all(self.members[m - 1].applied >= index for m in leader.configuration.members)

    def picture(self) -> str:
        return "; ".join(
            f"{m.id} {m.raft.role} term {m.raft.term} log {m.raft.last_index} commit {m.raft.commit} lead {m.raft.lead}"
            if m.raft
            else f"{m.id} down"
            for m in self.members
        )


# -- the nemesis -----------------------------------------------------------------------------------------------------

LIKELY = {
    "deliver": 26,
    "work": 26,
    "flow": 12,
    "tick": 8,
    "time": 8,
    "propose": 12,
    "read": 3,
    "duplicate": 3,
    "drop": 3,
    "crash": 1,
    "restart": 3,
    "pause": 1,
    "resume": 3,
    "cut": 1,
    "isolate": 1,
    "strand": 2,
    "heal": 2,
    "transfer": 1,
    "forget": 1,
    "unreachable": 1,
    "compact": 2,
    "change": 3,
}
NAMES, WEIGHTS = list(LIKELY), list(LIKELY.values())
KINDS = (
    Kind(3),
    Kind(5),
    Kind(3, small_messages=True),
    Kind(3, pre_vote=False),
    Kind(3, pre_vote=False, check_quorum=False),
    Kind(3, strangers=2, changes=True),
    Kind(4, strangers=1, changes=True, small_messages=True),
)


def schedule(seed: int, steps: int) -> tuple[Kind, list[Action]]:
    """What happens in the run of *seed*."""
    luck = Random(seed)
    kind = KINDS[seed % len(KINDS)]
    names = luck.choices(NAMES, WEIGHTS, k=steps)
    return kind, [(name, min(luck.randrange(12), luck.randrange(24)), luck.randrange(256)) for name in names]


def run(kind: Kind, actions: Sequence[Action], seed: int, heal: bool = True) -> World:
    """Play *actions*, checking all the while, then heal."""
    world = World(kind, seed)
    if seed % 4:  # most schedules begin with a leader, so that there is something to disturb
        world.members[seed % kind.members].raft.campaign()
        world.drain()
    for action in actions:
        world.act(action)
    if heal:
        world.heal()
    return world


def failure(kind: Kind, actions: Sequence[Action], seed: int) -> str:
    """What goes wrong, or nothing."""
    try:
        run(kind, actions, seed)
    except AssertionError as error:
        return str(error)
    return ""


def shrink(kind: Kind, actions: Sequence[Action], seed: int) -> list[Action]:
    """A short schedule that still fails: leave out what is not needed, in ever smaller pieces."""
    actions, size = list(actions), len(actions) // 2
    while size:
        at = 0
        while at < len(actions):
            fewer = actions[:at] + actions[at + size :]
            if failure(kind, fewer, seed):
                actions = fewer
            else:
                at += size
        size //= 2
    return actions


def story(kind: Kind, actions: Sequence[Action], seed: int) -> str:
    """A failing schedule to read, and to put into a test."""
    lines = [f"seed {seed}, {kind}", *(f"  {action}" for action in actions), failure(kind, actions, seed)]
    return "\n".join(lines)


def soak(seeds: Iterator[int] | range, steps: int = 150, tell: Callable[[str], None] = lambda text: None) -> str:
    """Run the schedules of *seeds*; the shortest story of the first that fails, or nothing."""
    for count, seed in enumerate(seeds, start=1):
        kind, actions = schedule(seed, steps)
        if failure(kind, actions, seed):
            return story(kind, shrink(kind, actions, seed), seed)
        if count % 10_000 == 0:
            tell(f"{count} schedules")
    return ""


def main(arguments: list[str]) -> int:
    """``COUNT [FIRST SEED [STEPS]]``."""
    count, first, steps = ([int(a) for a in arguments] + [10_000, 0, 150][len(arguments) :])[:3]
    bad = soak(range(first, first + count), steps, lambda text: print(text, flush=True))
    print(bad or f"{count} schedules of {steps} steps: every property held")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
