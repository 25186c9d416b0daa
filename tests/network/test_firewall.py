"""A rule in a node's firewall: whom it stops, what a packet walk says of it, and what takes it away."""

import pytest

from kubemini import faults
from kubemini.cluster import Cluster, build
from kubemini.packets import trace_packet
from kubemini.simulate import run
from tests.network.cni.test_routes import SERVICES, STORY, failed, refuses

RULE = "FORWARD -p tcp --dport 8080 -j DROP"
ADDED = ("20s", "firewall_add", "worker-2", RULE)


def test_connections_to_the_pods_behind_it_fail_until_it_is_flushed():
    trace = run(STORY, seed=2, commands=[ADDED, ("35s", "firewall_flush", "worker-2")])
    assert failed(trace, 5, 19) == set()
    assert failed(trace, 20, 33) == {"visitor@worker-1"}  # worker-2's own visitors come by OUTPUT
    assert failed(trace, 35, 48) == set()


def test_a_boot_forgets_it():
    plan = [ADDED, ("25s", "power_off", "worker-2"), ("28s", "power_on", "worker-2")]
    assert failed(run(STORY, seed=2, commands=plan), 38, 48) == set()


def test_a_line_of_a_scenario_and_of_a_command_line_is_the_same_rule():
    line = faults.read_line(f"20s,firewall_add,worker-2,{RULE}")
    assert faults.parse_all([line]) == faults.parse_all([list(ADDED)])


def test_the_packet_walk_names_the_rule_and_the_node():
    cluster = Cluster(build("single", workers=2))
    cluster.run("5s")
    cluster.apply(SERVICES.manifests)
    cluster.run("15s")
    pods = {r.detail["name"]: r.detail["ip"] for r in cluster.trace.of("pod")}
    first = next(name for name, ip in pods.items() if ip.startswith("10.244.1."))
    other = next(name for name, ip in pods.items() if ip.startswith("10.244.2."))
    to = f"{pods[other]}:8080"
    assert trace_packet(cluster, f"pod/{first}", to).exchange.verdict.fate == "connected"
    faults.schedule(cluster, faults.parse_all([("21s", *ADDED[1:])]))
    cluster.run("2s")
    verdict = trace_packet(cluster, f"pod/{first}", to).exchange.verdict
    assert verdict.fate == "dropped"
    assert verdict.rule == "filter FORWARD: -p tcp --dport 8080 -j DROP"


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (("1s", "firewall_add", "worker-9", RULE), "'worker-9' is not a host"),
        (("1s", "firewall_add", "worker-1", "FORWARD -p tcp --dport"), "cannot load .*; write FORWARD -p tcp"),
        (("1s", "firewall_add", "worker-1", "NOWHERE -j DROP"), "filter has no chain NOWHERE"),
        (("1s", "firewall_add", "worker-1", "FORWARD -j NOTHING"), "there is no target NOTHING"),
    ],
)
def test_a_rule_that_no_tool_would_load_is_refused(entry, message):
    refuses(entry, message)
