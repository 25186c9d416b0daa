"""A small cluster to ask: what becomes of a packet, and which rule decided? Three nodes, pods on two of them.

    ask("pod", "web:80")                                 a pod on worker-1 → the cluster IP
    ask("outside", "worker-3:30080", mode="nftables")    somebody outside → a node port
    ask("worker-1", "lb:80", source_ranges=…)            a node itself → the load balancer's address

Further words are fields of the Service's spec. Used by cells and by exercises of chapter 15.
"""

from collections.abc import Mapping
from typing import Any

from kubemini.network.decide.services.node import Node, ProxyConfig
from kubemini.network.decide.services.verdict import Verdict, decide, header
from kubemini.network.decide.services.world import World, world_of

NODES = tuple(Node(f"worker-{n}", (f"192.168.0.10{n}",), "a", f"10.244.{n}.0/24", f"10.244.{n}.1") for n in (1, 2, 3))
WEB = {"web-1": ("10.244.1.5", "worker-1"), "web-2": ("10.244.2.5", "worker-2")}
SENDERS = {
    "pod": ("10.244.1.9", "worker-1"),
    "outside": ("203.0.113.7", "worker-3"),  # who comes from outside enters at worker-3
    **{node.name: ("", node.name) for node in NODES},
}
PLACES = {"web": "10.96.0.7", "lb": "198.51.100.1", "nobody": "10.96.0.99"}
NAMES = {ip: name for name, (ip, _) in WEB.items()}


def service(**spec: Any) -> dict[str, Any]:
    """The Service web with these fields; it has a node port and a load balancer's address if its type has."""
    kind = spec.get("type", "ClusterIP")
    port: dict[str, Any] = {"port": 80, "targetPort": 8080, "protocol": "TCP"}
    if kind in ("NodePort", "LoadBalancer"):
        port["nodePort"] = 30080
    doors = [{"ip": PLACES["lb"]}] if kind == "LoadBalancer" else []
    full = {"clusterIP": "" if kind == "ExternalName" else PLACES["web"], "ports": [port], **spec}
    meta = {"name": "web", "namespace": "default"}
    return {"metadata": meta, "spec": full, "status": {"loadBalancer": {"ingress": doors}}}


def world(mode: str = "iptables", pods: Mapping[str, tuple[str, str]] = WEB, **spec: Any) -> World:
    """The cluster with a Service of that spec before *pods*, kube-proxies up to date."""
    endpoints = [{"addresses": [ip], "nodeName": node} for ip, node in pods.values()]
    slice = {"ports": [{"name": "", "port": 8080, "protocol": "TCP"}], "endpoints": endpoints}
    there = dict((*WEB.values(), SENDERS["pod"]))
    return world_of(NODES, ProxyConfig(mode=mode), [(service(**spec), [slice])], there)


def ask(
    sender: str,
    to: str,
    mode: str = "iptables",
    pods: Mapping[str, tuple[str, str]] = WEB,
    protocol: str = "TCP",
    **spec: Any,
) -> Verdict:
    """What becomes of a packet of *sender* (pod, outside, or a worker) *to* ``place:port``.

    Raises ValueError for a place that is not in this cluster.
    """
    place, _, port = to.rpartition(":")
    addresses = {**PLACES, **{node.name: node.addresses[0] for node in NODES}, "localhost": "127.0.0.1"}
    if sender not in SENDERS or place not in addresses or not port.isdigit():
        raise ValueError(
            f"ask({sender!r}, {to!r}): from {', '.join(SENDERS)} to {', '.join(addresses)}, with a port, such as web:80"
        )
    ip, node = SENDERS[sender]
    here = world(mode, pods, **spec)
    return decide(here, node, header(here, node, ip, protocol, addresses[place], int(port)))


def told(verdict: Verdict) -> str:
    """``connected: web-1 sees 10.244.1.9, web-2 …; nat:KUBE-SEP-*=dnat``."""
    seen = [f"{NAMES[w.endpoint.ip]} sees {w.source}" for w in verdict.ways if w.returns]
    who = f": {', '.join(seen)}" if seen else ""
    return f"{verdict.fate}{who}; {verdict.rule or 'no rule decided'}"


def differences() -> list[tuple[str, str, str]]:
    """What a packet is, its fate by iptables and by nftables: those of a small grid that differ."""
    wide = {"type": "LoadBalancer"}
    asked: list[tuple[str, str, str, dict[str, Any]]] = [
        ("a pod, cluster IP", "pod", "web:80", wide),
        ("a pod, cluster IP, wrong port", "pod", "web:81", wide),
        ("a pod, cluster IP, UDP", "pod", "web:80", {**wide, "protocol": "UDP"}),
        ("a pod, cluster IP of nobody", "pod", "nobody:80", wide),
        ("a node, its node port on 127.0.0.1", "worker-1", "localhost:30080", wide),
        ("a node, its node port", "worker-1", "worker-1:30080", wide),
        ("a node, LB address, no endpoint", "worker-1", "lb:80", {**wide, "pods": {}}),
        ("outside, LB address, no endpoint", "outside", "lb:80", {**wide, "pods": {}}),
        ("outside, node port", "outside", "worker-3:30080", wide),
    ]
    rows = []
    for what, sender, to, more in asked:
        iptables, nftables = (ask(sender, to, mode, **more) for mode in ("iptables", "nftables"))
        if iptables.fate != nftables.fate:
            rows.append((what, iptables.fate, f"{nftables.fate}, {nftables.rule or 'no rule'}"))
    return rows
