"""Deployment controller: one ReplicaSet a pod template; a rollout moves replicas from the old ones to the new one.

Models k/k pkg/controller/deployment DeploymentController.syncDeployment
"""

from collections.abc import Sequence

from kubemini.api.kinds import DEPLOYMENT, POD, REPLICA_SET
from kubemini.api.objects import Obj, evolve, get
from kubemini.controllers.decide.actions import Action, Create, Plan, UpdateStatus, controller_of, terminating
from kubemini.controllers.decide.claims import claimed, selects
from kubemini.controllers.decide.controller import Controller, Facts, Key, Watch, key_of, owner_key
from kubemini.controllers.decide.dialogue import Dialogue, End, Refused, in_turn
from kubemini.controllers.decide.workloads import progress, rollout


def decide(deployment: Obj, facts: Facts, caught_up: bool, now: int) -> Dialogue:
    """The next step of a Deployment."""
    meta = deployment["metadata"]
    sets = [*facts.owned_by(REPLICA_SET, meta["uid"]), *facts.orphans(REPLICA_SET, meta["namespace"])]
    try:
        mine = yield from claimed(deployment, sets)
    except Refused as refused:
        return End(error=refused.error)
    stolen = _name_taken(deployment, mine, facts.of_namespace(REPLICA_SET, meta["namespace"]))
    if stolen:
        more = 1 + get(deployment, "status", "collisionCount", default=0)
        answer = yield UpdateStatus(evolve(deployment, ("status", "collisionCount"), more))
        return End(error=answer.error)
    found = plan(deployment, mine, facts.owned_by_all(POD, mine), caught_up, now)
    return End(found.again_at, (yield from in_turn(found.actions)))


def _name_taken(deployment: Obj, mine: Sequence[Obj], everybodys: Sequence[Obj]) -> bool:
    """Whether the ReplicaSet of the template is not there, and somebody else's has its name."""
    new, _ = rollout.divide(deployment, mine)
    name = rollout.name_of_new(deployment)
    return new is None and any(rs["metadata"]["name"] == name for rs in everybodys)


def plan(deployment: Obj, replicasets: Sequence[Obj], pods: Sequence[Obj], caught_up: bool, now: int) -> Plan:
    """The next step of *deployment*, given its ReplicaSets and the pods of these; and its status as of now."""
    new, old = rollout.divide(deployment, replicasets)
    steps: list[Action] = []
    if not terminating(deployment):
        steps = rollout.annotate(deployment, new, old) or rollout.step(deployment, new, old, pods)
    made = next((step.obj for step in steps if isinstance(step, Create)), None)
    report = progress.status(deployment, new, old, made, now)
    if report != get(deployment, "status") and not any(s.obj["kind"] == "Deployment" for s in steps):
        steps.append(UpdateStatus(evolve(deployment, ("status",), report)))
    return Plan(tuple(steps), progress.deadline(deployment, report, now))


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


CONTROLLER = Controller(DEPLOYMENT, decide, (Watch(REPLICA_SET, of_replicaset, made_here=True), Watch(POD, of_pod)))
