"""Raft's sentences about the log's way to the others (paper §5.3, §5.4; thesis §10.2)."""

import pytest

from kubemini.etcd.raft.log import Entry, encoded, limited
from kubemini.etcd.raft.messages import Message
from kubemini.etcd.raft.progress import PROBE, REPLICATE, Progress
from tests.etcd.raft.machine import answer, elect, entries, member, settle


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
