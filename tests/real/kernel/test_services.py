"""Random Services: what our walk says of a flow is what the kernel does with it, in both modes.

The rules that the kernel runs are the text that our walk executes. KERNEL_SEED=n asks a seed again.
"""

import os
import random

import pytest

from kubemini.network.decide.services.node import ProxyConfig
from kubemini.network.walks.proxied import text
from tests.real.kernel import worlds
from tests.real.kernel.comparing import differences, possible
from tests.real.kernel.mirror import Mirror
from tests.real.kernel.probes import Servers

pytestmark = pytest.mark.needs("namespaces", "iptables", "nft", "nfacct", "conntrack")
SEED = int(os.environ.get("KERNEL_SEED", "0")) or random.SystemRandom().randrange(10**6)
FLOWS = 120


@pytest.mark.parametrize("mode", ["iptables", "nftables"])
def test_a_flow_ends_in_the_kernel_as_in_our_walk(mode):
    print(f"seed {SEED}")
    config = ProxyConfig(mode=mode)
    posted = worlds.services(SEED)
    net = worlds.ground(config, posted)
    wanted = {flow: possible(net, flow) for flow in worlds.flows(SEED, posted, FLOWS)}
    assert len({answer[0] for found in wanted.values() for answer in found}) >= 3, "too dull a world"
    with Mirror(net) as mirror, Servers(mirror):
        for node in worlds.NODES:
            mirror.load(node.name, mode, text(node, config, posted))
        assert differences(mirror, wanted) == {}, f"seed {SEED}"
