"""/log through the API server and the kubelet's own connection: lines, followers, restarts, refusals."""

import base64

import pytest

from tests.tunnel.world import POD, WEB, World

PROBED = {"httpGet": {"path": "/healthz", "port": 80}, "periodSeconds": 10}
STARTED = "shop/web:1.0 starts as process 1 of c\nlistens on port 80\n"


@pytest.fixture(scope="module")
def world():
    return World()


def with_container(name="web", annotations=None, **more):
    spec = POD["spec"] | {"containers": [POD["spec"]["containers"][0] | more]}
    return {**POD, "metadata": {"name": name, "annotations": annotations or {}}, "spec": spec}


def test_a_container_tells_of_its_start(world):
    answer = world.ask("GET", f"{WEB}/log")
    assert (answer.status, answer.body.decode()) == (200, STARTED)
    assert dict(answer.headers)["Content-Type"] == "text/plain"
    assert world.text(f"{WEB}/log?tailLines=1") == "listens on port 80\n"
    assert world.text(f"{WEB}/log?limitBytes=4") == "shop"
    assert world.text(f"{WEB}/log?sinceSeconds=1") == ""
    assert world.text(f"{WEB}/log?timestamps=true&tailLines=1")[:17] == "2026-01-01T00:00:"


@pytest.mark.parametrize(("query", "code"), [("tailLines=few", 400), ("sinceTime=soon", 400), ("limitBytes=0", 422)])
def test_by_the_proxy_of_a_node_a_kubelet_reads_the_query_itself(world, query, code):
    page = f"/api/v1/nodes/worker-1/proxy/containerLogs/default/web/c?{query}"
    answer = world.ask("GET", page)
    assert answer.status == code and answer.body.startswith(b'{"message": "')


def test_a_request_that_it_has_answered_stands_in_its_log(world):
    world.text(f"{WEB}/proxy/cart")
    assert world.text(f"{WEB}/log?tailLines=1") == '192.168.0.11 "GET /cart HTTP/1.1" 200\n'


def test_who_follows_gets_each_line_when_it_comes_and_costs_nothing_when_he_has_gone():
    world = World(with_container(readinessProbe=PROBED))
    exchange, more = world.follow(f"{WEB}/log?follow=true&tailLines=0")
    assert more() == ""
    world.sleep(31)
    lines = more().splitlines()
    assert set(lines) == {'kubelet "GET /healthz HTTP/1.1" 200 "kube-probe/1.37"'} and len(lines) in (3, 4)
    exchange.stream.close()
    world.sleep(1)
    assert world.cluster.components["kubelet@worker-1"].containers.logs.readers == {}


def test_a_log_that_is_followed_ends_with_its_container():
    world = World(with_container(annotations={"kubemini.io/exit-after": "60s"}))
    exchange, more = world.follow(f"{WEB}/log?follow=true")
    assert more() == STARTED and not exchange.stream.ended
    world.sleep(60)
    assert more() == "exits with code 1\n"
    assert exchange.stream.ended and not exchange.stream.broken


def test_nobody_reads_and_nothing_happens():
    """A probed container costs as many events as one that is not."""
    quiet, probed = World(), World(with_container(readinessProbe=PROBED))
    counts = []
    for world in (quiet, probed):
        before = world.sim.events
        world.sleep(300)
        counts.append(world.sim.events - before)
    assert counts[0] == counts[1]


def test_what_the_start_before_has_said_is_kept():
    world = World(with_container(annotations={"kubemini.io/exit-after": "15s"}))
    world.sleep(15)
    assert world.text(f"{WEB}/log?previous=true") == STARTED + "exits with code 1\n"
    assert world.text(f"{WEB}/log") == STARTED


def test_a_probe_that_fails_is_answered_so():
    world = World(with_container(annotations={"kubemini.io/readiness": "fail"}, readinessProbe=PROBED))
    assert 'kubelet "GET /healthz HTTP/1.1" 503 "kube-probe/1.37"\n' in world.text(f"{WEB}/log")


def test_a_log_outlives_the_power_of_its_node():
    world = World()
    host = world.cluster.hosts["worker-1"]
    host.power_off()
    world.sleep(5)
    host.power_on()
    world.sleep(20)
    kept = world.cluster.components["kubelet@worker-1"].containers.logs
    (uid,) = [worker.uid for worker in world.cluster.components["kubelet@worker-1"].workers.values()]
    assert [line.text for line in kept.of(uid, "c").previous.said] == STARTED.splitlines()
    assert world.text(f"{WEB}/log") == STARTED


@pytest.mark.parametrize("protocol", ["", "binary.k8s.io", "base64.binary.k8s.io"])
def test_a_browser_reads_a_log_over_a_websocket(world, protocol):
    frames = world.upgrade(f"{WEB}/log?tailLines=1", protocol).frames()
    text = base64.b64decode(frames[0][1]) if protocol.startswith("base64") else frames[0][1]
    assert text.endswith(b"\n") and frames[-1][0] == 8
    assert frames[0][0] == (1 if protocol.startswith("base64") else 2)


def test_a_log_over_a_websocket_of_another_protocol_is_refused(world):
    from tests.frames.masked import HELLO

    answer = world.ask("GET", f"{WEB}/log", **HELLO, **{"sec-websocket-protocol": "v5.channel.k8s.io"})
    assert answer.status == 403 and b"requested protocol(s) are not supported: [v5.channel.k8s.io]" in answer.body


def test_nobody_probes_while_the_kubelet_is_down():
    world = World(with_container(readinessProbe=PROBED))
    kubelet = world.cluster.components["kubelet@worker-1"]
    kubelet.crash()
    down, before = world.sim.now, len(kubelet.containers.logs.of(next(iter(kubelet.workers)), "c").current.spans)
    world.sleep(60)
    kubelet.start()
    world.sleep(30)
    (kept,) = (kubelet.containers.logs.of(uid, "c") for uid in kubelet.workers)
    lines = kept.current.lines("c", world.sim.now)
    assert before and [line for line in lines if down < line.at < down + 60_000_000] == []
    assert [line for line in lines if line.at > down + 60_000_000], "and then again"
