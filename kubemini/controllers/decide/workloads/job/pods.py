"""The pods of a Job: which are active, failed, not counted yet; what a new one looks like; which go first.

Every pod carries a finalizer until the Job has counted it, so none is lost, and none is counted twice.
Models k/k pkg/controller/job isPodFailed, activePodsForRemoval, appendDuplicatedIndexPodsForRemoval
Models k/k pkg/controller/job getCompletionIndex, podGenerateNameWithIndex, addCompletionIndexEnvVariables
"""

import re
from collections.abc import Sequence
from typing import Any

from kubemini.api.objects import EMPTY, Obj, evolve, evolve_many, freeze, get
from kubemini.api.timestamps import instant
from kubemini.controllers.decide.actions import Patch, condition, is_ready, terminating
from kubemini.controllers.decide.podcontrol import PHASES, new_pod
from kubemini.sim.units import NEVER

FINALIZER = "batch.kubernetes.io/job-tracking"
INDEX = "batch.kubernetes.io/job-completion-index"
FAILURES = "batch.kubernetes.io/job-index-failure-count"
IGNORED = "batch.kubernetes.io/job-index-ignored-failure-count"
VARIABLE = "JOB_COMPLETION_INDEX"
LONGEST = 58  # characters of a name that is to be completed
_LARGEST = 2**31 - 1
_NUMBER = re.compile("[+-]?[0-9]+")


def is_indexed(job: Obj) -> bool:
    """Whether each of its pods has an index of its own."""
    return bool(job["spec"].get("completionMode") == "Indexed")


def is_suspended(job: Obj) -> bool:
    """Whether it is to have no pods for now."""
    return bool(job["spec"].get("suspend"))


def by_index(job: Obj) -> bool:
    """Whether failures are counted for each index."""
    return job["spec"].get("backoffLimitPerIndex") is not None


def waits_for_the_end(job: Obj) -> bool:
    """Whether a pod is replaced only when it has ended, not when it is marked."""
    return bool(job["spec"].get("podReplacementPolicy") == "Failed")


def is_tracked(pod: Obj) -> bool:
    """Whether it has not been counted to the end yet."""
    return FINALIZER in (pod["metadata"].get("finalizers") or ())


def is_failed(job: Obj, pod: Obj) -> bool:
    """Whether it counts as failed: also one that is deleted, unless the Job waits for its end."""
    phase = get(pod, "status", "phase")
    if phase == "Failed" or waits_for_the_end(job):
        return bool(phase == "Failed")
    return terminating(pod) and phase != "Succeeded"


def index(pod: Obj) -> int:
    """Its completion index; -1: it has none."""
    text = get(pod, "metadata", "annotations", INDEX, default="")
    return max(-1, int(text)) if _NUMBER.fullmatch(text) else -1


def is_valid(job: Obj, pod: Obj) -> bool:
    """Whether it counts at all: of an indexed Job, only with an index that the Job asks for."""
    return not is_indexed(job) or 0 <= index(pod) < job["spec"]["completions"]


def counter(pod: Obj, annotation: str) -> int:
    """A number in one of its annotations; 0 if it is none."""
    text = get(pod, "metadata", "annotations", annotation, default="")
    value = int(text) if _NUMBER.fullmatch(text) else 0
    return value if 0 <= value <= _LARGEST else 0


def untracked(pod: Obj) -> Patch:
    """Take the finalizer off."""
    left = [name for name in pod["metadata"]["finalizers"] if name != FINALIZER]
    body = {"uid": pod["metadata"]["uid"], "finalizers": left or None}
    return Patch(pod, freeze({"metadata": body}))


# -- which go first --------------------------------------------------------------------------------------------------
def to_remove(job: Obj, pods: Sequence[Obj], least: int) -> list[Obj]:
    """Those to let go: doubles and strays of an indexed Job, and the least useful until there are *least*."""
    gone, left = _doubles(job, pods) if is_indexed(job) else ([], list(pods))
    return gone + sorted(left, key=_use)[: max(0, least - len(gone))]


def _use(pod: Obj) -> tuple[bool, int, bool, int, int, int]:
    """Of how little use it is: not scheduled, Pending, not ready, not ready for long, restarted often, young.

    Models k/k pkg/controller ActivePods.Less
    """
    ready = condition(pod, "Ready") or EMPTY
    since = instant(ready["lastTransitionTime"]) if ready.get("lastTransitionTime") else NEVER
    restarts = [c.get("restartCount", 0) for c in get(pod, "status", "containerStatuses") or ()]
    return (
        bool(get(pod, "spec", "nodeName")),
        PHASES.get(get(pod, "status", "phase", default=""), 0),
        is_ready(pod),
        -since if is_ready(pod) else 0,
        -max(restarts, default=0),
        -instant(pod["metadata"]["creationTimestamp"]),
    )


def _doubles(job: Obj, pods: Sequence[Obj]) -> tuple[list[Obj], list[Obj]]:
    """(pods without a valid index or with one that another has too, the others), by index."""
    gone: list[Obj] = []
    left: list[Obj] = []
    groups: dict[int, list[Obj]] = {}
    for pod in pods:
        groups.setdefault(index(pod), []).append(pod)
    for number, group in sorted(groups.items()):
        if 0 <= number < job["spec"]["completions"]:
            *doubles, last = sorted(group, key=_use)
            gone += doubles
            left.append(last)
        else:
            gone += group
    return gone, left


# -- a new pod -------------------------------------------------------------------------------------------------------
def made(job: Obj, number: int | None = None, counts: tuple[int, int] | None = None) -> Obj:
    """A new pod, of an indexed Job with its *number*; *counts*: (failures, ignored failures) of that index so far."""
    finalizers = get(job, "spec", "template", "metadata", "finalizers") or ()
    tracked = list(dict.fromkeys([*finalizers, FINALIZER]))
    pod = evolve(new_pod(job), ("metadata", "finalizers"), tracked)
    if number is None:
        return pod
    name, meta = job["metadata"]["name"], pod["metadata"]
    notes = {**(meta.get("annotations") or EMPTY), INDEX: str(number)}
    if counts is not None:
        notes[FAILURES] = str(counts[0])
        notes |= {IGNORED: str(counts[1])} if counts[1] else {}
    ending = f"-{number}-"
    lists = [part for part in ("initContainers", "containers") if pod["spec"].get(part)]
    return evolve_many(
        pod,
        (("metadata", "annotations"), notes),
        (("metadata", "labels"), {**(meta.get("labels") or EMPTY), INDEX: str(number)}),
        (("metadata", "generateName"), name[: LONGEST - len(ending)] + ending),
        (("spec", "hostname"), f"{name}-{number}"),
        *((("spec", part), [_with_variable(container) for container in pod["spec"][part]]) for part in lists),
    )


def _with_variable(container: Obj) -> dict[str, Any]:
    env = list(container.get("env") or ())
    if not any(variable["name"] == VARIABLE for variable in env):
        field = {"fieldPath": f"metadata.labels['{INDEX}']"}
        env.append({"name": VARIABLE, "valueFrom": {"fieldRef": field}})
    return {**container, "env": env}
