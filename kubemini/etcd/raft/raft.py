"""Raft as a pure machine: messages and ticks in, a `Ready` of effects out. No clock, no disk, no wire.

Invariant: what a message promises is on disk before the message leaves. The driver keeps it: it persists
``ready.hard_state``, ``ready.entries`` and ``ready.snapshot``, sends ``ready.messages``, applies ``ready.committed``,
then calls `advance`. A leader may send before its own write (thesis §10.2.1): its own votes and entries count only in
`advance`, when the promises it made to itself arrive.
Follows Ongaro and Ousterhout, "In Search of an Understandable Consensus Algorithm" (2014) and Ongaro's thesis; the seam
(tick, step, ready, advance) is etcd-io/raft's, whose conversations are replayed against this machine.
Here are time, messages and effects; what all roles share is in `state.py`, what a member does in a role in
`election.py`, `follower.py`, `leader.py`.
Models raft . raft.Step, stepCandidate, raft.tickElection, raft.tickHeartbeat, RawNode.Ready, RawNode.Advance.
"""

from collections.abc import Callable, Collection, Sequence
from typing import Any, ClassVar

from kubemini.etcd.raft import confchange, election, follower, leader
from kubemini.etcd.raft.confchange import ConfChange, Configuration
from kubemini.etcd.raft.log import Entry, Snapshot, payload
from kubemini.etcd.raft.messages import (
    ANSWERS,
    CANDIDATE,
    FOLLOWER,
    FROM_LEADER,
    LEADER,
    PRE_CANDIDATE,
    UNKNOWN_PEER,
    Config,
    HardState,
    Message,
    Ready,
)
from kubemini.etcd.raft.state import State

NO_ACTION = 10**9  # ticks: never


class Raft(State):
    """One member. Change it only by the public methods here; `state.State` is what the roles read and write."""

    def __init__(self, config: Config):
        super().__init__(config)
        self.note("new")
        self._reported = (self.lead, self.role)
        self._saved = HardState(self.term, self.vote, self.log.commit)

    # -- time ----------------------------------------------------------------------------------------------------
    def tick(self) -> None:
        """One tick has passed."""
        self.elapsed += 1
        if self.role == LEADER:
            self._tick_leader()
        elif self.elapsed >= self.timeout and self.promotable:
            self.elapsed = 0
            election.campaign(self)

    def _tick_leader(self) -> None:
        self.heartbeat_elapsed += 1
        if self.elapsed >= self.config.election_tick:
            self.elapsed = 0
            if self.config.check_quorum:
                leader.check_quorum(self)
            self.transferee = 0
        if self.role == LEADER and self.heartbeat_elapsed >= self.config.heartbeat_tick:
            self.heartbeat_elapsed = 0
            leader.broadcast_heartbeat(self)

    def ticks_to_action(self) -> int:
        """How many ticks from now the next one that does more than count will be (at least 1)."""
        if self.role == LEADER:
            until_beat = self.config.heartbeat_tick - self.heartbeat_elapsed
            return max(1, min(until_beat, self.config.election_tick - self.elapsed))
        return max(1, self.timeout - self.elapsed) if self.promotable else NO_ACTION

    def skip(self, ticks: int) -> None:
        """Let *ticks* pass that `ticks_to_action` says do nothing but count."""
        quiet = self.role != LEADER and self.elapsed + ticks < self.timeout  # the most common case, told without a call
        assert quiet or ticks < self.ticks_to_action(), "a tick that acts may not be skipped"
        self.elapsed += ticks
        self.heartbeat_elapsed += ticks

    def skip_following(self, ticks: int) -> None:
        """Let *ticks* pass in which the leader was heard all the time, and has been heard just now."""
        self.elapsed = 0
        self.heartbeat_elapsed += ticks

    def skip_leading(self, ticks: int, heard: Collection[int]) -> None:
        """Let *ticks* pass in which we led, and the members *heard*, a quorum, answered every heartbeat."""
        elapsed = self.elapsed + ticks
        checked = self.config.check_quorum and elapsed >= self.config.election_tick
        self.elapsed = elapsed % self.config.election_tick
        for member, progress in self.progress.items():
            progress.active = member in heard or (progress.active and not checked)
            if member != self.id:
                progress.sent_commit = min(progress.match, self.log.commit)

    # -- messages --------------------------------------------------------------------------------------------------
    def step(self, m: Message) -> str | None:
        """A message from a peer has arrived. Why it is refused: a dropped proposal, a stranger's answer; else None."""
        if m.type in ANSWERS and m.source not in self._members:
            return UNKNOWN_PEER
        return self._step(m)

    def step_heartbeat(self, m: Message) -> bool:
        """Step *m*, if it is a heartbeat or an answer to one that leaves nothing to do but to send messages.

        Most of what is ever said is of that kind; whether this was. If not, nothing has changed: `step` it.
        """
        if m.term != self.term or m.context is not None:
            return False
        if m.type == "MsgHeartbeat":
            if self.role != FOLLOWER or self.lead != m.source or m.commit > self.log.commit:
                return False
            follower.on_heartbeat(self, m)
            return True
        if m.type != "MsgHeartbeatResp" or self.role != LEADER or m.source not in self._members:
            return False
        leader.on_heartbeat_answer(self, m)
        return True

    def _step(self, m: Message) -> str | None:
        if m.term != self.term and m.term:
            if m.term < self.term:
                self._on_lower_term(m)
                return None
            if not self._on_higher_term(m):
                return None
        handler = self._HANDLERS[self.role].get(m.type)
        return handler(self, m) if handler is not None else None

    def _on_higher_term(self, m: Message) -> bool:
        """Follow a newer term, unless a lease or PreVote says no; whether to go on with *m*."""
        if election.in_lease(self, m):
            self.note("lease", m)
            return False
        if m.type != "MsgPreVote" and (m.type != "MsgPreVoteResp" or m.reject):
            self.note("higher-term", m)
            self.become(FOLLOWER, m.term, m.source if m.type in FROM_LEADER else 0)
        return True

    def _on_lower_term(self, m: Message) -> None:
        """Answer a leader or candidate of the past so that it learns of the present."""
        if m.type in ("MsgApp", "MsgHeartbeat") and (self.config.check_quorum or self.config.pre_vote):
            self.promises.append(Message("MsgAppResp", self.id, m.source, self.term))
        elif m.type == "MsgPreVote":
            self.note("vote", m, False)
            self.promises.append(Message("MsgPreVoteResp", self.id, m.source, self.term, reject=True))
        elif m.type == "MsgStorageAppendResp":
            self._on_written_before(m)
        else:
            self.note("lower-term", m)

    # -- requests --------------------------------------------------------------------------------------------------
    def campaign(self) -> None:
        """Ask for votes, or with PreVote ask whether there would be any."""
        election.campaign(self)

    def propose(self, data: Any) -> bool:
        """Append *data* to the log if we lead, pass it to the leader if we know one; False: dropped."""
        return self._step(Message("MsgProp", self.id, self.lead, 0, entries=[Entry(0, 0, data)])) is None

    def propose_conf_change(self, change: ConfChange) -> bool:
        """Propose a change of membership; it counts from when the driver, applying it, calls `apply_conf_change`."""
        return self.propose(change)

    def read_index(self, context: Any) -> bool:
        """Ask for an index that a linearizable read may use; it comes in ``ready.reads``. False: no leader known."""
        if not self.lead:
            return False
        self._step(Message("MsgReadIndex", self.id, self.lead, 0, context=(self.id, context)))
        return True

    def transfer_leader(self, target: int) -> None:
        """Hand leadership to *target*, as a graceful stop does; a follower asks its leader to."""
        self._step(Message("MsgTransferLeader", target, self.lead, 0))

    def forget_leader(self) -> None:
        """Stop believing in the leader, so that votes are free; the term and the timeout stay."""
        follower.forget_leader(self)

    def report_unreachable(self, peer: int) -> None:
        """The last message to *peer* was probably lost."""
        if self.role == LEADER:
            leader.report_unreachable(self, peer)

    def report_snapshot(self, peer: int, arrived: bool) -> None:
        """The snapshot for *peer* has been sent, or could not be."""
        if self.role == LEADER:
            leader.report_snapshot(self, peer, arrived)

    def compact(self, index: int) -> None:
        """Forget the log up to *index*: the driver keeps a snapshot of it, see ``Config.take_snapshot`` (paper §7)."""
        self.log.compact(index)

    # -- membership (thesis §4) ------------------------------------------------------------------------------------
    def apply_conf_change(self, change: ConfChange) -> Configuration:
        """A committed *change* is being applied: the configuration from now on."""
        configuration, anew = confchange.apply(self.configuration, change)
        self.switch(configuration)
        if self.role == LEADER:
            leader.rearrange(self, anew)
        return self.configuration

    # -- effects -------------------------------------------------------------------------------------------------
    def has_ready(self) -> bool:
        """Whether there is anything to carry out."""
        return bool(self.messages) or self.has_work()

    def has_work(self) -> bool:
        """Whether there is more to carry out than messages to send."""
        log, saved = self.log, self._saved
        return bool(
            self.promises
            or log.given < log.last_index
            or (log.applying != log.commit and log.has_to_apply(not self.config.async_storage))
            or saved.commit != log.commit
            or saved.term != self.term
            or saved.vote != self.vote
            or self._reported != (self.lead, self.role)
            or self.reads
            or log.snapshot_to_write is not None
        )

    def keep_promises(self) -> bool:
        """Whether nothing is to be done but to keep promises, which wait for no disk: then they have been kept."""
        promises, self.promises = self.promises, []
        if self.has_work():
            self.promises = promises
            return False
        own: list[Message] = []
        for promise in promises:
            (own if promise.target == self.id else self.messages).append(promise)
        for promise in own:
            self._step(promise)
        return True

    def take_messages(self) -> list[Message]:
        """The messages to send, if there is no other work: the life of a healthy cluster needs no `Ready`."""
        messages, self.messages = self.messages, []
        return messages

    def ready(self) -> Ready:
        """Take the effects; `advance` when they have been carried out."""
        log, unwritten = self.log, not self.config.async_storage
        state, must_sync = self._take_hard_state()
        ready = Ready(
            state,
            log.to_write() if log.given < log.last_index else [],
            self.messages,
            log.to_apply(unwritten) if log.applying < log.commit else [],
            self.reads,
            must_sync,
            promises=self.promises,
        )
        self.messages, self.promises, self.reads = [], [], []
        if self._reported != (self.lead, self.role):
            self._reported = ready.leadership = (self.lead, self.role)
        if log.being_written or log.snapshot is not None:
            self._take_log(ready)
        if ready.committed:
            log.apply_begun(ready.committed, unwritten)
            ready.applied = Message("MsgStorageApplyResp", self.id, self.id, 0, entries=ready.committed)
        if unwritten and ready.promises:
            ready.messages.extend(promise for promise in ready.promises if promise.target != self.id)
        return ready

    def _take_hard_state(self) -> tuple[HardState | None, bool]:
        """The hard state if it changed, and whether it may not wait for a later write."""
        saved = self._saved
        if saved.commit == self.log.commit and saved.term == self.term and saved.vote == self.vote:
            return None, False
        state = self._saved = HardState(self.term, self.vote, self.log.commit)
        return state, (saved.term, saved.vote) != (state.term, state.vote)

    def _take_log(self, ready: Ready) -> None:
        """Give out what is to be written, and what is to be said when it, and all before it, has been."""
        log = self.log
        ready.must_sync = ready.must_sync or bool(ready.entries)
        ready.snapshot = log.snapshot_to_write
        if log.being_written or ready.snapshot is not None:
            last = (log.last_index, log.last_term) if log.being_written else (0, 0)
            ready.written = Message("MsgStorageAppendResp", self.id, self.id, self.term, *last, snapshot=ready.snapshot)
            log.mark_given()

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
            self.note("written-before", m)
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
        """A leader that has applied a change to a joint configuration, and all before it, proposes to leave it."""
        index = max(index, self.log.applied)
        self.log.apply_done(index, entries)
        if self.configuration.auto_leave and self.role == LEADER and index >= self.pending_change:
            self.note("leaving" if self.propose(ConfChange()) else "not-leaving")

    _ALWAYS: ClassVar[dict[str, Callable[["Raft", Message], Any]]] = {
        "MsgVote": election.on_vote,
        "MsgPreVote": election.on_vote,
        "MsgStorageAppendResp": _on_written,
        "MsgStorageApplyResp": _on_applied,
    }
    _LED: ClassVar[dict[str, Callable[["Raft", Message], Any]]] = {
        **_ALWAYS,
        "MsgApp": follower.on_append,
        "MsgHeartbeat": follower.on_heartbeat,
        "MsgSnap": follower.on_snapshot,
        "MsgTimeoutNow": election.on_timeout_now,
    }
    _CANVASSING: ClassVar[dict[str, Callable[["Raft", Message], Any]]] = {
        **_LED,
        "MsgVoteResp": election.on_ballot,
        "MsgPreVoteResp": election.on_ballot,
        "MsgProp": follower.refuse,
    }
    _HANDLERS: ClassVar[dict[str, dict[str, Callable[["Raft", Message], Any]]]] = {
        FOLLOWER: {
            **_LED,
            "MsgProp": follower.forward,
            "MsgReadIndex": follower.forward,
            "MsgTransferLeader": follower.forward,
            "MsgReadIndexResp": follower.on_read_answer,
        },
        PRE_CANDIDATE: _CANVASSING,
        CANDIDATE: _CANVASSING,
        LEADER: {
            **_ALWAYS,
            "MsgAppResp": leader.on_append_answer,
            "MsgHeartbeatResp": leader.on_heartbeat_answer,
            "MsgProp": leader.on_proposal,
            "MsgReadIndex": leader.on_read_index,
            "MsgTransferLeader": leader.on_transfer,
        },
    }
