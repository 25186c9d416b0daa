"""kube-proxy's rules for 5,000 Services of ten endpoints each: all of them, and those of one that changes."""

import statistics
from collections.abc import Sequence
from functools import partial

from kubemini.api.labels import SERVICE_NAME
from kubemini.api.objects import Obj, freeze
from kubemini.bench.measures import cpu
from kubemini.bench.table import Result, middle, spread
from kubemini.network.decide.rules import saved, table
from kubemini.network.decide.rules.iptables_sync import IptablesRules
from kubemini.network.decide.rules.nftables_sync import NftablesRules
from kubemini.network.decide.rules.plan import Plan, plans
from kubemini.network.decide.services.node import Node, ProxyConfig

SERVICES, ENDPOINTS = 5_000, 10
NODE_PORTS = 2_000  # of the Services have one
ROUNDS, CHANGES = 3, 20
HERE = Node("n1", ("192.168.0.11",), "zone-a")
Posted = tuple[Obj, list[Obj]]


def whole() -> list[Result]:
    """CPU seconds from the objects to the text that a tool loads, in either mode."""
    posted = objects()
    results = []
    for mode, write in (("iptables", _iptables), ("nftables", _nftables)):
        took = [cpu(partial(write, posted)) for _ in range(ROUNDS)]
        results.append(middle("rules_whole", took, mode))
    return results


def changes() -> list[Result]:
    """CPU milliseconds when one Service loses an endpoint, in either mode."""
    all_plans = {_key(service): plans(service, slices, HERE) for service, slices in objects()}
    results = []
    for mode, kernel in (
        ("iptables", IptablesRules(ProxyConfig("iptables"), HERE)),
        ("nftables", NftablesRules(ProxyConfig("nftables"), HERE)),
    ):
        kernel.sync(all_plans)
        took = [1000 * cpu(partial(_change, kernel, number)) for number in range(CHANGES)]
        results.append(Result("rules_change", statistics.median(took), spread(took), mode))
    return results


def objects(services: int = SERVICES, endpoints: int = ENDPOINTS) -> list[Posted]:
    """Services with a slice each, every address once."""
    return [posted(number, endpoints) for number in range(services)]


def posted(number: int, endpoints: int = ENDPOINTS) -> Posted:
    """The Service of that number, and its slice of so many endpoints."""
    name, port = f"s{number}", {"port": 80, "protocol": "TCP"}
    high, low = number // 240, 10 + number % 240
    spec = {"type": "ClusterIP", "clusterIP": f"10.96.{high}.{low}", "ports": [port]}
    if number < NODE_PORTS:
        spec |= {"type": "NodePort", "ports": [{**port, "nodePort": 30_000 + number}]}
    its = [{"addresses": [f"10.{100 + n}.{high}.{low}"], "nodeName": f"n{1 + n % 3}"} for n in range(endpoints)]
    part = {"ports": [{"name": "", "port": 8080, "protocol": "TCP"}], "endpoints": its, "addressType": "IPv4"}
    meta = {"name": name, "namespace": "default"}
    labels = {SERVICE_NAME: name}
    slice = {"metadata": {**meta, "name": f"{name}-1", "labels": labels}, **part}
    return freeze({"metadata": meta, "spec": spec}), [freeze(slice)]


def _key(service: Obj) -> str:
    return f"default/{service['metadata']['name']}"


def _planned(objects: Sequence[Posted]) -> list[Plan]:
    return [plan for service, slices in objects for plan in plans(service, slices, HERE)]


def _iptables(objects: Sequence[Posted]) -> str:
    return saved.loadable(saved.written(_planned(objects), ProxyConfig("iptables"), HERE))


def _nftables(objects: Sequence[Posted]) -> str:
    return table.loadable(table.written(_planned(objects), ProxyConfig("nftables"), HERE))


def _change(kernel: IptablesRules | NftablesRules, number: int) -> str:
    service, slices = posted(number, ENDPOINTS - 1)
    return kernel.sync({_key(service): plans(service, slices, HERE)})
