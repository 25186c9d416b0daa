"""Draws through the rules of either mode give every endpoint its share, by chi-square."""

from collections import Counter

import pytest

from kubemini.host.linux.exchange import connect, from_draws
from kubemini.host.linux.packet import Packet
from kubemini.network.decide.services.node import ProxyConfig
from kubemini.network.walks.nodeproxy import NodeProxy
from kubemini.sim.chance import Draws
from tests.network.walks.grounds import IP, NODES, WEB, ground, web

CONNECTIONS, BOUND = 600, 16.3  # chi-square of 3 degrees of freedom: one in a thousand is above


@pytest.mark.parametrize("mode", ["iptables", "nftables"])
def test_draws_through_the_rules_give_every_endpoint_its_share(mode):
    net, draws = ground(), Draws(11, "picks")
    NodeProxy(net["n1"], NODES[0], ProxyConfig(mode=mode)).change([web(*IP)])
    numbers = iter(range(10**9))
    choose = from_draws(lambda: draws.u(next(numbers)))
    packets = (Packet("TCP", "", WEB, 20_000 + n, 80) for n in range(CONNECTIONS))
    got = Counter(connect(net, "p11", packet, choose).verdict.by for packet in packets)
    fair = CONNECTIONS / len(IP)
    assert set(got) == set(IP)
    assert sum((many - fair) ** 2 / fair for many in got.values()) < BOUND
