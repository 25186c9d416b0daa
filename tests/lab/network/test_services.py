"""Chapter 15: what the page asks for is what the cluster does, and not only under the seed of the page."""

import pytest

from kubemini import Cluster, Params, trace_packet
from kubemini.api.kinds import SERVICE
from kubemini.lab import check, quiz
from kubemini.lab.questions import of_chapter
from kubemini.lab.services.broad import BROAD
from kubemini.lab.services.doors import ask, differences, told
from kubemini.lab.services.flows import NOBODY, OTHER, SAME, STORIES, outcome
from kubemini.lab.services.missing import MISSING
from kubemini.lab.services.probabilities import deal
from kubemini.lab.services.shop import dealt, trial
from kubemini.lab.visits import share, visits
from kubemini.network.decide.rules.iptables import probability
from kubemini.scenarios import load as scenario
from kubemini.sim.units import SECOND
from kubemini.simulate import run
from kubemini.study.balance import cv, hands

SEEDS = (6, 1, 2)
ANSWERS = {name: asked["answer"] for name, asked in of_chapter("services")["predictions"].items()}


@pytest.fixture(scope="module")
def traces():
    return {seed: run("services", seed) for seed in SEEDS}


@pytest.mark.parametrize("seed", SEEDS)
def test_no_visit_notices_that_kube_proxy_is_dead(traces, seed):
    assert ANSWERS["crash"] == "All succeed"
    assert share(visits(traces[seed], 20, 34)) == 1


@pytest.mark.parametrize("seed", SEEDS)
def test_after_a_change_the_host_with_the_dead_kube_proxy_fails_two_in_three(traces, seed):
    assert ANSWERS["change"].startswith("Some visits from worker-1 fail, none from worker-2")
    stale = share(visits(traces[seed], 38, 55, by="visitor@worker-1"))
    assert 0.1 < stale < 0.6
    assert share(visits(traces[seed], 38, 55, by="visitor@worker-2")) == 1


@pytest.mark.parametrize("seed", SEEDS)
def test_a_restarted_kube_proxy_mends_it_within_seconds(traces, seed):
    assert share(visits(traces[seed], 58, 74)) == 1


def test_no_pod_carries_both_labels_so_no_visit_arrives():
    assert set(dealt(trial(MISSING, 1))) <= {"nobody"}


def test_too_broad_a_selector_sends_two_in_five_visits_to_the_database():
    counts = dealt(trial(BROAD, 1))
    lost = sum(n for pod, n in counts.items() if pod.startswith("db-"))
    assert 0.2 < lost / sum(counts.values()) < 0.6


@pytest.mark.parametrize(
    "repaired",
    [
        MISSING.replace("labels: {app: shop}", "labels: {app: shop, tier: web}"),
        MISSING.replace("selector: {app: shop, tier: web}", "selector: {app: shop}"),
        MISSING.replace("tier: web}", "}"),
    ],
)
@pytest.mark.some(1)
def test_every_repair_that_makes_the_shop_answer_is_right(repaired):
    assert check("services.missing", repaired).passed


@pytest.mark.parametrize(
    ("manifests", "hint"),
    [
        (MISSING, "the Service web has no endpoint"),
        (MISSING.replace("replicas: 3", "replicas: 1"), "1 pods of web run; 3 must"),
        (MISSING.replace("tier: web", "tier: [web"), "manifests"),
        (MISSING.replace("replicas: 3", "replicas: three"), "spec.replicas"),
        (5, "Give check() the text of the manifests"),
    ],
)
def test_a_repair_that_does_not_help_is_told_why(manifests, hint):
    report = check("services.missing", manifests)
    assert report.status == "hint" and hint in report.hint


def test_the_right_label_keeps_the_database_out():
    right = BROAD.replace("spec: {selector: {app: shop}", "spec: {selector: {app: shop, tier: web}")
    assert check("services.broad", right).passed
    assert check("services.broad", right.replace("app: shop, tier: web}, ports", "tier: web}, ports")).passed


def test_to_take_the_database_away_is_no_repair():
    assert "0 pods of db run; 2 must" in check("services.broad", BROAD.replace("replicas: 2", "replicas: 0")).hint
    assert (
        "of the visits" in check("services.broad", BROAD).hint
        or "visits go to pods" in check("services.broad", BROAD).hint
    )


def test_the_chances_of_kube_proxys_chain_pass():
    assert check("services.probabilities", lambda n: [1 / (n - i) for i in range(n)]).passed
    assert check("services.probabilities", lambda n: [float(probability(n - i)) for i in range(n)]).passed


@pytest.mark.parametrize(
    ("function", "hint"),
    [
        (lambda n: [1 / n] * n, "connections fall past the last rule"),
        (lambda n: [1 / n] * (n - 1) + [1], "chi-squared"),
        (lambda n: [1], "has one chance an endpoint"),
        (lambda n: [100 / (n - i) for i in range(n)], "A chance runs from 0 to 1"),
        (lambda n: n, "returns a list of numbers"),
        (lambda n: None, "returned nothing yet"),
    ],
)
def test_uneven_chances_are_told_by_what_they_deal(function, hint):
    report = check("services.probabilities", function)
    assert report.status == "hint" and hint in report.hint


def test_the_chain_deals_every_endpoint_its_share():
    counts, fell = deal([1 / 3, 1 / 2, 1], 3000)
    assert fell == 0 and sum(counts) == 3000 and max(counts) - min(counts) < 200


@pytest.mark.parametrize(
    "name",
    [
        "services.warm-up",
        "services.saw-crash",
        "services.saw-change",
        "services.families",
        "services.saw-families",
        "services.quiz",
        "services.again",
    ],
)
def test_the_questions_are_there(name):
    assert quiz(name).questions


# -- two families ------------------------------------------------------------------------------------------------------
@pytest.fixture
def shop_of_two_families():
    """A cluster with ranges of both families, as the page has it, and what ``shop(policy)`` gives."""
    ranges = {
        "cluster_cidr": "10.244.0.0/16,fd00:244::/48",
        "service_cluster_ip_range": "10.96.0.0/16,fd00:96::/112",
    }
    cluster = Cluster.single(workers=2, seed=4, params=Params(**ranges))
    cluster.apply(scenario("services").manifests)
    cluster.run("15s")

    def shop(policy):
        service = scenario("services").manifests.split("---")[1]
        cluster.apply(service.replace("spec:", f"spec:\n  ipFamilyPolicy: {policy}") if policy else service)
        cluster.run("5s")
        (found,) = cluster.components["apiserver-1"].cache(SERVICE).items()
        return found["spec"]["clusterIPs"]

    return cluster, shop


def test_a_service_that_asks_for_nothing_has_one_address_and_one_that_prefers_two_has_both(shop_of_two_families):
    _, shop = shop_of_two_families
    first, second = (asked.answer for asked in quiz("services.families").questions)
    assert [":" in ip for ip in shop("")] == [False] and first == "one ClusterIP, of the first family"
    assert [":" in ip for ip in shop("PreferDualStack")] == [False, True] and second == "waits in vain"


@pytest.mark.parametrize(("mode", "fate"), [("iptables", "lost"), ("nftables", "dropped")])
def test_who_asks_at_an_address_that_a_service_gave_back_waits_in_vain(shop_of_two_families, mode, fate):
    cluster, shop = shop_of_two_families
    four, six = shop("PreferDualStack")
    walks = [trace_packet(cluster, "pod/web", to, proxy_mode=mode).fate for to in (f"{four}:80", f"[{six}]:80")]
    assert walks == ["connected", "connected"]
    assert shop("SingleStack") == [four]
    walks = [trace_packet(cluster, "pod/web", to, proxy_mode=mode).fate for to in (f"{four}:80", f"[{six}]:80")]
    assert walks == ["connected", fate]
    assert quiz("services.saw-families").questions[0].answer == "Those to its IPv6 address, in both modes"


# -- the other doors ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("seed", [15, 1, 2])
def test_by_policy_local_a_third_of_the_visits_from_outside_wait_in_vain_and_the_rest_are_seen(seed):
    trace = run("nodeport", seed)
    assert ANSWERS["local"].startswith("A third of his visits wait in vain; the pods see his own address")
    assert share(visits(trace, 20, 34)) == 1
    late = visits(trace, 37, 59)
    assert 0.6 < share(late) < 0.73
    assert {v.detail["source"] for v in late if v.detail["outcome"] == "ok"} == {"203.0.113.101"}
    waited = [v.at - v.detail["started"] for v in late if v.detail["outcome"] != "ok"]
    assert min(waited) > 0.9 * SECOND  # silence, no refusal


def test_the_page_says_only_where_the_modes_differ_and_they_do():
    rows = differences()
    assert len(rows) == 5 and all(first != second.split(",")[0] for _, first, second in rows)
    assert told(ask("pod", "web:0", protocol="ICMP")) == "untouched; no rule decided"
    assert ask("pod", "web:0", "nftables", protocol="ICMP").fate == "refused"


@pytest.mark.parametrize("asked", [("moon", "web:80"), ("pod", "web"), ("pod", "sun:80")])
def test_a_place_that_is_not_there_is_said_to_be_none(asked):
    with pytest.raises(ValueError, match="such as web:80"):
        ask(*asked)


RIGHT = {
    "a": {},
    "b": {"clusterIP": "None"},
    "c": {"type": "NodePort"},
    "d": {"type": "LoadBalancer", "externalTrafficPolicy": "Local"},
    "e": {"type": "ExternalName", "externalName": "payments.example.com"},
    "f": {"internalTrafficPolicy": "Local"},
}


@pytest.mark.parametrize(
    ("letter", "spec", "hint"),
    [
        ("a", {"type": "NodePort"}, "Somebody outside comes in by a node port"),
        ("a", {"internalTrafficPolicy": "Local"}, "A pod does not reach both pods"),
        ("b", {}, "Its cluster IP picks one pod"),
        ("c", {}, "From outside, worker-1:30080 is closed"),
        ("c", {"type": "NodePort", "externalTrafficPolicy": "Local"}, "worker-3:30080 is dropped"),
        ("c", {"type": "LoadBalancer"}, "stays pending for ever"),
        ("d", {"type": "LoadBalancer"}, "the packet is masqueraded on its way"),
        ("d", {"type": "NodePort", "externalTrafficPolicy": "Local"}, "Nobody gives it an address"),
        ("e", {}, "what answers with another name is DNS"),
        ("e", {"type": "ExternalName"}, "which name it stands for"),
        ("f", {}, "its own is 10.244.1.5"),
        ("f", {"sessionAffinity": "ClientIP"}, "its own is 10.244.1.5"),
        ("f", {"color": "red"}, "is not asked for here"),
        ("f", {"type": "Door"}, "There is no type"),
        ("f", "Local", "is a dict of fields"),
    ],
)
def test_a_wish_that_is_not_met_is_told_by_what_a_packet_met(letter, spec, hint):
    assert check("services.types", RIGHT).passed
    report = check("services.types", {**RIGHT, letter: spec})
    assert report.status == "hint" and hint in report.hint and f"({letter})" in report.hint


def least(pods, number):
    """Counts for itself, and floods whoever is new."""
    counts = least.__dict__.setdefault("counts", {})
    pod = min(pods, key=lambda p: counts.get(p, 0))
    counts[pod] = counts.get(pod, 0) + 1
    return pod


def remembering(pods, number):
    """Asks DNS once."""
    known = remembering.__dict__.setdefault("known", pods)
    return known[number % len(known)]


@pytest.mark.parametrize(
    ("choose", "hint"),
    [
        (lambda pods, number: pods[0], "not below 0.1"),
        (lambda pods, number: pods[number * number % len(pods)], "not below 0.1"),
        (remembering, "which is none of the 9 pods"),
        (lambda pods, number: pods, "which is none of the 10 pods"),
        (least, "not below 0.1"),
        ([], "the function choose itself"),
    ],
)
def test_a_client_that_does_not_balance_is_told_what_its_pods_got(choose, hint):
    report = check("services.balanced", choose)
    assert report.status == "hint" and hint in report.hint


def test_flows_are_judged_by_what_comes_of_them():
    truth = {letter: outcome(letter) for letter in STORIES}
    assert truth == dict(zip("abcdef", [SAME, SAME, NOBODY, OTHER, NOBODY, SAME]))
    assert check("services.flows", truth).passed
    for letter in STORIES:
        wrong = {**truth, letter: OTHER if truth[letter] == SAME else SAME}
        assert f"({letter})" in check("services.flows", wrong).hint
    assert "is one of" in check("services.flows", {**truth, "a": "me"}).hint
    assert "Give check() a dict" in check("services.flows", truth | {"g": SAME}).hint


def test_more_connections_are_more_even_as_the_theory_says():
    few, many = hands(10, 10, many=200), hands(10, 1000, many=200)
    assert abs(few.idle - few.idle_expected) < 0.3 and many.idle == 0
    assert abs(sum(map(cv, many.dealt)) / 200 - many.cv_expected) < 0.02
    assert cv((0, 0)) == 0.0
