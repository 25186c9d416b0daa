"""The ReplicaSets of a Deployment: finding the one of the current template, making it, numbering it.

Theory of operation. A look works on the Deployment as it was in the cache, changed in memory as it goes; every write of
it is guarded by the version that was *seen*. So a second write within one look is refused as a conflict, and the key
comes back: that is how the real controller works, and why its first status comes in two writes.

Models k/k pkg/controller/deployment DeploymentController.getAllReplicaSetsAndSyncRevision
Models k/k pkg/controller/deployment DeploymentController.getNewReplicaSet
Models k/k pkg/controller/deployment/util SetNewReplicaSetAnnotations, SetDeploymentAnnotationsTo
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from kubemini.api.kinds import REPLICA_SET
from kubemini.api.objects import EMPTY, Obj, evolve, freeze, get
from kubemini.controllers.decide.actions import Create, Tell, Update, UpdateStatus, controller_uid, owner_reference
from kubemini.controllers.decide.controller import Key, key_of
from kubemini.controllers.decide.dialogue import Refused, Steps, exists_already, must, namespace_is_ending, words
from kubemini.controllers.decide.workloads.deployment import progress, rollout, templates
from kubemini.controllers.decide.workloads.deployment.rollout import DESIRED, MOST, REVISION
from kubemini.controllers.decide.workloads.deployment.templates import HASH

HISTORY = "deployment.kubernetes.io/revision-history"
ROLLBACK = "deprecated.deployment.rollback.to"
OWN = ("kubectl.kubernetes.io/last-applied-configuration", REVISION, HISTORY, DESIRED, MOST, ROLLBACK)
LONGEST = 2000  # characters of a revision-history: maxRevHistoryLengthInChars


@dataclass(slots=True)
class Look:
    """One look at a Deployment, which is changed on the way; *cached*: a ReplicaSet by its key, whoever's it is."""

    deployment: Obj
    replicasets: list[Obj]
    cached: Callable[[Key], Obj | None]
    now: int
    again_at: int | None = None
    pods: list[Obj] = field(default_factory=list)

    def report(self) -> Steps:
        """Write the Deployment's status, and its annotations. Raises Refused."""
        yield from must(UpdateStatus(self.deployment))

    def annotate(self, key: str, text: str) -> bool:
        """Note it at the Deployment; whether that changes something."""
        if get(self.deployment, "metadata", "annotations", key) == text:
            return False
        self.deployment = evolve(self.deployment, ("metadata", "annotations", key), text)
        return True

    def progressing(self, reason: str, message: str, status: str = "True") -> bool:
        """Set the condition Progressing, if the Deployment has a deadline; whether it has."""
        if not progress.has_deadline(self.deployment):
            return False
        condition = progress.condition_of("Progressing", status, reason, message, self.now)
        held = get(self.deployment, "status", "conditions") or ()
        conditions = progress.with_condition(held, condition)
        self.deployment = evolve(self.deployment, ("status", "conditions"), conditions)
        return True


def sync(look: Look, create: bool) -> Steps:
    """(the ReplicaSet of the current template, the others), numbered; made if there is none and *create* says so.

    Raises Refused.
    """
    new, old = rollout.divide(look.deployment, look.replicasets)
    following = 1 + max([0, *map(rollout.revision, old)])
    if new is not None:
        return (yield from _numbered(look, new, following)), old
    return ((yield from _made(look, old, following)) if create else None), old


def _numbered(look: Look, new: Obj, following: int) -> Steps:
    """*new* with what its Deployment is annotated with, and with a number that is the highest."""
    deployment = look.deployment
    annotations = copied(deployment, get(new, "metadata", "annotations") or EMPTY, following)
    least = deployment["spec"].get("minReadySeconds", 0)
    if annotations != (get(new, "metadata", "annotations") or {}) or new["spec"].get("minReadySeconds", 0) != least:
        changed = evolve(new, ("metadata", "annotations"), annotations)
        return (yield from must(Update(evolve(changed, ("spec", "minReadySeconds"), least))))
    write = look.annotate(REVISION, annotations.get(REVISION, ""))
    if progress.progressing_of(deployment) is None:
        write |= look.progressing("FoundNewReplicaSet", f'Found new replica set "{new["metadata"]["name"]}"')
    if write:
        yield from look.report()
    return new


def _made(look: Look, old: list[Obj], following: int) -> Steps:
    """The ReplicaSet of the current template, made; a namesake that is another's makes the next hash another."""
    size = rollout.next_size(look.deployment, None, old)
    wanted = new_replicaset(look.deployment, following, size)
    answer = yield Create(wanted)
    made, fresh = answer.obj, True
    if exists_already(answer.error):
        made, fresh = (yield from _own_namesake(look, wanted, answer.error)), False
    elif answer.error is not None:
        yield from _not_made(look, wanted, answer.error)
    elif size:
        text = f"Scaled up replica set {wanted['metadata']['name']} from 0 to {size}"
        yield Tell(look.deployment, "Normal", "ScalingReplicaSet", text)
    write = look.annotate(REVISION, str(following))
    if fresh:
        write |= look.progressing("NewReplicaSetCreated", f'Created new replica set "{wanted["metadata"]["name"]}"')
    if write:
        yield from look.report()
    return made


def _own_namesake(look: Look, wanted: Obj, error: object) -> Steps:
    """The one of that name, if it is this Deployment's. Raises Refused, after counting the collision."""
    there = look.cached(key_of(wanted))
    if there is None:
        raise Refused(f'replicaset.apps "{wanted["metadata"]["name"]}" not found')
    ours = controller_uid(there) == look.deployment["metadata"]["uid"]
    if ours and rollout.has_template(there, look.deployment):
        return there
    collisions = 1 + get(look.deployment, "status", "collisionCount", default=0)
    look.deployment = evolve(look.deployment, ("status", "collisionCount"), collisions)
    yield UpdateStatus(look.deployment)
    raise Refused(error)


def _not_made(look: Look, wanted: Obj, error: object) -> Steps:
    """Say so, but where the namespace is going. Raises Refused."""
    if not namespace_is_ending(error):
        text = f'Failed to create new replica set "{wanted["metadata"]["name"]}": {words(error)}'
        if look.progressing("ReplicaSetCreateError", text, "False"):
            yield UpdateStatus(look.deployment)
        yield Tell(look.deployment, "Warning", "ReplicaSetCreateError", text)
    raise Refused(error)


# -- what it looks like ----------------------------------------------------------------------------------------------


def hash_of(deployment: Obj) -> str:
    """The hash that tells the ReplicaSet of the current template from the others."""
    return templates.hashed(deployment["spec"]["template"], get(deployment, "status", "collisionCount"))


def name_of_new(deployment: Obj) -> str:
    """The name that the ReplicaSet of the current template is given."""
    hashed = hash_of(deployment)
    return f"{deployment['metadata']['name'][: 252 - len(hashed)]}-{hashed}"


def new_replicaset(deployment: Obj, number: int, size: int) -> Obj:
    """The ReplicaSet of the current template, which is revision *number*."""
    spec, meta = deployment["spec"], deployment["metadata"]
    label = {HASH: hash_of(deployment)}
    worn = {**(get(spec, "template", "metadata", "labels") or EMPTY), **label}
    template = evolve(spec["template"], ("metadata", "labels"), worn)
    selector = evolve(spec["selector"], ("matchLabels",), {**(spec["selector"].get("matchLabels") or EMPTY), **label})
    least = spec.get("minReadySeconds")
    return freeze(
        {
            "apiVersion": REPLICA_SET.api_version,
            "kind": REPLICA_SET.kind,
            "metadata": {
                "name": name_of_new(deployment),
                "namespace": meta["namespace"],
                "labels": worn,
                "annotations": {**copied(deployment, EMPTY, number), **rollout.sizing(deployment)},
                "ownerReferences": [owner_reference(deployment)],
            },
            "spec": {
                "replicas": size,
                "selector": selector,
                "template": template,
                **({"minReadySeconds": least} if least else {}),
            },
        }
    )


def copied(deployment: Obj, held: Mapping[str, str], number: int) -> dict[str, str]:
    """The annotations *held* by the new ReplicaSet, with those of *deployment*; none is ever taken away.

    Its revision is at least *number*; those that it had before are kept, as it has come back.
    """
    given = get(deployment, "metadata", "annotations") or EMPTY
    found = {**held, **{key: text for key, text in given.items() if key not in OWN}}
    before = held.get(REVISION)
    count = rollout.number(before) if before else 0
    if count is None:
        return found
    if count < number:
        found[REVISION] = str(number)
        if before is not None:
            found[HISTORY] = _history(held.get(HISTORY, ""), before)
    return found


def _history(held: str, before: str) -> str:
    """The revisions that were, the oldest forgotten if they grow too long."""
    if not held:
        return before
    numbers, length = held.split(","), len(held) + len(before) + 1
    while length > LONGEST and numbers:
        length -= len(numbers.pop(0)) + 1
    return ",".join([*numbers, before]) if length <= LONGEST else held


def restored(deployment: Obj, rs: Obj) -> Obj:
    """*deployment* with the template of *rs*, and its annotations but for those of controllers and of apply."""
    kept = {key: text for key, text in (get(deployment, "metadata", "annotations") or {}).items() if key in OWN}
    given = {key: text for key, text in (get(rs, "metadata", "annotations") or {}).items() if key not in OWN}
    again = evolve(deployment, ("spec", "template"), rollout.bare(rs["spec"]["template"]))
    return evolve(again, ("metadata", "annotations"), {**kept, **given})
