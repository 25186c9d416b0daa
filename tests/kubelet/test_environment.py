"""The environment that a container finds: Services as kubelet tells of them."""

import pytest

from kubemini.cluster import Cluster
from kubemini.kubelet.decide.environment import environment
from kubemini.params import Params


def service(name, *ports, namespace="default", ip="10.0.0.11"):
    meta = {"name": name, "namespace": namespace}
    return {"metadata": meta, "spec": {"clusterIP": ip, "ports": list(ports)}}


def test_the_table_of_the_documentation_is_told():
    """kubernetes.io "Environment variables" of a Service redis-primary."""
    found = environment([service("redis-primary", {"port": 6379, "protocol": "TCP"})], "default")
    assert found == {
        "REDIS_PRIMARY_SERVICE_HOST": "10.0.0.11",
        "REDIS_PRIMARY_SERVICE_PORT": "6379",
        "REDIS_PRIMARY_PORT": "tcp://10.0.0.11:6379",
        "REDIS_PRIMARY_PORT_6379_TCP": "tcp://10.0.0.11:6379",
        "REDIS_PRIMARY_PORT_6379_TCP_PROTO": "tcp",
        "REDIS_PRIMARY_PORT_6379_TCP_PORT": "6379",
        "REDIS_PRIMARY_PORT_6379_TCP_ADDR": "10.0.0.11",
    }


def test_ports_have_their_names_and_the_first_stands_for_the_service():
    ports = {"name": "u-d-p", "port": 8082, "protocol": "UDP"}, {"name": "p", "port": 8083}
    found = environment([service("abc-123", *ports, ip="fd00::5")], "default")
    assert found["ABC_123_SERVICE_PORT"] == found["ABC_123_SERVICE_PORT_U_D_P"] == "8082"
    assert found["ABC_123_PORT"] == "udp://[fd00::5]:8082"
    assert found["ABC_123_PORT_8083_TCP_PROTO"] == "tcp"


def test_a_pod_is_told_of_its_namespace_and_of_the_api_server_and_never_of_headless_ones():
    port = {"port": 80}
    there = [
        service("kubernetes", {"port": 443, "name": "https"}),
        service("other", port),
        service("web", port, namespace="shop"),
        service("db", port, namespace="shop", ip="None"),
    ]
    names = {name.split("_SERVICE_HOST")[0] for name in environment(there, "shop") if "HOST" in name}
    assert names == {"KUBERNETES", "WEB"}
    bare = environment(there, "shop", links=False)
    assert "WEB_SERVICE_HOST" not in bare and bare["KUBERNETES_SERVICE_PORT_HTTPS"] == "443"


# -- in a cluster
PODS = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "shop/web:1.0"}]}
"""
EARLY = """
---
apiVersion: v1
kind: Service
metadata: {name: early}
spec: {selector: {app: db}, ports: [{port: 5432}]}
"""
LATE = EARLY.replace("early", "late")


def cluster(pods=PODS):
    found = Cluster.single(workers=1, params=Params(kubelet_service_links=True))
    found.prepare(EARLY.lstrip("-\n") + "---" + pods)
    found.run(15)
    return found


def name_of(found, number=-1):
    return [r.detail["pod"].split("/")[1] for r in found.trace.of("environment")][number]


def services(told):
    return {name.removesuffix("_SERVICE_HOST") for name in told if name.endswith("_SERVICE_HOST")}


def test_a_service_made_after_the_pod_is_missing_until_another_pod_starts():
    found = cluster()
    before = name_of(found)
    found.apply(LATE.lstrip("-\n"))
    found.run(10)
    assert services(found.environment(before)) == {"EARLY"}
    found.user.scale("web", 2)
    found.run(10)
    assert services(found.environment(name_of(found))) == {"EARLY", "LATE"}
    assert services(found.environment(before)) == {"EARLY"}


def test_a_container_that_starts_anew_is_told_anew():
    found = cluster(
        PODS.replace("labels: {app: web}}", 'labels: {app: web}, annotations: {kubemini.io/exit-after: "6s"}}')
    )
    found.apply(LATE.lstrip("-\n"))
    found.run(30)
    assert services(found.environment(name_of(found))) == {"EARLY", "LATE"}


def test_without_links_only_the_api_server_is_told():
    api = EARLY.replace("early", "kubernetes")
    found = cluster(PODS.replace("spec: {containers", "spec: {enableServiceLinks: false, containers") + api)
    assert services(found.environment(name_of(found))) == {"KUBERNETES"}


def test_the_trace_says_what_a_container_was_told():
    found = cluster()
    (told,) = found.trace.of("environment")
    assert told.detail["variables"] == found.environment(f"default/{name_of(found)}")
    assert told.detail["variables"]["EARLY_SERVICE_PORT"] == "5432"


def test_who_asks_for_what_is_not_there_hears_what_is():
    with pytest.raises(ValueError, match=r"ask for Params\(kubelet_service_links=True\)"):
        Cluster.single(workers=1).environment("web")
    with pytest.raises(ValueError, match=r"no pod 'nope' runs; there are: web-"):
        cluster().environment("nope")
