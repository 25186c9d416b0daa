"""A worker forgets the way to another one's pods: who fails, what is seen, and what brings it back."""

import pytest

from kubemini import faults
from kubemini.cluster import Cluster, build
from kubemini.host.linux.podnetwork import knows_way
from kubemini.packets import trace_packet
from kubemini.scenarios import load
from kubemini.simulate import run

SERVICES = load("services")
STORY = {
    "title": "a route is lost",
    "topology": {"kind": "single", "workers": 2},
    "manifests": SERVICES.manifests,
    "workload": {"visitors": {"service": "web", "every": "200ms"}},
    "until": "50s",
}
LOST = ("20s", "route_del", "worker-1", "worker-2")


def refuses(entry, message):
    """A command that cannot be done to two workers is refused in these words."""
    with pytest.raises(faults.FaultError, match=message):
        faults.schedule(Cluster(build("single", workers=2)), faults.parse_all([entry]))


def failed(trace, begin, end):
    """From which worker visits failed between two instants (s)."""
    asked = [r for r in trace.of("request") if begin < r.detail["started"] / 1e6 < end]
    return {r.actor for r in asked if r.detail["outcome"] != "ok" and "visitor" in r.actor}


def test_visits_from_that_worker_to_the_other_fail_until_the_route_is_back():
    trace = run(STORY, seed=2, commands=[LOST, ("35s", "route_add", "worker-1", "worker-2")])
    assert failed(trace, 5, 19) == set()
    assert failed(trace, 20, 33) == {"visitor@worker-1"}
    assert failed(trace, 35, 48) == set()


def test_a_boot_brings_the_route_back():
    plan = [LOST, ("25s", "power_off", "worker-1"), ("28s", "power_on", "worker-1")]
    assert failed(run(STORY, seed=2, commands=plan), 36, 48) == set()


def test_who_answers_a_pod_needs_a_way_to_it():
    cluster = Cluster(build("single", workers=2))
    one, two = (cluster.hosts[f"worker-{n}"] for n in (1, 2))
    faults.schedule(cluster, faults.parse_all([("1s", "route_del", "worker-2", "worker-1")]))
    cluster.run("2s")
    assert knows_way(one, "10.244.2.2") and not knows_way(two, "10.244.1.2") and knows_way(two, "192.168.0.101")


def test_the_packet_walk_knows_of_it():
    cluster = Cluster(build("single", workers=2))
    cluster.run("5s")
    cluster.apply(SERVICES.manifests)
    cluster.run("10s")
    pods = {r.detail["name"]: r.detail["ip"] for r in cluster.trace.of("pod")}
    first = next(name for name, ip in pods.items() if ip.startswith("10.244.1."))
    other = next(name for name, ip in pods.items() if ip.startswith("10.244.2."))
    ask = lambda: trace_packet(cluster, f"pod/{first}", f"pod/{other}").exchange.verdict  # noqa: E731
    before = ask().fate
    faults.schedule(cluster, faults.parse_all([("16s", "route_del", "worker-1", "worker-2")]))
    cluster.run("2s")
    assert before != "lost" and ask().fate == "lost"


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (("1s", "route_del", "worker-1", "cp-1"), "cp-1 has no pods; workers are: worker-1, worker-2"),
        (("1s", "route_del", "worker-1", "worker-1"), "name two workers"),
        (("1s", "route_del", "worker-1", "worker-9"), "'worker-9' is not a host of this cluster"),
    ],
)
def test_a_route_that_cannot_be_lost_is_told(entry, message):
    refuses(entry, message)
