"""What the plugins say: Kubernetes' own test tables, and a sentence each for the rest."""

import json

import pytest

from kubemini.api.objects import evolve, freeze
from kubemini.api.placement import nodeselection
from kubemini.scheduler.decide.decision import winner
from kubemini.scheduler.decide.nodeinfo import NodeInfo
from kubemini.scheduler.decide.resources import requests
from kubemini.scheduler.plugins import nodeaffinity, topologyspread
from kubemini.scheduler.plugins.noderesourcesfit import insufficient
from tests.scheduler.parts import a_node, a_pod, a_service, ask, vectors

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
    assert nodeselection.selects(v["nodeSelector"], v["node"]) == v["matches"]


@pytest.mark.parametrize("v", vectors("node_affinity", "podVsNode"), ids=lambda v: v["name"])
def test_node_selector_and_required_affinity(v):
    pod = json.loads(json.dumps(v["pod"]).replace("metav1.ObjectNameField", "metadata.name"))
    node = {"metadata": {"name": v["nodeName"], "labels": v["nodeLabels"]}}
    assert nodeselection.matches(pod, node) == v["matches"]


@pytest.mark.parametrize("v", vectors("node_affinity", "nodeSelector"), ids=lambda v: v["name"])
def test_a_node_selector_picks_or_is_refused(v):
    if "wantErr" in v:
        wrong = [problem for term in v["nodeSelector"]["nodeSelectorTerms"] for problem in nodeselection.problems(term)]
        assert "values: must have one element" in wrong and len(wrong) == 2
    else:
        assert nodeselection.selects(v["nodeSelector"], v["node"]) == v.get("wantMatch", False)


@pytest.mark.parametrize("v", vectors("node_affinity", "preferredScore"), ids=lambda v: v["name"])
def test_preferred_terms_add_their_weights(v):
    if "wantErr" in v:
        assert any(nodeselection.problems(term["preference"]) for term in v["prefSchedTerms"])
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
    rejected = ask(pod, node).refusals["n"]
    assert (rejected.plugin, rejected.reasons) == (plugin, (why,))


def test_limits_play_no_part_and_usage_neither():
    """Does a limit affect placement? No: requests do."""
    pod = evolve(a_pod(), ("spec", "containers", 0, "resources"), {"limits": {"cpu": "64"}})
    assert ask(pod, a_node("n")).node == "n"


def test_a_host_port_is_given_once():
    port = {"containers": [{"name": "c", "ports": [{"containerPort": 80, "hostPort": 80}]}]}
    info = NodeInfo(a_node("n"), [a_pod("other", **port)])
    assert ask(a_pod(**port), info).refusals["n"].plugin == "NodePorts"


def test_a_port_is_free_for_the_scheduler_when_one_of_two_who_have_it_goes():
    """A kubelet refuses the second; its end takes the port off the node's set, where nobody counts (1.37.2)."""
    port = {"containers": [{"name": "c", "ports": [{"containerPort": 80, "hostPort": 80}]}]}
    refused = a_pod("refused", **port)
    info = NodeInfo(a_node("n"), [a_pod("holder", **port), refused])
    info.remove(refused["metadata"]["uid"])
    assert ask(a_pod(**port), info).node == "n"


def test_an_init_container_counts_only_if_it_is_larger():
    pod = a_pod(cpu="1", initContainers=[{"name": "i", "resources": {"requests": {"cpu": "3"}}}])
    assert requests(pod)["cpu"] == 3000


# -- scores ----------------------------------------------------------------------------------------------------------


def test_the_emptier_node_wins():
    busy = NodeInfo(a_node("busy"), [a_pod("x", cpu="2", memory="4Gi")])
    decision = ask(a_pod(cpu="500m", memory="1Gi"), busy, a_node("idle"))
    assert decision.node == "idle"
    assert decision.scores["idle"]["NodeResourcesFit"][1] == (87 + 87) // 2
    assert decision.scores["busy"]["NodeResourcesFit"][1] == (37 + 37) // 2


def test_an_uneven_node_is_evened_out():
    """More cpu than memory in use: a pod that wants memory balances it."""
    uneven = NodeInfo(a_node("uneven"), [a_pod("x", cpu="3", memory="1Gi")])
    scores = ask(a_pod(cpu="100m", memory="4Gi"), uneven, a_node("empty")).scores
    balance = {node: by["NodeResourcesBalancedAllocation"][1] for node, by in scores.items()}
    assert balance["uneven"] > 75 > balance["empty"]


def test_a_pod_without_requests_has_no_say_in_balance():
    assert "NodeResourcesBalancedAllocation" not in ask(a_pod(), a_node("a"), a_node("b")).scores["a"]


def test_replicas_are_spread_over_nodes_and_zones():
    zone = lambda z: {topologyspread.ZONE: z}  # noqa: E731
    infos = [NodeInfo(a_node(n, labels=zone(z))) for n, z in (("a1", "a"), ("a2", "a"), ("b1", "b"))]
    chosen = []
    for number in range(6):
        pod = a_pod(f"p{number}", labels={"app": "web"})
        chosen.append(ask(pod, *infos, objects=[a_service(app="web")]).node)
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


def test_a_node_without_one_of_the_labels_gets_nothing_though_it_alone_is_in_its_zone():
    rule = {"maxSkew": 1, "whenUnsatisfiable": "ScheduleAnyway", "labelSelector": {}}
    rules = [rule | {"topologyKey": key} for key in (topologyspread.ZONE, "rack")]
    labels = {"lone": {topologyspread.ZONE: "a"}, "there": {topologyspread.ZONE: "b", "rack": "1"}}
    decision = ask(a_pod(topologySpreadConstraints=rules), *(a_node(n, labels=of) for n, of in labels.items()))
    assert decision.scores["lone"]["PodTopologySpread"][0] == 0 and decision.node == "there"


def test_prefer_no_schedule_costs_points_but_forbids_nothing():
    shy = a_node("shy", taints=[{"key": "x", "effect": "PreferNoSchedule"}])
    assert ask(a_pod(), shy).node == "shy"
    decision = ask(a_pod(), shy, a_node("open"))
    assert (decision.scores["shy"]["TaintToleration"][1], decision.node) == (0, "open")


@pytest.mark.parametrize("preference", [{"preference": {}}, {"preference": None}, {}])
def test_a_preference_that_asks_for_nothing_picks_no_node(preference):
    assert nodeaffinity.weight([{"weight": 7, **preference}], a_node("n")) == 0


def test_a_preferred_node_wins():
    preferred = [{"weight": 1, "preference": {"matchExpressions": [{"key": "ssd", "operator": "Exists"}]}}]
    path = {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": preferred}}
    assert ask(a_pod(affinity=path), a_node("a"), a_node("b", labels={"ssd": ""})).node == "b"


def test_of_equals_the_first_on_the_way_down_a_heap_wins_and_no_luck():
    """A heap over the nodes in the order of the search; its root is taken."""
    assert [winner(totals) for totals in ([5, 5, 5], [1, 5, 5], [1, 2, 5, 5], [1, 2, 3, 9, 9, 9, 9])] == [0, 1, 3, 3]
    assert {ask(a_pod(), a_node("a"), a_node("b")).node for _ in range(3)} == {"a"}
    busy = NodeInfo(a_node("busy"), [a_pod("x", cpu="3")])
    assert ask(a_pod(), busy, a_node("b")).node == "b"
