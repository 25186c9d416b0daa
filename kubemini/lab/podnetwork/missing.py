"""podnetwork.missing: which node lacks which route, told by flows that fail.

A flow that fails says little by itself: a way there and a way back are needed. What tells them apart is whether the
packet was seen where it was sent to.
"""

from itertools import permutations
from typing import Any, NamedTuple

from kubemini.lab import NotYet, Report, ask, exercise
from kubemini.network.walks.reach import PodNetwork
from kubemini.sim.chance import Draws

NODES, FAILING, HEALTHY, CASES = 4, 6, 4, 12


class Flow(NamedTuple):
    """A pod of *source* asked a pod of *target*; *arrived*: tcpdump saw it there; *answered*: the answer came back."""

    source: str
    target: str
    arrived: bool
    answered: bool


def flows(node: str, other: str, seed: int) -> list[Flow]:
    """Six flows that fail and four that do not, when *node* has lost its route to the pods of *other*."""
    network = PodNetwork("host-gw", nodes=NODES)
    network.forget(node, other)
    pairs = [(a, b) for a, b in permutations(network.names, 2) if a[:2] != b[:2]]
    draws = Draws(seed, "flows")
    order = sorted(range(len(pairs)), key=draws.u)
    seen = [(pairs[i], network.ask(*pairs[i])) for i in order]
    told = [Flow(a[:2], b[:2], found.ttl > 0, found.works) for (a, b), found in seen]
    failing, fine = [f for f in told if not f.answered], [f for f in told if f.answered]
    return sorted([*failing[:FAILING], *fine[:HEALTHY]])


@exercise("podnetwork.missing")
def check_missing(answer: Any) -> Report:
    """*answer*: a function of flows: ``(node, other)``, the node that lacks a route and the one it does not find."""
    nodes = [f"n{i}" for i in range(1, NODES + 1)]
    cases = list(permutations(nodes, 2))[:CASES]
    for seed, (node, other) in enumerate(cases):
        seen = flows(node, other, seed)
        found = ask(answer, list(seen))
        if found == (other, node):
            raise NotYet(
                f"{node} has no route to the pods of {other}; you said it of {other}.",
                *_told(seen),
                next="Both ways fail. In which direction did the packet arrive?",
            )
        if found != (node, other):
            raise NotYet(f"{node} has no route to the pods of {other}; you said {found!r}.", *_told(seen))
    return Report(
        "pass",
        (f"{len(cases)} of {len(cases)} missing routes found, each from {FAILING} flows that fail",),
        "Where nothing arrives the way there is missing; where it arrives and no answer comes, the way back.",
        "On a real node: tcpdump -ni eth0, on both sides at once.",
    )


def _told(seen: list[Flow]) -> list[str]:
    words = {(False, False): "did not arrive", (True, False): "arrived, no answer", (True, True): "answered"}
    return [f"{f.source} → {f.target}: {words[f.arrived, f.answered]}" for f in seen if not f.answered]
