"""The lab of the recordings, built of namespaces, with our own rules on every node."""

import json
import re
from functools import cache
from pathlib import Path

from kubemini.host.linux.exchange import all_picks, connect
from kubemini.host.linux.packet import Packet
from kubemini.network.walks.ground import Plan, PodPlan, build
from kubemini.network.walks.proxied import listen, program
from tests.oracles.network import proxy
from tests.oracles.network.rules import KUBERNETES

FOLDER = Path(__file__).parents[2] / "oracles" / "network" / "kube-proxy"
FATES = {"lost": "untouched", "unreachable": "untouched"}


def lab(folder):
    """(world, nodes, Services with their slices) of the recorded lab."""
    data, nodes, posted = proxy.recorded(folder)
    return data["lab"], nodes, [*posted, KUBERNETES]


@cache
def ground(folder, config):
    """The namespaces of the lab with the rules of *config*, and everybody listening."""
    world, nodes, posted = lab(folder)
    pods = tuple(PodPlan(name, pod["node"], pod["ip"]) for name, pod in world["pods"].items())
    clients = dict(text.split(", enters at ") for text in world["outside"].values())
    net = build(Plan(tuple(nodes), pods, clients))
    for node in nodes:
        program(net[node.name], node, config, posted)
    owners = {pod.ip: pod.name for pod in pods}
    owners |= {address: node.name for node in nodes for address in node.addresses}
    listen(net, owners, posted)
    return net


def walked(folder, config, flow):
    """Every way that a recorded flow can go: [verdict], one a branch of its picks."""
    world, net = lab(folder)[0], ground(folder, config)
    outside = world["outside"].get(flow["from"])
    namespace = "outside" if outside else flow["from"]
    source = outside.split(",")[0] if outside else ""
    packet = Packet(flow["proto"], source, flow["to"], 0, flow["port"])

    def run(choose):
        for here in net.values():
            here.conntrack.flows.clear()
            here.rules.recent.clear()
        return connect(net, namespace, packet, choose).verdict

    return [verdict for _, verdict in all_picks(run)]


def told(verdicts):
    """Verdicts of one flow in the words of the recordings."""
    answered = [v for v in verdicts if v.fate == "connected"]
    fates = {FATES.get(v.fate, v.fate) for v in verdicts}
    some_lost = fates == {"connected", "lost return"}
    got = {"fate": "connected" if some_lost else " or ".join(sorted(fates))}
    if some_lost:
        got["some_lost"] = True
    if answered:
        got["backends"] = {v.by: v.source for v in answered}
    if verdicts[0].step is not None:
        got["decided"] = " or ".join(sorted({named(v.step) for v in verdicts}))
    return got


def named(step):
    """A rule as the recordings name it: ``nat:KUBE-SEP-*=dnat``."""
    return f"{step.table}:{proxy_chain(step.chain)}={step.verdict}"


def proxy_chain(chain):
    """A chain's name with * for the part that is a hash, or a Service."""
    return re.sub(HASHED, r"\1-*", chain)


HASHED = r"^(KUBE-(?:SVC|SVL|EXT|FW|SEP)|(?:service|local|external|firewall|endpoint)(?=-.{8}-.*/))-.*"


def flows(name):
    """The flows of a recording."""
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))["flows"]
