"""The CronJob controller: one Job a start, by the clock on the wall."""

import pytest

from kubemini.api.objects import evolve, evolve_many, freeze
from kubemini.api.timestamps import instant, timestamp
from kubemini.controllers.decide.actions import Create, UpdateStatus, owner_reference
from kubemini.controllers.decide.dialogue import Answer, Read
from kubemini.controllers.decide.workloads.cronjob import controller, starts
from kubemini.sim.units import MINUTE, MS, SECOND
from tests.controllers.workloads.talking import (
    REFUSED,
    TAKEN,
    deeds,
    facts_of,
    of_type,
    refuses,
    report,
    reports,
    talk,
    told,
)

NOON = instant("2026-03-01T12:00:00Z")
MINUTES = (NOON - instant("1970-01-01T00:00:00Z")) // MINUTE


def a_cronjob(schedule="* * * * *", born=NOON, status=None, **spec):
    template = {"metadata": {"labels": {"of": "tick"}}, "spec": {"template": {"spec": {"containers": []}}}}
    meta = {"name": "tick", "namespace": "default", "uid": "cj", "creationTimestamp": timestamp(born)}
    full = {"schedule": schedule, "jobTemplate": template, **spec}
    return freeze({"apiVersion": "batch/v1", "kind": "CronJob", "metadata": meta, "spec": full, "status": status or {}})


def a_job(cronjob, name, end="", began=0, done=None, uid=""):
    meta = {"name": name, "namespace": "default", "uid": uid or name, "ownerReferences": [owner_reference(cronjob)]}
    conditions = [{"type": end, "status": "True"}] if end else []
    status = {"conditions": conditions, "startTime": timestamp(began)}
    status |= {"completionTime": timestamp(done)} if done is not None else {}
    return freeze({"apiVersion": "batch/v1", "kind": "Job", "metadata": meta, "spec": {}, "status": status})


def running(*jobs):
    """The references to them in a status."""
    return [{"kind": "Job", **{k: job["metadata"][k] for k in ("namespace", "name", "uid")}} for job in jobs]


def look(cronjob, *jobs, at=NOON + MINUTE, answers=()):
    return talk(controller.decide(cronjob, facts_of(*jobs), True, at), answers)


def made(steps):
    return [job["metadata"]["name"] for job in of_type(steps, Create, "Job")]


# -- starts ----------------------------------------------------------------------------------------------------------
def test_a_start_that_is_due_makes_a_job_named_after_its_minute():
    steps, end = look(a_cronjob())
    (job,) = of_type(steps, Create, "Job")
    assert job["metadata"]["name"] == f"tick-{MINUTES + 1}" and job["metadata"]["labels"] == {"of": "tick"}
    assert job["metadata"]["annotations"] == {controller.SCHEDULED: "2026-03-01T12:01:00Z"}
    assert report(steps)["lastScheduleTime"] == "2026-03-01T12:01:00Z"
    assert [reference["name"] for reference in report(steps)["active"]] == [f"tick-{MINUTES + 1}"]
    assert told(steps) == [f"SuccessfulCreate: Created job tick-{MINUTES + 1}"]
    assert end.again_at == NOON + 2 * MINUTE + 100 * MS


def test_before_the_first_start_there_is_nothing_to_do_but_to_wait():
    steps, end = look(a_cronjob(), at=NOON + 30 * SECOND)
    assert steps == [] and end.again_at == NOON + MINUTE + 100 * MS


def test_one_start_makes_one_job():
    cronjob = a_cronjob(status={"lastScheduleTime": timestamp(NOON + MINUTE)})
    assert look(cronjob, at=NOON + MINUTE + SECOND)[0] == []


def test_in_a_time_zone_the_hours_are_those_of_its_clocks_and_so_is_the_annotation():
    cronjob = a_cronjob("0 13 * * *", born=NOON - 60 * MINUTE, timeZone="Europe/Berlin")
    (job,) = of_type(look(cronjob, at=NOON + SECOND)[0], Create, "Job")
    assert job["metadata"]["annotations"][controller.SCHEDULED] == "2026-03-01T13:00:00+01:00"
    assert job["metadata"]["name"] == f"tick-{MINUTES}"


def test_of_several_missed_starts_the_latest_is_made_up():
    steps, _ = look(a_cronjob(), at=NOON + 7 * MINUTE + SECOND)
    assert made(steps) == [f"tick-{MINUTES + 7}"] and "TooManyMissedTimes" not in str(told(steps))


def test_more_than_a_hundred_missed_starts_are_told_and_the_latest_is_made_up_all_the_same():
    steps, _ = look(a_cronjob(), at=NOON + 102 * MINUTE)
    text = "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew"
    assert told(steps)[0] == f"TooManyMissedTimes: {text}" and made(steps) == [f"tick-{MINUTES + 102}"]
    assert "TooManyMissedTimes" not in str(told(look(a_cronjob(), at=NOON + 100 * MINUTE)[0]))


def test_a_start_past_its_deadline_is_not_made_up():
    hourly = a_cronjob("0 * * * *", born=NOON - MINUTE, startingDeadlineSeconds=10)
    assert made(look(hourly, at=NOON + 10 * SECOND - 1)[0]) == [f"tick-{MINUTES}"]
    steps, end = look(hourly, at=NOON + 10 * SECOND)
    assert steps == [] and end.again_at == NOON + 60 * MINUTE + 100 * MS


def test_every_counts_from_the_last_start():
    cronjob = a_cronjob("@every 90s", status={"lastScheduleTime": timestamp(NOON)})
    steps, _ = look(cronjob, at=NOON + 200 * SECOND)
    assert report(steps)["lastScheduleTime"] == timestamp(NOON + 180 * SECOND)


@pytest.mark.parametrize(
    ("spec", "reason", "text"),
    [
        ({"timeZone": "Mars/Base"}, "UnknownTimeZone", 'invalid timeZone: "Mars/Base": unknown time zone Mars/Base'),
        ({"schedule": "* * * *"}, "UnparseableSchedule", 'unparseable schedule: "* * * *" : expected exactly 5 fields'),
        ({"schedule": "0 0 31 2 *"}, "InvalidSchedule", f"invalid schedule: 0 0 31 2 * : {starts.NONSENSE}"),
        ({"schedule": "TZ=UTC 0 0 1 1 *"}, "UnsupportedSchedule", 'CRON_TZ or TZ used in schedule "TZ=UTC 0 0 1 1 *"'),
    ],
)
def test_a_schedule_that_cannot_be_kept_is_told_of(spec, reason, text):
    steps, _ = look(a_cronjob(**spec))
    assert made(steps) == [] and told(steps)[0].startswith(f"{reason}: {text}")


def test_one_that_is_suspended_starts_nothing_and_sets_no_timer():
    steps, end = look(a_cronjob(suspend=True))
    assert steps == [] and end.again_at is None


def test_another_schedule_is_looked_at_when_it_is_first_due_and_all_else_at_once():
    before, after = a_cronjob("0 0 1 1 *"), a_cronjob("*/5 * * * *")
    delay = controller.CONTROLLER.delay
    assert delay(before, after, NOON + MINUTE) == 4 * MINUTE + 100 * MS
    assert delay(None, after, NOON) == delay(after, evolve(after, ("spec", "suspend"), True), NOON) == 0


# -- those that run --------------------------------------------------------------------------------------------------
def test_forbid_waits_and_says_so():
    cronjob = a_cronjob(concurrencyPolicy="Forbid")
    job = a_job(cronjob, "tick-1")
    cronjob = evolve(cronjob, ("status",), {"active": running(job)})
    steps, end = look(cronjob, job)
    text = "Not starting job because prior execution is running and concurrency policy is Forbid"
    assert deeds(steps) == [] and told(steps) == [f"JobAlreadyActive: {text}"] and end.again_at is not None


def test_the_start_that_forbid_held_back_is_made_up_when_the_other_ends():
    cronjob = a_cronjob(concurrencyPolicy="Forbid")
    job = a_job(cronjob, "tick-1", "Complete", done=NOON)
    cronjob = evolve(cronjob, ("status",), {"active": running(job)})
    steps, _ = look(cronjob, job, at=NOON + MINUTE + 40 * SECOND)
    assert made(steps) == [f"tick-{MINUTES + 1}"] and len(report(steps)["active"]) == 1


def test_replace_deletes_what_runs_and_starts_in_the_same_look():
    cronjob = a_cronjob(concurrencyPolicy="Replace")
    job = a_job(cronjob, "tick-1")
    cronjob = evolve(cronjob, ("status",), {"active": running(job)})
    there = [lambda step: Answer(job) if isinstance(step, Read) else None]
    steps, _ = look(cronjob, job, answers=there)
    assert deeds(steps) == [("Delete", "tick-1"), ("Create", f"tick-{MINUTES + 1}")]
    assert [reference["name"] for reference in report(steps)["active"]] == [f"tick-{MINUTES + 1}"]
    steps, end = look(cronjob, job, answers=[lambda step: Answer(error=REFUSED) if isinstance(step, Read) else None])
    assert made(steps) == [] and end.error is REFUSED and told(steps)[-1].startswith("FailedGet: Get job: ")


def test_allow_lets_them_run_side_by_side():
    cronjob = a_cronjob()
    job = a_job(cronjob, "tick-1")
    steps, _ = look(evolve(cronjob, ("status",), {"active": running(job)}), job)
    assert len(report(steps)["active"]) == 2


# -- those that have ended, or have gone -----------------------------------------------------------------------------
def test_the_end_of_a_job_is_seen_and_the_last_success_is_remembered():
    cronjob = a_cronjob("0 0 1 1 *")
    job = a_job(cronjob, "tick-1", "Complete", done=NOON)
    steps, _ = look(evolve(cronjob, ("status",), {"active": running(job)}), job)
    assert told(steps) == ["SawCompletedJob: Saw completed job: tick-1, condition: Complete"]
    assert report(steps) == {"lastSuccessfulTime": timestamp(NOON)}
    earlier = evolve(cronjob, ("status",), {"lastSuccessfulTime": timestamp(NOON + SECOND)})
    assert look(earlier, job)[0] == []


def test_beyond_its_limits_the_oldest_go_before_their_end_is_seen():
    cronjob = a_cronjob("0 0 1 1 *", successfulJobsHistoryLimit=1, failedJobsHistoryLimit=0)
    jobs = [a_job(cronjob, "tick-2", "Complete", 2 * SECOND), a_job(cronjob, "tick-1", "Complete", SECOND)]
    failed = a_job(cronjob, "tick-3", "Failed")
    steps, _ = look(evolve(cronjob, ("status",), {"active": running(failed)}), *jobs, failed)
    assert deeds(steps) == [("Delete", "tick-1"), ("Delete", "tick-3")]
    assert told(steps) == ["SuccessfulDelete: Deleted job tick-1", "SuccessfulDelete: Deleted job tick-3"]
    assert "active" not in report(steps)


def test_a_job_that_is_nowhere_is_struck_out_once_the_server_says_so():
    job = a_job(a_cronjob(), "tick-1")
    cronjob = a_cronjob("0 0 1 1 *", status={"active": running(job)})
    steps, _ = look(cronjob)
    assert told(steps) == ["MissingJob: Active job went missing: tick-1"] and "active" not in report(steps)
    steps, _ = look(cronjob, answers=[lambda step: Answer(job) if isinstance(step, Read) else None])
    assert told(steps) == [] and reports(steps) == []
    steps, end = look(cronjob, answers=[lambda step: Answer(error=REFUSED) if isinstance(step, Read) else None])
    assert end.error is REFUSED


def test_a_job_that_the_status_does_not_know_is_told_of_unless_the_server_knows_better():
    cronjob = a_cronjob("0 0 1 1 *")
    job = a_job(cronjob, "tick-1")
    asked = lambda answer: [lambda step: Answer(answer) if isinstance(step, Read) else None]  # noqa: E731
    steps, _ = look(cronjob, job, answers=asked(cronjob))
    assert told(steps) == ["UnexpectedJob: Saw a job that the controller did not create or forgot: tick-1"]
    steps, _ = look(cronjob, job, answers=asked(evolve(cronjob, ("status",), {"active": running(job)})))
    assert told(steps) == []


def test_one_on_its_way_out_only_sees_to_what_there_is():
    going = evolve(a_cronjob(), ("metadata", "deletionTimestamp"), timestamp(NOON))
    assert look(going)[0] == []


# -- what goes wrong -------------------------------------------------------------------------------------------------
def test_a_refusal_is_told_and_tried_again():
    steps, end = look(a_cronjob(), answers=[refuses("Job")])
    assert told(steps) == [f"FailedCreate: Error creating job: {REFUSED.message}"]
    assert end.error is REFUSED and reports(steps) == []


def test_a_job_that_is_there_already_is_taken_as_its_own_and_a_strangers_is_not():
    cronjob = a_cronjob()
    ours = a_job(cronjob, f"tick-{MINUTES + 1}")
    theirs = evolve_many(ours, (("metadata", "ownerReferences"), []))
    for there, active in ((ours, 1), (theirs, 0)):
        answers = [
            refuses("Job", Create, TAKEN),
            lambda step, job=there: Answer(job) if isinstance(step, Read) else None,
        ]
        steps, _ = look(cronjob, answers=answers)
        assert sum(len(said["active"]) for said in reports(steps)) == active and told(steps) == []


def test_a_status_that_cannot_be_written_brings_the_look_back():
    assert look(a_cronjob(), answers=[refuses("CronJob", UpdateStatus)])[1].error is REFUSED
