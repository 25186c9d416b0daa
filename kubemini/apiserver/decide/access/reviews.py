"""Reviews: questions to the server about rights and users. They are answered, never stored. Pure.

    SubjectAccessReview, LocalSubjectAccessReview     may he?         SelfSubjectRulesReview   what may I do here?
    SelfSubjectAccessReview                           may I?          SelfSubjectReview        who am I?
    TokenReview                                       whose token is this?

Models k/k pkg/apis/authorization/validation ValidateSubjectAccessReview ValidateLocalSubjectAccessReview; k/k
pkg/registry/authorization/util AuthorizationAttributesFrom; k/k pkg/registry/authorization/selfsubjectrulesreview
REST.Create; k/k pkg/registry/authentication/tokenreview REST.Create.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from kubemini.api.errors import FieldError
from kubemini.api.objects import Obj
from kubemini.apiserver.decide.access import attributes
from kubemini.apiserver.decide.access.attributes import Attributes, Decision
from kubemini.apiserver.decide.access.rbac import Roles, aggregate
from kubemini.apiserver.decide.access.users import UserInfo

ONE = "exactly one of nonResourceAttributes or resourceAttributes must be specified"
NOT_HERE = "disallowed on this kind of request"
NODE_RULES = "node authorizer does not support user rule resolution"
_OWN = ("name", "generateName", "labels", "annotations", "ownerReferences", "finalizers")


def user_of(spec: Mapping[str, Any]) -> UserInfo:
    """Whom a review is about."""
    extra = {key.lower(): tuple(values) for key, values in (spec.get("extra") or {}).items()}
    return UserInfo(spec.get("user", ""), tuple(spec.get("groups") or ()), spec.get("uid", ""), extra)


def question(spec: Mapping[str, Any], user: UserInfo) -> Attributes:
    """What a review asks about *user*."""
    asked = spec.get("resourceAttributes")
    if asked is None:
        plain = spec["nonResourceAttributes"]
        return Attributes(user, plain.get("verb", ""), path=plain.get("path", ""), is_resource=False)
    keys = ("verb", "group", "resource", "subresource", "namespace", "name")
    words = {key: asked.get(key, "") for key in keys}
    return Attributes(user, **words, selected=_selected(asked.get("fieldSelector") or {}))


def _selected(selector: Mapping[str, Any]) -> dict[str, str]:
    if selector.get("rawSelector"):
        return attributes.selected(selector["rawSelector"])
    terms = selector.get("requirements") or ()
    return {
        term["key"]: term["values"][0]
        for term in terms
        if term.get("operator") == "In" and len(term.get("values") or ()) == 1
    }


def status(decision: Decision) -> dict[str, Any]:
    """The answer to "may he?"."""
    return {"allowed": decision.allowed} | ({"reason": decision.reason} if decision.reason else {})


def wrong(review: Obj, about_others: bool, local: bool) -> Iterator[FieldError]:
    """What is wrong with a review. *about_others*: its spec names a user; *local*: it lives in a namespace."""
    spec, meta = review.get("spec") or {}, review.get("metadata") or {}
    resource, plain = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    if (resource is None) == (plain is None):
        yield _invalid("spec", _go(plain), ONE)
    if about_others and not spec.get("user") and not spec.get("groups"):
        yield _invalid("spec.user", '""', "at least one of user or group must be specified")
    yield from _wrong_selectors(resource or {})
    if any(meta.get(key) for key in _OWN) or (meta.get("namespace") and not local):
        yield _invalid("metadata", json.dumps(dict(meta)), f"must be empty{' except for namespace' if local else ''}")
    if local and resource is not None and resource.get("namespace", "") != meta.get("namespace", ""):
        value = json.dumps(resource.get("namespace", ""))
        yield _invalid("spec.resourceAttributes.namespace", value, "must match metadata.namespace")
    if local and plain is not None:
        yield _invalid("spec.nonResourceAttributes", _go(plain), NOT_HERE)


def _wrong_selectors(resource: Mapping[str, Any]) -> Iterator[FieldError]:
    for key in ("fieldSelector", "labelSelector"):
        selector = resource.get(key)
        if selector is None:
            continue
        where = f"spec.resourceAttributes.{key}"
        raw, terms = selector.get("rawSelector"), selector.get("requirements")
        if raw and terms:
            yield _invalid(
                f"{where}.rawSelector", json.dumps(raw), "may not specified at the same time as requirements"
            )
        if not raw and not terms:
            text = f"Required value: when {where} is specified, requirements or rawSelector is required"
            yield FieldError("FieldValueRequired", f"{where}.requirements", text)


def _go(plain: Mapping[str, Any] | None) -> str:
    """NonResourceAttributes as the server's internal type prints them."""
    if plain is None:
        return "null"
    return json.dumps({"Path": plain.get("path", ""), "Verb": plain.get("verb", "")}, separators=(",", ":"))


def _invalid(field: str, value: str, why: str) -> FieldError:
    return FieldError("FieldValueInvalid", field, f"Invalid value: {value}: {why}")


def rules(roles: Roles, user: UserInfo, namespace: str, is_node: bool) -> dict[str, Any]:
    """The status of a SelfSubjectRulesReview."""
    resources, paths, problems = list[Any](), list[Any](), list[str]()
    for found in roles.rules_for(user, namespace):
        rule = found.rule or {}
        verbs = [*(rule.get("verbs") or ())]
        if rule.get("resources"):
            keys = ("apiGroups", "resources", "resourceNames")
            resources.append({"verbs": verbs} | {key: [*rule[key]] for key in keys if rule.get(key)})
        if rule.get("nonResourceURLs"):
            paths.append({"verbs": verbs, "nonResourceURLs": [*rule["nonResourceURLs"]]})
        if found.error:
            problems.append(found.error)
    problems = [NODE_RULES, *problems] if is_node else problems
    said = {"evaluationError": aggregate(problems)} if problems else {}
    return {"resourceRules": resources, "nonResourceRules": paths, "incomplete": is_node} | said
