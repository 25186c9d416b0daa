"""Evictions ask the disruption budget, and tell it: k/k pkg/registry/core/pod/storage/eviction.go."""

import pytest

from tests.apiserver.deeds.parts import Client

APP = {"app": "a"}


def cause(answer):
    return answer["details"]["causes"][0]["message"]


def test_two_evictions_cannot_both_have_the_last_disruption():
    client = Client("last-disruption")
    for name in ("p", "q"):
        client.running(name, APP)
    path = client.budget("b", APP, disruptionsAllowed=1, currentHealthy=2, desiredHealthy=1)
    assert client.evict("p")[0] == 201
    status = client.ask("GET", path)[1]["status"]
    assert status["disruptionsAllowed"] == 0 and list(status["disruptedPods"]) == ["p"]
    (condition,) = status["conditions"]
    assert (condition["type"], condition["status"], condition["reason"]) == (
        "DisruptionAllowed",
        "False",
        "InsufficientPods",
    )
    code, answer = client.evict("q")
    assert (code, answer["reason"]) == (429, "TooManyRequests")
    assert cause(answer) == "The disruption budget b does not allow evicting pods currently"


def test_a_pod_says_why_it_goes():
    client = Client("says-why")
    client.running("p", APP)
    assert client.evict("p")[0] == 201
    pod = client.ask("GET", "pods/p")[1]
    assert pod["metadata"]["deletionGracePeriodSeconds"] == 30
    assert pod["status"]["conditions"][-1]["reason"] == "EvictionByEvictionAPI"


@pytest.mark.parametrize(
    ("healthy", "policy", "code"),
    [(0, None, 429), (1, None, 201), (0, "AlwaysAllow", 201), (0, "IfHealthyBudget", 429)],
)
def test_a_pod_that_is_not_ready_goes_if_its_budget_is_met_or_does_not_mind(healthy, policy, code):
    client = Client(f"not-ready-{healthy}-{str(policy).lower()}")
    client.running("p", APP, ready=False)
    path = client.budget("b", APP, disruptionsAllowed=0, currentHealthy=healthy, desiredHealthy=1)
    if policy is not None:
        client.patch(path, {"spec": {"unhealthyPodEvictionPolicy": policy}})
        client.patch(f"{path}/status", {"status": {"observedGeneration": 2}})
    assert client.evict("p")[0] == code
    assert client.ask("GET", path)[1]["status"].get("disruptedPods") is None


def test_an_eviction_for_another_state_of_the_pod_is_a_conflict():
    client = Client("another-state")
    client.running("p", APP)
    code, answer = client.evict("p", deleteOptions={"preconditions": {"resourceVersion": "1"}})
    assert code == 409 and "the ResourceVersion in the precondition (1) does not match" in answer["message"]
    assert "deletionTimestamp" not in client.ask("GET", "pods/p")[1]["metadata"]


def test_a_rehearsed_eviction_costs_nothing():
    client = Client("rehearsed")
    client.running("p", APP)
    path = client.budget("b", APP, disruptionsAllowed=1, currentHealthy=2, desiredHealthy=1)
    assert client.evict("p", deleteOptions={"dryRun": ["All"]})[0] == 201
    assert client.ask("GET", path)[1]["status"]["disruptionsAllowed"] == 1
    assert len(client.ask("GET", "pods/p")[1]["status"]["conditions"]) == 1
