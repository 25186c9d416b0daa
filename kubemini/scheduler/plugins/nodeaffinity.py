"""NodeAffinity: the nodes a pod asks for by their labels, or by name: ``nodeSelector`` and node affinity. Pure.

Terms are alternatives; within a term everything must hold. A term that asks for nothing, or asks for nonsense, picks
no node.
Models k/k pkg/scheduler/framework/plugins/nodeaffinity NodeAffinity.Filter
Models k/component-helpers scheduling/corev1/nodeaffinity NodeSelector.Match
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kubemini.api.labels import SPELLING, Requirement, contains
from kubemini.api.objects import EMPTY, Obj, get
from kubemini.scheduler.decide.cache import NodeInfo
from kubemini.scheduler.decide.plugin import NODE_ADDED, NODE_LABEL, Cycle, Event, Plugin

OPERATORS = {**SPELLING, "Gt": "gt", "Lt": "lt"}


def matches(pod: Obj, node: Obj) -> bool:
    """Whether *node* is one that *pod* insists on."""
    spec = pod.get("spec") or EMPTY
    if not contains(node["metadata"].get("labels"), spec.get("nodeSelector") or EMPTY):
        return False
    required = get(spec, "affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution")
    return required is None or selects(required, node)


def preference(pod: Obj, node: Obj) -> int:
    """How much *pod* likes *node*: the weights of the preferred terms that pick it, added up."""
    path = ("spec", "affinity", "nodeAffinity", "preferredDuringSchedulingIgnoredDuringExecution")
    return weight(get(pod, *path, default=None) or (), node)


def weight(preferred: Iterable[Mapping[str, Any]], node: Obj) -> int:
    """The weights of those *preferred* terms that pick *node*."""
    return sum(term["weight"] for term in preferred if term_matches(term.get("preference") or EMPTY, node))


def selects(selector: Mapping[str, Any] | None, node: Obj | None) -> bool:
    """Whether a node selector picks *node*: one of its terms does."""
    terms = get(selector, "nodeSelectorTerms", default=None) or ()
    return node is not None and any(term_matches(term, node) for term in terms)


def term_matches(term: Mapping[str, Any], node: Obj) -> bool:
    """Whether one term picks *node*."""
    by_label, by_field = term.get("matchExpressions") or (), term.get("matchFields") or ()
    if not (by_label or by_field) or problems(term):
        return False
    carried, fields = node["metadata"].get("labels") or EMPTY, {"metadata.name": node["metadata"].get("name", "")}
    return all(_requirement(e).matches(carried) for e in by_label) and all(
        _requirement(e).matches(fields) for e in by_field
    )


def problems(term: Mapping[str, Any]) -> list[str]:
    """What is wrong with a term; empty if nothing is."""
    wrong = []
    for expression in term.get("matchExpressions") or ():
        if expression["operator"] not in OPERATORS:
            wrong.append(f'operator: "{expression["operator"]}" is not a valid selector operator')
        else:
            wrong += _requirement(expression).problems()
    for expression in term.get("matchFields") or ():
        if expression["operator"] not in ("In", "NotIn"):
            wrong.append(f'operator: "{expression["operator"]}" is not a valid field selector operator')
        elif len(expression.get("values") or ()) != 1:
            wrong.append("values: must have one element")
    return wrong


def _requirement(expression: Mapping[str, Any]) -> Requirement:
    return Requirement(expression["key"], OPERATORS[expression["operator"]], tuple(expression.get("values") or ()))


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
