"""Pod networks as a real kernel showed them (TTL, MTU, sources), and what breaks them: each reason is named."""

import pytest

from kubemini.network.walks.ground import OUTSIDE, Plan, build
from kubemini.network.walks.reach import PodNetwork, nodes_of, pods_of

PAIRS = {"same": ("n1-a", "n1-b"), "other": ("n1-a", "n2-a"), "node": ("n1", "n2-a"), "out": ("n1-a", "outside")}


def asked(network, pair):
    return network.ask(*PAIRS[pair])


# measured on Linux 6.18 with bridges, host-gw routes, VXLAN and bird2
@pytest.mark.parametrize(
    ("network", "pair", "source", "ttl", "size"),
    [
        ("host-gw", "same", "10.244.1.2", 64, 1500),
        ("host-gw", "other", "10.244.1.2", 62, 1500),
        ("host-gw", "node", "192.168.0.11", 63, 1500),
        ("vxlan", "same", "10.244.1.2", 64, 1450),
        ("vxlan", "other", "10.244.1.2", 62, 1450),
        ("vxlan", "node", "10.244.1.0", 63, 1450),
        ("routed", "other", "10.244.1.2", 62, 1500),
        ("routed", "node", "192.168.0.11", 63, 1500),
        ("routed", "out", "10.244.1.2", 62, 1500),
    ],
)
def test_a_healthy_network_is_as_it_was_measured(network, pair, source, ttl, size):
    found = asked(PodNetwork(network), pair)
    assert (found.fate, found.source, found.ttl, found.size) == ("connected", source, ttl, size)


@pytest.mark.parametrize("network", ["host-gw", "vxlan", "routed"])
def test_every_pod_reaches_every_other_without_translation(network):
    there = PodNetwork(network)
    matrix = there.matrix()
    assert len(matrix) == 30
    assert all(found.works and found.source == there.address(source) for (source, _), found in matrix.items())


def test_a_missing_route_breaks_both_ways_and_is_named():
    network = PodNetwork("host-gw")
    network.forget("n1", "n2")
    assert asked(network, "other").why == "n1 has no route to 10.244.2.0/24"
    assert network.ask("n2-a", "n1-a").why == "n1 has no route to 10.244.2.0/24, so the answer is lost"
    broken = {pair for pair, found in network.matrix().items() if not found.works}
    assert broken == {(a, b) for a in network.names for b in network.names if {a[:2], b[:2]} == {"n1", "n2"}}
    network.route("n1", "n2")
    assert all(found.works for found in network.matrix().values())


def test_a_route_by_way_of_a_third_node_costs_a_hop():
    network = PodNetwork("host-gw")
    network.forget("n1", "n2")
    network.route("n1", "n2", via="n3")
    assert (asked(network, "other").fate, asked(network, "other").ttl) == ("connected", 61)


def test_a_withdrawn_node_is_unknown_to_nodes_and_router():
    network = PodNetwork("routed")
    network.withdraw("n2")
    assert asked(network, "other").why == "n1 has no route to 10.244.2.0/24"
    assert network.ask("outside", "n2-a").why == "router has no route to 10.244.2.0/24"
    assert network.ask("n2-a", "n2-b").works


def test_outside_does_not_know_pods_unless_routes_or_masquerading_help():
    network = PodNetwork("host-gw")
    assert asked(network, "out").why == "router has no route to 10.244.1.0/24, so the answer is lost"
    network.masquerade()
    assert (asked(network, "out").works, asked(network, "out").source) == (True, "192.168.0.11")
    assert asked(network, "other").source == "10.244.1.2"


def test_masquerading_all_but_the_own_subnet_hides_pods_from_other_nodes():
    network = PodNetwork("host-gw")
    network.masquerade(own_subnet_only=True)
    assert asked(network, "other").source == "192.168.0.11"
    assert asked(network, "same").source == "10.244.1.2"


def test_a_tunnel_that_is_smaller_than_the_pods_think_works_until_icmp_is_dropped():
    network = PodNetwork("vxlan", pod_mtu=1500)
    assert (asked(network, "other").fate, asked(network, "other").size) == ("connected", 1450)
    network.no_icmp("n1")
    found = asked(network, "other")
    assert (found.fate, found.ttl) == ("black hole", 62)  # small packets pass
    assert "icmp-type 3/4" in found.why
    assert network.ask("n2-a", "n1-a").works
    assert asked(network, "same").works


def test_a_node_s_firewall_is_named():
    network = PodNetwork("host-gw")
    network.rules("n2", "*filter\n:FORWARD DROP\nCOMMIT")
    assert asked(network, "other").why == "n2: policy DROP of FORWARD"
    assert asked(network, "node").fate == "dropped"


def test_who_names_a_node_that_is_not_there_is_told_which_are():
    with pytest.raises(ValueError, match="no node 'n9'; there are: n1, n2, n3"):
        PodNetwork().forget("n9", "n1")


def test_who_is_outside_has_an_address_of_the_outside_network_if_nobody_says_which():
    nodes = nodes_of(1)
    net = build(Plan(nodes, pods_of(nodes, 1)))
    assert net[OUTSIDE].interfaces["eth0"].addresses == ["203.0.113.2/24"]
