"""Deployment controller: one ReplicaSet a pod template; a rollout moves replicas from the old ones to the new one.

Invariant (RollingUpdate): never more than ``replicas + maxSurge`` pods, never fewer than ``replicas - maxUnavailable``
available ones, as far as the ReplicaSets' statuses tell. Each call does the next step only; the change it makes wakes
it again. Surge rounds up, unavailable rounds down; if both are 0, unavailable is 1.
k/k pkg/controller/deployment (sync.go, rolling.go, recreate.go, progress.go, util/deployment_util.go).
Simplified: the hash of the template is taken over its JSON, so names differ from a real cluster's; no collision count.
"""

import json
from collections.abc import Sequence
from typing import Any

from kubemini.api import quantity
from kubemini.api.kinds import REPLICA_SET
from kubemini.api.objects import EMPTY, Obj, evolve, evolve_many, freeze, get, without
from kubemini.api.timestamps import instant, timestamp
from kubemini.controllers.decide.actions import (
    Action,
    Create,
    Delete,
    Plan,
    Update,
    UpdateStatus,
    condition,
    controller_uid,
    is_finished,
    owner_reference,
    terminating,
)
from kubemini.sim.units import SECOND

HASH = "pod-template-hash"
REVISION = "deployment.kubernetes.io/revision"
DESIRED = "deployment.kubernetes.io/desired-replicas"
MOST = "deployment.kubernetes.io/max-replicas"
NO_DEADLINE = 2**31 - 1
DONE = "NewReplicaSetAvailable"
_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"  # no vowels: no bad words


def plan(deployment: Obj, replicasets: Sequence[Obj], pods: Sequence[Obj], settled: bool, now: int) -> Plan:
    """The next step of *deployment*, given its ReplicaSets and the pods of these; and its status as of now."""
    new, old = divide(deployment, replicasets)
    steps: list[Action] = []
    if not terminating(deployment):
        steps = _annotate(deployment, new, old) or _step(deployment, new, old, pods)
    report = status(deployment, new, old, now)
    if report != get(deployment, "status") and not any(s.obj["kind"] == "Deployment" for s in steps):
        steps.append(UpdateStatus(evolve(deployment, ("status",), report)))
    return Plan(tuple(steps), _deadline(deployment, report, now))


def _step(deployment: Obj, new: Obj | None, old: Sequence[Obj], pods: Sequence[Obj]) -> list[Action]:
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


def template_hash(template: Obj) -> str:
    """A short name of a pod template: FNV-1a of it, in letters and digits that make no words."""
    value = 0x811C9DC5
    for byte in json.dumps(template, sort_keys=True, separators=(",", ":")).encode():
        value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    return "".join(_ALPHABET[ord(digit) % len(_ALPHABET)] for digit in str(value))


def revision(obj: Obj) -> int:
    """The number of a ReplicaSet in the history of its Deployment."""
    return int(get(obj, "metadata", "annotations", REVISION, default="0"))


def is_scaling(deployment: Obj, new: Obj | None, old: Sequence[Obj]) -> bool:
    """Whether ``spec.replicas`` has changed since the ReplicaSets were last sized."""
    noted = (get(rs, "metadata", "annotations", DESIRED) for rs in _active([*old, new]))
    return any(text is not None and int(text) != replicas(deployment) for text in noted)


def _active(replicasets: Sequence[Obj | None]) -> list[Obj]:
    return [rs for rs in replicasets if replicas(rs) > 0 and rs is not None]


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
    noted = get(rs, "metadata", "annotations", MOST)
    total = int(noted) if noted else get(deployment, "status", "replicas", default=0)
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


def new_replicaset(deployment: Obj, old: Sequence[Obj], size: int) -> Obj:
    """The ReplicaSet of the current template."""
    spec, meta = deployment["spec"], deployment["metadata"]
    name = template_hash(spec["template"])
    label = {HASH: name}
    template = evolve(spec["template"], ("metadata", "labels"), {**spec["template"]["metadata"]["labels"], **label})
    selector = evolve(spec["selector"], ("matchLabels",), {**spec["selector"].get("matchLabels", EMPTY), **label})
    number = {REVISION: str(1 + max(map(revision, old), default=0))}
    return freeze(
        {
            "apiVersion": REPLICA_SET.api_version,
            "kind": REPLICA_SET.kind,
            "metadata": {
                "name": f"{meta['name']}-{name}",
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


def _annotate(deployment: Obj, new: Obj | None, old: Sequence[Obj]) -> list[Action]:
    """Keep the revision numbers right: an old template that comes back gets the next number."""
    if new is None:
        return []
    number = str(max(revision(new), 1 + max(map(revision, old), default=0)))
    where = ("metadata", "annotations", REVISION)
    return [Update(evolve(obj, where, number)) for obj in (new, deployment) if get(obj, *where) != number]


# -- status ----------------------------------------------------------------------------------------------------------


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


def progressing(before: Obj, counts: dict[str, int]) -> bool:
    """Whether the status shows a step forward since *before*."""
    was = {key: before.get(key, 0) for key in counts}
    older, were_older = counts["replicas"] - counts["updatedReplicas"], was["replicas"] - was["updatedReplicas"]
    grown = any(counts[key] > was[key] for key in ("updatedReplicas", "readyReplicas", "availableReplicas"))
    return grown or older < were_older


def status(deployment: Obj, new: Obj | None, old: Sequence[Obj], now: int) -> Obj:
    """What to report; ``kubectl rollout status`` reads it."""
    counts = status_counts([*old, new], new)
    _, unavailable = limits(deployment)
    enough = counts["availableReplicas"] >= replicas(deployment) - unavailable
    conditions = [_availability(deployment, enough, now), _progress(deployment, new, counts, now)]
    shown = {key: count for key, count in counts.items() if count}
    observed = deployment["metadata"].get("generation", 0)
    return freeze({**shown, "observedGeneration": observed, "conditions": [c for c in conditions if c]})


def _availability(deployment: Obj, enough: bool, now: int) -> dict[str, Any]:
    reason = "MinimumReplicasAvailable" if enough else "MinimumReplicasUnavailable"
    text = "Deployment has minimum availability." if enough else "Deployment does not have minimum availability."
    return _condition(deployment, "Available", "True" if enough else "False", reason, text, now)


def _progress(deployment: Obj, new: Obj | None, counts: dict[str, int], now: int) -> Obj | None:
    """The condition Progressing: made, going on, done, or stuck for longer than the deadline."""
    before, name = condition(deployment, "Progressing"), new["metadata"]["name"] if new else ""
    if deployment["spec"].get("progressDeadlineSeconds", 600) == NO_DEADLINE or (new is None and before is None):
        return before
    if new is not None and complete(deployment, counts):
        text = f'ReplicaSet "{name}" has successfully progressed.'
        return _condition(deployment, "Progressing", "True", DONE, text, now)
    if before is not None and before["reason"] == DONE and counts["updatedReplicas"] == counts["replicas"]:
        return before  # what was rolled out once is not undone by a pod that fails
    if before is None or progressing(get(deployment, "status", default=EMPTY), counts):
        reason, text = "ReplicaSetUpdated", f'ReplicaSet "{name}" is progressing.'
        if before is None:
            reason, text = "NewReplicaSetCreated", f'Created new replica set "{name}"'
        return _condition(deployment, "Progressing", "True", reason, text, now, updated=True)
    if now > _due(deployment, before):
        text = f'ReplicaSet "{name}" has timed out progressing.'
        return _condition(deployment, "Progressing", "False", "ProgressDeadlineExceeded", text, now)
    return before


def _due(deployment: Obj, progress: Obj) -> int:
    """When the rollout counts as stuck, if nothing moves until then."""
    return instant(progress["lastUpdateTime"]) + deployment["spec"].get("progressDeadlineSeconds", 600) * SECOND


def _deadline(deployment: Obj, report: Obj, now: int) -> int | None:
    """When to look again, in case nothing moves until then."""
    progress = next((c for c in report["conditions"] if c["type"] == "Progressing"), None)
    if progress is None or progress["reason"] in (DONE, "ProgressDeadlineExceeded"):
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
        "lastUpdateTime": before["lastUpdateTime"] if same and same_status and not updated else stamp,
        "lastTransitionTime": before["lastTransitionTime"] if same_status else stamp,
    }
