"""Role-based access control: which rules a user has, and whether one of them allows what is asked. Pure.

Rules only ever allow, so the answer is the same in any order; the first that fits is named as the reason.
Models k/k plugin/pkg/auth/authorizer/rbac RBACAuthorizer.Authorize RuleAllows; pkg/registry/rbac/validation
DefaultRuleResolver.VisitRulesFor appliesTo; pkg/apis/rbac/v1 VerbMatches ResourceMatches NonResourceURLMatches.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from kubemini.api.objects import Obj
from kubemini.apiserver.decide.access.attributes import Attributes, Decision
from kubemini.apiserver.decide.access.users import SERVICE_ACCOUNT, UserInfo

GROUP = "rbac.authorization.k8s.io"
ALL = "*"
Rule = Mapping[str, Any]


class Found(NamedTuple):
    """One rule that a user has, and through which binding; or why a binding leads nowhere."""

    rule: Rule | None
    source: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Roles:
    """All roles and bindings that are known: by name, by (namespace, name), in order, by namespace."""

    cluster_roles: Mapping[str, Obj] = field(default_factory=dict)
    roles: Mapping[tuple[str, str], Obj] = field(default_factory=dict)
    cluster_bindings: Sequence[Obj] = ()
    bindings: Mapping[str, Sequence[Obj]] = field(default_factory=dict)

    def rules_for(self, user: UserInfo, namespace: str = "") -> Iterator[Found]:
        """What *user* may do, everywhere and in *namespace*."""
        yield from self._through("ClusterRoleBinding", self.cluster_bindings, user, "")
        if namespace:
            yield from self._through("RoleBinding", self.bindings.get(namespace, ()), user, namespace)

    def _through(self, kind: str, bindings: Sequence[Obj], user: UserInfo, namespace: str) -> Iterator[Found]:
        for binding in bindings:
            subject = next((one for one in binding.get("subjects") or () if _is(user, one, namespace)), None)
            if subject is None:
                continue
            rules, error = self.referenced(binding["roleRef"], namespace)
            if error:
                yield Found(None, error=error)
            source = _described(kind, binding, subject, namespace)
            for rule in rules:
                yield Found(rule, source)

    def referenced(self, ref: Mapping[str, Any], namespace: str) -> tuple[Sequence[Rule], str]:
        """The rules of the role that *ref* names, and why there are none."""
        if ref["kind"] == "ClusterRole":
            role, what = self.cluster_roles.get(ref["name"]), "clusterrole"
        else:
            role, what = self.roles.get((namespace, ref["name"])), "role"
        if role is None:
            return (), f'{what}.{GROUP} "{ref["name"]}" not found'
        return role.get("rules") or (), ""


def authorize(roles: Roles, asked: Attributes) -> Decision:
    """May they? By the rules of all their bindings."""
    problems = []
    for found in roles.rules_for(asked.user, asked.namespace):
        if found.rule is not None and allows(found.rule, asked):
            return Decision(True, f"RBAC: allowed by {found.source}")
        if found.error:
            problems.append(found.error)
    return Decision(False, f"RBAC: {aggregate(problems)}" if problems else "")


def allows(rule: Rule, asked: Attributes) -> bool:
    """Whether *rule* is about what is asked."""
    if not _has(rule, "verbs", asked.verb):
        return False
    if not asked.is_resource:
        return any(url_covers(one, asked.path) for one in rule.get("nonResourceURLs") or ())
    if not _has(rule, "apiGroups", asked.group) or not _is_about(rule, asked):
        return False
    names = rule.get("resourceNames") or ()
    return not names or asked.name in names


def url_covers(rule: str, path: str) -> bool:
    """Whether a nonResourceURL stands for *path*; a star at its end stands for anything."""
    return rule in (ALL, path) or (rule.endswith("*") and path.startswith(rule.rstrip("*")))


def aggregate(problems: Sequence[str]) -> str:
    """Several errors as one. Models k/apimachinery pkg/util/errors NewAggregate"""
    different = list(dict.fromkeys(problems))
    return different[0] if len(different) == 1 else f"[{', '.join(different)}]"


def _has(rule: Rule, key: str, wanted: str) -> bool:
    held = rule.get(key) or ()
    return wanted in held or ALL in held


def _is_about(rule: Rule, asked: Attributes) -> bool:
    held, sub = rule.get("resources") or (), asked.subresource
    whole = f"{asked.resource}/{sub}" if sub else asked.resource
    return ALL in held or whole in held or (bool(sub) and f"*/{sub}" in held)


def _is(user: UserInfo, subject: Mapping[str, Any], namespace: str) -> bool:
    kind, name = subject["kind"], subject["name"]
    if kind == "User":
        return user.name == name
    if kind == "Group":
        return name in user.groups
    space = subject.get("namespace") or namespace
    return kind == "ServiceAccount" and bool(space) and user.name == f"{SERVICE_ACCOUNT}{space}:{name}"


def _described(kind: str, binding: Obj, subject: Mapping[str, Any], namespace: str) -> str:
    """As a reason tells where a rule comes from."""
    meta, ref = binding["metadata"], binding["roleRef"]
    name = f"{meta['name']}/{namespace}" if namespace else meta["name"]
    who = subject["name"]
    if subject["kind"] == "ServiceAccount":
        who = f"{who}/{subject.get('namespace') or namespace}"
    return f'{kind} "{name}" of {ref["kind"]} "{ref["name"]}" to {subject["kind"]} "{who}"'
