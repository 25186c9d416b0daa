"""Random Services: what our walk says of a flow is what the kernel does with it, in both modes.

The rules that the kernel runs are the text that our walk executes. Each flow is tried until every
answer that we say is possible has been seen; one that we say is not is a difference at once.
"""

import os
import random

import pytest

from kubemini.host.linux.exchange import all_picks, connect
from kubemini.host.linux.packet import Packet
from kubemini.network.decide.services.node import ProxyConfig
from kubemini.network.walks.proxied import text
from tests.real.kernel import worlds
from tests.real.kernel.mirror import Mirror
from tests.real.kernel.probes import SILENT, Servers, ask

pytestmark = pytest.mark.needs("namespaces", "iptables", "nft", "nfacct", "conntrack")
SEED = int(os.environ.get("KERNEL_SEED", 0)) or random.SystemRandom().randrange(10**6)
FLOWS = 120
AT_ONCE, ROUNDS = 12, 8  # each flow so often in a round, until all answers were seen
WORDS = {"connected": "connected", "refused": "refused", "closed": "refused"}


@pytest.mark.parametrize("mode", ["iptables", "nftables"])
def test_a_flow_ends_in_the_kernel_as_in_our_walk(mode, record_property):
    record_property("seed", SEED)
    print(f"seed {SEED}")
    config = ProxyConfig(mode=mode)
    posted = worlds.services(SEED)
    net = worlds.ground(config, posted)
    flows = list(dict.fromkeys(worlds.flows(SEED, posted, FLOWS)))
    possible = {flow: expected(net, flow) for flow in flows}
    assert len({answer[0] for found in possible.values() for answer in found}) >= 3
    with Mirror(net) as mirror, Servers(mirror):
        for node in worlds.NODES:
            mirror.load(node.name, mode, text(node, config, posted))
        seen = {flow: set() for flow in flows}
        for _ in range(ROUNDS):
            left = [f for f in flows if seen[f] != possible[f]]
            asked = [flow for flow in left for _ in range(times(possible[flow]))]
            for flow, answer in zip(asked, ask(mirror, [question(flow) for flow in asked])):
                if answer[0] != SILENT or (SILENT,) in possible[flow]:
                    seen[flow].add(told(flow, answer))
            impossible = {f: (seen[f] - possible[f], possible[f]) for f in left if seen[f] - possible[f]}
            assert impossible == {}, f"seed {SEED}"
    assert {f: (seen[f], possible[f]) for f in flows if seen[f] != possible[f]} == {}, f"seed {SEED}"


def times(possible):
    """How often to ask in one round: enough to see every endpoint, as a rule."""
    return 1 if len(possible) == 1 else AT_ONCE


def question(flow):
    sender, protocol, address, port = flow
    outside = sender in worlds.CLIENTS
    return ("outside" if outside else sender, protocol, sender if outside else "", address, port)


def told(flow, answer):
    """An answer as far as it is compared: TCP does not say which TTL came."""
    word, by, source, ttl = answer
    if word == "connected":
        return (word, by, source) if flow[1] == "TCP" else (word, by, source, ttl)
    return (word,)


def expected(net, flow):
    """Every answer that our walk finds possible."""
    sender, protocol, source, address, port = question(flow)
    packet = Packet(protocol, source, address, 0, port)

    def run(choose):
        for here in net.values():
            here.conntrack.flows.clear()
            here.rules.recent.clear()
        return connect(net, sender, packet, choose)

    return {_expected(flow, exchange) for _, exchange in all_picks(run)}


def _expected(flow, exchange):
    verdict, sender = exchange.verdict, flow[0]
    if verdict.fate == "connected":
        return told(flow, ("connected", verdict.by, verdict.source, verdict.ttl))
    left = any(hop.namespace != sender or (hop.device == "lo" and hop.what != "sent") for hop in exchange.hops)
    if flow[1] == "UDP" and not left and verdict.fate in {"refused", "dropped"}:
        return ("forbidden",)  # what a rule of OUTPUT stops, sendto() itself is told
    return (WORDS.get(verdict.fate, SILENT),)
