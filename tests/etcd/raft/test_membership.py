"""Who is a member (paper §6, thesis §4), snapshots (paper §7), and handing over (thesis §3.10)."""

import pytest

from kubemini.etcd.raft.confchange import (
    EXPLICIT,
    LEARNER,
    REMOVE,
    VOTER,
    ConfChange,
    ConfChangeError,
    Configuration,
    MemberChange,
    configuration,
    simple,
)
from kubemini.etcd.raft.log import Entry, Snapshot
from kubemini.etcd.raft.messages import CANDIDATE, FOLLOWER, LEADER, Config, Message
from kubemini.etcd.raft.progress import PROBE, SNAPSHOT
from kubemini.etcd.raft.raft import Raft
from tests.etcd.raft.machine import answer, change, elect, kinds, member, settle


# -- membership (§6, thesis §4) ---------------------------------------------------------------------------------------
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
    raft.propose_conf_change(
        ConfChange((MemberChange(VOTER, 4), MemberChange(VOTER, 5), MemberChange(REMOVE, 2), MemberChange(REMOVE, 3)))
    )
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
        simple(before, [MemberChange(VOTER, 4), MemberChange(REMOVE, 1)])
    with pytest.raises(ConfChangeError, match="removed all voters"):
        simple(configuration((1,)), [MemberChange(REMOVE, 1)])
    assert simple(before, [MemberChange(VOTER, 4), MemberChange(LEARNER, 5)])[0] == configuration((1, 2, 3, 4), (5,))


def test_an_explicit_joint_configuration_waits_to_be_told():
    raft = member(voters=(1,))
    elect(raft)
    raft.propose_conf_change(ConfChange((MemberChange(LEARNER, 2),), EXPLICIT))
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
