"""What a member does with a leader's messages: take entries, take a snapshot, pass on what is for the leader.

Invariant: the log is changed only where it contradicts the leader's, and an answer that says "I have it" waits until
it is on disk. Ongaro and Ousterhout 2014 §5.3 (appending), §7 (snapshots).
Models raft . stepFollower, raft.handleAppendEntries, raft.handleHeartbeat, raft.handleSnapshot, raft.restore.
"""

from kubemini.etcd.raft.log import Snapshot
from kubemini.etcd.raft.messages import DROPPED, FOLLOWER, Message
from kubemini.etcd.raft.state import State


def _hear_leader(raft: State, m: Message) -> None:
    if raft.role != FOLLOWER:
        raft.become(FOLLOWER, m.term, m.source)
    raft.elapsed, raft.lead = 0, m.source


def _promise_match(raft: State, m: Message, index: int) -> None:
    raft.promises.append(Message("MsgAppResp", raft.id, m.source, raft.term, index))


def on_append(raft: State, m: Message) -> None:
    """Take the entries if ours agrees with the leader's log before them; else say where it may agree."""
    _hear_leader(raft, m)
    log = raft.log
    if m.index < log.commit:
        _promise_match(raft, m, log.commit)
        return
    last = log.follow(m.index, m.log_term, m.entries, m.commit)
    if last is not None:
        _promise_match(raft, m, last)
        return
    raft.note("append-refused", m)
    hint, term = log.conflict_hint(min(m.index, log.last_index), m.log_term)
    raft.promises.append(Message("MsgAppResp", raft.id, m.source, raft.term, m.index, term, reject=True, hint=hint))


def on_heartbeat(raft: State, m: Message) -> None:
    """There is a leader, and so much of our log is committed."""
    _hear_leader(raft, m)
    if m.commit > raft.log.commit:
        raft.log.commit_to(m.commit)
    answer = raft.beat_answer
    if answer is None or answer.target != m.source or answer.context is not m.context:
        answer = raft.beat_answer = Message("MsgHeartbeatResp", raft.id, m.source, raft.term, context=m.context)
    raft.messages.append(answer)


def on_snapshot(raft: State, m: Message) -> None:
    """Install a snapshot; if that is not needed, say how far we have committed."""
    _hear_leader(raft, m)
    assert m.snapshot is not None
    if _restore(raft, m.snapshot):
        raft.note("snapshot-restored", m.snapshot)
        _promise_match(raft, m, raft.log.last_index)
    else:
        raft.note("snapshot-ignored", m.snapshot)
        _promise_match(raft, m, raft.log.commit)


def _restore(raft: State, snapshot: Snapshot) -> bool:
    """Install *snapshot*, unless it holds nothing new or is not for us."""
    if snapshot.index <= raft.log.commit:
        return False
    if raft.id not in snapshot.configuration.members:
        raft.note("snapshot-of-strangers", snapshot)
        return False
    if raft.log.term(snapshot.index) == snapshot.term:
        raft.note("fast-forward", snapshot)
        raft.log.commit_to(snapshot.index)
        return False
    raft.log.restore(snapshot)
    raft.switch(snapshot.configuration)
    raft.note("restored", snapshot)
    return True


def forward(raft: State, m: Message) -> str | None:
    """Pass on to the leader what is for the leader."""
    if not raft.lead:
        return refuse(raft, m)
    term = raft.term if m.type == "MsgTransferLeader" else 0
    raft.messages.append(Message(m.type, m.source, raft.lead, term, entries=m.entries, context=m.context))
    return None


def refuse(raft: State, m: Message) -> str | None:
    """There is nobody to pass it on to."""
    raft.note("no-leader", m)
    return DROPPED if m.type == "MsgProp" else None


def on_read_answer(raft: State, m: Message) -> None:
    """The leader says which index is fresh enough for a read of ours."""
    raft.reads.append((m.context, m.index))


def forget_leader(raft: State) -> None:
    """Stop believing in the leader, so that votes are free; the term and the timeout stay."""
    if raft.role != FOLLOWER:
        return
    if raft.config.lease_reads:
        raft.note("forget-refused")
    elif raft.lead:
        raft.note("forgetting")
        raft.lead = 0
