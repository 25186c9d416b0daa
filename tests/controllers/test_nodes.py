"""Node life cycle, taints and tolerations, pods of nodes that are gone."""

import pytest

from kubemini.api.objects import evolve, freeze
from kubemini.api.timestamps import timestamp
from kubemini.api.tolerations import compares, tolerates, untolerated
from kubemini.controllers.decide import (
    nodelifecycle,
    tainteviction,
)
from kubemini.params import Params
from kubemini.sim.units import SECOND
from tests.controllers.parts import a_node, a_pod, vectors


def lease(renewed):
    return freeze({"spec": {"renewTime": timestamp(renewed)}})


GRACE = Params().node_monitor_grace_period


def test_a_node_is_unknown_after_the_grace_period_of_silence():
    node = a_node()
    health = nodelifecycle.observe(None, node, lease(0), 100 * SECOND)
    assert nodelifecycle.judge(node, health, 100 * SECOND + GRACE, GRACE) is node
    judged = nodelifecycle.judge(node, health, 100 * SECOND + GRACE + 1, GRACE)
    ready = judged["status"]["conditions"][0]
    assert (ready["status"], ready["reason"]) == ("Unknown", "NodeStatusUnknown")
    assert ready["message"] == "Kubelet stopped posting node status."
    assert [c["type"] for c in judged["status"]["conditions"]] == list(nodelifecycle.WATCHED)
    assert nodelifecycle.judge(judged, health, 200 * SECOND, GRACE) is judged


def test_silence_counts_from_when_this_controller_last_saw_a_change():
    """The kubelet's own clock, in renewTime, may be hours off."""
    node = a_node()
    health = nodelifecycle.observe(None, node, lease(99_999 * SECOND), 0)
    assert nodelifecycle.observe(health, node, lease(99_999 * SECOND), 30 * SECOND) is health
    assert nodelifecycle.observe(health, node, lease(5 * SECOND), 30 * SECOND).at == 30 * SECOND


@pytest.mark.parametrize(
    ("ready", "taint"), [("True", None), ("False", nodelifecycle.NOT_READY), ("Unknown", nodelifecycle.UNREACHABLE)]
)
def test_taints_follow_the_condition(ready, taint):
    node = a_node(ready=ready)
    both = nodelifecycle.with_no_execute(nodelifecycle.with_no_schedule(node, 0), 0)
    found = [(t["key"], t["effect"]) for t in both["spec"]["taints"]]
    assert found == ([(taint, "NoSchedule"), (taint, "NoExecute")] if taint else [])
    back = evolve(both, ("status", "conditions", 0, "status"), "True")
    clean = nodelifecycle.without_no_execute(nodelifecycle.with_no_schedule(back, 0))
    assert clean["spec"]["taints"] == []


def test_other_peoples_taints_stay():
    mine = {"key": "gpu", "effect": "NoSchedule"}
    node = nodelifecycle.with_no_schedule(a_node(taints=[mine], unschedulable=True), 0)
    assert [t["key"] for t in node["spec"]["taints"]] == ["gpu", nodelifecycle.UNSCHEDULABLE]


def test_a_zone_is_disturbed_from_55_percent_and_more_than_two_nodes_on():
    def state(ready, silent):
        nodes = [a_node(f"r{i}") for i in range(ready)] + [a_node(f"s{i}", "Unknown") for i in range(silent)]
        return nodelifecycle.zone_states(nodes, 0.55)["a"]

    assert [state(5, 0), state(1, 2), state(4, 4), state(3, 4), state(0, 1)] == [
        "Normal",
        "Normal",
        "Normal",
        "PartialDisruption",
        "FullDisruption",
    ]


def test_evictions_stop_where_a_small_zone_is_disturbed_and_everywhere_if_all_zones_are_silent():
    params = Params()
    nodes = (
        [a_node(f"s{i}", "Unknown") for i in range(4)] + [a_node(f"r{i}") for i in range(3)] + [a_node("b", zone="b")]
    )
    states = nodelifecycle.zone_states(nodes, 0.55)
    assert nodelifecycle.eviction_rates(states, nodes, params) == {"a": 0.0, "b": 0.1}
    silent = [a_node(f"s{i}", "Unknown", zone="ab"[i % 2]) for i in range(4)]
    states = nodelifecycle.zone_states(silent, 0.55)
    assert nodelifecycle.all_disrupted(states)
    assert nodelifecycle.eviction_rates(states, silent, params) == {"a": 0.0, "b": 0.0}


def test_one_node_in_ten_seconds_the_first_at_once():
    taken = []
    for second in range(30):
        if nodelifecycle.may_evict(taken[-1] * SECOND if taken else None, 0.1, second * SECOND):
            taken.append(second)
    assert taken == [0, 10, 20]
    assert not nodelifecycle.may_evict(None, 0.0, 0)


def test_a_pod_of_a_silent_node_is_not_ready():
    changed = nodelifecycle.not_ready(a_pod("a"), SECOND)
    assert changed["status"]["conditions"][0]["status"] == "False"
    assert nodelifecycle.not_ready(changed, SECOND) is None


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


def test_a_pod_stays_as_long_as_its_shortest_applicable_toleration():
    taints = [{"key": "a", "effect": "NoExecute"}, {"key": "b", "effect": "NoExecute"}]
    pod = lambda *t: freeze({"spec": {"tolerations": list(t)}})  # noqa: E731
    a, b = ({"key": k, "operator": "Exists", "effect": "NoExecute"} for k in "ab")
    assert tainteviction.stay(pod(a), taints) == 0
    assert tainteviction.stay(pod(a, b), taints) is None
    assert tainteviction.stay(pod({**a, "tolerationSeconds": 300}, b), taints) == 300 * SECOND
    assert (
        tainteviction.stay(pod({**a, "tolerationSeconds": 300}, {**b, "tolerationSeconds": 20}), taints) == 20 * SECOND
    )
    assert tainteviction.stay(pod({**a, "tolerationSeconds": -5}, b), taints) == 0
