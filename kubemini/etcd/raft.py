"""Raft as a pure machine: messages and ticks in, a `Ready` of effects out. No clock, no disk, no wire.

Invariant: what a message promises is on disk before the message leaves. The driver keeps it: it persists
``ready.hard_state`` and ``ready.entries``, then sends ``ready.messages``, then calls ``advance``; only then may it
apply ``ready.committed`` (a leader may send before its own write, thesis §10.2.1, because its own vote for an entry
is counted in `advance`).
Follows Ongaro and Ousterhout, "In Search of an Understandable Consensus Algorithm" (2014), and Ongaro's thesis for
PreVote (§9.6), CheckQuorum (§6.2) and ReadIndex (§6.4); the seam (tick, step, ready, advance) is etcd-io/raft's.
Simplified: fixed membership, no snapshots; the whole log is kept.
"""

from collections.abc import Sequence
from typing import Any, ClassVar

from kubemini.etcd.messages import (
    CANDIDATE,
    FOLLOWER,
    LEADER,
    PRE_CANDIDATE,
    PROBE,
    REPLICATE,
    Config,
    Entry,
    HardState,
    Message,
    Progress,
    Ready,
)


class Raft:
    """One member's state. Change it only by `tick`, `step`, `propose`, `read_index`, `campaign`, `transfer_leader`."""

    def __init__(self, config: Config):
        self.config = config
        self.id = config.id
        self.peers = [p for p in config.peers if p != config.id]
        self.quorum = len(config.peers) // 2 + 1
        self.term, self.vote, self.commit = (
            config.hard_state.term,
            config.hard_state.vote,
            config.hard_state.commit,
        )
        self.log: list[Entry] = list(config.entries)
        self.stable = len(self.log)  # entries on disk
        self.applied = 0
        self.role, self.lead = FOLLOWER, 0
        self.messages: list[Message] = []
        self.after_append: list[Message] = []  # promises: sent when the log is on disk
        self.votes: dict[int, bool] = {}
        self.progress: dict[int, Progress] = {}
        self.elapsed = self.heartbeat_elapsed = 0
        self.draws = 0
        self.reads: list[tuple[Any, int]] = []
        self.pending_reads: list[tuple[Any, int, set[int]]] = []  # context, commit index, who confirmed
        self.waiting_reads: list[tuple[int, Any]] = []  # before the first commit of the term
        self.transferee = 0
        self._saved = config.hard_state
        self._draw_timeout()

    # -- the log -------------------------------------------------------------------------------------------------
    @property
    def last_index(self) -> int:
        """The index of the last entry."""
        return len(self.log)

    def term_at(self, index: int) -> int:
        """The term of the entry at *index*; 0 before the first, -1 beyond the last."""
        if index == 0:
            return 0
        return self.log[index - 1].term if index <= len(self.log) else -1

    def up_to_date(self, index: int, term: int) -> bool:
        """Whether a log that ends so is at least as up to date as ours (paper §5.4.1)."""
        last = self.term_at(self.last_index)
        return term > last or (term == last and index >= self.last_index)

    # -- roles: every change of role goes through `become` ---------------------------------------------------------
    def become(self, role: str, term: int, lead: int = 0) -> None:
        """Change role, and term if it is a new one."""
        if term != self.term:
            self.term, self.vote = term, 0
        self.role, self.lead = role, lead
        self.elapsed = self.heartbeat_elapsed = 0
        self.votes = {}
        self.transferee = 0
        self.pending_reads, self.waiting_reads = [], []
        self._draw_timeout()

    def _draw_timeout(self) -> None:
        self.draws += 1
        self.timeout = self.config.timeout(self.draws)

    def _lead(self) -> None:
        self.become(LEADER, self.term, self.id)
        self.progress = {p: Progress(self.last_index + 1) for p in self.peers}
        for progress in self.progress.values():
            progress.active = True
        self._append_own([None])
        self._broadcast_append()

    # -- time ----------------------------------------------------------------------------------------------------
    def tick(self) -> None:
        """One tick has passed."""
        self.elapsed += 1
        if self.role == LEADER:
            self._tick_leader()
        elif self.elapsed >= self.timeout:
            self.elapsed = 0
            self.campaign()

    def _tick_leader(self) -> None:
        self.heartbeat_elapsed += 1
        if self.elapsed >= self.config.election_tick:
            self.elapsed = 0
            self.transferee = 0
            if self.config.check_quorum and not self._quorum_active():
                self.become(FOLLOWER, self.term)
                return
        if self.heartbeat_elapsed >= self.config.heartbeat_tick:
            self.heartbeat_elapsed = 0
            self._broadcast_heartbeat()

    def _quorum_active(self) -> bool:
        active = 1 + sum(p.active for p in self.progress.values())
        for progress in self.progress.values():
            progress.active = False
        return active >= self.quorum

    def ticks_to_action(self) -> int:
        """How many ticks from now the next one that does more than count will be (at least 1)."""
        if self.role == LEADER:
            return 1
        return max(1, self.timeout - self.elapsed)

    def skip(self, ticks: int) -> None:
        """Let *ticks* pass that `ticks_to_action` says do nothing but count."""
        assert ticks < self.ticks_to_action(), "a tick that acts may not be skipped"
        self.elapsed += ticks

    # -- elections -------------------------------------------------------------------------------------------------
    def campaign(self) -> None:
        """Ask for votes, or with PreVote ask whether there would be any."""
        if self.role == LEADER:
            return
        if self.config.pre_vote:
            term = self.term
            self.become(PRE_CANDIDATE, term)
            self._canvass("MsgPreVote", self.term + 1)
        else:
            self._campaign()

    def _campaign(self, force: bool = False) -> None:
        self.become(CANDIDATE, self.term + 1)
        self.vote = self.id
        self._canvass("MsgVote", self.term, force)

    def _canvass(self, type: str, term: int, force: bool = False) -> None:
        last = self.last_index
        for peer in self.peers:
            message = Message(type, self.id, peer, term, last, self.term_at(last))
            message.force = force
            self.messages.append(message)
        self._count(self.id, True)

    def _count(self, voter: int, granted: bool) -> None:
        """A (pre-)vote is in: won, lost, or still open."""
        self.votes.setdefault(voter, granted)
        yes = sum(self.votes.values())
        if yes >= self.quorum:
            if self.role == PRE_CANDIDATE:
                self._campaign()
            else:
                self._lead()
        elif len(self.votes) - yes >= self.quorum:
            self.become(FOLLOWER, self.term)

    # -- messages ----------------------------------------------------------------------------------------------------
    def step(self, m: Message) -> None:
        """A message from a peer has arrived."""
        if m.term > self.term and not self._higher_term(m):
            return
        if m.term < self.term:
            self._lower_term(m)
            return
        self._HANDLERS[m.type](self, m)

    def _higher_term(self, m: Message) -> bool:
        """Follow a newer term, unless a lease or PreVote says no; whether to go on with *m*."""
        if m.type in ("MsgVote", "MsgPreVote") and not m.force:
            in_lease = self.config.check_quorum and self.lead and self.elapsed < self.config.election_tick
            if in_lease:
                return False
        if m.type == "MsgPreVote" or (m.type == "MsgPreVoteResp" and not m.reject):
            return True
        leads = m.type in ("MsgApp", "MsgHeartbeat")
        self.become(FOLLOWER, m.term, m.source if leads else 0)
        return True

    def _lower_term(self, m: Message) -> None:
        """Answer a leader or candidate of the past so that it learns of the present."""
        if m.type in ("MsgApp", "MsgHeartbeat") and (self.config.check_quorum or self.config.pre_vote):
            self.messages.append(Message("MsgAppResp", self.id, m.source, self.term))
        elif m.type == "MsgPreVote":
            self.messages.append(Message("MsgPreVoteResp", self.id, m.source, self.term, reject=True))

    def _on_vote(self, m: Message) -> None:
        """Vote once a term, for a log at least as up to date as ours (§5.2, §5.4.1)."""
        free = self.vote == m.source or (self.vote == 0 and self.lead == 0)
        if m.type == "MsgPreVote":
            free = free or m.term > self.term
        granted = free and self.up_to_date(m.index, m.log_term)
        term = m.term if granted else self.term
        answer = Message(m.type + "Resp", self.id, m.source, term, reject=not granted)
        if granted and m.type == "MsgVote":
            self.elapsed, self.vote = 0, m.source
            self.after_append.append(answer)
        else:
            self.messages.append(answer)

    def _on_vote_answer(self, m: Message) -> None:
        wanted = "MsgPreVoteResp" if self.role == PRE_CANDIDATE else "MsgVoteResp"
        if self.role in (PRE_CANDIDATE, CANDIDATE) and m.type == wanted:
            self._count(m.source, not m.reject)

    def _hear_leader(self, m: Message) -> None:
        if self.role != FOLLOWER:
            self.become(FOLLOWER, m.term, m.source)
        self.elapsed, self.lead = 0, m.source

    def _on_append(self, m: Message) -> None:
        self._hear_leader(m)
        if m.index < self.commit:
            self.after_append.append(Message("MsgAppResp", self.id, m.source, self.term, self.commit))
            return
        if self.term_at(m.index) != m.log_term:
            hint = self._hint(min(m.index, self.last_index), m.log_term)
            refusal = Message(
                "MsgAppResp", self.id, m.source, self.term, m.index, self.term_at(hint), reject=True, hint=hint
            )
            self.messages.append(refusal)
            return
        last = m.index + len(m.entries)
        self._take(m.entries)
        self._commit_to(min(m.commit, last))
        self.after_append.append(Message("MsgAppResp", self.id, m.source, self.term, last))

    def _hint(self, index: int, term: int) -> int:
        """The largest index whose entry could match a leader that has *term* there (log.go's fast rejection)."""
        while index > 0 and self.term_at(index) > term:
            index -= 1
        return index

    def _take(self, entries: Sequence[Entry]) -> None:
        """Append what is new; cut only where an entry really conflicts (§5.3)."""
        for position, entry in enumerate(entries):
            if self.term_at(entry.index) != entry.term:
                assert entry.index > self.commit, "a committed entry may never be cut off"
                del self.log[entry.index - 1 :]
                self.stable = min(self.stable, entry.index - 1)
                self.log.extend(entries[position:])
                return

    def _on_heartbeat(self, m: Message) -> None:
        self._hear_leader(m)
        self._commit_to(min(m.commit, self.last_index))
        self.messages.append(Message("MsgHeartbeatResp", self.id, m.source, self.term, context=m.context))

    def _commit_to(self, index: int) -> None:
        self.commit = max(self.commit, index)

    # -- the leader's side -----------------------------------------------------------------------------------------
    def propose(self, data: Any) -> bool:
        """Append *data* to the log if we lead, pass it to the leader if we know one; False: dropped."""
        if self.role == LEADER and not self.transferee:
            self._append_own([data])
            self._broadcast_append()
            return True
        if self.role == FOLLOWER and self.lead:
            self.messages.append(Message("MsgProp", self.id, self.lead, self.term, entries=[Entry(0, 0, data)]))
            return True
        return False

    def _on_proposal(self, m: Message) -> None:
        for entry in m.entries:
            self.propose(entry.data)

    def _append_own(self, datas: list[Any]) -> None:
        for data in datas:
            self.log.append(Entry(self.term, self.last_index + 1, data))

    def _broadcast_append(self) -> None:
        for peer in self.peers:
            self._send_append(peer)

    def _send_append(self, peer: int, even_empty: bool = True) -> None:
        progress = self.progress[peer]
        if progress.paused:
            return
        before = progress.next - 1
        entries = self.log[before:]
        if not entries and not even_empty:
            return
        self.messages.append(
            Message("MsgApp", self.id, peer, self.term, before, self.term_at(before), self.commit, entries)
        )
        if progress.state == REPLICATE:
            progress.next = self.last_index + 1
            progress.paused = progress.next - progress.match > self.config.max_inflight
        else:
            progress.paused = True

    def _broadcast_heartbeat(self, context: Any = None) -> None:
        if context is None and self.pending_reads:
            context = self.pending_reads[-1][0]
        for peer in self.peers:
            commit = min(self.progress[peer].match, self.commit)
            self.messages.append(Message("MsgHeartbeat", self.id, peer, self.term, commit=commit, context=context))

    def _on_append_answer(self, m: Message) -> None:
        if self.role != LEADER:
            return
        progress = self.progress[m.source]
        progress.active = True
        if m.reject:
            self._refused(progress, m)
        elif m.index > progress.match or (m.index == progress.match and progress.state == PROBE):
            progress.match = max(progress.match, m.index)
            progress.next = max(progress.next, m.index + 1)
            progress.state, progress.paused = REPLICATE, False
            if self._advance_commit():
                self._broadcast_append()
            else:
                self._send_append(m.source, even_empty=False)
            if m.source == self.transferee and progress.match == self.last_index:
                self.messages.append(Message("MsgTimeoutNow", self.id, m.source, self.term))

    def _refused(self, progress: Progress, m: Message) -> None:
        """The follower lacks what comes before: go back, at most to its hint; an old refusal is stale."""
        if progress.state == REPLICATE:
            if m.index <= progress.match:
                return
            progress.next, progress.state = progress.match + 1, PROBE
        else:
            if progress.next - 1 != m.index:
                return
            hint = self._hint(min(m.hint, self.last_index), m.log_term) if m.log_term > 0 else m.hint
            progress.next = max(min(m.index, hint + 1), progress.match + 1)
        progress.paused = False
        self._send_append(m.source)

    def _advance_commit(self) -> bool:
        """Commit what a majority has on disk, counting only entries of our own term (§5.4.2)."""
        matches = sorted([self.stable, *(p.match for p in self.progress.values())], reverse=True)
        index = matches[self.quorum - 1]
        if index <= self.commit or self.term_at(index) != self.term:
            return False
        self.commit = index
        waiting, self.waiting_reads = self.waiting_reads, []
        for request in waiting:
            self._lead_read(request)
        return True

    def _on_heartbeat_answer(self, m: Message) -> None:
        if self.role != LEADER:
            return
        progress = self.progress[m.source]
        progress.active = True
        if progress.state == PROBE:
            progress.paused = False
        if progress.match < self.last_index:
            progress.paused = False
            progress.next = (
                min(progress.next, max(progress.match + 1, 1)) if progress.state == PROBE else progress.match + 1
            )
            self._send_append(m.source)
        if m.context is not None:
            self._confirm_reads(m.source, m.context)

    # -- reads (thesis §6.4) -----------------------------------------------------------------------------------------
    def read_index(self, context: Any) -> bool:
        """Ask for an index that a linearizable read may use; it comes in ``ready.reads``. False: no leader known."""
        if self.role != LEADER:
            if self.role != FOLLOWER or not self.lead:
                return False
            self.messages.append(Message("MsgReadIndex", self.id, self.lead, self.term, context=(self.id, context)))
            return True
        return self._lead_read((self.id, context))

    def _lead_read(self, request: tuple[int, Any]) -> bool:
        if self.term_at(self.commit) != self.term:
            self.waiting_reads.append(request)
            return True
        self.pending_reads.append((request, self.commit, {self.id}))
        if len(self.config.peers) == 1:
            self._confirm_reads(self.id, request)
        else:
            self._broadcast_heartbeat(request)
        return True

    def _on_read_index(self, m: Message) -> None:
        if self.role == LEADER:
            self._lead_read(m.context)

    def _confirm_reads(self, source: int, context: Any) -> None:
        """Everyone who answered a heartbeat sent after the request confirms that we still led then."""
        for position, (request, _, confirmed) in enumerate(self.pending_reads):
            if request == context:
                confirmed.add(source)
                if len(confirmed) >= self.quorum:
                    done, self.pending_reads = self.pending_reads[: position + 1], self.pending_reads[position + 1 :]
                    for (asker, original), index, _ in done:
                        self._answer_read(asker, original, index)
                return

    def _answer_read(self, asker: int, context: Any, index: int) -> None:
        if asker == self.id:
            self.reads.append((context, index))
        else:
            self.messages.append(Message("MsgReadIndexResp", self.id, asker, self.term, index, context=context))

    def _on_read_answer(self, m: Message) -> None:
        self.reads.append((m.context, m.index))

    # -- leadership transfer (thesis §3.10) ----------------------------------------------------------------------------
    def transfer_leader(self, target: int) -> None:
        """Hand leadership to *target*, as a graceful stop does."""
        if self.role != LEADER or target not in self.progress:
            return
        self.transferee, self.elapsed = target, 0
        if self.progress[target].match == self.last_index:
            self.messages.append(Message("MsgTimeoutNow", self.id, target, self.term))
        else:
            self._send_append(target)

    def _on_timeout_now(self, m: Message) -> None:
        if self.role == FOLLOWER:
            self._campaign(force=True)

    # -- effects -------------------------------------------------------------------------------------------------
    def has_ready(self) -> bool:
        """Whether there is anything to carry out."""
        return bool(
            self.messages
            or self.after_append
            or self.reads
            or self.stable < len(self.log)
            or self.applied < self.commit
            or self._hard_state_changed()
        )

    def _hard_state_changed(self) -> bool:
        saved = self._saved
        return saved.term != self.term or saved.vote != self.vote or saved.commit != self.commit

    def ready(self) -> Ready:
        """Take the effects; `advance` when the entries and the hard state are on disk."""
        changed = self._hard_state_changed()
        state = HardState(self.term, self.vote, self.commit) if changed else None
        must_sync = self.stable < len(self.log) or (
            changed and (self._saved.term, self._saved.vote) != (self.term, self.vote)
        )
        messages, self.messages = self.messages + self.after_append, []
        self.after_append = []
        entries, committed = self.log[self.stable :], self.log[self.applied : self.commit]
        self.applied = self.commit
        reads, self.reads = self.reads, []
        if state is not None:
            self._saved = state
        return Ready(state, entries, messages, committed, reads, must_sync)

    def advance(self, ready: Ready) -> None:
        """*ready* has been persisted; a leader now counts its own copy."""
        for entry in reversed(ready.entries):
            if self.term_at(entry.index) == entry.term and entry.index > self.stable:
                self.stable = entry.index
                break
        if self.role == LEADER and ready.entries and self._advance_commit():
            self._broadcast_append()

    _HANDLERS: ClassVar = {
        "MsgVote": _on_vote,
        "MsgPreVote": _on_vote,
        "MsgVoteResp": _on_vote_answer,
        "MsgPreVoteResp": _on_vote_answer,
        "MsgApp": _on_append,
        "MsgAppResp": _on_append_answer,
        "MsgHeartbeat": _on_heartbeat,
        "MsgHeartbeatResp": _on_heartbeat_answer,
        "MsgProp": _on_proposal,
        "MsgReadIndex": _on_read_index,
        "MsgReadIndexResp": _on_read_answer,
        "MsgTimeoutNow": _on_timeout_now,
    }
