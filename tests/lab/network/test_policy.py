"""Chapter 18: what the page asks for is what policies do."""

from collections import Counter

import pytest

from kubemini.lab import check, quiz
from kubemini.lab.policy.allowed import CASES, case, truth
from kubemini.lab.policy.tiers import TIERS, WANTED
from kubemini.lab.policy.webhook import LOCKED
from kubemini.lab.questions import of_chapter
from kubemini.sim.units import SECOND
from kubemini.simulate import run
from tests.lab.network.policy_answers import MINIMAL, OPENED, allowed, side

ANSWERS = {name: asked["answer"] for name, asked in of_chapter("policy")["predictions"].items()}
PARTS = TIERS.split("---\n")


def test_the_tiers_of_the_page_pass_and_so_does_every_order_of_them():
    assert check("policy.tiers", TIERS).passed
    assert check("policy.tiers", "---\n".join(reversed(PARTS))).passed
    assert check("policy.tiers", MINIMAL).passed


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (5, "Give check() the text of the manifests; it got int."),
        ("apiVersion: [", "The manifests cannot be read"),
        ("apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}", "There is no NetworkPolicy in it"),
        (TIERS.replace("port: sql", "port: SQL!"), "The API server refuses a manifest"),
        (PARTS[0], "web → api must be allowed (egress: isolated by shop/deny-all)"),
        ("---\n".join([PARTS[0], *PARTS[2:]]), "web → dns must be allowed"),
        ("---\n".join(PARTS[:4]), "api → db must be allowed (ingress: isolated by shop/deny-all)"),
        (TIERS.replace(", except: [10.244.0.0/16]", ""), "probe → web must not be allowed"),
        (TIERS.replace("{k8s-app: kube-dns}", "{k8s-app: coredns}"), "web → dns must be allowed"),
    ],
)
def test_what_is_wrong_is_told_with_the_rule_that_decided(answer, hint):
    report = check("policy.tiers", answer)
    assert report.status == "hint" and hint in report.hint


def test_most_pairs_are_to_stay_apart():
    assert len(WANTED) == 12 and ("probe", "dns") in WANTED and ("probe", "web") not in WANTED


def test_two_policies_are_enough_and_five_are_too_many():
    assert check("policy.minimal", MINIMAL).passed
    assert "5 policies; 2 are enough" in check("policy.minimal", TIERS).hint
    cluster = (
        "apiVersion: policy.networking.k8s.io/v1beta1\nkind: ClusterNetworkPolicy\nmetadata: {name: c}\n"
        "spec: {tier: Admin, priority: 1, subject: {namespaces: {}}}\n"
    )
    assert "use NetworkPolicies alone" in check("policy.minimal", cluster).hint


def test_the_webhook_is_opened_by_three_addresses_and_by_no_fewer():
    assert check("policy.webhook", OPENED).passed
    assert "cp-1 → webhook must be allowed" in check("policy.webhook", LOCKED).hint
    one_less = OPENED.replace("        - ipBlock: {cidr: 192.168.0.12/32}\n", "")
    assert "cp-2 → webhook must be allowed" in check("policy.webhook", one_less).hint
    too_wide = OPENED.replace("192.168.0.11/32", "192.168.0.0/24")
    assert "worker-1 → webhook must not be allowed" in check("policy.webhook", too_wide).hint
    assert "must not be allowed" in check("policy.webhook", LOCKED.replace("from: [{podSelector: {}}]", "{}")).hint


def test_a_judge_of_ones_own_passes_and_half_of_one_does_not():
    assert check("policy.allowed", allowed).passed
    only_in = lambda policies, src, dst, port: side(policies, dst, src, port, "Ingress", "from")  # noqa: E731
    assert "is denied (egress" in check("policy.allowed", only_in).hint
    assert "yours says True" in check("policy.allowed", lambda *asked: True).hint
    assert "returns True or False" in check("policy.allowed", lambda *asked: 1).hint


def test_the_cases_are_worth_asking():
    said = [truth(*case(number)) for number in range(CASES)]
    assert 0.3 < sum(yes for yes, _ in said) / CASES < 0.8
    assert {"egress: isolated", "ingress: isolated"} <= {
        rule[: rule.index("isolated") + 8] for yes, rule in said if not yes
    }


@pytest.mark.parametrize("name", ["warm-up", "saw-deny", "dash", "quiz"])
def test_the_questions_are_there(name):
    assert quiz(f"policy.{name}").questions


def test_the_predictions_are_answered_as_the_scenario_goes():
    """The scenario itself is held by tests/network/policy/test_agent.py."""
    assert ANSWERS["deny"].startswith("None") and ANSWERS["names"].startswith("Nothing works")
    assert ANSWERS["nobody"].startswith("All of them succeed")


def test_a_call_that_may_not_ask_for_names_waits_longer_than_one_that_may_not_connect():
    """The page says two seconds (two names of one second each), and that the second policy makes it sooner."""
    asked = [r for r in run("policy").of("request") if r.detail["kind"] == "service"]
    waited = {}
    for begin, end in (22, 40), (42, 60):
        these = [r for r in asked if begin <= r.detail["started"] / SECOND < end]
        waited[begin] = Counter(round((r.at - r.detail["started"]) / SECOND) for r in these)
    assert waited[22][2] > 0.9 * waited[22].total() and set(waited[42]) == {1}
    assert "two seconds" in quiz("policy.saw-deny").questions[0].question
