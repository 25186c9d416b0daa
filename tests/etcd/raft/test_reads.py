"""Reads without a write (thesis §6.4), the log of one member, and the short ways of the driver."""

import pytest

from kubemini.etcd.raft.confchange import (
    VOTER,
    ConfChange,
)
from kubemini.etcd.raft.log import Entry, Log, encoded, payload
from kubemini.etcd.raft.messages import FOLLOWER, LEADER, Message
from tests.etcd.raft.machine import answer, change, elect, entries, kinds, member, settle


# -- reads (thesis §6.4) ----------------------------------------------------------------------------------------------
def test_a_new_leader_answers_no_read_before_it_has_committed_in_its_term():
    raft = member(1, 1)
    elect(raft)
    raft.read_index("r")
    assert settle(raft) == []
    sent = answer(raft, 2, 3)
    assert ("MsgHeartbeat", 2) in kinds(sent)
    raft.step(Message("MsgHeartbeatResp", 2, 1, raft.term, context=(1, "r")))
    assert raft.ready().reads == [("r", 3)]


def test_a_leader_makes_sure_that_it_has_not_been_replaced_before_it_answers_a_read():
    raft = member(voters=range(1, 6))
    elect(raft)
    for peer in (2, 3):
        answer(raft, peer, 1)
    raft.read_index("old")
    raft.read_index("new")
    settle(raft)
    raft.step(Message("MsgHeartbeatResp", 2, 1, raft.term, context=(1, "new")))
    raft.step(Message("MsgHeartbeatResp", 2, 1, raft.term, context=(1, "new")))
    assert raft.reads == []
    raft.step(Message("MsgHeartbeatResp", 3, 1, raft.term, context=(1, "new")))
    assert raft.reads == [("old", 1), ("new", 1)]


def test_a_follower_asks_the_leader():
    raft = member(term=1)
    assert not raft.read_index("r")
    raft.step(Message("MsgHeartbeat", 2, 1, 1))
    settle(raft)
    assert raft.read_index("r")
    assert [(m.type, m.target, m.context) for m in settle(raft)] == [("MsgReadIndex", 2, (1, "r"))]
    raft.step(Message("MsgReadIndexResp", 2, 1, 1, 7, context="r"))
    assert raft.reads == [("r", 7)]


def test_with_a_lease_a_leader_answers_at_once():
    raft = member(check_quorum=True, lease_reads=True)
    elect(raft)
    answer(raft, 2, 1)
    raft.read_index("r")
    assert raft.reads == [("r", 1)]


def test_a_lease_that_nobody_takes_back_is_none():
    with pytest.raises(AssertionError, match="reads on the lease alone need CheckQuorum"):
        member(check_quorum=False, lease_reads=True)


def test_a_leader_on_a_lease_that_is_cut_off_serves_no_read_after_an_election_timeout():
    raft = member(check_quorum=True, lease_reads=True)
    elect(raft)
    answer(raft, 2, 1)
    for _ in range(2 * raft.config.election_tick):
        raft.tick()
    raft.read_index("r")
    assert raft.role == FOLLOWER and raft.reads == []


def test_a_leader_that_steps_down_forgets_the_reads_that_waited():
    raft = member()
    elect(raft)
    answer(raft, 2, 1)
    raft.read_index("r")
    raft.step(Message("MsgApp", 2, 1, 9))
    elect(raft)
    answer(raft, 2, 2)
    raft.step(Message("MsgHeartbeatResp", 2, 1, raft.term, context=(1, "r")))
    assert raft.reads == []


def test_a_confirmation_is_worth_nothing_for_a_read_that_came_later():
    raft = member()
    elect(raft)
    answer(raft, 2, 1)
    raft.read_index("old")
    raft.read_index("new")
    raft.step(Message("MsgHeartbeatResp", 2, 1, raft.term, context=(1, "old")))
    assert raft.reads == [("old", 1)]


# -- the log ----------------------------------------------------------------------------------------------------------
def test_who_serves_reads_on_a_lease_keeps_its_leader_and_who_leads_does_too():
    raft = member(term=1, check_quorum=True, lease_reads=True)
    raft.step(Message("MsgHeartbeat", 2, 1, 1))
    raft.forget_leader()
    assert raft.lead == 2
    leads = member()
    elect(leads)
    leads.forget_leader()
    assert (leads.lead, leads.role) == (leads.id, LEADER)


def test_a_write_that_was_overtaken_is_not_taken_for_the_new_entry():
    notes = []
    log = Log(None, [], 0, 0, lambda *note: notes.append(note))
    log.append(entries(1, 1))
    log.mark_given()
    log.follow(1, 1, [Entry(2, 2)], 0)
    log.written(2, 1)
    assert (log.stable, log.given, log.being_written) == (0, 1, True)
    assert [note[0] for note in notes] == ["conflict", "truncated", "mismatched"]
    log.mark_given()
    log.written(2, 2)
    assert (log.stable, log.being_written) == (2, False)


def test_entries_are_as_long_as_in_protobuf():
    assert encoded(Entry(1, 1)) == 6
    assert encoded(Entry(1, 300, "abc")) == 12
    assert payload(Entry(1, 1, ConfChange())) == 0
    assert payload(Entry(1, 1, change(VOTER, 3))) == 2 + 6
    assert payload(Entry(1, 1, b"xy")) == 2


def test_without_async_storage_what_is_committed_may_be_applied_while_it_is_written():
    for asynchronous, applied in ((False, [1]), (True, [])):
        raft = member(term=1, async_storage=asynchronous)
        raft.step(Message("MsgApp", 2, 1, 1, entries=entries(1), commit=1))
        ready = raft.ready()
        assert [entry.index for entry in ready.committed] == applied


# -- short ways of the driver -----------------------------------------------------------------------------------------
def follows(commit=0):
    """A follower of member 2 in term 1 with one entry on disk, all settled."""
    raft = member(1, term=1)
    raft.step(Message("MsgHeartbeat", 2, 1, 1, commit=commit))
    settle(raft)
    return raft


def test_a_heartbeat_without_news_takes_the_short_way_to_the_same_end():
    short, long = follows(), follows()
    heartbeat = Message("MsgHeartbeat", 2, 1, 1)
    for raft in (short, long):
        raft.elapsed = 5
    assert short.step_heartbeat(heartbeat)
    long.step(heartbeat)
    assert (short.elapsed, short.lead, short.role) == (long.elapsed, long.lead, long.role) == (0, 2, FOLLOWER)
    assert [m.type for m in short.take_messages()] == [m.type for m in long.ready().messages] == ["MsgHeartbeatResp"]


@pytest.mark.parametrize(
    "news",
    [
        Message("MsgHeartbeat", 2, 1, 1, commit=1),
        Message("MsgHeartbeat", 2, 1, 2),
        Message("MsgHeartbeat", 3, 1, 1),
        Message("MsgHeartbeat", 2, 1, 1, context=(1, "read")),
        Message("MsgHeartbeatResp", 2, 1, 1),
        Message("MsgApp", 2, 1, 1, 1, 1),
    ],
    ids=["a commit", "a term", "another leader", "a read", "an answer", "an append"],
)
def test_what_brings_news_takes_the_long_way(news):
    raft = follows()
    assert not raft.step_heartbeat(news)
    assert not raft.has_ready()


def test_a_promise_is_kept_at_once_if_there_is_nothing_to_write_first():
    raft = member(term=1, pre_vote=True)
    raft.step(Message("MsgPreVote", 2, 1, 2))
    assert raft.keep_promises()
    assert [(m.type, m.target, m.reject) for m in raft.take_messages()] == [("MsgPreVoteResp", 2, False)]
    raft.step(Message("MsgVote", 2, 1, 2))
    assert not raft.keep_promises()
    assert not raft.messages
    assert raft.ready().must_sync
