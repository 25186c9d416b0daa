"""The claims of a StatefulSet: made before the pod, and owned as the retention policy says."""

from kubemini.api.objects import evolve
from kubemini.api.timestamps import timestamp
from kubemini.controllers.decide.actions import Create, Update, owner_reference
from tests.controllers.workloads.sets import a_claim, a_member, a_set, look, with_claims
from tests.controllers.workloads.talking import deeds, of_type, refuses, told

STRANGER = {"apiVersion": "v1", "kind": "Thing", "name": "x", "uid": "x", "controller": True}


def owners_after(scaled, deleted, replicas, *before):
    """Who owns the claim of pod 1 after a look, if the look changes it; *before*: who owned it."""
    db = a_set(replicas, **with_claims(scaled, deleted))
    references = [owner_reference(x) for x in before]
    claims = [a_claim(db, n, *(references if n else ())) for n in range(2)]
    steps, _ = look(db, *[a_member(db, n) for n in range(2)], *claims)
    written = of_type(steps, Update, "PersistentVolumeClaim")
    mine = [claim for claim in written if claim["metadata"]["name"] == "data-db-1"]
    return [r["kind"] for r in mine[0]["metadata"]["ownerReferences"]] if mine else None


def test_claims_are_made_before_the_pod_and_said_each():
    steps, _ = look(a_set(1, **with_claims()))
    assert deeds(steps) == [("Create", "data-db-0"), ("Create", "db-0")]
    assert told(steps)[0] == "SuccessfulCreate: Create Claim data-db-0 Pod db-0 in StatefulSet db success"
    claim, pod = of_type(steps, Create)
    assert claim["metadata"]["labels"] == {"app": "db"}
    assert pod["spec"]["volumes"] == [{"name": "data", "persistentVolumeClaim": {"claimName": "data-db-0"}}]


def test_a_claim_that_is_there_is_used_again():
    db = a_set(1, **with_claims())
    assert deeds(look(db, a_claim(db, 0))[0]) == [("Create", "db-0")]


def test_no_pod_without_its_claim():
    db = a_set(1, **with_claims())
    steps, end = look(db, answers=[refuses("PersistentVolumeClaim")])
    assert of_type(steps, Create, "Pod") == []
    assert end.error.startswith("failed to create PVC data-db-0: pods")
    assert [line.partition(":")[0] for line in told(steps)] == ["FailedCreate", "FailedCreate"]
    going = evolve(a_claim(db, 0), ("metadata", "deletionTimestamp"), timestamp(0))
    steps, end = look(db, going)
    assert deeds(steps) == [] and end.error == "pvc data-db-0 is being deleted"


def test_a_pending_pod_gets_the_claim_that_it_lacks():
    db = a_set(1, **with_claims())
    assert deeds(look(db, a_member(db, 0, phase="Pending", ready=False))[0]) == [("Create", "data-db-0")]


def test_claims_go_with_whom_the_policy_says():
    db, pod = a_set(), a_member(a_set(), 1)
    assert owners_after("Retain", "Delete", 2) == ["StatefulSet"]
    assert owners_after("Retain", "Delete", 2, db) is None
    assert owners_after("Delete", "Retain", 2) is None
    assert owners_after("Delete", "Retain", 1) == ["Pod"]
    assert owners_after("Delete", "Delete", 1, db) == ["Pod"]
    assert owners_after("Delete", "Delete", 2, pod) == ["StatefulSet"]
    assert owners_after("Retain", "Retain", 2, db) == []


def test_a_changed_policy_writes_claim_and_pod_and_says_so():
    db = a_set(1, **with_claims("Retain", "Delete"))
    steps, _ = look(db, a_member(db, 0), a_claim(db, 0))
    assert deeds(steps) == [("Update", "data-db-0"), ("Update", "db-0")]
    assert told(steps) == ["SuccessfulUpdate: Update Pod db-0 in StatefulSet db successful"]


def test_a_claim_that_somebody_else_controls_is_left_alone():
    db = a_set(1, **with_claims("Retain", "Delete"))
    assert deeds(look(db, a_member(db, 0), a_claim(db, 0, STRANGER))[0]) == []
    both = a_claim(db, 0, STRANGER, owner_reference(db))
    steps, _ = look(db, a_member(db, 0), both)
    (claim,) = of_type(steps, Update, "PersistentVolumeClaim")
    assert [r["kind"] for r in claim["metadata"]["ownerReferences"]] == ["Thing"]
    assert told(steps)[0].startswith("ConflictingController: PersistentVolumeClaim data-db-0 has a conflicting")


def test_a_new_pod_waits_until_the_claim_of_its_namesake_is_gone():
    db = a_set(1, **with_claims("Delete", "Retain"))
    of_old = a_claim(db, 0, owner_reference(a_member(db, 0, uid="the one before")))
    assert deeds(look(db, of_old)[0]) == []
