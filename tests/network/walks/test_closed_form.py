"""Two routes to one answer: the closed form of kube-proxy, and its rules walked word for word."""

from collections import Counter

import pytest

from kubemini.host.linux.exchange import all_picks, connect, from_draws
from kubemini.host.linux.packet import Packet
from kubemini.network.decide.services.node import ProxyConfig
from kubemini.network.decide.services.verdict import decide, header
from kubemini.network.decide.services.world import world_of
from kubemini.network.walks.nodeproxy import NodeProxy
from kubemini.sim.chance import Draws
from tests.network.walks.grounds import IP, NODES, WEB, ground, web
from tests.network.walks.recorded import told
from tests.real.kernel import worlds

MODES = pytest.mark.parametrize("mode", ["iptables", "nftables"])
NAMES = {pod.ip: pod.name for pod in worlds.PODS} | {a: n.name for n in worlds.NODES for a in n.addresses}


@MODES
@pytest.mark.parametrize("seed", range(1, 9))
def test_the_closed_form_says_what_the_walk_of_the_text_finds(mode, seed):
    config, posted = ProxyConfig(mode=mode), worlds.services(seed)
    pods = {pod.ip: pod.node for pod in worlds.PODS}
    net, world = worlds.ground(config, posted), world_of(worlds.NODES, config, posted, pods)
    wrong = {}
    for flow in worlds.flows(seed, posted, 60):
        walked = by_walking(net, flow)
        if (closed := by_closed_form(world, flow)) != walked:
            wrong[flow] = closed, walked
    assert wrong == {}


def by_walking(net, flow):
    sender, protocol, source, address, port = flow

    def run(choose):
        for here in net.values():
            here.conntrack.flows.clear()
        return connect(net, sender, Packet(protocol, source, address, 0, port), choose).verdict

    got = told([verdict for _, verdict in all_picks(run)])
    return got["fate"], got.get("backends", {}), got.get("decided", "")


def by_closed_form(world, flow):
    sender, protocol, source, address, port = flow
    homes = {pod.name: (pod.node, pod.ip) for pod in worlds.PODS} | {n.name: (n.name, "") for n in worlds.NODES}
    node, ip = homes.get(sender, (worlds.CLIENTS.get(source), source))
    found = decide(world, node, header(world, node, ip, protocol, address, port))
    backends = {NAMES[way.endpoint.ip]: way.source for way in found.ways if way.returns}
    return found.fate, backends, found.rule


# -- picks -----------------------------------------------------------------------------------------
CONNECTIONS, BOUND = 600, 16.3  # chi-square of 3 degrees of freedom: one in a thousand is above


@MODES
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
