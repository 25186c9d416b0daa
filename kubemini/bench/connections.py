"""100,000 connections through a Service of 100 endpoints on ten nodes, each decided and picked by itself."""

from collections import Counter
from typing import Any

from kubemini.network.decide.services.node import Node, ProxyConfig
from kubemini.network.decide.services.picking import connect
from kubemini.network.decide.services.verdict import Asked
from kubemini.network.decide.services.world import World, world_of
from kubemini.sim.chance import Draws

NODES, ENDPOINTS, CONNECTIONS = 10, 100, 100_000
CLUSTER_IP, PORT = "10.96.1.1", 80


def world(mode: str) -> World:
    """A cluster with one Service; every tenth endpoint on the same node."""
    nodes = [Node(f"n{n}", (f"192.168.0.{n}",), "a", f"10.244.{n}.0/24", f"10.244.{n}.1") for n in range(1, NODES + 1)]
    endpoints = [
        {"addresses": [f"10.244.{1 + n % NODES}.{10 + n // NODES}"], "nodeName": f"n{1 + n % NODES}"}
        for n in range(ENDPOINTS)
    ]
    ports = [{"name": "", "port": 8080, "protocol": "TCP"}]
    spec = {"clusterIP": CLUSTER_IP, "ports": [{"port": PORT, "protocol": "TCP"}]}
    service: Any = {"metadata": {"name": "web", "namespace": "default"}, "spec": spec}
    return world_of(nodes, ProxyConfig(mode=mode), [(service, [{"ports": ports, "endpoints": endpoints}])])


def connect_all(mode: str) -> Counter[str]:
    """How many connections each endpoint got; a client a connection."""
    cluster, draws, got = world(mode), Draws(seed=1, name="connections"), Counter[str]()
    for number in range(CONNECTIONS):
        node = 1 + number % NODES
        client = f"10.244.{node}.{100 + number // NODES % 100}"
        packet = Asked("TCP", client, CLUSTER_IP, PORT)
        _, way = connect(cluster, f"n{node}", packet, draws.u(number), {}, 0)
        assert way is not None and way.returns
        got[way.endpoint.address] += 1
    return got
