"""kubectl port-forward into a pod: what it prints, and what comes back."""

from kubemini.users.decide.kubectl.asking import Visit
from kubemini.users.decide.kubectl.verbs.forward import asked
from tests.kubelet.lives.parts import Life, container, pod, until


def forwarded(life, ports, local):
    """A line that forwards, and what one GET through it brings."""
    typed = life.world.cluster.terminal.type(f"-n life port-forward p {ports}")
    life.world.sleep(1)
    visit = Visit(local, asked("/healthz"))
    assert typed.visit(visit)
    assert not typed.visit(Visit(local + 1, b"")), "nobody listens there"
    life.world.sleep(2)
    return typed, visit


def test_a_port_of_this_machine_leads_into_a_pod_until_nobody_listens_there():
    life = Life(pod(container("http", 8080)), until("ready()"))
    typed, visit = forwarded(life, "5000:8080", 5000)
    assert visit.over and bytes(visit.out).startswith(b"HTTP/1.1 200") and visit.out.endswith(b"status 200\n")
    assert typed.out.splitlines() == [
        "Forwarding from 127.0.0.1:5000 -> 8080",
        "Forwarding from [::1]:5000 -> 8080",
        "Handling connection for 5000",
    ]
    assert not typed.over
    typed.interrupt()
    assert typed.over
    typed, visit = forwarded(life, "81", 81)
    assert visit.over and not visit.out and typed.status == 1
    logged, last = typed.err.splitlines()
    assert 'portforward.go:549] "An error occurred forwarding" err="error forwarding port 81 to pod ' in logged
    assert logged.endswith("localPort=81 remotePort=81") and last == "error: lost connection to pod"


def test_what_is_no_port_is_refused():
    life = Life(pod(container("http", 8080)), until("ready()"))

    def complaint(words):
        typed = life.world.cluster.terminal.type(f"-n life port-forward {words}")
        life.world.sleep(1)
        return typed.err.splitlines()[0]

    assert complaint("p") == "error: TYPE/NAME and list of ports are required for port-forward"
    assert complaint("p 1:2:3") == "error: invalid port format '1:2:3'"
    assert complaint("p 8080:0") == "error: remote port must be > 0"
    wrong = "error: error parsing remote port 'web': strconv.ParseUint: parsing \"web\": invalid syntax"
    assert complaint("p :web") == wrong
