"""Two routes to one verdict: the closed form, and a walk through the rules' own text, on random Services.

Neither knows the other: where they differ one of them is wrong, and a real kube-proxy says which.
"""

import random

import pytest

from kubemini.host.linux.exchange import all_picks, connect
from kubemini.host.linux.packet import Packet
from kubemini.network.decide.services.node import ProxyConfig
from kubemini.network.decide.services.verdict import decide, header
from kubemini.network.decide.services.world import world_of
from tests.network.walks.recorded import told
from tests.real.kernel import worlds

CONFIGS = {
    "default": {},
    "pods of this node are local": {"detect_local": "NodeCIDR"},
    "what comes from the bridge is local": {"detect_local": "BridgeInterface"},
    "nothing is local": {"detect_local": None},
    "all are masqueraded": {"masquerade_all": True},
    "node ports on the second network": {"node_port_addresses": ("192.168.1.0/24",)},
    "no node ports on localhost": {"localhost_node_ports": False},
}
FLOWS = 60
NODE_OF = {pod.name: pod.node for pod in worlds.PODS} | {node.name: node.name for node in worlds.NODES}
PLACES = {pod.name: pod.ip for pod in worlds.PODS}


def services(seed):
    """Random Services, some with hints or with affinity."""
    luck, made = random.Random(f"two routes {seed}"), worlds.services(seed)
    for service, (slice,) in made:
        if luck.random() < 0.3:
            service["spec"]["sessionAffinity"] = "ClientIP"
        hinted = luck.choice(["", "", "zones", "nodes"])
        for end in slice["endpoints"]:
            node = luck.choice(worlds.NODES)
            if hinted == "zones":
                end["hints"] = {"forZones": [{"name": node.zone}]}
            elif hinted == "nodes":
                end["hints"] = {"forNodes": [{"name": node.name}]}
    return made


def flows(seed, posted):
    """Random flows, some of a node to its own 127.0.0.1."""
    for sender, protocol, source, address, port in worlds.flows(seed, posted, FLOWS):
        yield sender, protocol, source, address, port
        if sender.startswith("n") and port >= 30_000:
            yield sender, protocol, source, "127.0.0.1", port


def walked(net, flow):
    sender, protocol, source, address, port = flow

    def run(choose):
        for here in net.values():
            here.conntrack.flows.clear()
            here.rules.recent.clear()
        return connect(net, sender, Packet(protocol, source, address, 0, port), choose).verdict

    return told([verdict for _, verdict in all_picks(run)])


def decided(world, flow):
    sender, protocol, source, address, port = flow
    node = NODE_OF.get(sender) or worlds.CLIENTS[source]
    asked = header(world, node, source or PLACES.get(sender, ""), protocol, address, port)
    found = decide(world, node, asked)
    got = {"fate": found.fate}
    if backends := {worlds.OWNERS[w.endpoint.ip]: w.source for w in found.ways if w.returns}:
        got["backends"] = backends
    if found.some_lost:
        got["some_lost"] = True
    return got | ({"decided": found.rule} if found.rule else {})


@pytest.mark.parametrize("what", CONFIGS)
@pytest.mark.parametrize("mode", ["iptables", "nftables"])
@pytest.mark.some(6)
def test_the_closed_form_and_the_text_of_the_rules_come_to_the_same_end(mode, what):
    config = ProxyConfig(mode=mode, **CONFIGS[what])
    wrong = {}
    for seed in range(4):
        posted = services(seed)
        pods = {pod.ip: pod.node for pod in worlds.PODS}
        world, net = world_of(worlds.NODES, config, posted, pods), worlds.ground(config, posted)
        for flow in flows(seed, posted):
            one, other = decided(world, flow), walked(net, flow)
            if one != other:
                wrong[seed, flow] = (one, other)
    assert wrong == {}
