"""A few Raft machines with disks and a wire between them, and everything that can happen to them.

After every action the properties of `machines.py` are checked; when everything has healed the cluster must get on.
Who decides what happens next is in `schedules.py`.
"""

from random import Random

from kubemini.etcd.raft.confchange import (
    EXPLICIT,
    LEARNER,
    REMOVE,
    VOTER,
    ConfChange,
    Configuration,
    MemberChange,
    configuration,
)
from kubemini.etcd.raft.log import Entry, Snapshot
from kubemini.etcd.raft.messages import LEADER, Config, HardState, Message
from kubemini.etcd.raft.raft import Raft
from tests.worlds.machines import Disk, Kind, Member, Properties, Violation

ELECTION = 4  # ticks
Action = tuple[str, int, int]


class World(Properties):
    """The members and everything between them."""

    def __init__(self, kind: Kind, seed: int = 0):
        super().__init__()
        self.kind, self.seed = kind, seed
        self.wire: list[Message] = []
        self.cuts: set[tuple[int, int]] = set()
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
                timeout=lambda draw: ELECTION + member.rng.randrange(ELECTION),
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

    def _a_change(self, now: Configuration, rng: int) -> ConfChange:
        if now.outgoing:
            return ConfChange()
        target, kind = rng % len(self.members) + 1, (VOTER, LEARNER, REMOVE)[rng // 8 % 3]
        changes = [MemberChange(kind, target)]
        if rng // 32 % 3 == 0:
            changes.append(MemberChange(VOTER, (rng // 3) % len(self.members) + 1))
        left = set(now.voters)
        for change in changes:
            (left.add if change.kind == VOTER else left.discard)(change.member)
        if not left:
            changes = [MemberChange(VOTER, target)]
        transition = EXPLICIT if rng // 64 % 4 == 0 else "auto"
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
