"""What the scheduler decides: Kubernetes' own test tables, and a sentence each for the rest."""

import json
from pathlib import Path

import pytest

from kubemini.api.objects import evolve, freeze
from kubemini.scheduler import plugins
from kubemini.scheduler.decide import plugin, queue
from kubemini.scheduler.decide.cache import Cache, NodeInfo, requests
from kubemini.scheduler.decide.framework import decide
from kubemini.scheduler.decide.plugin import Question
from kubemini.scheduler.decide.queue import SchedulingQueue
from kubemini.scheduler.plugins import nodeaffinity, topologyspread
from kubemini.scheduler.plugins.noderesourcesfit import insufficient
from kubemini.sim.units import MINUTE, SECOND

PROFILE = plugins.profile()
DATA = Path(__file__).parent / "oracles/kubernetes"


def vectors(name, kind=None):
    rows = json.loads((DATA / f"{name}.json").read_text())["vectors"]
    return [row for row in rows if kind is None or row["kind"] == kind]


def a_node(name, cpu="4", memory="8Gi", pods="110", labels=None, taints=(), **spec):
    allocatable = {"cpu": cpu, "memory": memory, "pods": pods}
    return freeze(
        {
            "metadata": {"name": name, "labels": {topologyspread.HOSTNAME: name, **(labels or {})}},
            "spec": {"taints": list(taints), **spec},
            "status": {"allocatable": allocatable},
        }
    )


def a_pod(name="p", cpu=None, memory=None, labels=None, **spec):
    wanted = {key: value for key, value in (("cpu", cpu), ("memory", memory)) if value}
    return freeze(
        {
            "metadata": {"name": name, "namespace": "default", "uid": name, "labels": labels or {}},
            "spec": {"containers": [{"name": "c", "resources": {"requests": wanted}}], **spec},
        }
    )


def ask(pod, *nodes, application=None, luck=0):
    infos = [node if isinstance(node, NodeInfo) else NodeInfo(node) for node in nodes]
    return decide(Question(pod, infos, application), PROFILE, luck)


# -- tables ----------------------------------------------------------------------------------------------------------


def listed(amounts):
    return {"cpu" if k == "milliCPU" else k: f"{v}m" if k == "milliCPU" else str(v) for k, v in amounts.items()}


def containers(rows):
    return [{"resources": {"requests": listed(row)}} for row in rows]


@pytest.mark.parametrize("v", vectors("resource_fit"), ids=lambda v: v["name"])
def test_requests_must_fit_into_what_is_left(v):
    parts = {"containers": containers(v["podContainers"]), "initContainers": containers(v["podInitContainers"])}
    status = {"allocatable": listed(v["allocatable"])}
    info = NodeInfo(freeze({"metadata": {"name": "n"}, "spec": {}, "status": status}))
    for number, used in enumerate(v["usedByExistingPods"]):
        info.add(freeze({"metadata": {"uid": str(number)}, "spec": {"containers": containers([used])}}))
    lacks = insufficient(requests(freeze({"spec": parts})), info.requested, info.allocatable)
    found = [{"resource": x.resource, "requested": x.requested, "used": x.used, "capacity": x.capacity} for x in lacks]
    assert sorted(found, key=lambda x: x["resource"]) == sorted(v["insufficient"], key=lambda x: x["resource"])
    assert (not lacks) == v["fits"]


@pytest.mark.parametrize("v", vectors("node_affinity", "nodeSelectorTerms"), ids=lambda v: v["name"])
def test_node_selector_terms(v):
    assert nodeaffinity.selects(v["nodeSelector"], v["node"]) == v["matches"]


@pytest.mark.parametrize("v", vectors("node_affinity", "podVsNode"), ids=lambda v: v["name"])
def test_node_selector_and_required_affinity(v):
    pod = json.loads(json.dumps(v["pod"]).replace("metav1.ObjectNameField", "metadata.name"))
    node = {"metadata": {"name": v["nodeName"], "labels": v["nodeLabels"]}}
    assert nodeaffinity.matches(pod, node) == v["matches"]


@pytest.mark.parametrize("v", vectors("node_affinity", "nodeSelector"), ids=lambda v: v["name"])
def test_a_node_selector_picks_or_is_refused(v):
    if "wantErr" in v:
        wrong = [problem for term in v["nodeSelector"]["nodeSelectorTerms"] for problem in nodeaffinity.problems(term)]
        assert "values: must have one element" in wrong and len(wrong) == 2
    else:
        assert nodeaffinity.selects(v["nodeSelector"], v["node"]) == v.get("wantMatch", False)


@pytest.mark.parametrize("v", vectors("node_affinity", "preferredScore"), ids=lambda v: v["name"])
def test_preferred_terms_add_their_weights(v):
    if "wantErr" in v:
        assert any(nodeaffinity.problems(term["preference"]) for term in v["prefSchedTerms"])
    else:
        assert nodeaffinity.weight(v["prefSchedTerms"], v["node"]) == v.get("wantScore", 0)


# -- filters and their words -----------------------------------------------------------------------------------------


def test_the_message_counts_nodes_by_reason():
    small = [a_node(name, cpu="1") for name in ("a", "b")]
    assert ask(a_pod(cpu="2"), *small).message == "0/2 nodes are available: 2 Insufficient cpu."
    taint = {"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}
    mixed = [a_node("cp", taints=[taint]), *small, a_node("cordoned", unschedulable=True)]
    assert ask(a_pod(cpu="2", memory="20Gi"), *mixed).message == (
        "0/4 nodes are available: 1 node(s) had untolerated taint(s), 1 node(s) were unschedulable, "
        "2 Insufficient cpu, 2 Insufficient memory."
    )
    assert ask(a_pod()).message == "no nodes available to schedule pods"


@pytest.mark.parametrize(
    ("pod", "node", "plugin", "why"),
    [
        (a_pod(nodeName="x"), a_node("n"), "NodeName", "node(s) didn't match the requested node name"),
        (
            a_pod(nodeSelector={"disk": "ssd"}),
            a_node("n"),
            "NodeAffinity",
            "node(s) didn't match Pod's node affinity/selector",
        ),
        (a_pod(), a_node("n", pods="0"), "NodeResourcesFit", "Too many pods"),
        (a_pod(memory="9Gi"), a_node("n"), "NodeResourcesFit", "Insufficient memory"),
    ],
)
def test_the_first_plugin_that_says_no_is_named(pod, node, plugin, why):
    rejected = ask(pod, node).rejections["n"]
    assert (rejected.plugin, rejected.reasons) == (plugin, (why,))


def test_limits_play_no_part_and_usage_neither():
    """Does a limit affect placement? No: requests do."""
    pod = evolve(a_pod(), ("spec", "containers", 0, "resources"), {"limits": {"cpu": "64"}})
    assert ask(pod, a_node("n")).node == "n"


def test_a_host_port_is_given_once():
    port = {"containers": [{"name": "c", "ports": [{"containerPort": 80, "hostPort": 80}]}]}
    info = NodeInfo(a_node("n"), [a_pod("other", **port)])
    assert ask(a_pod(**port), info).rejections["n"].plugin == "NodePorts"


def test_an_init_container_counts_only_if_it_is_larger():
    pod = a_pod(cpu="1", initContainers=[{"name": "i", "resources": {"requests": {"cpu": "3"}}}])
    assert requests(pod)["cpu"] == 3000


# -- scores ----------------------------------------------------------------------------------------------------------


def test_the_emptier_node_wins():
    busy = NodeInfo(a_node("busy"), [a_pod("x", cpu="2", memory="4Gi")])
    decision = ask(a_pod(cpu="500m", memory="1Gi"), busy, a_node("idle"))
    assert decision.node == "idle"
    assert decision.scores["idle"]["NodeResourcesFit"] == (87 + 87) // 2
    assert decision.scores["busy"]["NodeResourcesFit"] == (37 + 37) // 2


def test_an_uneven_node_is_evened_out():
    """More cpu than memory in use: a pod that wants memory balances it."""
    uneven = NodeInfo(a_node("uneven"), [a_pod("x", cpu="3", memory="1Gi")])
    scores = ask(a_pod(cpu="100m", memory="4Gi"), uneven, a_node("empty")).scores
    assert scores["uneven"]["NodeResourcesBalancedAllocation"] > 75 > scores["empty"]["NodeResourcesBalancedAllocation"]


def test_a_pod_without_requests_has_no_say_in_balance():
    assert "NodeResourcesBalancedAllocation" not in ask(a_pod(), a_node("a"), a_node("b")).scores["a"]


def test_replicas_are_spread_over_nodes_and_zones():
    application = lambda pod: pod["metadata"]["labels"].get("app") == "web"  # noqa: E731
    zone = lambda z: {topologyspread.ZONE: z}  # noqa: E731
    infos = [NodeInfo(a_node(n, labels=zone(z))) for n, z in (("a1", "a"), ("a2", "a"), ("b1", "b"))]
    chosen = []
    for number in range(6):
        pod = a_pod(f"p{number}", labels={"app": "web"})
        chosen.append(ask(pod, *infos, application=application).node)
        next(i for i in infos if i.name == chosen[-1]).add(pod)
    assert sorted(chosen[:3]) == ["a1", "a2", "b1"]
    assert chosen.count("b1") >= 2 and max(map(chosen.count, chosen)) <= 3


def test_a_hard_constraint_forbids_the_skew_that_a_dead_zone_causes():
    """DoNotSchedule, maxSkew 1, a zone whose only node is full: the others may hold one each, no more."""
    rule = {
        "maxSkew": 1,
        "topologyKey": topologyspread.ZONE,
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": {"app": "web"}},
    }
    infos = [NodeInfo(a_node(z, labels={topologyspread.ZONE: z}, pods="0" if z == "c" else "110")) for z in "abc"]
    placed = 0
    while True:
        pod = a_pod(f"p{placed}", labels={"app": "web"}, topologySpreadConstraints=[rule])
        decision = ask(pod, *infos)
        if not decision.node:
            break
        next(i for i in infos if i.name == decision.node).add(pod)
        placed += 1
    assert placed == 2
    assert decision.message == (
        "0/3 nodes are available: 1 Too many pods, 2 node(s) didn't match pod topology spread constraints."
    )


def test_prefer_no_schedule_costs_points_but_forbids_nothing():
    shy = a_node("shy", taints=[{"key": "x", "effect": "PreferNoSchedule"}])
    assert ask(a_pod(), shy).node == "shy"
    decision = ask(a_pod(), shy, a_node("open"))
    assert (decision.scores["shy"]["TaintToleration"], decision.node) == (0, "open")


def test_a_preferred_node_wins():
    preferred = [{"weight": 1, "preference": {"matchExpressions": [{"key": "ssd", "operator": "Exists"}]}}]
    path = {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": preferred}}
    assert ask(a_pod(affinity=path), a_node("a"), a_node("b", labels={"ssd": ""})).node == "b"


def test_luck_breaks_ties_and_nothing_else():
    assert {ask(a_pod(), a_node("a"), a_node("b"), luck=luck).node for luck in range(2)} == {"a", "b"}
    busy = NodeInfo(a_node("busy"), [a_pod("x", cpu="3")])
    assert {ask(a_pod(), busy, a_node("b"), luck=luck).node for luck in range(8)} == {"b"}


# -- cache -----------------------------------------------------------------------------------------------------------


def test_an_assumed_pod_takes_its_room_at_once_and_gives_it_back():
    cache = Cache()
    cache.set_node(a_node("n", cpu="1"))
    cache.add_pod(a_pod("x", cpu="1"), "n")
    assert not ask(a_pod(cpu="1"), *cache.nodes.values()).node
    cache.add_pod(a_pod("x", cpu="1"), "n")  # the watch shows the same pod
    assert cache.nodes["n"].requested["cpu"] == 1000
    cache.remove_pod("x")
    assert ask(a_pod(cpu="1"), *cache.nodes.values()).node == "n"


def test_a_pod_may_be_seen_before_its_node():
    cache = Cache()
    cache.add_pod(a_pod("x", cpu="1"), "n")
    cache.set_node(a_node("n", cpu="1"))
    assert cache.nodes["n"].requested["cpu"] == 1000
    cache.remove_node("n")
    cache.set_node(a_node("n", cpu="1"))
    assert cache.nodes["n"].requested["cpu"] == 1000


# -- queue -----------------------------------------------------------------------------------------------------------


def a_queue():
    return SchedulingQueue((1 * SECOND, 10 * SECOND), 5 * MINUTE, {p.name: p.helped_by for p in PROFILE})


def test_priority_first_then_age():
    waiting = a_queue()
    waiting.add(a_pod("old"), 0)
    waiting.add(a_pod("young"), 1)
    waiting.add(a_pod("urgent", priority=10), 2)
    assert [waiting.pop(3).pod["metadata"]["name"] for _ in range(3)] == ["urgent", "old", "young"]


def test_back_off_doubles_from_one_second_to_ten():
    waiting, now, delays = a_queue(), 0, []
    waiting.add(a_pod(), 0)
    for _ in range(6):
        entry = waiting.pop(now)
        waiting.failed(entry, (), now)
        assert waiting.pop(waiting.next_instant() - 1) is None
        delays.append((waiting.next_instant() - now) // SECOND)
        now = waiting.next_instant()
    assert delays == [1, 2, 4, 8, 10, 10]


def test_an_unschedulable_pod_waits_for_an_event_that_may_help():
    waiting = a_queue()
    waiting.add(a_pod(), 0)
    waiting.failed(waiting.pop(0), ["NodeResourcesFit"], 0)
    waiting.happened(plugin.NODE_TAINT, 2 * SECOND)
    assert waiting.pop(2 * SECOND) is None
    waiting.happened(plugin.POD_DELETED, 2 * SECOND)
    assert waiting.pop(2 * SECOND) is not None


def test_an_event_during_back_off_does_not_shorten_it():
    waiting = a_queue()
    waiting.add(a_pod(), 0)
    waiting.failed(waiting.pop(0), ["NodeResourcesFit"], 0)
    waiting.happened(plugin.NODE_ADDED, SECOND // 2)
    assert waiting.pop(SECOND // 2) is None and waiting.pop(SECOND) is not None


def test_an_event_while_a_pod_is_in_flight_is_not_lost():
    waiting = a_queue()
    waiting.add(a_pod(), 0)
    entry = waiting.pop(0)
    waiting.happened(plugin.NODE_ADDED, 0)
    waiting.failed(entry, ["NodeResourcesFit"], 0)
    assert waiting.pop(SECOND) is not None


def test_nobody_waits_longer_than_five_minutes():
    waiting = a_queue()
    waiting.add(a_pod(), 0)
    waiting.failed(waiting.pop(0), ["NodeAffinity"], 0)
    assert waiting.next_instant() == 5 * MINUTE
    assert waiting.pop(5 * MINUTE - 1) is None and waiting.pop(5 * MINUTE) is not None


def test_our_own_status_write_does_not_wake_a_pod_but_a_new_spec_does():
    waiting, pod = a_queue(), a_pod()
    waiting.add(pod, 0)
    waiting.failed(waiting.pop(0), ["NodeAffinity"], 0)
    waiting.add(evolve(pod, ("status",), {"conditions": []}), 3 * SECOND)
    assert waiting.pop(3 * SECOND) is None
    waiting.add(evolve(pod, ("spec", "nodeSelector"), {"a": "b"}), 3 * SECOND)
    assert waiting.pop(3 * SECOND) is not None


def test_what_a_change_of_a_node_means():
    old = a_node("n")
    assert queue.node_events(None, old) == [plugin.NODE_ADDED]
    assert queue.node_events(old, evolve(old, ("status", "conditions"), [])) == []
    assert queue.node_events(old, evolve(old, ("spec", "unschedulable"), True)) == [plugin.NODE_SPEC]
    assert queue.node_events(old, a_node("n", cpu="8")) == [plugin.NODE_ALLOCATABLE]
