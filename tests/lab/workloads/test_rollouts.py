"""The exercises of *Rollouts, budgets, drains*: what passes, what does not, and with which hint."""

import pytest

from kubemini.lab import check
from kubemini.lab.rollouts.load import Kernels, lost, visits
from kubemini.lab.rollouts.stories import NEW, NOWHERE, ROLLS, budget, deployment, story, tally, typed
from kubemini.lab.rollouts.trigger import KINDS, rolled, samples
from kubemini.lab.visits import visits as simulated
from kubemini.simulate import run


def fates(trace, asked):
    """How many visits of a trace fail, and how many of the same instants and hosts the replay loses."""
    kernels = Kernels(trace)
    failed = doomed = certain = 0
    for record in asked:
        host, at = record.actor.partition("@")[2], record.detail["started"]
        pods = kernels.pods(host, at)
        well = [kernels.answers(pod, at) for pod in pods]
        bad = record.detail["outcome"] != "ok"
        failed += bad
        doomed += not all(well)
        certain += bad and all(well)
    return failed, doomed, certain


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.some(1)
def test_the_replay_loses_visits_only_where_simulated_visitors_may_lose_them(seed):
    trace = run(story(NEW, every="10ms", until=40, sync="3s"), seed)
    failed, doomed, certain = fates(trace, simulated(trace, ROLLS, 40))
    assert failed > 20 and certain <= failed // 20  # a packet takes a moment to arrive
    assert doomed >= failed
    share = failed / len(simulated(trace, ROLLS, 40))
    assert 0.5 * share < lost(trace, ROLLS, 40) / (200 * 20) < 2 * share


def test_with_a_hook_that_outlasts_the_kernels_the_replay_loses_none():
    trace = run(story(NEW, of=deployment(4, hook=5), until=45), 1)
    assert lost(trace, ROLLS, 45) == 0 and len(list(visits(trace, ROLLS, 45))) == 200 * 25


def test_pods_on_their_way_out_count_for_nothing():
    seen = tally(run(story(NEW, of=deployment(4, hook=15), until=45)))
    assert seen == {"ready": 3, "kept": 5, "all": 8}


def test_a_version_that_cannot_be_pulled_stands_between_its_bounds():
    assert tally(run(story(NOWHERE))) == {"ready": 3, "kept": 5, "all": 6}


def test_a_drain_asks_the_budget_and_a_power_cut_does_not():
    three = [budget(minAvailable=3)]
    drained = run(story("drain worker-1", budgets=three))
    assert tally(drained)["ready"] == 3 and typed(drained)[-1].endswith("node/worker-1 drained")
    dark = run(story([20, "power_off", "worker-1"], budgets=three, until=90))
    assert tally(dark)["ready"] == 2


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        ({}, "Give a dict with maxSurge, maxUnavailable, preStop."),
        ({"maxSurge": "25%", "maxUnavailable": "25%", "preStop": None}, "with 5 pods ready, and the load needs 6"),
        ({"maxSurge": 1, "maxUnavailable": 0, "preStop": None}, "visits are lost"),
        ({"maxSurge": 0, "maxUnavailable": 0, "preStop": None}, "No pod was made"),
        ({"maxSurge": 1, "maxUnavailable": 0, "preStop": {"sleep": {"seconds": 24}}}, "30 s are allowed"),
    ],
)
def test_quiet_says_what_a_rollout_costs(answer, hint):
    report = check("rollouts.quiet", answer)
    assert not report.passed and hint in report.hint


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        ({"budget": {}, "lines": []}, "lines is a list of kubectl lines"),
        ({"budget": {}, "lines": ["drain worker-1", "uncordon worker-1"]}, "8 must be"),
        ({"budget": {"minAvailable": 10}, "lines": ["drain worker-1"]}, "does not end well"),
        ({"budget": {"maxUnavailable": 2}, "lines": ["drain worker-1", "uncordon worker-1"]}, "it should be worker-1"),
    ],
)
def test_emptying_says_what_a_plan_does(answer, hint):
    report = check("rollouts.emptying", answer)
    assert not report.passed and hint in report.hint


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (lambda replicas, surge, unavailable: replicas, "give two whole numbers"),
        (lambda replicas, surge, unavailable: (replicas, replicas), "it is (0, 1)"),
    ],
)
def test_bounds_says_which_pair_is_wrong(answer, hint):
    assert hint in check("rollouts.bounds", answer).hint


def test_a_trigger_that_never_fires_and_one_that_always_does_are_told_apart():
    assert "is undone never" in check("rollouts.trigger", lambda samples: False).hint
    assert "is undone after 1 s" in check("rollouts.trigger", lambda samples: True).hint
    assert "give True or False" in check("rollouts.trigger", lambda samples: 1).hint


def test_a_version_that_never_comes_loses_no_visit():
    line, _ = KINDS["a version that cannot be pulled"]
    seen = samples(rolled(line, 1))
    assert sum(one["failed"] for one in seen) <= 2 and {one["new_ready"] for one in seen} == {0}
