"""The rules that kube-proxy wrote on a node for the Services of a world, and ours for the same.

The world lies beside a recording; every API server adds the Service ``kubernetes``, here without endpoints.
Whole rulesets are made, then parted by Service: what names none is the base. Where two slices give one
endpoint different conditions, either may count in the real one, by chance (a Go map's order): ours is then
tried with one slice after the other, and the first that fits what was recorded is the answer.
"""

import re
from functools import cache, partial

from kubemini.network.decide.rules import saved, table
from kubemini.network.decide.rules.nftables_base import MAPS
from kubemini.network.decide.rules.plan import plans
from kubemini.network.decide.services.node import ProxyConfig
from tests.oracles import judges
from tests.oracles.network import proxy
from tests.oracles.network.parts import OWN_JUDGE

NODE = "n1"
REST = "(no Service, or an endpoint)"
KUBERNETES = (
    {
        "metadata": {"name": "kubernetes", "namespace": "default"},
        "spec": {"clusterIP": "10.96.0.1", "ports": [{"name": "https", "port": 443, "protocol": "TCP"}]},
    },
    [],
)


def rules_answers(path, data):
    """{Service, or base: how to have our rules for it} of a recording of rules."""
    mode = path.stem.removeprefix("rules_")
    judge = judges.beside(path.parent.parent, OWN_JUDGE)
    cases = judge.read(str(path))
    of_world = cache(lambda slice: parted(mode, world(path.parent, slice), judge))
    contested = {name for name in cases if len({str(of_world(n).get(name)) for n in (None, 0, 1)}) > 1}

    def answer(name):
        tries = [of_world(n).get(name) for n in ((0, 1) if name in contested else (None,))]
        return next((got for got in tries if not judge.compare(cases[name], got)), tries[0])

    return {name: partial(answer, name) for name in cases}


def world(folder, slice=None):
    """(node, objects) of the world in *folder*; of a *slice* number the conditions count, if several give some."""
    _, nodes, posted = proxy.recorded(folder)
    (node,) = [node for node in nodes if node.name == NODE]
    return node, [(service, _of(slices, slice)) for service, slices in (*posted, KUBERNETES)]


def _of(slices, number):
    """Slices of a Service: the others without the endpoints that the one of that number has too."""
    if number is None or len(slices) <= number:
        return slices
    its = [e["addresses"] for e in slices[number]["endpoints"]]
    rest = [s for n, s in enumerate(slices) if n != number]
    fewer = [{**s, "endpoints": [e for e in s["endpoints"] if e["addresses"] not in its]} for s in rest]
    return [*fewer, slices[number]]


def parted(mode, world, judge):
    """Our rules for a world: {Service: as in its recording}."""
    node, posted = world
    planned = [plan for service, slices in posted for plan in plans(service, slices, node)]
    if mode == "iptables":
        return judge.split(saved.listed(saved.written(planned, ProxyConfig(), node)))
    out, found = table.written(planned, ProxyConfig(mode), node), {}
    of_ip = {plan.port.cluster_ip: plan.port.name for plan in planned}
    for thing in table.objects(out):
        found.setdefault(owner(thing, of_ip), []).append(thing)
    found[REST] += found.pop("kubernetes")
    return found


def owner(thing, of_ip):
    """Which Service an object of nft belongs to: the one that it names, else the one of its cluster IP."""
    if thing.get("of") == "hairpin-connections" or thing.get("name") in MAPS:
        return REST if "of" in thing else "base"
    named = re.search(r"default/([^/:\"]+)", " ".join([thing.get("name", ""), *thing["lines"]]))
    if named:
        return named[1]
    return of_ip.get(thing["lines"][0], REST) if "of" in thing else "base"
