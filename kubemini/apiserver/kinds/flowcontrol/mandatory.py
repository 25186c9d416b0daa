"""The two schemas and the two levels that every server holds, and nobody may change.

Models k/apiserver pkg/apis/flowcontrol/bootstrap MandatoryFlowSchemas, MandatoryPriorityLevelConfigurations.
"""

from typing import Any


def subject(kind: str, name: str) -> dict[str, Any]:
    """A user or a group, as a flow schema names it."""
    return {"kind": kind, kind.lower(): {"name": name}}


def everything(verbs: tuple[str, ...] = ("*",)) -> dict[str, Any]:
    """All resources, in all namespaces and of the cluster."""
    return {
        "verbs": list(verbs),
        "apiGroups": ["*"],
        "resources": ["*"],
        "clusterScope": True,
        "namespaces": ["*"],
    }


def all_urls(verbs: tuple[str, ...] = ("*",), urls: tuple[str, ...] = ("*",)) -> dict[str, Any]:
    """All paths that are no resources."""
    return {"verbs": list(verbs), "nonResourceURLs": list(urls)}


def schema(level: str, precedence: int, method: str, *rules: dict[str, Any]) -> dict[str, Any]:
    """The spec of a flow schema; an empty *method*: all its requests are one flow."""
    told = {"distinguisherMethod": {"type": method}} if method else {}
    named = {"priorityLevelConfiguration": {"name": level}, "matchingPrecedence": precedence}
    return {**named, **told, "rules": list(rules)}


def rule(*subjects: dict[str, Any], resources: Any = (), urls: Any = ()) -> dict[str, Any]:
    """Some *subjects*, and what they ask for."""
    found: dict[str, Any] = {"subjects": list(subjects)}
    found |= {"resourceRules": list(resources)} if resources else {}
    return found | ({"nonResourceRules": list(urls)} if urls else {})


_EVERYBODY = (subject("Group", "system:unauthenticated"), subject("Group", "system:authenticated"))
_MASTERS = rule(subject("Group", "system:masters"), resources=(everything(),), urls=(all_urls(),))
_ALL = rule(*_EVERYBODY, resources=(everything(),), urls=(all_urls(),))
FLOW_SCHEMAS = {
    "exempt": schema("exempt", 1, "", _MASTERS),
    "catch-all": schema("catch-all", 10_000, "ByUser", _ALL),
}
LEVELS: dict[str, dict[str, Any]] = {
    "exempt": {"type": "Exempt", "exempt": {"nominalConcurrencyShares": 0, "lendablePercent": 0}},
    "catch-all": {
        "type": "Limited",
        "limited": {"nominalConcurrencyShares": 5, "limitResponse": {"type": "Reject"}, "lendablePercent": 0},
    },
}
