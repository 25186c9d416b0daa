"""kube-proxy in time: what heals rules that somebody has flushed, and what is left when it goes."""

import pytest

from kubemini.network.decide.services.node import ProxyConfig
from kubemini.network.walks.nodeproxy import CANARY_PERIOD, NodeProxy, clean_up
from tests.network.walks.grounds import IP, NODES, WEB, ask, ground, web


def fate(net):
    return ask(net, "p11", WEB, 80).verdict.fate


@pytest.mark.parametrize("mode, heals", [("iptables", False), ("nftables", True)])
def test_a_change_heals_flushed_rules_only_where_it_fails_on_their_table(mode, heals):
    net = ground()
    proxy = NodeProxy(net["n1"], NODES[0], ProxyConfig(mode=mode))
    proxy.change([web("p21")])
    assert fate(net) == "connected"
    net["n1"].rules.flush()
    assert fate(net) == "lost"
    proxy.change([web("p22")])
    assert (fate(net) == "connected") is heals


@pytest.mark.parametrize("mode, heals", [("iptables", True), ("nftables", False)])
def test_the_canary_is_missed_after_half_a_minute_in_iptables_mode(mode, heals):
    net = ground()
    proxy = NodeProxy(net["n1"], NODES[0], ProxyConfig(mode=mode))
    proxy.change([web("p21")])
    net["n1"].rules.flush()
    proxy.look(CANARY_PERIOD - 1)
    assert fate(net) == "lost"
    proxy.look(CANARY_PERIOD)
    assert (fate(net) == "connected") is heals


def test_cleaning_up_leaves_the_rules_of_others_and_the_shared_chain():
    net = ground(["*filter", "-A FORWARD -s 10.9.0.0/16 -j DROP"])
    NodeProxy(net["n1"], NODES[0], ProxyConfig()).change([web("p21")])
    assert net["n1"].rules.chains["filter", "FORWARD"].rules[-1].text == "-s 10.9.0.0/16 -j DROP"
    clean_up(net["n1"])
    kept = {name for _, name in net["n1"].rules.chains if name.startswith("KUBE-")}
    bases = [c for c in net["n1"].rules.chains.values() if c.hook]
    texts = [rule.text for chain in bases for rule in chain.rules]
    assert kept == {"KUBE-FIREWALL"}
    assert texts == ["-j KUBE-FIREWALL", "-s 10.9.0.0/16 -j DROP", "-j KUBE-FIREWALL"]


def test_a_flow_of_udp_to_an_endpoint_that_is_gone_is_forgotten_and_of_tcp_is_not():
    net = ground()
    proxy = NodeProxy(net["n1"], NODES[0], ProxyConfig())
    left = {}
    for protocol in ("UDP", "TCP"):
        proxy.change([web("p21", protocol=protocol)])
        ask(net, "p11", WEB, 80, protocol)
        proxy.change([web("p22", protocol=protocol)])
        flows = net["n1"].conntrack.entries()
        left[protocol] = [e.reply[1] for e in flows if e.original[0] == protocol]
    assert left == {"UDP": [], "TCP": [IP["p21"]]}
