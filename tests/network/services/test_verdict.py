"""Where a packet to a Service goes: told by the closed form on a small cluster of two nodes."""

import pytest

from kubemini.network.decide.services.health import health_checks
from kubemini.network.decide.services.node import Node, ProxyConfig
from kubemini.network.decide.services.verdict import decide, header
from kubemini.network.decide.services.world import world_of

NODES = (
    Node("n1", ("192.168.0.1", "192.168.1.1", "2001:db8::1"), "a", "10.244.1.0/24", "10.244.1.1"),
    Node("n2", ("192.168.0.2", "192.168.1.2"), "b", "10.244.2.0/24", "10.244.2.1"),
)
PODS = {"10.244.1.5": "n1", "10.244.2.5": "n2", "10.244.1.9": "n1", "fd00:244:1::9": "n1"}
CLIENT, OUTSIDE = "10.244.1.9", "203.0.113.7"
BOTH = ("10.244.1.5", "10.244.2.5")


def pair(ips=BOTH, *, status=(), labels=None, **spec):
    """A Service at 10.96.0.7:80, node port 30080, and one slice with endpoints at *ips*."""
    ports = [{"port": 80, "nodePort": 30080, "protocol": "TCP"}]
    meta = {"name": "web", "namespace": "default", "labels": labels or {}}
    spec = {"clusterIP": "10.96.0.7", "type": "NodePort", "ports": ports} | spec
    doors = [{"ip": ip} for ip in status]
    endpoints = [{"addresses": [ip], "nodeName": PODS[ip]} for ip in ips]
    slice = {"ports": [{"name": "", "port": 8080, "protocol": "TCP"}], "endpoints": endpoints}
    return {"metadata": meta, "spec": spec, "status": {"loadBalancer": {"ingress": doors}}}, [slice]


def ask(destination, port, source=CLIENT, node="n1", mode="iptables", protocol="TCP", service=None, **config):
    services = [service or pair()]
    world = world_of(NODES, ProxyConfig(mode=mode, **config), services, PODS)
    return decide(world, node, header(world, node, source, protocol, destination, port))


def test_a_pod_keeps_its_address_behind_a_cluster_ip_and_the_rule_has_a_name():
    found = ask("10.96.0.7", 80)
    assert found.backends == {"10.244.1.5:8080": CLIENT, "10.244.2.5:8080": CLIENT}
    assert (found.fate, found.rule, found.node) == ("connected", "nat:KUBE-SEP-*=dnat", "n1")


def test_a_pod_that_meets_itself_is_masqueraded_or_its_answer_would_never_leave():
    assert ask("10.96.0.7", 80, "10.244.1.5").backends["10.244.1.5:8080"] == "10.244.1.1"


def test_the_node_itself_wears_the_address_of_its_way_out():
    found = ask("10.96.0.7", 80, "").backends
    assert found == {"10.244.1.5:8080": "10.244.1.1", "10.244.2.5:8080": "192.168.0.1"}


def test_policy_cluster_hides_the_client_and_policy_local_shows_it():
    assert set(ask("192.168.0.1", 30080, OUTSIDE).backends.values()) == {"10.244.1.1", "192.168.0.1"}
    local = pair(externalTrafficPolicy="Local")
    found = ask("192.168.0.1", 30080, OUTSIDE, service=local)
    assert found.backends == {"10.244.1.5:8080": OUTSIDE}


def test_policy_local_without_an_endpoint_on_the_node_is_silence_but_not_for_its_pods():
    far = pair(("10.244.2.5",), externalTrafficPolicy="Local")
    dropped = ask("192.168.0.1", 30080, OUTSIDE, service=far)
    assert (dropped.fate, dropped.rule) == ("dropped", "filter:KUBE-EXTERNAL-SERVICES=drop")
    assert ask("192.168.0.1", 30080, service=far).backends == {"10.244.2.5:8080": CLIENT}


def test_a_pod_that_goes_by_another_node_waits_for_an_answer_that_went_straight_home():
    near = pair(("10.244.1.5",), externalTrafficPolicy="Local")
    assert ask("192.168.0.2", 30080, service=near).fate == "lost return"
    both = ask("192.168.0.2", 30080, service=pair(externalTrafficPolicy="Local"))
    assert both.some_lost and both.backends == {"10.244.2.5:8080": CLIENT}
    assert both.node == "n2"


def test_without_endpoints_it_is_refused_and_with_none_allowed_here_dropped():
    assert ask("10.96.0.7", 80, service=pair(())).fate == "refused"
    far = pair(("10.244.2.5",), internalTrafficPolicy="Local")
    assert ask("10.96.0.7", 80, service=far).rule == "filter:KUBE-SERVICES=drop"


@pytest.mark.parametrize("destination,port", [("10.96.0.7", 81), ("10.96.9.9", 80)])
def test_iptables_lets_a_wrong_cluster_ip_go_and_nftables_ends_it(destination, port):
    assert ask(destination, port).fate == "untouched"
    ends = ask(destination, port, mode="nftables")
    assert ends.rule == f"kube-proxy:cluster-ips-check={'reject' if port == 81 else 'drop'}"


def test_a_node_port_is_open_on_all_addresses_of_a_node_or_only_on_its_first():
    for address in ("192.168.1.1", "10.244.1.1"):
        assert ask(address, 30080).fate == "connected"
        assert ask(address, 30080, mode="nftables").fate == "closed"
    everywhere = {"mode": "nftables", "node_port_addresses": ("0.0.0.0/0",)}
    assert ask("192.168.1.1", 30080, **everywhere).fate == "connected"


def test_localhost_reaches_a_node_port_by_iptables_and_by_nftables_only_if_asked_to():
    assert ask("127.0.0.1", 30080, "").fate == "connected"
    assert ask("127.0.0.1", 30080, "", localhost_node_ports=False).fate == "closed"
    asked = {"mode": "nftables", "node_port_addresses": ("primary", "localhost")}
    assert ask("127.0.0.1", 30080, "", mode="nftables").fate == "closed"
    assert ask("127.0.0.1", 30080, "", **asked).backends["10.244.2.5:8080"] == "192.168.0.1"


def test_source_ranges_guard_the_lb_address_and_nothing_else():
    guarded = pair(type="LoadBalancer", status=["198.51.100.1"], loadBalancerSourceRanges=["203.0.113.0/29"])
    assert ask("198.51.100.1", 80, OUTSIDE, service=guarded).fate == "connected"
    stranger = ask("198.51.100.1", 80, "203.0.113.99", service=guarded)
    assert stranger.rule == "filter:KUBE-PROXY-FIREWALL=drop"
    assert ask("192.168.0.1", 30080, "203.0.113.99", service=guarded).fate == "connected"
    alike = ask("198.51.100.1", 80, "203.0.113.99", service=guarded, mode="nftables")
    assert alike.rule == "kube-proxy:firewall-*=drop"


def test_the_node_is_refused_at_an_lb_address_without_endpoints_by_nftables_only():
    empty = pair((), type="LoadBalancer", status=["198.51.100.1"])
    assert ask("198.51.100.1", 80, "", service=empty).fate == "untouched"
    assert ask("198.51.100.1", 80, "", service=empty, mode="nftables").fate == "refused"
    assert ask("198.51.100.1", 80, OUTSIDE, service=empty).fate == "refused"


def test_an_external_ip_that_is_a_nodes_own_is_taken_wherever_a_packet_starts():
    own = pair(externalIPs=["192.168.0.2"])
    assert ask("192.168.0.2", 80, service=own).node == "n1"
    assert ask("192.168.0.2", 80, OUTSIDE, service=own).node == "n2"


def test_without_a_way_to_tell_pods_the_answer_of_another_nodes_endpoint_is_lost():
    found = ask("10.96.0.7", 80, OUTSIDE, detect_local=None)
    assert found.backends == {"10.244.1.5:8080": OUTSIDE} and found.some_lost


def test_a_host_network_endpoint_sees_the_pod_of_its_own_node_as_it_is():
    service, (slice,) = pair()
    slice = {**slice, "endpoints": [{"addresses": ["192.168.0.1"], "nodeName": "n1"}]}
    found = ask("192.168.0.1", 30080, service=(service, [slice]))
    assert found.backends == {"192.168.0.1:8080": CLIENT}


def test_who_is_no_service_is_reached_plainly_and_nobody_listens_on_a_bare_node():
    assert ask("10.244.2.5", 8080).backends == {"10.244.2.5:8080": CLIENT}
    assert ask("192.168.0.2", 22).fate == "closed"
    assert ask("198.51.100.77", 80).fate == "untouched"


def test_ipv6_has_rules_of_its_own():
    six = {
        "addressType": "IPv6",
        "ports": [{"name": "", "port": 8080, "protocol": "TCP"}],
        "endpoints": [{"addresses": ["fd00:244:2::5"], "nodeName": "n2"}],
    }
    service, slices = pair(clusterIPs=["10.96.0.7", "fd00:96::7"])
    both = (service, [*slices, six])
    cidr = {"cluster_cidr": "10.244.0.0/16,fd00:244::/32"}
    found = ask("fd00:96::7", 80, "fd00:244:1::9", service=both, **cidr)
    assert found.backends == {"[fd00:244:2::5]:8080": "fd00:244:1::9"} and found.port.family == "IPv6"
    assert len(ask("10.96.0.7", 80, service=both).ways) == 2
    assert ask("2001:db8::1", 30080, "2001:db8:9::1", service=both).backends == {"[fd00:244:2::5]:8080": "2001:db8::1"}
    assert ask("::1", 30080, "", service=both).fate == "closed"


def test_affinity_makes_the_picks_of_a_client_one_and_has_chains_of_its_own():
    sticky = pair(sessionAffinity="ClientIP")
    assert ask("10.96.0.7", 80, service=sticky).sticky
    assert ask("10.96.0.7", 80, service=sticky, mode="nftables").rule == "kube-proxy:endpoint-*=dnat"
    assert not ask("10.96.0.7", 80).sticky


def test_another_proxys_service_is_nobody_here():
    other = pair(labels={"service.kubernetes.io/service-proxy-name": "mesh"})
    assert ask("10.96.0.7", 80, service=other).fate == "untouched"
    assert ask("192.168.0.1", 30080, service=other).fate == "closed"


def test_a_table_forgets_what_is_taken_away():
    world = world_of(NODES, ProxyConfig(mode="nftables"), [pair()], PODS)
    table = world.tables["n1"]
    table.put("default/web", ())
    assert table.find("10.96.0.7", "TCP", 80) is None
    assert table.find_node_port("IPv4", "TCP", 30080) is None
    assert not table.is_cluster_ip("10.96.0.7")


def test_a_health_check_counts_ready_endpoints_of_its_node_and_hears_kube_proxy_itself():
    service = pair(type="LoadBalancer", externalTrafficPolicy="Local", healthCheckNodePort=32000)
    world = world_of(NODES, ProxyConfig(), [service], PODS)
    status, headers, body = health_checks(world.tables["n1"])["default/web"]
    assert (status, headers["X-Load-Balancing-Endpoint-Weight"], body["localEndpoints"]) == (200, "1", 1)
    leaving = {"ready": False, "serving": True, "terminating": True}
    service[1][0]["endpoints"][0]["conditions"] = leaving
    gone = world_of(NODES, ProxyConfig(), [service], PODS)
    assert health_checks(gone.tables["n1"])["default/web"][0] == 503
    assert health_checks(gone.tables["n2"])["default/web"][0] == 200
    assert health_checks(gone.tables["n2"], healthy=False)["default/web"][0] == 503
    assert ask("192.168.0.1", 32000, OUTSIDE, service=service).rule == "filter:KUBE-NODEPORTS=accept"


def test_what_the_verdict_says_in_either_mode_is_the_same_where_both_have_a_rule():
    for source in (CLIENT, "", OUTSIDE):
        for destination, port in (("10.96.0.7", 80), ("192.168.0.1", 30080)):
            one, other = (ask(destination, port, source, mode=m) for m in ("iptables", "nftables"))
            assert (one.fate, one.backends) == (other.fate, other.backends)
