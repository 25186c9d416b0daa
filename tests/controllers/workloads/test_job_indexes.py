"""Indexed Jobs, what is made of a failure, which successes are enough, and Jobs that are over for long."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubemini.api.objects import evolve, evolve_many
from kubemini.api.timestamps import timestamp
from kubemini.controllers.decide.actions import Create, Delete
from kubemini.controllers.decide.dialogue import Answer, Read
from kubemini.controllers.decide.workloads import ttlafterfinished
from kubemini.controllers.decide.workloads.job import indexes, policies
from kubemini.controllers.decide.workloads.job import pods as of_pods
from kubemini.sim.units import SECOND
from tests.controllers.workloads.jobs import NOW, a_job, a_pod, after, conditions, indexed, look, made
from tests.controllers.workloads.talking import deeds, facts_of, of_type, report, reports, talk, told

NUMBERS = st.sets(st.integers(0, 40))


# -- ranges ----------------------------------------------------------------------------------------------------------
@given(NUMBERS)
def test_indexes_are_read_as_they_are_written(numbers):
    spans = indexes.of(numbers)
    assert indexes.parse(indexes.text(spans), 41) == spans and indexes.total(spans) == len(numbers)
    assert all(indexes.has(spans, n) == (n in numbers) for n in range(41))


@given(NUMBERS, NUMBERS)
def test_sets_of_indexes_are_merged_and_compared(one, other):
    assert indexes.merged(indexes.of(one), indexes.of(other)) == indexes.of(one | other)
    assert indexes.common(indexes.of(one), indexes.of(other)) == len(one & other)


@given(NUMBERS, st.integers(0, 45), st.integers(0, 45))
def test_the_first_free_ones_are_found(taken, count, completions):
    free = [n for n in range(completions) if n not in taken][:count]
    assert indexes.first_free(indexes.of(taken), count, completions) == free


@pytest.mark.parametrize(
    ("text", "completions", "written"),
    [
        ("0-2,4,6,7", 9, "0-2,4,6,7"),
        ("0,1", 9, "0,1"),
        ("0,1,2", 9, "0-2"),
        ("1-8", 5, "1-4"),
        ("x,3", 9, "3"),
        ("7", 7, ""),
    ],
)
def test_three_in_a_row_are_a_range_and_what_is_beyond_the_end_is_left_out(text, completions, written):
    assert indexes.text(indexes.parse(text, completions)) == written


# -- indexed Jobs ----------------------------------------------------------------------------------------------------
def test_each_index_gets_a_pod_that_says_which_it_is():
    steps, _ = look(indexed(3, 2))
    assert made(steps) == ["task-0-", "task-1-"]
    pod = of_type(steps, Create, "Pod")[1]
    assert pod["metadata"]["annotations"] == {of_pods.INDEX: "1"} and pod["metadata"]["labels"][of_pods.INDEX] == "1"
    assert pod["spec"]["hostname"] == "task-1"
    (variable,) = pod["spec"]["containers"][0]["env"]
    assert variable["name"] == "JOB_COMPLETION_INDEX"
    assert variable["valueFrom"]["fieldRef"]["fieldPath"] == f"metadata.labels['{of_pods.INDEX}']"


def test_the_indexes_that_have_succeeded_stand_in_the_status_and_get_no_pod_again():
    job = indexed(5, 2)
    steps, _ = look(job, a_pod(job, "a", "Succeeded", index=0), a_pod(job, "b", index=1))
    assert report(steps)["completedIndexes"] == "0" and report(steps)["succeeded"] == 1
    assert made(steps) == ["task-2-"]
    assert "succeeded" not in report(steps)["uncountedTerminatedPods"]


def test_of_two_with_one_index_and_of_strays_only_the_best_stays():
    job = indexed(2)
    pods = [a_pod(job, "good", index=0), a_pod(job, "double", index=0, ready=False), a_pod(job, "far", index=7)]
    steps, _ = look(job, *pods, a_pod(job, "none"))
    assert sorted(name for verb, name in deeds(steps) if verb == "Delete") == ["double", "far", "none"]


def test_a_job_that_waits_for_the_end_gives_no_index_away_before():
    patient = indexed(2, podReplacementPolicy="Failed")
    leaving = a_pod(patient, "a", index=0, marked=True)
    assert made(look(patient, leaving)[0]) == ["task-1-"]
    hasty = indexed(2, backoffLimitPerIndex=5)
    assert made(look(hasty, a_pod(hasty, "a", index=0, marked=True, ended=NOW - 20 * SECOND))[0]) == [
        "task-0-",
        "task-1-",
    ]


# -- back-off of each index ------------------------------------------------------------------------------------------
def test_a_failed_pod_is_counted_when_its_successor_knows_how_often_the_index_has_failed():
    job = indexed(2, backoffLimitPerIndex=2)
    failed = a_pod(job, "a", "Failed", index=0, failures=0, code=1)
    steps, end = look(job, failed, a_pod(job, "b", index=1))
    assert made(steps) == [] and end.again_at == NOW + 10 * SECOND
    assert "failed" not in report(steps) and report(steps)["failedIndexes"] == ""
    steps, _ = look(after(job, steps), failed, a_pod(job, "b", index=1), at=NOW + 10 * SECOND)
    (pod,) = of_type(steps, Create, "Pod")
    assert (
        pod["metadata"]["annotations"][of_pods.FAILURES] == "1"
        and of_pods.IGNORED not in pod["metadata"]["annotations"]
    )
    successor = a_pod(job, "c", index=0, failures=1)
    assert report(look(job, failed, successor, a_pod(job, "b", index=1))[0])["failed"] == 1


def test_other_indexes_do_not_wait():
    job = indexed(3, backoffLimitPerIndex=2)
    steps, _ = look(job, a_pod(job, "a", "Failed", index=0, failures=0, code=1))
    assert made(steps) == ["task-1-", "task-2-"]


def test_an_index_fails_for_good_and_the_job_when_every_index_has_ended():
    job = indexed(2, backoffLimitPerIndex=1)
    lost = a_pod(job, "a", "Failed", index=0, failures=1, code=1)
    steps, _ = look(job, lost, a_pod(job, "b", index=1))
    assert report(steps)["failedIndexes"] == "0" and conditions(report(steps)) == []
    steps, _ = look(after(job, steps), a_pod(job, "b", "Succeeded", index=1))
    assert [reason for *_, reason in conditions(report(steps))] == ["FailedIndexes", "FailedIndexes"]
    assert told(steps) == ["FailedIndexes: Job has failed indexes"]


def test_more_failed_indexes_than_allowed_end_the_job():
    job = indexed(4, backoffLimitPerIndex=0, maxFailedIndexes=1)
    pods = [a_pod(job, f"p{n}", "Failed", index=n, failures=0, code=1) for n in range(2)]
    steps, _ = look(job, *pods, a_pod(job, "run", index=2), a_pod(job, "run3", index=3))
    assert conditions(report(steps)) == [("FailureTarget", "True", "MaxFailedIndexesExceeded")]


# -- failure policy --------------------------------------------------------------------------------------------------
def on_codes(action, operator="In", values=(42,), container=None):
    asked = {"operator": operator, "values": list(values)} | ({"containerName": container} if container else {})
    return {"action": action, "onExitCodes": asked}


DISRUPTED = {"type": "DisruptionTarget", "status": "True"}
ON_DISRUPTION = {"action": "Ignore", "onPodConditions": [DISRUPTED]}


def verdict(*rules, **how):
    job = a_job(podFailurePolicy={"rules": list(rules)})
    return policies.of_failure(job, a_pod(job, "p", "Failed", **how))


def test_the_first_rule_that_is_met_decides():
    fail = on_codes("FailJob")
    text = "Container c for pod ns/p failed with exit code 42 matching FailJob rule at index 1"
    assert verdict(on_codes("Count", values=[1]), fail, code=42) == (text, True, "FailJob")
    assert verdict(ON_DISRUPTION, fail, code=42, conditions=[DISRUPTED]) == (None, False, "Ignore")
    assert verdict(fail, code=1) == (None, True, None)
    assert verdict(on_codes("FailIndex", "NotIn"), code=1).action == "FailIndex"
    assert verdict(on_codes("FailIndex", "NotIn"), code=0).action is None
    assert verdict(on_codes("Count", container="other"), code=42).action is None
    broken = {"action": "FailJob", "onPodConditions": [{"type": "ConfigIssue", "status": "True"}]}
    seen = verdict(broken, code=1, conditions=[{"type": "ConfigIssue", "status": "True"}])
    assert seen.fails == "Pod ns/p has condition ConfigIssue matching FailJob rule at index 0"


def test_a_failure_that_fails_the_job_ends_it_at_once():
    job = a_job(2, 2, podFailurePolicy={"rules": [on_codes("FailJob")]}, podReplacementPolicy="Failed")
    steps, _ = look(job, a_pod(job, "a", "Failed", code=42), a_pod(job, "b"))
    (condition,) = report(steps)["conditions"]
    assert (condition["type"], condition["reason"]) == ("FailureTarget", "PodFailurePolicy")
    assert ("Delete", "b") in deeds(steps)


def test_a_failure_that_is_ignored_counts_for_nothing_and_costs_no_limit():
    job = a_job(1, 1, backoffLimit=0, podFailurePolicy={"rules": [ON_DISRUPTION]}, podReplacementPolicy="Failed")
    steps, _ = look(job, a_pod(job, "a", "Failed", code=137, conditions=[DISRUPTED]))
    assert "failed" not in report(steps) and conditions(report(steps)) == []
    assert report(steps)["uncountedTerminatedPods"] == {} and ("Patch", "a") in deeds(steps)
    per_index = indexed(
        1, backoffLimitPerIndex=0, podFailurePolicy={"rules": [ON_DISRUPTION]}, podReplacementPolicy="Failed"
    )
    ignored = a_pod(per_index, "a", "Failed", index=0, failures=0, code=137, conditions=[DISRUPTED])
    (pod,) = of_type(look(per_index, ignored, at=NOW + 10 * SECOND)[0], Create, "Pod")
    assert (pod["metadata"]["annotations"][of_pods.FAILURES], pod["metadata"]["annotations"][of_pods.IGNORED]) == (
        "0",
        "1",
    )


def test_a_failure_that_fails_its_index_spends_all_its_tries():
    job = indexed(2, backoffLimitPerIndex=5, podFailurePolicy={"rules": [on_codes("FailIndex")]})
    steps, _ = look(job, a_pod(job, "a", "Failed", index=0, failures=0, code=42), a_pod(job, "b", index=1))
    assert report(steps)["failedIndexes"] == "0"


# -- success policy --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("rule", "done", "met"),
    [
        ({"succeededIndexes": "0-2"}, {0, 1, 2}, True),
        ({"succeededIndexes": "0-2"}, {0, 1, 3}, False),
        ({"succeededIndexes": "0-2", "succeededCount": 2}, {0, 2}, True),
        ({"succeededIndexes": "0-2", "succeededCount": 2}, {0, 3, 4}, False),
        ({"succeededCount": 3}, {0, 3, 4}, True),
        ({"succeededCount": 3}, {0, 3}, False),
        ({"succeededIndexes": "x"}, {0, 1, 2, 3, 4}, False),
    ],
)
def test_which_successes_are_enough(rule, done, met):
    never = {"succeededCount": 6}
    job = indexed(5, successPolicy={"rules": [never, rule]})
    assert policies.enough(job, indexes.of(done)) == ("Matched rules at index 1" if met else None)


def test_when_enough_has_succeeded_the_rest_is_let_go_and_does_not_count_as_failed():
    job = indexed(3, successPolicy={"rules": [{"succeededIndexes": "0"}]})
    steps, _ = look(job, a_pod(job, "a", "Succeeded", index=0), a_pod(job, "b", index=1), a_pod(job, "c", index=2))
    assert [name for verb, name in deeds(steps) if verb == "Delete"] == ["b", "c"]
    assert conditions(reports(steps)[0]) == [("SuccessCriteriaMet", "True", "SuccessPolicy")]
    assert "failed" not in report(steps) and report(steps)["completedIndexes"] == "0"
    steps, _ = look(after(job, steps))
    assert conditions(report(steps))[-1] == ("Complete", "True", "SuccessPolicy")
    assert report(steps)["conditions"][-1]["message"] == "Matched rules at index 0"


# -- over for long ---------------------------------------------------------------------------------------------------
def finished(ttl=10, at=NOW):
    job = a_job(ttlSecondsAfterFinished=ttl)
    end = {"type": "Complete", "status": "True", "lastTransitionTime": timestamp(at)}
    return evolve(job, ("status", "conditions"), [end])


def test_a_job_goes_with_all_that_is_its_own_when_its_time_has_passed():
    job, decide = finished(), ttlafterfinished.decide
    there = [lambda step: Answer(job) if isinstance(step, Read) else None]
    steps, end = talk(decide(job, facts_of(), True, NOW), there)
    assert steps == [] and end.again_at == NOW + 10 * SECOND
    steps, _ = talk(decide(job, facts_of(), True, NOW + 10 * SECOND), there)
    (step,) = [step for step in steps if isinstance(step, Delete)]
    assert step.policy == "Foreground" and step.obj is job


def test_before_it_goes_the_server_is_asked_whether_it_still_should():
    for fresh in (finished(ttl=60), evolve(finished(), ("metadata", "deletionTimestamp"), timestamp(0))):
        steps, _ = talk(
            ttlafterfinished.decide(finished(), facts_of(), True, NOW + 10 * SECOND),
            [lambda step, job=fresh: Answer(job) if isinstance(step, Read) else None],
        )
        assert deeds(steps) == []
    assert talk(ttlafterfinished.decide(finished(), facts_of(), True, NOW + 10 * SECOND))[1].error is None


def test_only_what_is_over_and_has_a_time_is_looked_at():
    when = ttlafterfinished.CONTROLLER.when
    endless = evolve_many(finished(), (("spec", "ttlSecondsAfterFinished"), None))
    assert when(None, finished()) and not when(None, a_job(ttlSecondsAfterFinished=1)) and not when(None, endless)
