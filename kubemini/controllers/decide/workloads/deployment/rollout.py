"""How large each ReplicaSet of a Deployment may be: the arithmetic of a rollout, in facts and numbers. Pure.

Invariant (RollingUpdate): never more than ``replicas + maxSurge`` pods wanted, never fewer than
``replicas - maxUnavailable`` available ones, as far as the ReplicaSets' statuses tell; pods on their way out count for
nothing. Surge rounds up, unavailable rounds down; if both are 0, unavailable is 1.
Models k/k pkg/controller/deployment/util NewRSNewReplicas, ResolveFenceposts, FindNewReplicaSet, FindActiveOrLatest
Models k/k pkg/controller/deployment/util GetReplicaSetProportion, IsSaturated
"""

import re
from collections.abc import Sequence

from kubemini.api import quantity
from kubemini.api.objects import EMPTY, Obj, get, without
from kubemini.controllers.decide.workloads.deployment.templates import HASH

REVISION = "deployment.kubernetes.io/revision"
DESIRED = "deployment.kubernetes.io/desired-replicas"
MOST = "deployment.kubernetes.io/max-replicas"
LARGEST = 2**31 - 1
NUMBER = re.compile(r"[+-]?[0-9]{1,19}")
COUNT = re.compile(r"[0-9]{1,10}")


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


def by_age(replicasets: Sequence[Obj]) -> list[Obj]:
    """Oldest first."""
    return sorted(replicasets, key=lambda rs: (rs["metadata"].get("creationTimestamp", ""), rs["metadata"]["name"]))


def divide(deployment: Obj, replicasets: Sequence[Obj]) -> tuple[Obj | None, list[Obj]]:
    """The ReplicaSet with the current template (the oldest, if several), and the others, oldest first."""
    mine = by_age(replicasets)
    new = next((rs for rs in mine if has_template(rs, deployment)), None)
    return new, [rs for rs in mine if rs is not new]


def has_template(rs: Obj, deployment: Obj) -> bool:
    """Whether *rs* makes the pods that *deployment* wants."""
    return bare(rs["spec"]["template"]) == bare(deployment["spec"]["template"])


def bare(template: Obj) -> Obj:
    """A pod template without the label that tells ReplicaSets apart."""
    return without(template, ("metadata", "labels", HASH))


def revision(obj: Obj) -> int:
    """The number of a ReplicaSet in the history of its Deployment; 0 if it has none."""
    return number(str(get(obj, "metadata", "annotations", REVISION, default=""))) or 0


def number(text: str) -> int | None:
    """The number that a text is, if it is one of 64 bits."""
    value = int(text) if NUMBER.fullmatch(text) else None
    return value if value is not None and -(2**63) <= value < 2**63 else None


def noted(obj: Obj, key: str) -> int | None:
    """The count in an annotation; None if there is none, or it is no count."""
    text = str(get(obj, "metadata", "annotations", key, default=""))
    return int(text) if COUNT.fullmatch(text) and int(text) <= LARGEST else None


def sizing(deployment: Obj) -> dict[str, str]:
    """The annotations that remember what a ReplicaSet was sized for."""
    desired, (surge, _) = replicas(deployment), limits(deployment)
    return {DESIRED: str(desired), MOST: str(desired + surge)}


def active(replicasets: Sequence[Obj | None]) -> list[Obj]:
    """Those that should have pods."""
    return [rs for rs in replicasets if rs is not None and replicas(rs) > 0]


def is_scaling(deployment: Obj, replicasets: Sequence[Obj | None]) -> bool:
    """Whether ``spec.replicas`` has changed since the ReplicaSets were last sized."""
    sized = (noted(rs, DESIRED) for rs in active(replicasets))
    return any(number is not None and number != replicas(deployment) for number in sized)


def is_saturated(deployment: Obj, new: Obj | None) -> bool:
    """Whether *new* has all the replicas, and knows it."""
    desired = replicas(deployment)
    if new is None:
        return False
    text = str(get(new, "metadata", "annotations", DESIRED, default=""))
    return number(text) == replicas(new) == available(new) == desired


# -- deciding --------------------------------------------------------------------------------------------------------


def next_size(deployment: Obj, new: Obj | None, old: Sequence[Obj]) -> int:
    """How large the new ReplicaSet is to be now."""
    desired, size = replicas(deployment), replicas(new)
    if size > desired or strategy(deployment) == "Recreate":
        return desired
    surge, _ = limits(deployment)
    return grown(size, size + sum(map(replicas, old)), desired, surge)


def grown(size: int, total: int, desired: int, surge: int) -> int:
    """*size* plus as much as fits, given *total* pods of all ReplicaSets."""
    room = desired + surge - total
    return size if room <= 0 else size + min(room, desired - size)


def spare(deployment: Obj, new: Obj, old: Sequence[Obj]) -> int:
    """How many pods of the old may go at most; those of the new that do not serve yet must not count twice."""
    least = replicas(deployment) - limits(deployment)[1]
    return replicas(new) + sum(map(replicas, old)) - least - (replicas(new) - available(new))


def dispensable(deployment: Obj, replicasets: Sequence[Obj]) -> int:
    """How many that serve may go."""
    return sum(map(available, replicasets)) - (replicas(deployment) - limits(deployment)[1])


def without_unhealthy(rs: Obj, most: int) -> int:
    """The size of an old ReplicaSet without *most* of its pods that do not serve.

    It is larger than now if the status still speaks of pods that are wanted no more: then nothing may go.
    """
    return replicas(rs) - min(replicas(rs) - available(rs), most)


def without_healthy(rs: Obj, most: int) -> int:
    """The size of an old ReplicaSet without *most* of its pods."""
    return replicas(rs) - min(replicas(rs), most)


def only_or_newest(new: Obj | None, old: Sequence[Obj]) -> Obj | None:
    """The only active ReplicaSet, or if there is none the newest; None if several are, or there is none at all."""
    found = active([*old, new])
    if len(found) > 1:
        return None
    return found[0] if found else new or (by_age(old)[-1] if old else None)


def proportions(deployment: Obj, replicasets: Sequence[Obj]) -> list[tuple[Obj, int]]:
    """Each active ReplicaSet and its share of the replicas; what cannot be shared falls to the largest.

    Of two of a size the newer one grows first, and the older one shrinks first.
    """
    found = active(replicasets)
    surge, _ = limits(deployment)
    most = replicas(deployment) + surge if replicas(deployment) else 0
    change = left = most - sum(map(replicas, found))
    if not (change and found):
        return [(rs, replicas(rs)) for rs in found]
    aged = by_age(found)
    ordered = sorted(reversed(aged) if change > 0 else aged, key=lambda rs: -replicas(rs))
    sizes = []
    for rs in ordered:
        share = _share(deployment, rs, replicas(deployment) + surge) if left else 0
        share = min(share, left) if change > 0 else max(share, left)
        left -= share
        sizes.append(replicas(rs) + share)
    sizes[0] = max(0, sizes[0] + left)
    return list(zip(ordered, sizes))


def _share(deployment: Obj, rs: Obj, most: int) -> int:
    """What *rs* gains if it keeps its part of the whole, rounded half away from 0."""
    if replicas(deployment) == 0:
        return -replicas(rs)
    total = noted(rs, MOST) or get(deployment, "status", "replicas", default=0)
    return int(replicas(rs) * most / total + 0.5) - replicas(rs) if total else 0
