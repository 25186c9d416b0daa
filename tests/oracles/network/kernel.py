"""What a real kernel did with packets, told by ours: the table kernel_measured.

The lab of that table is described in its ``fixture``: two nodes, Services by hand. Its rules were made
by hand, too, without route_localnet, and so they are loaded here; iptables-nft and iptables-legacy ran
the same text, and ours knows no difference between them.
"""

from functools import cache, partial

from kubemini.host.linux.exchange import all_picks, connect
from kubemini.host.linux.packet import Packet
from kubemini.network.decide.services.node import Node, ProxyConfig
from kubemini.network.walks.ground import Plan, PodPlan, build
from kubemini.network.walks.proxied import listen, program
from tests.oracles.network.stories import stories_answers

__all__ = ["stories_answers", "tables"]
WORDS = {"no answer (dropped)": {"dropped", "lost", "lost return"}, "refused": {"refused", "closed"}}
NODES = tuple(Node(f"node{i}", (f"192.168.0.{i + 1}",), "", f"10.244.{i}.0/24", f"10.244.{i}.1") for i in (1, 2))
PODS = tuple(PodPlan(f"pod{i}{j}", f"node{i}", f"10.244.{i}.{j + 1}") for i in (1, 2) for j in (1, 2))
OUTSIDE = ("203.0.113.2", "203.0.113.3")
LOCAL = {"externalTrafficPolicy": "Local"}
RANGES = {"loadBalancerSourceRanges": ["203.0.113.2/32"]}
SERVICES = (  # last number of the address, name, endpoints, node port, more of the spec
    (10, "web", "pod12 pod21 pod22", 30080, {}),
    (11, "loc", "pod11", 30081, LOCAL),
    (12, "self", "pod11", 0, {}),
    (13, "none", "", 30083, {}),
    (15, "itp", "pod21 pod22", 0, {"internalTrafficPolicy": "Local"}),
    (17, "lb", "pod21", 30087, RANGES),
    (20, "one12", "pod12", 30090, {}),
    (21, "one21", "pod21", 30091, {}),
)
PLACE = {pod.name: pod for pod in PODS}


def tables(path, data):
    """{case: () -> [difference]} of the rows of the table."""
    return {f"{row['backend']}: {row['case']}": partial(_differences, row) for row in data["results"]}


def _differences(row):
    mode = "nftables" if row["backend"] == "nftables" else "iptables"
    verdicts = _walked(mode, row["client"], row.get("source", _source(row)), row["dst"], row["port"])
    if row["result"] != "connected":
        wrong = [v.fate for v in verdicts if v.fate not in WORDS[row["result"]]]
        return [f"wanted {row['result']}, got {fate}" for fate in wrong]
    got = {(v.fate, v.by, v.source) for v in verdicts}
    wanted = ("connected", row["answered_by"], row["source_seen"])
    return [] if wanted in got else [f"wanted {wanted}, got {sorted(got)}"]


def _source(row):
    """Outside has two addresses; what the table calls a blocked source is the second."""
    if row["client"] != "ext":
        return ""
    return OUTSIDE["blocked" in row["case"]]


def _walked(mode, client, source, to, port):
    net = ground(mode)
    packet = Packet("TCP", source, to, 0, port)

    def run(choose):
        for here in net.values():
            here.conntrack.flows.clear()
        return connect(net, "outside" if client == "ext" else client, packet, choose).verdict

    return [verdict for _, verdict in all_picks(run)]


@cache
def ground(mode):
    """The lab with the rules of its Services."""
    plan = Plan(NODES, PODS, dict.fromkeys(OUTSIDE, "node1"), services=("172.30.0.0/16", "198.51.100.0/24"))
    net = build(plan)
    posted = [_posted(*row) for row in SERVICES]
    config = ProxyConfig(mode=mode, service_cidrs=("172.30.0.0/16",))
    for node in NODES:
        program(net[node.name], node, config, posted)
        net[node.name].route_localnet = False
    listen(net, {pod.ip: pod.name for pod in PODS}, posted)
    return net


def _posted(number, name, pods, node_port, more):
    port = {"port": 80, "protocol": "TCP"} | ({"nodePort": node_port} if node_port else {})
    kind = "LoadBalancer" if more is RANGES else "NodePort" if node_port else "ClusterIP"
    service = {
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"type": kind, "clusterIP": f"172.30.0.{number}", "ports": [port], **more},
        "status": {"loadBalancer": {"ingress": [{"ip": "198.51.100.7"}] if more is RANGES else []}},
    }
    endpoints = [
        {"addresses": [PLACE[pod].ip], "nodeName": PLACE[pod].node, "conditions": {"ready": True}}
        for pod in pods.split()
    ]
    slices = [
        {
            "metadata": {"name": f"{name}-1"},
            "addressType": "IPv4",
            "ports": [{"name": "", "port": 8080, "protocol": "TCP"}],
            "endpoints": endpoints,
        }
    ]
    return service, slices
