"""Policies in a whole cluster: who enforces them, when, and what a caller and a reader of the trace see."""

from collections import Counter
from dataclasses import replace

import pytest

from kubemini.cluster import Cluster, build
from kubemini.params import Params
from kubemini.scenarios import load
from kubemini.sim.units import MS, SECOND
from kubemini.simulate import run
from tests.params.policies import DENY, KEPT

TIERS = load("policy")
ON_BOTH = ("worker-1", "worker-2")


def cluster(policies=True, params=None, **how):
    """The three tiers of the scenario, who call each other; no policy yet."""
    found = Cluster(build("single", workers=2, policies=policies, callers=True), 18, params)
    found.prepare(TIERS.manifests, {"callers": {"pods": "web", "services": "api", "every": "1s", **how}})
    found.run("10s")
    return found


def calls(trace, begin, end):
    """(caller's workload, Service) → outcomes and why of the calls that began from *begin* to *end* (s)."""
    told = {}
    for r in trace.of("request"):
        if r.detail["kind"] == "service" and begin * SECOND <= r.detail["started"] < end * SECOND:
            pair = r.detail["caller"].split("-")[0], r.detail["path"]
            told.setdefault(pair, Counter())[r.detail["outcome"], r.detail["why"]] += 1
    return told


@pytest.fixture(scope="module")
def tiers():
    return run(TIERS)


def test_without_policies_every_tier_reaches_every_other_and_nothing_is_said_of_rules(tiers):
    told = calls(tiers, 8, 20)
    assert len(told) == 6 and all(found.keys() == {("ok", "")} for found in told.values())


def test_a_deny_all_stops_them_before_they_know_an_address(tiers):
    for (_, service), found in calls(tiers, 21, 37).items():
        assert found.keys() == {("failed", f"look-up of {service}: egress: isolated by default/deny-all")}


def test_names_alone_help_nobody(tiers):
    for found in calls(tiers, 42, 60).values():
        assert found.keys() == {("failed", "egress: isolated by default/deny-all, default/names")}


def test_in_the_end_two_pairs_of_six_talk_and_both_rules_are_named(tiers):
    told = calls(tiers, 62, 80)
    assert {pair for pair, found in told.items() if "ok" in {fate for fate, _ in found}} == {
        ("web", "api"),
        ("api", "db"),
    }
    assert told["web", "api"].keys() == {("ok", "egress: default/web egress[0]; ingress: default/api ingress[0]")}


def test_a_caller_waits_for_what_was_dropped_until_he_is_tired(tiers):
    told = [(r.detail.get("why", ""), r.at - r.detail["started"]) for r in tiers.of("request")]
    names = [took for why, took in told if why.startswith("look-up")]
    assert names and {took // SECOND for took in names} <= {1, 2}, "a question a second, of two names"
    calls_ = [took for why, took in told if why.startswith("egress: isolated by default/deny-all, default/names")]
    least = Params().visitor_timeout
    assert calls_ and all(least <= took % SECOND + least < least + 10 * MS for took in calls_)


def test_agents_learn_of_a_policy_at_once_and_of_what_follows_a_second_later(tiers):
    told = list(tiers.of("policies", "kube-network-policies@worker-1"))
    assert [len(r.detail["names"]) for r in told] == [1, 2, 3, 5]
    assert told[0].at - 20 * SECOND < 100 * MS
    assert told[3].at - told[2].at == SECOND


def test_without_an_agent_a_policy_is_only_an_object():
    found = cluster(policies=False)
    found.apply(DENY)
    found.run("10s")
    assert calls(found.trace, 5, 20)["web", "api"].keys() == {("ok", "")}
    assert not found.trace.of("policies")


def test_while_an_agent_is_down_its_host_lets_everything_pass_and_the_other_host_does_not():
    found = cluster()
    found.apply(DENY)
    found.run("5s")
    for host in ON_BOTH:
        found.components[f"kube-network-policies@{host}"].crash()
    found.run("5s")
    for host in ON_BOTH:
        found.components[f"kube-network-policies@{host}"].start()
    found.run("5s")
    fates = [set(calls(found.trace, begin, begin + 4)["web", "api"]) for begin in (11, 16, 21)]
    shut = {("failed", "ingress: isolated by default/deny")}
    assert fates == [shut, {("ok", "")}, shut]


def test_a_policy_that_goes_while_the_agent_is_down_is_gone_when_it_returns():
    found = cluster()
    found.apply(DENY)
    found.run("5s")
    for host in ON_BOTH:
        found.components[f"kube-network-policies@{host}"].crash()
    found.kubectl.delete("networkpolicy", "deny")
    found.run("5s")
    for host in ON_BOTH:
        found.components[f"kube-network-policies@{host}"].start()
    found.run("5s")
    assert calls(found.trace, 20, 24)["web", "api"].keys() == {("ok", "")}
    assert all(found.hosts[host].kernel.policies is None for host in ON_BOTH)


def test_a_node_reaches_its_own_pods_whatever_the_policies_and_is_judged_at_others():
    found = Cluster(build("single", workers=2, policies=True), 18)
    found.prepare(TIERS.manifests, {"visitors": {"service": "web", "every": "500ms"}})
    found.run("12s")
    found.apply(DENY)
    found.run("5s")
    visits = [r.detail for r in found.trace.of("request") if r.detail["kind"] == "service"]
    assert {d["outcome"] for d in visits if d["started"] < 12 * SECOND} == {"ok"}
    homes = {r.detail["name"]: r.actor.partition("@")[2] for r in found.trace.of("pod")}
    late = [(d, homes[d["via"][-1]] == d["id"].partition("@")[2].partition("/")[0]) for d in visits]
    late = [(d, at_home) for d, at_home in late if d["started"] > 13 * SECOND]
    assert {at_home for _, at_home in late} == {True, False}
    for d, at_home in late:
        assert d["why"] == ("" if at_home else f"{d['via'][-1]}: ingress: isolated by default/deny")


def test_a_policy_that_is_gone_is_gone_in_the_kernel_too():
    found = cluster()
    found.apply(DENY)
    found.run("5s")
    found.kubectl.delete("networkpolicy", "deny")
    found.run("5s")
    assert calls(found.trace, 16, 20)["web", "api"].keys() == {("ok", "")}
    assert [r.detail["names"] for r in found.trace.of("policies", "kube-network-policies@worker-1")] == [
        ["default/deny"],
        [],
    ]


@pytest.mark.parametrize("strict", [False, True])
def test_a_kept_connection_survives_a_deny_unless_the_data_plane_looks_again(strict):
    trace = run(replace(load(KEPT), params=replace(Params(), policy_strict_mode=strict)))
    assert {rule for _, rule in next(iter(calls(trace, 15, 40).values()))} == {"established: nobody judges it again"}
    [found] = calls(trace, 44, 49).values()  # it looks once in 30 s, and has looked at 12 s
    rule = "ingress: isolated by default/deny" if strict else "established: nobody judges it again"
    assert found.keys() == {("failed" if strict else "ok", rule)}


def test_a_strict_data_plane_looks_at_most_every_thirty_seconds():
    found = cluster(params=replace(Params(), policy_strict_mode=True), keep=True)
    found.apply(
        DENY.replace("name: deny", "name: other").replace("podSelector: {}", "podSelector: {matchLabels: {a: b}}")
    )
    found.run("5s")
    found.apply(DENY)
    found.run("35s")
    fates = [
        (r.detail["started"], r.detail["outcome"]) for r in found.trace.of("request") if r.detail["kind"] == "service"
    ]
    cut = min(at for at, outcome in fates if outcome == "failed")
    assert 40 * SECOND <= cut < 43 * SECOND


def test_an_idle_cluster_with_policies_costs_no_more_events_than_one_without():
    def events(policies):
        found = Cluster(build("single", workers=2, policies=policies), 3, fidelity="quiescent")
        found.prepare(TIERS.manifests)
        if policies:
            found.run("10s")
            found.apply(DENY)
        found.run(f"{120 - 10 * policies}s")
        before = found.sim.events
        found.run("3m")
        return found.sim.events - before

    assert events(True) <= events(False) * 1.02
