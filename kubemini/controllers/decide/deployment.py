"""Deployment controller: one ReplicaSet a pod template; a rollout moves replicas from the old ones to the new one.

Models k/k pkg/controller/deployment DeploymentController.syncDeployment
"""

from collections.abc import Sequence

from kubemini.api.kinds import DEPLOYMENT, POD, REPLICA_SET
from kubemini.api.objects import Obj, evolve, get
from kubemini.controllers.decide import progress, rollout
from kubemini.controllers.decide.actions import Action, Plan, UpdateStatus, terminating
from kubemini.controllers.decide.controller import Controller, Facts, Key, Watch, owner_key


def decide(deployment: Obj, facts: Facts, settled: bool, now: int) -> Plan:
    """The next step of a Deployment."""
    mine = facts.owned_by(REPLICA_SET, deployment["metadata"]["uid"])
    return plan(deployment, mine, facts.owned_by_all(POD, mine), settled, now)


def plan(deployment: Obj, replicasets: Sequence[Obj], pods: Sequence[Obj], settled: bool, now: int) -> Plan:
    """The next step of *deployment*, given its ReplicaSets and the pods of these; and its status as of now."""
    new, old = rollout.divide(deployment, replicasets)
    steps: list[Action] = []
    if not terminating(deployment):
        steps = rollout.annotate(deployment, new, old) or rollout.step(deployment, new, old, pods)
    report = progress.status(deployment, new, old, now)
    if report != get(deployment, "status") and not any(s.obj["kind"] == "Deployment" for s in steps):
        steps.append(UpdateStatus(evolve(deployment, ("status",), report)))
    return Plan(tuple(steps), progress.deadline(deployment, report, now))


# -- who is woken ----------------------------------------------------------------------------------------------------
def of_replicaset(rs: Obj, facts: Facts) -> list[Key]:
    """The Deployment that manages a ReplicaSet."""
    return owner_key(rs, DEPLOYMENT)


def of_pod(pod: Obj, facts: Facts) -> list[Key]:
    """The Deployment that waits for its old pods to be gone (Recreate), if there is one."""
    for key in owner_key(pod, REPLICA_SET):
        for owner in owner_key(facts.get(REPLICA_SET, key), DEPLOYMENT):
            found = facts.get(DEPLOYMENT, owner)
            return [owner] if found is not None and rollout.strategy(found) == "Recreate" else []
    return []


CONTROLLER = Controller(DEPLOYMENT, decide, (Watch(REPLICA_SET, of_replicaset, made_here=True), Watch(POD, of_pod)))
