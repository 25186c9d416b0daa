"""ReplicaSet controller: as many pods as ``spec.replicas`` says, and the least useful ones go first.

Invariant: decides from states, never from events: called twice with the same facts it says the same, and what was
missed in between does not matter. Pods that are on their way out, or have run to their end, do not count.
Models k/k pkg/controller/replicaset ReplicaSetController.syncReplicaSet, ReplicaSetController.manageReplicas
Models k/k pkg/controller/replicaset calculateStatus, updateReplicaSetStatus
"""

from collections.abc import Sequence
from typing import Any

from kubemini.api import labels
from kubemini.api.kinds import POD, REPLICA_SET, kind_of
from kubemini.api.objects import EMPTY, Obj, evolve, freeze, get
from kubemini.api.timestamps import timestamp
from kubemini.controllers.decide.actions import (
    UpdateStatus,
    condition,
    controller_of,
    controller_uid,
    is_ready,
    terminating,
)
from kubemini.controllers.decide.claims import claimed, concerns_somebody, selects
from kubemini.controllers.decide.controller import Controller, Facts, Key, Watch, key_of, owner_key
from kubemini.controllers.decide.dialogue import (
    Dialogue,
    End,
    Read,
    Refused,
    Steps,
    at_once,
    must,
    namespace_is_ending,
    not_found,
    words,
)
from kubemini.controllers.decide.podcontrol import (
    available_at,
    create_pod,
    delete_pod,
    is_active,
    is_leaving,
    least_useful_first,
    new_pod,
    next_available,
)
from kubemini.controllers.decide.workloads import batches

BURST = 500  # pods made or deleted in one go: BurstReplicas
FAILURE = "ReplicaFailure"


def decide(replicaset: Obj, facts: Facts, caught_up: bool, now: int) -> Dialogue:
    """What makes a ReplicaSet true."""
    meta, owner = replicaset["metadata"], controller_uid(replicaset)
    siblings = facts.owned_by(REPLICA_SET, owner) if owner else []
    candidates = [*facts.owned_by(POD, meta["uid"]), *facts.orphans(POD, meta["namespace"])]
    return dialogue(replicaset, candidates, facts.owned_by_all(POD, siblings), caught_up, now)


def dialogue(
    replicaset: Obj, pods: Sequence[Obj], related: Sequence[Obj], caught_up: bool, now: int, leaving: bool = True
) -> Dialogue:
    """What makes *replicaset* true.

    *pods*: those of its namespace that it may have; *related*: the pods of all ReplicaSets of the same Deployment, for
    the ranking, none if it has no Deployment; *caught_up*: the cache shows all that was asked for before; *leaving*:
    whether its status counts the pods that are on their way out.
    """
    try:
        mine = yield from claimed(replicaset, filter(is_active, pods))
        failure = None
        if caught_up and not terminating(replicaset):
            failure = yield from failure_of(scale(replicaset, mine, related, now))
        gone = [pod for pod in pods if is_leaving(pod) and _belongs(replicaset, pod)] if leaving else None
        report = status(replicaset, mine, gone, failure, now)
        if report != get(replicaset, "status"):
            yield from write_status(replicaset, report)
    except Refused as refused:
        return End(error=refused.error)
    return End(next_available(replicaset, mine, now) if failure is None else None, failure)


def failure_of(steps: Steps) -> Steps:
    """Take them; returns what went wrong, or None."""
    try:
        yield from steps
    except Refused as refused:
        return refused.error
    return None


def _belongs(replicaset: Obj, pod: Obj) -> bool:
    return controller_uid(pod) == replicaset["metadata"]["uid"] and selects(replicaset, pod)


def scale(replicaset: Obj, mine: Sequence[Obj], related: Sequence[Obj], now: int) -> Steps:
    """Make what is missing, or delete the surplus. Raises Refused."""
    missing = replicaset["spec"]["replicas"] - len(mine)
    if missing > 0:
        pod = new_pod(replicaset)
        yield from batches.slowly(min(missing, BURST), lambda number: _create(replicaset, pod))
    elif missing < 0:
        ordered = least_useful_first(mine, related, now) if replicaset["spec"]["replicas"] else mine
        answers = yield from at_once(delete_pod(replicaset, pod) for pod in ordered[: min(-missing, BURST)])
        wrong = [answer.error for answer in answers if answer.error is not None and not not_found(answer.error)]
        if wrong:
            raise Refused(wrong[0])


def _create(replicaset: Obj, pod: Obj) -> Steps:
    """One more; in a namespace that is going that counts as done."""
    try:
        yield from create_pod(replicaset, pod)
    except Refused as refused:
        if not namespace_is_ending(refused.error):
            raise


# -- status ----------------------------------------------------------------------------------------------------------


def status(replicaset: Obj, mine: Sequence[Obj], leaving: Sequence[Obj] | None, failure: Any, now: int) -> Obj:
    """What to report; *leaving*: pods on their way out, None: they are not told of; *failure*: what went wrong."""
    wanted = get(replicaset, "spec", "template", "metadata", "labels", default=EMPTY)
    counts = {
        "replicas": len(mine),
        "fullyLabeledReplicas": sum(labels.contains(pod["metadata"].get("labels"), wanted) for pod in mine),
        "readyReplicas": sum(map(is_ready, mine)),
        "availableReplicas": sum(available_at(replicaset, pod, now) <= now for pod in mine),
    }
    report: dict[str, Any] = {key: count for key, count in counts.items() if count or key == "replicas"}
    if leaving is not None:
        report["terminatingReplicas"] = len(leaving)
    conditions = _conditions(replicaset, len(mine), failure, now)
    report |= {"conditions": conditions} if conditions else {}
    return freeze({**report, "observedGeneration": replicaset["metadata"].get("generation", 0)})


def _conditions(replicaset: Obj, found: int, failure: Any, now: int) -> list[Any]:
    """ReplicaFailure stands, in its first words, until nothing fails."""
    held = get(replicaset, "status", "conditions") or []
    stands = condition(replicaset, FAILURE) is not None
    if (failure is not None) == stands:
        return list(held)
    if stands:
        return [one for one in held if one.get("type") != FAILURE]
    reason = "FailedCreate" if found < replicaset["spec"]["replicas"] else "FailedDelete"
    said = words(failure) if reason == "FailedCreate" else f"unable to delete pods: {words(failure)}"
    new = {"type": FAILURE, "status": "True", "lastTransitionTime": timestamp(now), "reason": reason, "message": said}
    return [*held, new]


def write_status(replicaset: Obj, report: Obj) -> Steps:
    """Write it; if somebody else has written meanwhile, once more on what there is now. Raises Refused."""
    answer = yield UpdateStatus(evolve(replicaset, ("status",), report))
    if answer.error is not None:
        fresh = yield from must(Read(kind_of(replicaset), key_of(replicaset)))
        yield from must(UpdateStatus(evolve(fresh, ("status",), report)))


# -- who is woken ----------------------------------------------------------------------------------------------------
def of_pod(pod: Obj, facts: Facts) -> list[Key]:
    """The ReplicaSet that manages a pod, or those that might adopt it."""
    if controller_of(pod) is not None:
        return owner_key(pod, REPLICA_SET)
    here = facts.of_namespace(REPLICA_SET, pod["metadata"]["namespace"])
    return [key_of(rs) for rs in here if selects(rs, pod)]


CONTROLLER = Controller(
    REPLICA_SET,
    decide,
    (Watch(POD, of_pod, made_here=True, when=concerns_somebody),),
    remembers=(POD, REPLICA_SET),
    source="replicaset-controller",
)
