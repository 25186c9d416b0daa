"""Garbage collection: who goes when its owners are gone."""

from kubemini.api.objects import evolve
from kubemini.controllers.decide import (
    garbagecollector,
    podgc,
)
from kubemini.controllers.decide.actions import owner_reference
from kubemini.controllers.decide.garbagecollector import GONE, LEAVING, THERE
from tests.controllers.parts import a_node, a_pod, a_replicaset, kinds_of


def test_an_object_goes_when_all_its_owners_are_gone():
    rs = a_replicaset()
    pod = a_pod("a", rs, resourceVersion="7")
    assert kinds_of(garbagecollector.plan(pod, {"rs": THERE}, [])) == []
    assert kinds_of(garbagecollector.plan(pod, {"rs": GONE}, [])) == ["Delete"]
    other = {**owner_reference(rs), "uid": "x", "controller": False}
    two = evolve(pod, ("metadata", "ownerReferences"), [owner_reference(rs), other])
    (patch,) = garbagecollector.plan(two, {"rs": THERE, "x": GONE}, []).actions
    assert [reference["uid"] for reference in patch.body["metadata"]["ownerReferences"]] == ["rs"]


def test_who_owns_others_goes_as_its_owner_does():
    pod = a_pod("a", a_replicaset(), resourceVersion="7")
    (step,) = garbagecollector.plan(pod, {"rs": LEAVING}, []).actions
    assert step.policy == "Background"
    (step,) = garbagecollector.plan(pod, {"rs": LEAVING}, [a_pod("b")]).actions
    assert step.policy == "Foreground"
    leaving = a_pod("b", finalizers=[garbagecollector.FOREGROUND], deletionTimestamp="2026-01-01T00:00:00Z")
    (step,) = garbagecollector.plan(pod, {"rs": LEAVING}, [leaving]).actions
    assert step.body["metadata"]["ownerReferences"][0]["blockOwnerDeletion"] is False


def test_an_owner_is_looked_for_where_the_reference_says():
    rs, pod = a_replicaset(), a_pod("a", a_replicaset())
    assert garbagecollector.astray([pod], {"rs": rs}) == []
    assert garbagecollector.astray([pod], {}) == [pod]
    for path, value in ((("metadata", "namespace"), "x"), (("metadata", "name"), "x"), (("kind",), "X")):
        assert garbagecollector.astray([pod], {"rs": evolve(rs, path, value)}) == [pod]


def test_pods_of_a_node_that_does_not_exist_fail_and_go_without_grace():
    assert podgc.collect([a_pod("a")], a_node(), 0) == []
    mark, step, ended = podgc.collect([a_pod("a"), a_pod("b", node=""), a_pod("c", phase="Succeeded")], None, 0)
    assert (mark.obj["status"]["phase"], mark.obj["status"]["conditions"][-1]["reason"]) == (
        "Failed",
        "DeletionByPodGC",
    )
    assert (step.obj["metadata"]["name"], step.grace) == ("a", 0)
    assert (ended.obj["metadata"]["name"], ended.grace) == ("c", 0)
