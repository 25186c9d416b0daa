"""A rollout, step by step: one ReplicaSet a pod template, and replicas that move from the old ones to the new. Pure.

Invariant (RollingUpdate): never more than ``replicas + maxSurge`` pods, never fewer than ``replicas - maxUnavailable``
available ones, as far as the ReplicaSets' statuses tell. Each call does the next step only; the change it makes wakes
it again. Surge rounds up, unavailable rounds down; if both are 0, unavailable is 1.
Models k/k pkg/controller/deployment DeploymentController.rolloutRolling
Models k/k pkg/controller/deployment DeploymentController.rolloutRecreate
Models k/k pkg/controller/deployment DeploymentController.scale
Models k/k pkg/controller/deployment/util NewRSNewReplicas
Models k/k pkg/controller/deployment/util ResolveFenceposts
Simplified: the hash of the template is taken over its JSON, so names differ from a real cluster's.
"""

import json
import re
from collections.abc import Sequence

from kubemini.api import names, quantity
from kubemini.api.kinds import REPLICA_SET
from kubemini.api.objects import EMPTY, Obj, evolve, evolve_many, freeze, get, without
from kubemini.controllers.decide.actions import (
    Action,
    Create,
    Delete,
    Update,
    controller_uid,
    is_finished,
    owner_reference,
    terminating,
)

HASH = "pod-template-hash"
REVISION = "deployment.kubernetes.io/revision"
DESIRED = "deployment.kubernetes.io/desired-replicas"
MOST = "deployment.kubernetes.io/max-replicas"
NUMBER = re.compile(r"-?[0-9]{1,10}")


def step(deployment: Obj, new: Obj | None, old: Sequence[Obj], pods: Sequence[Obj]) -> list[Action]:
    """What to do next."""
    if deployment["spec"].get("paused") or is_scaling(deployment, new, old):
        return scale(deployment, new, old)
    if strategy(deployment) == "Recreate":
        return recreate(deployment, new, old, pods)
    return rolling(deployment, new, old)


# -- reading ---------------------------------------------------------------------------------------------------------


def strategy(deployment: Obj) -> str:
    """RollingUpdate or Recreate."""
    return get(deployment, "spec", "strategy", "type", default="RollingUpdate")


def replicas(obj: Obj | None) -> int:
    """How many are wanted; of nothing, none."""
    return 0 if obj is None else obj["spec"].get("replicas", 1)


def available(obj: Obj | None) -> int:
    """How many can serve, by the ReplicaSet's status."""
    return 0 if obj is None else get(obj, "status", "availableReplicas", default=0)


def fenceposts(surge: int | str | None, unavailable: int | str | None, desired: int) -> tuple[int, int]:
    """``maxSurge`` and ``maxUnavailable`` in pods; they are not both 0. Raises QuantityError."""
    up = quantity.scaled(surge or 0, desired, round_up=True)
    down = quantity.scaled(unavailable or 0, desired, round_up=False)
    return up, 1 if up == down == 0 else down


def limits(deployment: Obj) -> tuple[int, int]:
    """(surge, unavailable) in pods; without rolling update, none."""
    if strategy(deployment) != "RollingUpdate":
        return 0, 0
    rolling_update = get(deployment, "spec", "strategy", "rollingUpdate", default=EMPTY)
    surge, unavailable = rolling_update.get("maxSurge", "25%"), rolling_update.get("maxUnavailable", "25%")
    desired = replicas(deployment)
    up, down = fenceposts(surge, unavailable, desired)
    return up, min(down, desired)


def divide(deployment: Obj, replicasets: Sequence[Obj]) -> tuple[Obj | None, list[Obj]]:
    """The ReplicaSet with the current template (the oldest, if several), and the others, oldest first."""
    mine = sorted(replicasets, key=lambda rs: (rs["metadata"].get("creationTimestamp", ""), rs["metadata"]["name"]))
    template = bare(deployment["spec"]["template"])
    new = next((rs for rs in mine if bare(rs["spec"]["template"]) == template), None)
    return new, [rs for rs in mine if rs is not new]


def bare(template: Obj) -> Obj:
    """A pod template without the label that tells ReplicaSets apart."""
    return without(template, ("metadata", "labels", HASH))


def template_hash(template: Obj, collisions: int = 0) -> str:
    """A short name of a pod template: FNV-1a of it, in letters and digits that make no words.

    After *collisions* with names that were taken it is another one.
    """
    value = 0x811C9DC5
    text = json.dumps(template, sort_keys=True, separators=(",", ":")) + (str(collisions) if collisions else "")
    for byte in text.encode():
        value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    return names.safe_encoded(str(value))


def revision(obj: Obj) -> int:
    """The number of a ReplicaSet in the history of its Deployment."""
    return _noted(obj, REVISION) or 0


def _noted(obj: Obj, key: str) -> int | None:
    """The number in an annotation; None if there is none, or it is no number."""
    text = str(get(obj, "metadata", "annotations", key, default=""))
    return int(text) if NUMBER.fullmatch(text) else None


def is_scaling(deployment: Obj, new: Obj | None, old: Sequence[Obj]) -> bool:
    """Whether ``spec.replicas`` has changed since the ReplicaSets were last sized."""
    noted = (_noted(rs, DESIRED) for rs in _active([*old, new]))
    return any(number is not None and number != replicas(deployment) for number in noted)


def _active(replicasets: Sequence[Obj | None]) -> list[Obj]:
    return [rs for rs in replicasets if replicas(rs) > 0 and rs is not None]


def status_counts(replicasets: Sequence[Obj | None], new: Obj | None) -> dict[str, int]:
    """The numbers of the status."""
    total = {
        key: sum(get(rs, "status", key, default=0) for rs in replicasets)
        for key in ("replicas", "readyReplicas", "availableReplicas")
    }
    wanted = sum(map(replicas, replicasets))
    return {
        **total,
        "updatedReplicas": get(new, "status", "replicas", default=0),
        "unavailableReplicas": max(0, wanted - total["availableReplicas"]),
    }


def complete(deployment: Obj, counts: dict[str, int]) -> bool:
    """Whether the rollout is over: all pods are of the new template, and all are available."""
    desired = replicas(deployment)
    return counts["updatedReplicas"] == counts["replicas"] == counts["availableReplicas"] == desired


# -- steps -----------------------------------------------------------------------------------------------------------


def rolling(deployment: Obj, new: Obj | None, old: Sequence[Obj]) -> list[Action]:
    """Up with the new, then down with the old, each as far as the limits allow."""
    if new is None:
        return [Create(new_replicaset(deployment, old, next_size(deployment, None, old)))]
    size = next_size(deployment, new, old)
    if size != replicas(new):
        return [resize(deployment, new, size)]
    shrunk = shrink(deployment, new, old)
    if shrunk:
        return shrunk
    return clean_up(deployment, old) if complete(deployment, status_counts([new, *old], new)) else []


def recreate(deployment: Obj, new: Obj | None, old: Sequence[Obj], pods: Sequence[Obj]) -> list[Action]:
    """First nothing of the old is left, then comes the new."""
    if _active(old):
        return [resize(deployment, rs, 0) for rs in _active(old)]
    of_old = [rs["metadata"]["uid"] for rs in old]
    if any(controller_uid(pod) in of_old and not is_finished(pod) for pod in pods):
        return []
    if new is None:
        return [Create(new_replicaset(deployment, old, replicas(deployment)))]
    if replicas(new) != replicas(deployment):
        return [resize(deployment, new, replicas(deployment))]
    return clean_up(deployment, old) if complete(deployment, status_counts([new, *old], new)) else []


def next_size(deployment: Obj, new: Obj | None, old: Sequence[Obj]) -> int:
    """How large the new ReplicaSet is to be now."""
    size = replicas(new)
    if size > replicas(deployment):
        return replicas(deployment)
    surge, _ = limits(deployment)
    return grown(size, size + sum(map(replicas, old)), replicas(deployment), surge)


def grown(size: int, total: int, desired: int, surge: int) -> int:
    """*size* plus as much as fits, given *total* pods of all ReplicaSets."""
    room = desired + surge - total
    return size if room <= 0 else size + min(room, desired - size)


def shrink(deployment: Obj, new: Obj, old: Sequence[Obj]) -> list[Action]:
    """Take from the old: first pods that do not serve anyway, then as many as may be missing."""
    _, unavailable = limits(deployment)
    least = replicas(deployment) - unavailable
    spare = replicas(new) + sum(map(replicas, old)) - least - (replicas(new) - available(new))
    if spare <= 0 or not _active(old):
        return []
    sizes = drop_unhealthy([(replicas(rs), available(rs)) for rs in old], spare)
    sizes = drop_healthy(sizes, sum(map(available, [new, *old])) - least)
    return [resize(deployment, rs, size) for rs, size in zip(old, sizes) if size != replicas(rs)]


def drop_unhealthy(old: Sequence[tuple[int, int]], most: int) -> list[int]:
    """The sizes of old ReplicaSets, given (size, available) of each, without *most* pods that do not serve."""
    sizes = []
    for size, serving in old:
        drop = max(0, min(size - serving, most))
        most -= drop
        sizes.append(size - drop)
    return sizes


def drop_healthy(sizes: Sequence[int], most: int) -> list[int]:
    """The sizes of old ReplicaSets, oldest first, without *most* pods."""
    smaller = []
    for size in sizes:
        drop = max(0, min(size, most))
        most -= drop
        smaller.append(size - drop)
    return smaller


def scale(deployment: Obj, new: Obj | None, old: Sequence[Obj]) -> list[Action]:
    """``spec.replicas`` has changed: the only active ReplicaSet takes it all, several share it by their sizes."""
    active = _active([*old, new])
    only = active[0] if len(active) == 1 else None if active else new or (old[-1] if old else None)
    if only is not None:
        return [resize(deployment, only, replicas(deployment))] if _unsized(deployment, only) else []
    if new is not None and replicas(new) == available(new) == replicas(deployment):
        return [resize(deployment, rs, 0) for rs in _active(old)]
    return proportionally(deployment, active) if strategy(deployment) == "RollingUpdate" else []


def proportionally(deployment: Obj, active: Sequence[Obj]) -> list[Action]:
    """Share what is to be added or removed among *active*, by their share of the old total; rests go to the largest."""
    surge, _ = limits(deployment)
    most = replicas(deployment) + surge if replicas(deployment) else 0
    change = left = most - sum(map(replicas, active))
    by_age = sorted(active, key=lambda rs: rs["metadata"]["creationTimestamp"], reverse=change > 0)
    ordered = sorted(by_age, key=lambda rs: -replicas(rs))
    sizes = []
    for rs in ordered:
        share = _share(deployment, rs, most) if change else 0
        share = min(share, left) if change > 0 else max(share, left)
        left -= share
        sizes.append(replicas(rs) + share)
    if sizes:
        sizes[0] = max(0, sizes[0] + left)
    return [resize(deployment, rs, size) for rs, size in zip(ordered, sizes) if _unsized(deployment, rs, size)]


def _share(deployment: Obj, rs: Obj, most: int) -> int:
    if replicas(deployment) == 0:
        return -replicas(rs)
    total = _noted(rs, MOST) or get(deployment, "status", "replicas", default=0)
    return int(replicas(rs) * most / total + 0.5) - replicas(rs) if total else 0


def _unsized(deployment: Obj, rs: Obj, size: int | None = None) -> bool:
    """Whether *rs* lacks that size, or the note of what it was sized for."""
    wanted = replicas(deployment) if size is None else size
    noted = get(rs, "metadata", "annotations", default=EMPTY)
    return replicas(rs) != wanted or any(noted.get(key) != text for key, text in sizing(deployment).items())


def clean_up(deployment: Obj, old: Sequence[Obj]) -> list[Action]:
    """Beyond ``revisionHistoryLimit``, the oldest empty ReplicaSets go."""
    empty = [rs for rs in old if _is_empty(rs)]
    surplus = len(old) - deployment["spec"].get("revisionHistoryLimit", 10)
    return [Delete(rs) for rs in sorted(empty, key=revision)[: max(0, surplus)]]


def _is_empty(rs: Obj) -> bool:
    observed = get(rs, "status", "observedGeneration", default=0) >= rs["metadata"].get("generation", 0)
    return observed and not terminating(rs) and replicas(rs) == get(rs, "status", "replicas", default=0) == 0


# -- writing ---------------------------------------------------------------------------------------------------------


def sizing(deployment: Obj) -> dict[str, str]:
    """The annotations that remember what a ReplicaSet was sized for."""
    desired, (surge, _) = replicas(deployment), limits(deployment)
    return {DESIRED: str(desired), MOST: str(desired + surge)}


def resize(deployment: Obj, rs: Obj, size: int) -> Update:
    """*rs* with another size."""
    notes = [(("metadata", "annotations", key), text) for key, text in sizing(deployment).items()]
    return Update(evolve_many(rs, (("spec", "replicas"), size), *notes))


def hash_of(deployment: Obj) -> str:
    """The hash that tells the ReplicaSet of the current template from the others."""
    return template_hash(deployment["spec"]["template"], get(deployment, "status", "collisionCount", default=0))


def name_of_new(deployment: Obj) -> str:
    """The name that the ReplicaSet of the current template is given."""
    return f"{deployment['metadata']['name']}-{hash_of(deployment)}"


def new_replicaset(deployment: Obj, old: Sequence[Obj], size: int) -> Obj:
    """The ReplicaSet of the current template."""
    spec, meta = deployment["spec"], deployment["metadata"]
    name = hash_of(deployment)
    label = {HASH: name}
    template = evolve(
        spec["template"], ("metadata", "labels"), {**(get(spec, "template", "metadata", "labels") or EMPTY), **label}
    )
    selector = evolve(spec["selector"], ("matchLabels",), {**(spec["selector"].get("matchLabels") or EMPTY), **label})
    number = {REVISION: str(1 + max(map(revision, old), default=0))}
    return freeze(
        {
            "apiVersion": REPLICA_SET.api_version,
            "kind": REPLICA_SET.kind,
            "metadata": {
                "name": name_of_new(deployment),
                "namespace": meta["namespace"],
                "labels": template["metadata"]["labels"],
                "annotations": {**sizing(deployment), **number},
                "ownerReferences": [owner_reference(deployment)],
            },
            "spec": {
                "replicas": size,
                "selector": selector,
                "template": template,
                **({"minReadySeconds": spec["minReadySeconds"]} if spec.get("minReadySeconds") else {}),
            },
        }
    )


def annotate(deployment: Obj, new: Obj | None, old: Sequence[Obj]) -> list[Action]:
    """Keep the revision numbers right: an old template that comes back gets the next number."""
    if new is None:
        return []
    number = str(max(revision(new), 1 + max(map(revision, old), default=0)))
    where = ("metadata", "annotations", REVISION)
    return [Update(evolve(obj, where, number)) for obj in (new, deployment) if get(obj, *where) != number]
