"""Chapter *The scheduler*: what the page says happens under other seeds too, and the checkers tell why not."""

from collections import Counter

import pytest

from kubemini.lab import check
from kubemini.lab.questions import of_chapter
from kubemini.lab.scheduler import sizes
from kubemini.lab.scheduler.descheduler import Case as Moved
from kubemini.lab.scheduler.stories import returned, zone_lost
from kubemini.lab.scheduler.zones import Case as Zones
from kubemini.scheduler.decide.plugin import Plugin
from kubemini.sim.units import SECOND
from kubemini.simulate import run

ZONE = "topology.kubernetes.io/zone"


@pytest.fixture(autouse=True)
def lenient(monkeypatch):
    """A report, not an exception."""
    monkeypatch.delenv("KUBEMINI_STRICT", raising=False)


# -- what the cells say ----------------------------------------------------------------------------
@pytest.mark.parametrize("seed", [5, 6, 7])
@pytest.mark.some(1)
def test_a_node_that_is_back_gets_no_pod_until_the_other_one_fails(seed):
    trace, asked = run("scheduler", seed), of_chapter("scheduler")["predictions"]["returns"]
    bound = [(r.at / SECOND, r.detail["node"]) for r in trace.of("decision") if r.detail["node"]]
    assert asked["answer"] == "None" and not [node for at, node in bound if 100 < at < 130 and node == "worker-2"]
    assert [node for at, node in bound if 32 < at < 100] == ["worker-1"]
    late = [at for at, node in bound if at > 130 and node == "worker-2"]
    assert len(late) == 2 and 55 < late[0] - 130 < 80


@pytest.mark.soak
def test_six_pods_on_three_nodes_never_return_by_themselves():
    (_, first), *_, (seconds, last) = returned()
    assert set(first.values()) == {2} and seconds == 600 and last == {"worker-1": 3, "worker-2": 0, "worker-3": 3}


def test_a_dead_zone_counts_unless_its_taints_are_honoured():
    assert [where.get("Pending", 0) for _, where in zone_lost()] == [0, 0, 2, 2]
    settled = zone_lost(nodeTaintsPolicy="Honor")[-1][1]
    assert "Pending" not in settled and sum(settled.values()) == 6


# -- whichever zone fails --------------------------------------------------------------------------
def there(cycle, info):
    app = cycle.pod["metadata"]["labels"]["app"]
    same = [node for node in cycle.nodes if node.labels[ZONE] == info.labels[ZONE]]
    return sum(pod["metadata"]["labels"]["app"] == app for node in same for pod in node.pods.values())


def used(cycle, info):
    return 9 * info.requested.get("cpu", 0) // info.allocatable["cpu"]


def plugin(score, weight=1000):
    return Plugin("ZoneSafe", 1000, score=score, weight=weight)


@pytest.mark.soak
def test_a_plugin_that_counts_by_zone_and_fills_nodes_passes():
    report = check("scheduler.zones", plugin(lambda c, i: max(0, 90 - 10 * there(c, i)) + used(c, i)))
    assert report.passed and report.facts[0].startswith("100 clusters, ")


@pytest.mark.soak
def test_so_does_one_that_normalizes_by_itself():
    def normalize(cycle, feasible, raw):
        low, high = min(raw), max(raw)
        return [100 * (value - low) // max(1, high - low) for value in raw]

    mine = Plugin("Mine", 1000, score=lambda c, i: used(c, i) - 10 * there(c, i), normalize=normalize, weight=1000)
    assert check("scheduler.zones", mine).passed


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (plugin(lambda c, i: 100 - 10 * there(c, i)), "empty nodes were taken into use"),
        (plugin(lambda c, i: used(c, i)), "one zone holds"),
        (plugin(lambda c, i: 5 * used(c, i) - there(c, i) // 9), "one zone holds"),
        (plugin(lambda c, i: -1), "Your plugin gave -1"),
        (plugin(lambda c, i: 0.5), "a score is a whole number"),
        (plugin(lambda c, i: None), "returned nothing yet"),
        (Plugin("No", 1000, score=lambda c, i: 0, filter=lambda c, i: "no"), "A pod found no node"),
        (lambda c, i: 0, "Give check() the plugin"),
    ],
)
def test_other_plugins_are_told_what_they_lose(answer, hint):
    report = check("scheduler.zones", answer)
    assert not report.passed and hint in report.hint, report


def test_in_each_zone_a_node_in_use_has_room_for_its_share():
    for number in range(100):
        case = Zones(number)
        share = -(-case.replicas // len(case.zones))
        nodes = {node["metadata"]["name"]: node for node in case.nodes}
        for pod, name in case.there:
            asks = int(pod["spec"]["containers"][0]["resources"]["requests"]["cpu"].removesuffix("m"))
            assert int(nodes[name]["status"]["allocatable"]["cpu"]) * 1000 - asks >= 500 * share


# -- three pods wait -------------------------------------------------------------------------------
SMALLER = '{"spec":{"containers":[{"name":"c","resources":{"requests":{"cpu":"2"}}}]}}'
TOLERATES = '{"spec":{"tolerations":[{"key":"team","operator":"Exists"}]}}'
CURES = {
    "report": ("NodeResourcesFit", f"patch pod report --subresource resize -p '{SMALLER}'"),
    "search": ("NodeAffinity", "kubectl label node worker-2 disk=ssd"),
    "probe": ("TaintToleration", f"patch pod probe -p '{TOLERATES}'"),
}


@pytest.mark.soak
def test_three_cures_of_whatever_kind_pass():
    assert check("scheduler.pending", CURES).passed
    assert check("scheduler.pending", CURES | {"probe": ("TaintToleration", "taint nodes worker-1 team-")}).passed


@pytest.mark.parametrize(
    ("change", "hint"),
    [
        ({"report": ("NodeAffinity", "get pods")}, "report is not refused by 'NodeAffinity'"),
        ({"probe": ("TaintToleration", "get pods")}, "probe is still Pending after your line: 0/3 nodes"),
        ({"probe": ("TaintToleration", "delete pod shop-1")}, "shop-1 was ended"),
        ({"probe": ("TaintToleration", "taint everything")}, "probe: your line went wrong: error"),
        ({"probe": "TaintToleration"}, "probe: give two texts"),
    ],
)
def test_other_cures_are_told_why_not(change, hint):
    report = check("scheduler.pending", CURES | change)
    assert not report.passed and hint in report.hint, report


# -- how much to ask for ---------------------------------------------------------------------------
def asks(memory, cpu="100m", **more):
    return {"requests": {"cpu": cpu, "memory": memory}, **more}


@pytest.mark.soak
def test_who_asks_for_the_peak_passes_with_a_limit_or_without():
    assert check("scheduler.requests", asks("730Mi")).passed
    assert check("scheduler.requests", asks("720Mi", limits={"memory": "1Gi"})).passed


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (asks(f"{sum(sizes.USAGE) // len(sizes.USAGE)}Mi"), "pods were evicted by their kubelets"),
        (asks("900Mi"), "6 of 30 pods are still Pending"),
        pytest.param(asks("720Mi", cpu="1"), "18 of 30 pods are still Pending", marks=pytest.mark.soak),
        (asks("720Mi", limits={"memory": "300Mi"}), "No API server takes these resources"),
        (asks("much"), "No API server takes these resources"),
        ({"memory": "720Mi"}, "Hand over"),
    ],
)
def test_other_requests_are_told_what_they_do(answer, hint):
    report = check("scheduler.requests", answer)
    assert not report.passed and hint in report.hint, report


# -- decide again ----------------------------------------------------------------------------------
def greedy(pods, nodes, budgets, most, least=2):
    counts = {app: Counter(dict.fromkeys(nodes, 0)) for app in budgets}
    for pod in pods:
        counts[pod.app][pod.node] += 1
    left, evicted = dict(budgets), []
    while len(evicted) < most:
        free = [pod for pod in pods if left[pod.app] and pod.name not in evicted]
        gains = [(counts[pod.app][pod.node] - min(counts[pod.app].values()), pod) for pod in free]
        gain, pod = max(gains, default=(0, None))
        if gain < least:
            break
        here = counts[pod.app]
        here[pod.node] -= 1
        here[min(here, key=here.get)] += 1
        left[pod.app] -= 1
        evicted.append(pod.name)
    return evicted


@pytest.mark.soak
def test_who_takes_the_pod_with_the_most_company_passes():
    assert check("scheduler.descheduler", greedy).passed


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (lambda pods, nodes, budgets, most: [], "pairs of one app's pods still die together"),
        (lambda pods, nodes, budgets, most: greedy(pods, nodes, budgets, most, least=1), "do as much good"),
        (lambda pods, nodes, budgets, most: [pod.name for pod in pods][:most], "its budget lets"),
        (lambda pods, nodes, budgets, most: greedy(pods, nodes, dict.fromkeys(budgets, 9), most), "its budget lets"),
        (lambda pods, nodes, budgets, most: greedy(pods, nodes, budgets, 99), "are allowed"),
        (lambda pods, nodes, budgets, most: ["nobody-1"], "each pod once, of those there are"),
        (lambda pods, nodes, budgets, most: 3, "Return a list of names"),
    ],
)
def test_other_evictions_are_told_why_not(answer, hint):
    report = check("scheduler.descheduler", answer)
    assert not report.passed and hint in report.hint, report


def test_no_choice_of_the_same_number_does_better_than_the_reference():
    """Small clusters, all choices tried: the greedy reference is the best there is."""
    from itertools import combinations

    for number in range(40):
        case = Moved(number)
        if len(case.pods) > 9 or len(case.reference()) > 2:
            continue
        best = case.together(case.after(case.reference()))
        for chosen in combinations([pod.name for pod in case.pods], len(case.reference())):
            apps = Counter(name.split("-")[0] for name in chosen)
            if all(many <= case.budgets[app] for app, many in apps.items()):
                assert case.together(case.after(list(chosen))) >= best
