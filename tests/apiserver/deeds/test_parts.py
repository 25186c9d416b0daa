"""Parts of a pod, and connections to it: each writes its own part; nobody answers at the other end yet."""

import pytest

from tests.apiserver.deeds.parts import Client

AMOUNTS = {"requests": {"cpu": "100m", "memory": "64Mi"}}


def resized(resources, **more):
    return {"spec": {"containers": [{"name": "c", "resources": resources, **more}]}}


def test_a_resize_changes_amounts_and_nothing_else():
    client = Client("resizes")
    node = {"metadata": {"name": "wide"}, "status": {"allocatable": {"cpu": "1", "memory": "1Gi"}}}
    assert client.ask("POST", "/api/v1/nodes", node)[0] == 201
    client.pod("p", "wide", containers=[{"name": "c", "image": "i:1", "resources": AMOUNTS}])
    code, pod = client.patch("pods/p/resize", resized({"requests": {"cpu": "200m"}}, image="other"), "strategic")
    container = pod["spec"]["containers"][0]
    assert (code, container["image"], container["resources"]["requests"]["cpu"]) == (200, "i:1", "200m")
    assert pod["metadata"]["generation"] == 2


@pytest.mark.parametrize(
    ("patch", "why"),
    [
        (
            resized({"requests": {"x.io/y": "1"}, "limits": {"x.io/y": "1"}}),
            "only cpu and memory resources are mutable",
        ),
        (resized({"requests": {"cpu": None}}), "resource requests cannot be removed"),
        (resized({"requests": None}), "Pod QOS Class may not change as a result of resizing"),
        ({"spec": {"containers": [{"name": "d", "image": "i"}]}}, "containers may not be added or removed on resize"),
    ],
)
def test_what_is_no_amount_of_cpu_or_memory_is_refused(patch, why):
    client = Client("unfit-resizes")
    client.ask("DELETE", "pods/p?gracePeriodSeconds=0")
    client.pod("p", containers=[{"name": "c", "image": "i:1", "resources": AMOUNTS}])
    code, answer = client.patch("pods/p/resize", patch, "strategic")
    assert code == 422 and why in answer["message"]


def test_an_ephemeral_container_stays_as_it_came():
    client = Client("ephemeral")
    client.pod("p")
    path = "pods/p/ephemeralcontainers"
    debug = {"name": "debug", "image": "busybox"}
    assert client.patch(path, {"spec": {"ephemeralContainers": [debug]}}, "strategic")[0] == 200
    code, answer = client.patch(path, {"spec": {"ephemeralContainers": []}})
    assert code == 422 and 'existing ephemeral containers "debug" may not be removed' in answer["message"]
    code, answer = client.patch(path, {"spec": {"ephemeralContainers": [debug, {**debug, "name": "c"}]}})
    assert code == 422 and answer["details"]["causes"][0]["message"] == 'Duplicate value: "c"'
    code, answer = client.patch("pods/p", {"spec": {"ephemeralContainers": [debug, {**debug, "name": "e"}]}})
    assert code == 422 and "pod updates may not change fields other than" in answer["message"]


def test_a_refused_update_of_a_pod_ends_in_what_differs():
    client = Client("differs")
    client.pod("p")
    answer = client.patch("pods/p", {"spec": {"hostname": "h"}})[1]
    assert "\n@@ -" in answer["message"] and '\n+ "Hostname": "h"' in answer["message"]


@pytest.mark.parametrize(
    ("path", "code", "why"),
    [
        ("pods/p/exec?command=ls", 400, "Upgrade request required"),
        ("pods/p/portforward", 400, "Upgrade request required"),
        ("pods/p/log", 500, 'Get "https://10.9.9.9:10250/containerLogs/connections/p/c": dial tcp 10.9.9.9:10250: i/o'),
        ("pods/p/proxy/x", 503, "error trying to reach service: dial tcp 10.0.0.7:8080: i/o timeout"),
        ("services/s:81/proxy/", 503, 'no service port 81 found for service "s"'),
        ("services/ftp:s:80/proxy/", 400, 'invalid service request "ftp:s:80"'),
        ("/api/v1/nodes/here/proxy/healthz", 503, "dial tcp 10.9.9.9:10250: i/o timeout"),
        ("pods/q/log", 500, "dial tcp 127.0.0.1:10250: connect: connection refused"),
        ("pods/q/proxy/", 400, "address not allowed"),
        ("/api/v1/nodes/self/proxy/healthz", 400, "address not allowed"),
        ("pods/r/log", 500, "dial tcp: lookup elsewhere: no such host"),
        ("/api/v1/nodes/named/proxy/healthz", 400, "lookup elsewhere: no such host"),
    ],
)
def test_who_leads_to_a_node_or_a_pod_says_that_nobody_answers(path, code, why):
    client = Client("connections")
    known = {"here": "10.9.9.9", "self": "127.0.0.1", "named": "elsewhere"}
    for name, address in known.items():
        client.ask("POST", "/api/v1/nodes", {"metadata": {"name": name}})
        addresses = [{"type": "Hostname" if name == "named" else "InternalIP", "address": address}]
        client.patch(f"/api/v1/nodes/{name}/status", {"status": {"addresses": addresses}})
    client.ask("POST", "services", {"metadata": {"name": "s"}, "spec": {"ports": [{"port": 80}]}})
    ports = [{"name": "c", "image": "i:1", "ports": [{"containerPort": 8080}]}]
    for pod, node, ip in (("p", "here", "10.0.0.7"), ("q", "self", "127.0.0.1"), ("r", "named", "10.0.0.8")):
        client.ask("POST", "pods", {"metadata": {"name": pod}, "spec": {"containers": ports, "nodeName": node}})
        client.patch(f"pods/{pod}/status", {"status": {"podIPs": [{"ip": ip}]}})
    found, answer = client.ask("GET", path)
    assert found == code and why in answer["message"]
