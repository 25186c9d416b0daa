"""Which requests a webhook or a policy is about: rules, selectors, conditions; and what all of these kinds share.

Models k/k pkg/apis/admissionregistration/validation validateRuleWithOperations, validateResources,
validateMatchResources, validateMatchConditions, ValidateStaticSuffix; defaults:
k/k pkg/apis/admissionregistration/v1 SetDefaults_Rule, SetDefaults_MatchResources.
Simplified: expressions are not compiled, so that a wrong one is not refused.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from kubemini.api import names
from kubemini.api.cel import Refusal
from kubemini.api.cel.admission import Named, expression
from kubemini.api.objects import Obj
from kubemini.apiserver.rules.causes import (
    Wrong,
    duplicate,
    each,
    indexed,
    internal,
    invalid,
    required,
    supported,
    too_many,
)
from kubemini.apiserver.rules.filling import unset
from kubemini.apiserver.rules.metadata import label_selector

GROUP = "admissionregistration.k8s.io"
FAILURE = ("Fail", "Ignore")
MATCH = ("Equivalent", "Exact")
REINVOCATION = ("IfNeeded", "Never")
OPERATIONS = ("*", "CONNECT", "CREATE", "DELETE", "UPDATE")
SCOPES = ("*", "Cluster", "Namespaced")
STATIC = ".static.k8s.io"
RESERVED = "are reserved for static manifest-based configurations and cannot be managed via the API"
MOST_CONDITIONS = 64


def not_static(obj: Obj) -> Wrong:
    """The names of what stands in files of the server are not for others."""
    name = obj["metadata"].get("name", "")
    if name.endswith(STATIC):
        yield invalid("metadata.name", name, f'names ending with "{STATIC}" {RESERVED}')


def static_warning(obj: Obj, old: Obj | None) -> list[str]:
    """Whoever changes what is called so is warned."""
    static = old is not None and obj["metadata"]["name"].endswith(STATIC)
    return [f'metadata.name: names ending with "{STATIC}" {RESERVED}'] if static else []


# -- defaults ----------------------------------------------------------------------------------------


def rules_defaults(rules: Iterable[Obj] | None) -> list[dict[str, Any]]:
    """*rules* with a scope."""
    return [unset(rule, scope="*") for rule in rules or ()]


def match_defaults(resources: Obj) -> dict[str, Any]:
    """What a policy matches, with every default."""
    full = unset(resources, matchPolicy="Equivalent", namespaceSelector={}, objectSelector={})
    for field in ("resourceRules", "excludeResourceRules"):
        if full.get(field):
            full[field] = rules_defaults(full[field])
    return full


# -- rules -------------------------------------------------------------------------------------------


def rule(said: Obj, path: str) -> Wrong:
    """Operations, groups, versions, resources and scope of a rule."""
    operations = said.get("operations") or []
    if not operations:
        yield required(f"{path}.operations")
    if len(operations) > 1 and "*" in operations:
        yield invalid(f"{path}.operations", operations, "if '*' is present, must not specify other operations")
    for number, operation in enumerate(operations):
        yield from supported(f"{path}.operations[{number}]", operation, OPERATIONS)
    for field, things in (("apiGroups", "API groups"), ("apiVersions", "API versions")):
        found = said.get(field) or []
        if not found:
            yield required(f"{path}.{field}")
        if len(found) > 1 and "*" in found:
            yield invalid(f"{path}.{field}", found, f"if '*' is present, must not specify other {things}")
    for number, version in enumerate(said.get("apiVersions") or ()):
        if not version:
            yield required(f"{path}.apiVersions[{number}]")
    yield from _resources(said.get("resources") or [], f"{path}.resources")
    if said.get("scope") is not None:
        yield from supported(f"{path}.scope", said["scope"], SCOPES)


def _resources(found: Sequence[str], path: str) -> Wrong:
    """pods, pods/status, pods/*, */scale, * (all but sub-resources), */* (all)."""
    if not found:
        yield required(path)
    all_subs, of_all, plain = set[str](), set[str](), False  # pods of pods/*; scale of */scale
    for number, name in enumerate(found):
        resource, slash, sub = name.partition("/")
        if not name:
            yield required(f"{path}[{number}]")
        elif not slash:
            plain = name != "*"
        else:
            if resource in all_subs:
                text = f"if '{resource}/*' is present, must not specify {name}"
                yield invalid(f"{path}[{number}]", name, text)
            if sub in of_all:
                yield invalid(f"{path}[{number}]", name, f"if '*/{sub}' is present, must not specify {name}")
            all_subs |= {resource} if sub == "*" else set()
            of_all |= {sub} if resource == "*" else set()
    if len(found) > 1 and "*/*" in found:
        yield invalid(path, found, "if '*/*' is present, must not specify other resources")
    if "*" in found and plain:
        yield invalid(path, found, "if '*' is present, must not specify other resources without subresources")


def _named_rule(said: Obj, path: str) -> Wrong:
    found = said.get("resourceNames") or []
    for number, name in enumerate(found):
        yield from each(names.path_segment(name), f"{path}.resourceNames[{number}]", name)
        if name in found[:number]:
            yield duplicate(f"{path}.resourceNames[{number}]", name)
    yield from rule(said, path)


def match_resources(said: Obj | None, path: str) -> Wrong:
    """What a policy, or its binding, matches."""
    if said is None:
        return
    yield from supported(f"{path}.matchPolicy", said["matchPolicy"], MATCH)
    yield from label_selector(said["namespaceSelector"], f"{path}.namespaceSelector")
    yield from label_selector(said["objectSelector"], f"{path}.objectSelector")
    yield from indexed(said.get("resourceRules"), f"{path}.resourceRules", _named_rule)
    yield from indexed(said.get("excludeResourceRules"), f"{path}.excludeResourceRules", _named_rule)


def compiles(text: str, path: str, wanted: str, params: bool = False, variables: Named | None = None) -> Wrong:
    """*text* must be an expression of the type that is *wanted*: "bool", "string", or any."""
    try:
        expression(text, wanted, params, variables)
    except Refusal as refusal:
        yield internal(path, refusal.text) if refusal.internal else invalid(path, text, refusal.text)


def match_conditions(found: Sequence[Obj] | None, path: str, params: bool = False) -> Wrong:
    """Expressions that must hold before anybody is asked: each has a name of its own."""
    found = found or []
    if len(found) > MOST_CONDITIONS:
        yield too_many(path, len(found), MOST_CONDITIONS)
    seen: list[str] = []
    for number, condition in enumerate(found):
        where, name = f"{path}[{number}]", condition.get("name") or ""
        if not (condition.get("expression") or "").strip():
            yield required(f"{where}.expression")
        else:
            yield from compiles(condition["expression"], f"{where}.expression", "bool", params)
        if not name:
            yield required(f"{where}.name")
        else:
            yield from each(names.qualified_name(name), f"{where}.name", name)
        if name in seen:
            yield duplicate(f"{where}.name", name)
        seen += [name] if name else []
