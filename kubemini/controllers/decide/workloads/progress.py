"""How a Deployment is doing: its counts, and the conditions Available and Progressing. Pure.

Models k/k pkg/controller/deployment DeploymentController.syncRolloutStatus
Models k/k pkg/controller/deployment DeploymentController.checkPausedConditions
Models k/k pkg/controller/deployment/util DeploymentTimedOut
Simplified: no condition ReplicaFailure.
"""

from collections.abc import Sequence
from typing import Any

from kubemini.api.objects import EMPTY, Obj, freeze, get
from kubemini.api.timestamps import instant, timestamp
from kubemini.controllers.decide.actions import condition
from kubemini.controllers.decide.workloads.rollout import complete, limits, replicas, status_counts
from kubemini.sim.units import SECOND

NO_DEADLINE = 2**31 - 1
DONE, STUCK = "NewReplicaSetAvailable", "ProgressDeadlineExceeded"
PAUSED, RESUMED = "DeploymentPaused", "DeploymentResumed"


def progressing(before: Obj, counts: dict[str, int]) -> bool:
    """Whether the status shows a step forward since *before*."""
    was = {key: before.get(key, 0) for key in counts}
    older, were_older = counts["replicas"] - counts["updatedReplicas"], was["replicas"] - was["updatedReplicas"]
    grown = any(counts[key] > was[key] for key in ("updatedReplicas", "readyReplicas", "availableReplicas"))
    return grown or older < were_older


def status(deployment: Obj, new: Obj | None, old: Sequence[Obj], made: Obj | None, now: int) -> Obj:
    """What to report, *made* being the ReplicaSet that is being made just now; ``kubectl rollout status`` reads it."""
    counts = status_counts([*old, new], new)
    _, unavailable = limits(deployment)
    enough = counts["availableReplicas"] >= replicas(deployment) - unavailable
    conditions = [_availability(deployment, enough, now), _progress(deployment, new, made, counts, now)]
    shown = {key: count for key, count in counts.items() if count}
    collisions = get(deployment, "status", "collisionCount")
    shown |= {"collisionCount": collisions} if collisions else {}
    observed = deployment["metadata"].get("generation", 0)
    return freeze({**shown, "observedGeneration": observed, "conditions": [c for c in conditions if c]})


def _availability(deployment: Obj, enough: bool, now: int) -> dict[str, Any]:
    reason = "MinimumReplicasAvailable" if enough else "MinimumReplicasUnavailable"
    text = "Deployment has minimum availability." if enough else "Deployment does not have minimum availability."
    return _condition(deployment, "Available", "True" if enough else "False", reason, text, now)


def _progress(deployment: Obj, new: Obj | None, made: Obj | None, counts: dict[str, int], now: int) -> Obj | None:
    """The condition Progressing: made, going on, done, stuck for longer than the deadline, or paused."""
    before = condition(deployment, "Progressing")
    paused = bool(deployment["spec"].get("paused"))
    if not _has_deadline(deployment):
        return before if paused else None
    reason = get(before, "reason", default="")
    if reason != STUCK and paused != (reason == PAUSED):
        word = (PAUSED, "Deployment is paused") if paused else (RESUMED, "Deployment is resumed")
        return _condition(deployment, "Progressing", "Unknown", *word, now)
    if paused or (new is None and made is None):
        return before
    if made is not None and before is not None:
        return _made(deployment, made, now)
    return _rolled_out(deployment, new, before, counts, now) if new is not None else before


def _made(deployment: Obj, rs: Obj, now: int) -> Obj:
    text = f'Created new replica set "{rs["metadata"]["name"]}"'
    return _condition(deployment, "Progressing", "True", "NewReplicaSetCreated", text, now)


def _rolled_out(deployment: Obj, new: Obj, before: Obj | None, counts: dict[str, int], now: int) -> Obj | None:
    """How far the rollout to *new* has come."""
    name = new["metadata"]["name"]
    if complete(deployment, counts):
        text = f'ReplicaSet "{name}" has successfully progressed.'
        return _condition(deployment, "Progressing", "True", DONE, text, now)
    if before is None:
        return _made(deployment, new, now)
    reason = before.get("reason")
    if reason == DONE and counts["updatedReplicas"] == counts["replicas"]:
        return before  # what was rolled out once is not undone by a pod that fails
    if progressing(get(deployment, "status", default=EMPTY), counts):
        text = f'ReplicaSet "{name}" is progressing.'
        return _condition(deployment, "Progressing", "True", "ReplicaSetUpdated", text, now, updated=True)
    if reason != DONE and now > _due(deployment, before):
        text = f'ReplicaSet "{name}" has timed out progressing.'
        return _condition(deployment, "Progressing", "False", STUCK, text, now)
    return before


def _has_deadline(deployment: Obj) -> bool:
    return deployment["spec"].get("progressDeadlineSeconds", 600) != NO_DEADLINE


def _due(deployment: Obj, progress: Obj) -> int:
    """When the rollout counts as stuck, if nothing moves until then."""
    since = progress.get("lastUpdateTime")
    limit = deployment["spec"].get("progressDeadlineSeconds", 600) * SECOND
    return (instant(since) if since else 0) + limit


def deadline(deployment: Obj, report: Obj, now: int) -> int | None:
    """When to look again, in case nothing moves until then."""
    progress = condition({"status": report}, "Progressing")
    if progress is None or deployment["spec"].get("paused") or progress.get("reason") in (DONE, STUCK):
        return None
    return max(now, _due(deployment, progress)) + SECOND


def _condition(
    deployment: Obj, type: str, status: str, reason: str, message: str, now: int, updated: bool = False
) -> dict[str, Any]:
    """A condition; its times stay as they were, unless its status or reason has changed or *updated* says so."""
    before = condition(deployment, type) or EMPTY
    same_status, same = before.get("status") == status, before.get("reason") == reason
    stamp = timestamp(now)
    return {
        "type": type,
        "status": status,
        "reason": reason,
        "message": message,
        "lastUpdateTime": before.get("lastUpdateTime", stamp) if same and same_status and not updated else stamp,
        "lastTransitionTime": before.get("lastTransitionTime", stamp) if same_status else stamp,
    }
