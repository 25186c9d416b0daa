"""Clients that keep connections, in a cluster: what follows from that happens by itself."""

from collections import Counter
from dataclasses import replace
from functools import cache

import pytest

from kubemini.scenarios import load
from kubemini.sim.units import MS, SECOND
from kubemini.simulate import run

SEEDS = (None, 2)


@cache
def story(name, seed=None, server="", **how):
    """A scenario whose clients do it otherwise; *server*: another annotation of the pods of api, or two."""
    told = load(name)
    manifests = told.manifests.replace("kubemini.io/request-time", f"{server}kubemini.io/request-time")
    return run(replace(told, manifests=manifests, workload={"clients": {**told.workload["clients"], **how}}), seed)


def asked(trace, begin=0, end=1000):
    """The clients' requests that began from *begin* to *end* (s)."""
    found = [r for r in trace.of("request") if r.actor.startswith("clients@")]
    return [r for r in found if begin * SECOND <= r.detail["started"] < end * SECOND]


def shares(trace, begin, end):
    """How many requests each server got."""
    return Counter(r.detail["via"][-1] for r in asked(trace, begin, end))


def failures(trace, begin, end):
    """Why requests failed."""
    return Counter(r.detail["why"].split(": ")[-1] for r in asked(trace, begin, end) if r.detail["code"] != 200)


def tries(trace, begin, end):
    """When tries began, of requests that began at any time."""
    all_ = [began for r in asked(trace) for began, _, _ in r.detail["tries"]]
    return [began for began in all_ if begin * SECOND <= began < end * SECOND]


# -- long-lived connections
@pytest.mark.parametrize("seed", SEEDS)
def test_http2_keeps_each_client_at_one_server_and_new_servers_idle(seed):
    trace = story("long-lived", seed)
    before, after = shares(trace, 10, 30), shares(trace, 33, 50)
    assert 1 <= len(before) <= 2 and before.keys() == after.keys() and not failures(trace, 0, 50)
    assert sum(before.values()) == 800


def test_a_connection_a_request_is_dealt_to_all_servers_old_and_new():
    trace = story("long-lived", idle=0, http2=False)
    assert len(shares(trace, 10, 30)) == 6 and len(shares(trace, 34, 50)) == 12


@pytest.mark.parametrize("how", [{"most": 20}, {"server": "kubemini.io/max-connection-age: 1s, "}])
def test_connections_that_end_now_and_then_find_the_new_servers_and_lose_no_request(how):
    trace = story("long-lived", **how)
    assert len(shares(trace, 33, 50)) > 6 and not failures(trace, 0, 50)


def test_whoever_waits_for_several_answers_at_once_has_several_connections():
    slow = {"server": "kubemini.io/request-time: 500ms, x"}
    assert len(shares(story("long-lived", http2=False, **slow), 10, 30)) > 2
    assert len(shares(story("long-lived", **slow), 10, 30)) <= 2


# -- retries
def well(trace, begin, end):
    """The share of requests that were answered."""
    found = asked(trace, begin, end)
    return sum(r.detail["code"] == 200 for r in found) / len(found)


@pytest.mark.parametrize("seed", SEEDS)
def test_retries_keep_an_overload_alive_long_after_its_cause_is_gone(seed):
    trace = story("storm", seed)
    assert well(trace, 10, 18) == 1 and well(trace, 30, 55) == 0
    assert len(tries(trace, 30, 50)) / 20 > 3.5 * len(tries(trace, 8, 18)) / 10


@pytest.mark.parametrize("how", [{"budget": 10}, {"retries": 0}])
@pytest.mark.parametrize("seed", SEEDS)
def test_with_a_budget_or_without_retries_the_same_servers_recover(seed, how):
    assert well(story("storm", seed, **how), 34, 55) == 1


def test_jitter_alone_takes_no_load_away():
    assert well(story("storm", jitter=True), 30, 55) == 0


def longest(trace):
    return max(r.at - r.detail["started"] for r in asked(trace))


@pytest.mark.parametrize("seed", SEEDS)
def test_who_comes_again_by_the_same_clock_meets_everybody_again_and_jitter_spreads_them(seed):
    same, spread = story("herd", seed), story("herd", seed, jitter=True)
    instants = {began % (5 * SECOND) // (20 * MS) for began in tries(same, 10, 55)}
    assert len(instants) < 20 < len({began % (5 * SECOND) // (20 * MS) for began in tries(spread, 10, 55)})
    assert longest(spread) < longest(same)


# -- rollouts
@pytest.mark.parametrize("seed", SEEDS)
def test_pods_that_die_at_sigterm_cost_requests_and_pods_that_wait_and_drain_cost_none(seed):
    trace = story("rollout", seed)
    assert not failures(trace, 10, 20) and not failures(trace, 45, 65)
    assert failures(trace, 20, 45).keys() <= {"connection reset by peer", "connection refused"}
    assert failures(trace, 20, 45)


def test_kept_connections_are_reset_and_new_ones_refused():
    kept, fresh = story("rollout", every="10ms"), story("rollout", every="10ms", idle=0)
    assert failures(kept, 20, 45)["connection reset by peer"] > failures(fresh, 20, 45)["connection reset by peer"]
    assert failures(fresh, 20, 45)["connection refused"] > failures(kept, 20, 45)["connection refused"]


def test_a_server_that_drains_answers_what_it_has_begun():
    dies = failures(story("rollout", every="10ms"), 20, 45)
    drains = failures(story("rollout", every="10ms", server="kubemini.io/on-sigterm: drain, "), 20, 45)
    reset = "connection reset by peer"
    assert dies[reset] > 4 and drains[reset] <= 1


def test_one_retry_hides_the_careless_rollout():
    assert not failures(story("rollout", retries=3), 0, 65)


# -- what a server does
def test_a_request_on_a_connection_to_a_machine_without_power_waits_until_its_client_gives_up():
    told, seed = load("long-lived"), 2  # a seed in which a client's connection leads to another machine
    before = story("long-lived", seed)
    machines = {r.detail["name"]: far for far in ("worker-1", "worker-2") for r in before.of("pod", f"kubelet@{far}")}
    ways = {(r.actor.partition("@")[2], machines[r.detail["via"][-1]]) for r in asked(before, 10, 20)}
    (far,) = {server for client, server in ways if client != server}
    trace = run(replace(told, faults=[[20.0, "power_off", far]], until=40 * SECOND), seed)
    lost = [r for r in asked(trace, 20, 39) if r.detail["code"] != 200]
    assert lost and {machines[r.detail["via"][-1]] for r in lost} == {far}
    assert all(r.detail["why"].endswith("deadline exceeded") for r in lost)
    assert lost[-1].detail["started"] > 38 * SECOND


def test_a_queue_that_is_full_answers_503():
    trace = story("herd", retries=0)
    assert failures(trace, 10, 55).keys() == {"503, its queue is full"}


def test_a_server_that_is_killed_resets_what_is_open():
    told = load("long-lived")
    slow = told.manifests.replace("request-time: 5ms", "request-time: 200ms")
    kills = [[20.0, "crash", f"servers@worker-{n}"] for n in (1, 2)] + [
        [20.5, "restart", f"servers@worker-{n}"] for n in (1, 2)
    ]
    trace = run(replace(told, manifests=slow, faults=kills, until=30 * SECOND))
    assert set(failures(trace, 19, 21)) == {"connection reset by peer", "connection refused"}
    assert not failures(trace, 21, 29)


def test_an_annotation_that_says_nothing_is_remarked():
    trace = story("herd", server="kubemini.io/on-sigterm: later, ")
    assert any("on-sigterm: later is not drain" in r.detail["text"] for r in trace.of("note"))
