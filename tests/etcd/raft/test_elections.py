"""Raft's sentences about terms, votes and leases (Ongaro and Ousterhout 2014 §5.1, §5.2; thesis §6.2, §9.6)."""

import pytest

from kubemini.etcd.raft.messages import CANDIDATE, FOLLOWER, LEADER, PRE_CANDIDATE, HardState, Message
from tests.etcd.raft.machine import answer, elect, entries, kinds, member, settle


# -- terms (§5.1) -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("role", [FOLLOWER, CANDIDATE, LEADER])
def test_if_one_servers_current_term_is_smaller_than_the_others_then_it_updates_its_term(role):
    raft = member(term=1)
    if role == CANDIDATE:
        raft.campaign()
    elif role == LEADER:
        elect(raft)
    raft.step(Message("MsgApp", 2, 1, 9))
    assert (raft.role, raft.term, raft.lead) == (FOLLOWER, 9, 2)


def test_if_a_server_receives_a_request_with_a_stale_term_number_it_rejects_the_request():
    raft = member(term=5)
    raft.step(Message("MsgApp", 2, 1, 4, entries=entries(4)))
    assert (raft.last_index, settle(raft)) == (0, [])


# -- election (§5.2) --------------------------------------------------------------------------------------------------
def test_when_servers_start_up_they_begin_as_followers():
    assert (member().role, member().lead) == (FOLLOWER, 0)


def test_a_follower_that_hears_nothing_for_an_election_timeout_becomes_candidate_and_votes_for_itself():
    raft = member(term=1, timeout=12)
    for _ in range(11):
        raft.tick()
    assert raft.role == FOLLOWER
    raft.tick()
    assert (raft.role, raft.term, raft.vote) == (CANDIDATE, 2, 1)
    assert kinds(settle(raft)) == [("MsgVote", 2), ("MsgVote", 3)]


def test_ticks_that_only_count_can_be_skipped():
    raft = member(timeout=12)
    assert raft.ticks_to_action() == 12
    raft.skip(11)
    raft.tick()
    assert raft.role == CANDIDATE
    with pytest.raises(AssertionError):
        raft.skip(12)


@pytest.mark.parametrize(
    "size, votes, role",
    [
        (1, {}, LEADER),
        (3, {2: True, 3: True}, LEADER),
        (3, {2: True}, LEADER),
        (3, {}, CANDIDATE),
        (3, {2: False}, CANDIDATE),
        (3, {2: False, 3: False}, FOLLOWER),
        (4, {2: True}, CANDIDATE),
        (5, {2: True, 3: True}, LEADER),
        (5, {2: True}, CANDIDATE),
        (5, {2: True, 3: False, 4: False}, CANDIDATE),
        (5, {2: False, 3: False, 4: False}, FOLLOWER),
    ],
)
def test_a_candidate_wins_if_a_majority_of_the_full_cluster_votes_for_it(size, votes, role):
    raft = member(voters=range(1, size + 1))
    raft.campaign()
    settle(raft)
    for voter, granted in votes.items():
        raft.step(Message("MsgVoteResp", voter, 1, raft.term, reject=not granted))
    assert raft.role == role


def test_a_vote_counts_once_and_the_first_one_stands():
    raft = member(voters=range(1, 6))
    raft.campaign()
    settle(raft)
    for granted in (False, True, True):
        raft.step(Message("MsgVoteResp", 2, 1, raft.term, reject=not granted))
    assert raft.votes == {1: True, 2: False}


def test_the_own_vote_counts_when_it_is_on_disk():
    raft = member(voters=(1,))
    raft.campaign()
    ready = raft.ready()
    assert (raft.role, ready.hard_state, ready.must_sync) == (CANDIDATE, HardState(1, 1, 0), True)
    raft.advance(ready)
    assert raft.role == LEADER


def test_each_server_will_vote_for_at_most_one_candidate_in_a_given_term():
    raft = member(term=1)
    for candidate in (2, 3, 2):
        raft.step(Message("MsgVote", candidate, 1, 2))
    assert [(m.target, m.reject) for m in settle(raft)] == [(2, False), (3, True), (2, False)]


def test_a_new_term_is_a_new_vote():
    raft = member(term=1)
    for term, candidate in ((2, 2), (3, 3)):
        raft.step(Message("MsgVote", candidate, 1, term))
        assert (raft.term, raft.vote) == (term, candidate)


def test_who_has_voted_waits_an_election_timeout_before_it_campaigns():
    raft = member(term=1)
    raft.skip(9)
    raft.step(Message("MsgVote", 2, 1, 1))
    assert raft.ticks_to_action() == 10
    refusing = member(1, term=1)
    refusing.skip(9)
    refusing.step(Message("MsgVote", 2, 1, 1))
    assert refusing.ticks_to_action() == 1


def test_a_vote_survives_a_crash():
    raft = member(term=2, vote=2)
    raft.step(Message("MsgVote", 3, 1, 2))
    assert [m.reject for m in settle(raft)] == [True]


def test_a_vote_is_persisted_before_it_is_sent():
    raft = member(term=1)
    raft.step(Message("MsgVote", 2, 1, 2))
    ready = raft.ready()
    assert (ready.hard_state, ready.must_sync) == (HardState(2, 2, 0), True)
    assert [(m.type, m.target) for m in ready.promises] == [("MsgVoteResp", 2)]


def test_a_candidate_that_hears_of_a_leader_of_its_term_returns_to_follower_state():
    raft = member()
    raft.campaign()
    raft.step(Message("MsgApp", 2, 1, raft.term))
    assert (raft.role, raft.lead) == (FOLLOWER, 2)


@pytest.mark.parametrize(
    "ours, theirs, granted",
    [
        ((1,), (1, 1), True),
        ((1,), (1, 2), True),
        ((1, 1), (1, 1), False),
        ((1,), (2, 1), True),
        ((2,), (1, 2), False),
        ((1, 1), (2, 1), True),
        ((2, 2), (1, 5), False),
    ],
)
def test_the_voter_denies_its_vote_if_its_own_log_is_more_up_to_date(ours, theirs, granted):
    raft = member(*ours)
    term, index = theirs
    raft.step(Message("MsgVote", 2, 1, 9, index, term))
    assert [not m.reject for m in settle(raft)] == [granted]


# -- PreVote and leases (thesis §9.6, §6.2) ---------------------------------------------------------------------------
def test_a_pre_vote_changes_no_term_and_binds_nobody():
    raft = member(term=3, vote=3)
    raft.step(Message("MsgPreVote", 2, 1, 4))
    raft.skip(7)
    raft.step(Message("MsgPreVote", 3, 1, 4))
    assert (raft.term, raft.vote, raft.elapsed) == (3, 3, 7)
    assert [(m.type, m.term, m.reject) for m in settle(raft)] == [("MsgPreVoteResp", 4, False)] * 2


def test_a_pre_candidate_that_would_not_win_keeps_its_term():
    raft = member(term=3, pre_vote=True)
    raft.campaign()
    settle(raft)
    assert (raft.role, raft.term) == (PRE_CANDIDATE, 3)
    for voter in (2, 3):
        raft.step(Message("MsgPreVoteResp", voter, 1, 3, reject=True))
    assert (raft.role, raft.term) == (FOLLOWER, 3)


def test_a_server_that_hears_from_a_leader_grants_no_vote():
    raft = member(term=1, check_quorum=True)
    raft.step(Message("MsgHeartbeat", 2, 1, 1))
    settle(raft)
    raft.skip(9)
    raft.step(Message("MsgVote", 3, 1, 2))
    assert (raft.term, settle(raft)) == (1, [])
    raft.timeout = 20
    raft.skip(1)
    raft.step(Message("MsgVote", 3, 1, 2))
    assert (raft.term, raft.vote) == (2, 3)


def test_a_vote_at_the_leaders_own_wish_is_free():
    raft = member(term=1, check_quorum=True)
    raft.step(Message("MsgHeartbeat", 2, 1, 1))
    raft.step(Message("MsgVote", 3, 1, 2, force=True))
    assert (raft.term, raft.vote) == (2, 3)


def test_a_leader_steps_down_if_an_election_timeout_elapses_without_a_majority():
    raft = member(check_quorum=True, voters=range(1, 6))
    elect(raft)
    for peer in (2, 3):
        answer(raft, peer, 1)
    for _ in range(10):
        raft.tick()
    assert raft.role == LEADER
    for peer in (2,):
        raft.step(Message("MsgHeartbeatResp", peer, 1, raft.term))
    for _ in range(10):
        raft.tick()
    assert (raft.role, raft.lead) == (FOLLOWER, 0)


@pytest.mark.parametrize("kind", ["MsgApp", "MsgHeartbeat"])
def test_a_leader_of_an_earlier_term_is_told_of_the_present(kind):
    raft = member(term=5, check_quorum=True)
    raft.step(Message(kind, 2, 1, 3))
    assert [(m.type, m.term) for m in settle(raft)] == [("MsgAppResp", 5)]
