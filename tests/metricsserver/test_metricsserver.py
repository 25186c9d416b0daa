"""What pods use, and how it is served: by another server, behind the API server."""

import json

import pytest

from kubemini.api.errors import ApiError
from kubemini.api.objects import evolve_many
from kubemini.cluster import Cluster
from kubemini.metricsserver.decide.answers import ROOT, answer
from kubemini.sim.units import SECOND
from tests.controllers.parts import a_pod
from tests.oracles.sessions.world import Inside

NOW = 100 * SECOND
USAGE = {"*": {"c": {"cpu": "90m", "memory": "80Mi"}}, "idle": {"c": {"cpu": "1m"}}, "unknown": None}


def a_container(name, node="n1", **how):
    return evolve_many(a_pod(name, node=node, **how), (("spec", "containers"), [{"name": "c"}]))


PODS = [
    a_container("busy"),
    a_container("idle", node="n2"),
    a_container("unknown"),
    a_container("starting", phase="Pending"),
    a_container("going", deletionTimestamp="x"),
]


def asked(path, verb="GET", **query):
    return answer({"verb": verb, "path": f"{ROOT}{path}", "query": query}, PODS, USAGE, SECOND, NOW)


def test_a_pod_that_runs_and_is_to_stay_has_what_it_was_told_to_use():
    found = asked("/namespaces/default/pods")
    assert [item["metadata"]["name"] for item in found["items"]] == ["busy", "idle"]
    busy, idle = found["items"]
    assert busy["containers"] == [{"name": "c", "usage": {"cpu": "90m", "memory": "80Mi"}}]
    assert (busy["window"], busy["timestamp"], idle["containers"][0]["usage"]) == (
        "1s",
        "2026-01-01T00:01:40Z",
        {"cpu": "1m"},
    )


def test_pods_are_found_by_label_namespace_and_name():
    assert asked("/pods", labelSelector="app=other")["items"] == []
    assert len(asked("/pods", labelSelector="app=web")["items"]) == 2
    assert asked("/namespaces/other/pods")["items"] == []
    assert asked("/namespaces/default/pods/busy")["kind"] == "PodMetrics"
    missing = asked("/namespaces/default/pods/unknown")
    assert (missing.code, missing.message) == (404, 'pods.metrics.k8s.io "default/unknown" not found')


def test_a_node_uses_what_its_pods_use():
    assert [(node["metadata"]["name"], node["usage"]) for node in asked("/nodes")["items"]] == [
        ("n1", {"cpu": "90m", "memory": "80Mi"}),
        ("n2", {"cpu": "1m"}),
    ]
    assert asked("/nodes/n1")["usage"]["cpu"] == "90m" and asked("/nodes/n9").code == 404


@pytest.mark.parametrize(("path", "verb", "code"), [("/pods", "POST", 405), ("/oranges", "GET", 404)])
def test_nothing_else_is_served(path, verb, code):
    assert asked(path, verb).code == code and isinstance(asked("/pods", labelSelector="a in"), ApiError)


def get(world, path):
    response = world.send({"path": path}, "test/1.0")
    return response.status, response.body


def test_the_api_server_passes_on_what_an_apiservice_gives_to_another_server():
    world = Inside(measured=True)
    path = f"{ROOT}/namespaces/kube-system/pods"
    world.sleep(2)
    code, body = get(world, path)
    assert (code, json.loads(body)["kind"]) == (200, "PodMetricsList")
    names = [resource["name"] for resource in json.loads(get(world, ROOT)[1])["resources"]]
    assert names == ["nodes", "pods"] and get(world, f"{path}/x")[0] == 404
    assert world.send({"path": path, "as": "dev"}, "test/1.0").status == 403
    world.metrics.crash()
    code, body = get(world, path)
    assert code == 503 and body.startswith(b"error trying to reach service: ")
    world.send(
        {"path": "/apis/apiregistration.k8s.io/v1/apiservices/v1beta1.metrics.k8s.io", "method": "DELETE"}, "test/1.0"
    )
    assert get(world, path)[0] == 404


def test_a_service_behind_which_nobody_stands_is_unavailable():
    world = Inside(measured=True)
    service = {"namespace": "x", "name": "y"}
    spec = {"group": "a.example", "version": "v1", "groupPriorityMinimum": 1, "versionPriority": 1, "service": service}
    meta = {"name": "v1.a.example"}
    body = {"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService", "metadata": meta, "spec": spec}
    assert (
        world.send({"path": "/apis/apiregistration.k8s.io/v1/apiservices", "method": "POST", "body": body}, "t").status
        == 201
    )
    assert get(world, "/apis/a.example/v1/things") == (503, b"service unavailable\n")


def test_a_metrics_server_is_added_before_the_cluster_runs():
    cluster = Cluster.single(workers=0)
    cluster.run("1s")
    with pytest.raises(ValueError, match="the cluster runs already"):
        cluster.use_metrics_server()
