"""An ingress controller in a whole cluster: what somebody outside gets, and why, while things change."""

from dataclasses import replace

import pytest

from kubemini.api import kinds
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
    assert [stop.split("@")[0].split("-")[0] for stop in via] == ["pods", "ingress", "web"]


def test_new_rules_cost_a_reload_new_endpoints_do_not(told):
    assert [(r.detail["reload"], r.detail["endpoints"]) for r in told.of("loaded", "ingress@worker-1")] == [
        (True, 2),
        (False, 1),
        (False, 0),
        (False, 1),
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
    quiet = [r for r in cluster.trace.records[many:] if r.actor.startswith(("ingress@", "pods@", "visitor@internet"))]
    assert quiet == []


# -- Gateway API, served by the same controller ----------
CONTROLLER = STORY.manifests.partition("---\napiVersion: v1\nkind: Service\nmetadata: {name: web}")
GATEWAYS = """
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: ours}
spec: {controllerName: example.com/gateway}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: front}
spec:
  gatewayClassName: ours
  listeners: [{name: http, port: 80, protocol: HTTP}]
---
"""


def a_route(name, host, backend):
    """An HTTPRoute at the Gateway front."""
    return f"""apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {{name: {name}}}
spec:
  parentRefs: [{{name: front}}]
  hostnames: [{host}]
  rules:
    - backendRefs: [{{name: {backend}, port: 80}}]
---
"""


GATEWAYS += a_route("shop", "shop.example", "web") + a_route("bad", "other.example", "gone")


def by_gateway(*changes):
    """The story's shop, behind a Gateway instead of the Ingress."""
    text = GATEWAYS + "apiVersion: v1\nkind: Service\nmetadata: {name: web}" + CONTROLLER[2]
    for change in changes:
        text = text.replace(*change)
    cluster = Cluster.single(workers=2, ingress=True)
    cluster.prepare(text.replace("replicas: 0", "replicas: 2"), STORY.workload)
    cluster.run("25s")
    return cluster


def stored(cluster, kind, name, namespace="default"):
    """An object as the API server has it."""
    return cluster.components["apiserver-1"].cache(kind).get(namespace, name)


def conditions(rows):
    return {row["type"]: (row["status"], row["reason"]) for row in rows}


def test_a_gateway_is_programmed_and_its_routes_are_told_how_they_fare():
    cluster = by_gateway()
    front = stored(cluster, kinds.GATEWAY, "front")["status"]
    assert conditions(front["conditions"]) == {"Accepted": ("True", "Accepted"), "Programmed": ("True", "Programmed")}
    assert front["addresses"][0]["value"].startswith("10.") and front["listeners"][0]["attachedRoutes"] == 2
    shop, bad = (stored(cluster, kinds.HTTP_ROUTE, name)["status"]["parents"] for name in ("shop", "bad"))
    assert conditions(shop[0]["conditions"]) == {
        "Accepted": ("True", "Accepted"),
        "ResolvedRefs": ("True", "ResolvedRefs"),
    }
    assert conditions(bad[0]["conditions"])["ResolvedRefs"] == ("False", "BackendNotFound")
    assert all(row["lastTransitionTime"] for row in bad[0]["conditions"])
    assert conditions(stored(cluster, kinds.GATEWAY_CLASS, "ours", "")["status"]["conditions"])["Accepted"][0] == "True"


def test_requests_go_by_route_and_a_broken_one_is_500():
    cluster = by_gateway()
    assert codes(cluster.trace, 20, 25) == [200] and codes(cluster.trace, 20, 25, "other.example") == [500]
    whys = {r.detail["code"]: r.detail["why"] for r in cluster.trace.of("request") if r.actor == "visitor@internet"}
    assert whys[200] == "gateway default/front listener http, httproute default/shop rules[0].matches[0]"
    assert whys[500].endswith("svc/default/gone:80 BackendNotFound")


def test_a_gateway_of_another_controller_stays_without_status_and_traffic():
    cluster = by_gateway(("example.com/gateway", "example.com/other"))
    assert not stored(cluster, kinds.GATEWAY, "front").get("status", {}).get("addresses")
    assert codes(cluster.trace, 20, 25) == [404]


def test_a_route_that_is_mended_is_told_so():
    cluster = by_gateway()
    bad = stored(cluster, kinds.HTTP_ROUTE, "bad")
    rule = [{"backendRefs": [{"name": "web", "port": 80}]}]
    cluster.user.spawn(
        cluster.user.request("PATCH", kinds.object_path(bad), {"spec": {"rules": rule}}, {"type": "merge"})
    )
    cluster.run("8s")
    (parent,) = stored(cluster, kinds.HTTP_ROUTE, "bad")["status"]["parents"]
    assert conditions(parent["conditions"])["ResolvedRefs"] == ("True", "ResolvedRefs")
    assert {row["observedGeneration"] for row in parent["conditions"]} == {2}
    assert codes(cluster.trace, 30, 33, "other.example") == [200]


def test_weights_share_requests():
    two = "backendRefs: [{name: web, port: 80, weight: 3}, {name: gone, port: 80, weight: 1}]"
    cluster = by_gateway(("backendRefs: [{name: web, port: 80}]", two))
    cluster.run("60s")
    asked = [r.detail["code"] for r in cluster.trace.of("request") if r.detail["path"].startswith("shop")][-200:]
    assert 0.12 < asked.count(500) / len(asked) < 0.4 and set(asked) == {200, 500}


def test_an_ingress_without_a_class_is_served_if_a_default_was_there_first():
    notes = '{name: nginx, annotations: {ingressclass.kubernetes.io/is-default-class: "true"}}'
    text = STORY.manifests.replace("metadata: {name: nginx}", f"metadata: {notes}")
    text = text.replace("  ingressClassName: nginx\n", "").replace("replicas: 0", "replicas: 2")
    cluster = Cluster.single(workers=2, ingress=True)
    cluster.prepare(text, STORY.workload)
    cluster.run("25s")
    assert stored(cluster, kinds.INGRESS, "shop")["spec"]["ingressClassName"] == "nginx"
    assert codes(cluster.trace, 20, 25) == [200]
