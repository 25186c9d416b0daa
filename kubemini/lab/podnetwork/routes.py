"""podnetwork.routes: the routes that nodes need so that every pod reaches every other.

The learner's routes are put on nodes that know nothing, and every pair of pods is tried.
"""

from typing import Any

from kubemini.lab import NotYet, Report, ask, exercise
from kubemini.network.walks.reach import PodNetwork

SIZES = (4, 2, 6)  # nodes


def facts_of(network: PodNetwork) -> dict[str, dict[str, str]]:
    """What is known of each node: ``{"n1": {"address": "192.168.0.11", "podCIDR": "10.244.1.0/24"}, …}``."""
    return {node.name: {"address": node.addresses[0], "podCIDR": node.pod_cidr} for node in network.plan.nodes}


@exercise("podnetwork.routes")
def check_routes(answer: Any) -> Report:
    """*answer*: a function of `facts_of`: ``{node: {destination: address of the next hop}}``."""
    facts = [_tried(answer, count) for count in SIZES]
    return Report(
        "pass",
        tuple(facts),
        "A node needs one route for each other node, whatever runs there: what changes with pods is no route.",
        "Who writes these routes when the hundredth node joins, and who takes them away when it leaves?",
    )


def _tried(answer: Any, count: int) -> str:
    network = PodNetwork("none", nodes=count)
    nodes = facts_of(network)
    number = _installed(network, nodes, ask(answer, nodes))
    pairs = network.matrix()
    broken = [(pair, found) for pair, found in pairs.items() if not found.works]
    if broken:
        (source, target), found = broken[0]
        raise NotYet(
            f"With {count} nodes, {source} does not reach {target}: {found.why}.",
            f"{len(pairs) - len(broken)} of {len(pairs)} pairs work",
            next="The answer needs a way, too. What must each node know of each other one?",
        )
    return f"{count} nodes, {number} routes: all {len(pairs)} pairs of pods reach each other"


def _installed(network: PodNetwork, nodes: dict[str, dict[str, str]], routes: Any) -> int:
    """Put the learner's routes on the nodes; how many there are. Raises NotYet for one that no kernel would take."""
    shape = "Return {node: {destination: next hop}}, such as {'n1': {'10.244.2.0/24': '192.168.0.12'}}."
    if not isinstance(routes, dict) or not all(isinstance(table, dict) for table in routes.values()):
        raise NotYet(shape)
    owner = {known["podCIDR"]: name for name, known in nodes.items()}
    hop = {known["address"]: name for name, known in nodes.items()}
    for name, table in routes.items():
        if name not in nodes:
            raise NotYet(f"There is no node {name!r}; there are: {', '.join(nodes)}.", next=shape)
        for destination, via in table.items():
            if destination not in owner or via not in hop:
                raise NotYet(f"{name}: {destination!r} via {via!r} is none of these pod ranges and nodes.", next=shape)
            if owner[destination] == name:
                raise NotYet(
                    f"{name} has {destination} on its own bridge: a route there would lead its pods' packets out."
                )
            if hop[via] == name:
                raise NotYet(f"{name} cannot be its own next hop to {destination}.")
            network.route(name, owner[destination], via=hop[via])
    return sum(len(table) for table in routes.values())
