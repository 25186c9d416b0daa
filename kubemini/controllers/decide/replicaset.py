"""ReplicaSet controller: as many pods as ``spec.replicas`` says, and the least useful ones go first.

Invariant: decides from states, never from events: called twice with the same facts it says the same, and what was
missed in between does not matter. Pods that are on their way out, or have run to their end, do not count.
Models k/k pkg/controller/replicaset ReplicaSetController.syncReplicaSet
Models k/k pkg/controller ActivePodsWithRanks.Less
Simplified: pods are made one after another, not 1, 2, 4, … at once; no condition ReplicaFailure.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from kubemini.api import labels
from kubemini.api.kinds import POD, REPLICA_SET
from kubemini.api.objects import EMPTY, Obj, evolve, freeze, get
from kubemini.api.timestamps import instant
from kubemini.controllers.decide.actions import (
    Action,
    Create,
    Delete,
    Plan,
    UpdateStatus,
    condition,
    controller_of,
    controller_uid,
    is_finished,
    is_ready,
    owner_reference,
    terminating,
)
from kubemini.controllers.decide.claims import claim, selects
from kubemini.controllers.decide.controller import Controller, Facts, Key, Watch, key_of, owner_key
from kubemini.sim.units import NEVER, SECOND

BURST = 500  # pods made or deleted in one go: BurstReplicas
PHASES = {"Pending": 0, "Unknown": 1, "Running": 2}
NUMBER = re.compile(r"[+-]?[0-9]{1,10}")
DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"


def decide(replicaset: Obj, facts: Facts, caught_up: bool, now: int) -> Plan:
    """What makes a ReplicaSet true."""
    meta, owner = replicaset["metadata"], controller_uid(replicaset)
    siblings = facts.owned_by(REPLICA_SET, owner) if owner else []
    candidates = [*facts.owned_by(POD, meta["uid"]), *facts.orphans(POD, meta["namespace"])]
    return plan(replicaset, candidates, facts.owned_by_all(POD, siblings), caught_up, now)


def plan(replicaset: Obj, pods: Sequence[Obj], related: Sequence[Obj], caught_up: bool, now: int) -> Plan:
    """What makes *replicaset* true.

    *pods*: those of its namespace; *related*: the pods of all ReplicaSets of the same Deployment, for the ranking,
    none if it has no Deployment;
    *caught_up*: the cache shows all that was asked for before.
    """
    claims = claim(replicaset, [pod for pod in pods if controller_of(pod) or is_active(pod)])
    mine = [pod for pod in pods if is_active(pod) and controller_uid(pod) == replicaset["metadata"]["uid"]]
    mine = [pod for pod in mine if selects(replicaset, pod)]
    steps: list[Action] = []
    if caught_up and not claims and not terminating(replicaset):
        steps = scale(replicaset, mine, related, now)
    report = status(replicaset, mine, now)
    if report != get(replicaset, "status"):
        steps.append(UpdateStatus(evolve(replicaset, ("status",), report)))
    return Plan((*claims, *steps), next_available(replicaset, mine, now))


def is_active(pod: Obj) -> bool:
    """Whether it counts."""
    return not is_finished(pod) and not terminating(pod)


def scale(replicaset: Obj, mine: Sequence[Obj], related: Sequence[Obj], now: int) -> list[Action]:
    """Pods to make, or to delete."""
    missing = replicaset["spec"]["replicas"] - len(mine)
    if missing > 0:
        return [Create(new_pod(replicaset))] * min(missing, BURST)
    surplus = min(-missing, BURST)
    return [Delete(pod) for pod in least_useful_first(mine, related, now)[:surplus]] if surplus else []


def new_pod(replicaset: Obj) -> Obj:
    """A pod after the template; the API server completes its name."""
    template = replicaset["spec"]["template"]
    meta = template.get("metadata", EMPTY)
    return freeze(
        {
            "apiVersion": POD.api_version,
            "kind": POD.kind,
            "metadata": {
                **{part: meta[part] for part in ("labels", "annotations", "finalizers") if meta.get(part)},
                "generateName": replicaset["metadata"]["name"] + "-",
                "namespace": replicaset["metadata"]["namespace"],
                "ownerReferences": [owner_reference(replicaset)],
            },
            "spec": template["spec"],
        }
    )


# -- which pods go first ---------------------------------------------------------------------------------------------


def least_useful_first(pods: Iterable[Obj], related: Iterable[Obj], now: int) -> list[Obj]:
    """The order in which pods are given up.

    Not scheduled, then Pending before Unknown before Running, not ready, cheap by annotation, crowded on its node,
    ready for a shorter time (by orders of two), restarted more often, younger (by orders of two), lowest UID.
    """
    crowd = Counter(get(pod, "spec", "nodeName", default="") for pod in related if is_active(pod))

    def rank(pod: Obj) -> tuple:
        node = get(pod, "spec", "nodeName", default="")
        return (
            bool(node),
            PHASES.get(get(pod, "status", "phase", default=""), 0),
            is_ready(pod),
            _cost(pod),
            -crowd[node],
            _ready_magnitude(pod, now),
            -_restarts(pod),
            _magnitude(pod["metadata"].get("creationTimestamp"), now),
            pod["metadata"]["uid"],
        )

    return sorted(pods, key=rank)


def _cost(pod: Obj) -> int:
    text = str(get(pod, "metadata", "annotations", DELETION_COST, default=""))
    return int(text) if NUMBER.fullmatch(text) else 0


def _restarts(pod: Obj) -> int:
    return max((c.get("restartCount", 0) for c in get(pod, "status", "containerStatuses") or ()), default=0)


def _ready_magnitude(pod: Obj, now: int) -> int:
    ready = condition(pod, "Ready")
    return _magnitude(ready.get("lastTransitionTime"), now) if ready and ready["status"] == "True" else -1


def _magnitude(since: str | None, now: int) -> int:
    """How long ago, as a power of two in nanoseconds: LogarithmicScaleDown."""
    return max(0, now - instant(since)).bit_length() if since else -1


# -- status ----------------------------------------------------------------------------------------------------------


def status(replicaset: Obj, mine: Sequence[Obj], now: int) -> Obj:
    """What to report."""
    wanted = get(replicaset, "spec", "template", "metadata", "labels", default=EMPTY)
    counts = {
        "replicas": len(mine),
        "fullyLabeledReplicas": sum(labels.contains(pod["metadata"].get("labels"), wanted) for pod in mine),
        "readyReplicas": sum(map(is_ready, mine)),
        "availableReplicas": sum(available_at(replicaset, pod, now) <= now for pod in mine),
    }
    report = {key: count for key, count in counts.items() if count or key == "replicas"}
    return freeze({**report, "observedGeneration": replicaset["metadata"].get("generation", 0)})


def available_at(replicaset: Obj, pod: Obj, now: int) -> int:
    """When the pod counts as available: ready for ``minReadySeconds``."""
    least = replicaset["spec"].get("minReadySeconds", 0) * SECOND
    if not is_ready(pod):
        return NEVER
    since = (condition(pod, "Ready") or EMPTY).get("lastTransitionTime")
    return now if not least else instant(since) + least if since else NEVER


def next_available(replicaset: Obj, mine: Sequence[Obj], now: int) -> int | None:
    """The next instant at which a pod becomes available by the passing of time alone."""
    soon = [at for pod in mine if now < (at := available_at(replicaset, pod, now)) < NEVER]
    return min(soon, default=None)


# -- who is woken ----------------------------------------------------------------------------------------------------
def of_pod(pod: Obj, facts: Facts) -> list[Key]:
    """The ReplicaSet that manages a pod, or those that might adopt it."""
    if controller_of(pod) is not None:
        return owner_key(pod, REPLICA_SET)
    here = facts.of_namespace(REPLICA_SET, pod["metadata"]["namespace"])
    return [key_of(rs) for rs in here if selects(rs, pod)]


CONTROLLER = Controller(REPLICA_SET, decide, (Watch(POD, of_pod, made_here=True),), remembers=(POD, REPLICA_SET))
