"""Which nodes a pod insists on: ``nodeSelector``, required node affinity, terms by label and by name.

Terms are alternatives; within a term everything must hold. A term that asks for nothing, or asks for nonsense, picks
no node. The scheduler and the DaemonSet controller ask.
Source: component-helpers scheduling/corev1/nodeaffinity (NodeSelector.Match, RequiredNodeAffinity.Match).
"""

from collections.abc import Mapping
from typing import Any

from kubemini.api.labels import SPELLING, Requirement, contains
from kubemini.api.objects import EMPTY, Obj, get

REQUIRED = ("affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution")
OPERATORS = {**SPELLING, "Gt": "gt", "Lt": "lt"}


def matches(pod: Obj, node: Obj) -> bool:
    """Whether *node* is one that *pod* insists on."""
    spec = pod.get("spec") or EMPTY
    if not contains(node["metadata"].get("labels"), spec.get("nodeSelector") or EMPTY):
        return False
    required = get(spec, *REQUIRED)
    return required is None or selects(required, node)


def insists(pod: Obj) -> bool:
    """Whether the pod insists on anything."""
    spec = pod.get("spec") or EMPTY
    return bool(spec.get("nodeSelector")) or get(spec, *REQUIRED) is not None


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
    return all(requirement(e).matches(carried) for e in by_label) and all(
        requirement(e).matches(fields) for e in by_field
    )


def problems(term: Mapping[str, Any], where: str = "") -> list[str]:
    """What is wrong with a term; empty if nothing is. *where* "match": say in which of its parts."""
    wrong = []
    for number, expression in enumerate(term.get("matchExpressions") or ()):
        at = f"{where}Expressions[{number}]." if where else ""
        if expression["operator"] not in OPERATORS:
            wrong.append(f'{at}operator: "{expression["operator"]}" is not a valid selector operator')
        else:
            wrong += [at + problem for problem in requirement(expression).problems()]
    for number, expression in enumerate(term.get("matchFields") or ()):
        at = f"{where}Fields[{number}]." if where else ""
        if expression["operator"] not in ("In", "NotIn"):
            wrong.append(f'{at}operator: "{expression["operator"]}" is not a valid field selector operator')
        elif len(expression.get("values") or ()) != 1:
            wrong.append(f"{at}values: must have one element")
    return wrong


def requirement(expression: Mapping[str, Any]) -> Requirement:
    """An expression of a term as a requirement."""
    return Requirement(expression["key"], OPERATORS[expression["operator"]], tuple(expression.get("values") or ()))
