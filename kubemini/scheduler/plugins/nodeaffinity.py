"""NodeAffinity: the nodes a pod asks for by their labels, or by name: ``nodeSelector`` and node affinity. Pure.

How a node is picked is told in `kubemini.api.placement.nodeselection`.
Models k/k pkg/scheduler/framework/plugins/nodeaffinity NodeAffinity.Filter
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kubemini.api.objects import EMPTY, Obj, get
from kubemini.api.placement.nodeselection import REQUIRED, insists, matches, problems, term_matches
from kubemini.scheduler.decide.events import NODE_ADDED, NODE_LABEL
from kubemini.scheduler.decide.nodeinfo import NodeInfo
from kubemini.scheduler.decide.plugin import (
    SKIP,
    Cycle,
    Event,
    Plugin,
    PluginError,
    Refusal,
    default_normalize,
    hopeless,
)

PREFERRED = ("spec", "affinity", "nodeAffinity", "preferredDuringSchedulingIgnoredDuringExecution")


def preference(pod: Obj, node: Obj) -> int:
    """How much *pod* likes *node*: the weights of the preferred terms that pick it, added up."""
    return weight(get(pod, *PREFERRED, default=None) or (), node)


def weight(preferred: Iterable[Mapping[str, Any]], node: Obj) -> int:
    """The weights of those *preferred* terms that pick *node*."""
    return sum(term["weight"] for term in preferred if term_matches(term.get("preference") or EMPTY, node))


# -- the plugin ------------------------------------------------------------------------------------------------------
def narrow(cycle: Cycle) -> Refusal | Sequence[str] | str | None:
    """The only nodes worth asking, if every term names some; they may not contradict each other."""
    spec = cycle.pod["spec"]
    terms = get(spec, *REQUIRED, "nodeSelectorTerms", default=None) or ()
    if not insists(cycle.pod):
        return SKIP
    wanted: dict[str, None] = {}
    for term in terms:
        names = _names(term)
        if names is None:
            return None
        wanted |= names
    if terms and not wanted:
        return hopeless("pod affinity terms conflict")
    return tuple(wanted) or None


def _names(term: Mapping[str, Any]) -> dict[str, None] | None:
    """The nodes that a term names, or None if it names none."""
    found: dict[str, None] | None = None
    for one in term.get("matchFields") or ():
        if one["key"] == "metadata.name" and one["operator"] == "In":
            named = dict.fromkeys(one.get("values") or ())
            found = named if found is None else {name: None for name in found if name in named}
    return found


def refuse(cycle: Cycle, info: NodeInfo) -> Refusal | None:
    """Why not this node: the pod insists on others."""
    fits = matches(cycle.pod, info.node)
    return None if fits else hopeless("node(s) didn't match Pod's node affinity/selector")


def prepare(cycle: Cycle, feasible: Sequence[NodeInfo]) -> str | None:
    """Whether the pod prefers anything. Raises PluginError if a preference cannot be read."""
    preferred = get(cycle.pod, *PREFERRED, default=None)
    if not preferred:
        return SKIP
    wrong = [
        f"[{number}].{problem}"
        for number, term in enumerate(preferred)
        if term.get("weight")
        for problem in problems(term.get("preference") or EMPTY, "match")
    ]
    if wrong:
        raise PluginError(wrong[0] if len(wrong) == 1 else f"[{', '.join(wrong)}]")
    return None


def prefer(cycle: Cycle, info: NodeInfo) -> int:
    """The weights of the preferred terms that a node meets."""
    return preference(cycle.pod, info.node)


def normalize(cycle: Cycle, feasible: Sequence[NodeInfo], raw: list[int]) -> list[int]:
    """The more the better."""
    return default_normalize(raw)


def hint(pod: Obj, event: Event) -> bool:
    """Only a node that is one of those the pod insists on, and was not before."""
    return event.new is not None and matches(pod, event.new) and not (event.old and matches(pod, event.old))


def cure(cycle: Cycle, info: NodeInfo) -> str:
    """Labels that the node lacks."""
    wanted = cycle.pod["spec"].get("nodeSelector") or EMPTY
    lacks = [f"{key}={value}" for key, value in wanted.items() if info.labels.get(key) != value]
    if lacks:
        return f"kubectl label node {info.name} {' '.join(lacks)}"
    return "give the node labels that one of the pod's nodeSelectorTerms asks for"


PLUGIN = Plugin(
    "NodeAffinity",
    40,
    refuse,
    prefer,
    weight=2,
    prefilter=narrow,
    prescore=prepare,
    normalize=normalize,
    helped_by=(NODE_ADDED, NODE_LABEL),
    hint=hint,
    local=True,
    cure=cure,
)
