"""How a Deployment says that it is doing, and what stands in its way."""

from kubemini.api.errors import ApiError
from kubemini.api.objects import evolve, get
from kubemini.api.timestamps import timestamp
from kubemini.controllers.decide.actions import (
    Create,
    Tell,
    UpdateStatus,
)
from kubemini.controllers.decide.dialogue import Answer
from kubemini.controllers.decide.workloads.deployment import progress, rollout, sets
from kubemini.sim.units import MINUTE, SECOND
from tests.controllers.deployments import a_deployment, its_replicaset, seen
from tests.controllers.parts import granted


# -- the condition Progressing -----------------------------------------------------------------------------------------
def reported(owner, replicasets, now):
    """(status, reason) of Progressing after one look, the Deployment as it then stands, and the plan."""
    plan = seen(owner, replicasets, now=now)
    written = next((s.obj for s in reversed(plan.actions) if isinstance(s, UpdateStatus)), owner)
    held = next(c for c in written["status"]["conditions"] if c["type"] == "Progressing")
    return (held["status"], held["reason"]), written, plan


def test_a_pause_stops_the_clock_and_the_end_of_it_starts_it_anew():
    owner = evolve(a_deployment(3), ("metadata", "annotations"), {rollout.REVISION: "1"})
    rs = [its_replicaset(owner, 3, 0)]
    said, owner, _ = reported(owner, rs, 0)
    assert said == ("True", "ReplicaSetUpdated")
    owner = evolve(owner, ("spec", "paused"), True)
    said, owner, plan = reported(owner, rs, 5 * SECOND)
    assert said == ("Unknown", "DeploymentPaused") and plan.again_at is None
    assert reported(owner, rs, 60 * MINUTE)[0] == ("Unknown", "DeploymentPaused")
    owner = evolve(owner, ("spec", "paused"), False)
    said, owner, _ = reported(owner, rs, 60 * MINUTE)
    assert said == ("Unknown", "DeploymentResumed")
    said, _, plan = reported(owner, rs, 60 * MINUTE)
    assert said == ("Unknown", "DeploymentResumed") and plan.again_at == 70 * MINUTE + SECOND
    assert reported(owner, rs, 70 * MINUTE)[0] == ("Unknown", "DeploymentResumed")
    assert reported(owner, rs, 70 * MINUTE + SECOND)[0] == ("False", "ProgressDeadlineExceeded")


def test_without_a_deadline_there_is_no_such_condition():
    owner = evolve(a_deployment(3), ("spec", "progressDeadlineSeconds"), progress.NO_DEADLINE)
    status = progress.rolled_out(owner, [its_replicaset(owner, 3)], None, 0)
    assert [c["type"] for c in status["conditions"]] == ["Available"]


def test_what_was_done_long_ago_does_not_make_a_new_rollout_late():
    owner = a_deployment(3)
    done = {"type": "Progressing", "status": "True", "reason": progress.DONE, "message": ""}
    stamps = dict.fromkeys(("lastUpdateTime", "lastTransitionTime"), timestamp(0))
    owner = evolve(owner, ("status",), {"replicas": 3, "updatedReplicas": 3, "conditions": [done | stamps]})
    steps = seen(owner, [its_replicaset(owner, 3, old=1)], now=60 * MINUTE).actions
    said = [s.obj["status"]["conditions"][-1]["reason"] for s in steps if isinstance(s, UpdateStatus)]
    assert said[0] == "NewReplicaSetCreated" and progress.STUCK not in said


def test_pods_that_leave_are_counted_unless_a_replicaset_that_was_looked_at_does_not_say():
    owner = a_deployment(3)
    told = evolve(its_replicaset(owner, 3), ("status", "terminatingReplicas"), 2)
    assert progress.counts(owner, [told], told, 0)["terminatingReplicas"] == 2
    fresh = evolve(told, ("status",), {"replicas": 0})
    assert progress.counts(owner, [told, fresh], told, 0)["terminatingReplicas"] == 2
    mute = evolve(told, ("status",), {"replicas": 0, "observedGeneration": 1})
    assert "terminatingReplicas" not in progress.counts(owner, [told, mute], told, 0)


def test_why_pods_cannot_be_made_is_said_at_the_deployment_too():
    owner = a_deployment(3)
    failed = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": "quota"}
    failed["lastTransitionTime"] = timestamp(0)
    rs = evolve(its_replicaset(owner, 3, 0), ("status", "conditions"), [failed])
    status = progress.rolled_out(owner, [rs], rs, 5 * SECOND)
    assert status["conditions"][-1] == {**failed, "lastUpdateTime": timestamp(0)}
    healed = evolve(owner, ("status",), status)
    fine = its_replicaset(owner, 3, 0)
    assert "ReplicaFailure" not in [c["type"] for c in progress.rolled_out(healed, [fine], fine, 0)["conditions"]]


# -- a name that is taken, a ReplicaSet that cannot be made ----------------------------------------------------------


def refusing(code, reason, message="no"):
    """An API server that makes no ReplicaSet."""
    error = ApiError(code, reason, message)
    return lambda step: Answer(error=error) if isinstance(step, Create) else granted(step)


def test_a_name_that_somebody_else_has_changes_the_hash():
    owner = a_deployment(3)
    again = evolve(owner, ("status", "collisionCount"), 1)
    assert sets.name_of_new(owner) != sets.name_of_new(again)
    assert sets.new_replicaset(again, 1, 3)["metadata"]["name"] == sets.name_of_new(again)
    stranger = evolve(its_replicaset(owner, 3, old=1), ("metadata", "name"), sets.name_of_new(owner))
    stranger = evolve(stranger, ("metadata", "ownerReferences", 0, "uid"), "another")
    steps = seen(owner, [stranger], answer=refusing(409, "AlreadyExists")).actions
    assert [get(s.obj, "status", "collisionCount") for s in steps if isinstance(s, UpdateStatus)] == [1]


def test_a_replicaset_that_cannot_be_made_is_said_in_status_and_event():
    steps = seen(a_deployment(3), [], answer=refusing(403, "Forbidden", "too much")).actions
    text = f'Failed to create new replica set "{sets.name_of_new(a_deployment(3))}": too much'
    assert [s.message for s in steps if isinstance(s, Tell)] == [text]
    (status,) = [s.obj["status"] for s in steps if isinstance(s, UpdateStatus)]
    assert [(c["reason"], c["status"]) for c in status["conditions"]] == [("ReplicaSetCreateError", "False")]


def test_each_scaling_is_told():
    owner = a_deployment(10, surge=3, unavailable=2)
    old = its_replicaset(owner, 10, old=1)
    told = [s.message for s in seen(owner, [old]).actions if isinstance(s, Tell)]
    name = sets.name_of_new(owner)
    assert told == [
        f"Scaled up replica set {name} from 0 to 3",
        f"Scaled down replica set {old['metadata']['name']} from 10 to 8",
    ]


def test_the_old_annotation_rolls_back_to_a_revision():
    owner = evolve(a_deployment(3), ("metadata", "annotations"), {sets.ROLLBACK: "0", rollout.REVISION: "2"})
    first = its_replicaset(owner, 0, old=1)
    second = evolve(its_replicaset(owner, 3), ("metadata", "annotations", rollout.REVISION), "2")
    *_, update, told = seen(owner, [first, second]).actions
    assert update.obj["spec"]["template"]["spec"]["containers"][0]["image"] == "v0.1"
    assert sets.ROLLBACK not in update.obj["metadata"]["annotations"]
    assert told.message == 'Rolled back deployment "web" to revision 1'
    unknown = evolve(owner, ("metadata", "annotations", sets.ROLLBACK), "7")
    *_, told, update = seen(unknown, [first, second]).actions
    assert told.message == "Unable to find the revision to rollback to."
