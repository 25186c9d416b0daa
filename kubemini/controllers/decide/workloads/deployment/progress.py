"""How a Deployment is doing: its counts, and the conditions Available, Progressing and ReplicaFailure. Pure.

Models k/k pkg/controller/deployment calculateStatus, DeploymentController.syncRolloutStatus
Models k/k pkg/controller/deployment DeploymentController.getReplicaFailures
Models k/k pkg/controller/deployment DeploymentController.requeueStuckDeployment
Models k/k pkg/controller/deployment/util SetDeploymentCondition, DeploymentTimedOut, DeploymentProgressing
Models k/k pkg/controller/deployment/util DeploymentComplete, GetTerminatingReplicaCountForReplicaSets
Simplified: in the last second before the deadline the real one looks every 5 ms, we when it has passed.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from kubemini.api.objects import EMPTY, Obj, freeze, get
from kubemini.api.timestamps import instant, timestamp
from kubemini.controllers.decide.actions import condition
from kubemini.controllers.decide.workloads.deployment.rollout import available, limits, replicas
from kubemini.sim.units import MS, SECOND

NO_DEADLINE = 2**31 - 1
DONE, STUCK = "NewReplicaSetAvailable", "ProgressDeadlineExceeded"
PAUSED, RESUMED = "DeploymentPaused", "DeploymentResumed"
FAILURE = "ReplicaFailure"
SOON = 5 * MS  # the first back-off of a work queue
Conditions = Sequence[Mapping[str, Any]]


# -- conditions ------------------------------------------------------------------------------------------------------


def condition_of(type: str, status: str, reason: str, message: str, now: int) -> dict[str, Any]:
    """A condition as it is made at *now* (µs)."""
    stamps = dict.fromkeys(("lastUpdateTime", "lastTransitionTime"), timestamp(now))
    return {"type": type, "status": status, **stamps, "reason": reason, "message": message}


def with_condition(held: Conditions, new: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """*held* with *new* at its end, unless one of that status and reason stands; times of a status that stays, stay."""
    before = next((one for one in held if one.get("type") == new["type"]), EMPTY)
    same = before.get("status") == new["status"]
    if same and before.get("reason") == new["reason"]:
        return list(held)
    kept = {"lastTransitionTime": before.get("lastTransitionTime")} if same else {}
    return [*without_condition(held, new["type"]), {**new, **kept}]


def without_condition(held: Conditions, type: str) -> list[Mapping[str, Any]]:
    """*held* without the condition of that type."""
    return [one for one in held if one.get("type") != type]


def progressing_of(deployment: Obj) -> Mapping[str, Any] | None:
    """The condition Progressing, if it has one."""
    return condition(deployment, "Progressing")


def has_deadline(deployment: Obj) -> bool:
    """Whether a rollout may take only so long."""
    return deployment["spec"].get("progressDeadlineSeconds", NO_DEADLINE) != NO_DEADLINE


# -- counts ----------------------------------------------------------------------------------------------------------


def counts(deployment: Obj, replicasets: Sequence[Obj], new: Obj | None, now: int) -> dict[str, Any]:
    """The status by its ReplicaSets' statuses: numbers, and whether enough can serve."""

    def total(field: str, of: Sequence[Obj] = replicasets) -> int:
        return sum(get(rs, "status", field, default=0) for rs in of)

    serving = sum(map(available, replicasets))
    numbers = {
        "observedGeneration": deployment["metadata"].get("generation", 0),
        "replicas": total("replicas"),
        "updatedReplicas": total("replicas", [new] if new is not None else []),
        "readyReplicas": total("readyReplicas"),
        "availableReplicas": serving,
        "unavailableReplicas": max(0, sum(map(replicas, replicasets)) - serving),
    }
    shown: dict[str, Any] = {field: number for field, number in numbers.items() if number}
    collisions, leaving = get(deployment, "status", "collisionCount"), _leaving(replicasets)
    shown |= {"collisionCount": collisions} if collisions is not None else {}
    shown |= {"terminatingReplicas": leaving} if leaving is not None else {}
    held = get(deployment, "status", "conditions") or ()
    return {**shown, "conditions": with_condition(held, _availability(deployment, serving, now))}


def _leaving(replicasets: Sequence[Obj]) -> int | None:
    """How many pods are on their way out; None if a ReplicaSet that was looked at does not say."""
    seen = [rs for rs in replicasets if get(rs, "status", "observedGeneration", default=0)]
    said = [get(rs, "status", "terminatingReplicas") for rs in seen]
    return None if None in said else sum(said)


def _availability(deployment: Obj, serving: int, now: int) -> dict[str, Any]:
    _, unavailable = limits(deployment)
    if serving >= replicas(deployment) - unavailable:
        return condition_of(
            "Available", "True", "MinimumReplicasAvailable", "Deployment has minimum availability.", now
        )
    text = "Deployment does not have minimum availability."
    return condition_of("Available", "False", "MinimumReplicasUnavailable", text, now)


# -- a rollout -------------------------------------------------------------------------------------------------------


def rolled_out(deployment: Obj, replicasets: Sequence[Obj], new: Obj | None, now: int) -> Obj:
    """What to report amid a rollout, or of none."""
    status = counts(deployment, replicasets, new, now)
    held = status["conditions"]
    if not has_deadline(deployment):
        held = without_condition(held, "Progressing")
    elif not _was_done(deployment, status):
        held = _progress(deployment, status, new, now)
    failures = _failures(replicasets, new)
    held = with_condition(held, failures[0]) if failures else without_condition(held, FAILURE)
    return freeze({**status, "conditions": held})


def _was_done(deployment: Obj, status: Mapping[str, Any]) -> bool:
    """What was rolled out once is not undone by a pod that fails."""
    done = (progressing_of(deployment) or EMPTY).get("reason") == DONE
    return done and status.get("replicas", 0) == status.get("updatedReplicas", 0)


def _progress(deployment: Obj, status: Mapping[str, Any], new: Obj | None, now: int) -> Conditions:
    """The conditions of *status*, with what there is to say of the rollout."""
    what = f'Deployment "{deployment["metadata"]["name"]}"'
    what = f'ReplicaSet "{new["metadata"]["name"]}"' if new is not None else what
    held, before = status["conditions"], progressing_of(deployment)
    if complete(deployment, status):
        said = condition_of("Progressing", "True", DONE, f"{what} has successfully progressed.", now)
        return with_condition(held, said)
    if progressing(get(deployment, "status", default=EMPTY), status):
        said = condition_of("Progressing", "True", "ReplicaSetUpdated", f"{what} is progressing.", now)
        if before is not None and before.get("status") == "True":
            said["lastTransitionTime"] = before.get("lastTransitionTime")
        return with_condition(without_condition(held, "Progressing"), said)
    if before is not None and _timed_out(deployment, before, now):
        said = condition_of("Progressing", "False", STUCK, f"{what} has timed out progressing.", now)
        return with_condition(held, said)
    return held


def complete(deployment: Obj, status: Mapping[str, Any]) -> bool:
    """Whether by *status* the rollout is over: all pods are of the new template, and all are available."""
    numbers = [status.get(field, 0) for field in ("updatedReplicas", "replicas", "availableReplicas")]
    observed = status.get("observedGeneration", 0) >= deployment["metadata"].get("generation", 0)
    return observed and numbers == [replicas(deployment)] * 3


def progressing(before: Mapping[str, Any], status: Mapping[str, Any]) -> bool:
    """Whether *status* shows a step forward since *before*."""

    def older(of: Mapping[str, Any]) -> int:
        return of.get("replicas", 0) - of.get("updatedReplicas", 0)

    fields = ("updatedReplicas", "readyReplicas", "availableReplicas")
    return older(status) < older(before) or any(status.get(field, 0) > before.get(field, 0) for field in fields)


def _timed_out(deployment: Obj, before: Mapping[str, Any], now: int) -> bool:
    if before.get("reason") in (DONE, STUCK):
        return before.get("reason") == STUCK
    return _due(deployment, before) < now


def _due(deployment: Obj, before: Mapping[str, Any]) -> int:
    """When the rollout counts as stuck, if nothing moves until then."""
    since = before.get("lastUpdateTime")
    return (instant(since) if since else 0) + deployment["spec"]["progressDeadlineSeconds"] * SECOND


def look_again(deployment: Obj, status: Mapping[str, Any], now: int) -> int | None:
    """When to look again (µs) in case nothing moves until then, *status* being what was reported already."""
    before = progressing_of(deployment)
    if before is None or not has_deadline(deployment):
        return None
    if complete(deployment, status) or before.get("reason") == STUCK:
        return None
    due = _due(deployment, before)
    return due + SECOND if due - now >= SECOND else max(now + SOON, due + 1)


def _failures(replicasets: Sequence[Obj], new: Obj | None) -> list[dict[str, Any]]:
    """Why a ReplicaSet cannot make its pods, in a Deployment's form; the new one speaks first."""
    first = [new] if new is not None else []
    told = [one for rs in [*first, *replicasets] if (one := condition(rs, FAILURE)) is not None]
    return [
        condition_of(FAILURE, one["status"], one.get("reason", ""), one.get("message", ""), 0)
        | dict.fromkeys(("lastUpdateTime", "lastTransitionTime"), one.get("lastTransitionTime"))
        for one in told
    ]
