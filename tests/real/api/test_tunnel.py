"""kubectl 1.37 and @kubernetes/client-node, unmodified, through the API server into containers: logs, exec, ports."""

import os
import re
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.real.api.test_kubectl import KUBECTL, Kubectl
from tests.serve.doors import LONG, Served

pytestmark = pytest.mark.needs("kubectl")
PROGRAM = Path(__file__).with_name("client_node_tunnel.mjs")
POD = """
apiVersion: v1
kind: Pod
metadata: {name: NAME}
spec:
  nodeName: worker-1
  containers:
  - name: c
    image: nginx:1.29
    ports: [{containerPort: 80}]
    readinessProbe: {httpGet: {path: /, port: 80}, periodSeconds: 1}
MORE
"""
CRASHES = """
apiVersion: v1
kind: Pod
metadata: {name: crashes}
spec:
  nodeName: worker-1
  containers: [{name: c, image: busybox, command: [sh, -c, "sleep 3; echo exits with code 1; exit 1"]}]
"""
SPEAKS = """
apiVersion: v1
kind: Pod
metadata: {name: speaks}
spec:
  nodeName: worker-1
  containers: [{name: c, image: busybox, command: [sh, -c, "while true; do echo goes on; sleep 1; done"]}]
"""
SECOND = "  - {name: d, image: busybox, command: [sleep, 1d]}"
PROBED = r'\S+ - - \[[^]]+\] "GET / HTTP/1\.1" 200 615 "-" "kube-probe/1\.37" "-"\n'


@contextmanager
def going_on(process):
    """*process* while the block runs; it ends with it, however that ends."""
    with process:
        try:
            yield process
        finally:
            process.kill()


def pod(name, more=""):
    return POD.replace("NAME", name).replace("MORE", more)


@pytest.fixture(scope="module")
def kubectl(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tunnel")
    with Served(folder, "--workers", "1") as served:
        found = Kubectl(served, folder)
        found.says(f"wait serviceaccount/default --for=create --timeout={LONG}s")
        found.says("apply -f -", pod("web") + "---" + pod("two", more=SECOND) + "---" + SPEAKS)
        found.says(f"wait pod/web pod/two pod/speaks --for=condition=Ready --timeout={LONG}s")
        yield found


def test_it_shows_a_log_as_it_is_asked_to(kubectl):
    log = kubectl.says("logs web")
    assert re.match(PROBED, log) and kubectl.says("logs web --limit-bytes=10") == log[:10]
    assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z " + PROBED, kubectl.says("logs web --timestamps"))
    assert kubectl.says("logs web --tail=0") == ""
    assert re.search(r"\[pod/two/c\] " + PROBED, kubectl.says("logs two --all-containers --prefix"))


def test_a_log_that_is_followed_grows(kubectl):
    with going_on(kubectl.open("logs speaks -f --tail=1")) as following:
        lines = [following.stdout.readline() for _ in range(3)]
    assert lines == ["goes on\n"] * 3


def test_what_the_start_before_has_said_is_kept(kubectl):
    kubectl.says("apply -f -", CRASHES)
    for _ in range(LONG):
        if kubectl.run("logs crashes --previous").returncode == 0:
            break
        time.sleep(1)
    assert kubectl.says("logs crashes --previous").endswith("exits with code 1\n")


def test_it_runs_commands_and_ends_as_they_do(kubectl):
    assert kubectl.says("exec web -- hostname") == "web\n"
    assert kubectl.says("exec -i web -- cat", "typed\n") == "typed\n"
    assert "nameserver 10.96.0.10\n" in kubectl.says("exec web -- cat /etc/resolv.conf")
    assert kubectl.says("exec two -c d -- ps").splitlines()[1].endswith("sleep 1d")
    failed = kubectl.run("exec web -- sh -c nope")
    assert (failed.returncode, failed.stderr) == (127, "sh: nope: not found\ncommand terminated with exit code 127\n")
    missing = kubectl.complains("exec speaks -- bash")
    assert 'unable to start container process: exec: "bash": executable file not found in $PATH' in missing


def test_an_older_kubectl_speaks_spdy_instead(kubectl):
    """As up to 1.30, and as any goes on with that finds no way for WebSockets."""
    older = Kubectl(kubectl.served, kubectl.served.kubeconfig.parent)
    older.environment["KUBECTL_REMOTE_COMMAND_WEBSOCKETS"] = "false"
    assert older.says("exec web -- hostname") == "web\n"
    assert older.says("exec -i web -- cat", "typed\n") == "typed\n"
    assert older.run("exec web -- sh -c false").returncode == 1
    assert "command terminated with exit code" not in older.complains("exec speaks -- bash")


def test_a_container_knows_the_services_and_itself(kubectl):
    assert kubectl.says("exec web -- printenv KUBERNETES_SERVICE_HOST HOSTNAME") == "10.96.0.1\nweb\n"


def test_it_attaches_and_sees_what_comes(kubectl):
    with going_on(kubectl.open("attach speaks")) as attached:
        assert attached.stdout.readline() == "goes on\n"


def test_it_forwards_a_port_and_says_where_nobody_listens(kubectl):
    words = ["port-forward", "web", ":80", ":81", "--address", "127.0.0.1"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with going_on(subprocess.Popen([str(KUBECTL), *words], **pipes, env=kubectl.environment)) as forwarding:
        lines = [forwarding.stdout.readline() for _ in range(2)]
        ports = {line.split()[-1]: re.search(r":(\d+) ->", line)[1] for line in lines}
        for _ in range(2):
            with urllib.request.urlopen(f"http://127.0.0.1:{ports['80']}/", timeout=LONG) as answer:
                assert "<h1>Welcome to nginx!</h1>" in answer.read().decode()
        with pytest.raises((urllib.error.URLError, OSError)):
            urllib.request.urlopen(f"http://127.0.0.1:{ports['81']}/", timeout=LONG)
        said = forwarding.stderr.readline()
    assert "error forwarding port 81 to pod" in said and "dial tcp4 127.0.0.1:81: connect: connection refused" in said


@pytest.mark.needs("kubernetes")
def test_the_python_client_runs_commands_and_forwards_a_port(kubectl):
    """By the older protocol, v4; and ports by channels of a WebSocket."""
    from kubernetes import client, config
    from kubernetes.stream import portforward, stream

    api = client.CoreV1Api(config.new_client_from_config(str(kubectl.served.kubeconfig)))
    run = {"stdout": True, "stderr": True, "stdin": False, "tty": False}
    assert stream(api.connect_get_namespaced_pod_exec, "web", "default", command=["hostname"], **run) == "web\n"
    shell = stream(
        api.connect_get_namespaced_pod_exec,
        "web",
        "default",
        command=["sh"],
        _preload_content=False,
        **run | {"stdin": True},
    )
    shell.write_stdin("echo typed\nexit 3\n")
    shell.run_forever(timeout=LONG)
    assert (shell.read_stdout(), shell.returncode) == ("typed\n", 3)
    port = portforward(api.connect_get_namespaced_pod_portforward, "web", "default", ports="80").socket(80)
    port.setblocking(True)
    port.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    heard = b"".join(iter(lambda: port.recv(65536), b""))
    port.close()
    assert b"<h1>Welcome to nginx!</h1>" in heard


@pytest.mark.needs("node", "client-node")
def test_client_node_runs_commands_follows_a_log_and_forwards_a_port(kubectl):
    done = subprocess.run(
        ["node", str(PROGRAM), "web", "speaks"],
        env={**os.environ, "KUBECONFIG": str(kubectl.served.kubeconfig)},
        capture_output=True,
        text=True,
        timeout=LONG,
    )
    assert done.stdout.splitlines() == [
        'hostname Success  "web\\n"',
        'false Failure 1 ""',
        "sh Failure 1 \"out\\ncat: can't open '/none': No such file or directory\\n\"",
        'cat Success  "typed\\n"',
        'log "goes on"',
        'port-forward 200 "<h1>Welcome to nginx!</h1>"',
    ], done.stderr


def test_a_node_whose_kubelet_has_died_says_so_and_its_pods_go_on(kubectl):
    """Last: nothing here works after it."""
    assert kubectl.served.type("crash kubelet@worker-1") == "kubemini: crash kubelet@worker-1\n"
    refused = "dial tcp 192.168.0.101:10250: connect: connection refused"
    url = "https://192.168.0.101:10250/containerLogs/default/web/c?tailLines=3"
    assert kubectl.complains("logs web --tail=3") == f'Error from server: Get "{url}": {refused}\n'
    dialling = f"unable to upgrade connection: error dialing backend: {refused}"
    assert kubectl.complains("exec web -- ls") == f"error: {dialling}\n"
    assert kubectl.complains("port-forward web :80") == f"error: error upgrading connection: {dialling}\n"
    assert "Welcome to nginx!" in kubectl.says("get --raw /api/v1/namespaces/default/pods/web/proxy/")
