"""Sizing the ReplicaSets of a Deployment, one write after the other, each told as an Event.

Models k/k pkg/controller/deployment DeploymentController.scaleReplicaSet, DeploymentController.scale
Models k/k pkg/controller/deployment DeploymentController.reconcileOldReplicaSets
Models k/k pkg/controller/deployment DeploymentController.cleanupUnhealthyReplicas
Models k/k pkg/controller/deployment DeploymentController.scaleDownOldReplicaSetsForRollingUpdate
Models k/k pkg/controller/deployment DeploymentController.cleanupDeployment
"""

from collections.abc import Callable, Sequence

from kubemini.api.objects import EMPTY, Obj, evolve_many, get
from kubemini.controllers.decide.actions import Delete, Tell, Update, terminating
from kubemini.controllers.decide.dialogue import Refused, Steps, must, not_found
from kubemini.controllers.decide.workloads.deployment import rollout
from kubemini.controllers.decide.workloads.deployment.rollout import active, replicas
from kubemini.controllers.decide.workloads.deployment.sets import Look


def resize(look: Look, rs: Obj, size: int, renote: bool = False) -> Steps:
    """*rs* as it is then, of that size; *renote*: though it has it, its notes are to be right. Raises Refused."""
    notes = rollout.sizing(look.deployment)
    was, held = replicas(rs), get(rs, "metadata", "annotations", default=EMPTY)
    if was == size and not (renote and any(held.get(key) != text for key, text in notes.items())):
        return rs
    noted = [(("metadata", "annotations", key), text) for key, text in notes.items()]
    changed = yield from must(Update(evolve_many(rs, (("spec", "replicas"), size), *noted)))
    if was != size:
        way, name = "up" if was < size else "down", rs["metadata"]["name"]
        text = f"Scaled {way} replica set {name} from {was} to {size}"
        yield Tell(look.deployment, "Normal", "ScalingReplicaSet", text)
    return changed


def scale(look: Look, new: Obj | None, old: Sequence[Obj]) -> Steps:
    """``spec.replicas`` has changed, or the Deployment is paused: no rollout, only numbers. Raises Refused.

    The only active ReplicaSet takes it all; several share it by their sizes.
    """
    only = rollout.only_or_newest(new, old)
    if only is not None:
        yield from resize(look, only, replicas(look.deployment))
    elif rollout.is_saturated(look.deployment, new):
        for rs in active(old):
            yield from resize(look, rs, 0)
    elif rollout.strategy(look.deployment) == "RollingUpdate":
        for rs, size in rollout.proportions(look.deployment, [*old, new] if new is not None else old):
            yield from resize(look, rs, size, renote=True)


def shrink(look: Look, new: Obj, old: Sequence[Obj]) -> Steps:
    """Take from the old: first pods that do not serve anyway, then as many as may be missing. Whether any went.

    A write that is refused ends it, and is no failure: the next look sees what has become of it.
    """
    most = rollout.spare(look.deployment, new, old)
    standing = active(old)
    if not standing or most <= 0:
        return False
    try:
        standing, sick = yield from _less(look, standing, most, rollout.without_unhealthy)
        most = rollout.dispensable(look.deployment, [*standing, new])
        standing, sound = yield from _less(look, standing, most, rollout.without_healthy)
    except Refused:
        return False
    return sick + sound > 0


def _less(look: Look, standing: Sequence[Obj], most: int, size: Callable[[Obj, int], int]) -> Steps:
    """(the ReplicaSets without *most* pods, oldest first; how many that were). Raises Refused."""
    after, gone = list(standing), 0
    for place, rs in enumerate(standing):
        if gone >= most:
            break
        wanted = size(rs, most - gone)
        if wanted > replicas(rs):
            raise Refused(f"{rs['metadata']['name']} reports more pods than it is to have")
        gone += replicas(rs) - wanted
        after[place] = yield from resize(look, rs, wanted)
    return after, gone


def clean_up(look: Look, old: Sequence[Obj]) -> Steps:
    """Beyond ``revisionHistoryLimit``, of the oldest revisions those go that are empty. Raises Refused."""
    limit = look.deployment["spec"].get("revisionHistoryLimit", 10)
    alive = [rs for rs in old if not terminating(rs)]
    surplus = len(alive) - limit if limit != rollout.LARGEST else 0
    for rs in sorted(rollout.by_age(alive), key=rollout.revision)[: max(0, surplus)]:
        if _is_empty(rs):
            answer = yield Delete(rs)
            if answer.error is not None and not not_found(answer.error):
                raise Refused(answer.error)


def _is_empty(rs: Obj) -> bool:
    observed = get(rs, "status", "observedGeneration", default=0) >= rs["metadata"].get("generation", 0)
    return observed and replicas(rs) == get(rs, "status", "replicas", default=0) == 0
