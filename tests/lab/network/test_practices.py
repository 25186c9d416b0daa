"""The page *Networking best practices*: each outage happens, and each practice prevents it."""

import pytest

from kubemini import check, run
from kubemini.lab.practices.leave import NEEDS, SYNC
from kubemini.lab.practices.opening import FIELDS
from kubemini.lab.practices.stories import (
    changed,
    dark,
    lookups,
    rollout,
    running,
    shortest_goodbye,
)
from kubemini.lab.questions import of_chapter
from kubemini.lab.visits import visits
from kubemini.scenarios import load

SEEDS = (1, 2, 3)
OPEN = {
    "node_cidr_mask_size": 24,
    "pod_mtu": 1450,
    "coredns_replicas": 2,
    "node_local_dns_cache": True,
    "pre_stop_seconds": 3,
    "external_traffic_policy": "Local",
    "web_on_workers": [1, 2, 3],
}


def failed(story, seed):
    return sum(visit.detail["outcome"] != "ok" for visit in visits(run(story, seed), 19, 60))


# -- the outages, and the same without them --------------------------------------------------------
def test_a_changed_scenario_differs_by_what_was_said_alone():
    plain, other = load("podnetwork"), changed("podnetwork", until="30s")
    assert other.until < plain.until and other.manifests == plain.manifests
    assert (other.seed, other.params, other.faults) == (plain.seed, plain.params, plain.faults)
    with pytest.raises(ValueError, match="the manifests of services have no 'image: shop/api"):
        changed("services", ("image: shop/api", "image: x"))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.some(1)
def test_a_small_range_leaves_pods_without_an_address_and_a_big_one_does_not(seed):
    grown = [["20s", "scale", "web", 12]]
    assert running(run(changed("podnetwork", faults=grown), seed, until=50)) == (10, 2)
    wide = changed("podnetwork", faults=grown, params={"node_cidr_mask_size": 24})
    assert running(run(wide, seed, until=50)) == (12, 0)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.some(1)
def test_a_rollout_costs_visits_until_the_hook_outlasts_the_slowest_kube_proxy(seed):
    assert of_chapter("practices")["predictions"]["leave"]["answer"].startswith("A few are refused")
    assert 0 < failed(rollout(), seed) < 40
    assert failed(rollout({"sleep": {"seconds": 2}}), seed) == 0
    assert failed(rollout({"sleep": {"seconds": 2}}, sync="5s"), seed) > 0
    assert failed(rollout({"sleep": {"seconds": 6}}, sync="5s"), seed) == 0


def test_a_goodbye_lasts_as_long_as_hook_and_program_or_as_the_grace_allows():
    hook = {"sleep": {"seconds": 3}}
    assert shortest_goodbye(run(rollout(hook, 30, "4s"))) == pytest.approx(7, abs=0.1)
    assert shortest_goodbye(run(rollout(hook, 6, "4s"))) == pytest.approx(6, abs=0.1)


@pytest.mark.parametrize("seed", [16, 1, 3])  # in which the only one is on the worker that goes dark
@pytest.mark.some(1)
def test_only_two_coredns_and_a_cache_outlive_a_worker(seed):
    lost = {}
    for coredns, cache in ((1, False), (2, False), (2, True)):
        asked, bad = lookups(run(dark(coredns, cache), seed), 30, 90, "visitor@worker-2")
        lost[coredns, cache] = bad / asked
    assert lost[1, False] == 1 and 0.1 < lost[2, False] < 0.6 and lost[2, True] < 0.05


def test_a_lost_coredns_is_started_elsewhere_after_five_minutes_more():
    asked = of_chapter("practices")["quizzes"]["guess-dark"][0]
    assert asked["answer"].startswith("Some minutes: NotReady after 50 s, evicted after 300 s")
    trace = run(dark(1, False), until=400)
    bad = [r.at / 1e6 for r in trace.of("lookup", "visitor@worker-2") if r.detail["error"]]
    assert 365 < max(bad) < 380


# -- exercises -------------------------------------------------------------------------------------
def goodbye(seconds, grace):
    return {"preStop": {"sleep": {"seconds": seconds}}, "terminationGracePeriodSeconds": grace}


@pytest.mark.soak
def test_every_goodbye_that_is_long_enough_and_not_too_long_passes():
    assert check("practices.leave", goodbye(SYNC + 1, SYNC + 1 + NEEDS)).passed
    assert check("practices.leave", goodbye(10, 60)).passed
    shell = {"exec": {"command": ["sh", "-c", "sleep 7"]}}
    assert check("practices.leave", {"preStop": shell, "terminationGracePeriodSeconds": 12}).passed


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (5, "Give a dict with preStop and terminationGracePeriodSeconds"),
        (goodbye(1, 30), "visits fail during the rollout"),
        (goodbye(6, 8), "is killed after 8.0 s, in the middle of its work"),
        (goodbye(18, 60), "takes 22 s to leave; 20 s are allowed"),
        (goodbye(40, 30), "refuses a hook longer than the grace"),
        (goodbye(6, "15"), "a whole number, 1 or more; not '15'"),
        ({**goodbye(6, 15), "preStop": {}}, "preStop is a hook"),
        ({**goodbye(6, 15), "preStop": {"nap": 6}}, "does not take this hook"),
    ],
)
def test_a_goodbye_that_does_not_do_is_told_why(answer, hint):
    report = check("practices.leave", answer)
    assert report.status == "hint" and hint in report.hint


@pytest.mark.soak
def test_a_cluster_without_the_five_outages_passes_and_names_what_it_measured():
    report = check("practices.opening", OPEN)
    assert report.passed and [fact.split(":")[0] for fact in report.facts] == [
        "addresses",
        "packets",
        "names",
        "leaving",
        "clients",
    ]
    assert check("practices.opening", {**OPEN, "pod_mtu": 1400, "node_cidr_mask_size": 25}).passed


@pytest.mark.parametrize(
    ("field", "value", "hint"),
    [
        ("node_cidr_mask_size", 29, "addresses: 10 of 12 pods run"),
        ("pod_mtu", 1451, "packets: 6 of 30 pairs"),
        ("coredns_replicas", 1, "lookups fail after worker-1"),
        pytest.param("node_local_dns_cache", False, "lookups fail after worker-1", marks=pytest.mark.soak),
        ("pre_stop_seconds", 0, "visits fail during a rollout"),
        ("external_traffic_policy", "Cluster", "clients: by 0 of 3 workers"),
        pytest.param("web_on_workers", [1, 2], "clients: by 2 of 3 workers", marks=pytest.mark.soak),
    ],
)
def test_one_wrong_value_is_one_outage(field, value, hint):
    report = check("practices.opening", {**OPEN, field: value})
    assert report.status == "hint" and hint in report.hint
    assert report.hint.startswith("1 of 5 outages still happen")


@pytest.mark.parametrize("field", FIELDS)
def test_a_value_that_is_none_is_refused_by_name(field):
    assert f"{field} is " in check("practices.opening", {**OPEN, field: "many"}).hint
    less = {name: value for name, value in OPEN.items() if name != field}
    assert "Give a dict with" in check("practices.opening", less).hint
