"""Deployment controller: one ReplicaSet a pod template; a rollout moves replicas from the old ones to the new one.

Each look does one step: it sizes the new ReplicaSet, or else the old ones, then reports. What it changes wakes it.
Models k/k pkg/controller/deployment DeploymentController.syncDeployment
Models k/k pkg/controller/deployment DeploymentController.rolloutRolling, DeploymentController.rolloutRecreate
Models k/k pkg/controller/deployment DeploymentController.rollback
"""

from collections.abc import Sequence

from kubemini.api.kinds import DEPLOYMENT, POD, REPLICA_SET
from kubemini.api.objects import Obj, evolve, freeze, get, without
from kubemini.controllers.decide.actions import Tell, Update, controller_of, controller_uid, is_finished, terminating
from kubemini.controllers.decide.claims import claimed, concerns_somebody, selects
from kubemini.controllers.decide.controller import Controller, Facts, Key, Watch, key_of, owner_key
from kubemini.controllers.decide.dialogue import Dialogue, End, Refused, Steps, must, namespace_is_ending
from kubemini.controllers.decide.workloads.deployment import progress, rollout, scaling, sets
from kubemini.controllers.decide.workloads.deployment.rollout import active, replicas
from kubemini.controllers.decide.workloads.deployment.sets import Look

RETRIES = 15  # maxRetries


def decide(deployment: Obj, facts: Facts, caught_up: bool, now: int) -> Dialogue:
    """The next step of a Deployment."""
    meta = deployment["metadata"]
    candidates = [*facts.owned_by(REPLICA_SET, meta["uid"]), *facts.orphans(REPLICA_SET, meta["namespace"])]
    look = Look(deployment, [], lambda key: facts.get(REPLICA_SET, key), now)
    try:
        look.replicasets = yield from claimed(deployment, candidates)
        look.pods = facts.owned_by_all(POD, look.replicasets)
        yield from _sync(look)
    except Refused as refused:
        return End(error=None if namespace_is_ending(refused.error) else refused.error)
    return End(again_at=look.again_at)


def _sync(look: Look) -> Steps:
    deployment = look.deployment
    if terminating(deployment):
        new, old = yield from sets.sync(look, create=False)
        yield from _report_counts(look, new, old)
        return
    yield from _pause_or_resume(look)
    if deployment["spec"].get("paused"):
        yield from _scale(look)
    elif _rollback_to(deployment) is not None:
        yield from _roll_back(look)
    else:
        new, old = yield from sets.sync(look, create=False)
        if rollout.is_scaling(deployment, [*old, new]):
            yield from _scale(look)
        elif rollout.strategy(deployment) == "Recreate":
            yield from _recreate(look)
        else:
            yield from _roll(look)


# -- the ways of a look ----------------------------------------------------------------------------------------------


def _roll(look: Look) -> Steps:
    """RollingUpdate: up with the new, else down with the old, each as far as the limits allow."""
    new, old = yield from sets.sync(look, create=True)
    size = rollout.next_size(look.deployment, new, old)
    if size != replicas(new):
        yield from scaling.resize(look, new, size)
    elif not (yield from scaling.shrink(look, new, old)):
        yield from _clean_up(look, old)
    yield from _report(look, new, old)


def _recreate(look: Look) -> Steps:
    """Recreate: first nothing of the old is left, then comes the new."""
    new, old = yield from sets.sync(look, create=False)
    standing = active(old)
    for rs in standing:
        yield from scaling.resize(look, rs, 0)
    if not standing and not _old_pods_run(look, new, old):
        if new is None:
            new, old = yield from sets.sync(look, create=True)
        yield from scaling.resize(look, new, replicas(look.deployment))
        yield from _clean_up(look, old)
    yield from _report(look, new, old)


def _old_pods_run(look: Look, new: Obj | None, old: Sequence[Obj]) -> bool:
    """Whether a pod of the old template may still run, being deleted or not."""
    if any(get(rs, "status", "replicas", default=0) for rs in old):
        return True
    mine = new["metadata"]["uid"] if new is not None else ""
    return any(controller_uid(pod) != mine and not is_finished(pod) for pod in look.pods)


def _scale(look: Look) -> Steps:
    """Only numbers: paused, or ``spec.replicas`` has changed."""
    new, old = yield from sets.sync(look, create=False)
    yield from scaling.scale(look, new, old)
    if look.deployment["spec"].get("paused") and _rollback_to(look.deployment) is None:
        yield from scaling.clean_up(look, old)
    yield from _report_counts(look, new, old)


def _clean_up(look: Look, old: Sequence[Obj]) -> Steps:
    if progress.complete(look.deployment, get(look.deployment, "status") or {}):
        yield from scaling.clean_up(look, old)


def _pause_or_resume(look: Look) -> Steps:
    """Say once that it was paused, or resumed: so the clock of the deadline stands still and begins anew."""
    reason = (progress.progressing_of(look.deployment) or {}).get("reason")
    paused = bool(look.deployment["spec"].get("paused"))
    if reason == progress.STUCK or paused == (reason == progress.PAUSED):
        return
    said = (progress.PAUSED, "Deployment is paused") if paused else (progress.RESUMED, "Deployment is resumed")
    if look.progressing(*said, status="Unknown"):
        yield from look.report()


def _report(look: Look, new: Obj | None, old: Sequence[Obj]) -> Steps:
    """Write how the rollout is doing, or if nothing is new, say when it may be."""
    status = progress.rolled_out(look.deployment, _all(new, old), new, look.now)
    if status == get(look.deployment, "status"):
        look.again_at = progress.look_again(look.deployment, status, look.now)
        return
    look.deployment = evolve(look.deployment, ("status",), status)
    yield from look.report()


def _report_counts(look: Look, new: Obj | None, old: Sequence[Obj]) -> Steps:
    """Write the numbers only."""
    status = freeze(progress.counts(look.deployment, _all(new, old), new, look.now))
    if status != get(look.deployment, "status"):
        look.deployment = evolve(look.deployment, ("status",), status)
        yield from look.report()


def _all(new: Obj | None, old: Sequence[Obj]) -> list[Obj]:
    return [*old, new] if new is not None else list(old)


# -- the old way to roll back ----------------------------------------------------------------------------------------


def _rollback_to(deployment: Obj) -> int | None:
    """The revision that an annotation of extensions/v1beta1 asks for; 0 is the last."""
    return rollout.number(str(get(deployment, "metadata", "annotations", sets.ROLLBACK, default="")))


def _roll_back(look: Look) -> Steps:
    """Put the template of that revision back, and take the wish away."""
    new, old = yield from sets.sync(look, create=True)
    everyone = _all(new, old)
    wanted = _rollback_to(look.deployment) or sorted([0, *map(rollout.revision, everyone)])[-2]
    again = next((rs for rs in everyone if rollout.revision(rs) == wanted), None) if wanted else None
    name, after, said = look.deployment["metadata"]["name"], look.deployment, None
    if again is None:
        text = "Unable to find the revision to rollback to." if wanted else "Unable to find last revision."
        yield Tell(look.deployment, "Warning", "DeploymentRollbackRevisionNotFound", text)
    elif rollout.has_template(again, look.deployment):
        text = f'The rollback revision contains the same template as current deployment "{name}"'
        yield Tell(look.deployment, "Warning", "DeploymentRollbackTemplateUnchanged", text)
    else:
        after = sets.restored(look.deployment, again)
        said = Tell(after, "Normal", "DeploymentRollback", f'Rolled back deployment "{name}" to revision {wanted}')
    yield from must(Update(without(after, ("metadata", "annotations", sets.ROLLBACK))))
    if said is not None:
        yield said


# -- who is woken ----------------------------------------------------------------------------------------------------
def of_replicaset(rs: Obj, facts: Facts) -> list[Key]:
    """The Deployment that manages a ReplicaSet, or those that might adopt it."""
    if controller_of(rs) is not None:
        return owner_key(rs, DEPLOYMENT)
    here = facts.of_namespace(DEPLOYMENT, rs["metadata"]["namespace"])
    return [key_of(found) for found in here if selects(found, rs)]


def of_pod(pod: Obj, facts: Facts) -> list[Key]:
    """The Deployment that waits for its old pods to be gone (Recreate), if there is one."""
    for key in owner_key(pod, REPLICA_SET):
        for owner in owner_key(facts.get(REPLICA_SET, key), DEPLOYMENT):
            found = facts.get(DEPLOYMENT, owner)
            return [owner] if found is not None and rollout.strategy(found) == "Recreate" else []
    return []


CONTROLLER = Controller(
    DEPLOYMENT,
    decide,
    (
        Watch(REPLICA_SET, of_replicaset, when=concerns_somebody),
        Watch(POD, of_pod, when=lambda old, new: new is None),
    ),
    source="deployment-controller",
    retries=RETRIES,
)
