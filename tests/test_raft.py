"""Raft's sentences, one by one: the paper's (Ongaro and Ousterhout 2014), the thesis', and what etcd adds to them.

One machine, and messages made by hand. What no conversation of etcd-io/raft would notice is here above all.
"""

import pytest

from kubemini.etcd.raft.confchange import (
    EXPLICIT,
    LEARNER,
    REMOVE,
    VOTER,
    Change,
    ConfChange,
    ConfChangeError,
    Configuration,
    configuration,
    simple,
)
from kubemini.etcd.raft.log import Entry, Log, Snapshot, encoded, limited, payload
from kubemini.etcd.raft.messages import CANDIDATE, FOLLOWER, LEADER, PRE_CANDIDATE, Config, HardState, Message
from kubemini.etcd.raft.progress import PROBE, REPLICATE, SNAPSHOT, Progress
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


# -- replication (§5.3) -----------------------------------------------------------------------------------------------
def test_the_leader_appends_the_command_to_its_log_then_issues_append_entries_in_parallel():
    raft = member(1, 1)
    elect(raft)
    for peer in (2, 3):
        answer(raft, peer, 3)
    raft.propose("x")
    sent = settle(raft)
    assert [(m.target, m.index, m.log_term, [e.data for e in m.entries]) for m in sent] == [
        (2, 3, 2, ["x"]),
        (3, 3, 2, ["x"]),
    ]


@pytest.mark.parametrize(
    "size, acceptors, committed",
    [(1, [], True), (3, [], False), (3, [2], True), (5, [2], False), (5, [2, 3], True), (5, [2, 2, 2], False)],
)
def test_a_log_entry_is_committed_once_it_is_on_a_majority_of_the_servers(size, acceptors, committed):
    raft = member(voters=range(1, size + 1))
    elect(raft)
    for peer in acceptors:
        answer(raft, peer, 1)
    assert raft.commit == (1 if committed else 0)


def test_the_leaders_own_copy_counts_when_it_is_on_disk():
    raft = member(voters=(1, 2))
    elect(raft)
    raft.propose("x")
    ready = raft.ready()
    raft.step(Message("MsgAppResp", 2, 1, raft.term, 2))
    assert raft.commit == 1 or raft.commit == 0
    before = raft.commit
    raft.advance(ready)
    assert (before < 2, raft.commit) == (True, 2)


def test_this_also_commits_all_preceding_entries_in_the_leaders_log():
    raft = member(1, 2)
    elect(raft)
    answer(raft, 2, 3)
    assert raft.commit == 3


def test_an_entry_of_an_earlier_term_is_not_committed_by_counting_replicas():  # §5.4.2, figure 8
    raft = member(1, 2, 2, term=2)
    elect(raft)
    assert raft.term == 3
    answer(raft, 2, 3)
    answer(raft, 3, 3)
    assert raft.commit == 0
    answer(raft, 2, 4)
    assert raft.commit == 4


def test_a_follower_commits_no_further_than_the_message_vouches_for():
    raft = member(1, 1, 1, term=1)
    raft.step(Message("MsgApp", 2, 1, 2, 1, 1, commit=3))
    assert raft.commit == 1
    raft.step(Message("MsgApp", 2, 1, 2, 1, 1, commit=3, entries=[Entry(2, 2)]))
    assert (raft.commit, raft.last_index) == (2, 2)


def test_a_heartbeat_commits_no_further_than_the_follower_is_known_to_have():
    raft = member()
    elect(raft)
    answer(raft, 2, 1)
    raft.tick()
    assert {m.target: m.commit for m in settle(raft)} == {2: 1, 3: 0}


@pytest.mark.parametrize(
    "index, term, granted, hint",
    [(0, 0, True, 0), (1, 1, True, 0), (2, 2, True, 0), (1, 2, False, 1), (2, 1, False, 1), (3, 3, False, 2)],
)
def test_a_follower_refuses_entries_if_its_log_does_not_agree_before_them(index, term, granted, hint):
    raft = member(1, 2)
    raft.step(Message("MsgApp", 2, 1, 3, index, term))
    (reply,) = settle(raft)
    assert (reply.reject, reply.hint) == (not granted, hint)


@pytest.mark.parametrize(
    "index, term, new, log",
    [
        (2, 2, [(3, 3)], [1, 2, 3]),
        (1, 1, [(3, 2), (4, 3)], [1, 3, 4]),
        (0, 0, [(1, 1)], [1, 2]),
        (0, 0, [(3, 1)], [3]),
        (1, 1, [(2, 2)], [1, 2]),
        (1, 1, [], [1, 2]),
    ],
)
def test_conflicting_entries_are_overwritten_and_others_stay(index, term, new, log):
    raft = member(1, 2)
    raft.step(Message("MsgApp", 2, 1, 5, index, term, entries=[Entry(t, i) for t, i in new]))
    assert [entry.term for entry in raft.log.entries] == log


def test_an_old_message_that_comes_late_does_not_cut_the_log():
    raft = member(1, 1, 1, term=1)
    raft.step(Message("MsgApp", 2, 1, 1, 0, 0, entries=entries(1)))
    assert raft.last_index == 3


def test_a_follower_answers_for_what_the_message_holds_not_for_what_else_it_has():
    raft = member(1, 1, 1, term=1)
    raft.step(Message("MsgApp", 2, 1, 2, 1, 1))
    assert [m.index for m in settle(raft)] == [1]


def test_what_replaces_entries_on_disk_is_written_again():
    raft = member(1, 1, 1, term=1)
    raft.step(Message("MsgApp", 2, 1, 2, 1, 1, entries=[Entry(2, 2)]))
    assert [(entry.term, entry.index) for entry in raft.ready().entries] == [(2, 2)]


def test_a_follower_says_it_has_an_entry_only_when_it_is_on_disk():
    raft = member(term=1)
    raft.step(Message("MsgApp", 2, 1, 1, 0, 0, entries=entries(1)))
    ready = raft.ready()
    assert [entry.index for entry in ready.entries] == [1]
    assert [(m.type, m.index) for m in ready.promises] == [("MsgAppResp", 1)]
    assert ready.must_sync


@pytest.mark.parametrize(
    "terms",
    [
        (1, 1, 1, 4, 4, 5, 5, 6, 6),
        (1, 1, 1, 4),
        (1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6),
        (1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7),
        (1, 1, 1, 4, 4, 4, 4),
        (1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3),
    ],
)
def test_the_leader_brings_a_followers_log_into_consistency_with_its_own(terms):  # figure 7
    leader, follower = member(1, 1, 1, 4, 4, 5, 5, 6, 6, 6, term=8), member(*terms, id=2, term=8)
    sent = elect(leader)
    exchanges = 0
    while sent:
        exchanges += 1
        for m in sent:
            if m.target == 2:
                follower.step(m)
        sent = []
        for m in settle(follower):
            leader.step(m)
            sent = [more for more in settle(leader) if more.target == 2]
    assert [e.term for e in follower.log.entries] == [e.term for e in leader.log.entries]
    assert exchanges <= 5


def test_an_old_refusal_is_forgotten():
    progress = Progress(1)
    progress.become(REPLICATE)
    progress.matched(5)
    progress.sent(4, 0)
    assert not progress.refused(4, 3) and not progress.refused(5, 4)
    assert (progress.match, progress.next, progress.state) == (5, 10, REPLICATE)
    assert progress.refused(9, 3)
    assert progress.next == 6
    probing = Progress(10)
    assert not probing.refused(7, 3)
    assert probing.refused(9, 4)
    assert probing.next == 5


def test_an_old_refusal_does_not_make_a_leader_send_again():
    raft = member()
    elect(raft)
    answer(raft, 2, 1)
    assert answer(raft, 2, 1, reject=True, hint=0) == []
    assert (raft.progress[2].state, raft.progress[2].next) == (REPLICATE, 2)


def test_what_a_follower_has_never_gets_less():
    raft = member()
    elect(raft)
    raft.propose("x")
    settle(raft)
    answer(raft, 2, 2)
    answer(raft, 2, 1)
    assert raft.progress[2].match == 2


# -- flow control (thesis §10.2) --------------------------------------------------------------------------------------
def test_a_prober_gets_one_message_until_it_answers():
    raft = member()
    elect(raft)
    for _ in range(3):
        raft.propose("x")
        assert settle(raft) == []
    assert [len(m.entries) for m in answer(raft, 2, 1) if m.entries] == [3]


def test_a_window_of_messages_is_under_way_and_no_more():
    raft = member(max_inflight=2)
    elect(raft)
    answer(raft, 2, 1)
    answer(raft, 3, 1)
    for _ in range(4):
        raft.propose("x")
    assert [m.index for m in settle(raft) if m.target == 2 and m.entries] == [1, 2]
    assert raft.progress[2].full and raft.progress[2].waits
    assert [m.index for m in answer(raft, 2, 2) if m.target == 2 and m.entries] == [3]


def test_a_full_window_opens_for_a_probe_at_a_heartbeats_answer():
    raft = member(max_inflight=1)
    elect(raft)
    answer(raft, 2, 1)
    raft.propose("x")
    settle(raft)
    raft.step(Message("MsgHeartbeatResp", 2, 1, raft.term))
    assert [(m.type, len(m.entries)) for m in settle(raft)] == [("MsgApp", 0)]


def test_bytes_under_way_are_limited_too():
    raft = member(max_inflight_bytes=10)
    elect(raft)
    answer(raft, 2, 1)
    for _ in range(4):
        raft.propose("123456")
    assert len([m for m in settle(raft) if m.target == 2 and m.entries]) == 2


def test_a_message_holds_as_much_as_may_be_sent_at_once_but_at_least_one_entry():
    raft = member(1, 1, 1, 1, max_size_per_message=2 * encoded(Entry(1, 1, "1.1")))
    elect(raft)
    follower_lacks = Message("MsgAppResp", 2, 1, raft.term, 4, reject=True)
    raft.step(follower_lacks)
    assert [len(m.entries) for m in settle(raft)] == [2]
    assert len(limited(entries(1, 1), 1)) == 1


def test_too_much_uncommitted_is_refused_and_an_empty_proposal_never():
    raft = member(max_uncommitted_size=10)
    elect(raft)
    assert raft.propose("123456789012") and not raft.propose("x") and raft.propose(None)
    settle(raft)
    answer(raft, 2, raft.last_index)
    settle(raft)
    assert raft.propose("x")


def test_what_is_applied_at_once_is_limited():
    raft = member(1, 1, 1, term=1, max_committed_size_per_ready=1)
    raft.step(Message("MsgHeartbeat", 2, 1, 1, commit=3))
    applied = []
    while raft.has_ready():
        ready = raft.ready()
        applied.append([entry.index for entry in ready.committed])
        raft.advance(ready)
    assert applied == [[1], [2], [3]]


def test_an_unreachable_follower_is_probed_and_a_heartbeat_brings_it_back():
    raft = member()
    elect(raft)
    answer(raft, 2, 1)
    raft.report_unreachable(2)
    assert raft.progress[2].state == PROBE
    raft.step(Message("MsgHeartbeatResp", 2, 1, raft.term))
    assert [(m.type, m.target) for m in settle(raft)] == [("MsgApp", 2)]
    answer(raft, 2, 1)
    assert raft.progress[2].state == REPLICATE


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


# -- membership (§6, thesis §4) ---------------------------------------------------------------------------------------
def change(kind, id):
    return ConfChange((Change(kind, id),))


def test_a_change_counts_from_when_it_is_applied():
    raft = member()
    elect(raft)
    answer(raft, 2, 1)
    raft.propose_conf_change(change(VOTER, 4))
    settle(raft)
    assert raft.configuration.voters == {1, 2, 3}
    answer(raft, 2, 2)
    assert raft.configuration.voters == {1, 2, 3, 4}


def test_one_change_at_a_time():
    raft = member()
    elect(raft)
    answer(raft, 2, 1)
    raft.propose_conf_change(change(VOTER, 4))
    raft.propose_conf_change(change(REMOVE, 3))
    assert [entry.data for entry in raft.log.entries[1:]] == [change(VOTER, 4), None]


def test_a_new_leader_first_applies_what_it_has():
    raft = member(1)
    elect(raft)
    raft.propose_conf_change(change(VOTER, 4))
    assert raft.log.entries[-1].data is None
    answer(raft, 2, 3)
    raft.propose_conf_change(change(VOTER, 4))
    assert raft.log.entries[-1].data == change(VOTER, 4)


def test_joint_consensus_needs_both_majorities_and_leaves_by_itself():
    raft = member()
    elect(raft)
    answer(raft, 2, 1)
    raft.propose_conf_change(ConfChange((Change(VOTER, 4), Change(VOTER, 5), Change(REMOVE, 2), Change(REMOVE, 3))))
    settle(raft)
    answer(raft, 3, 2)
    assert (raft.configuration.voters, raft.configuration.outgoing) == ({1, 4, 5}, {1, 2, 3})
    assert raft.log.entries[-1].data == ConfChange()
    answer(raft, 2, 3)
    answer(raft, 3, 3)
    assert raft.commit == 2
    answer(raft, 4, 3)
    assert raft.commit == 3
    assert (raft.configuration.voters, raft.configuration.outgoing) == ({1, 4, 5}, frozenset())


def test_in_a_joint_configuration_both_majorities_elect():
    joint = Configuration(frozenset((1, 4, 5)), frozenset((1, 2, 3)))
    raft = Raft(Config(1, lambda draw: 10, joint, pre_vote=False))
    raft.campaign()
    settle(raft)
    raft.step(Message("MsgVoteResp", 2, 1, 1))
    assert raft.role == CANDIDATE
    raft.step(Message("MsgVoteResp", 4, 1, 1))
    assert raft.role == LEADER


def test_without_joint_consensus_one_voter_changes_at_a_time():
    before = configuration((1, 2, 3))
    with pytest.raises(ConfChangeError, match="more than one voter changed"):
        simple(before, [Change(VOTER, 4), Change(REMOVE, 1)])
    with pytest.raises(ConfChangeError, match="removed all voters"):
        simple(configuration((1,)), [Change(REMOVE, 1)])
    assert simple(before, [Change(VOTER, 4), Change(LEARNER, 5)])[0] == configuration((1, 2, 3, 4), (5,))


def test_an_explicit_joint_configuration_waits_to_be_told():
    raft = member(voters=(1,))
    elect(raft)
    raft.propose_conf_change(ConfChange((Change(LEARNER, 2),), EXPLICIT))
    settle(raft)
    assert raft.configuration.outgoing == {1}
    raft.propose_conf_change(change(VOTER, 3))
    assert raft.log.entries[-1].data is None
    settle(raft)
    raft.propose_conf_change(ConfChange())
    settle(raft)
    assert raft.configuration == configuration((1,), (2,))


def test_a_removed_leader_no_longer_counts_itself_and_takes_no_proposals():
    raft = member()
    elect(raft)
    answer(raft, 2, 1)
    raft.propose_conf_change(change(REMOVE, 1))
    raft.propose("x")
    settle(raft)
    answer(raft, 2, 2)
    assert raft.configuration.voters == {2, 3}
    answer(raft, 2, 3)
    assert raft.commit == 2
    answer(raft, 3, 3)
    assert raft.commit == 3
    assert not raft.propose("y")


def test_a_removed_leader_steps_down_if_it_is_told_to():
    raft = member(step_down_on_removal=True)
    elect(raft)
    answer(raft, 2, 1)
    raft.propose_conf_change(change(REMOVE, 1))
    settle(raft)
    answer(raft, 2, 2)
    assert (raft.role, raft.promotable, raft.ticks_to_action() > 1000) == (FOLLOWER, False, True)


def test_a_learner_gets_the_log_but_does_not_count_and_does_not_campaign():
    raft = member(voters=(1, 2), learners=(3,))
    elect(raft)
    answer(raft, 3, 1)
    assert raft.commit == 0
    learner = member(id=3, voters=(1, 2), learners=(3,))
    for _ in range(50):
        learner.tick()
    assert learner.role == FOLLOWER


def test_a_learner_votes_if_it_is_asked_for_it_may_be_a_voter_by_now():
    learner = member(id=3, voters=(1, 2), learners=(3,))
    learner.step(Message("MsgVote", 1, 3, 1))
    assert [m.reject for m in settle(learner)] == [False]


def test_nobody_campaigns_before_applying_a_committed_change():
    raft = member(term=1)
    change_entry = Entry(1, 1, change(VOTER, 4))
    raft.step(Message("MsgApp", 2, 1, 1, entries=[change_entry], commit=1))
    raft.campaign()
    assert raft.role == FOLLOWER
    settle(raft)
    raft.campaign()
    assert raft.role == CANDIDATE


def test_an_answer_of_a_stranger_is_refused():
    raft = member()
    elect(raft)
    assert raft.step(Message("MsgAppResp", 9, 1, 99, 1)) == "raft: cannot step as peer not found"
    assert raft.role == LEADER


def test_a_newcomer_has_an_election_timeout_to_say_something():
    raft = member(voters=(1, 2), check_quorum=True)
    elect(raft)
    answer(raft, 2, 1)
    raft.propose_conf_change(change(VOTER, 3))
    settle(raft)
    answer(raft, 2, 2)
    assert raft.progress[3].active


# -- snapshots (§7) ---------------------------------------------------------------------------------------------------
def compacted(**config):
    """A leader whose log begins after index 5."""
    taken = Snapshot(5, 1, configuration((1, 2, 3)))
    raft = member(1, 1, 1, 1, 1, commit=5, applied=5, take_snapshot=lambda: taken, **config)
    raft.compact(5)
    elect(raft)
    return raft, taken


def test_a_follower_that_needs_what_was_compacted_gets_a_snapshot():
    raft, taken = compacted()
    sent = answer(raft, 2, 5, reject=True)
    assert [(m.type, m.snapshot) for m in sent] == [("MsgSnap", taken)]
    progress = raft.progress[2]
    assert (progress.state, progress.next, progress.pending_snapshot) == (SNAPSHOT, 6, 5)
    raft.propose("x")
    assert settle(raft) == []
    sent = answer(raft, 2, 5)
    assert [(m.type, m.index, len(m.entries)) for m in sent] == [("MsgApp", 5, 2)]


@pytest.mark.parametrize("arrived, following", [(True, 6), (False, 1)])
def test_the_leader_hears_what_became_of_a_snapshot(arrived, following):
    raft, _ = compacted()
    answer(raft, 2, 5, reject=True)
    raft.report_snapshot(2, arrived)
    progress = raft.progress[2]
    assert (progress.state, progress.next, progress.paused) == (PROBE, following, True)


def test_a_snapshot_is_not_sent_to_who_does_not_answer():
    raft, _ = compacted()
    raft.progress[2].next = 1
    raft.progress[2].paused = False
    raft.propose("x")
    assert [m.type for m in settle(raft)] == []


def test_a_follower_installs_a_snapshot_and_goes_on_from_there():
    raft = member(id=3, voters=())
    taken = Snapshot(5, 1, configuration((1, 2, 3)))
    raft.step(Message("MsgSnap", 1, 3, 2, snapshot=taken))
    assert (raft.last_index, raft.commit, raft.configuration.voters) == (5, 5, {1, 2, 3})
    assert not raft.promotable
    ready = raft.ready()
    assert (ready.snapshot, [m.index for m in ready.promises]) == (taken, [5])
    raft.advance(ready)
    assert (raft.promotable, raft.log.applied) == (True, 5)
    raft.step(Message("MsgApp", 1, 3, 2, 5, 1, entries=[Entry(2, 6)]))
    assert [(m.index, m.reject) for m in settle(raft)] == [(6, False)]


def test_a_snapshot_of_the_past_or_of_what_is_there_changes_nothing():
    raft = member(1, 1, 1, term=1, commit=2)
    for index, term, commit in ((1, 9, 2), (2, 1, 2), (3, 1, 3)):
        raft.step(Message("MsgSnap", 2, 1, 1, snapshot=Snapshot(index, term, configuration((1, 2, 3)))))
        assert (raft.last_index, raft.commit, raft.log.snapshot) == (3, commit, None)


def test_a_snapshot_for_others_is_not_installed():
    raft = member(id=3, voters=())
    raft.step(Message("MsgSnap", 1, 3, 2, snapshot=Snapshot(5, 1, configuration((1, 2)))))
    assert raft.last_index == 0


# -- leadership transfer (thesis §3.10), forgetting -------------------------------------------------------------------
def test_the_target_is_brought_up_to_date_then_told_to_campaign_at_once():
    raft = member()
    elect(raft)
    answer(raft, 2, 1)
    raft.propose("x")
    settle(raft)
    raft.transfer_leader(2)
    assert "MsgTimeoutNow" not in [m.type for m in settle(raft)]
    assert ("MsgTimeoutNow", 2) in kinds(answer(raft, 2, 2))


def test_meanwhile_the_leader_takes_no_proposals_and_after_an_election_timeout_it_does_again():
    raft = member()
    elect(raft)
    answer(raft, 2, 1)
    raft.transfer_leader(2)
    assert ("MsgTimeoutNow", 2) in kinds(settle(raft))
    assert not raft.propose("x")
    for _ in range(10):
        raft.tick()
    assert raft.propose("x")


def test_who_is_told_to_campaign_asks_without_a_pre_vote_and_by_force():
    raft = member(term=1, pre_vote=True, check_quorum=True)
    raft.step(Message("MsgHeartbeat", 2, 1, 1))
    settle(raft)
    raft.step(Message("MsgTimeoutNow", 2, 1, 1))
    assert [(m.type, m.force) for m in settle(raft)] == [("MsgVote", True)] * 2


def test_leadership_is_not_handed_to_a_learner_nor_to_itself():
    raft = member(voters=(1, 2), learners=(3,))
    elect(raft)
    raft.transfer_leader(3)
    raft.transfer_leader(1)
    assert (raft.transferee, raft.propose("x")) == (0, True)


def test_a_follower_passes_a_transfer_on_and_forgets_its_leader_when_asked():
    raft = member(term=1)
    raft.step(Message("MsgHeartbeat", 2, 1, 1))
    settle(raft)
    raft.transfer_leader(3)
    assert [(m.type, m.source, m.target) for m in settle(raft)] == [("MsgTransferLeader", 3, 2)]
    raft.forget_leader()
    assert (raft.lead, raft.term, raft.role) == (0, 1, FOLLOWER)
    assert not raft.propose("x")


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
