"""Whether a policy, a binding or a webhook speaks of a write.

Models k/apiserver pkg/admission/plugin/policy/matching Matcher.Matches, pkg/admission/plugin/webhook/predicates/rules
Matcher.Matches IsExemptAdmissionConfigurationResource.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from kubemini.api import labels
from kubemini.api.kinds import KNOWN, NAMESPACE, Kind
from kubemini.api.objects import Obj, get
from kubemini.apiserver.decide.attributes import Attributes

REGISTRATION = "admissionregistration.k8s.io"
SAME = {("", "events"): ("events.k8s.io", "events"), ("events.k8s.io", "events"): ("", "events")}


def is_exempt(kind: Kind) -> bool:
    """Whether no policy or webhook is asked: those that make them, so that nobody locks himself out."""
    return kind.group == REGISTRATION


def matches(said: Mapping[str, Any] | None, asked: Attributes, space: Obj | None) -> bool:
    """Whether *said* (matchConstraints, matchResources, or a webhook) speaks of the write; *space*: its Namespace."""
    if said is None:
        return True
    if not (_in_namespace(said, asked, space) and _has_labels(said, asked)):
        return False
    if _by_rules(said.get("excludeResourceRules"), said, asked):
        return False
    rules = said.get("resourceRules") if "rules" not in said else said["rules"]
    return not rules or _by_rules(rules, said, asked)


def _in_namespace(said: Mapping[str, Any], asked: Attributes, space: Obj | None) -> bool:
    selector = said.get("namespaceSelector")
    if not selector or not (asked.namespace or asked.kind == NAMESPACE):
        return True
    its = (asked.obj or asked.old) if asked.kind == NAMESPACE else space
    return labels.matches(selector, get(its or {}, "metadata", "labels") or {})


def _has_labels(said: Mapping[str, Any], asked: Attributes) -> bool:
    selector = said.get("objectSelector")
    if not selector:
        return True
    found = [one for one in (asked.obj, asked.old) if one is not None]
    return any(labels.matches(selector, get(one, "metadata", "labels") or {}) for one in found)


def _by_rules(rules: Iterable[Mapping[str, Any]] | None, said: Mapping[str, Any], asked: Attributes) -> bool:
    kinds = [asked.kind]
    if said.get("matchPolicy", "Equivalent") == "Equivalent":
        kinds += _equivalents(asked.kind)
    return any(_by_rule(rule, kind, asked) for kind in kinds for rule in rules or ())


def _equivalents(kind: Kind) -> list[Kind]:
    """Other versions, and other groups, under which the same objects are served."""
    group, plural = SAME.get((kind.group, kind.plural), (kind.group, kind.plural))
    places = ((kind.group, kind.plural), (group, plural))
    return [other for other in KNOWN.values() if (other.group, other.plural) in places and other != kind]


def _by_rule(rule: Mapping[str, Any], kind: Kind, asked: Attributes) -> bool:
    names = rule.get("resourceNames")
    return (
        _in_scope(rule.get("scope") or "*", asked)
        and _has(rule.get("operations"), asked.operation)
        and _has(rule.get("apiGroups"), kind.group)
        and _has(rule.get("apiVersions"), kind.version)
        and any(_is_resource(said, kind.plural, asked.subresource) for said in rule.get("resources") or ())
        and (not names or asked.name in names)
    )


def _in_scope(scope: str, asked: Attributes) -> bool:
    inside = bool(asked.namespace) and asked.kind != NAMESPACE
    return scope == "*" or (scope == "Namespaced") is inside


def _has(items: Iterable[str] | None, wanted: str) -> bool:
    return any(item in ("*", wanted) for item in items or ())


def _is_resource(said: str, plural: str, subresource: str) -> bool:
    resource, _, part = said.partition("/")
    return resource in ("*", plural) and part in ("*", subresource)
