"""A member whose disk is gone: what it says when it is started again, and how it comes back.

Each sentence is a row of what etcd 3.7.3 did, and 3.4.23 and 3.6.16 did the same (tests/oracles/etcd/versions.json).
"""

import random

import pytest

from kubemini.cluster import build
from kubemini.scenarios import Scenario
from kubemini.sim.units import SECOND
from kubemini.simulate import run

UNHEALTHY = "etcdserver: unhealthy cluster"
THREE = Scenario("three", "three members", build("etcd", members=3), until=40 * SECOND)
LOST = [(4, "move_leader", "etcd-2"), (5, "put", "early", "1"), (6, "lose_disk", "etcd-host-1")]


def story(*commands, seed=1, until=40):
    return run(THREE, seed, list(commands), until=until)


def words(trace, member):
    return [record.detail["why"] for record in trace.of("exit", member)]


def last_roles(trace):
    return {record.actor: record.detail["role"] for record in trace.of("role")}


def reads(trace, key):
    return [
        r.detail.get("answer")
        for r in trace.of("request")
        if r.detail["verb"].startswith("get") and r.detail["path"] == key
    ]


def test_a_restarted_member_without_its_disk_does_not_start_and_the_others_go_on():
    trace = story(*LOST, (8, "restart", "etcd-1"), (20, "put", "late", "2"), (22, "get", "late", "etcd-2"))
    assert words(trace, "etcd-1") == ["member 1 has already been bootstrapped"]
    assert not trace.of("panic") and reads(trace, "late") == ["2"]
    assert not [r for r in trace.of("role", "etcd-1") if r.at > 6 * SECOND]


def test_however_often_it_is_started_it_says_the_same():
    trace = story(*LOST, *((at, "restart", "etcd-1") for at in (8, 10, 30)))
    assert words(trace, "etcd-1") == ["member 1 has already been bootstrapped"] * 3


def test_remove_and_add_bring_it_back_with_everything():
    trace = story(
        *LOST,
        (8, "restart", "etcd-1"),
        (10, "member_remove", "etcd-1"),
        (12, "restart", "etcd-1"),
        (20, "member_add", "etcd-1"),
        (30, "get", "early", "etcd-1", "serializable"),
    )
    assert words(trace, "etcd-1")[1] == "the member has been permanently removed from the cluster"
    assert reads(trace, "early") == ["1"] and trace.of("membership")[-1].detail["voters"] == [
        "etcd-2",
        "etcd-3",
        "etcd-1",
    ]


REMOVED = [*LOST, (10, "member_remove", "etcd-1")]
ADDED = [*REMOVED, (14, "member_add", "etcd-1", "voter", "", "later")]


def test_an_empty_disk_that_is_told_that_the_cluster_exists_panics_at_the_first_heartbeat():
    trace = story(*LOST, (8, "member_start", "etcd-1", "existing"), (20, "put", "late", "2"), (22, "get", "late"))
    [why] = words(trace, "etcd-1")
    assert why.startswith("panic: tocommit(") and why.endswith(
        " is out of range [lastIndex(0)]. Was the raft log corrupted, truncated, or lost?"
    )
    assert not trace.of("panic") and reads(trace, "late") == ["2"]


def test_a_leader_that_knows_nothing_of_the_one_before_sends_an_empty_disk_the_log():
    """Whoever was elected after the disk was lost does not know how far that member had come."""
    lost = [(4, "move_leader", "etcd-1"), (5, "put", "early", "1"), (6, "lose_disk", "etcd-host-1")]
    trace = story(*lost, (10, "member_start", "etcd-1", "existing"), (20, "get", "early", "etcd-1", "serializable"))
    assert not words(trace, "etcd-1") and reads(trace, "early") == ["1"]


def test_its_replacement_cannot_be_added_while_it_still_counts():
    trace = story(*LOST, (10, "member_add", "etcd-1"))
    assert [r.detail["why"] for r in trace.of("request") if r.detail["verb"] == "member add"] == [UNHEALTHY]


def test_started_after_the_removal_it_is_a_stranger_or_is_told_that_it_is_gone():
    existing = story(*REMOVED, (20, "member_start", "etcd-1", "existing"))
    assert words(existing, "etcd-1")[-1].endswith("RemovedMemberIDs:[]}: member count is unequal")
    new = story(*REMOVED, (20, "member_start", "etcd-1", "new"))
    assert words(new, "etcd-1")[-1] == "the member has been permanently removed from the cluster"


def test_added_again_it_joins_only_as_a_member_of_a_cluster_that_exists():
    new = story(*ADDED, (20, "member_start", "etcd-1", "new"))
    assert words(new, "etcd-1")[-1] == "the member has been permanently removed from the cluster"
    existing = story(*ADDED, (20, "member_start", "etcd-1", "existing"), (30, "get", "early", "etcd-1", "serializable"))
    assert not words(existing, "etcd-1") and reads(existing, "early") == ["1"]


@pytest.mark.parametrize("fidelity", ["full", "quiescent"])
def test_a_leader_that_would_rest_takes_nobody_at_an_address_for_another_who_was_there(fidelity):
    story_of_it = [*ADDED, (20, "member_start", "etcd-1", "new")]
    trace = run(THREE, 1, story_of_it, until=40, fidelity=fidelity)
    assert words(trace, "etcd-1")[-1:] == ["the member has been permanently removed from the cluster"] and not trace.of(
        "panic"
    )


def test_while_the_new_one_has_not_come_the_other_two_are_a_quorum_of_three():
    trace = story(*ADDED, (20, "put", "late", "2"), (22, "get", "late"))
    assert reads(trace, "late") == ["2"]


def test_without_a_quorum_the_list_and_the_removal_wait_for_their_limit():
    dead = [(6, "crash", "etcd-1"), (6, "crash", "etcd-2"), (10, "member_remove", "etcd-1")]
    [request] = [r for r in story(*dead).of("request") if r.detail["verb"] == "member remove"]
    assert request.detail["why"] == "deadline exceeded" and request.detail["outcome"] == "unknown"
    assert request.at - request.detail["started"] >= 5 * SECOND


def test_a_member_that_runs_is_not_started_twice():
    trace = story((8, "member_start", "etcd-1", "new"))
    assert [r.detail["text"] for r in trace.of("note")] == [
        "etcd-1 is not started: its host is off, or it runs already"
    ]


def test_when_all_disks_are_lost_an_empty_cluster_begins():
    ruin = [(6, "lose_disk", f"etcd-host-{n}") for n in (1, 2, 3)]
    trace = story(
        (5, "put", "early", "1"),
        *ruin,
        (8, "restart", "etcd-1"),
        (9, "restart", "etcd-2"),
        (20, "restart", "etcd-3"),
        (30, "get", "early"),
        (31, "put", "anew", "1"),
    )
    assert not trace.of("exit") and reads(trace, "early") == ["(nothing)"]
    assert {r.actor for r in trace.of("apply") if r.at > 25 * SECOND} == {"etcd-1", "etcd-2", "etcd-3"}


@pytest.mark.parametrize("heal", [12, 30])
def test_where_nobody_can_be_asked_it_begins_and_dies_when_it_hears_what_it_has_forgotten(heal):
    trace = story(*LOST, (6, "cut", "etcd-host-1"), (8, "restart", "etcd-1"), (heal, "heal"))
    assert all(why.startswith("panic: tocommit(") for why in words(trace, "etcd-1")) and not trace.of("panic")
    assert sorted(last_roles(trace)) == ["etcd-1", "etcd-2", "etcd-3"]


ACTS = ["lose_disk"] * 4 + ["restart"] * 3 + ["crash", "cut", "heal", "power_off", "power_on", "pause", "resume"]
ACTS += ["member_start"] * 3 + [
    "stop",
    "member_remove",
    "member_add",
    "snapshot_save",
    "snapshot_restore",
    "slow_disk",
    "move_leader",
]


def random_story(seed):
    rng, at = random.Random(seed), 3.0
    for _ in range(14):
        at += rng.choice([0.01, 0.3, 1, 2])
        act, number = rng.choice(ACTS), rng.randint(1, 3)
        more = {"slow_disk": ["etcd-host-1", "2s"], "snapshot_restore": ["etcd-1,etcd-2"], "heal": []}.get(act)
        on_host = act in ("lose_disk", "cut", "power_off", "power_on")
        if act == "member_start":
            more = [f"etcd-{number}", rng.choice(["new", "existing"])]
        yield (at, act, *([f"etcd-{'host-' * on_host}{number}"] if more is None else more))


@pytest.mark.parametrize("seed", range(30))
def test_whatever_is_lost_no_program_fails_of_a_defect(seed):
    assert not story(*random_story(seed), seed=seed).of("panic")
