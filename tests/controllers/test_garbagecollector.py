"""Garbage collection: who goes when its owners are gone."""

from kubemini.api.objects import evolve
from kubemini.controllers.decide import (
    garbagecollector,
    podgc,
)
from kubemini.controllers.decide.actions import owner_reference
from tests.controllers.parts import a_node, a_pod, a_replicaset, kinds_of


def test_an_object_goes_when_all_its_owners_are_gone():
    rs = a_replicaset()
    pod = a_pod("a", rs)
    assert kinds_of(garbagecollector.plan(pod, {"rs": True})) == []
    assert kinds_of(garbagecollector.plan(pod, {"rs": False})) == ["Delete"]
    other = {**owner_reference(rs), "uid": "x", "controller": False}
    two = evolve(pod, ("metadata", "ownerReferences"), [owner_reference(rs), other])
    (patch,) = garbagecollector.plan(two, {"rs": True, "x": False}).actions
    assert [reference["uid"] for reference in patch.body["metadata"]["ownerReferences"]] == ["rs"]


def test_pods_of_a_node_that_does_not_exist_go_without_grace():
    assert podgc.collect([a_pod("a")], a_node()) == []
    (step,) = podgc.collect([a_pod("a"), a_pod("b", node="")], None)
    assert (step.obj["metadata"]["name"], step.grace) == ("a", 0)
