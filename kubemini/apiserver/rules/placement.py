"""What a pod may say about where it runs: affinity, spread, tolerations, gates.

Models k/k pkg/apis/core/validation validateAffinity, validateTopologySpreadConstraints, ValidateTolerations,
validateSchedulingGates.
Simplified: matchLabelKeys are not checked against the selector.
"""

from collections.abc import Callable, Sequence

from kubemini.api import names
from kubemini.api.objects import Obj, get
from kubemini.apiserver.rules.causes import (
    Wrong,
    duplicate,
    each,
    forbidden,
    indexed,
    invalid,
    required,
    supported,
    unsupported,
)
from kubemini.apiserver.rules.metadata import label_selector, operands

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
NOT_POSITIVE = "must be greater than zero"
EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
NEEDS_EXISTS = 'operator must be Exists when `key` is empty, which means "match all values and all keys"'
FORMS = ("DoNotSchedule", "ScheduleAnyway")


def affinity(value: Obj | None, path: str) -> Wrong:
    """Nodes and pods to be near to, or away from."""
    value = value or {}
    nodes = value.get("nodeAffinity")
    if nodes is not None:
        yield from _node_affinity(nodes, f"{path}.nodeAffinity")
    for side in ("podAffinity", "podAntiAffinity"):
        where, terms = f"{path}.{side}", value.get(side) or {}
        yield from indexed(terms.get(REQUIRED), f"{where}.{REQUIRED}", _pod_term)
        yield from indexed(terms.get(PREFERRED), f"{where}.{PREFERRED}", _weighted_pod_term)


def _node_affinity(nodes: Obj, path: str) -> Wrong:
    wanted = nodes.get(REQUIRED)
    if wanted is not None:
        yield from node_terms(wanted, f"{path}.{REQUIRED}")
    yield from indexed(nodes.get(PREFERRED), f"{path}.{PREFERRED}", _preferred_node_term)


def node_terms(selector: Obj, path: str) -> Wrong:
    """A node selector: terms of which one must be met. Models k/k pkg/apis/core/validation ValidateNodeSelector"""
    where, terms = f"{path}.nodeSelectorTerms", selector.get("nodeSelectorTerms")
    if not terms:
        yield required(where, "must have at least one node selector term")
    yield from indexed(terms, where, _node_term)


def _preferred_node_term(term: Obj, path: str) -> Wrong:
    yield from _weight(term, path)
    # a value that is no label's is taken here: who has one node never scores, and may have got by with it
    yield from _node_term(term.get("preference") or {}, f"{path}.preference", _loose_requirement)


def _weight(term: Obj, path: str) -> Wrong:
    if not 1 <= term.get("weight", 0) <= 100:
        yield invalid(f"{path}.weight", term.get("weight", 0), "must be in the range 1-100")


def _node_term(term: Obj, path: str, requirement: Callable[[Obj, str], Wrong] | None = None) -> Wrong:
    yield from indexed(term.get("matchExpressions"), f"{path}.matchExpressions", requirement or _node_requirement)
    yield from indexed(term.get("matchFields"), f"{path}.matchFields", _node_field)


def _loose_requirement(term: Obj, path: str) -> Wrong:
    key, values = term.get("key", ""), term.get("values") or ()
    yield from operands(term.get("operator", ""), values, path, compares=True)
    yield from each(names.qualified_name(key), f"{path}.key", key)


def _node_requirement(term: Obj, path: str) -> Wrong:
    yield from _loose_requirement(term, path)
    for number, value in enumerate(term.get("values") or ()):
        yield from each(names.label_value(value), f"{path}.values[{number}]", value)


def _node_field(term: Obj, path: str) -> Wrong:
    key, operator, values = term.get("key", ""), term.get("operator", ""), term.get("values") or ()
    if operator not in ("In", "NotIn"):
        yield invalid(f"{path}.operator", operator, "not a valid selector operator")
    elif len(values) != 1:
        text = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"
        yield required(f"{path}.values", text)
    if key != "metadata.name":
        yield invalid(f"{path}.key", key, "not a valid field selector key")
        return
    for number, value in enumerate(values):
        yield from each(names.dns_subdomain(value), f"{path}.values[{number}]", value)


def _weighted_pod_term(term: Obj, path: str) -> Wrong:
    yield from _weight(term, path)
    yield from _pod_term(term.get("podAffinityTerm") or {}, f"{path}.podAffinityTerm")


def _pod_term(term: Obj, path: str) -> Wrong:
    yield from label_selector(term.get("labelSelector"), f"{path}.labelSelector")
    yield from label_selector(term.get("namespaceSelector"), f"{path}.namespaceSelector")
    for namespace in term.get("namespaces") or ():
        yield from each(names.dns_label(namespace), f"{path}.namespace", namespace)
    key = term.get("topologyKey", "")
    if not key:
        yield required(f"{path}.topologyKey", "can not be empty")
    yield from each(names.qualified_name(key), f"{path}.topologyKey", key)


def spread(constraints: Sequence[Obj], path: str) -> Wrong:
    """Topology spread constraints; two with the same key and the same answer contradict each other."""
    for number, constraint in enumerate(constraints):
        where = f"{path}[{number}]"
        yield from _one_spread(constraint, where)
        same = [_pair(other) for other in constraints[number + 1 :]]
        if _pair(constraint) in same:
            yield duplicate(f"{where}.{{topologyKey, whenUnsatisfiable}}", _pair(constraint))
        yield from _spread_details(constraint, where)


def _pair(constraint: Obj) -> str:
    return f"{{{constraint.get('topologyKey', '')}, {constraint.get('whenUnsatisfiable', '')}}}"


def _one_spread(constraint: Obj, path: str) -> Wrong:
    if constraint.get("maxSkew", 0) <= 0:
        yield invalid(f"{path}.maxSkew", constraint.get("maxSkew", 0), NOT_POSITIVE)
    if not constraint.get("topologyKey"):
        yield required(f"{path}.topologyKey", "can not be empty")
    yield from supported(f"{path}.whenUnsatisfiable", constraint.get("whenUnsatisfiable", ""), FORMS)


def _spread_details(constraint: Obj, path: str) -> Wrong:
    least, form = constraint.get("minDomains"), constraint.get("whenUnsatisfiable", "")
    if least is not None:
        if least <= 0:
            yield invalid(f"{path}.minDomains", least, NOT_POSITIVE)
        if form != "DoNotSchedule":
            text = f"can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {form}"
            yield invalid(f"{path}.minDomains", least, text)
    for field in ("nodeAffinityPolicy", "nodeTaintsPolicy"):
        if constraint.get(field) is not None:
            yield from supported(f"{path}.{field}", constraint[field], ("Honor", "Ignore"))
    if constraint.get("matchLabelKeys") and constraint.get("labelSelector") is None:
        yield forbidden(f"{path}.matchLabelKeys", "must not be specified when labelSelector is not set")
    yield from label_selector(constraint.get("labelSelector"), f"{path}.labelSelector")


def toleration(value: Obj, path: str) -> Wrong:
    """Which taint a pod puts up with. Lt and Gt stand behind a feature gate that is off in 1.37."""
    key, operator, text = value.get("key", ""), value.get("operator", ""), value.get("value", "")
    if key:
        yield from each(names.qualified_name(key), f"{path}.key", key)
    elif operator != "Exists":
        yield invalid(f"{path}.operator", operator, NEEDS_EXISTS)
    if value.get("tolerationSeconds") is not None and value.get("effect") != "NoExecute":
        detail = "effect must be 'NoExecute' when `tolerationSeconds` is set"
        yield invalid(f"{path}.effect", value.get("effect", ""), detail)
    if operator in ("", "Equal"):
        if wrong := names.label_value(text):
            yield invalid(f"{path}.operator", text, ";".join(wrong))
    elif operator == "Exists":
        if text:
            yield invalid(f"{path}.operator", text, "value must be empty when `operator` is 'Exists'")
    else:
        yield unsupported(f"{path}.operator", operator, ("Equal", "Exists"))
    if value.get("effect"):
        yield from supported(f"{path}.effect", value["effect"], EFFECTS)


def gates(value: Sequence[Obj], path: str) -> Wrong:
    """Scheduling gates: qualified names, each once."""
    seen: list[str] = []
    for number, gate in enumerate(value):
        name = gate.get("name", "")
        yield from each(names.qualified_name(name), f"{path}[{number}]", name)
        if name in seen:
            yield duplicate(f"{path}[{number}]", name)
        seen.append(name)


def gates_only_go(new: Obj, old: Obj) -> Wrong:
    """Models k/k pkg/apis/core/validation validateOnlyDeletedSchedulingGates"""
    before = [gate["name"] for gate in get(old, "spec", "schedulingGates", default=None) or ()]
    for number, gate in enumerate(get(new, "spec", "schedulingGates", default=None) or ()):
        if gate["name"] not in before:
            text = f"only deletion is allowed, but found new scheduling gate '{gate['name']}'"
            yield forbidden(f"spec.schedulingGates[{number}].name", text)
