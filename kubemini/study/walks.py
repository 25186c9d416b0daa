"""Every walk that a reader of the packet walk can ask for: from, to, kube-proxy's mode, and what broke.

Two nodes: a (the client) and b on n1, c and d on n2. The Service web has b and c behind it. When
kube-proxy of n1 dies, c is replaced by d afterwards, and only n2 hears of it. All of it is computed by
walking; what a reader chooses picks one.
"""

from collections.abc import Iterator
from typing import Any

from kubemini.host.linux.exchange import all_picks, connect
from kubemini.host.linux.netfilter.flight import Choose
from kubemini.host.linux.netns import Namespaces
from kubemini.host.linux.packet import Packet
from kubemini.network.decide.services.node import Node, ProxyConfig
from kubemini.network.walks.ground import OUTSIDE, Plan, PodPlan, build
from kubemini.network.walks.nodeproxy import NodeProxy
from kubemini.network.walks.proxied import MODES, Posted
from kubemini.network.walks.traced import Traced

NODES = tuple(Node(f"n{i}", (f"192.168.0.1{i}",), "", f"10.244.{i}.0/24", f"10.244.{i}.1") for i in (1, 2))
PODS = tuple(
    PodPlan(name, node, ip)
    for name, node, ip in (
        ("a", "n1", "10.244.1.2"),
        ("b", "n1", "10.244.1.3"),
        ("c", "n2", "10.244.2.2"),
        ("d", "n2", "10.244.2.3"),
    )
)
IPS = {pod.name: pod.ip for pod in PODS}
VIP, NODE_PORT, TARGET = "10.96.0.10", 30080, 8080
CLIENT = "203.0.113.2"
SENDERS = {"pod a": "a", "pod b": "b", "node n1": "n1", "outside": OUTSIDE}
TARGETS = {
    "svc/web:80": (VIP, 80),
    "svc/web:81, a port it does not have": (VIP, 81),
    "n1:30080, its node port": ("192.168.0.11", NODE_PORT),
    "pod c:8080": (IPS["c"], TARGET),
}
WELL, DEAD, LOST = "all is well", "kube-proxy of n1 died, then d replaced c", "n1 has no route to n2's pods"
TROUBLES = (WELL, DEAD, LOST)


def service(*pods: str) -> Posted:
    """The Service web with these pods behind it."""
    port = {"name": "", "port": 80, "protocol": "TCP", "nodePort": NODE_PORT}
    spec = {"type": "NodePort", "clusterIP": VIP, "ports": [port]}
    homes = {pod.name: pod.node for pod in PODS}
    ends = [{"addresses": [IPS[pod]], "nodeName": homes[pod]} for pod in pods]
    slice = {"metadata": {"name": "web-1"}, "addressType": "IPv4", "endpoints": ends}
    slice["ports"] = [{"name": "", "port": TARGET, "protocol": "TCP"}]
    return [({"metadata": {"name": "web", "namespace": "default"}, "spec": spec}, [slice])]


def ground(mode: str, trouble: str) -> Namespaces:
    """The namespaces, with kube-proxy's rules, and what broke."""
    net = build(Plan(NODES, PODS, {CLIENT: "n1"}, "host-gw"))
    proxies = [NodeProxy(net[node.name], node, ProxyConfig(mode=mode)) for node in NODES]
    for proxy in proxies:
        proxy.change(service("b", "c"))
    alive = ["a", "b", "c", "d"]
    if trouble == DEAD:
        proxies[1].change(service("b", "d"))
        alive.remove("c")
        del net["n2"].interfaces["veth-c"]
    if trouble == LOST:
        net["n1"].routes.delete(NODES[1].pod_cidr)
    for name in alive:
        net[name].listening["TCP", "", TARGET] = name
    return net


class Words:
    """Texts by number: each is written once, for a recording says most of them often."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}

    def __call__(self, text: str) -> int:
        """The number of *text*."""
        return self.numbers.setdefault(text, len(self.numbers))


def recorded() -> dict[str, Any]:
    """All walks, as the widget takes them: choices, walks by choice, the rules of each node, and texts.

    A walk is {share, fate, why, rule, flows: {node: [text]}, steps: [[node, rule]], hops and back:
    [[namespace, device, what, header before, header after, TTL, MTU, why]]}, texts as numbers.
    """
    words, walks, rules = Words(), {}, {}
    for mode in MODES:
        for trouble in TROUBLES:
            net = ground(mode, trouble)
            rules[f"{mode}|{trouble}"] = {n.name: list(map(words, _listed(net, n.name))) for n in NODES}
            for sender in SENDERS:
                for target in TARGETS:
                    key = "|".join((sender, target, mode, trouble))
                    walks[key] = [_row(traced, share, words) for share, traced in _branches(net, sender, target, mode)]
    choices = {"from": list(SENDERS), "to": list(TARGETS), "mode": list(MODES), "trouble": list(TROUBLES)}
    run = {"header": {"scenario": "walks", "seed": 0}, "choices": choices, "walks": walks, "rules": rules}
    return {**run, "words": list(words.numbers)}


def _branches(net: Namespaces, sender: str, target: str, mode: str) -> Iterator[tuple[float, Traced]]:
    """One walk a pick, with its probability and the flows that it left in conntrack."""
    to, port = TARGETS[target]

    def run(choose: Choose) -> Traced:
        for here in net.values():
            here.conntrack.flows.clear()
        exchange = connect(net, SENDERS[sender], Packet("TCP", "", to, 0, port), choose)
        flows = {n.name: [str(e) for e in net[n.name].conntrack.entries()] for n in NODES}
        return Traced(sender, target, mode, exchange, flows=flows)

    return all_picks(run)


def _row(traced: Traced, share: float, words: Words) -> dict[str, Any]:
    row = traced.row()
    return {
        "share": round(share, 3),
        **{name: words(row[name]) for name in ("fate", "why", "rule")},
        "flows": {node: list(map(words, flows)) for node, flows in row["flows"].items()},
        "steps": [[words(step["at"]), words(step["rule"])] for step in row["steps"]],
        **{way: [_hop(hop, words) for hop in row[way]] for way in ("hops", "back")},
    }


def _hop(hop: dict[str, Any], words: Words) -> list[int]:
    texts = ("namespace", "device", "what", "before", "after")
    return [*(words(hop[name]) for name in texts), hop["ttl"], hop["mtu"], words(hop["rule"])]


def _listed(net: Namespaces, node: str) -> Iterator[str]:
    """The rules that are loaded on a node, each as a walk names it."""
    for chain in net[node].rules.chains.values():
        for rule in chain.rules:
            yield f"{chain.table} {chain.name}: {rule.text}"


def told(run: dict[str, Any]) -> str:
    """The recording as text: how the walks of pod a end, and by which rule."""
    lines, words = [], run["words"]
    for key, branches in run["walks"].items():
        sender, target, mode, trouble = key.split("|")
        for row in branches if sender == "pod a" else ():
            ended = f"{words[row['fate']]}, by {words[row['rule']]}"
            lines.append(f"{sender} → {target} ({mode}; {trouble}): {ended}")
    return "\n".join(lines)
