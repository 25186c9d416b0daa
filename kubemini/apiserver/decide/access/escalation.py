"""Nobody may grant what he does not have: are the rules of a role covered by those of its writer? Pure.

Models k/component-helpers auth/rbac/validation Covers BreakdownRule; k/k pkg/registry/rbac/validation
ConfirmNoEscalation CompactRules; k/k pkg/registry/rbac RoleEscalationAuthorized BindingAuthorized.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from typing import Any

from kubemini.api.objects import Obj
from kubemini.apiserver.decide.access.attributes import Attributes
from kubemini.apiserver.decide.access.rbac import ALL, GROUP, Roles, Rule, url_covers
from kubemini.apiserver.decide.access.users import UserInfo

EVERYTHING: Sequence[Rule] = (
    {"verbs": [ALL], "apiGroups": [ALL], "resources": [ALL]},
    {"verbs": [ALL], "nonResourceURLs": [ALL]},
)
NO_AGGREGATION = "must have cluster-admin privileges to use the aggregationRule"
_SHOWN = (
    ("APIGroups", "apiGroups"),
    ("Resources", "resources"),
    ("NonResourceURLs", "nonResourceURLs"),
    ("ResourceNames", "resourceNames"),
    ("Verbs", "verbs"),
)


def right_to_escalate(user: UserInfo, resource: str, namespace: str, name: str) -> Attributes:
    """What whoever may write any rules into a role may do."""
    return Attributes(user, "escalate", GROUP, resource, namespace=namespace, name=name)


def right_to_bind(user: UserInfo, ref: Mapping[str, Any], namespace: str) -> Attributes:
    """What whoever may bind any role may do."""
    resource = "clusterroles" if ref["kind"] == "ClusterRole" else "roles"
    return Attributes(user, "bind", GROUP, resource, namespace=namespace, name=ref["name"])


def refusal(roles: Roles, user: UserInfo, namespace: str, granted: Iterable[Rule]) -> str:
    """Why *user* may not grant these rules; "" if he has them all himself."""
    found = [*roles.rules_for(user, namespace)]
    held = [one.rule for one in found if one.rule is not None]
    missing = uncovered(held, granted)
    if not missing:
        return ""
    lines = sorted({_shown(rule) for rule in _compact(missing)})
    who = f'user "{user.name}" (groups=[{_quoted(user.groups)}])'
    text = f"{who} is attempting to grant RBAC permissions not currently held:\n"
    problems = [one.error for one in found if one.error]
    after = f"; resolution errors: [{' '.join(problems)}]" if problems else ""
    return text + "\n".join(lines) + after


def uncovered(held: Sequence[Rule], granted: Iterable[Rule]) -> list[Rule]:
    """What of the *granted* rules none of those that are *held* allows, in the smallest pieces."""
    return [rule for wide in granted for rule in broken_down(wide) if not any(_covers(own, rule) for own in held)]


def role_refusal(roles: Roles, user: UserInfo, namespace: str, role: Obj, old: Obj | None) -> str:
    """Why *user* may not write *role* in the place of *old*; "" if he may."""
    wrong = refusal(roles, user, namespace, role.get("rules") or ())
    if wrong or not (_aggregates(role) or (old is not None and _aggregates(old))):
        return wrong
    return NO_AGGREGATION if refusal(roles, user, namespace, EVERYTHING) else ""


def _aggregates(role: Obj) -> bool:
    return bool((role.get("aggregationRule") or {}).get("clusterRoleSelectors"))


def broken_down(rule: Rule) -> list[Rule]:
    """*rule* as many, each of one verb, one resource and one name."""
    verbs, found = rule.get("verbs") or (), list[Rule]()
    names = rule.get("resourceNames") or (None,)
    for group, resource, verb, name in product(rule.get("apiGroups") or (), rule.get("resources") or (), verbs, names):
        small = {"apiGroups": [group], "resources": [resource], "verbs": [verb]}
        found.append({**small, "resourceNames": [name]} if name is not None else small)
    found += [
        {"nonResourceURLs": [url], "verbs": [verb]} for url in rule.get("nonResourceURLs") or () for verb in verbs
    ]
    return found


def _covers(own: Rule, small: Rule) -> bool:
    """Whether *own* allows all that *small*, one of those broken down, does."""
    if not _holds(own, "verbs", small["verbs"]):
        return False
    if "nonResourceURLs" in small:
        return any(url_covers(url, small["nonResourceURLs"][0]) for url in own.get("nonResourceURLs") or ())
    names = own.get("resourceNames") or ()
    named = not names or small.get("resourceNames", [None])[0] in names
    return named and _holds(own, "apiGroups", small["apiGroups"]) and _holds_resource(own, small["resources"][0])


def _holds(own: Rule, key: str, wanted: Sequence[str]) -> bool:
    held = own.get(key) or ()
    return ALL in held or wanted[0] in held


def _holds_resource(own: Rule, path: str) -> bool:
    held = own.get("resources") or ()
    return ALL in held or path in held or ("/" in path and f"*/{path.partition('/')[2]}" in held)


def _compact(rules: Iterable[Rule]) -> list[Rule]:
    """Rules of one resource as one, with all their verbs."""
    plain, merged = list[Rule](), dict[Any, dict[str, Any]]()
    for rule in rules:
        if "nonResourceURLs" in rule:
            plain.append(rule)
            continue
        key = rule["apiGroups"][0], rule["resources"][0], tuple(rule.get("resourceNames", ()))
        if key in merged:
            merged[key]["verbs"] = [*merged[key]["verbs"], *rule["verbs"]]
        else:
            merged[key] = dict(rule)
    return [*plain, *merged.values()]


def _shown(rule: Rule) -> str:
    parts = [f"{word}:[{_quoted(rule[key])}]" for word, key in _SHOWN if rule.get(key)]
    return "{" + ", ".join(parts) + "}"


def _quoted(texts: Iterable[str]) -> str:
    """As Go's %q shows a list."""
    return " ".join(f'"{text}"' for text in texts)


def only_fades(new: Obj, old: Obj | None) -> bool:
    """Whether a write changes only what the garbage collector must change. Models k/k IsOnlyMutatingGCFields"""
    if old is None:
        return False
    return _lasting(new) == _lasting(old)


def _lasting(obj: Obj) -> Any:
    gone = ("ownerReferences", "finalizers", "managedFields", "resourceVersion")
    meta = {key: value for key, value in obj["metadata"].items() if key not in gone}
    return {**obj, "metadata": meta}
