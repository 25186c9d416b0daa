"""What roles share, and what bindings share: names, rules of a policy, subjects.

Models k/k pkg/apis/rbac/validation ValidateRBACName, ValidatePolicyRule, ValidateRoleBinding,
ValidateRoleBindingSubject; defaults: k/k pkg/apis/rbac/v1 SetDefaults_RoleBinding, SetDefaults_Subject.
"""

from collections.abc import Callable
from typing import Any

from kubemini.api import names
from kubemini.api.objects import Obj, get
from kubemini.apiserver.columns import AGE, NAME, WIDE, Column
from kubemini.apiserver.rules.causes import (
    IMMUTABLE,
    Wrong,
    each,
    indexed,
    invalid,
    required,
    unsupported,
)
from kubemini.apiserver.rules.filling import filled
from kubemini.apiserver.rules.gostructs import internal

GROUP = "rbac.authorization.k8s.io"
SUBJECTS = ("ServiceAccount", "User", "Group")
NOT_FOR_URLS = "namespaced rules cannot apply to non-resource URLs"
NOT_BOTH = "rules cannot apply to both regular resources and non-resource URLs"


# -- roles -------------------------------------------------------------------------------------------


def policy_rules(role: Obj, namespaced: bool) -> Wrong:
    """Every complaint about the rules of *role*."""
    for number, rule in enumerate(role.get("rules") or ()):
        yield from _policy_rule(rule, namespaced, f"rules[{number}]")


def _policy_rule(rule: Obj, namespaced: bool, path: str) -> Wrong:
    urls = rule.get("nonResourceURLs")
    if urls:
        if namespaced:
            yield invalid(f"{path}.nonResourceURLs", urls, NOT_FOR_URLS)
        if any(rule.get(field) for field in ("apiGroups", "resources", "resourceNames")):
            yield invalid(f"{path}.nonResourceURLs", urls, NOT_BOTH)
        return
    if not rule.get("apiGroups"):
        yield required(f"{path}.apiGroups", "resource rules must supply at least one api group")
    if not rule.get("resources"):
        yield required(f"{path}.resources", "resource rules must supply at least one resource")


def verbs_are_given(role: Obj, old: Obj | None) -> Wrong:
    """A rule without a verb allows nothing. Only what is new is judged."""
    if old is not None and (old.get("rules") or []) == (role.get("rules") or []):
        return
    for number, rule in enumerate(role.get("rules") or ()):
        if not rule.get("verbs"):
            yield required(f"rules[{number}].verbs")


# -- bindings ----------------------------------------------------------------------------------------


def binding_defaults(obj: Obj) -> Obj:
    """*obj* with the group of its role and of its subjects."""
    role = filled(obj.get("roleRef"), apiGroup=GROUP)
    subjects = [_with_group(subject) for subject in obj.get("subjects") or ()]
    return {**obj, "roleRef": role} | ({"subjects": subjects} if subjects else {})


def _with_group(subject: Obj) -> Any:
    return filled(subject, apiGroup=GROUP) if subject.get("kind") in ("User", "Group") else subject


def binding_rules(roles: tuple[str, ...], namespaced: bool) -> Callable[[Obj], Wrong]:
    """The rules of bindings that may name these kinds of *roles*."""

    def rules(obj: Obj) -> Wrong:
        role = obj.get("roleRef") or {}
        if role.get("apiGroup", "") != GROUP:
            yield unsupported("roleRef.apiGroup", role.get("apiGroup", ""), (GROUP,))
        if role.get("kind", "") not in roles:
            yield unsupported("roleRef.kind", role.get("kind", ""), roles)
        if role.get("name"):
            yield from each(names.path_segment(role["name"]), "roleRef.name", role["name"])
        yield from indexed(obj.get("subjects"), "subjects", lambda one, path: _subject(one, path, namespaced))

    return rules


def _subject(subject: Obj, path: str, namespaced: bool) -> Wrong:
    kind, group = subject.get("kind", ""), subject.get("apiGroup", "")
    if kind == "ServiceAccount":
        if subject.get("name"):
            yield from each(names.dns_subdomain(subject["name"]), f"{path}.name", subject["name"])
        if group:
            yield unsupported(f"{path}.apiGroup", group, ("",))
        if not namespaced and not subject.get("namespace"):
            yield required(f"{path}.namespace")
    elif kind not in SUBJECTS:
        yield unsupported(f"{path}.kind", kind, SUBJECTS)
    elif group != GROUP:
        yield unsupported(f"{path}.apiGroup", group, (GROUP,))


def all_are_named(obj: Obj, old: Obj | None) -> Wrong:
    """The subjects and the role have names. Only what is new is judged."""
    before = old or {}
    if old is None or (before.get("subjects") or []) != (obj.get("subjects") or []):
        for number, subject in enumerate(obj.get("subjects") or ()):
            if not subject.get("name"):
                yield required(f"subjects[{number}].name")
    if old is None and not get(obj, "roleRef", "name"):
        yield required("roleRef.name")


def role_stays(new: Obj, old: Obj) -> Wrong:
    """A binding keeps its role."""
    if new.get("roleRef") != old.get("roleRef"):
        role = new.get("roleRef") or {}
        if not role.get("name"):
            yield required("roleRef.name")
        yield invalid("roleRef", internal(role, "rbac.RoleRef"), IMMUTABLE)


def _named(kind: str) -> Callable[[Obj, int], str]:
    def cell(obj: Obj, now: int) -> str:
        found = [subject for subject in obj.get("subjects") or () if subject.get("kind") == kind]
        if kind == "ServiceAccount":
            return ", ".join(f"{subject.get('namespace', '')}/{subject.get('name', '')}" for subject in found)
        return ", ".join(subject.get("name", "") for subject in found)

    return cell


BINDING_COLUMNS = (
    NAME,
    Column("Role", lambda obj, now: "/".join(get(obj, "roleRef", part) or "" for part in ("kind", "name"))),
    AGE,
    Column("Users", _named("User"), priority=WIDE),
    Column("Groups", _named("Group"), priority=WIDE),
    Column("ServiceAccounts", _named("ServiceAccount"), priority=WIDE),
)
