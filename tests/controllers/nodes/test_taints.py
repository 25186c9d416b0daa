"""Taints follow conditions; tolerations put up with them, for a while."""

import pytest

from kubemini.api.objects import evolve, freeze
from kubemini.api.placement.tolerations import compares, tolerates, untolerated
from kubemini.controllers.decide.nodes import tainteviction, taints
from kubemini.controllers.decide.nodes.tainteviction import Move
from kubemini.sim.units import SECOND
from tests.controllers.parts import a_node, a_pod, vectors

NO_SCHEDULE, NO_EXECUTE = taints.NO_SCHEDULE, taints.NO_EXECUTE


@pytest.mark.parametrize(
    ("ready", "taint"), [("True", None), ("False", taints.NOT_READY), ("Unknown", taints.UNREACHABLE)]
)
def test_the_no_schedule_taint_follows_the_condition(ready, taint):
    node = a_node(ready=ready)
    wanted = ((taint, NO_SCHEDULE),) if taint else ()
    assert taints.no_schedule(node) == (wanted, ())
    tainted = evolve(node, ("spec", "taints"), taints.with_taints(node, wanted, 0) or [])
    assert taints.no_schedule(tainted) == ((), ())
    back = evolve(tainted, ("status", "conditions", 0, "status"), "True")
    assert taints.no_schedule(back) == ((), wanted)
    assert taints.without_taints(back, wanted) == ([] if taint else None)


def test_pressure_a_missing_network_and_a_cordon_are_no_schedule_taints():
    node = a_node(unschedulable=True)
    pressed = [{"type": kind, "status": "True"} for kind in ("MemoryPressure", "DiskPressure", "PIDPressure")]
    network = {"type": "NetworkUnavailable", "status": "True"}
    node = evolve(node, ("status", "conditions"), [*node["status"]["conditions"], *pressed, network])
    added, _ = taints.no_schedule(node)
    keys = ["memory-pressure", "disk-pressure", "pid-pressure", "network-unavailable", "unschedulable"]
    assert [key for key, _ in added] == [f"node.kubernetes.io/{key}" for key in keys]
    assert {effect for _, effect in added} == {NO_SCHEDULE}


def test_a_node_without_a_ready_condition_loses_its_first_taint():
    """TaintNodesByCondition has put it at the creation."""
    node = a_node(taints=[{"key": taints.NOT_READY, "effect": NO_SCHEDULE}])
    assert taints.no_schedule(evolve(node, ("status", "conditions"), [])) == ((), ((taints.NOT_READY, NO_SCHEDULE),))


def test_other_peoples_taints_and_no_execute_stay():
    mine = {"key": "gpu", "effect": NO_SCHEDULE}
    evicting = {"key": taints.UNREACHABLE, "effect": NO_EXECUTE}
    node = a_node(taints=[mine, evicting], unschedulable=True)
    assert taints.no_schedule(node) == (((taints.UNSCHEDULABLE, NO_SCHEDULE),), ())
    found = taints.with_taints(node, ((taints.UNSCHEDULABLE, NO_SCHEDULE),), 0)
    assert [taint["key"] for taint in found] == ["gpu", taints.UNREACHABLE, taints.UNSCHEDULABLE]
    assert taints.with_taints(node, ((taints.UNREACHABLE, NO_EXECUTE),), 0) is None


def test_the_old_labels_say_what_the_new_ones_do():
    node = a_node()
    old, new = "beta.kubernetes.io/os", "kubernetes.io/os"
    said = lambda labels: taints.labels(evolve(node, ("metadata", "labels"), labels))  # noqa: E731
    assert said({new: "linux"}) == {old: "linux"}
    assert said({new: "linux", old: "plan9"}) == {old: "linux"}
    assert said({new: "linux", old: "linux"}) == said({old: "linux"}) == {}


# -- who may stay ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("v", vectors("taints_tolerations", "toleratesTaint"), ids=lambda v: v["description"])
def test_a_toleration_tolerates_a_taint(v):
    assert tolerates(v["toleration"], v["taint"]) == v["tolerated"]


@pytest.mark.parametrize("v", vectors("taints_tolerations", "numeric"), ids=lambda v: v["description"])
def test_numbers_are_compared(v):
    assert compares(v["operator"], v["toleration"], v["taint"]) == v["out"]


@pytest.mark.parametrize("v", vectors("taints_tolerations", "findUntolerated"), ids=lambda v: v["description"])
def test_the_first_untolerated_taint_is_found(v):
    effects = ("NoExecute",) if v["description"].startswith("tolerations match taints") else ("NoSchedule", "NoExecute")
    assert (untolerated(v["taints"], v["tolerations"], effects) is None) == v["tolerated"]


A, B = ({"key": key, "operator": "Exists", "effect": NO_EXECUTE} for key in "ab")
TAINTS = [{"key": "a", "effect": NO_EXECUTE}, {"key": "b", "effect": NO_EXECUTE}]


def tolerant(*tolerations):
    return freeze({"spec": {"tolerations": list(tolerations)}})


def test_a_pod_stays_as_long_as_its_shortest_applicable_toleration():
    for_300, for_20 = {**A, "tolerationSeconds": 300}, {**B, "tolerationSeconds": 20}
    assert tainteviction.stay(tolerant(A), TAINTS) == 0
    assert tainteviction.stay(tolerant(A, B), TAINTS) is None
    assert tainteviction.stay(tolerant(for_300, B), TAINTS) == 300 * SECOND
    assert tainteviction.stay(tolerant(for_300, for_20), TAINTS) == 20 * SECOND
    assert tainteviction.stay(tolerant({**A, "tolerationSeconds": -5}, B), TAINTS) == 0


def test_a_further_taint_does_not_bring_an_eviction_forward():
    pod = tolerant({**A, "tolerationSeconds": 60}, {**B, "tolerationSeconds": 3})
    now = 5 * SECOND
    assert tainteviction.plan(pod, TAINTS[:1], None, 0) == Move(since=0, at=60 * SECOND)
    assert tainteviction.plan(pod, TAINTS, 0, now) == Move()
    assert tainteviction.plan(pod, TAINTS, None, now) == Move(since=now, at=now + 3 * SECOND)


def test_a_taint_that_is_not_tolerated_and_one_taken_off_end_what_was_planned():
    pod = tolerant({**A, "tolerationSeconds": 60})
    assert tainteviction.plan(pod, TAINTS, 0, SECOND) == Move(cancel=True, since=SECOND, at=SECOND)
    assert tainteviction.plan(pod, [], 0, SECOND) == Move(cancel=True)
    assert tainteviction.plan(tolerant(A), TAINTS[:1], 0, SECOND) == Move(cancel=True)


def test_a_pod_says_why_it_is_evicted():
    doomed = tainteviction.doomed(a_pod("a", generation=3), SECOND)
    found = doomed["status"]["conditions"][-1]
    assert (found["type"], found["reason"], found["observedGeneration"]) == (
        "DisruptionTarget",
        "DeletionByTaintManager",
        3,
    )
    assert tainteviction.doomed(doomed, 9 * SECOND) is doomed
