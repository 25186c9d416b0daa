"""Preemption: who must go, where, and what is said when nobody's going would help."""

import pytest

from kubemini.api.objects import evolve, freeze
from kubemini.scheduler.decide.framework import decide
from kubemini.scheduler.decide.nodeinfo import NodeInfo
from kubemini.scheduler.decide.plugin import Cycle
from kubemini.scheduler.decide.preemption import GOING, NEVER, preempt
from tests.scheduler.parts import PROFILE, a_node, a_pod, known


def running(name, cpu="1", priority=0, since="2026-01-01T00:00:00Z", **more):
    pod = a_pod(name, cpu=cpu, priority=priority, nodeName="n", **more)
    return evolve(pod, ("status",), {"phase": "Running", "startTime": since})


def tried(pod, *infos, budgets=()):
    cycle = Cycle(pod, list(infos), known())
    return preempt(cycle, PROFILE, decide(cycle, PROFILE), [freeze(one) for one in budgets])


def a_budget(allowed, name="b", **selector):
    meta = {"name": name, "namespace": "default"}
    return {"metadata": meta, "spec": {"selector": selector}, "status": {"disruptionsAllowed": allowed}}


def names(candidate):
    return [pod["metadata"]["name"] for pod in candidate.victims]


def test_whoever_can_stay_is_put_back_the_most_important_first():
    """It is not the smallest set of victims that goes, but the least important ones."""
    there = [running("old"), running("young", since="2026-02-01T00:00:00Z"), running("better", priority=5)]
    found = tried(a_pod(cpu="1", priority=10), NodeInfo(a_node("n", cpu="3"), there))
    assert names(found.chosen) == ["young"]
    assert found.text == "found a potential placement for pod on node n, preempting 1 victims"


def test_pods_of_the_same_priority_are_no_victims():
    found = tried(a_pod(cpu="4", priority=5), NodeInfo(a_node("n"), [running("same", priority=5)]))
    assert found.chosen is None
    assert found.text == "0/1 nodes are available: 1 No preemption victims found for incoming pod."


def test_a_node_that_is_too_small_when_empty_is_not_asked():
    found = tried(a_pod(cpu="64", priority=5), NodeInfo(a_node("n"), [running("low")]))
    assert found.text == "0/1 nodes are available: 1 Preemption is not helpful for scheduling."


def test_a_budget_that_is_used_up_counts_as_violated_and_is_preferred_not_to_be():
    guarded = [running("a", labels={"app": "web"}), running("b", labels={"app": "web"})]
    budget = a_budget(1, matchLabels={"app": "web"})
    both = tried(a_pod(cpu="2", priority=5), NodeInfo(a_node("n", cpu="2"), guarded), budgets=[budget])
    assert (len(both.chosen.victims), both.chosen.violations) == (2, 1)
    free = NodeInfo(a_node("m", cpu="2"), [running("c", priority=4), running("d", priority=4)])
    infos = [NodeInfo(a_node("n", cpu="2"), guarded), free]
    assert tried(a_pod(cpu="2", priority=5), *infos, budgets=[budget]).chosen.node == "m"


@pytest.mark.parametrize("selector", [{}, {"matchLabels": {}}])
def test_a_budget_with_an_empty_selector_covers_nobody_here(selector):
    guarded = NodeInfo(a_node("n", cpu="1"), [running("a", labels={"app": "web"})])
    assert tried(a_pod(cpu="1", priority=5), guarded, budgets=[a_budget(0, **selector)]).chosen.violations == 0


def test_the_node_is_taken_where_the_highest_victim_is_lowest_then_the_sum_then_the_youngest():
    def node(name, *there):
        return NodeInfo(a_node(name, cpu="2"), there)

    pod = a_pod(cpu="2", priority=10)
    high, low = node("high", running("a", "2", 5)), node("low", running("b", "1", 4), running("c", "1", 4))
    assert tried(pod, high, low).chosen.node == "low"
    many, one = node("many", running("d", "1", 4), running("e", "1", 4)), node("one", running("f", "2", 4))
    assert tried(pod, many, one).chosen.node == "one"
    old, young = (node(n, running(n, "2", 4, f"2026-0{m}-01T00:00:00Z")) for n, m in (("old", 1), ("young", 2)))
    assert tried(pod, old, young).chosen.node == "young"


def test_who_may_not_preempt_says_so():
    info = NodeInfo(a_node("n", cpu="1"), [running("low")])
    assert tried(a_pod(cpu="1", priority=5, preemptionPolicy="Never"), info).text == NEVER
    target = {"type": "DisruptionTarget", "status": "True", "reason": "PreemptionByScheduler"}
    going = evolve(running("low"), ("status", "conditions"), [target])
    going = evolve(going, ("metadata", "deletionTimestamp"), "2026-01-02T00:00:00Z")
    waits = evolve(a_pod(cpu="1", priority=5), ("status",), {"nominatedNodeName": "n"})
    assert tried(waits, NodeInfo(a_node("n", cpu="1"), [going])).text == GOING


def test_anti_affinity_is_helped_and_what_is_tried_out_changes_nothing():
    term = {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": "web"}}}
    apart = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    info = NodeInfo(a_node("n"), [running("web", labels={"app": "web"})])
    found = tried(a_pod(priority=5, affinity=apart), info)
    assert names(found.chosen) == ["web"] and list(info.pods) == ["web"]
