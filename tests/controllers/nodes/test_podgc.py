"""Pods that nobody will ever end."""

from kubemini.api.objects import evolve
from kubemini.controllers.decide.nodes import podgc
from kubemini.controllers.decide.nodes.taints import OUT_OF_SERVICE
from kubemini.sim.units import SECOND
from tests.controllers.parts import a_node, a_pod

GOING = {"deletionTimestamp": "2026-01-01T00:00:00Z"}
OUT = {"key": OUT_OF_SERVICE, "effect": "NoExecute"}


def names(pods):
    return [pod["metadata"]["name"] for pod in pods]


def test_ended_pods_beyond_the_threshold_go_evicted_ones_first_then_the_oldest():
    pods = [a_pod(name, phase="Succeeded", born=born * SECOND) for name, born in (("c", 3), ("b", 2), ("a", 2))]
    evicted = evolve(a_pod("e", phase="Failed", born=9 * SECOND), ("status", "reason"), "Evicted")
    pods += [evicted, a_pod("living")]
    assert names(podgc.excess(pods, 1)) == ["e", "a", "b"]
    assert podgc.excess(pods, 4) == podgc.excess(pods, 0) == []


def test_a_pod_that_is_deleted_on_a_node_out_of_service_goes_if_the_node_is_not_ready():
    pods = [a_pod("a", **GOING), a_pod("b"), a_pod("c", node="", **GOING)]
    out = a_node(ready="Unknown", taints=[OUT])
    assert names(podgc.out_of_service(pods, lambda name: out if name else None)) == ["a"]
    assert podgc.out_of_service(pods, lambda name: a_node(taints=[OUT])) == []
    assert podgc.out_of_service(pods, lambda name: a_node(ready="Unknown")) == []


def test_pods_of_nodes_that_are_gone_and_those_that_never_had_one():
    pods = [a_pod("a"), a_pod("b", node=""), a_pod("c", node="", **GOING), a_pod("d", node="n2")]
    assert names(podgc.orphans(pods, {"n1"})) == ["a"]
    assert names(podgc.unscheduled(pods)) == ["c"]


def test_a_round_is_needed_only_where_there_is_something_to_do():
    there = {"n1": a_node()}.get
    assert not podgc.needed(a_pod("a"), there)
    assert not podgc.needed(a_pod("a", **GOING), there)
    assert podgc.needed(a_pod("a", node="n2"), there)
    assert podgc.needed(a_pod("a", node="", **GOING), there)


def test_a_pod_that_has_not_ended_fails_first_and_an_orphan_says_why():
    pod = a_pod("a", generation=2)
    assert podgc.failed(a_pod("a", phase="Succeeded"), 0) is None
    failed = podgc.failed(pod, 0)["status"]
    assert (failed["phase"], failed["observedGeneration"], len(failed["conditions"])) == ("Failed", 2, 1)
    why = podgc.failed(pod, 0, orphaned=True)["status"]["conditions"][-1]
    assert (why["reason"], why["message"]) == ("DeletionByPodGC", "PodGC: node no longer exists")
