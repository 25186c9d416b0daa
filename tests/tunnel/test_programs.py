"""Programs that are known answer for themselves, whoever comes: kubectl, the proxy, other pods, a Service's clients."""

import io
import json
import tarfile
from urllib.parse import quote

from tests.tunnel.test_exec import framed, tunnelled
from tests.tunnel.world import PODS, WEB, World


def one(name="web", **container):
    """A pod with one container."""
    spec = {"nodeName": "worker-1", "containers": [{"name": "c", "image": "busybox", **container}]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "labels": {"app": name}}, "spec": spec}


class Real(World):
    """A world whose kubelets care for everything."""

    def __init__(self, *pods, **options):
        super().__init__(*pods, kubelet_details=True, **options)


def ran(world, *words, pod="web", more="", seconds=2):
    """(what it says, how it ended) of a command in a container."""
    command = "".join(f"&command={quote(word)}" for word in words)
    done = world.upgrade(f"{PODS}/{pod}/exec?stdout=1&stderr=1{more}{command}")
    return done.channel(1, seconds), done


def test_nginx_welcomes_other_pods_the_proxy_and_a_forwarded_port_and_logs_each():
    world = Real(one(image="nginx:1.29"), one("client", command=["sleep", "1000"]))
    ip = next(one.ip for one in world.cluster.hosts["worker-1"].kernel.containers.of_pod.values() if one.name == "web")
    said, _ = ran(world, "wget", "-qO-", ip, pod="client")
    assert "<h1>Welcome to nginx!</h1>" in said
    assert world.text(f"{WEB}/proxy/") == said
    assert world.ask("GET", f"{WEB}/proxy/none").status == 404
    opened, client = tunnelled(world, 80)
    opened.exchange.stream.feed(framed(client.data(3, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")))
    frames = client.read(b"".join(payload for opcode, payload in opened.frames() if opcode == 2))
    assert frames[2][2].startswith(
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nServer: nginx\r\nContent-Length: 615"
    )
    lines = [line.split(' "')[1][:-1].partition('"')[0] for line in world.text(f"{WEB}/log").splitlines()]
    assert lines == ["GET / HTTP/1.1", "GET / HTTP/1.1", "GET /none HTTP/1.1", "GET / HTTP/1.1"][: len(lines)]
    assert len(lines) == 4


def test_where_a_program_does_not_listen_it_is_refused_whatever_it_declares():
    world = Real(one(image="nginx", ports=[{"containerPort": 8080}]))
    assert world.refusal(f"{WEB}:8080/proxy/")[1].endswith(":8080: connect: connection refused")
    _, client = ran(world, "wget", "-qO-", "localhost:81")
    assert client.channel(2) == "wget: can't connect to remote host (127.0.0.1): Connection refused\n"
    assert "Welcome" in ran(world, "wget", "-qO-", "localhost")[0]


def test_a_shell_in_a_container_sees_its_processes_and_its_files():
    script = "trap 'exit 3' TERM; echo $GREETING > /tmp/a; while true; do sleep 1; done"
    world = Real(one(command=["sh", "-c", script], env=[{"name": "GREETING", "value": "hello"}]))
    assert ran(world, "sh", "-c", "cat /tmp/a | tr a-z A-Z; ps | grep -c sleep")[0].startswith("HELLO\n")
    assert ran(world, "sh", "-c", "exit 4")[1].status["details"]["causes"][0]["message"] == "4"
    assert ran(world, "cat", "/tmp/a")[0] == "hello\n"


def test_files_are_copied_out_of_a_container_and_into_it_by_tar():
    world = Real(one(command=["sh", "-c", "mkdir -p /srv/d; echo one > /srv/d/f; sleep 1000"]))
    packed = world.upgrade(f"{WEB}/exec?stdout=1&command=tar&command=cf&command=-&command=/srv")
    raw = b"".join(data[1:] for opcode, data in packed.frames() if opcode == 2 and data[:1] == b"\x01")
    with tarfile.open(fileobj=io.BytesIO(raw)) as opened:
        assert opened.getnames() == ["srv", "srv/d", "srv/d/f"] and opened.extractfile("srv/d/f").read() == b"one\n"
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as opened:
        info = tarfile.TarInfo("new")
        info.size = 4
        opened.addfile(info, io.BytesIO(b"two\n"))
    into = "".join(f"&command={word}" for word in ("tar", "-xmf", "-", "-C", "/srv"))
    unpacked = world.upgrade(f"{WEB}/exec?stdin=1&stdout=1{into}")
    unpacked.send(b"\x00" + made.getvalue())
    unpacked.send(b"\xff\x00")
    assert unpacked.status["status"] == "Success" and ran(world, "cat", "/srv/new")[0] == "two\n"


def test_a_command_that_is_left_alone_goes_on_no_more():
    world = Real(one(command=["sleep", "1000"]))
    left = world.upgrade(f"{WEB}/exec?stdout=1&command=sh&command=-c&command=" + quote("sleep 5; touch /late"))
    left.exchange.stream.close()
    world.sleep(10)
    assert ran(world, "ls", "/late")[1].status["status"] == "Failure"


def test_a_program_says_its_own_status_to_a_client_of_a_service():
    world = Real(one(image="agnhost", args=["netexec"]), one("client", command=["sleep", "1000"]))
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}}
    spec = {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8080}]}
    made = world.ask("POST", "/api/v1/namespaces/default/services", service | {"spec": spec})
    ip = json.loads(made.body)["spec"]["clusterIP"]
    world.sleep(5)
    assert ran(world, "wget", "-qO-", f"http://{ip}/hostname", pod="client", seconds=5)[0] == "web"
    _, failed = ran(world, "wget", "-qO-", f"http://{ip}/echo?code=503", pod="client", seconds=5)
    assert failed.channel(2) == "wget: server returned error: HTTP/1.1 503 Service Unavailable\n"
    dial = f"http://localhost:8080/dial?host={ip}&port=80&request=hostname"
    assert ran(world, "wget", "-qO-", dial, seconds=5)[0] == '{"responses":["web"]}'


def test_a_function_of_a_readers_answers_in_any_story_and_a_visitor_hears_its_status():
    said = [(200, "open"), (503, "closed")]
    own = {"registry.example/shop/web:9": lambda request: said[request.path == "/" and len(heard) > 1]}
    heard: list[str] = []
    world = World(one(image="shop/web:1.0", ports=[{"containerPort": 8080}]), own=own)
    assert world.text(f"{WEB}:8080/proxy/") == "open"
    heard += ["now", "later"]
    assert world.ask("GET", f"{WEB}:8080/proxy/").status == 503
