"""What a StatefulSet says of its pods: how many there are, serve, and are of which revision.

Models k/k pkg/controller/statefulset computeReplicaStatus, completeUpdate, inconsistentStatus
"""

from collections.abc import Sequence
from typing import Any

from kubemini.api.kinds import STATEFUL_SET
from kubemini.api.objects import Obj, evolve, freeze, get
from kubemini.controllers.decide.actions import UpdateStatus, is_ready, terminating
from kubemini.controllers.decide.controller import Facts, key_of
from kubemini.controllers.decide.dialogue import Refused, Steps
from kubemini.controllers.decide.workloads.statefulset.identity import revision_of

ALWAYS = ("replicas", "availableReplicas")
TRIES = 5  # of a write that others were faster with


def is_created(pod: Obj) -> bool:
    """Whether the API server has it."""
    return bool(get(pod, "status", "phase"))


def is_running_and_ready(pod: Obj) -> bool:
    """Whether it runs and says that it can serve."""
    return get(pod, "status", "phase") == "Running" and is_ready(pod)


def report(
    stateful: Obj,
    pods: Sequence[Obj],
    revisions: tuple[str, str],
    collisions: int,
    serving: Sequence[Obj],
    given_up: int,
) -> Obj:
    """What to report of *pods*; *serving*: those available; *revisions*: (old, new) names; *given_up* just now."""
    old, new = revisions
    there = [pod for pod in pods if is_created(pod)]
    staying = [revision_of(pod) for pod in there if not terminating(pod)]
    ready = list(map(is_running_and_ready, pods))
    counts: dict[str, Any] = {
        "replicas": len(there),
        "readyReplicas": sum(ready),
        "availableReplicas": sum(runs and pod in serving for runs, pod in zip(ready, pods)),
        "currentReplicas": staying.count(old) - given_up,
        "updatedReplicas": staying.count(new),
    }
    wanted = stateful["spec"].get("replicas", 1)
    if counts["updatedReplicas"] == counts["readyReplicas"] == counts["replicas"] == wanted:
        old, counts["currentReplicas"] = new, counts["updatedReplicas"]
    said = {key: count for key, count in counts.items() if count or key in ALWAYS}
    said |= {"currentRevision": old, "updateRevision": new, "collisionCount": collisions}
    conditions = get(stateful, "status", "conditions")
    said |= {"conditions": conditions} if conditions else {}
    return freeze({**said, "observedGeneration": stateful["metadata"].get("generation", 0)})


def is_news(stateful: Obj, told: Obj) -> bool:
    """Whether the report says something else than the status does."""
    before = get(stateful, "status") or {}
    if told["observedGeneration"] > before.get("observedGeneration", 0):
        return True
    silent = ("observedGeneration", "collisionCount")
    return any(told.get(key) != before.get(key) for key in {**told, **before} if key not in silent)


def write(stateful: Obj, told: Obj, facts: Facts) -> Steps:
    """Report it, if it is news; over what others have written meanwhile, if the cache has it. Raises Refused."""
    if not is_news(stateful, told):
        return
    for _ in range(TRIES):
        answer = yield UpdateStatus(evolve(stateful, ("status",), told))
        if answer.error is None:
            return
        newer = facts.get(STATEFUL_SET, key_of(stateful))
        if getattr(answer.error, "reason", "") != "Conflict" or newer is None or newer is stateful:
            raise Refused(answer.error)
        stateful = newer
    raise Refused(answer.error)
