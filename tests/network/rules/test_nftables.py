"""What a Service adds to a node's nftables: a look-up finds its chain, and one rule deals to its endpoints."""

import pytest

from kubemini.network.decide.rules.network import merged
from kubemini.network.decide.rules.nftables import duration
from kubemini.network.decide.rules.nftables_base import base
from kubemini.network.decide.services.node import Node, ProxyConfig
from tests.network.rules.parts import HERE, THREE, endpoints, service, table

NODE_PORT = ({"port": 80, "nodePort": 30080},)
OUTSIDE = {"type": "LoadBalancer", "ports": NODE_PORT, "ingress": ("198.51.100.1",)}


def chain(out, prefix):
    (lines,) = [lines for name, lines in out.chains.items() if name.startswith(prefix)]
    return lines


def test_one_rule_deals_to_all_endpoints_by_a_random_number():
    (rule,) = chain(table(service(), endpoints(*THREE)), "service-")
    dealt = "{ 0 : 10.244.1.10 . 8080, 1 : 10.244.1.9 . 8080, 2 : 10.244.2.2 . 8080 }"
    assert rule == f"meta l4proto tcp dnat ip to numgen random mod 3 map {dealt}"


def test_one_endpoint_needs_no_chance():
    assert chain(table(service(), endpoints("10.244.1.9")), "service-") == ["meta l4proto tcp dnat to 10.244.1.9:8080"]


def test_only_affinity_gives_an_endpoint_a_chain_and_a_set_of_clients():
    assert not table(service(), endpoints(*THREE)).sets
    out = table(service(sessionAffinity="ClientIP"), endpoints(*THREE))
    assert [lines[3] for lines in out.sets.values()] == ["timeout 3h"] * 3
    *seen, chance = chain(out, "service-")
    assert len(seen) == 3 and "saddr @affinity-" in seen[0] and chance.startswith("numgen random mod 3 vmap")


@pytest.mark.parametrize(
    "seconds,text",
    [
        (1, "1s"),
        (60, "1m"),
        (5400, "1h30m"),
        (10_800, "3h"),
        (86_399, "23h59m59s"),
        (86_400, "1d"),
        (100_000, "1d3h46m40s"),
    ],
)
def test_a_time_is_shown_in_days_hours_minutes_and_seconds(seconds, text):
    assert duration(seconds) == text


def test_what_has_no_endpoints_stands_in_maps_of_refusals_and_not_among_what_is_served():
    out = table(service(**OUTSIDE))
    assert not out.chains and set(out.elements) == {"cluster-ips", "no-endpoint-services", "no-endpoint-nodeports"}
    assert set(out.elements["no-endpoint-nodeports"].values()) == {
        'tcp . 30080 comment "default/web" : goto reject-chain'
    }


def test_policy_local_without_an_endpoint_here_stands_in_both_maps():
    out = table(service(**OUTSIDE, externalTrafficPolicy="Local"), endpoints("10.244.2.2"))
    assert out.elements["no-endpoint-nodeports"]["tcp . 30080"].endswith(" : drop")
    assert "tcp . 30080" in out.elements["service-nodeports"]
    assert not chain(out, "external-")[-1].startswith("goto local-")


def test_source_ranges_drop_even_when_there_is_no_endpoint():
    out = table(service(**OUTSIDE, loadBalancerSourceRanges=["203.0.113.7/32"]))
    assert chain(out, "firewall-") == ["ip saddr != 203.0.113.7 drop"]
    assert list(out.elements["firewall-ips"]) == ["198.51.100.1 . tcp . 80"]


def test_a_node_in_the_ranges_may_come_from_the_load_balancer_s_own_address():
    out = table(service(**OUTSIDE, loadBalancerSourceRanges=["192.168.0.0/24"]), endpoints(*THREE))
    assert chain(out, "firewall-") == ["ip saddr != { 192.168.0.0/24, 198.51.100.1 } drop"]


@pytest.mark.parametrize(
    "ranges,shown",
    [
        (["203.0.113.4/32", "203.0.113.2/32"], ["203.0.113.2", "203.0.113.4"]),
        (["10.244.1.0/24", "10.244.0.0/16"], ["10.244.0.0/16"]),
        (["10.0.0.0/24", "10.0.1.0/24", "10.0.3.0/24"], ["10.0.0.0/23", "10.0.3.0/24"]),
        (["10.0.0.0/24", "10.0.1.0/25"], ["10.0.0.0-10.0.1.127"]),
        (["10.0.0.2/31", "10.0.0.4/31"], ["10.0.0.2-10.0.0.5"]),
    ],
)
def test_nft_shows_ranges_sorted_and_joins_those_that_touch(ranges, shown):
    assert merged(ranges) == shown


def test_an_endpoint_of_this_node_may_answer_itself():
    assert set(table(service(), endpoints(*THREE)).elements["hairpin-connections"]) == {
        "10.244.1.9 . 10.244.1.9 . tcp . 8080",
        "10.244.1.10 . 10.244.1.10 . tcp . 8080",
    }


# -- options -------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "options,first",
    [
        ({}, "ip saddr != 10.244.0.0/16 "),
        ({"detect_local": "BridgeInterface"}, 'iifname != "cbr0" '),
        ({"masquerade_all": True}, ""),
    ],
)
def test_one_rule_masquerades_for_all_cluster_ips(options, first):
    rule = base(ProxyConfig("nftables", **options), HERE).chains["services"][0]
    assert rule.startswith(f"ip daddr @cluster-ips {first}meta mark set meta mark | 0x00004000")


def test_without_a_way_to_know_pods_no_rule_masquerades_for_cluster_ips():
    assert len(base(ProxyConfig("nftables", detect_local=None), HERE).chains["services"]) == 2


def test_node_ports_answer_on_the_primary_address_or_on_all_if_so_asked():
    assert list(base(ProxyConfig("nftables"), HERE).elements["nodeport-ips"]) == ["192.168.0.11"]
    everywhere = base(ProxyConfig("nftables", node_port_addresses=("0.0.0.0/0",)), HERE)
    assert "nodeport-ips" not in everywhere.sets
    assert everywhere.chains["services"][-1].startswith("fib daddr type local ip daddr != 127.0.0.0/8 ")


def test_the_other_family_has_a_table_of_its_own():
    node = Node("n1", ("192.168.0.11", "fd00:1::11"))
    out = base(ProxyConfig("nftables", cluster_cidr="fd00:10::/56"), node, "IPv6")
    assert out.sets["cluster-ips"][0] == "type ipv6_addr"
    assert list(out.elements["nodeport-ips"]) == ["fd00:1::11"]
    assert "ip6 saddr != fd00:10::/56" in out.chains["services"][0]


def test_who_asks_for_localhost_has_udp_refused_there_by_name_and_counted():
    options = {"node_port_addresses": ("primary", "localhost")}
    out = base(ProxyConfig("nftables", **options), HERE)
    assert out.chains["nodeport-endpoints-check"][1].startswith("ip daddr 127.0.0.0/8 ")
    assert out.counters == [f"localhost-nodeport-rejected-{protocol}" for protocol in ("udp", "sctp")]
    ports = ({"port": 53, "nodePort": 30053, "protocol": "UDP"},)
    (refused,) = (
        table(service(type="NodePort", ports=ports), **options).elements["localhost-nodeport-reject-ports"].values()
    )
    assert refused == "udp . 30053 : goto localhost-nodeport-reject-udp"
    assert "localhost-nodeport-reject-ports" not in base(ProxyConfig("nftables"), HERE).sets
