"""Job controller: as many pods as are still wanted, until enough have succeeded, or too many have failed.

Theory of operation. A look first asks whether the Job is heading for its end already; then whether it fails now (by a
pod failure policy, the back-off limit, the deadline, failed indexes), then whether enough has succeeded (successPolicy,
completions). If it heads for an end, what runs is let go; if not, pods are made or let go (`_managed`). Then the pods
that have ended are counted (`tracking`). An end comes in two steps: FailureTarget or SuccessCriteriaMet at once, Failed
or Complete when the last pod is gone.
News of pods are gathered for a second, so that many that end together make one look; a change of the spec is looked at
at once. Failures and their times are kept in mind from look to look (`backoff`), and lost with the program.
Models k/k pkg/controller/job Controller.syncJob, Controller.manageJob, Controller.deleteJobPods, Controller.updateJob
Models k/k pkg/controller/job getPodCreationInfoForIndependentIndexes, pastBackoffLimitOnFailure
Simplified: no Workload and PodGroup (their gate is closed).
"""

from collections.abc import Sequence

from kubemini.api.kinds import JOB, POD
from kubemini.api.objects import Obj, get
from kubemini.api.timestamps import instant, timestamp
from kubemini.controllers.decide.actions import Tell, controller_of, is_ready, terminating
from kubemini.controllers.decide.claims import claimed, selects
from kubemini.controllers.decide.controller import Controller, Facts, Key, Watch, key_of, owner_key
from kubemini.controllers.decide.dialogue import (
    Dialogue,
    End,
    Refused,
    Steps,
    at_once,
    must,
    namespace_is_ending,
    not_found,
)
from kubemini.controllers.decide.podcontrol import create_pod, delete_pod, is_leaving
from kubemini.controllers.decide.workloads.batches import slowly
from kubemini.controllers.decide.workloads.job import backoff, indexes, policies
from kubemini.controllers.decide.workloads.job import pods as of_pods
from kubemini.controllers.decide.workloads.job.look import ENDS, FAILED, MET, TARGET, Look
from kubemini.controllers.decide.workloads.job.tracking import track
from kubemini.sim.units import MINUTE, SECOND

OURS = "kubernetes.io/job-controller"
BATCH = SECOND  # SyncJobBatchPeriod
AFTER_ERRORS = SECOND, MINUTE  # DefaultJobApiBackOff, MaxJobApiBackOff
MOST = 500  # pods made or deleted in one look: MaxPodCreateDeletePerSync


def is_finished(job: Obj) -> bool:
    """Whether it is Complete or Failed."""
    return finished_condition(job) is not None


def finished_condition(job: Obj) -> Obj | None:
    """The condition that says so, if it is."""
    found = get(job, "status", "conditions") or ()
    return next((c for c in found if c["type"] in ENDS and c["status"] == "True"), None)


def decide(job: Obj, facts: Facts, caught_up: bool, now: int) -> Dialogue:
    """What brings a Job closer to its end."""
    if job["spec"].get("managedBy", OURS) != OURS or is_finished(job):
        return End()
    meta, record = job["metadata"], facts.memory or backoff.Record()
    candidates = [*facts.owned_by(POD, meta["uid"]), *facts.orphans(POD, meta["namespace"])]
    try:
        pods = yield from claimed(job, candidates, finalizers=[of_pods.FINALIZER])
    except Refused as refused:
        return End(error=refused.error, memory=record)
    look = Look(job, pods, now, record)
    try:
        yield from _sync(look, caught_up)
    except Refused as refused:
        look.error = refused.error
    return End(look.again_at, look.error, look.record)


def _sync(look: Look, caught_up: bool) -> Steps:
    if not look.status.get("startTime") and not of_pods.is_suspended(look.job):
        look.status["startTime"] = timestamp(look.now)
    look.end = _heading_for(look)
    news = False
    if look.end is not None:
        gone = yield from _deleted(look, look.active)
        if gone != len(look.active) or not caught_up:
            look.end = None  # there may be pods that the cache does not show
    else:
        manages = caught_up and not terminating(look.job)
        if manages:
            yield from _managed(look)
        if _is_complete(look):
            look.end = look.made(MET, "CompletionsReached", "Reached expected number of succeeded pods")
        elif manages:
            news = yield from _suspended_or_resumed(look)
    now = {"active": look.running, "ready": look.ready, "terminating": look.leaving}
    before = {"active": 0, **look.status}
    news = news or any(before.get(key) != count for key, count in now.items())
    look.status |= now
    yield from track(look, news)


# -- where it is heading ---------------------------------------------------------------------------------------------
def _heading_for(look: Look) -> dict | None:
    """The condition that ends it, if one does by now."""
    return look.condition(MET) or _failing(look) or _out_of_time(look) or _by_indexes(look)


def _failing(look: Look) -> dict | None:
    """It fails already, or a pod has failed in a way that ends the Job."""
    before = look.condition(TARGET)
    if before is not None:
        return look.made(FAILED, before["reason"], before["message"])
    for pod in look.pods:
        if of_pods.is_failed(look.job, pod):
            why = policies.of_failure(look.job, pod).fails
            if why is not None:
                return look.made(TARGET, "PodFailurePolicy", why)
    return None


def _out_of_time(look: Look) -> dict | None:
    """It has failed too often, or has run for too long; if it may run for a while yet, that is when to look again."""
    if look.failed > look.spec["backoffLimit"] or _restarted_too_often(look):
        return look.made(TARGET, "BackoffLimitExceeded", "Job has reached the specified backoff limit")
    allowed = look.spec.get("activeDeadlineSeconds")
    if allowed is None or of_pods.is_suspended(look.job):
        return None
    until = instant(look.status["startTime"]) + allowed * SECOND
    if look.now >= until:
        return look.made(TARGET, "DeadlineExceeded", "Job was active longer than specified deadline")
    look.wake(until)
    return None


def _restarted_too_often(look: Look) -> bool:
    """Whether containers that are started anew in place have spent the limit."""
    if look.spec["template"]["spec"].get("restartPolicy") != "OnFailure":
        return False
    alive = [pod for pod in look.pods if get(pod, "status", "phase") in ("Running", "Pending")]
    parts = ("initContainerStatuses", "containerStatuses")
    found = [status for pod in alive for part in parts for status in get(pod, "status", part) or ()]
    restarts = sum(status.get("restartCount", 0) for status in found)
    return restarts >= max(look.spec["backoffLimit"], 1)


def _by_indexes(look: Look) -> dict | None:
    """Too many indexes have failed, or all have ended, or those that have succeeded are enough."""
    if not of_pods.is_indexed(look.job):
        return None
    if look.lost is not None:
        lost, most = indexes.total(look.lost), look.spec.get("maxFailedIndexes")
        if most is not None and lost > most:
            text = "Job has exceeded the specified maximal number of failed indexes"
            return look.made(TARGET, "MaxFailedIndexesExceeded", text)
        if lost and lost + indexes.total(look.done) >= look.spec["completions"]:
            return look.made(TARGET, "FailedIndexes", "Job has failed indexes")
    why = policies.enough(look.job, look.done)
    return None if why is None else look.made(MET, "SuccessPolicy", why)


def _is_complete(look: Look) -> bool:
    """Whether enough has succeeded, and nothing runs any more."""
    completions = look.spec.get("completions")
    enough = look.succeeded > 0 if completions is None else look.succeeded >= completions
    return enough and look.running == 0


def _suspended_or_resumed(look: Look) -> Steps:
    """Say so; returns whether it is news."""
    if of_pods.is_suspended(look.job):
        changed = look.put(look.made("Suspended", "JobSuspended", "Job suspended"))
        if changed:
            yield Tell(look.job, "Normal", "Suspended", "Job suspended")
            look.status["startTime"] = None
    else:
        changed = look.put(look.made("Suspended", "JobResumed", "Job resumed", "False"))
        if changed:
            yield Tell(look.job, "Normal", "Resumed", "Job resumed")
            look.status["startTime"] = timestamp(look.now)
    return changed


# -- pods ------------------------------------------------------------------------------------------------------------
def _deleted(look: Look, pods: Sequence[Obj], forget: bool = False) -> Steps:
    """Let *pods* go; returns how many. *forget*: they do not count, so their finalizers come off first."""
    if not pods:
        return 0
    answers = yield from at_once(_let_go(look.job, pod, forget) for pod in pods)
    errors = [answer.error for answer in answers if answer.error is not None and not not_found(answer.error)]
    look.error = look.error or next(iter(errors), None)
    look.ready -= sum(map(is_ready, pods))
    gone = len(pods) - len(errors)
    look.running -= gone
    look.leaving += gone
    return gone


def _let_go(job: Obj, pod: Obj, forget: bool) -> Steps:
    if forget and of_pods.is_tracked(pod):
        yield from must(of_pods.untracked(pod))
    yield from delete_pod(job, pod)


def _managed(look: Look) -> Steps:
    """As many pods as are wanted: let some go, or else make some."""
    if of_pods.is_suspended(look.job):
        yield from _deleted(look, of_pods.to_remove(look.job, look.active, look.running), forget=True)
        return
    wanted = _wanted(look)
    surplus = of_pods.to_remove(look.job, look.active, max(0, look.running - wanted))[:MOST]
    if surplus:
        yield from _deleted(look, surplus, forget=True)
        return
    still_there = look.leaving if of_pods.waits_for_the_end(look.job) else 0
    missing = wanted - still_there - look.running
    if missing > 0:
        yield from _made(look, min(missing, MOST))


def _wanted(look: Look) -> int:
    """How many are to be active."""
    completions, parallelism = look.spec.get("completions"), look.spec["parallelism"]
    if completions is None:
        return look.running if look.succeeded else int(parallelism)
    return max(0, min(completions - look.succeeded, parallelism))


def _made(look: Look, missing: int) -> Steps:
    """Make *missing* pods, unless the back-off of those that have failed is not over."""
    numbers: list[int | None] = [None] * missing
    wait = 0 if of_pods.by_index(look.job) else backoff.remaining(look.following, look.now)
    if of_pods.is_indexed(look.job) and not wait:
        numbers = list(_free(look, missing))
        if of_pods.by_index(look.job):
            waits = {number: backoff.of_index(look.held.get(number or 0), look.now) for number in numbers}
            wait = 0 if not all(waits.values()) else min(waits.values(), default=0)
            numbers = [number for number in numbers if not waits[number]]
    if wait:
        look.wake(look.now + max(BATCH, wait))
        return

    def make(at: int) -> Steps:
        number = numbers[at]
        counts = _counts(look, number) if of_pods.by_index(look.job) else None
        try:
            yield from create_pod(look.job, of_pods.made(look.job, number, counts))
        except Refused as refused:
            if not namespace_is_ending(refused.error):  # else it makes no odds any more
                raise
        look.running += 1

    try:
        yield from slowly(len(numbers), make)
    except Refused as refused:
        look.error = refused.error


def _free(look: Look, missing: int) -> list[int]:
    """The first *missing* indexes without a pod that have not ended."""
    running = [of_pods.index(pod) for pod in look.active]
    if of_pods.waits_for_the_end(look.job):
        running += [of_pods.index(pod) for pod in look.pods if is_leaving(pod)]
    taken = indexes.merged(look.done, look.lost or (), indexes.of({n for n in running if n >= 0}))
    return indexes.first_free(taken, missing, look.spec["completions"])


def _counts(look: Look, number: int | None) -> tuple[int, int]:
    """(failures, ignored failures) of an index, as its new pod says them."""
    before = look.held.get(number or 0)
    if before is None:
        return 0, 0
    counts = policies.of_failure(look.job, before).counts
    failures, ignored = (of_pods.counter(before, name) for name in (of_pods.FAILURES, of_pods.IGNORED))
    return failures + counts, ignored + (not counts)


# -- who is woken ----------------------------------------------------------------------------------------------------
def of_pod(pod: Obj, facts: Facts) -> list[Key]:
    """The Job that manages a pod, or those that might adopt it."""
    if controller_of(pod) is not None:
        return owner_key(pod, JOB)
    here = facts.of_namespace(JOB, pod["metadata"]["namespace"])
    return [key_of(one) for one in here if selects(one, pod)]


def _is_news(old: Obj | None, new: Obj | None) -> bool:
    """Whether a change of a Job is to be looked at: what is finished stays so."""
    return old is None or new is None or not is_finished(new)


def _delay(old: Obj | None, new: Obj | None, now: int) -> int:
    """A new spec is looked at at once, a new status with what else comes within the second."""
    both = old is not None and new is not None
    same = both and get(old, "metadata", "generation") == get(new, "metadata", "generation")
    return BATCH if same else 0


CONTROLLER = Controller(
    JOB,
    decide,
    (Watch(POD, of_pod, made_here=True, delay=BATCH),),
    remembers=(POD, JOB),
    when=_is_news,
    delay=_delay,
    backoff=AFTER_ERRORS,
    source="job-controller",
)
