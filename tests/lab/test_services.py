"""Chapter 15, first half: what the page asks for is what the cluster does, and not only under the seed of the page."""

import pytest

from kubemini.lab import check, quiz
from kubemini.lab.questions import of_chapter
from kubemini.lab.services.broad import BROAD
from kubemini.lab.services.missing import MISSING
from kubemini.lab.services.probabilities import deal
from kubemini.lab.services.shop import dealt, trial
from kubemini.lab.visits import share, visits
from kubemini.network.decide.rules.iptables import probability
from kubemini.simulate import run

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
    "name", ["services.warm-up", "services.saw-crash", "services.saw-change", "services.quiz", "services.again"]
)
def test_the_questions_are_there(name):
    assert quiz(name).questions
