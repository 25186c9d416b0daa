"""The Job controller: as many pods as are wanted, counted once each, until an end in two steps."""

import pytest

from kubemini.api.kinds import POD
from kubemini.api.objects import evolve, without
from kubemini.api.timestamps import timestamp
from kubemini.controllers.decide.actions import Create, Delete, Patch, UpdateStatus
from kubemini.controllers.decide.dialogue import Answer, Read
from kubemini.controllers.decide.workloads.job import controller, orphans
from kubemini.controllers.decide.workloads.job import pods as of_pods
from kubemini.controllers.decide.workloads.job.backoff import Record
from kubemini.sim.units import MINUTE, SECOND
from tests.controllers.workloads.jobs import NOW, a_job, a_pod, after, conditions, look, made
from tests.controllers.workloads.talking import REFUSED, deeds, facts_of, of_type, refuses, report, reports, told

LIMIT = "Job has reached the specified backoff limit"


def gone(steps):
    return [name for verb, name in deeds(steps) if verb == "Delete"]


# -- how many --------------------------------------------------------------------------------------------------------
def test_as_many_run_as_may_at_once_and_no_more_than_are_still_wanted():
    assert len(made(look(a_job(5, 2))[0])) == 2
    job = a_job(5, 3, status={"succeeded": 3, "startTime": timestamp(NOW)})
    assert len(made(look(job, a_pod(job))[0])) == 1
    assert made(look(a_job(5, 0))[0]) == []


def test_without_completions_one_success_is_enough_and_the_others_run_on():
    job = a_job(None, 3)
    assert len(made(look(job)[0])) == 3
    done, running = a_pod(job, "a", "Succeeded"), a_pod(job, "b")
    steps, _ = look(job, done, running)
    assert made(steps) == [] and gone(steps) == [] and conditions(report(steps)) == []
    steps, _ = look(job, done)
    assert conditions(report(steps))[-1] == ("Complete", "True", "CompletionsReached")


def test_too_many_are_let_go_the_least_useful_first_without_being_counted():
    job = a_job(5, 1)
    pods = [a_pod(job, "old"), a_pod(job, "young", ended=NOW + SECOND), a_pod(job, "lame", ready=False)]
    steps, _ = look(job, *pods)
    assert deeds(steps) == [("Patch", "lame"), ("Delete", "lame"), ("Patch", "young"), ("Delete", "young")]
    assert report(steps)["active"] == 1 and report(steps)["terminating"] == 2 and "failed" not in report(steps)


def test_a_pod_carries_the_finalizer_until_it_is_counted():
    (pod,) = of_type(look(a_job())[0], Create, "Pod")
    assert pod["metadata"]["finalizers"] == [of_pods.FINALIZER]


def test_while_the_cache_lags_nothing_is_made():
    steps, _ = look(a_job(3, 3), caught_up=False)
    assert made(steps) == []


def test_refusals_are_told_and_only_those_made_count():
    steps, end = look(a_job(3, 3), answers=[refuses("Pod")])
    assert told(steps) == [f"FailedCreate: Error creating: {REFUSED.message}"] and end.error is REFUSED
    assert "active" not in report(steps) and len(of_type(steps, Create)) == 1


# -- counting --------------------------------------------------------------------------------------------------------
def test_a_pod_that_has_ended_is_noted_then_let_go_then_counted():
    job = a_job(2, 1)
    steps, _ = look(job, a_pod(job, "a", "Succeeded"))
    noted, counted = reports(steps)
    assert noted["uncountedTerminatedPods"] == {"succeeded": ["a"]} and "succeeded" not in noted
    assert counted["uncountedTerminatedPods"] == {} and counted["succeeded"] == 1
    order = [type(step).__name__ for step in steps if isinstance(step, UpdateStatus | Patch)]
    assert order == ["UpdateStatus", "Patch", "UpdateStatus"]
    assert of_type(steps, Patch)[0]["metadata"]["name"] == "a"


@pytest.mark.parametrize("finalizer", [True, False])
def test_after_a_crash_between_two_writes_a_pod_is_counted_once(finalizer):
    status = {"startTime": timestamp(NOW), "uncountedTerminatedPods": {"succeeded": ["a"]}, "active": 1}
    job = a_job(2, 1, status=status)
    pods = [a_pod(job, "a", "Succeeded", tracked=finalizer), a_pod(job, "b")]
    steps, _ = look(job, *pods)
    assert report(steps)["succeeded"] == 1 and report(steps)["uncountedTerminatedPods"] == {}
    assert conditions(report(steps)) == []


def test_a_finalizer_that_cannot_be_taken_off_leaves_the_pod_uncounted():
    job = a_job(2, 1)
    steps, end = look(job, a_pod(job, "a", "Succeeded"), answers=[refuses("Pod", Patch)])
    assert "succeeded" not in report(steps) and end.error is REFUSED


def test_five_hundred_at_most_are_noted_at_once():
    job = a_job(1000, 1)
    steps, _ = look(job, *[a_pod(job, f"p{n}", "Succeeded") for n in range(600)])
    assert report(steps)["succeeded"] == 500


def test_a_deleted_pod_counts_as_failed_at_once_or_when_it_has_ended():
    job = a_job(1, 1)
    marked = a_pod(job, "a", marked=True)
    steps, end = look(job, marked)
    assert report(steps)["failed"] == 1 and report(steps)["terminating"] == 1
    assert made(steps) == [] and end.again_at == NOW + 10 * SECOND
    patient = a_job(1, 1, podReplacementPolicy="Failed")
    steps, _ = look(patient, marked)
    assert made(steps) == [] and "failed" not in report(steps)


def test_orphans_are_adopted_with_a_finalizer():
    job = a_job(1, 1)
    orphan = without(a_pod(job, "o", tracked=False), ("metadata", "ownerReferences"))
    steps, _ = look(job, orphan, answers=[lambda step: Answer(job) if isinstance(step, Read) else None])
    (patch,) = [step for step in steps if isinstance(step, Patch)]
    assert patch.body["metadata"]["finalizers"] == [of_pods.FINALIZER] and made(steps) == []


def test_a_pod_that_is_no_more_its_own_loses_owner_and_finalizer_in_one_write():
    job = a_job(1, 1)
    stranger = evolve(a_pod(job, "s"), ("metadata", "labels"), {"job": "other"})
    (patch,) = [step for step in look(job, stranger)[0] if isinstance(step, Patch)]
    assert patch.body["metadata"] == {"uid": "s", "ownerReferences": None, "finalizers": None}


# -- failures --------------------------------------------------------------------------------------------------------
def test_retries_wait_ten_seconds_and_twice_as_long_each_time():
    job, memory, waits = a_job(1, 1, backoffLimit=9), None, []
    for n in range(8):
        steps, end = look(job, a_pod(job, f"p{n}", "Failed", code=1), memory=memory)
        job, memory = after(job, steps), end.memory
        waits.append((end.again_at - NOW) // SECOND)
    assert waits == [10, 20, 40, 80, 160, 320, 600, 600]
    assert made(look(job, at=NOW + 599 * SECOND, memory=memory)[0]) == []
    assert len(made(look(job, at=NOW + 600 * SECOND, memory=memory)[0])) == 1


def test_a_success_begins_the_series_anew():
    job = a_job(9, 1)
    _, end = look(job, a_pod(job, "a", "Succeeded"), memory=Record(5, NOW))
    assert end.memory == Record() and end.again_at is None
    pods = a_pod(job, "a", "Succeeded", ended=NOW), a_pod(job, "b", "Failed", ended=NOW + SECOND, code=1)
    assert look(job, *pods, at=NOW + 2 * SECOND, memory=Record(5, NOW))[1].memory == Record(1, NOW + SECOND)


def test_a_failure_that_could_not_be_noted_is_not_remembered_twice():
    job = a_job(9, 1)
    _, end = look(job, a_pod(job, "a", "Failed", code=1), answers=[refuses("Job", UpdateStatus)])
    assert end.memory == Record() and end.error is REFUSED


def test_beyond_the_limit_it_fails_and_what_runs_is_let_go_and_counts_as_failed():
    job = a_job(3, 3, backoffLimit=0)
    pods = [a_pod(job, "a", "Failed", code=1), a_pod(job, "b"), a_pod(job, "c")]
    steps, _ = look(job, *pods)
    assert gone(steps) == ["b", "c"]
    assert conditions(reports(steps)[0]) == [("FailureTarget", "True", "BackoffLimitExceeded")]
    assert report(steps)["failed"] == 3 and report(steps)["terminating"] == 2
    assert told(steps) == ["SuccessfulDelete: Deleted pod: b", "SuccessfulDelete: Deleted pod: c"]
    job = after(job, steps)
    leaving = [a_pod(job, "b", marked=True, tracked=False)]
    assert conditions(report(look(job, *leaving)[0]))[1:] == []
    steps, _ = look(job)
    assert conditions(report(steps))[-1] == ("Failed", "True", "BackoffLimitExceeded")
    assert told(steps) == [f"BackoffLimitExceeded: {LIMIT}"]
    assert look(after(job, steps))[0] == []


def test_containers_started_anew_in_place_spend_the_limit_too():
    job = a_job(1, 1, restart="OnFailure", backoffLimit=2)
    assert conditions(report(look(job, a_pod(job, restarts=1))[0])) == []
    steps, _ = look(job, a_pod(job, restarts=2))
    assert conditions(report(steps)) == [("FailureTarget", "True", "BackoffLimitExceeded")]
    once = a_job(1, 1, restart="OnFailure", backoffLimit=0)
    assert conditions(report(look(once, a_pod(once, restarts=0))[0])) == []


def test_past_its_deadline_it_fails_and_before_it_waits_for_it():
    job = a_job(1, 1, activeDeadlineSeconds=30)
    assert look(job, a_pod(job), at=NOW + 5 * SECOND)[1].again_at == NOW + 30 * SECOND
    steps, _ = look(job, a_pod(job), at=NOW + 30 * SECOND)
    assert conditions(report(steps)) == [("FailureTarget", "True", "DeadlineExceeded")]


def test_an_end_waits_until_all_is_deleted_and_the_caches_show_it():
    job = a_job(2, 2, backoffLimit=0)
    pods = [a_pod(job, "a", "Failed", code=1), a_pod(job, "b")]
    steps, end = look(job, *pods, answers=[refuses("Pod", Delete)])
    assert conditions(report(steps)) == [] and end.error is REFUSED
    steps, _ = look(job, *pods, caught_up=False)
    assert gone(steps) == ["b"] and conditions(report(steps)) == []


# -- success ---------------------------------------------------------------------------------------------------------
def test_success_comes_in_two_steps_and_is_told():
    job = a_job(1, 1)
    steps, _ = look(job, a_pod(job, "a", "Succeeded"))
    met, complete = (("SuccessCriteriaMet", "True", "CompletionsReached"), ("Complete", "True", "CompletionsReached"))
    assert [conditions(said) for said in reports(steps)] == [[met], [met, complete]]
    assert report(steps)["completionTime"] == timestamp(NOW) and told(steps) == ["Completed: Job completed"]


def test_nothing_to_do_is_done_at_once():
    steps, _ = look(a_job(0, 1))
    assert conditions(report(steps))[-1] == ("Complete", "True", "CompletionsReached")


def test_complete_waits_until_nothing_is_on_its_way_out():
    job = a_job(1, 1)
    leaving = a_pod(job, "b", marked=True, tracked=False)
    steps, _ = look(job, a_pod(job, "a", "Succeeded"), leaving)
    assert [type for type, *_ in conditions(report(steps))] == ["SuccessCriteriaMet"]


def test_more_successes_than_asked_for_are_told():
    job = a_job(1, 1)
    steps, _ = look(job, a_pod(job, "a", "Succeeded"), a_pod(job, "b", "Succeeded"))
    text = "Too many succeeded pods running after completion count reached"
    assert told(steps) == [f"TooManySucceededPods: {text}", "Completed: Job completed"]


# -- suspended, managed by others, going -----------------------------------------------------------------------------
def test_suspended_it_lets_its_pods_go_uncounted_and_forgets_when_it_began():
    job = a_job(2, 2, suspend=True)
    steps, _ = look(job, a_pod(job, "a"), a_pod(job, "b"))
    assert gone(steps) == ["a", "b"] and "startTime" not in report(steps) and "failed" not in report(steps)
    assert conditions(report(steps)) == [("Suspended", "True", "JobSuspended")]
    assert told(steps)[-1] == "Suspended: Job suspended"
    resumed = evolve(after(job, steps), ("spec", "suspend"), False)
    steps, _ = look(resumed, at=NOW + MINUTE)
    assert conditions(report(steps)) == [("Suspended", "False", "JobResumed")]
    assert report(steps)["startTime"] == timestamp(NOW + MINUTE) and told(steps)[-1] == "Resumed: Job resumed"


def test_one_that_was_never_suspended_says_nothing_of_it():
    assert conditions(report(look(a_job())[0])) == []


def test_what_others_manage_is_left_alone():
    assert look(a_job(managedBy="example.com/other"))[0] == []
    assert made(look(a_job(managedBy=controller.OURS))[0])


def test_on_its_way_out_it_only_lets_go():
    job = evolve(a_job(2, 2), ("metadata", "deletionTimestamp"), timestamp(NOW))
    steps, _ = look(job, a_pod(job, "a"))
    assert deeds(steps) == [("Patch", "a")] and "failed" not in report(steps)


def test_a_second_look_at_the_same_facts_writes_nothing():
    job = a_job(2, 2)
    pods = [a_pod(job, "a"), a_pod(job, "b")]
    steps, _ = look(job, *pods)
    assert look(after(job, steps), *pods)[0] == []


# -- who is woken ----------------------------------------------------------------------------------------------------
def test_pods_and_statuses_wait_for_more_and_a_new_spec_does_not():
    job, delay = a_job(), controller.CONTROLLER.delay
    assert delay(None, job, 0) == delay(job, evolve(job, ("metadata", "generation"), 2), 0) == 0
    assert delay(job, evolve(job, ("status", "active"), 1), 0) == SECOND
    (watch,) = controller.CONTROLLER.watches
    assert (watch.kind, watch.delay) == (POD, SECOND)


def test_what_is_finished_is_not_looked_at_again():
    job = a_job()
    done = evolve(job, ("status", "conditions"), [{"type": "Complete", "status": "True"}])
    assert not controller.CONTROLLER.when(job, done) and controller.CONTROLLER.when(None, done)


# -- pods left behind ------------------------------------------------------------------------------------------------
def test_a_pod_that_no_job_counts_any_more_loses_its_finalizer():
    job = a_job()
    done = evolve(job, ("status", "conditions"), [{"type": "Failed", "status": "True"}])
    another = evolve(job, ("metadata", "uid"), "another")
    managed = evolve(done, ("spec", "managedBy"), "example.com/other")
    pod, orphan = a_pod(job, "p"), without(a_pod(job, "p"), ("metadata", "ownerReferences"))
    foreign = evolve(pod, ("metadata", "ownerReferences", 0, "kind"), "Thing")
    cases = [(pod, job, 0), (pod, done, 1), (pod, another, 1), (pod, managed, 0), (orphan, job, 1), (foreign, done, 0)]
    for one, there, freed in cases:
        assert len(orphans.decide(one, facts_of(there), True, 0).actions) == freed
    assert len(orphans.decide(pod, facts_of(), True, 0).actions) == 1
    assert orphans.decide(a_pod(job, "p", tracked=False), facts_of(), True, 0).actions == ()
    assert orphans.of_job(job, facts_of(pod, a_pod(job, "q", tracked=False))) == [("ns", "p")]
