"""What the chapters *Quorum* and *Two topologies* say in prose, and the answer keys of their predictions, measured."""

from dataclasses import replace
from statistics import median

import pytest

from kubemini.cluster import build
from kubemini.lab.quorum.who_answers import who_answers
from kubemini.scenarios import load
from kubemini.sim.units import SECOND
from kubemini.simulate import run
from kubemini.view.requests import asked, fate
from tests.runs import run_once as story


def requests(trace, kind, begin, end, verb=""):
    """The requests of one kind (and verb) that began from *begin* to *end* (seconds), waiting ones too."""
    found = [r for r in asked(trace) if r.detail["kind"] == kind and verb in ("", r.detail["verb"])]
    return [r for r in found if begin * SECOND <= r.detail["started"] < end * SECOND]


def share(trace, kind, begin, end, verb="", well=("ok",)):
    """The share of them that fared *well*: succeeded within a second, unless late counts too."""
    fates = [fate(r) in well for r in requests(trace, kind, begin, end, verb)]
    assert fates, "nobody asked"
    return sum(fates) / len(fates)


def writes(trace, begin, end, well=("ok",)):
    return share(trace, "api", begin, end, "PATCH", well)


def leaders(trace):
    return [(r.at / SECOND, r.actor, r.detail["term"]) for r in trace.of("role") if r.detail["role"] == "leader"]


# -- Quorum ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("seed", [None, 1, 2])
@pytest.mark.some(1)
def test_with_one_of_three_members_no_write_is_answered_and_visits_go_on_until_one_returns(seed):
    trace = story("quorum", seed)
    assert writes(trace, 12, 20) == 1
    assert writes(trace, 31, 45) == 0
    assert "slow" in {fate(r) for r in requests(trace, "api", 31, 41, "PATCH")}  # it hangs, it does not refuse
    assert writes(trace, 60, 70, ("ok", "slow")) == 1  # the last API server is back later than its member
    assert share(trace, "service", 12, 75) == 1


def test_after_thirteen_seconds_without_etcd_nobody_behind_the_balancer_is_left_to_ask():
    assert {r.detail["why"] for r in requests(story("quorum"), "api", 43, 50, "PATCH")} == {"EOF"}


def test_who_answers_is_the_sheet_of_the_chapter():
    head, put, get, local, watch, pods = who_answers()
    assert head == ["", "3 of 3 up", "2 of 3 up", "1 of 3 up"]
    assert put[:3] == ["put", "ok", "ok"] and put[3] == "deadline exceeded"
    assert get[:3] == ["linearizable get", "at 14 s", "at 24 s"] and get[3] == "deadline exceeded"
    assert local == ["serializable get", "at 14 s", "at 24 s", "at 24 s"]
    assert watch == ["watch", "event: at 14 s", "event: at 24 s", "etcdserver: no leader"]
    assert pods == ["running pods", *["10 of 10 visits ok"] * 3]


def test_a_partition_has_two_leaders_for_most_of_a_second_and_one_truth():
    trace = story("etcd-5")
    (_, old, first), (elected, new, second) = leaders(trace)
    assert (old, first, new, second) == ("etcd-1", 1, "etcd-4", 2)
    (stepped_down,) = [
        r.at / SECOND for r in trace.of("role", old) if r.detail["role"] == "follower" and 10 < r.at / SECOND < 15
    ]
    assert 0.5 < stepped_down - elected < 1
    assert {r.actor for r in trace.of("truncate")} == {"etcd-1", "etcd-2"}
    assert [r for r in trace.of("kv") if stepped_down < r.at / SECOND < 30] == []


def test_the_cut_off_member_answers_old_values_to_those_who_do_not_ask_the_others():
    asked = [
        (5, "put", "price", "old", "etcd-1"),
        (15, "put", "price", "mine", "etcd-1"),
        (16, "put", "price", "new", "etcd-4"),
        (22, "get", "price", "etcd-1", "serializable"),
        (22, "get", "price", "etcd-1"),
        (22, "get", "price", "etcd-4"),
        (32, "get", "price", "etcd-1"),
        (40, "get", "price", "etcd-1"),
    ]
    answers = {
        (d["started"] // SECOND, d["verb"], d["via"][0]): d.get("answer", d["outcome"])
        for r in run("etcd-5", commands=asked).of("request")
        if (d := r.detail)["path"] == "price"
    }
    assert answers == {
        (5, "put", "etcd-1"): "ok",
        (15, "put", "etcd-1"): "unknown",
        (16, "put", "etcd-4"): "ok",
        (22, "get serializable", "etcd-1"): "old",
        (22, "get", "etcd-1"): "unknown",
        (22, "get", "etcd-4"): "new",
        (32, "get", "etcd-1"): "failed",
        (40, "get", "etcd-1"): "new",
    }


@pytest.mark.parametrize("seed", [None, 2, 3])
@pytest.mark.some(1)
def test_one_slow_disk_of_a_follower_changes_nothing_two_change_every_write(seed):
    trace = story("slow-disk", seed)
    assert leaders(trace)[0][1] == "etcd-1" and len(leaders(trace)) == 1
    took = [
        median(r.at - r.detail["started"] for r in trace.of("request") if begin <= r.detail["started"] / SECOND < end)
        for begin, end in ((5, 10), (11, 25), (26, 40), (43, 50))
    ]
    assert took[1] < 1.25 * took[0] and took[2] > 500_000 and took[3] < 1.25 * took[0]


def test_of_two_writes_that_timed_out_one_is_there_afterwards():
    happened = [(5, "crash", "etcd-2"), (5, "crash", "etcd-3"), (20, "restart", "etcd-2")]
    asked = [(5.3, "put", "early", "1", "etcd-1"), (10, "put", "late", "1", "etcd-1")]
    asked += [(25, "get", "early"), (25, "get", "late")]
    trace = run(replace(load("etcd-3"), faults=(), workload={}), seed=1, commands=happened + asked, until=30)
    assert leaders(trace)[0][1] == "etcd-1"
    fates = [(r.detail["path"], r.detail["outcome"], r.detail.get("answer")) for r in trace.of("request")]
    assert fates == [
        ("early", "unknown", None),
        ("late", "unknown", None),
        ("early", "ok", "1"),
        ("late", "ok", "(nothing)"),
    ]


# -- Two topologies --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("seed", [None, 1, 2])
@pytest.mark.some(1)
def test_stacked_with_a_dead_member_some_writes_hang_until_the_balancer_has_noticed(seed):
    trace = story("stacked", seed)
    assert writes(trace, 12, 20) == 1
    assert 0 < writes(trace, 20, 27) < 1
    assert writes(trace, 32, 40) == 1
    assert writes(trace, 57, 75, ("ok", "slow")) == 1  # a machine without power: 5 s, then another is dialled
    assert share(trace, "service", 12, 75) == 1


def test_a_machine_without_power_makes_some_writes_a_second_slower():
    took = [r.at - r.detail["started"] for r in story("stacked").of("request") if r.detail["verb"] == "PATCH"]
    assert sum(t >= SECOND for t in took[-24:-8]) >= 3 and max(took[-8:]) < SECOND / 10


@pytest.mark.parametrize("seed", [None, 1, 2])
@pytest.mark.some(1)
def test_external_a_dead_member_costs_nothing_and_a_zone_on_top_of_it_everything(seed):
    trace = story("external", seed)
    assert writes(trace, 12, 38) == 1
    assert writes(trace, 42, 55) == 0
    assert writes(trace, 70, 75) == 1
    assert 0 < share(trace, "service", 42, 58) < 1 and share(trace, "service", 12, 40) == 1


def test_a_stacked_member_talks_to_its_peers_all_day():
    trace = run("stacked", until=20)
    leader = leaders(trace)[-1][1]
    pairs = {(r.actor, r.detail["to"]) for r in trace.of("message")}
    assert all({(leader, peer), (peer, leader)} <= pairs for peer in {"etcd-1", "etcd-2", "etcd-3"} - {leader})
    assert "MsgProp" in {r.detail["type"] for r in trace.of("message")}


def test_the_zones_of_the_external_story_are_two_two_and_one():
    topology = load("external").topology
    assert [h.zone for h in topology.hosts if h.role == "etcd"] == ["a", "a", "b", "b", "c"]
    assert topology.host_of("etcd-2") == "etcd-host-2" and build("stacked").host_of("etcd-2") == "cp-2"
