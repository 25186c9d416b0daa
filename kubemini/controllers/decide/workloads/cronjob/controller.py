"""CronJob controller: makes a Job when the clock says so, and lets go of those that are long over.

A look sees to the Jobs there are (which have ended, which have gone, which are too many), then asks `starts` whether a
start is due, and whether the concurrency policy lets it be. The name of the Job is made of the minute it was due, so
one start never makes two Jobs. An idle CronJob costs one timer, that of its next start.
Models k/k pkg/controller/cronjob ControllerV2.sync, ControllerV2.syncCronJob, ControllerV2.cleanupFinishedJobs
Models k/k pkg/controller/cronjob ControllerV2.updateCronJob, getJobFromTemplate2, deleteJob
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from kubemini.api.cron import timezones
from kubemini.api.kinds import CRON_JOB, JOB
from kubemini.api.objects import EMPTY, Obj, evolve, freeze, get, thaw
from kubemini.api.timestamps import EPOCH, date, instant, timestamp
from kubemini.controllers.decide.actions import (
    Create,
    Delete,
    Tell,
    UpdateStatus,
    controller_uid,
    owner_reference,
    terminating,
)
from kubemini.controllers.decide.controller import Controller, Facts, Watch, key_of, owner_key
from kubemini.controllers.decide.dialogue import (
    Dialogue,
    End,
    Read,
    Refused,
    Steps,
    exists_already,
    must,
    namespace_is_ending,
    not_found,
    words,
)
from kubemini.controllers.decide.workloads.cronjob import starts
from kubemini.controllers.decide.workloads.job.controller import finished_condition
from kubemini.sim.units import MINUTE, NEVER, SECOND

SCHEDULED = "batch.kubernetes.io/cronjob-scheduled-timestamp"
ZONED = (
    "CRON_TZ or TZ used in schedule {} is not officially supported, see "
    "https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details"
)


@dataclass(slots=True)
class Look:
    """One look at a CronJob: its status as it grows."""

    cronjob: Obj
    now: int
    status: dict[str, Any] = field(default_factory=dict)
    news: bool = False

    def __post_init__(self) -> None:
        self.status = thaw(get(self.cronjob, "status") or {})

    @property
    def spec(self) -> Obj:
        """What is asked for."""
        return self.cronjob["spec"]

    @property
    def active(self) -> list[dict[str, Any]]:
        """The Jobs that are said to run."""
        return list(self.status.get("active") or ())

    def runs(self, uid: str) -> bool:
        """Whether the Job of that UID is said to run."""
        return any(reference["uid"] == uid for reference in self.active)

    def strike(self, uid: str) -> None:
        """That Job runs no more."""
        self.status["active"] = [reference for reference in self.active if reference["uid"] != uid]

    def tell(self, type: str, reason: str, message: str) -> Tell:
        """An Event about it."""
        return Tell(self.cronjob, type, reason, message)

    def following(self, clock: starts.Clock) -> int:
        """When the next start is due, as the status stands."""
        return starts.next_look(evolve(self.cronjob, ("status",), self.status), clock, self.now)


def decide(cronjob: Obj, facts: Facts, caught_up: bool, now: int) -> Dialogue:
    """What the clock asks for."""
    jobs = facts.owned_by(JOB, cronjob["metadata"]["uid"])
    look = Look(cronjob, now)
    yield from _cleaned_up(look, jobs)
    again_at, error = None, None
    try:
        again_at = yield from _sync(look, jobs)
    except Refused as refused:
        error = refused.error
    if look.news:
        said = {key: value for key, value in look.status.items() if value not in (None, [])}
        answer = yield UpdateStatus(evolve(cronjob, ("status",), freeze(said)))
        if answer.error is not None:
            return End(error=answer.error)
    return End(again_at, error)


def _sync(look: Look, jobs: Sequence[Obj]) -> Steps:
    """Returns when to look again, or None. Raises Refused."""
    yield from _seen_to(look, jobs)
    yield from _missing(look, jobs)
    if terminating(look.cronjob):
        return None
    zone = look.spec.get("timeZone")
    if zone is not None and zone not in ("", "Local") and not timezones.known(zone):
        text = f'invalid timeZone: "{zone}": unknown time zone {zone}'
        yield look.tell("Warning", "UnknownTimeZone", text)
        return None
    if look.spec.get("suspend"):
        return None
    schedule = look.spec["schedule"]
    if "TZ" in schedule:
        yield look.tell("Warning", "UnsupportedSchedule", ZONED.format(f'"{schedule}"'))
    try:
        clock = starts.clock_of(look.cronjob)
    except ValueError as error:
        yield look.tell("Warning", "UnparseableSchedule", f'unparseable schedule: "{schedule}" : {error}')
        return None
    try:
        found = starts.missed(evolve(look.cronjob, ("status",), look.status), clock, look.now, by_deadline=True)
    except ValueError as error:
        yield look.tell("Warning", "InvalidSchedule", f"invalid schedule: {schedule} : {error}")
        return None
    if found.latest is not None and found.many > starts.MANY:
        text = "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew"
        yield look.tell("Warning", "TooManyMissedTimes", text)
    if found.latest is not None and not (yield from _may_start(look, found.latest)):
        return look.following(clock)
    return look.following(clock) if found.latest is None else (yield from _started(look, found.latest, clock))


# -- the Jobs there are ----------------------------------------------------------------------------------------------
def _cleaned_up(look: Look, jobs: Sequence[Obj]) -> Steps:
    """Beyond the limits of the history, the oldest that are over go."""
    for type, limit in (("Complete", "successfulJobsHistoryLimit"), ("Failed", "failedJobsHistoryLimit")):
        most = look.spec.get(limit)
        over = [job for job in jobs if (finished_condition(job) or EMPTY).get("type") == type]
        for job in sorted(over, key=_began)[: max(0, len(over) - most)] if most is not None else ():
            if (yield from _deleted(look, job)):
                look.news = True


def _began(job: Obj) -> tuple[int, str]:
    since = get(job, "status", "startTime")
    return instant(since) if since else NEVER, job["metadata"]["name"]


def _deleted(look: Look, job: Obj) -> Steps:
    """Let *job* go; returns whether it went."""
    answer = yield Delete(job)
    if answer.error is not None:
        yield look.tell("Warning", "FailedDelete", f"Deleted job: {words(answer.error)}")
        return False
    look.strike(job["metadata"]["uid"])
    yield look.tell("Normal", "SuccessfulDelete", f"Deleted job {job['metadata']['name']}")
    return True


def _seen_to(look: Look, jobs: Sequence[Obj]) -> Steps:
    """Which Jobs have ended, and which are there that the status does not know. Raises Refused."""
    for job in jobs:
        uid, name, end = job["metadata"]["uid"], job["metadata"]["name"], finished_condition(job)
        if end is None and not look.runs(uid):
            fresh = yield from must(Read(CRON_JOB, key_of(look.cronjob)))
            if any(reference["uid"] == uid for reference in get(fresh, "status", "active") or ()):
                look.status = thaw(fresh["status"])
            else:
                text = f"Saw a job that the controller did not create or forgot: {name}"
                yield look.tell("Warning", "UnexpectedJob", text)
        elif end is not None:
            if look.runs(uid):
                look.strike(uid)
                text = f"Saw completed job: {name}, condition: {end['type']}"
                yield look.tell("Normal", "SawCompletedJob", text)
                look.news = True
            done = get(job, "status", "completionTime")
            before = look.status.get("lastSuccessfulTime")
            if end["type"] == "Complete" and done and (before is None or instant(done) > instant(before)):
                look.status["lastSuccessfulTime"] = done
                look.news = True


def _missing(look: Look, jobs: Sequence[Obj]) -> Steps:
    """Those that are said to run and are not there run no more, if the API server says so too. Raises Refused."""
    there = [job["metadata"]["uid"] for job in jobs]
    for reference in look.active:
        if reference["uid"] in there:
            continue
        answer = yield Read(JOB, (reference["namespace"], reference["name"]))
        if not_found(answer.error):
            text = f"Active job went missing: {reference['name']}"
            yield look.tell("Normal", "MissingJob", text)
            look.strike(reference["uid"])
            look.news = True
        elif answer.error is not None:
            raise Refused(answer.error)


# -- a start ---------------------------------------------------------------------------------------------------------
def job_name(cronjob: Obj, due: int) -> str:
    """The name of the Job of that start: the minutes since 1970."""
    return f"{cronjob['metadata']['name']}-{(EPOCH + due) // MINUTE}"


def _may_start(look: Look, due: int) -> Steps:
    """Whether the start that is *due* is to be; under Replace, those that run make room first. Raises Refused.

    It is not past its deadline: then it would not be due.
    """
    named = [reference["name"] for reference in look.active]
    if job_name(look.cronjob, due) in named or look.status.get("lastScheduleTime") == timestamp(due):
        return False
    policy = look.spec.get("concurrencyPolicy", "Allow")
    if policy == "Forbid" and named:
        text = "Not starting job because prior execution is running and concurrency policy is Forbid"
        yield look.tell("Normal", "JobAlreadyActive", text)
        return False
    for reference in look.active if policy == "Replace" else ():
        answer = yield Read(JOB, (reference["namespace"], reference["name"]))
        if answer.error is not None:
            yield look.tell("Warning", "FailedGet", f"Get job: {words(answer.error)}")
            raise Refused(answer.error)
        if answer.obj is not None and not (yield from _deleted(look, answer.obj)):
            raise Refused(f"could not replace job {reference['namespace']}/{reference['name']}")
        look.news = True
    return True


def _started(look: Look, due: int, clock: starts.Clock) -> Steps:
    """Make the Job of the start that is *due*; returns when to look again, or None. Raises Refused."""
    wanted = new_job(look.cronjob, due)
    answer = yield Create(wanted)
    if exists_already(answer.error):
        job = yield from must(Read(JOB, key_of(wanted)))
        if controller_uid(job) != look.cronjob["metadata"]["uid"] or look.runs(job["metadata"]["uid"]):
            return None
    elif answer.obj is None:
        if not namespace_is_ending(answer.error):
            yield look.tell("Warning", "FailedCreate", f"Error creating job: {words(answer.error)}")
        raise Refused(answer.error)
    else:
        job = answer.obj
        yield look.tell("Normal", "SuccessfulCreate", f"Created job {job['metadata']['name']}")
    look.status["active"] = [*look.active, _reference(job)]
    look.status["lastScheduleTime"] = timestamp(due)
    look.news = True
    return look.following(clock)


def _reference(job: Obj) -> dict[str, Any]:
    meta = job["metadata"]
    said = {part: meta[part] for part in ("namespace", "name", "uid", "resourceVersion") if part in meta}
    return {"apiVersion": JOB.api_version, "kind": JOB.kind, **said}


def new_job(cronjob: Obj, due: int) -> Obj:
    """The Job of the start that is *due*."""
    template, meta = cronjob["spec"]["jobTemplate"], cronjob["metadata"]
    about = template.get("metadata") or EMPTY
    ahead = timezones.zone(cronjob["spec"].get("timeZone") or "").offset((EPOCH + due) // SECOND)
    notes = {**(about.get("annotations") or EMPTY), SCHEDULED: _local(due, ahead)}
    return freeze(
        {
            "apiVersion": JOB.api_version,
            "kind": JOB.kind,
            "metadata": {
                **({"labels": about["labels"]} if about.get("labels") else {}),
                "annotations": notes,
                "name": job_name(cronjob, due),
                "namespace": meta["namespace"],
                "ownerReferences": [owner_reference(cronjob)],
            },
            "spec": template["spec"],
        }
    )


def _local(due: int, ahead: int) -> str:
    """The instant as a clock shows it that is *ahead* seconds of UTC."""
    if not ahead:
        return timestamp(due)
    sign, away = "-" if ahead < 0 else "+", abs(ahead) // 60
    shown = (date(due) + timedelta(seconds=ahead)).isoformat(timespec="seconds")
    return f"{shown}{sign}{away // 60:02}:{away % 60:02}"


# -- who is woken ----------------------------------------------------------------------------------------------------
def _delay(old: Obj | None, new: Obj | None, now: int) -> int:
    """Another schedule is looked at when it is first due, all else at once."""
    if old is None or new is None:
        return 0
    if all(get(old, "spec", part) == get(new, "spec", part) for part in ("schedule", "timeZone")):
        return 0
    try:
        return starts.next_look(new, starts.clock_of(new), now) - now
    except ValueError:
        return 0  # the look says what is wrong with it


CONTROLLER = Controller(
    CRON_JOB,
    decide,
    (Watch(JOB, lambda job, facts: owner_key(job, CRON_JOB)),),
    delay=_delay,
    source="cronjob-controller",
)
