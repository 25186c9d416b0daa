"""What a leader does: append, replicate, commit, answer reads, hand over.

Invariant: a leader only ever appends to its own log, and counts for commitment only entries of its own term that a
majority has on disk; its own copy counts when its own disk has it, like anyone's.
Ongaro and Ousterhout 2014 §5.3, §5.4.2; Ongaro's thesis §3.10 (transfer), §6.2 (CheckQuorum), §6.4 (reads).
Models raft . stepLeader, raft.appendEntry, raft.maybeSendAppend, raft.bcastHeartbeat, raft.maybeCommit.
"""

from collections.abc import Sequence
from typing import Any

from kubemini.etcd.raft import quorum
from kubemini.etcd.raft.confchange import ConfChange
from kubemini.etcd.raft.log import Entry, payload
from kubemini.etcd.raft.messages import DROPPED, FOLLOWER, LEADER, Message
from kubemini.etcd.raft.progress import PROBE, REPLICATE, SNAPSHOT, Progress
from kubemini.etcd.raft.readindex import Request
from kubemini.etcd.raft.state import State


def begin_term(raft: State) -> None:
    """Lead: find out where everyone is, and append an entry of the new term, which alone can be counted."""
    raft.become(LEADER, raft.term, raft.id)
    last = raft.log.last_index
    raft.progress = {member: raft.new_progress(last + 1) for member in raft.configuration.members}
    mine = raft.progress.get(raft.id)
    if mine is not None:
        mine.match, mine.active = last, True
        mine.become(REPLICATE)
    raft.pending_change = last  # there may be a change of membership anywhere in the log
    append_own(raft, [None])
    broadcast_append(raft)


# -- appending --------------------------------------------------------------------------------------------------------
def on_proposal(raft: State, m: Message) -> str | None:
    """Append the commands and send them to everyone; why not, if not."""
    if raft.id not in raft.progress:
        return DROPPED  # removed: what we append would bind others, not us
    if raft.transferee:
        raft.note("transfer-drops")
        return DROPPED
    if not append_own(raft, [_checked(raft, entry.data, at) for at, entry in enumerate(m.entries, start=1)]):
        return DROPPED
    broadcast_append(raft)
    return None


def append_own(raft: State, commands: Sequence[Any]) -> bool:
    """Append to our own log and promise ourselves that it will be on disk; False if too much is uncommitted."""
    log, last = raft.log, raft.log.last_index
    entries = [Entry(raft.term, index, data) for index, data in enumerate(commands, start=last + 1)]
    limit = raft.config.max_uncommitted_size
    if limit is not None:
        size = sum(map(payload, entries))
        if raft.uncommitted and size and raft.uncommitted + size > limit:
            raft.note("too-much-uncommitted")
            return False
        raft.uncommitted += size
    log.append(entries)
    raft.promises.append(Message("MsgAppResp", raft.id, raft.id, raft.term, log.last_index))
    return True


def _checked(raft: State, data: Any, offset: int) -> Any:
    """One change of membership at a time: another becomes an empty entry."""
    if not isinstance(data, ConfChange):
        return data
    reason = _objection(raft, data)
    if reason and not raft.config.disable_conf_change_validation:
        raft.note("change-ignored", data, reason)
        return None
    raft.pending_change = raft.log.last_index + offset
    return data


def _objection(raft: State, change: ConfChange) -> str | None:
    joint, applied = bool(raft.configuration.outgoing), raft.log.applied
    if raft.pending_change > applied:
        return f"possible unapplied conf change at index {raft.pending_change} (applied to {applied})"
    if joint and change.changes:
        return "must transition out of joint config first"
    if not joint and not change.changes:
        return "not in joint state; refusing empty conf change"
    return None


# -- replicating ------------------------------------------------------------------------------------------------------
def broadcast_append(raft: State, even_empty: bool = True) -> None:
    """Send everyone what they lack, or with *even_empty* at least the commit index."""
    for peer in raft.peers:
        send_append(raft, peer, even_empty)


def send_append(raft: State, peer: int, even_empty: bool = True) -> bool:
    """Send what *peer* lacks, as far as its progress allows; whether anything was sent."""
    progress, log = raft.progress[peer], raft.log
    if progress.waits:
        return False
    before = progress.next - 1
    term = log.term(before)
    if term is None:
        return _send_snapshot(raft, peer, progress)
    entries: list[Entry] = []
    if progress.state == PROBE or not progress.full:
        entries = log.between(progress.next, log.last_index, raft.config.max_size_per_message)
    if not entries and not even_empty:
        return False
    raft.messages.append(Message("MsgApp", raft.id, peer, raft.term, before, term, log.commit, entries))
    progress.sent(len(entries), sum(map(payload, entries)) if progress.window_bytes is not None else 0)
    progress.sent_commit = log.commit
    return True


def _send_snapshot(raft: State, peer: int, progress: Progress) -> bool:
    """What *peer* needs has been compacted away."""
    if not progress.active:
        raft.note("snapshot-inactive", peer)
        return False
    snapshot = raft.log.snapshot or raft.config.take_snapshot()
    if snapshot is None:
        raft.note("snapshot-unavailable", peer)
        return False
    raft.note("snapshot-sent", peer, snapshot)
    progress.await_snapshot(snapshot.index)
    raft.note("snapshot-waits", peer)
    raft.messages.append(Message("MsgSnap", raft.id, peer, raft.term, snapshot=snapshot))
    return True


def broadcast_heartbeat(raft: State, context: Request | None = None) -> None:
    """Heartbeats carry the newest read that waits for confirmation, and no commit beyond what the peer has.

    One that says what the last one said is the same value, said again; so is its answer.
    """
    if context is None:
        context = raft.read_requests.newest
    commit, term, id, messages = raft.log.commit, raft.term, raft.id, raft.messages
    for peer in raft.peers:
        progress = raft.progress[peer]
        progress.sent_commit = known = min(progress.match, commit)
        beat = progress.heartbeat
        if beat is None or beat.commit != known or beat.context is not context:
            beat = progress.heartbeat = Message("MsgHeartbeat", id, peer, term, commit=known, context=context)
        messages.append(beat)


def on_append_answer(raft: State, m: Message) -> None:
    """A member has the log up to some index, or lacks it."""
    progress = raft.progress.get(m.source)
    if progress is None:
        raft.note("no-progress", m.source)
        return
    progress.active = True
    if m.reject:
        _refused(raft, m, progress)
    elif progress.matched(m.index) or (progress.match == m.index and progress.state == PROBE):
        _matched(raft, m, progress)


def _refused(raft: State, m: Message, progress: Progress) -> None:
    """The follower lacks what comes before: go back, past every term that cannot match; an old refusal is stale."""
    raft.note("refused", m)
    hint = raft.log.conflict_hint(m.hint, m.log_term)[0] if m.log_term else m.hint
    if progress.refused(m.index, hint):
        raft.note("went-back", m.source)
        if progress.state == REPLICATE:
            progress.become(PROBE)
        send_append(raft, m.source)


def _matched(raft: State, m: Message, progress: Progress) -> None:
    """The follower has more than we knew: it may be sent more, and the log may be committed further."""
    _recover(raft, m, progress)
    if advance_commit(raft):
        broadcast_append(raft)
    elif m.source != raft.id and progress.lacks_commit(raft.log.commit):
        send_append(raft, m.source)
    if m.source != raft.id:
        while send_append(raft, m.source, even_empty=False):
            pass
    if m.source == raft.transferee and progress.match == raft.log.last_index:
        raft.note("transfer-caught-up", m.source)
        _send_timeout_now(raft, m.source)


def _recover(raft: State, m: Message, progress: Progress) -> None:
    if progress.state == REPLICATE:
        progress.free(m.index)
    elif progress.state == PROBE:
        progress.become(REPLICATE)
    elif progress.match >= raft.log.start:
        raft.note("snapshot-recovered", m.source)
        progress.become(PROBE)
        progress.become(REPLICATE)


def advance_commit(raft: State) -> bool:
    """Commit what a majority has on disk, counting only entries of our own term (§5.4.2)."""
    progress, log = raft.progress, raft.log
    index = quorum.committed(
        raft.configuration.majorities, lambda voter: progress[voter].match if voter in progress else 0
    )
    if index <= log.commit or log.term(index) != raft.term:
        return False
    log.commit_to(index)
    early, raft.read_requests.early = raft.read_requests.early, []
    for request in early:
        _read(raft, request)
    return True


def on_heartbeat_answer(raft: State, m: Message) -> None:
    """A follower is there: what it lacks can be sent again, and it confirms that we led when we asked."""
    progress = raft.progress[m.source]
    progress.active, progress.paused = True, False
    if progress.state == PROBE or progress.match < raft.log.last_index:
        send_append(raft, m.source)
    if m.context is not None:
        for request, index in raft.read_requests.confirm(m.source, m.context, raft.configuration.majorities):
            _answer_read(raft, request, index)


def check_quorum(raft: State) -> None:
    """A leader that has not heard from a majority for an election timeout is none (thesis §6.2)."""
    active = {member: progress.active for member, progress in raft.progress.items()}
    if quorum.verdict(raft.configuration.majorities, active) != quorum.WON:
        raft.note("quorum-lost")
        raft.become(FOLLOWER, raft.term)
    for member, progress in raft.progress.items():
        progress.active = member == raft.id


def report_unreachable(raft: State, peer: int) -> None:
    """The last message to *peer* was probably lost."""
    progress = raft.progress.get(peer)
    if progress is None:
        raft.note("no-progress", peer)
        return
    if progress.state == REPLICATE:
        progress.become(PROBE)
    raft.note("unreachable", peer)


def report_snapshot(raft: State, peer: int, arrived: bool) -> None:
    """The snapshot for *peer* has been sent, or could not be; wait for its answer, or for the next heartbeat's."""
    progress = raft.progress.get(peer)
    if progress is None:
        raft.note("no-progress", peer)
        return
    if progress.state != SNAPSHOT:
        return
    if not arrived:
        progress.pending_snapshot = 0
    progress.become(PROBE)
    progress.paused = True
    raft.note("snapshot-reported", peer, arrived)


# -- membership -------------------------------------------------------------------------------------------------------
def rearrange(raft: State, anew: frozenset[int]) -> None:
    """Lead in a new configuration: newcomers are unknown, and fewer may be needed to commit."""
    old = raft.progress
    raft.progress = {m: _newcomer(raft) if m in anew else old[m] for m in raft.configuration.members}
    if raft.id not in raft.configuration.all_voters:
        if raft.config.step_down_on_removal:
            raft.become(FOLLOWER, raft.term)
        return
    committed = advance_commit(raft)
    broadcast_append(raft, even_empty=committed)
    if raft.transferee not in raft.configuration.all_voters:
        raft.transferee = 0


def _newcomer(raft: State) -> Progress:
    progress = raft.new_progress(max(raft.log.last_index, 1))
    progress.active = True  # else it could cost us the quorum before it has had a chance to answer
    return progress


# -- reads (thesis §6.4) ----------------------------------------------------------------------------------------------
def on_read_index(raft: State, m: Message) -> None:
    """A member wants to read what is committed now."""
    _read(raft, m.context)


def _read(raft: State, request: Request) -> None:
    """Only a leader that has committed in its term knows what is committed; then a majority must still follow it."""
    alone = raft.configuration.all_voters == (raft.id,)
    if not alone and raft.log.term(raft.log.commit) != raft.term:
        raft.read_requests.early.append(request)
    elif alone or raft.config.lease_reads:
        _answer_read(raft, request, raft.log.commit)
    else:
        raft.read_requests.add(request, raft.log.commit, raft.id)
        broadcast_heartbeat(raft, request)


def _answer_read(raft: State, request: Request, index: int) -> None:
    asker, context = request
    if asker == raft.id:
        raft.reads.append((context, index))
    else:
        raft.messages.append(Message("MsgReadIndexResp", raft.id, asker, raft.term, index, context=context))


# -- handing over (thesis §3.10) --------------------------------------------------------------------------------------
def on_transfer(raft: State, m: Message) -> None:
    """Bring the target up to date, then tell it to campaign at once; it has one election timeout for that."""
    target, progress = m.source, raft.progress.get(m.source)
    if progress is None:
        raft.note("no-progress", target)
        return
    if not _may_transfer(raft, target):
        return
    raft.note("transfer", target)
    raft.transferee, raft.elapsed = target, 0
    if progress.match == raft.log.last_index:
        raft.note("transfer-at-once", target)
        _send_timeout_now(raft, target)
    else:
        send_append(raft, target)


def _may_transfer(raft: State, target: int) -> bool:
    """A learner cannot lead, and a newer wish replaces an older one."""
    if target in raft.configuration.learners:
        raft.note("transfer-to-learner")
        return False
    if target == raft.transferee:
        raft.note("transfer-again")
        return False
    if raft.transferee:
        raft.note("transfer-aborted")
        raft.transferee = 0
    if target == raft.id:
        raft.note("transfer-to-self")
        return False
    return True


def _send_timeout_now(raft: State, target: int) -> None:
    raft.messages.append(Message("MsgTimeoutNow", raft.id, target, raft.term))
