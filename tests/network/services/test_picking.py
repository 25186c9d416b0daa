"""Connections through a whole cluster's rules: who gets how many, and who is remembered."""

from kubemini.bench import connections
from kubemini.network.decide.services.picking import connect
from kubemini.network.decide.services.verdict import Asked
from kubemini.sim.units import SECOND
from tests.network.services.test_verdict import CLIENT, NODES, PODS, ProxyConfig, pair, world_of

WINDOW = {"sessionAffinity": "ClientIP", "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 10}}}


def test_a_hundred_endpoints_get_a_hundredth_each_as_far_as_chi_square_can_tell(monkeypatch):
    monkeypatch.setattr(connections, "CONNECTIONS", 30_000)
    for mode in ("iptables", "nftables"):
        got = connections.connect_all(mode)
        assert len(got) == 100
        assert 54 < sum((many - 300) ** 2 / 300 for many in got.values()) < 161  # 99.99 % of 99 degrees


def asked(world, recent, now, draw, client=CLIENT, to=("10.96.0.7", 80)):
    return connect(world, "n1", Asked("TCP", client, *to), draw, recent, now)[1].endpoint.ip


def test_a_client_is_remembered_as_long_as_it_comes_again_in_time_and_by_whichever_door():
    for mode in ("iptables", "nftables"):
        world, recent = world_of(NODES, ProxyConfig(mode=mode), [pair(**WINDOW)], PODS), {}
        first, last = 0, (1 << 64) - 1
        assert asked(world, recent, 0, first) == "10.244.1.5"
        assert asked(world, recent, 9 * SECOND, last) == "10.244.1.5"
        assert asked(world, recent, 18 * SECOND, last, to=("192.168.0.1", 30080)) == "10.244.1.5"
        assert asked(world, recent, 18 * SECOND, last, client="10.244.1.77") == "10.244.2.5"
        assert asked(world, recent, 28 * SECOND, last) == "10.244.2.5"  # ten seconds of silence


def test_a_remembered_endpoint_that_has_gone_is_replaced_for_good():
    recent, last = {}, (1 << 64) - 1
    before = world_of(NODES, ProxyConfig(), [pair(**WINDOW)], PODS)
    assert asked(before, recent, 0, 0) == "10.244.1.5"
    after = world_of(NODES, ProxyConfig(), [pair(("10.244.2.5",), **WINDOW)], PODS)
    assert asked(after, recent, SECOND, 0) == "10.244.2.5"
    assert asked(before, recent, 2 * SECOND, 0) == "10.244.2.5"
    assert asked(before, {}, 2 * SECOND, last) == "10.244.2.5"
