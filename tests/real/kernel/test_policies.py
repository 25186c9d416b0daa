"""Random policies: what our judge says of a connection is what a kernel does that runs them as rules of nftables.

KERNEL_SEED=n asks a seed again. Pods of two namespaces on three nodes call each other, from outside and to the outside.
"""

import os
import random

import pytest

from kubemini.network.decide.policy.judge import Policies
from kubemini.network.decide.policy.nftables import Text
from kubemini.network.walks.ground import Plan, build
from tests.real.kernel.comparing import differences, possible
from tests.real.kernel.mirror import Mirror
from tests.real.kernel.probes import SILENT, Servers
from tests.real.kernel.worlds import CLIENTS, NODES, PODS
from tests.real.policy import worlds
from tests.real.policy.worlds import PORTS

pytestmark = pytest.mark.needs("namespaces", "iptables", "nft", "nfacct", "conntrack")
SEED = int(os.environ.get("KERNEL_SEED", "0")) or random.SystemRandom().randrange(10**6)
FLOWS = 150
ADDRESSES = {plan.name: plan.ip for plan in PODS}


def flows(luck):
    """(sender, protocol, source or "", address, port): pods and the world outside, never a pod and itself."""
    found = []
    while len(found) < FLOWS:
        sender, to = luck.choice([*ADDRESSES, "outside"]), luck.choice([*ADDRESSES.values(), "203.0.113.2"])
        _, number, protocol = luck.choice(PORTS)
        source = luck.choice(list(CLIENTS)) if sender == "outside" else ""
        if ADDRESSES.get(sender) != to and not (sender == "outside" and to == "203.0.113.2"):
            found.append((sender, protocol, source, to, number))
    return list(dict.fromkeys(found))


def world(luck):
    """(policies, of the cluster, pods, our network, flow → possible answers); some flows may begin, and some not."""
    seen, said, cluster = worlds.world(luck, ADDRESSES)
    net = build(Plan(NODES, PODS, CLIENTS))
    for here in (*ADDRESSES, "outside"):
        for _, number, protocol in PORTS:
            net[here].listening[protocol, "", number] = here
    judge, wanted = Policies(said, cluster, seen), {}
    for flow in flows(luck):
        sender, protocol, source, to, number = flow
        address = source or ADDRESSES[sender]
        allowed = judge.verdict(address, to, number, protocol).allowed
        wanted[flow] = possible(net, flow) if allowed else {(SILENT,)}
    dull = len({answers == {(SILENT,)} for answers in wanted.values()}) == 1
    return world(luck) if dull else (said, cluster, seen, net, wanted)


@pytest.mark.parametrize("turn", range(3))
def test_a_connection_begins_in_the_kernel_exactly_if_our_judge_allows_it(turn):
    print(f"seed {SEED}, turn {turn}")
    said, cluster, seen, net, wanted = world(random.Random(f"{SEED}/{turn}"))
    with Mirror(net) as mirror, Servers(mirror):
        for node in NODES:
            mirror.load(node.name, "nftables", Text(said, cluster, seen).table())
        assert differences(mirror, wanted) == {}, f"seed {SEED}, turn {turn}"
