"""A small cluster to walk in: two nodes with two pods each, and a client outside."""

from kubemini.host.linux.exchange import connect
from kubemini.host.linux.netfilter import iptables
from kubemini.host.linux.packet import Packet
from kubemini.network.decide.services.node import Node
from kubemini.network.walks.ground import Plan, PodPlan, build

NODES = tuple(Node(f"n{i}", (f"192.168.0.1{i}",), "", f"10.244.{i}.0/24", f"10.244.{i}.1") for i in (1, 2))
PODS = tuple(PodPlan(f"p{i}{j}", f"n{i}", f"10.244.{i}.1{j}") for i in (1, 2) for j in (1, 2))
IP = {pod.name: pod.ip for pod in PODS}
OUTSIDE = "203.0.113.2"
WEB = "10.96.0.10"


def first(weights):
    return 0


def ground(rules=(), **how):
    """The namespaces, every pod listening on 8080 of TCP and UDP, and *rules* on every node."""
    net = build(Plan(NODES, PODS, {OUTSIDE: "n1"}, **how))
    for pod in PODS:
        for protocol in ("TCP", "UDP"):
            net[pod.name].listening[protocol, "", 8080] = pod.name
    for node in NODES:
        iptables.load(net[node.name].rules, rules)
    return net


def ask(net, one, to, port=8080, protocol="TCP", choose=first, now=0, **more):
    """A connection from namespace *one*; the exchange."""
    return connect(net, one, Packet(protocol, "", to, 0, port, **more), choose, now)


def service(*endpoints, ip=WEB):
    """Rules as kube-proxy's for a Service on port 80 with these endpoints, in short."""
    lines = ["*nat", ":KUBE-SVC -", ":KUBE-MARK-MASQ -"]
    lines += [f":KUBE-SEP-{at} -" for at, _ in enumerate(endpoints)]
    lines += ["-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000"]
    lines += [f"-A {hook} -d {ip}/32 -p tcp -m tcp --dport 80 -j KUBE-SVC" for hook in HOOKS]
    lines += ["-A KUBE-SVC ! -s 10.244.0.0/16 -j KUBE-MARK-MASQ"]
    for at, endpoint in enumerate(endpoints):
        share = 1 / (len(endpoints) - at)
        chance = f"-m statistic --mode random --probability {share:.11f} " if share < 1 else ""
        lines += [f"-A KUBE-SVC {chance}-j KUBE-SEP-{at}"]
        lines += [f"-A KUBE-SEP-{at} -s {endpoint}/32 -j KUBE-MARK-MASQ"]
        lines += [f"-A KUBE-SEP-{at} -p tcp -j DNAT --to-destination {endpoint}:8080"]
    return [*lines, "-A POSTROUTING -m mark --mark 0x4000/0x4000 -j MASQUERADE --random-fully"]


HOOKS = ("PREROUTING", "OUTPUT")


def web(*pods, protocol="TCP", affinity=False):
    """A Service of port 80 with these pods, and its slice."""
    port = {"port": 80, "protocol": protocol}
    spec = {"type": "ClusterIP", "clusterIP": WEB, "ports": [port]}
    if affinity:
        spec["sessionAffinity"] = "ClientIP"
    endpoints = [{"addresses": [IP[pod]], "nodeName": f"n{pod[1]}"} for pod in pods]
    meta = {"name": "web", "namespace": "default"}
    slice = {"ports": [{"name": "", "port": 8080, "protocol": protocol}], "endpoints": endpoints}
    return {"metadata": meta, "spec": spec}, [{"metadata": {"name": "web-1"}, "addressType": "IPv4"} | slice]
