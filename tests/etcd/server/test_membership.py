"""Members come and go: what etcd allows, what it refuses and in which words (ops_3.5.1.json, recorded)."""

import pytest

from kubemini.cluster import Cluster, build
from kubemini.etcd.errors import LEARNER_NOT_READY, MEMBER_NOT_FOUND
from kubemini.etcd.server.membership import Membership
from kubemini.faults import FaultError, parse
from kubemini.sim.units import SECOND
from kubemini.simulate import run
from tests.worlds.etcd import Growing, YoungWorld

IN_SYNC = "etcdserver: can only promote a learner member which is in sync with leader"
NOT_STARTED = "etcdserver: re-configuration failed due to not enough started members"


def test_a_member_that_is_added_and_started_reads_the_whole_log_and_votes():
    world = Growing()
    for value in "abc":
        world.put("etcd-1", value)
    assert world.join("etcd-4") == 4
    assert world.listed() == {1: ("etcd-1", False), 2: ("etcd-2", False), 3: ("etcd-3", False), 4: ("etcd-4", False)}
    assert world.get("etcd-4", serializable=True) == "c"
    leader, (dead, *_) = world.leader, world.followers
    dead.crash()
    assert world.put(leader.name, "with three of four").ok
    world.followers[0].crash()
    assert not world.put(leader.name, "with two of four").ok


def test_until_it_starts_a_new_member_has_no_name_but_counts_for_the_quorum():
    world = Growing(1)
    assert world.add("etcd-2")[1] is None
    assert world.members[0].membership.members[2].answer()["name"] == ""
    assert not world.put("etcd-1", "lost").ok
    world.spares["etcd-2"].join(["etcd-1", "etcd-2"])
    world.run(3)
    assert world.put("etcd-1", "found").ok


def test_young_connections_and_a_member_that_is_down_forbid_adding():
    young = YoungWorld()
    assert young.add("etcd-4", learner=True)[1] == "etcdserver: unhealthy cluster"
    young.run(2)
    assert young.add("etcd-4")[1] is None
    world = Growing()
    world.followers[0].crash()
    assert world.add("etcd-4")[1] == "etcdserver: unhealthy cluster"
    world.run(7)
    assert world.add("etcd-4")[1] == "etcdserver: unhealthy cluster"


def test_a_peer_that_has_fallen_silent_counts_as_connected():
    """3.7.3 took a new voter 20 s after a follower had been stopped."""
    world = Growing()
    world.run(10)
    world.followers[0].pause()
    world.run(20)
    assert world.add("etcd-4")[1] is None


def test_refusals_have_the_words_of_the_real_one():
    world = Growing()
    assert world.add("etcd-1")[1] == "etcdserver: Peer URLs already exists"
    assert world.ask("member_remove", ID=0xDEADBEEF)[1] == "etcdserver: member not found"
    assert world.ask("member_add", peerURLs=["etcd-4"])[1] == "etcdserver: given member URLs are invalid"
    assert world.ask("member_promote", ID=99)[1] == "etcdserver: member not found"
    assert world.ask("member_promote", ID=1)[1] == "etcdserver: can only promote a learner member"


def test_a_learner_joins_listens_is_promoted_and_only_then_votes():
    """Rows 9 to 23 of the recording, in order."""
    world = Growing()
    world.put("etcd-1", "v")
    answer, _ = world.add("etcd-4", learner=True)
    assert answer["member"] == {
        "ID": 4,
        "name": "",
        "peerURLs": ["http://etcd-4:2380"],
        "clientURLs": [],
        "isLearner": True,
    }
    follower = world.followers[0].name
    assert world.ask("member_promote", ID=4)[1] == world.ask("member_promote", follower, ID=4)[1] == IN_SYNC
    assert world.add("etcd-5", learner=True)[1] == "etcdserver: too many learner members in cluster"
    assert world.leader.raft.configuration.learners == {4}
    learner = world.spares["etcd-4"]
    learner.join(["etcd-1", "etcd-2", "etcd-3", "etcd-4"])
    while not learner.serving:
        world.sim.step()
    assert learner.learner and 4 not in learner.membership.members  # it knows before it has read so in the log
    world.run(1)
    for method, payload in [("put", {"key": "k", "value": ""}), ("range", {"key": "k"}), ("lease_grant", {"TTL": 5})]:
        assert world.ask(method, "etcd-4", **payload)[1] == "etcdserver: rpc not supported for learner"
    assert world.get("etcd-4", serializable=True) == "v"
    assert world.ask("status", "etcd-4")[0]["isLearner"] is True
    answer, error = world.ask("member_promote", follower, ID=4)
    assert error is None and not any(m["isLearner"] for m in answer["members"])
    assert world.ask("member_promote", ID=4)[1] == "etcdserver: can only promote a learner member"
    world.followers[0].crash()
    assert world.put(world.leader.name, "3 of 4").ok
    assert world.leader.raft.configuration.voters == {1, 2, 3, 4}


def test_a_removed_leader_ends_and_the_others_need_an_election():
    """Measured: first write after 1.24 and 1.85 s; the process exits, and again when it is restarted."""
    for seed in range(5):
        world = Growing(seed=seed)
        old, since = world.leader, world.sim.now
        other = world.followers[0].name
        assert world.ask("member_remove", other, ID=old.id)[1] is None
        while world.leaders in ([old], []):
            world.sim.step()
        assert 0.8 <= (world.sim.now - since) / SECOND <= 2.1
        assert not old.up and world.sim.trace.of("exit", old.name)
        assert world.put(other, "v").ok and old.id not in world.listed()
        old.start()
        world.run(0.5)
        assert not old.up and len(world.sim.trace.of("exit", old.name)) == 2


def test_a_removed_follower_leaves_in_peace_and_nobody_notices():
    world = Growing()
    leader, term, gone = world.leader, world.leader.raft.term, world.followers[0]
    assert world.ask("member_remove", ID=gone.id)[1] is None
    world.run(3)
    assert not gone.up and (world.leader, leader.raft.term) == (leader, term)
    (record,) = world.sim.trace.of("membership")
    assert len(record.detail["voters"]) == 2 and gone.name not in record.detail["voters"]


def test_a_removed_member_that_nobody_answers_ends_a_second_after_it_has_read_of_it():
    world = Growing()
    gone = world.followers[0]
    world.net.cut([gone.host.name], [h.name for h in world.hosts if h is not gone.host], one_way=True)
    assert world.ask("member_remove", ID=gone.id)[1] is None
    read = world.sim.now
    world.run(3)
    (end,) = world.sim.trace.of("exit")
    assert 1.0 <= (end.at - read) / SECOND <= 1.01


def test_a_dead_member_is_replaced_by_removing_it_first():
    world = Growing()
    dead = world.followers[0]
    dead.crash()
    world.run(1)
    assert world.ask("member_remove", ID=dead.id)[1] is None
    world.run(6)
    world.join("etcd-4")
    assert world.put("etcd-4", "v").ok
    dead.start()
    world.run(4)
    assert not dead.up  # it campaigns, and is told that it is gone


def test_the_wrong_address_costs_a_quorum_member_and_its_newcomer_is_a_stranger():
    world = Growing()
    assert world.add("etcd-44")[1] is None
    spare = world.spares["etcd-4"]
    spare.join(["etcd-1", "etcd-2", "etcd-3", "etcd-4"])
    world.run(1)
    assert not spare.up
    why = world.sim.trace.of("exit", "etcd-4")[0].detail["why"]
    assert why.startswith(
        "error validating peerURLs {ClusterID:1 Members:[&{ID:1 RaftAttributes:{PeerURLs:[http://etcd-1:"
    )
    assert why.endswith(
        "}] RemovedMemberIDs:[]}: PeerURLs: no match found for existing member (4, [http://etcd-44:2380]), "
        'last resolver error (resolved urls: "http://etcd-44:2380" != "http://etcd-4:2380")'
    )
    assert world.join("etcd-5") == 5  # before 3.6: unhealthy cluster, as long as one is not there
    world.run(6)
    assert world.ask("member_remove", ID=4)[1] is None


def test_a_newcomer_is_refused_while_without_it_there_would_be_no_quorum_of_the_larger_cluster():
    world = Growing()
    world.followers[0].crash()
    assert world.add("etcd-4")[1] == "etcdserver: unhealthy cluster"  # two of four
    five = Growing(5)
    five.followers[0].crash()
    assert five.add("etcd-6")[1] is None  # four of six


def test_removing_needs_a_quorum_of_those_who_stay():
    world = Growing()
    dead, alive = world.followers
    dead.crash()
    assert world.ask("member_remove", ID=alive.id)[1] == "etcdserver: unhealthy cluster"
    assert world.ask("member_remove", ID=dead.id)[1] is None
    alone = Growing(1)
    assert alone.ask("member_remove", ID=1)[1] == NOT_STARTED
    assert alone.add("etcd-2")[1] is None
    assert alone.add("etcd-3")[1] == NOT_STARTED


def test_a_learner_can_be_removed_whoever_is_down():
    world = Growing()
    id = world.join("etcd-4", learner=True)
    world.followers[0].crash()
    assert world.ask("member_remove", ID=id)[1] is None


def test_a_promoted_learner_asks_for_votes_when_the_leader_is_gone():
    world = Growing()
    id = world.join("etcd-4", learner=True)
    assert world.ask("member_promote", ID=id)[1] is None
    world.run(0.5)
    for member in world.members[:3]:
        member.crash()
    world.run(3)
    assert world.members[3].raft.role == "pre-candidate"


def test_a_member_that_fell_behind_answers_a_leader_that_it_has_not_read_of():
    world = Growing()
    late, leader = world.followers[0], world.leader
    id = world.join("etcd-4", learner=True)
    world.net.cut([late.host.name], [h.name for h in world.hosts if h is not late.host] + ["etcd-host-4"])
    assert world.ask("member_promote", ID=id)[1] is None
    late.data.addresses.pop(id, None)  # as if it had not been there when it was added
    assert world.ask("move_leader", leader.name, targetID=id)[1] is None
    world.net.heal()
    world.run(3)
    assert world.leader.id == id and late.raft.lead == id
    assert world.put("etcd-4", "v").ok
    world.run(0.5)
    assert late.data.store.get("k")["value"] == "v"


# -- the pure part ---------------------------------------------------------------------------------------------
def test_a_learner_needs_nine_tenths_of_the_log():
    members = Membership(["a", "b", "c"])
    assert members.may_promote(89, 100) == LEARNER_NOT_READY
    assert members.may_promote(90, 100) is members.may_promote(None, 100) is None


def test_an_id_is_used_once_and_a_copy_is_a_copy():
    members = Membership(["a", "b"])
    members.apply("member_add", {"ID": 3, "address": "c", "isLearner": False})
    copy = members.copy()
    members.apply("member_remove", {"ID": 3})
    assert (members.next_id, sorted(copy.members), copy.removed) == (4, [1, 2, 3], {})
    assert members.check("member_add", {"ID": 3, "address": "d", "isLearner": False}, 1) == MEMBER_NOT_FOUND


def test_without_a_quorum_no_member_can_be_removed():
    world = Growing()
    survivor, dead = world.leader, world.followers
    for member in dead:
        member.crash()
    world.client.ask(survivor.name, "member_remove", {"ID": dead[0].id}, timeout=5 * SECOND)
    reply, took = world.wait()
    assert str(reply.error) == "deadline exceeded" and took == pytest.approx(5)


def test_a_member_that_comes_back_with_an_empty_disk_is_somebody_new():
    world = Growing()
    lost = world.followers[0]
    lost.crash()
    assert world.ask("member_remove", ID=lost.id)[1] is None
    world.run(6)
    answer, _ = world.add(lost.name)
    lost.join([m["peerURLs"][0][7:-5] for m in answer["members"]])
    world.run(2)
    assert (lost.id, world.listed()[4]) == (4, (lost.name, False))
    assert world.put(lost.name, "v").ok
    lost.crash()
    lost.start()
    world.run(2)
    assert world.get(lost.name) == "v"


# -- as a reader does it ---------------------------------------------------------------------------------------
def test_a_dead_member_is_replaced_in_a_scenario_and_no_write_fails():
    trace = run("members")
    assert [r.detail["voters"] for r in trace.of("membership")] == [
        ["etcd-1", "etcd-2"],
        ["etcd-1", "etcd-2"],
        ["etcd-1", "etcd-2", "etcd-4"],
    ]
    assert all(r.detail["outcome"] == "ok" for r in trace.of("request"))
    assert trace.header["topology"]["spares"] == ["etcd-4"]


def test_the_replacement_added_first_and_with_a_typo_wedges_the_cluster():
    """M7: with one of three down etcd refuses it. Before that it does not, and then four members need three."""
    story = [(14, "member_add", "etcd-4", "voter", "etcd-44")]
    trace = run("members", commands=story, until=20)
    (refused,) = [r for r in trace.of("request") if r.detail["verb"] == "member add"]
    assert refused.detail["why"] == "etcdserver: unhealthy cluster"
    early = run("members", commands=[(8, "member_add", "etcd-4", "voter", "etcd-44")], until=20)
    assert "no match found for existing member" in early.of("exit", "etcd-4")[0].detail["why"]
    outcomes = [r.detail["outcome"] for r in early.of("request") if r.detail["started"] > 10 * SECOND]
    assert outcomes and all(outcome != "ok" for outcome in outcomes)


def test_a_change_of_members_is_checked_before_the_run():
    cluster = Cluster(build("etcd", members=3, spares=1))
    parse([1, "member_add", "etcd-4", "learner"]).command.check(cluster)
    with pytest.raises(FaultError, match="etcd-1, etcd-2, etcd-3, etcd-4"):
        parse([1, "member_remove", "etcd-9"]).command.check(cluster)
    with pytest.raises(FaultError, match="voter or learner"):
        parse([1, "member_add", "etcd-4", "leader"]).command.check(cluster)
