"""Each scenario tells the story that its `about` promises: one headline number a scenario, over several seeds."""

from dataclasses import replace

import pytest

from kubemini.scenarios import load
from kubemini.sim.units import SECOND
from kubemini.simulate import run
from kubemini.view.requests import asked, fate
from tests.runs import run_once as story

SEEDS = (None, 1, 2, 3, 4, 5)  # None: the scenario's own


def requests(trace, kind, start, end, actor=None):
    """The requests of *kind* that began in [start, end) seconds."""
    return [
        r.detail
        for r in trace.of("request", actor)
        if r.detail["kind"] == kind and start * SECOND <= r.detail["started"] < end * SECOND
    ]


def share(found, outcome="ok"):
    """The share of requests that ended so."""
    assert found, "no requests in this stretch of the story"
    return sum(r["outcome"] == outcome for r in found) / len(found)


def begun(trace, start, end):
    """(seconds, fate) of each API request that began in [start, end) seconds; also of who still waits at the end."""
    found = [r for r in asked(trace) if r.detail["kind"] == "api"]
    inside = [r for r in found if start * SECOND <= r.detail["started"] < end * SECOND]
    return [((r.at - r.detail["started"]) / SECOND, fate(r)) for r in inside]


def pods(trace, instant):
    """{pod: host} of what runs and is ready at *instant* (s); a host without power runs nothing."""
    found = {}
    for record in trace:
        if record.at > instant * SECOND:
            break
        if record.what == "pod":
            found.pop(record.detail["name"], None)
            if record.detail["state"] == "running" and record.detail["ready"]:
                found[record.detail["name"]] = record.actor.split("@")[1]
        elif record.what == "power_off":
            found = {pod: host for pod, host in found.items() if host != record.actor}
    return found


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.some(2)
def test_first_nobody_notices_a_dead_api_server_until_a_worker_dies(seed):
    trace = story("first", seed)
    assert share(requests(trace, "service", 10, 59)) == 1.0
    assert share(requests(trace, "api", 21, 79), "failed") == 1.0
    assert share(requests(trace, "api", 82, 110)) == 1.0
    lost = sum(host == "worker-2" for host in pods(trace, 59).values()) / 3
    assert 0 < lost < 1
    assert abs(share(requests(trace, "service", 61, 79, "visitor@worker-1"), "failed") - lost) < 0.25


def test_first_the_share_of_lost_visits_is_the_share_of_dead_endpoints():
    failed = expected = asked = 0
    for seed in range(1, 9):
        trace = story("first", seed)
        found = requests(trace, "service", 61, 80, "visitor@worker-1")
        asked += len(found)
        failed += sum(r["outcome"] != "ok" for r in found)
        expected += len(found) * sum(host == "worker-2" for host in pods(trace, 59).values()) / 3
    assert abs(failed - expected) < 4 * (asked * 0.25) ** 0.5


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.some(2)
def test_anatomy_two_pods_become_four_within_seconds(seed):
    trace = story("anatomy", seed)
    assert len(pods(trace, 19)) == 2
    assert len(pods(trace, 23)) == 4
    assert share(requests(trace, "service", 10, 45)) == 1.0


def test_leases_nobody_makes_pods_until_another_one_may_take_the_lease():
    trace = story("leases", None)
    won = [r.at / SECOND for r in trace.of("holder") if r.detail["lease"] == "kube-controller-manager"]
    assert len(won) == 2 and 20 + 14.5 < won[1] < 20 + 22.2
    assert len(pods(trace, int(won[1]) - 1)) == 2 and len(pods(trace, 45)) == 4


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.some(2)
def test_scheduler_a_node_that_is_back_stays_empty_and_the_shop_shuts_with_the_other_one(seed):
    trace = story("scheduler", seed)
    assert share(requests(trace, "service", 70, 128)) == 1.0
    assert share(requests(trace, "service", 133, 185)) == 0.0
    assert share(requests(trace, "service", 215, 228)) == 1.0


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.some(2)
def test_services_stale_rules_send_a_share_of_one_worker_s_visitors_to_pods_that_are_gone(seed):
    trace = story("services", seed)
    assert share(requests(trace, "service", 10, 34)) == 1.0
    assert share(requests(trace, "service", 37, 75, "visitor@worker-2")) == 1.0
    stale = requests(trace, "service", 37, 54, "visitor@worker-1")
    assert 0.35 < share(stale, "failed") < 0.95  # two of three endpoints are gone
    assert share(requests(trace, "service", 57, 75, "visitor@worker-1")) == 1.0
    assert len(pods(trace, 40)) == 1


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.some(2)
def test_quorum_without_one_writes_hang_then_the_balancer_has_nobody_left_and_everything_runs(seed):
    trace = story("quorum", seed)
    assert share(requests(trace, "api", 12, 19)) == 1.0
    waits, refused = begun(trace, 31, 41), begun(trace, 44, 50)
    assert min(took for took, _ in waits) > 5 and {how for _, how in waits} <= {"slow", "unknown", "failed", "waiting"}
    assert "slow" in {how for _, how in waits}  # served late, when the quorum is back
    assert {how for _, how in refused} == {"failed"} and max(took for took, _ in refused) < 1
    assert share(requests(trace, "api", 56, 72)) == 1.0
    assert share(requests(trace, "service", 15, 75)) == 1.0


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.some(2)
def test_stacked_a_dead_member_takes_its_api_server_with_it_until_the_balancer_notices(seed):
    trace = story("stacked", seed)
    (down, *_) = [r for r in trace.of("backend") if r.at > 20 * SECOND and not r.detail["up"]]
    assert down.detail["server"] == "apiserver-2"
    assert 24 < down.at / SECOND < 33
    assert share(requests(trace, "api", 34, 40)) == 1.0
    slow = [took for took, how in begun(trace, 20, 32) if how == "slow"]
    assert 0.2 < len(slow) / len(begun(trace, 20, 32)) < 0.6 and max(slow) > 10  # a third hangs, nobody is refused
    assert share(requests(trace, "api", 21, 80), "failed") == 0.0
    assert share(requests(trace, "api", 72, 80)) == 1.0
    assert share(requests(trace, "service", 15, 80)) == 1.0


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.some(2)
def test_external_one_member_is_not_missed_but_a_zone_of_two_more_is(seed):
    trace = story("external", seed)
    assert share(requests(trace, "api", 30, 39)) == 1.0
    waits = begun(trace, 42, 50)
    assert min(took for took, _ in waits) > 1 and "slow" in {how for _, how in waits}  # served late
    assert {how for _, how in begun(trace, 54, 60)} == {"failed"}  # no server is left in the balancer
    assert share(requests(trace, "api", 72, 80)) == 1.0
    assert share(requests(trace, "service", 10, 39)) == 1.0


def test_stacked_with_a_tcp_check_a_third_of_the_writes_waits_as_long_as_the_member_is_dead():
    """Recorded: 35 to 61 % slow for the whole outage, none refused, and the server is never DOWN."""
    scenario = load("stacked")
    trace = run(replace(scenario, params=replace(scenario.params, haproxy_check="tcp")))
    assert not [r for r in trace.of("backend") if 20 * SECOND < r.at < 40 * SECOND]
    asked = [r for r in trace.of("request", "kubectl") if 23 * SECOND <= r.detail["started"] < 39 * SECOND]
    slow = [r for r in asked if r.at - r.detail["started"] > SECOND]
    assert 0.2 < len(slow) / len(asked) < 0.65
    assert not [r for r in asked if r.detail["outcome"] == "failed"]
    assert share(requests(story("stacked"), "api", 30, 39)) == 1.0  # asking /readyz, the balancer knows


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.some(2)
def test_webhook_whoever_guards_new_pods_cannot_come_back_and_nobody_else_either(seed):
    trace = story("webhook", seed)
    notes = [r for r in trace.of("note") if r.at > 20 * SECOND]
    assert notes and all("connect: connection refused" in r.detail["text"] for r in notes)
    assert share(requests(trace, "api", 10, 75)) == 1.0  # every scaling is accepted
    assert {name[:3] for name in pods(trace, 70)} == {"web"} and len(pods(trace, 70)) == 2
    assert share(requests(trace, "service", 15, 75)) == 1.0


def test_webhook_without_its_configuration_pods_come_back_but_not_at_once():
    trace = run("webhook", commands=[(60, "delete", "validatingwebhookconfiguration", "guard")], until=90)
    made = [r.at / SECOND for r in trace.of("object") if r.detail["kind"] == "Pod" and r.detail["verb"] == "ADDED"]
    assert len(made) == 6 and 65 < made[3] < made[4] < 66 and 70 < made[5] < 72  # 45 s + 20.5 s, 30 s + 41 s
    assert len(pods(trace, 85)) == 5
