"""A machine to try things on: made by hand, with a log on disk, and moved by hand."""

from kubemini.etcd.raft.confchange import (
    ConfChange,
    MemberChange,
    configuration,
)
from kubemini.etcd.raft.log import Entry
from kubemini.etcd.raft.messages import CANDIDATE, LEADER, PRE_CANDIDATE, Config, HardState, Message
from kubemini.etcd.raft.raft import Raft


def entries(*terms):
    """A log with these terms, from index 1."""
    return [Entry(term, index, f"{term}.{index}") for index, term in enumerate(terms, start=1)]


def member(*terms, id=1, voters=(1, 2, 3), learners=(), term=None, vote=0, commit=0, timeout=10, **config):
    """Member *id* with a log of these *terms* on disk."""
    config = {"pre_vote": False, "check_quorum": False} | config
    state = HardState(max(terms, default=0) if term is None else term, vote, commit)
    return Raft(
        Config(
            id,
            lambda draw: timeout,
            configuration(voters, learners),
            hard_state=state,
            entries=entries(*terms),
            **config,
        )
    )


def settle(raft):
    """Carry out all effects; the messages that leave."""
    sent = []
    while raft.has_ready():
        ready = raft.ready()
        for entry in ready.committed:
            if isinstance(entry.data, ConfChange):
                raft.apply_conf_change(entry.data)
        sent += ready.messages
        raft.advance(ready)
    return sent


def elect(raft):
    """Everyone votes for it; what it says first."""
    raft.campaign()
    settle(raft)
    for voter in raft.configuration.all_voters:
        kind = "MsgPreVoteResp" if raft.role == PRE_CANDIDATE else "MsgVoteResp"
        raft.step(Message(kind, voter, raft.id, raft.term + (kind == "MsgPreVoteResp")))
    if raft.role == CANDIDATE:
        settle(raft)
        for voter in raft.configuration.all_voters:
            raft.step(Message("MsgVoteResp", voter, raft.id, raft.term))
    assert raft.role == LEADER
    return settle(raft)


def answer(raft, source, index, **more):
    """*source* has the log up to *index*; what follows from it."""
    raft.step(Message("MsgAppResp", source, raft.id, raft.term, index, **more))
    return settle(raft)


def kinds(messages):
    return [(m.type, m.target) for m in messages]


def change(kind, id):
    return ConfChange((MemberChange(kind, id),))
