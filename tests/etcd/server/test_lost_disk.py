"""A member whose disk is gone: what it says when it is started again, and how it comes back.

Recorded with etcd 3.7.3 (and asked of a 3.4.23): with ``new`` it exits with "member … has already been bootstrapped",
with ``existing`` it panics at the first heartbeat; after ``member remove`` it is told that it is gone; only remove and
add bring it back.
"""

import random

import pytest

from kubemini.cluster import build
from kubemini.scenarios import Scenario
from kubemini.sim.units import SECOND
from kubemini.simulate import run

THREE = Scenario("three", "three members", build("etcd", members=3), until=40 * SECOND)
LOST = [(5, "put", "early", "1"), (6, "lose_disk", "etcd-host-1")]


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


def test_one_that_was_added_and_is_told_that_the_cluster_exists_panics_at_the_first_heartbeat():
    trace = story(
        *LOST,
        (10, "member_remove", "etcd-1"),
        (14, "member_add", "etcd-1"),
        (20, "lose_disk", "etcd-host-1"),
        (22, "restart", "etcd-1"),
    )
    [why] = words(trace, "etcd-1")
    assert why.startswith("panic: tocommit(") and why.endswith(
        " is out of range [lastIndex(0)]. Was the raft log corrupted, truncated, or lost?"
    )
    assert not trace.of("panic") and sorted(last_roles(trace).values()) == ["follower", "follower", "leader"]


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
ACTS += ["stop", "member_remove", "member_add", "snapshot_save", "snapshot_restore", "slow_disk", "move_leader"]


def random_story(seed):
    rng, at = random.Random(seed), 3.0
    for _ in range(14):
        at += rng.choice([0.01, 0.3, 1, 2])
        act, number = rng.choice(ACTS), rng.randint(1, 3)
        more = {"slow_disk": ["etcd-host-1", "2s"], "snapshot_restore": ["etcd-1,etcd-2"], "heal": []}.get(act)
        on_host = act in ("lose_disk", "cut", "power_off", "power_on")
        yield (at, act, *([f"etcd-{'host-' * on_host}{number}"] if more is None else more))


@pytest.mark.parametrize("seed", range(30))
def test_whatever_is_lost_no_program_fails_of_a_defect(seed):
    assert not story(*random_story(seed), seed=seed).of("panic")
