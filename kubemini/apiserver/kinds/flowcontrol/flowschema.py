"""FlowSchemas: which requests belong to which priority level.

Models k/k pkg/registry/flowcontrol/flowschema strategy; k/k pkg/apis/flowcontrol/validation ValidateFlowSchema,
ValidateFlowSchemaSubject, ValidateFlowSchemaResourcePolicyRule, ValidateNonResourceURLPath; defaults:
k/k pkg/apis/flowcontrol/v1 SetDefaults_FlowSchemaSpec.
"""

from collections.abc import Sequence

from kubemini.api import names
from kubemini.api.kinds import KNOWN
from kubemini.api.objects import Obj, get
from kubemini.apiserver import bootstrap
from kubemini.apiserver.columns import AGE, NAME, NONE, Column, at, text_at
from kubemini.apiserver.kinds.flowcontrol.common import GROUP, MANDATORY, only_types
from kubemini.apiserver.rules.causes import (
    InOrder,
    Wrong,
    each,
    forbidden,
    indexed,
    invalid,
    required,
    unsupported,
)
from kubemini.apiserver.rules.gostructs import internal
from kubemini.apiserver.served import ServedKind, serve

PRECEDENCE, LAST = 1000, 10_000
METHODS = ("ByNamespace", "ByUser")
VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "proxy", "update", "watch")
SUBJECTS = {"ServiceAccount": "serviceAccount", "User": "user", "Group": "group"}
A_NAMESPACE = "each member of this list must be '*' or a DNS-1123 label; "
NOT_ALONE = "if '*' is present, must not specify other "


def defaults(obj: Obj) -> Obj:
    """*obj* with its place among the others."""
    spec = obj.get("spec") or {}
    return {**obj, "spec": {**spec, "matchingPrecedence": spec.get("matchingPrecedence") or PRECEDENCE}}


def rules(obj: Obj) -> Wrong:
    """Every complaint."""
    spec, name = obj["spec"], obj["metadata"].get("name", "")
    yield from _precedence(spec["matchingPrecedence"], name, "spec.matchingPrecedence")
    method, level = spec.get("distinguisherMethod"), get(spec, "priorityLevelConfiguration", "name") or ""
    if method is not None and method.get("type") not in METHODS:
        yield unsupported("spec.distinguisherMethod.type", InOrder(Type=method.get("type", "")), METHODS)
    if level:
        yield from each(names.dns_subdomain(level), "spec.priorityLevelConfiguration.name", level)
    else:
        yield required("spec.priorityLevelConfiguration.name", "must reference a priority level")
    yield from indexed(spec.get("rules"), "spec.rules", _rule)
    if name in MANDATORY and spec != bootstrap.spec("FlowSchema", name):
        yield invalid(
            "spec", internal(spec, "flowcontrol.FlowSchemaSpec"), f"spec of '{name}' must equal the fixed value"
        )


def _precedence(number: int, name: str, path: str) -> Wrong:
    if number <= 0:
        yield invalid(path, number, "must be a positive value")
    if number > LAST:
        yield invalid(path, number, f"must not be greater than {LAST}")
    if number == 1 and name != "exempt":
        yield invalid(path, number, "only the schema named 'exempt' may have matchingPrecedence 1")


def _rule(rule: Obj, path: str) -> Wrong:
    if not rule.get("subjects"):
        yield required(f"{path}.subjects", "subjects must contain at least one value")
    yield from indexed(rule.get("subjects"), f"{path}.subjects", _subject)
    if not rule.get("resourceRules") and not rule.get("nonResourceRules"):
        yield required(path, "at least one of resourceRules and nonResourceRules has to be non-empty")
    yield from indexed(rule.get("resourceRules"), f"{path}.resourceRules", _resources)
    yield from indexed(rule.get("nonResourceRules"), f"{path}.nonResourceRules", _urls)


def _subject(subject: Obj, path: str) -> Wrong:
    kind = subject.get("kind", "")
    if kind not in SUBJECTS:
        yield unsupported(f"{path}.kind", kind, sorted(SUBJECTS, key=str))
        return
    field = SUBJECTS[kind]
    said = subject.get(field)
    if said is None:
        yield required(f"{path}.{field}", f"{field} is required when subject kind is '{kind}'")
    elif not said.get("name"):
        yield required(f"{path}.{field}.name")
    elif kind == "ServiceAccount" and said["name"] != "*":
        yield from each(names.dns_subdomain(said["name"]), f"{path}.{field}.name", said["name"])
    if kind == "ServiceAccount" and said is not None:
        if said.get("namespace"):
            yield from each(names.dns_label(said["namespace"]), f"{path}.{field}.namespace", said["namespace"])
        else:
            yield required(f"{path}.{field}.namespace", "must specify namespace for service account")
    for other, its_field in SUBJECTS.items():
        if other != kind and subject.get(its_field) is not None:
            text = f"{its_field} is forbidden when subject kind is not '{other}'"
            yield forbidden(f"{path}.{its_field}", text)


def _verbs(verbs: Sequence[str], path: str) -> Wrong:
    if not verbs:
        yield required(path, "verbs must contain at least one value")
    elif "*" in verbs:
        if len(verbs) > 1:
            yield invalid(path, verbs, f"{NOT_ALONE}verbs")
    elif not set(verbs) <= set(VERBS):
        yield unsupported(path, verbs, VERBS)


def _resources(rule: Obj, path: str) -> Wrong:
    yield from _verbs(rule.get("verbs") or (), f"{path}.verbs")
    for field, thing in (("apiGroups", "api group"), ("resources", "resource")):
        found = rule.get(field) or ()
        if not found:
            yield required(f"{path}.{field}", f"resource rules must supply at least one {thing}")
        elif len(found) > 1 and "*" in found:
            yield invalid(f"{path}.{field}", found, f"{NOT_ALONE}{thing}s")
    spaces, where = rule.get("namespaces") or (), f"{path}.namespaces"
    if not spaces and not rule.get("clusterScope"):
        yield required(where, "resource rules that are not cluster scoped must supply at least one namespace")
    elif "*" in spaces:
        if len(spaces) > 1:
            yield invalid(where, spaces, f"{NOT_ALONE}namespaces")
    else:
        for number, space in enumerate(spaces):
            for text in names.dns_label(space):
                yield invalid(f"{where}[{number}]", space, A_NAMESPACE + text)


def _urls(rule: Obj, path: str) -> Wrong:
    yield from _verbs(rule.get("verbs") or (), f"{path}.verbs")
    urls, where = rule.get("nonResourceURLs") or (), f"{path}.nonResourceURLs"
    if not urls:
        yield required(where, "nonResourceURLs must contain at least one value")
    elif "*" in urls:
        if len(urls) > 1:
            yield invalid(where, urls, f"{NOT_ALONE}non-resource URLs")
    else:
        for number, url in enumerate(urls):
            if wrong := _wrong_url(url):
                yield invalid(f"{where}[{number}]", url, wrong)


def _wrong_url(url: str) -> str:
    """Why *url* is no path of a rule, or ""."""
    if not url:
        return "must not be empty"
    if url == "/":
        return ""
    if not url.startswith("/"):
        return "must start with slash"
    if " " in url:
        return "must not contain white-space"
    if "//" in url:
        return "must not contain double slash"
    stars = url.count("*")
    return "wildcard can only do suffix matching" if stars > 1 or (stars and url[-2:] != "/*") else ""


def _missing_level(obj: Obj, now: int) -> str:
    found = get(obj, "status", "conditions") or ()
    return next((one.get("status", "") for one in found if one.get("type") == "Dangling"), "?")


COLUMNS = (
    NAME,
    Column("PriorityLevel", at("spec", "priorityLevelConfiguration", "name")),
    Column("MatchingPrecedence", at("spec", "matchingPrecedence", default=0)),
    Column("DistinguisherMethod", text_at("spec", "distinguisherMethod", "type", default=NONE)),
    AGE,
    Column("MissingPL", _missing_level, description="references a broken or non-existent PriorityLevelConfiguration"),
)
serve(
    ServedKind(
        KNOWN[f"{GROUP}/v1", "FlowSchema"],
        subresources=("status",),
        counted=True,
        defaults=defaults,
        rules=rules,
        status_rules=only_types,
        first_status=lambda obj: {},
        columns=COLUMNS,
    )
)
