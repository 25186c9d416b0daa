"""Counting the pods of a Job so that none is lost and none counted twice, though the program may crash in between.

First the UID of a pod that has ended is written into the status (``uncountedTerminatedPods``), then its finalizer is
taken off, then it is counted and the UID struck out; so at every instant either the finalizer or the UID or the count
says that it was there. The Job is called finished only when nothing is left to count and nothing is on its way out.
Models k/k pkg/controller/job Controller.trackJobStatusAndRemoveFinalizers, canRemoveFinalizer
Models k/k pkg/controller/job Controller.flushUncountedAndRemoveFinalizers, cleanUncountedPodsWithoutFinalizers
Models k/k pkg/controller/job Controller.enactJobFinished, Controller.recordJobFinished
"""

from collections.abc import Container, Sequence

from kubemini.api.objects import Obj, get
from kubemini.controllers.decide.actions import Tell, terminating
from kubemini.controllers.decide.dialogue import Refused, Steps, at_once, must, not_found
from kubemini.controllers.decide.workloads.job import indexes, policies
from kubemini.controllers.decide.workloads.job import pods as of_pods
from kubemini.controllers.decide.workloads.job.look import COMPLETE, FAILED, MET, TARGET, Look

MOST = 500  # UIDs in a status: MaxUncountedPods


def track(look: Look, news: bool) -> Steps:
    """Count what there is to count; *news*: the status has something to say already. Raises Refused."""
    tracked = [pod for pod in look.pods if of_pods.is_tracked(pod)]
    if of_pods.is_indexed(look.job):
        tracked.sort(key=of_pods.index)
    waiting = {pod["metadata"]["uid"] for pod in tracked}
    news = _count(look, waiting) or news
    ended, more, cut = _ended(look, tracked)
    said, turned = _say_indexes(look), _turn(look)
    if news or more or said or turned:
        yield from look.write()
        look.record = look.following
    refused = yield from _let_go(ended, waiting)
    news = _count(look, waiting)
    if refused is not None:
        if news:
            yield from look.write()
        raise Refused(refused)
    finished = not cut and _finish(look)
    if news or finished:
        yield from look.write()
    if finished:
        yield from _tell(look)


def _let_go(ended: Sequence[Obj], waiting: set[str]) -> Steps:
    """Take the finalizers off; who has none is *waiting* no more. Returns the first error, or None."""
    answers = (yield from at_once(must(of_pods.untracked(pod)) for pod in ended)) if ended else ()
    errors = []
    for pod, answer in zip(ended, answers):
        if answer.error is None or not_found(answer.error):
            waiting.discard(pod["metadata"]["uid"])
        else:
            errors.append(answer.error)
    return next(iter(errors), None)


def _count(look: Look, waiting: Container[str]) -> bool:
    """Strike out the UIDs of pods without a finalizer, and count them; returns whether there were any."""
    counted = False
    for how in ("succeeded", "failed"):
        before = look.uncounted(how)
        left = [uid for uid in before if uid in waiting]
        if len(left) < len(before):
            counted = True
            look.status[how] = look.status.get(how, 0) + len(before) - len(left)
            _note(look, how, left)
    return counted


def _note(look: Look, how: str, uids: Sequence[str]) -> None:
    if uids:
        look.status["uncountedTerminatedPods"][how] = list(uids)
    else:
        look.status["uncountedTerminatedPods"].pop(how, None)


def _ended(look: Look, tracked: Sequence[Obj]) -> tuple[list[Obj], bool, bool]:
    """(pods that need their finalizer no more, whether one is news to the status, whether some were left for later)."""
    ended: list[Obj] = []
    news, new_indexes = False, 0
    for pod in tracked:
        failed = of_pods.is_failed(look.job, pod)
        if not _may_go(look, pod, failed):
            continue
        ended.append(pod)
        if get(pod, "status", "phase") == "Succeeded" and pod["metadata"]["uid"] not in look.uncounted("failed"):
            number = of_pods.index(pod)
            if not of_pods.is_indexed(look.job):
                news = _add(look, "succeeded", pod) or news
            elif of_pods.is_valid(look.job, pod) and not indexes.has(look.counted, number):
                news, new_indexes = True, new_indexes + 1
        elif failed or (look.end is not None and look.end["type"] != MET):
            if of_pods.is_valid(look.job, pod) and policies.of_failure(look.job, pod).counts:
                news = _add(look, "failed", pod) or news
        if new_indexes + len(look.uncounted("succeeded")) + len(look.uncounted("failed")) >= MOST:
            return ended, news, True
    return ended, news, False


def _add(look: Look, how: str, pod: Obj) -> bool:
    """Note the UID; returns whether it is new."""
    uid = pod["metadata"]["uid"]
    if uid in look.uncounted(how):
        return False
    _note(look, how, [*look.uncounted(how), uid])
    return True


def _may_go(look: Look, pod: Obj, failed: bool) -> bool:
    """Whether its finalizer may come off: all is over, or it has ended and no successor has to learn from it."""
    if terminating(look.job) or look.end is not None or get(pod, "status", "phase") == "Succeeded":
        return True
    return failed and look.held.get(of_pods.index(pod)) is not pod


def _say_indexes(look: Look) -> bool:
    """Put the indexes into the status; returns whether that is news."""
    if not of_pods.is_indexed(look.job):
        return False
    done = indexes.text(look.done)
    news = done != look.status.get("completedIndexes", "")
    look.status |= {"completedIndexes": done, "succeeded": indexes.total(look.done)}
    lost = None if look.lost is None else indexes.text(look.lost)
    if look.status.get("failedIndexes") != lost:
        look.status["failedIndexes"] = lost
        news = True
    return news


def _turn(look: Look) -> bool:
    """Say what the Job is heading for, and head for the end of it; returns whether that is news."""
    end = look.end
    if end is None or end["type"] not in (TARGET, MET):
        return False
    news = end["type"] == TARGET or look.condition(MET) is None
    if news:
        look.status.setdefault("conditions", []).append(end)
    last = FAILED if end["type"] == TARGET else COMPLETE
    look.end = look.made(last, end["reason"], end["message"])
    return news


def _finish(look: Look) -> bool:
    """Say that it is finished, if nothing is left; returns whether it is."""
    if look.end is None or look.uncounted("succeeded") or look.uncounted("failed") or look.leaving:
        return False
    look.put(look.end)
    if look.end["type"] == COMPLETE:
        look.status["completionTime"] = look.end["lastTransitionTime"]
    return True


def _tell(look: Look) -> Steps:
    job, end = look.job, look.end or {}
    if end["type"] != COMPLETE:
        yield Tell(job, "Warning", end["reason"], end["message"])
        return
    completions = job["spec"].get("completions")
    if completions is not None and look.status.get("succeeded", 0) > completions:
        text = "Too many succeeded pods running after completion count reached"
        yield Tell(job, "Warning", "TooManySucceededPods", text)
    yield Tell(job, "Normal", "Completed", "Job completed")
