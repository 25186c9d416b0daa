"""Rules of RBAC as rows: each broken down, folded together, and put in order.

Models k/kubectl pkg/util/rbac BreakdownRule CompactRules SortableRuleSlice; pkg/describe CombineResourceGroup.
"""

from collections.abc import Iterable
from typing import Any

FIELDS = ("verbs", "apiGroups", "resources", "resourceNames", "nonResourceURLs")
HEADS = ("Resources", "Non-Resource URLs", "Resource Names", "Verbs")


def rows(rules: Iterable[Any]) -> list[tuple[str, str, str, str]]:
    """Resource, URLs, names and verbs of each rule."""
    compacted = _compact([part for rule in rules for part in _broken(rule)])
    compacted.sort(key=_text)
    return [
        (_combined(one), _shown(one["nonResourceURLs"]), _shown(one["resourceNames"]), _shown(one["verbs"]))
        for one in compacted
    ]


def _rule(verb: str, group: list[str], resource: list[str], name: list[str], url: list[str]) -> dict[str, list[str]]:
    return dict(zip(FIELDS, ([verb], group, resource, name, url), strict=True))


def _broken(rule: Any) -> list[dict[str, list[str]]]:
    verbs, names = rule.get("verbs") or [], rule.get("resourceNames") or []
    found = [
        _rule(verb, [group], [resource], [name] if name is not None else [], [])
        for group in rule.get("apiGroups") or []
        for resource in rule.get("resources") or []
        for verb in verbs
        for name in (names or [None])
    ]
    return found + [_rule(verb, [], [], [], [url]) for url in rule.get("nonResourceURLs") or [] for verb in verbs]


def _compact(parts: list[dict[str, list[str]]]) -> list[dict[str, list[str]]]:
    simple: dict[tuple[str, ...], dict[str, list[str]]] = {}
    rest = [part for part in parts if part["nonResourceURLs"]]
    for part in parts:
        if part["nonResourceURLs"]:
            continue
        key = (*part["apiGroups"], *part["resources"], *part["resourceNames"])
        there = simple.setdefault(key, {**part, "verbs": []})
        there["verbs"] += [verb for verb in part["verbs"] if verb not in there["verbs"]]
    return rest + list(simple.values())


def _text(one: dict[str, list[str]]) -> str:
    titles = ("Verbs", "APIGroups", "Resources", "ResourceNames", "NonResourceURLs")
    return "".join(f"{title}:{_shown(one[field])}," for title, field in zip(titles, FIELDS, strict=True))


def _shown(words: list[str]) -> str:
    return f"[{' '.join(words)}]"


def _combined(one: dict[str, list[str]]) -> str:
    if not one["resources"]:
        return ""
    name, slash, part = one["resources"][0].partition("/")
    group = one["apiGroups"][0] if one["apiGroups"] else ""
    return name + (f".{group}" if group else "") + slash + part
