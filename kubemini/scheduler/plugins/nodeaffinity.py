"""NodeAffinity: the nodes a pod asks for by their labels, or by name: ``nodeSelector`` and node affinity. Pure.

How a node is picked is told in `kubemini.api.nodeselection`.
Models k/k pkg/scheduler/framework/plugins/nodeaffinity NodeAffinity.Filter
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kubemini.api.nodeselection import matches, term_matches
from kubemini.api.objects import EMPTY, Obj, get
from kubemini.scheduler.decide.cache import NodeInfo
from kubemini.scheduler.decide.plugin import NODE_ADDED, NODE_LABEL, Cycle, Event, Plugin


def preference(pod: Obj, node: Obj) -> int:
    """How much *pod* likes *node*: the weights of the preferred terms that pick it, added up."""
    path = ("spec", "affinity", "nodeAffinity", "preferredDuringSchedulingIgnoredDuringExecution")
    return weight(get(pod, *path, default=None) or (), node)


def weight(preferred: Iterable[Mapping[str, Any]], node: Obj) -> int:
    """The weights of those *preferred* terms that pick *node*."""
    return sum(term["weight"] for term in preferred if term_matches(term.get("preference") or EMPTY, node))


# -- the plugin ------------------------------------------------------------------------------------------------------
def refuse(cycle: Cycle, info: NodeInfo) -> list[str]:
    """Why not this node: the pod insists on others."""
    fits = matches(cycle.pod, info.node)
    return [] if fits else ["node(s) didn't match Pod's node affinity/selector"]


def prefer(cycle: Cycle, feasible: Sequence[NodeInfo]) -> list[int] | None:
    """The more preferred terms a node meets, by weight, the better."""
    if not get(cycle.pod, "spec", "affinity", "nodeAffinity", "preferredDuringSchedulingIgnoredDuringExecution"):
        return None
    liked = [preference(cycle.pod, info.node) for info in feasible]
    most = max(liked)
    return [100 * value // most if most else 0 for value in liked]


def hint(pod: Obj, event: Event) -> bool:
    """Only a node that is now one of those the pod insists on."""
    return event.new is not None and matches(pod, event.new)


PLUGIN = Plugin("NodeAffinity", 40, refuse, prefer, weight=2, helped_by=(NODE_ADDED, NODE_LABEL), hint=hint)
