"""The tunnel fails as the real one does: the words of a real API server and kubelet, 1.37.2."""

import json

import pytest

from kubemini.wire.calls import REFUSED, Reply
from tests.frames.masked import HELLO
from tests.tunnel.world import POD, PODS, WEB, World

KUBELET = "192.168.0.101:10250"
EXEC = f"{WEB}/exec?command=ls&stdout=1"
LOG_URL = f"https://{KUBELET}/containerLogs/default/web/c"
SPDY = {"connection": "Upgrade", "upgrade": "SPDY/3.1", "x-stream-protocol-version": "v4.channel.k8s.io"}


def test_a_dead_kubelet_refuses_the_connection():
    world = World()
    world.cluster.components["kubelet@worker-1"].crash()
    refused = f"dial tcp {KUBELET}: connect: connection refused"
    asked = f"{WEB}/log?tailLines=5&sinceSeconds=10"
    assert world.refusal(asked) == (500, f'Get "{LOG_URL}?sinceSeconds=10&tailLines=5": {refused}')
    assert world.refusal(EXEC, **HELLO) == (500, f"error dialing backend: {refused}")
    assert world.refusal(f"{WEB}/portforward", **HELLO) == (500, f"error dialing backend: {refused}")
    found = world.refusal("/api/v1/nodes/worker-1/proxy/healthz")
    assert found == (503, f"error trying to reach service: {refused}")
    assert "answers GET /" in world.text(f"{WEB}/proxy/"), "its pods go on"


@pytest.mark.parametrize("how", ["cut", "power_off"])
def test_a_node_that_is_not_heard_lets_the_client_wait(how):
    world = World()
    if how == "cut":
        world.cluster.net.cut(["worker-1"], ["cp-1"])
    else:
        world.cluster.hosts["worker-1"].power_off()
    began = world.sim.now
    silent = f"dial tcp {KUBELET}: i/o timeout"
    assert world.refusal(f"{WEB}/log") == (500, f'Get "{LOG_URL}": {silent}')
    assert 30 <= (world.sim.now - began) / 1e6 < 31
    assert world.refusal(EXEC, **HELLO) == (500, f"error dialing backend: {silent}")
    assert world.refusal(f"{WEB}/proxy/")[1].endswith("i/o timeout")


def test_a_kubelet_that_hangs_shakes_no_hands():
    world = World()
    world.cluster.components["kubelet@worker-1"].pause()
    assert world.refusal(f"{WEB}/log") == (500, f'Get "{LOG_URL}": net/http: TLS handshake timeout')


def test_a_stream_ends_with_its_kubelet():
    world = World()
    exchange, _ = world.follow(f"{WEB}/log?follow=true")
    shell = world.upgrade(f"{WEB}/exec?command=cat&stdin=1&stdout=1")
    world.cluster.components["kubelet@worker-1"].crash()
    world.sleep(1)
    assert exchange.stream.ended and shell.exchange.stream.ended


def test_a_server_that_cannot_ask_who_may_says_so():
    def nobody(review):
        return Reply(False, None, REFUSED)
        yield

    world = World()
    world.cluster.components["kubelet@worker-1"].server.client.create = nobody
    answer = world.refusal(f"{WEB}/log")
    who = "user=kube-apiserver-kubelet-client, verb=get, resource=nodes, subresource=proxy"
    assert answer == (500, f"Internal error occurred: Authorization error ({who})")


def waiting(name, **more):
    return {**POD, "metadata": {"name": name}, "spec": POD["spec"] | more}


def test_a_container_that_has_not_started_has_no_log_and_takes_no_command():
    world = World()
    world.cluster.hosts["worker-1"].cni = None
    world.ask("POST", PODS, waiting("late"))
    world.sleep(2)
    late = f"{PODS}/late"
    why = 'container "c" in pod "late" is waiting to start: ContainerCreating'
    assert world.refusal(f"{late}/log") == (400, why)
    for method, headers in (("GET", HELLO), ("POST", SPDY)):
        answer = world.ask(method, f"{late}/exec?command=ls&stdout=1", **headers)
        assert (answer.status, answer.body) == (500, b'container not found ("c")')
    answer = world.ask("GET", f"{late}/attach?stdout=1", **HELLO)
    assert (answer.status, answer.body) == (500, b"container c not found in pod late_default")
    answer = world.ask("GET", f"{late}/portforward", **HELLO)
    assert (answer.status, answer.body) == (500, b'pod not found ("late_default")')


@pytest.mark.parametrize(
    ("path", "code", "why"),
    [
        ("web/log?previous=true", 400, 'previous terminated container "c" in pod "web" not found'),
        ("web/log?container=d", 400, "container d is not valid for pod web"),
        ("web/exec?command=ls", 400, "Upgrade request required"),
        ("two/log", 400, "a container name must be specified for pod two, choose one of: [c d]"),
        ("far/log", 404, 'pods "nowhere" not found'),
        ("far/exec?command=ls&stdout=1", 404, 'pods "nowhere" not found'),
        ("ghost/log", 404, 'pods "ghost" not found'),
    ],
)
def test_what_is_not_there_is_named(several, path, code, why):
    assert several.refusal(f"{PODS}/{path}") == (code, why)


@pytest.fixture(scope="module")
def several():
    both = [POD["spec"]["containers"][0], {"name": "d", "image": "busybox"}]
    first = [{"name": "i", "image": "busybox"}]
    return World(
        POD, waiting("two", containers=both), waiting("far", nodeName="nowhere"), waiting("idle", initContainers=first)
    )


def test_the_second_container_has_a_log_of_its_own(several):
    assert several.text(f"{PODS}/two/log?container=d") == "busybox starts as process 1 of d\n"


def test_a_pod_that_its_kubelet_does_not_know_is_not_found(several):
    """The API server knows a pod, its node does not: as just after the kubelet's start."""
    kubelet = several.cluster.components["kubelet@worker-1"]
    known, kubelet.server.workers = kubelet.server.workers, {}
    message = "the server could not find the requested resource ( pods/log web)"
    assert several.refusal(f"{WEB}/log") == (404, message)
    answer = several.ask("GET", EXEC, **HELLO)
    assert (answer.status, answer.body) == (404, b"pod does not exist")
    kubelet.server.workers = known


def test_who_may_not_is_told_what_he_would_need(several):
    kubelet = several.cluster.components["kubelet@worker-1"]
    kubelet.server._verdicts.clear()
    several.server.core.access.authorize = lambda asked, authorize=several.server.core.access.authorize: authorize(
        asked
    )._replace(allowed=asked.subresource == "healthz")
    assert several.text("/api/v1/nodes/worker-1/proxy/healthz") == "ok"
    answer = several.ask("GET", "/api/v1/nodes/worker-1/proxy/pods")
    who = "user=kube-apiserver-kubelet-client, verb=get, resource=nodes, subresource(s)=[pods proxy]"
    assert (answer.status, answer.body.decode()) == (403, f"Forbidden ({who})\n")
    del several.server.core.access.authorize
    kubelet.server._verdicts.clear()


def test_a_node_that_does_not_speak_websocket_is_translated_and_fails_inside():
    """As with a kubelet of 1.35: the WebSocket begins, and the error comes on its channel 3."""
    world = World()
    world.ask("POST", "/api/v1/nodes", {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "old"}})
    addresses = [{"type": "InternalIP", "address": "127.0.0.1"}]
    world.ask(
        "PATCH",
        "/api/v1/nodes/old/status",
        {"status": {"addresses": addresses}},
        content_type="application/merge-patch+json",
    )
    world.ask("POST", PODS, waiting("there", nodeName="old"))
    opened = world.upgrade(f"{PODS}/there/exec?command=ls&command=-l&stdout=1&stderr=1")
    url = "https://127.0.0.1:10250/exec/default/there/c?command=ls&command=-l&error=1&output=1"
    why = f'error sending request: Post "{url}": dial tcp 127.0.0.1:10250: connect: connection refused'
    assert opened.status["message"] == f"Internal error occurred: {why}"
    assert opened.frames()[-1][0] == 8


def test_what_a_kubelet_serves_beside_streams(several):
    found = json.loads(several.text("/api/v1/nodes/worker-1/proxy/pods"))
    assert {item["metadata"]["name"] for item in found["items"]} == {"web", "two", "idle"}
    answer = several.ask("GET", "/api/v1/nodes/worker-1/proxy/nope")
    assert (answer.status, answer.body) == (404, b"404 page not found\n")
    answer = several.ask("POST", "/api/v1/nodes/worker-1/proxy/containerLogs/default/web/c")
    assert (answer.status, answer.body) == (405, b"405: Method Not Allowed")
    answer = several.ask("GET", "/api/v1/nodes/worker-1/proxy")
    assert (answer.status, dict(answer.headers)["Location"]) == (301, "/api/v1/nodes/worker-1/proxy/")
