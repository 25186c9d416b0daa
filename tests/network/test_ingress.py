"""An ingress controller in a whole cluster: what somebody outside gets, and why, while things change."""

from dataclasses import replace

import pytest

from kubemini.cluster import Cluster
from kubemini.params import Params
from kubemini.scenarios import load
from kubemini.sim.units import SECOND
from kubemini.simulate import run

STORY = load("ingress")


@pytest.fixture(scope="module")
def told():
    return run("ingress")


def codes(trace, begin, end, host="shop.example"):
    """The status codes of requests for *host* that began from *begin* to *end* (s), without repeats."""
    asked = [
        r.detail for r in trace.of("request") if r.actor == "visitor@internet" and r.detail["path"].startswith(host)
    ]
    found = [d["code"] for d in asked if begin * SECOND <= d["started"] < end * SECOND]
    return [code for number, code in enumerate(found) if number == 0 or code != found[number - 1]]


def address(trace, at):
    """The address that the Ingress had at *at* (s)."""
    written = [r for r in trace.of("object") if r.detail["kind"] == "Ingress" and r.at <= at * SECOND]
    return written[-1].detail["summary"]["address"]


def test_an_ingress_without_a_controller_has_no_address_and_nobody_answers(told):
    assert address(told, 20) == "" and codes(told, 0, 20) == [0]


def test_with_a_controller_it_has_one_and_requests_arrive(told):
    assert address(told, 30).startswith("10.") and codes(told, 25, 44) == [200]
    assert codes(told, 25, 44, "other.example") == [404]


def test_pods_that_have_gone_are_502_until_the_controller_syncs_then_503_then_all_is_well(told):
    assert codes(told, 45, 80) == [200, 502, 503, 200] or codes(told, 45, 80) == [502, 503, 200]


def test_every_answer_names_the_rule_that_decided(told):
    whys = {r.detail["code"]: r.detail["why"] for r in told.of("request") if r.actor == "visitor@internet"}
    rule = "ingress default/shop rules[0].paths[0] Prefix / of host shop.example"
    assert whys[200] == rule and whys[502] == f"{rule}; nginx: refused"
    assert whys[503] == f"{rule}: svc/default/web:80 has no endpoints"
    assert whys[404] == "no rule matches, and there is no default back end"


def test_the_way_goes_from_a_node_port_to_a_controller_to_a_pod(told):
    via = next(r.detail["via"] for r in told.of("request") if r.detail["code"] == 200 and r.actor == "visitor@internet")
    assert [stop.split("@")[0].split("-")[0] for stop in via] == ["nodeport", "ingress", "web"]


def test_new_rules_cost_a_reload_new_endpoints_do_not(told):
    assert [(r.detail["reload"], r.detail["endpoints"]) for r in told.of("loaded", "ingress@worker-1")] == [
        (True, 2),
        (False, 1),
        (False, 0),
        (False, 2),
    ]


def started(**params):
    """The story's cluster with two controllers, before anything else happens."""
    cluster = Cluster.single(workers=2, ingress=True, params=replace(Params(), **params))
    cluster.prepare(STORY.manifests.replace("replicas: 0", "replicas: 2"), STORY.workload)
    cluster.run("20s")
    assert codes(cluster.trace, 17, 20) == [200]
    return cluster


def test_a_host_without_power_is_a_504_after_the_connect_timeout():
    cluster = started(ingress_connect_timeout=2 * SECOND, ingress_tries=1)
    cluster.user.scale("web", 6)
    cluster.run("10s")
    cluster.hosts["worker-2"].power_off()
    cluster.run("8s")
    late = [r for r in cluster.trace.of("request") if r.actor == "visitor@internet" and r.detail["code"] == 504]
    assert late and all("connect timeout" in r.detail["why"] for r in late)
    assert all(r.at - r.detail["started"] >= 2 * SECOND for r in late)


def test_with_several_tries_the_client_only_waits():
    cluster = started(ingress_connect_timeout=1 * SECOND)
    cluster.user.scale("web", 6)
    cluster.run("10s")
    cluster.hosts["worker-2"].power_off()
    cluster.run("30s")
    asked = [
        r for r in cluster.trace.of("request") if r.actor == "visitor@internet" and r.detail["started"] > 30 * SECOND
    ]
    served = [r for r in asked if r.detail["code"] == 200]
    assert max(r.at - r.detail["started"] for r in served) > SECOND, "a second server answered"


def test_a_class_of_another_controller_is_left_alone():
    cluster = Cluster.single(workers=1, ingress=True)
    theirs = STORY.manifests.replace("k8s.io/ingress-nginx", "example.com/other").replace("replicas: 0", "replicas: 1")
    cluster.prepare(theirs, STORY.workload)
    trace = cluster.run("25s")
    assert address(trace, 25) == "" and codes(trace, 20, 25) == [404]


def test_a_dead_controller_answers_nobody_and_a_new_one_reads_everything_again():
    cluster = started()
    for worker in ("worker-1", "worker-2"):
        cluster.components[f"ingress@{worker}"].crash()
    cluster.run("2s")
    assert codes(cluster.trace, 20.1, 22) == [0]
    for worker in ("worker-1", "worker-2"):
        cluster.components[f"ingress@{worker}"].start()
    cluster.run("8s")
    assert codes(cluster.trace, 26, 30) == [200]


def test_an_idle_controller_costs_no_events():
    cluster = Cluster.single(workers=1, ingress=True)
    cluster.prepare(STORY.manifests.replace("replicas: 0", "replicas: 1"))
    cluster.run("30s")
    many = len(cluster.trace.records)
    cluster.run("20s")
    quiet = [
        r for r in cluster.trace.records[many:] if r.actor.startswith(("ingress@", "nodeport@", "visitor@internet"))
    ]
    assert quiet == []
