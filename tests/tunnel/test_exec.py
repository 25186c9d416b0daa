"""/exec, /attach and /portforward over WebSockets, from a client outside to a container and back."""

import pytest

from kubemini.frames.spdy import SYN_REPLY
from kubemini.network import policing
from tests.frames.masked import HELLO, SpdyClient
from tests.tunnel.world import WEB, World

EXEC = f"{WEB}/exec?stdout=1&stderr=1"


@pytest.fixture(scope="module")
def world():
    return World()


def run(world, *words, more=""):
    command = "".join(f"&command={word}" for word in words)
    return world.upgrade(f"{EXEC}{more}{command}")


def test_a_command_writes_and_ends_well(world):
    done = run(world, "hostname")
    assert done.channel(1) == "web\n" and done.status == {"metadata": {}, "status": "Success"}
    assert done.frames()[-1] == (8, b"\x03\xe8") and done.exchange.stream.ended


def test_a_command_that_fails_tells_its_code_and_its_errors_go_their_own_way(world):
    done = run(world, "cat", "/none")
    assert (done.channel(1), done.channel(2)) == ("", "cat: can't open '/none': No such file or directory\n")
    assert done.status["details"]["causes"] == [{"reason": "ExitCode", "message": "1"}]


def test_a_command_that_is_not_there_is_the_runtimes_error(world):
    message = run(world, "bash").status["message"]
    assert message.startswith(
        "Internal error occurred: Internal error occurred: error executing command in container: failed to exec in "
        'container: failed to start exec "'
    )
    assert message.endswith(
        "OCI runtime exec failed: exec failed: unable to start container process: exec: "
        '"bash": executable file not found in $PATH'
    )


def test_a_command_reads_what_is_typed_until_its_input_ends(world):
    shell = run(world, "sh", more="&stdin=1")
    shell.send(b"\x00hostname\n")
    assert shell.channel(1) == "web\n" and not shell.exchange.stream.ended
    shell.send(b"\xff\x00")
    assert shell.status["status"] == "Success"


def test_a_command_knows_its_container(world):
    assert "nameserver 10.96.0.10" in run(world, "cat", "/etc/resolv.conf").channel(1)
    assert "HOSTNAME=web\n" in run(world, "env").channel(1)
    assert run(world, "date").channel(1).startswith("Thu Jan  1 00:0")


def test_a_sleep_ends_when_its_time_is_over_and_with_a_client_that_goes(world):
    sleeping = run(world, "sleep", "5")
    assert sleeping.channel(3, 4) == ""
    assert sleeping.channel(3, 2) != ""
    gone = run(world, "sleep", "5")
    gone.exchange.stream.close()
    world.sleep(1)
    assert world.cluster.components["kubelet@worker-1"].server.takers == {}


def test_a_command_reaches_the_network_as_its_pod_does(world):
    ip = world.cluster.hosts["worker-1"].kernel.containers.of_pod
    (running,) = ip.values()
    assert run(world, "wget", "-qO-", running.ip).channel(1, 3) == "web (shop/web:1.0) on worker-1 answers GET /\n"
    assert "Connection refused" in run(world, "wget", f"{running.ip}:81").channel(2, 3)
    assert "bad address" in run(world, "wget", "http://nobody").channel(2, 60)


def test_who_attaches_sees_what_comes_and_not_what_was(world):
    shown = world.upgrade(f"{WEB}/attach?stdout=1")
    world.text(f"{WEB}/proxy/seen")
    assert shown.channel(1) == '192.168.0.11 "GET /seen HTTP/1.1" 200\n'
    shown.exchange.stream.close()


def tunnelled(world, port):
    """A WebSocket with one connection to *port* in it, and its SPDY."""
    opened, client = world.upgrade(f"{WEB}/portforward", "SPDY/3.1+portforward.k8s.io"), SpdyClient()
    names = {"port": str(port), "requestid": "0"}
    first = client.open(1, streamtype="error", **names) + client.data(1, b"", last=True)
    opened.exchange.stream.feed(framed(first + client.open(3, streamtype="data", **names)))
    return opened, client


def framed(data):
    from tests.frames.masked import sent

    return sent(2, data)


def test_a_port_of_a_pod_answers_through_the_tunnel(world):
    opened, client = tunnelled(world, 80)
    opened.exchange.stream.feed(framed(client.data(3, b"GET /cart HTTP/1.1\r\nHost: x\r\n\r\n")))
    said = client.read(b"".join(payload for opcode, payload in opened.frames() if opcode == 2))
    assert [frame[:2] for frame in said[:2]] == [(SYN_REPLY, 1), (SYN_REPLY, 3)]
    assert said[2][1] == 3 and said[2][2].endswith(b"web (shop/web:1.0) on worker-1 answers GET /cart\n")
    assert world.text(f"{WEB}/log?tailLines=1") == '127.0.0.1 "GET /cart HTTP/1.1" 200\n'


def test_a_port_where_nobody_listens_is_refused_in_the_runtimes_words(world):
    opened, client = tunnelled(world, 81)
    said = client.read(b"".join(payload for opcode, payload in opened.frames() if opcode == 2))
    (error,) = [payload.decode() for kind, stream, payload, _ in said if kind == "data" and stream == 1 and payload]
    assert error.startswith("error forwarding port 81 to pod ")
    assert "failed to connect to localhost:81 inside namespace" in error
    assert "IPv4: dial tcp4 127.0.0.1:81: connect: connection refused" in error


def test_a_watch_over_a_websocket_says_each_event_in_a_message(world):
    path = "/api/v1/namespaces/default/configmaps?watch=1"
    watch = world.upgrade(path, "", origin="http://localhost")
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "seen"}}
    world.ask("POST", "/api/v1/namespaces/default/configmaps", body)
    *before, (opcode, event) = watch.frames()
    assert {kind for kind, _ in before} <= {1} and opcode == 1 and b'"name":"seen"' in event
    assert event.startswith(b'{"type":"ADDED","object":{"kind":"ConfigMap"')
    watch.exchange.stream.feed(framed(b"nobody listens"))
    watch.send(b"")
    watch.exchange.stream.close()


def test_a_watch_over_a_websocket_says_from_which_page_it_comes(world):
    answer = world.ask("GET", "/api/v1/namespaces/default/configmaps?watch=1", **HELLO)
    assert (answer.status, answer.body) == (403, b"null origin")
    two = HELLO | {"sec-websocket-protocol": "a, b", "origin": "http://localhost"}
    assert world.ask("GET", "/api/v1/namespaces/default/configmaps?watch=1", **two).status == 400


def test_pages_of_pods_and_services_come_through_the_proxy(world):
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "shop"}}
    spec = {"selector": {"app": "web"}, "ports": [{"port": 8080, "targetPort": 80}]}
    world.ask("POST", "/api/v1/namespaces/default/services", service | {"spec": spec})
    world.sleep(5)
    page = "web (shop/web:1.0) on worker-1 answers GET /a/b/\n"
    assert world.text(f"{WEB}/proxy/a/b/") == page
    assert world.text("/api/v1/namespaces/default/services/shop:8080/proxy/a/b/") == page
    assert world.refusal(f"{WEB}:81/proxy/")[1].endswith(":81: connect: connection refused")


def test_a_policy_stops_the_proxy_as_it_stops_anybody(monkeypatch):
    world = World()
    monkeypatch.setattr(policing, "enters", lambda host, flow: (host.name, flow.port) != ("worker-1", 80))
    assert world.refusal(f"{WEB}/proxy/")[1].endswith(":80: i/o timeout")
    assert "answers GET /" in port_forwarded(world), "but not the runtime, which is inside already"


def port_forwarded(world):
    opened, client = tunnelled(world, 80)
    opened.exchange.stream.feed(framed(client.data(3, b"GET / HTTP/1.1\r\n\r\n")))
    said = client.read(b"".join(payload for opcode, payload in opened.frames() if opcode == 2))
    return said[-1][2].decode()
