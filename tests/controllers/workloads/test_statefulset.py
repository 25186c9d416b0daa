"""The StatefulSet controller: in order, one identity never twice, updates from above."""

import pytest

from kubemini.api.errors import ApiError
from kubemini.api.objects import evolve, without
from kubemini.api.timestamps import timestamp
from kubemini.controllers.decide.actions import Create, Update, UpdateStatus
from kubemini.controllers.decide.dialogue import Answer, Read
from kubemini.controllers.decide.workloads import revisions
from kubemini.controllers.decide.workloads.statefulset import identity
from kubemini.sim.units import SECOND
from tests.controllers.workloads.sets import a_member, a_revision, a_set, at, look
from tests.controllers.workloads.talking import TAKEN, deeds, of_type, refuses, report, told

PARALLEL = {"podManagementPolicy": "Parallel"}


def rolling(partition=0, missing=1):
    how = {"partition": partition, "maxUnavailable": missing}
    return {"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": how}}


def members(stateful, revision, *ordinals, **how):
    return [a_member(stateful, n, revision, **how) for n in ordinals]


# -- up and down -----------------------------------------------------------------------------------------------------
def test_a_pod_is_made_when_all_below_it_serve():
    db = a_set(3)
    assert deeds(look(db)[0]) == [("Create", "db-0")]
    assert deeds(look(db, a_member(db, 0, ready=False))[0]) == []
    assert deeds(look(db, a_member(db, 0))[0]) == [("Create", "db-1")]
    assert deeds(look(db, a_member(db, 0), a_member(db, 2))[0]) == [("Create", "db-1")]


def test_parallel_makes_them_all_at_once():
    db = a_set(4, **PARALLEL)
    assert deeds(look(db)[0]) == [("Create", f"db-{n}") for n in range(4)]


def test_ordinals_begin_where_they_are_told_to():
    db = a_set(2, ordinals={"start": 5})
    assert deeds(look(db)[0]) == [("Create", "db-5")]
    assert deeds(look(db, *members(db, None, 4, 5, 6))[0]) == [("Delete", "db-4")]


def test_a_pod_carries_its_identity():
    (pod,) = of_type(look(a_set(1))[0], Create, "Pod")
    revision = a_revision(a_set(1))["metadata"]["name"]
    assert pod["metadata"]["labels"] == {
        "app": "db",
        "controller-revision-hash": revision,
        "statefulset.kubernetes.io/pod-name": "db-0",
        "apps.kubernetes.io/pod-index": "0",
    }
    assert (pod["spec"]["hostname"], pod["spec"]["subdomain"]) == ("db-0", "db")


def test_the_highest_goes_first_and_the_next_when_it_is_gone():
    db = a_set(1)
    pods = members(db, None, 0, 1, 2)
    assert deeds(look(db, *pods)[0]) == [("Delete", "db-2")]
    marked = a_member(db, 2, marked=True)
    assert deeds(look(db, *pods[:2], marked)[0]) == []
    assert deeds(look(db, *pods[:2])[0]) == [("Delete", "db-1")]


def test_nothing_is_let_go_while_a_lower_pod_does_not_serve_unless_it_is_the_one():
    db = a_set(1)
    unready = a_member(db, 0, ready=False)
    assert deeds(look(db, unready, *members(db, None, 1, 2))[0]) == []
    lame = a_member(db, 2, ready=False)
    assert deeds(look(db, *members(db, None, 0, 1), lame)[0]) == [("Delete", "db-2")]
    lower = a_member(db, 1, ready=False)
    assert deeds(look(db, a_member(db, 0), lower, a_member(db, 2))[0]) == [("Delete", "db-2")]
    assert deeds(look(db, a_member(db, 0), lower, lame)[0]) == []


def test_parallel_lets_all_the_surplus_go():
    db = a_set(0, **PARALLEL)
    assert deeds(look(db, *members(db, None, 0, 1, 2))[0]) == [("Delete", f"db-{n}") for n in (2, 1, 0)]


@pytest.mark.parametrize("phase", ["Failed", "Succeeded"])
def test_a_pod_that_has_ended_is_deleted_and_its_successor_waits_until_it_is_gone(phase):
    db = a_set(1)
    assert deeds(look(db, a_member(db, 0, phase=phase))[0]) == [("Delete", "db-0")]
    assert deeds(look(db, a_member(db, 0, phase=phase, marked=True))[0]) == []


def test_a_set_on_its_way_out_does_nothing_but_report():
    db = evolve(a_set(3), ("metadata", "deletionTimestamp"), timestamp(0))
    steps, _ = look(db, a_member(db, 0))
    assert deeds(steps) == [] and report(steps)["replicas"] == 1


def test_a_pod_serves_after_min_ready_seconds_and_the_look_comes_back_then():
    db = a_set(2, minReadySeconds=10)
    steps, end = look(db, a_member(db, 0, since=0), now=4 * SECOND)
    assert deeds(steps) == [] and end.again_at == 10 * SECOND
    assert (report(steps)["readyReplicas"], report(steps)["availableReplicas"]) == (1, 0)
    assert deeds(look(db, a_member(db, 0, since=0), now=10 * SECOND)[0]) == [("Create", "db-1")]


# -- updates ---------------------------------------------------------------------------------------------------------
def updating(replicas, **spec):
    """(the set with a new image, the old revision, the new one)."""
    before, after = a_set(replicas, **spec), a_set(replicas, "app:2", **spec)
    old, new = a_revision(before, 1), a_revision(after, 2)
    return at(after, old, new), old, new


def test_an_update_goes_from_above_one_at_a_time():
    db, old, new = updating(3, **rolling())
    assert deeds(look(db, *members(db, old, 0, 1, 2), known=(old, new))[0]) == [("Delete", "db-2")]
    steps, _ = look(db, *members(db, old, 0, 1), a_member(db, 2, new, ready=False), known=(old, new))
    assert deeds(steps) == []
    steps, _ = look(db, *members(db, old, 0, 1), a_member(db, 2, new), known=(old, new))
    assert deeds(steps) == [("Delete", "db-1")]
    assert report(steps)["currentReplicas"] == 1 and report(steps)["updatedReplicas"] == 1


def test_the_successor_of_a_deleted_pod_is_old_below_the_partition_and_new_above():
    db, old, new = updating(3, **rolling(partition=1))
    for missing, revision in ((0, old), (2, new)):
        there = [a_member(db, n, old) for n in range(3) if n != missing]
        (pod,) = of_type(look(db, *there, known=(old, new))[0], Create, "Pod")
        assert identity.revision_of(pod) == revision["metadata"]["name"]
        assert pod["spec"]["containers"][0]["image"] == ("app:1" if revision is old else "app:2")
    assert deeds(look(db, a_member(db, 0, old), *members(db, new, 1, 2), known=(old, new))[0]) == []


def test_as_many_as_may_be_missing_are_given_up_together():
    db, old, new = updating(5, **rolling(missing=2))
    steps, _ = look(db, *members(db, old, *range(5)), known=(old, new))
    assert deeds(steps) == [("Delete", "db-4"), ("Delete", "db-3")]
    db, old, new = updating(3, **rolling(missing="10%"))
    assert deeds(look(db, *members(db, old, 0, 1, 2), known=(old, new))[0]) == [("Delete", "db-2")]


def test_parallel_updates_begin_with_what_does_not_serve_anyway():
    db, old, new = updating(4, **PARALLEL, **rolling(missing=2))
    lame = a_member(db, 0, old, ready=False)
    steps, _ = look(db, lame, *members(db, old, 1, 2, 3), known=(old, new))
    assert deeds(steps) == [("Delete", "db-0"), ("Delete", "db-3")]
    two = members(db, old, 0, 1, ready=False)
    steps, _ = look(db, *two, *members(db, old, 2, 3), known=(old, new))
    assert deeds(steps) == [("Delete", "db-1"), ("Delete", "db-0")]


def test_on_delete_waits_for_whoever_deletes():
    db, old, new = updating(2, updateStrategy={"type": "OnDelete"})
    assert deeds(look(db, *members(db, old, 0, 1), known=(old, new))[0]) == []
    (pod,) = of_type(look(db, a_member(db, 0, old), known=(old, new))[0], Create, "Pod")
    assert identity.revision_of(pod) == new["metadata"]["name"]


def test_a_broken_update_is_not_healed_by_the_old_template():
    """The broken pod does not serve, so the walk ends at it."""
    before, after = a_set(2, **rolling()), a_set(2, "app:broken", **rolling())
    good, bad = a_revision(before, 3), a_revision(after, 2)
    broken = a_member(before, 1, bad, ready=False)
    steps, _ = look(at(before, good), a_member(before, 0, good), broken, known=(bad, good))
    assert deeds(steps) == []


def test_the_update_is_complete_when_all_serve_and_then_the_new_revision_is_the_current_one():
    db, old, new = updating(2, **rolling())
    name = new["metadata"]["name"]
    steps, _ = look(db, *members(db, new, 0, 1), known=(old, new))
    assert report(steps)["currentRevision"] == name and report(steps)["currentReplicas"] == 2
    steps, _ = look(db, a_member(db, 0, new), a_member(db, 1, new, ready=False), known=(old, new))
    assert report(steps)["currentRevision"] == old["metadata"]["name"]
    assert "currentReplicas" not in report(steps)


# -- revisions -------------------------------------------------------------------------------------------------------
def test_a_revision_has_the_name_that_the_real_one_gives_it():
    """Recorded at kube-controller-manager 1.37.2, from the template with the API server's defaults."""
    container = {
        "image": "nginx:1.29",
        "imagePullPolicy": "IfNotPresent",
        "name": "c",
        "resources": {},
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
    }
    spec = {
        "containers": [container],
        "dnsPolicy": "ClusterFirst",
        "restartPolicy": "Always",
        "schedulerName": "default-scheduler",
        "securityContext": {},
        "terminationGracePeriodSeconds": 30,
    }
    db = evolve(a_set(), ("spec", "template"), {"metadata": {"labels": {"app": "db"}}, "spec": spec})
    assert a_revision(db)["metadata"]["name"] == "db-76c689c556"
    assert a_revision(db)["metadata"]["labels"] == {"app": "db", revisions.HASH: "76c689c556"}


def test_a_template_that_comes_back_gets_the_next_number_and_no_new_object():
    first, second = a_revision(a_set(), 1), a_revision(a_set(image="app:2"), 2)
    steps, _ = look(a_set(0), known=(first, second))
    assert deeds(steps) == [("Update", first["metadata"]["name"])]
    assert of_type(steps, Update, "ControllerRevision")[0]["revision"] == 3


def test_a_name_that_another_template_has_leads_to_the_next_and_our_own_is_taken_as_it_is():
    db = a_set(0)
    other = a_revision(a_set(image="app:9"), 1)

    def taken(by):
        def answer(step):
            if isinstance(step, Read) and step.kind.kind == "ControllerRevision":
                return Answer(by)
            name = a_revision(db)["metadata"]["name"]
            mine = isinstance(step, Create) and step.obj["metadata"]["name"] == name
            return Answer(error=TAKEN) if mine else None

        return answer

    steps, _ = look(db, known=(other,), answers=[taken(other)])
    assert report(steps)["collisionCount"] == 1 and len(of_type(steps, Create)) == 2
    steps, _ = look(db, known=(other,), answers=[taken(a_revision(db))])
    assert report(steps)["collisionCount"] == 0 and len(of_type(steps, Create)) == 1


def test_beyond_the_limit_the_oldest_revisions_go_that_no_pod_has():
    past = [a_revision(a_set(image=f"app:{n}"), n) for n in range(2, 6)]
    db, now = a_set(1, revisionHistoryLimit=1), a_revision(a_set(), 9)
    steps, _ = look(at(db, now), a_member(db, 0, past[0]), known=(*past, now))
    gone = [name for verb, name in deeds(steps) if verb == "Delete" and name != "db-0"]
    assert gone == [past[1]["metadata"]["name"], past[2]["metadata"]["name"]]


# -- whose they are --------------------------------------------------------------------------------------------------
def test_an_orphan_is_adopted_once_the_server_says_that_the_set_is_still_there():
    db = a_set(1)
    orphan = without(a_member(db, 0), ("metadata", "ownerReferences"))
    stranger = evolve(orphan, ("metadata", "name"), "other-0")
    there = [lambda step: Answer(db) if isinstance(step, Read) else None]
    steps, _ = look(db, orphan, stranger, answers=there)
    assert ("Patch", "db-0") in deeds(steps) and ("Patch", "other-0") not in deeds(steps)
    going = evolve(db, ("metadata", "deletionTimestamp"), timestamp(0))
    steps, end = look(db, orphan, answers=[lambda step: Answer(going) if isinstance(step, Read) else None])
    assert deeds(steps) == [] and end.error == "default/db has just been deleted at 2026-01-01T00:00:00Z"
    other = evolve(db, ("metadata", "uid"), "another")
    steps, end = look(db, orphan, answers=[lambda step: Answer(other) if isinstance(step, Read) else None])
    assert deeds(steps) == [] and end.error.startswith("original StatefulSet default/db is gone")


# -- what goes wrong -------------------------------------------------------------------------------------------------
def test_what_is_done_and_what_is_refused_is_told():
    db = a_set(1)
    assert told(look(db)[0]) == ["SuccessfulCreate: Create Pod db-0 in StatefulSet db successful"]
    steps, end = look(db, answers=[refuses("Pod")])
    why = 'pods "x" is forbidden: exceeded quota: q'
    assert told(steps) == [f"FailedCreate: Create Pod db-0 in StatefulSet db failed error: {why}"]
    assert end.error.code == 403 and report(steps)["replicas"] == 0
    steps, _ = look(a_set(0), a_member(db, 0))
    assert told(steps) == ["SuccessfulDelete: Delete Pod db-0 in StatefulSet db successful"]


def test_a_refusal_ends_parallel_creation_after_its_batch():
    steps, _ = look(a_set(8, **PARALLEL), answers=[refuses("Pod")])
    assert len(of_type(steps, Create, "Pod")) == 1


def test_a_pod_that_the_cache_does_not_show_yet_is_no_news_to_anybody():
    steps, end = look(a_set(1), answers=[refuses("Pod", error=TAKEN)])
    assert told(steps) == [] and end.error is TAKEN


def test_a_report_upon_an_old_version_is_made_anew_upon_what_the_cache_has():
    db = a_set(0)
    newer = evolve(db, ("metadata", "resourceVersion"), "7")
    conflict = ApiError(409, "Conflict", "the object has been modified")

    def once(step):
        old = isinstance(step, UpdateStatus) and "resourceVersion" not in step.obj["metadata"]
        return Answer(error=conflict) if old else None

    steps, end = look(db, newer, answers=[once])
    assert [obj["metadata"].get("resourceVersion") for obj in of_type(steps, UpdateStatus)] == [None, "7"]
    assert end.error is None
    assert look(db, answers=[once])[1].error is conflict


def test_a_second_look_at_the_same_facts_writes_nothing():
    db = a_set(1)
    steps, _ = look(db, a_member(db, 0))
    again = evolve(db, ("status",), report(steps))
    assert look(again, a_member(db, 0))[0] == []
