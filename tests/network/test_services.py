"""Services: kube-proxy's own tables, and what a connection finds in a host's kernel."""

import json
from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest

from kubemini.api.objects import freeze
from kubemini.host import Host
from kubemini.host.linux import podnetwork
from kubemini.network import dataplane
from kubemini.network.decide.services import rule as services
from kubemini.network.decide.services.ports import HEADLESS, OTHER_PROXY
from kubemini.network.decide.services.rule import Port, Rule, ServiceEndpoint
from kubemini.sim import Sim
from kubemini.sim.units import SECOND

TABLE = json.loads((Path(__file__).parent.parent / "oracles/network/kubeproxy_flows.json").read_text())
FLOWS = [
    (group, flow)
    for group in TABLE["groups"]
    for flow in group["flows"]
    if group.get("family") != "IPv6" and flow["output"] and flow["dst"] in [s["clusterIP"] for s in group["services"]]
]
THREE = tuple(ServiceEndpoint(f"web-{i}", f"10.244.1.{i}", "worker-1") for i in (2, 3, 4))


def objects(row: dict) -> tuple:
    """The Service and EndpointSlices behind a row of the table: a slice a port, as kube-proxy's tests make them."""
    meta = {"name": row["name"], "namespace": row["namespace"]}
    service = {"metadata": meta, "spec": {k: v for k, v in row.items() if k not in ("endpoints", "name", "namespace")}}
    slices = [
        {
            "ports": [{"name": name, "port": endpoints[0]["port"]}] if endpoints else [],
            "endpoints": [
                {
                    "addresses": [e["ip"]],
                    "nodeName": e["node"],
                    "conditions": {k: e[k] for k in ("ready", "serving", "terminating")},
                }
                for e in endpoints
            ],
        }
        for name, endpoints in row["endpoints"].items()
    ]
    return freeze(service), freeze(slices)


@pytest.mark.parametrize("group,flow", FLOWS, ids=[f"{g['test']}/{f['name']}" for g, f in FLOWS])
def test_a_connection_to_a_cluster_ip_goes_where_kube_proxy_s_table_says(group, flow):
    (row,) = [s for s in group["services"] if s["clusterIP"] == flow["dst"]]
    rule = services.rule(*objects(row), "test-node")
    (port,) = [p for p in rule.ports if p.port == flow["port"] and p.protocol == flow["proto"]]
    if isinstance(flow["output"], str):
        assert (rule.endpoints, rule.otherwise) == ((), flow["output"])
    else:
        assert sorted(f"{e.ip}:{port.target}" for e in rule.endpoints) == sorted(flow["output"])


# -- one host ----------------------------------------------------------------------------------------------------
@pytest.fixture
def host():
    return Host(Sim(1), "worker-1")


def program(host, endpoints, **more):
    dataplane.rules(host)["default/web"] = Rule("default/web", "10.96.0.7", (Port("", 80, 8080),), endpoints, **more)


def test_a_connection_is_random_never_round_robin(host):
    program(host, THREE)
    draw = host.sim.draws("visitor")
    picks = [dataplane.choose(host, "web", draw.u(n))["pod"] for n in range(3000)]
    expected = 1000
    chi_square = sum((count - expected) ** 2 / expected for count in Counter(picks).values())
    assert chi_square < 13.8  # 99.9 % of two degrees of freedom
    assert any(a == b for a, b in pairwise(picks))


def test_the_walk_of_the_chain_is_uniform_to_the_last_bit():
    for n in (1, 2, 3, 5, 7):
        endpoints = tuple(ServiceEndpoint(str(i), f"10.0.0.{i}", "") for i in range(n))
        marks = [services.WHOLE * (2 * i + 1) // (2 * n) for i in range(n)]
        assert [services.pick(endpoints, draw) for draw in marks] == list(endpoints)


def test_without_an_endpoint_nobody_is_chosen(host):
    program(host, ())
    assert not dataplane.has_endpoints(host, "web")
    assert dataplane.choose(host, "web", 5) is None
    program(host, THREE)
    assert dataplane.has_endpoints(host, "default/web")


def test_affinity_slides_with_each_new_connection(host):
    program(host, THREE, affinity=2 * SECOND)
    draw = host.sim.draws("visitor")
    first = dataplane.choose(host, "web", draw.u(0))
    for n in range(1, 30):  # a connection every 1.1 s keeps it (measured on the Linux kernel)
        host.sim.run_until(n * 1_100_000)
        assert dataplane.choose(host, "web", draw.u(n)) == first
    later = set()
    for n in range(30, 60):  # idle for longer than the timeout: chosen at random again
        host.sim.run_until(n * 3 * SECOND)
        later.add(dataplane.choose(host, "web", draw.u(n))["pod"])
    assert len(later) == 3


def test_affinity_ends_with_its_endpoint(host):
    program(host, THREE, affinity=2 * SECOND)
    first = dataplane.choose(host, "web", 0)["pod"]
    program(host, tuple(e for e in THREE if e.pod != first), affinity=2 * SECOND)
    assert dataplane.choose(host, "web", 0)["pod"] != first


def test_rules_and_listeners_die_with_the_power(host):
    program(host, THREE)
    podnetwork.listening(host)["10.244.1.2"] = "web-2"
    host.power_off()
    host.power_on()
    assert not dataplane.has_endpoints(host, "web")
    assert podnetwork.pod_at(host, "10.244.1.2") is None


def test_headless_services_are_none_of_kube_proxy_s_business():
    meta = {"name": "db", "namespace": "default"}
    assert services.rule({"metadata": meta, "spec": {"clusterIP": "None"}}, [], "worker-1") is None
    assert services.rule({"metadata": meta, "spec": {"type": "ExternalName"}}, [], "worker-1") is None


# -- what kube-proxy leaves out ----------------------------------------------------------------------------------------
def a_service(**more):
    spec = {"clusterIP": "10.96.0.7", "ports": [{"name": "http", "port": 80, "targetPort": 8080}]}
    return freeze({"metadata": {"name": "web", "namespace": "default", **more}, "spec": spec})


def a_slice(*addresses, port="http", number=8080, type="IPv4", labels=None):
    ends = [{"addresses": [address], "conditions": {"ready": True}} for address in addresses]
    ports = [{"name": port, "port": number}] if number else [{"name": port}]
    meta = {"name": "web-x", "labels": labels or {}}
    return freeze({"metadata": meta, "addressType": type, "ports": ports, "endpoints": ends})


def leads_to(*slices, service=None):
    rule = services.rule(service or a_service(), slices, "worker-1")
    return rule and [f"{e.ip}:{rule.ports[0].target}" for e in rule.endpoints]


@pytest.mark.parametrize(
    "slice",
    [
        a_slice("fd00::7", type="IPv6"),
        a_slice("web.example.com", type="FQDN"),
        a_slice("fd00::7"),
        a_slice("web.example.com"),
        a_slice("10.244.1.9.9"),
        a_slice("10.244.1.999"),
        a_slice("10.244.1.9", labels={HEADLESS: ""}),
        a_slice("10.244.1.9", labels={OTHER_PROXY: "mesh"}),
        a_slice("10.244.1.9", port="metrics"),
        a_slice("10.244.1.9", number=None),
        freeze({"metadata": {"name": "bare"}, "endpoints": [{"addresses": []}, {}], "ports": None}),
    ],
)
def test_a_slice_that_is_not_for_kube_proxy_is_left_out(slice):
    assert leads_to(slice, a_slice("10.244.1.2")) == ["10.244.1.2:8080"]
    assert leads_to(slice) == []


def test_a_service_that_another_proxy_looks_after_is_not_touched():
    assert leads_to(a_slice("10.244.1.2"), service=a_service(labels={OTHER_PROXY: "mesh"})) is None


@pytest.mark.parametrize("ip", ["", "None", "fd00::7", None])
def test_a_service_without_an_address_of_ipv4_is_not_touched(ip):
    service = freeze({"metadata": {"name": "web"}, "spec": {"clusterIP": ip}})
    assert services.rule(service, [], "worker-1") is None


def test_endpoints_stand_in_the_order_of_their_text():
    assert leads_to(a_slice("10.244.1.9", "10.244.1.10", "10.244.1.2")) == [
        "10.244.1.10:8080",
        "10.244.1.2:8080",
        "10.244.1.9:8080",
    ]
