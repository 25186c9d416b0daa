"""Raft as a pure machine: messages and ticks in, a `Ready` of effects out. No clock, no disk, no wire.

Invariant: what a message promises is on disk before the message leaves. The driver keeps it: it persists
``ready.hard_state``, ``ready.entries`` and ``ready.snapshot``, sends ``ready.messages``, applies ``ready.committed``,
then calls `advance`. A leader may send before its own write (thesis §10.2.1): its own votes and entries count only in
`advance`, when the promises it made to itself arrive.
Follows Ongaro and Ousterhout, "In Search of an Understandable Consensus Algorithm" (2014), and Ongaro's thesis for
membership (§4), transfer (§3.10), CheckQuorum (§6.2), ReadIndex (§6.4), PreVote (§9.6), pipelining (§10.2).
The seam (tick, step, ready, advance) is etcd-io/raft's; its conversations are replayed against this machine.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from kubemini.etcd import confchange, quorum
from kubemini.etcd.confchange import ConfChange, Configuration
from kubemini.etcd.log import Entry, Log, Snapshot, payload
from kubemini.etcd.progress import PROBE, REPLICATE, SNAPSHOT, Progress

FOLLOWER, PRE_CANDIDATE, CANDIDATE, LEADER = "follower", "pre-candidate", "candidate", "leader"
NEVER = 10**9  # ticks
DROPPED = "raft proposal dropped"
UNKNOWN_PEER = "raft: cannot step as peer not found"


class Message:
    """What members say to each other; the types and fields are those of etcd-io/raft's messages.

    *term* 0 is that of a request on its way to the leader, which belongs to no term. *force*: a vote asked for at the
    leader's own wish.
    """

    __slots__ = (
        "commit",
        "context",
        "entries",
        "force",
        "hint",
        "index",
        "log_term",
        "reject",
        "snapshot",
        "source",
        "target",
        "term",
        "type",
    )

    def __init__(
        self,
        type: str,
        source: int,
        target: int,
        term: int,
        index: int = 0,
        log_term: int = 0,
        commit: int = 0,
        entries: Sequence[Entry] = (),
        reject: bool = False,
        hint: int = 0,
        context: Any = None,
        snapshot: Snapshot | None = None,
        force: bool = False,
    ):
        self.type, self.source, self.target, self.term = type, source, target, term
        self.index, self.log_term, self.commit, self.entries = index, log_term, commit, entries
        self.reject, self.hint, self.context = reject, hint, context
        self.snapshot, self.force = snapshot, force

    def __repr__(self) -> str:
        return f"{self.source}->{self.target} {self.type} Term:{self.term} Log:{self.log_term}/{self.index}"


HEARTBEATS = ("MsgHeartbeat", "MsgHeartbeatResp")
ANSWERS = frozenset(("MsgAppResp", "MsgVoteResp", "MsgPreVoteResp", "MsgHeartbeatResp", "MsgReadIndexResp"))
FROM_LEADER = ("MsgApp", "MsgHeartbeat", "MsgSnap")


@dataclass(frozen=True, slots=True)
class HardState:
    """What must survive a crash, besides the log."""

    term: int = 0
    vote: int = 0
    commit: int = 0


@dataclass(slots=True)
class Ready:
    """The effects of what has been stepped: persist, send, apply, answer reads.

    *promises* hold only once everything here is on disk; without ``async_storage`` those to others are in *messages*
    already. *written* and *applied* are to be stepped when this has been written and applied; `advance` does both.
    """

    hard_state: HardState | None
    entries: list[Entry]
    messages: list[Message]
    committed: list[Entry]
    reads: list[tuple[Any, int]]
    must_sync: bool
    snapshot: Snapshot | None = None
    leadership: tuple[int, str] | None = None  # the leader and our role, if they changed
    promises: Sequence[Message] = ()
    written: Message | None = None
    applied: Message | None = None


@dataclass(slots=True)
class Config:
    """A member's identity and settings, and what its disk holds.

    Timeouts are in ticks; *timeout* gives the n-th randomized one, of [election, 2 election - 1]. Sizes are in bytes,
    None is no limit. *take_snapshot* makes a snapshot of what has been applied. *observe* is told what happens, in
    words that nothing depends on. The names are those of etcd-io/raft's Config.
    """

    id: int
    timeout: Callable[[int], int]
    configuration: Configuration = Configuration()
    election_tick: int = 10
    heartbeat_tick: int = 1
    pre_vote: bool = True
    check_quorum: bool = True
    lease_reads: bool = False
    step_down_on_removal: bool = False
    disable_conf_change_validation: bool = False
    async_storage: bool = False
    max_inflight: int | None = 512
    max_inflight_bytes: int | None = None
    max_size_per_message: int | None = None
    max_committed_size_per_ready: int | None = None
    max_uncommitted_size: int | None = None
    hard_state: HardState = field(default_factory=HardState)
    snapshot: Snapshot | None = None
    entries: Sequence[Entry] = ()
    applied: int = 0
    take_snapshot: Callable[[], Snapshot | None] = lambda: None
    observe: Callable[..., None] | None = None


class Raft:
    """One member's state. Change it only by its public methods; every change of role goes through `become`."""

    def __init__(self, config: Config):
        self.config = config
        self.id = config.id
        self.term, self.vote = config.hard_state.term, config.hard_state.vote
        self.log = Log(
            config.snapshot,
            config.entries,
            config.hard_state.commit,
            config.applied,
            self._note,
            config.max_committed_size_per_ready,
        )
        self.role, self.lead = FOLLOWER, 0
        self.messages: list[Message] = []
        self.promises: list[Message] = []  # sent when what was stepped before them is on disk
        self.votes: dict[int, bool] = {}
        self.progress: dict[int, Progress] = {}  # of every member, on a leader
        self.draws = 0
        self.reads: list[tuple[Any, int]] = []
        self._switch(config.configuration)
        self.become(FOLLOWER, self.term)
        self._note("new")
        self._told = (self.lead, self.role)
        self._saved = HardState(self.term, self.vote, self.log.commit)

    def _note(self, what: str, *facts: Any) -> None:
        if self.config.observe is not None:
            self.config.observe(self, what, *facts)

    @property
    def last_index(self) -> int:
        """The index of the last entry of the log."""
        return self.log.last_index

    @property
    def commit(self) -> int:
        """How far the log is committed, as far as this member knows."""
        return self.log.commit

    # -- roles -----------------------------------------------------------------------------------------------------
    def become(self, role: str, term: int, lead: int = 0) -> None:
        """Change role, and term if it is a new one. A pre-candidate changes nothing else: it may yet go back."""
        self.role, self.lead, self.votes = role, lead, {}
        if role != PRE_CANDIDATE:
            if term != self.term:
                self.term, self.vote = term, 0
            self._start_over()
        self._note(role)

    def _start_over(self) -> None:
        self.elapsed = self.heartbeat_elapsed = 0
        self.draws += 1
        self.timeout = self.config.timeout(self.draws)
        self.progress = {}
        self.transferee = self.pending_change = self.uncommitted = 0
        self.pending_reads: list[tuple[Any, int, dict[int, bool]]] = []  # request, commit index, who confirmed
        self.waiting_reads: list[tuple[int, Any]] = []  # before the first commit of the term

    def _lead(self) -> None:
        """Begin a term: find out where everyone is, and append an entry of the new term, which alone can be counted."""
        self.become(LEADER, self.term, self.id)
        last = self.log.last_index
        self.progress = {member: self._progress(last + 1) for member in self.configuration.members}
        mine = self.progress.get(self.id)
        if mine is not None:
            mine.match, mine.active = last, True
            mine.become(REPLICATE)
        self.pending_change = last  # there may be a change of membership anywhere in the log
        self._append_own([None])
        self._broadcast_append()

    def _progress(self, next_index: int) -> Progress:
        return Progress(next_index, self.config.max_inflight, self.config.max_inflight_bytes)

    # -- time ----------------------------------------------------------------------------------------------------
    def tick(self) -> None:
        """One tick has passed."""
        self.elapsed += 1
        if self.role == LEADER:
            self._tick_leader()
        elif self.elapsed >= self.timeout and self.promotable:
            self.elapsed = 0
            self.campaign()

    def _tick_leader(self) -> None:
        self.heartbeat_elapsed += 1
        if self.elapsed >= self.config.election_tick:
            self.elapsed = 0
            if self.config.check_quorum:
                self._check_quorum()
            self.transferee = 0
        if self.role == LEADER and self.heartbeat_elapsed >= self.config.heartbeat_tick:
            self.heartbeat_elapsed = 0
            self._broadcast_heartbeat()

    def _check_quorum(self) -> None:
        """A leader that has not heard from a majority for an election timeout is none (thesis §6.2)."""
        active = {member: progress.active for member, progress in self.progress.items()}
        if quorum.verdict(self.configuration.majorities, active) != quorum.WON:
            self._note("quorum-lost")
            self.become(FOLLOWER, self.term)
        for member, progress in self.progress.items():
            progress.active = member == self.id

    def ticks_to_action(self) -> int:
        """How many ticks from now the next one that does more than count will be (at least 1)."""
        if self.role == LEADER:
            until_beat = self.config.heartbeat_tick - self.heartbeat_elapsed
            return max(1, min(until_beat, self.config.election_tick - self.elapsed))
        return max(1, self.timeout - self.elapsed) if self.promotable else NEVER

    def skip(self, ticks: int) -> None:
        """Let *ticks* pass that `ticks_to_action` says do nothing but count."""
        assert ticks < self.ticks_to_action(), "a tick that acts may not be skipped"
        self.elapsed += ticks
        if self.role == LEADER:
            self.heartbeat_elapsed += ticks

    # -- elections -------------------------------------------------------------------------------------------------
    @property
    def promotable(self) -> bool:
        """Whether this member may ask for votes: a voter, with no snapshot half installed."""
        return self._votes_here and self.log.snapshot is None

    def campaign(self, force: bool = False) -> None:
        """Ask for votes, or with PreVote ask whether there would be any. *force*: the leader wants it, ask at once."""
        if self.role == LEADER:
            self._note("leads-already")
        elif not self.promotable:
            self._note("unpromotable")
        elif self._change_unapplied():
            self._note("change-unapplied")
        else:
            self._note("election")
            self._canvass(PRE_CANDIDATE if self.config.pre_vote and not force else CANDIDATE, force)

    def _change_unapplied(self) -> bool:
        log = self.log
        unapplied = log.between(max(log.applied, log.start) + 1, log.commit)
        return any(isinstance(entry.data, ConfChange) for entry in unapplied)

    def _canvass(self, role: str, force: bool = False) -> None:
        if role == PRE_CANDIDATE:
            type, term = "MsgPreVote", self.term + 1
            self.become(role, self.term)
        else:
            type, term = "MsgVote", self.term + 1
            self.become(role, term)
            self.vote = self.id
        last, last_term = self.log.last_index, self.log.last_term
        for voter in self.configuration.all_voters:
            if voter == self.id:
                self.promises.append(Message(type + "Resp", self.id, self.id, term))
            else:
                self._note("canvass", type, voter)
                self.messages.append(Message(type, self.id, voter, term, last, last_term, force=force))

    def _on_vote(self, m: Message) -> None:
        """Vote once a term, for a log at least as up to date as ours (§5.2, §5.4.1); a pre-vote binds nobody."""
        real = m.type == "MsgVote"
        free = self.vote == m.source or (self.vote == 0 and self.lead == 0) or (not real and m.term > self.term)
        granted = free and self.log.up_to_date(m.index, m.log_term)
        self._note("vote", m, granted)
        term = m.term if granted else self.term
        self.promises.append(Message(m.type + "Resp", self.id, m.source, term, reject=not granted))
        if granted and real:
            self.elapsed, self.vote = 0, m.source

    def _on_ballot(self, m: Message) -> None:
        """A (pre-)vote is in: won, lost, or still open."""
        if m.type != ("MsgPreVoteResp" if self.role == PRE_CANDIDATE else "MsgVoteResp"):
            return
        self._note("ballot", m)
        self.votes.setdefault(m.source, not m.reject)
        self._note("tally", m)
        outcome = quorum.verdict(self.configuration.majorities, self.votes)
        if outcome == quorum.LOST:
            self.become(FOLLOWER, self.term)
        elif outcome == quorum.WON and self.role == PRE_CANDIDATE:
            self._canvass(CANDIDATE)
        elif outcome == quorum.WON:
            self._lead()

    # -- messages ----------------------------------------------------------------------------------------------------
    def step(self, m: Message) -> str | None:
        """A message from a peer has arrived. Why it was refused, if it carries a proposal or comes from a stranger."""
        if m.type in ANSWERS and m.source not in self._members:
            return UNKNOWN_PEER
        return self._step(m)

    def _step(self, m: Message) -> str | None:
        if m.term != self.term and m.term:
            if m.term < self.term:
                self._on_lower_term(m)
                return None
            if not self._on_higher_term(m):
                return None
        handler = self._HANDLERS[self.role].get(m.type)
        return handler(self, m) if handler else None

    def _on_higher_term(self, m: Message) -> bool:
        """Follow a newer term, unless a lease or PreVote says no; whether to go on with *m*."""
        if m.type in ("MsgVote", "MsgPreVote") and not m.force:
            if self.config.check_quorum and self.lead and self.elapsed < self.config.election_tick:
                self._note("lease", m)
                return False
        if m.type == "MsgPreVote" or (m.type == "MsgPreVoteResp" and not m.reject):
            return True
        self._note("higher-term", m)
        self.become(FOLLOWER, m.term, m.source if m.type in FROM_LEADER else 0)
        return True

    def _on_lower_term(self, m: Message) -> None:
        """Answer a leader or candidate of the past so that it learns of the present."""
        if m.type in ("MsgApp", "MsgHeartbeat") and (self.config.check_quorum or self.config.pre_vote):
            self.promises.append(Message("MsgAppResp", self.id, m.source, self.term))
        elif m.type == "MsgPreVote":
            self._note("vote", m, False)
            self.promises.append(Message("MsgPreVoteResp", self.id, m.source, self.term, reject=True))
        elif m.type == "MsgStorageAppendResp":
            self._on_written_before(m)
        else:
            self._note("lower-term", m)

    def _hear_leader(self, m: Message) -> None:
        if self.role != FOLLOWER:
            self.become(FOLLOWER, m.term, m.source)
        self.elapsed, self.lead = 0, m.source

    def _on_append(self, m: Message) -> None:
        self._hear_leader(m)
        log = self.log
        if m.index < log.commit:
            self.promises.append(Message("MsgAppResp", self.id, m.source, self.term, log.commit))
            return
        last = log.take(m.index, m.log_term, m.entries, m.commit)
        if last is not None:
            self.promises.append(Message("MsgAppResp", self.id, m.source, self.term, last))
            return
        self._note("append-refused", m)
        hint, term = log.guess(min(m.index, log.last_index), m.log_term)
        self.promises.append(
            Message("MsgAppResp", self.id, m.source, self.term, m.index, term, reject=True, hint=hint)
        )

    def _on_heartbeat(self, m: Message) -> None:
        self._hear_leader(m)
        if m.commit > self.log.commit:
            self.log.commit_to(m.commit)
        self.messages.append(Message("MsgHeartbeatResp", self.id, m.source, self.term, context=m.context))

    # -- the leader's side: appending ------------------------------------------------------------------------------
    def propose(self, data: Any) -> bool:
        """Append *data* to the log if we lead, pass it to the leader if we know one; False: dropped."""
        return self._step(Message("MsgProp", self.id, self.lead, 0, entries=[Entry(0, 0, data)])) is None

    def _on_proposal(self, m: Message) -> str | None:
        if self.id not in self.progress:
            return DROPPED  # removed: what we append would bind others, not us
        if self.transferee:
            self._note("transfer-drops")
            return DROPPED
        if not self._append_own([self._checked(entry.data, at) for at, entry in enumerate(m.entries, start=1)]):
            return DROPPED
        self._broadcast_append()
        return None

    def _on_proposal_without_leader(self, m: Message) -> str | None:
        self._note("no-leader", m)
        return DROPPED

    def _append_own(self, commands: Sequence[Any]) -> bool:
        """Append to our own log and promise ourselves that it will be on disk; False if too much is uncommitted."""
        log, last = self.log, self.log.last_index
        entries = [Entry(self.term, index, data) for index, data in enumerate(commands, start=last + 1)]
        limit = self.config.max_uncommitted_size
        if limit is not None:
            size = sum(map(payload, entries))
            if self.uncommitted and size and self.uncommitted + size > limit:
                self._note("too-much-uncommitted")
                return False
            self.uncommitted += size
        log.append(entries)
        self.promises.append(Message("MsgAppResp", self.id, self.id, self.term, log.last_index))
        return True

    # -- the leader's side: replicating ----------------------------------------------------------------------------
    def _broadcast_append(self) -> None:
        for peer in self._peers:
            self._send_append(peer)

    def _send_append(self, peer: int, even_empty: bool = True) -> bool:
        """Send what *peer* lacks, as far as its progress allows; whether anything was sent."""
        progress, log = self.progress[peer], self.log
        if progress.waits:
            return False
        before = progress.next - 1
        term = log.term(before)
        if term is None:
            return self._send_snapshot(peer, progress)
        entries: list[Entry] = []
        if progress.state == PROBE or not progress.full:
            entries = log.between(progress.next, log.last_index, self.config.max_size_per_message)
        if not entries and not even_empty:
            return False
        self.messages.append(Message("MsgApp", self.id, peer, self.term, before, term, log.commit, entries))
        progress.sent(len(entries), sum(map(payload, entries)) if progress.window_bytes is not None else 0)
        progress.sent_commit = log.commit
        return True

    def _send_snapshot(self, peer: int, progress: Progress) -> bool:
        """What *peer* needs has been compacted away."""
        if not progress.active:
            self._note("snapshot-inactive", peer)
            return False
        snapshot = self.log.snapshot or self.config.take_snapshot()
        if snapshot is None:
            self._note("snapshot-unavailable", peer)
            return False
        self._note("snapshot-sent", peer, snapshot)
        progress.await_snapshot(snapshot.index)
        self._note("snapshot-waits", peer)
        self.messages.append(Message("MsgSnap", self.id, peer, self.term, snapshot=snapshot))
        return True

    def _broadcast_heartbeat(self, context: Any = None) -> None:
        """Heartbeats carry the newest read that waits for confirmation, and no commit beyond what the peer has."""
        if context is None and self.pending_reads:
            context = self.pending_reads[-1][0]
        commit, term, id, messages = self.log.commit, self.term, self.id, self.messages
        for peer in self._peers:
            progress = self.progress[peer]
            known = progress.sent_commit = min(progress.match, commit)
            messages.append(Message("MsgHeartbeat", id, peer, term, 0, 0, known, (), False, 0, context))

    def _on_append_answer(self, m: Message) -> None:
        progress = self.progress.get(m.source)
        if progress is None:
            self._note("no-progress", m.source)
            return
        progress.active = True
        if m.reject:
            self._refused(m, progress)
        elif progress.matched(m.index) or (progress.match == m.index and progress.state == PROBE):
            self._matched(m, progress)

    def _refused(self, m: Message, progress: Progress) -> None:
        """The follower lacks what comes before: go back, past every term that cannot match; an old refusal is stale."""
        self._note("refused", m)
        hint = self.log.guess(m.hint, m.log_term)[0] if m.log_term else m.hint
        if progress.refused(m.index, hint):
            self._note("went-back", m.source)
            if progress.state == REPLICATE:
                progress.become(PROBE)
            self._send_append(m.source)

    def _matched(self, m: Message, progress: Progress) -> None:
        """The follower has more than we knew: it may be sent more, and the log may be committed further."""
        self._recover(m, progress)
        if self._advance_commit():
            self._broadcast_append()
        elif m.source != self.id and progress.lacks_commit(self.log.commit):
            self._send_append(m.source)
        if m.source != self.id:
            while self._send_append(m.source, even_empty=False):
                pass
        if m.source == self.transferee and progress.match == self.log.last_index:
            self._note("transfer-caught-up", m.source)
            self._send_timeout_now(m.source)

    def _recover(self, m: Message, progress: Progress) -> None:
        if progress.state == REPLICATE:
            progress.free(m.index)
        elif progress.state == PROBE:
            progress.become(REPLICATE)
        elif progress.match >= self.log.start:
            self._note("snapshot-recovered", m.source)
            progress.become(PROBE)
            progress.become(REPLICATE)

    def _advance_commit(self) -> bool:
        """Commit what a majority has on disk, counting only entries of our own term (§5.4.2)."""
        progress = self.progress
        index = quorum.committed(
            self.configuration.majorities, lambda voter: progress[voter].match if voter in progress else 0
        )
        if index <= self.log.commit or self.log.term(index) != self.term:
            return False
        self.log.commit_to(index)
        waiting, self.waiting_reads = self.waiting_reads, []
        for request in waiting:
            self._lead_read(request)
        return True

    def _on_heartbeat_answer(self, m: Message) -> None:
        progress = self.progress[m.source]
        progress.active, progress.paused = True, False
        if progress.state == PROBE or progress.match < self.log.last_index:
            self._send_append(m.source)
        if m.context is not None:
            self._confirm_reads(m.source, m.context)

    def report_unreachable(self, peer: int) -> None:
        """The last message to *peer* was probably lost."""
        progress = self.progress.get(peer)
        if progress is not None:
            if progress.state == REPLICATE:
                progress.become(PROBE)
            self._note("unreachable", peer)

    def report_snapshot(self, peer: int, arrived: bool) -> None:
        """The snapshot for *peer* has been sent, or could not be."""
        progress = self.progress.get(peer)
        if progress is None or progress.state != SNAPSHOT:
            return
        if not arrived:
            progress.pending_snapshot = 0
        progress.become(PROBE)
        progress.paused = True  # until it answers, or the next heartbeat
        self._note("snapshot-reported", peer, arrived)

    # -- snapshots (§7) --------------------------------------------------------------------------------------------
    def compact(self, index: int) -> None:
        """Forget the log up to *index*: the driver keeps a snapshot of it, see ``Config.take_snapshot``."""
        self.log.compact(index)

    def _on_snapshot(self, m: Message) -> None:
        self._hear_leader(m)
        assert m.snapshot is not None
        taken = self._restore(m.snapshot)
        self._note("snapshot-restored" if taken else "snapshot-ignored", m.snapshot)
        index = self.log.last_index if taken else self.log.commit
        self.promises.append(Message("MsgAppResp", self.id, m.source, self.term, index))

    def _restore(self, snapshot: Snapshot) -> bool:
        """Install *snapshot*, unless it holds nothing new or is not for us."""
        if snapshot.index <= self.log.commit:
            return False
        if self.id not in snapshot.configuration.members:
            self._note("snapshot-of-strangers", snapshot)
            return False
        if self.log.term(snapshot.index) == snapshot.term:
            self._note("fast-forward", snapshot)
            self.log.commit_to(snapshot.index)
            return False
        self.log.restore(snapshot)
        self._switch(snapshot.configuration)
        self._note("restored", snapshot)
        return True

    # -- membership (thesis §4) ------------------------------------------------------------------------------------
    def propose_conf_change(self, change: ConfChange) -> bool:
        """Propose a change of membership; it counts from when the driver, applying it, calls `apply_conf_change`."""
        return self.propose(change)

    def _checked(self, data: Any, offset: int) -> Any:
        """One change of membership at a time: another becomes an empty entry."""
        if not isinstance(data, ConfChange):
            return data
        reason = self._objection(data)
        if reason and not self.config.disable_conf_change_validation:
            self._note("change-ignored", data, reason)
            return None
        self.pending_change = self.log.last_index + offset
        return data

    def _objection(self, change: ConfChange) -> str | None:
        joint, applied = bool(self.configuration.outgoing), self.log.applied
        if self.pending_change > applied:
            return f"possible unapplied conf change at index {self.pending_change} (applied to {applied})"
        if joint and change.changes:
            return "must transition out of joint config first"
        if not joint and not change.changes:
            return "not in joint state; refusing empty conf change"
        return None

    def apply_conf_change(self, change: ConfChange) -> Configuration:
        """A committed *change* is being applied: the configuration from now on."""
        self._switch(*confchange.apply(self.configuration, change))
        return self.configuration

    def _switch(self, configuration: Configuration, anew: frozenset[int] = frozenset()) -> None:
        self.configuration = configuration
        self._members = frozenset(configuration.members)
        self._peers = tuple(member for member in configuration.members if member != self.id)
        self._votes_here = self.id in configuration.all_voters
        self._note("configuration")
        if self.role == LEADER:
            self._rearrange(anew)

    def _rearrange(self, anew: frozenset[int]) -> None:
        """A leader in a new configuration: newcomers are unknown, and fewer may be needed to commit."""
        old = self.progress
        self.progress = {m: self._newcomer() if m in anew else old[m] for m in self.configuration.members}
        if not self._votes_here:
            if self.config.step_down_on_removal:
                self.become(FOLLOWER, self.term)
            return
        if self._advance_commit():
            self._broadcast_append()
        else:
            for peer in self._peers:
                self._send_append(peer, even_empty=False)
        if self.transferee not in self.configuration.all_voters:
            self.transferee = 0

    def _newcomer(self) -> Progress:
        progress = self._progress(max(self.log.last_index, 1))
        progress.active = True  # else it could cost us the quorum before it has had a chance to answer
        return progress

    def _leave_joint(self) -> None:
        if self.propose(ConfChange()):
            self._note("leaving")
        else:
            self._note("not-leaving")

    # -- reads (thesis §6.4) -----------------------------------------------------------------------------------------
    def read_index(self, context: Any) -> bool:
        """Ask for an index that a linearizable read may use; it comes in ``ready.reads``. False: no leader known."""
        if not self.lead:
            return False
        self._step(Message("MsgReadIndex", self.id, self.lead, 0, context=(self.id, context)))
        return True

    def _on_read_index(self, m: Message) -> None:
        self._lead_read(m.context)

    def _lead_read(self, request: tuple[int, Any]) -> None:
        """Only a leader that has committed in its term knows what is committed; then a majority must still follow it."""
        alone = self.configuration.all_voters == (self.id,)
        if not alone and self.log.term(self.log.commit) != self.term:
            self.waiting_reads.append(request)
        elif alone or self.config.lease_reads:
            self._answer_read(request, self.log.commit)
        else:
            self.pending_reads.append((request, self.log.commit, {self.id: True}))
            self._broadcast_heartbeat(request)

    def _confirm_reads(self, source: int, context: Any) -> None:
        """Everyone who answered a heartbeat sent after the request confirms that we still led then."""
        for position, (request, _, confirmed) in enumerate(self.pending_reads):
            if request == context:
                confirmed[source] = True
                if quorum.verdict(self.configuration.majorities, confirmed) == quorum.WON:
                    done, self.pending_reads = self.pending_reads[: position + 1], self.pending_reads[position + 1 :]
                    for earlier, index, _ in done:
                        self._answer_read(earlier, index)
                return

    def _answer_read(self, request: tuple[int, Any], index: int) -> None:
        asker, context = request
        if asker == self.id:
            self.reads.append((context, index))
        else:
            self.messages.append(Message("MsgReadIndexResp", self.id, asker, self.term, index, context=context))

    def _on_read_answer(self, m: Message) -> None:
        self.reads.append((m.context, m.index))

    # -- leadership transfer (thesis §3.10), and forgetting a leader ----------------------------------------------------
    def transfer_leader(self, target: int) -> None:
        """Hand leadership to *target*, as a graceful stop does; a follower asks its leader to."""
        self._step(Message("MsgTransferLeader", target, self.lead, 0))

    def _on_transfer(self, m: Message) -> None:
        target, progress = m.source, self.progress.get(m.source)
        if progress is None:
            self._note("no-progress", target)
        elif self._may_transfer(target):
            self._transfer(target, progress)

    def _transfer(self, target: int, progress: Progress) -> None:
        self._note("transfer", target)
        self.transferee, self.elapsed = target, 0  # it has one election timeout
        if progress.match == self.log.last_index:
            self._note("transfer-at-once", target)
            self._send_timeout_now(target)
        else:
            self._send_append(target)

    def _may_transfer(self, target: int) -> bool:
        """A learner cannot lead, and a newer wish replaces an older one."""
        if target in self.configuration.learners:
            self._note("transfer-to-learner")
            return False
        if target == self.transferee:
            self._note("transfer-again", target)
            return False
        if self.transferee:
            self._note("transfer-aborted")
            self.transferee = 0
        if target == self.id:
            self._note("transfer-to-self")
            return False
        return True

    def _send_timeout_now(self, target: int) -> None:
        self.messages.append(Message("MsgTimeoutNow", self.id, target, self.term))

    def _on_timeout_now(self, m: Message) -> None:
        self._note("timeout-now", m)
        self.campaign(force=True)

    def _ignore_timeout_now(self, m: Message) -> None:
        self._note("timeout-now-ignored", m)

    def forget_leader(self) -> None:
        """Stop believing in the leader, so that votes are free; the term and the timeout stay."""
        if self.role != FOLLOWER:
            return
        if self.config.lease_reads:
            self._note("forget-refused")
        elif self.lead:
            self._note("forgetting")
            self.lead = 0

    def _forward(self, m: Message) -> str | None:
        """A follower passes on what is for the leader."""
        if not self.lead:
            self._note("no-leader", m)
            return DROPPED if m.type == "MsgProp" else None
        term = self.term if m.type == "MsgTransferLeader" else 0
        self.messages.append(Message(m.type, m.source, self.lead, term, entries=m.entries, context=m.context))
        return None

    # -- effects -------------------------------------------------------------------------------------------------
    def has_ready(self) -> bool:
        """Whether there is anything to carry out."""
        log = self.log
        return bool(
            self.messages
            or self.promises
            or log.handed < log.last_index
            or log.has_to_apply(not self.config.async_storage)
            or self._hard_state_changed()
            or self._told != (self.lead, self.role)
            or self.reads
            or (log.snapshot is not None and not log.snapshot_handed)
        )

    def _hard_state_changed(self) -> bool:
        saved = self._saved
        return saved.term != self.term or saved.vote != self.vote or saved.commit != self.log.commit

    def ready(self) -> Ready:
        """Take the effects; `advance` when they have been carried out."""
        log, unwritten = self.log, not self.config.async_storage
        state, must_sync = self._take_hard_state()
        leadership = (self.lead, self.role)
        ready = Ready(
            state,
            log.to_write(),
            self.messages,
            log.to_apply(unwritten),
            self.reads,
            must_sync,
            log.snapshot if not log.snapshot_handed else None,
            leadership if leadership != self._told else None,
            self.promises,
        )
        self._told = leadership
        self.messages, self.promises, self.reads = [], [], []
        ready.must_sync = must_sync or bool(ready.entries)
        self._take_log(ready, unwritten)
        return ready

    def _take_hard_state(self) -> tuple[HardState | None, bool]:
        """The hard state if it changed, and whether it may not wait for a later write."""
        if not self._hard_state_changed():
            return None, False
        saved, state = self._saved, HardState(self.term, self.vote, self.log.commit)
        self._saved = state
        return state, (saved.term, saved.vote) != (state.term, state.vote)

    def _take_log(self, ready: Ready, unwritten: bool) -> None:
        """What this ready says about itself when it has been written and applied."""
        log = self.log
        if log.being_written or ready.snapshot is not None:
            last = (log.last_index, log.last_term) if log.being_written else (0, 0)
            ready.written = Message(
                "MsgStorageAppendResp", self.id, self.id, self.term, *last, snapshot=ready.snapshot
            )
            log.hand_over()
        if ready.committed:
            log.apply_begun(ready.committed, unwritten)
            ready.applied = Message("MsgStorageApplyResp", self.id, self.id, 0, entries=ready.committed)
        if unwritten and ready.promises:
            ready.messages.extend(promise for promise in ready.promises if promise.target != self.id)

    def advance(self, ready: Ready) -> None:
        """*ready* has been carried out: what we promised ourselves is true now."""
        for promise in ready.promises:
            if promise.target == self.id:
                self._step(promise)
        if ready.written is not None:
            self._step(ready.written)
        if ready.applied is not None:
            self._step(ready.applied)

    def _on_written(self, m: Message) -> None:
        if m.index:
            self.log.written(m.index, m.log_term)
        if m.snapshot is not None:
            self._installed(m.snapshot)

    def _on_written_before(self, m: Message) -> None:
        """Written in an earlier term: the entries may have been replaced since, a snapshot is still good."""
        if m.index:
            self._note("written-before", m)
        if m.snapshot is not None:
            self._installed(m.snapshot)

    def _installed(self, snapshot: Snapshot) -> None:
        self.log.installed(snapshot.index)
        self._applied_to(snapshot.index)

    def _on_applied(self, m: Message) -> None:
        self._applied_to(m.entries[-1].index, m.entries)
        if self.config.max_uncommitted_size is not None:
            self.uncommitted = max(0, self.uncommitted - sum(map(payload, m.entries)))

    def _applied_to(self, index: int, entries: Sequence[Entry] = ()) -> None:
        index = max(index, self.log.applied)
        self.log.apply_done(index, entries)
        if self.configuration.auto_leave and self.role == LEADER and index >= self.pending_change:
            self._leave_joint()

    _ALWAYS: dict[str, Callable[["Raft", Message], Any]] = {
        "MsgVote": _on_vote,
        "MsgPreVote": _on_vote,
        "MsgStorageAppendResp": _on_written,
        "MsgStorageApplyResp": _on_applied,
    }
    _CANVASSING = {
        **_ALWAYS,
        "MsgApp": _on_append,
        "MsgHeartbeat": _on_heartbeat,
        "MsgSnap": _on_snapshot,
        "MsgVoteResp": _on_ballot,
        "MsgPreVoteResp": _on_ballot,
        "MsgProp": _on_proposal_without_leader,
        "MsgTimeoutNow": _ignore_timeout_now,
    }
    _HANDLERS = {
        FOLLOWER: {
            **_ALWAYS,
            "MsgApp": _on_append,
            "MsgHeartbeat": _on_heartbeat,
            "MsgSnap": _on_snapshot,
            "MsgProp": _forward,
            "MsgReadIndex": _forward,
            "MsgTransferLeader": _forward,
            "MsgReadIndexResp": _on_read_answer,
            "MsgTimeoutNow": _on_timeout_now,
        },
        PRE_CANDIDATE: _CANVASSING,
        CANDIDATE: _CANVASSING,
        LEADER: {
            **_ALWAYS,
            "MsgAppResp": _on_append_answer,
            "MsgHeartbeatResp": _on_heartbeat_answer,
            "MsgProp": _on_proposal,
            "MsgReadIndex": _on_read_index,
            "MsgTransferLeader": _on_transfer,
        },
    }
