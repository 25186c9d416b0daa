"""Which flow a request belongs to, and between which queues it may choose. Pure.

Flow schemas are looked at in order of their precedence; the first that fits names the priority level. A level has many
queues; a flow is dealt a hand of them, always the same: two flows share one or two queues, hardly ever all, so an
elephant cannot tread on every mouse (shuffle sharding).
Models k/apiserver pkg/util/flowcontrol matchesFlowSchema computeFlowDistinguisher hashFlowID; k/apiserver
pkg/util/shufflesharding Dealer.Deal.
"""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from kubemini.api.objects import Obj
from kubemini.apiserver.decide.access.users import SERVICE_ACCOUNT, UserInfo
from kubemini.apiserver.decide.request import RequestInfo

ALL = "*"
CATCH_ALL = "catch-all"


def in_order(schemas: Iterable[Obj]) -> list[Obj]:
    """*schemas*, the first to be looked at first."""
    return sorted(schemas, key=lambda one: (one["spec"].get("matchingPrecedence", 1000), one["metadata"]["name"]))


def schema_of(schemas: Iterable[Obj], info: RequestInfo, user: UserInfo) -> Obj | None:
    """The first of *schemas*, which are in order, that a request fits; the one that catches all if none."""
    last = None
    for schema in schemas:
        if any(_fits(rule, info, user) for rule in schema["spec"].get("rules") or ()):
            return schema
        last = schema if schema["metadata"]["name"] == CATCH_ALL else last
    return last


def distinguisher(schema: Obj, info: RequestInfo, user: UserInfo) -> str:
    """What tells the flows of one schema apart: the user, the namespace, or nothing."""
    method = (schema["spec"].get("distinguisherMethod") or {}).get("type", "")
    return {"ByUser": user.name, "ByNamespace": info.namespace}.get(method, "")


def hashed(schema: str, flow: str) -> int:
    """The number by which a flow is dealt its hand."""
    return int.from_bytes(hashlib.sha256(f"{schema}\0{flow}".encode()).digest()[:8], "little")


def dealt(number: int, deck: int, hand: int) -> list[int]:
    """*hand* different cards of a deck of so many, always the same for a *number*."""
    remainders = []
    for dealt_before in range(hand):
        number, remainder = divmod(number, deck - dealt_before)
        remainders.append(remainder)
    cards = []
    for place, card in enumerate(remainders):
        for other in reversed(remainders[:place]):
            card += card >= other
        cards.append(card)
    return cards


# -- rules -------------------------------------------------------------------------------------------------------------


def _fits(rule: Mapping[str, Any], info: RequestInfo, user: UserInfo) -> bool:
    if not any(_is(subject, user) for subject in rule.get("subjects") or ()):
        return False
    if info.is_resource:
        return any(_is_about(one, info) for one in rule.get("resourceRules") or ())
    return any(
        _holds(info.verb, one["verbs"]) and _is_path(info.path, one["nonResourceURLs"])
        for one in rule.get("nonResourceRules") or ()
    )


def _is(subject: Mapping[str, Any], user: UserInfo) -> bool:
    kind = subject["kind"]
    if kind == "User":
        return (subject.get("user") or {}).get("name") in (ALL, user.name)
    if kind == "Group":
        name = (subject.get("group") or {}).get("name")
        return name == ALL or name in user.groups
    account = subject.get("serviceAccount") or {}
    prefix = f"{SERVICE_ACCOUNT}{account.get('namespace')}:"
    name = account.get("name", "")
    return user.name.startswith(prefix) if name == ALL else user.name == prefix + name


def _is_about(rule: Mapping[str, Any], info: RequestInfo) -> bool:
    what = f"{info.resource}/{info.subresource}" if info.subresource else info.resource
    fits = (
        _holds(info.verb, rule["verbs"]) and _holds(info.group, rule["apiGroups"]) and _holds(what, rule["resources"])
    )
    if not info.namespace:
        return fits and bool(rule.get("clusterScope"))
    return fits and _holds(info.namespace, rule.get("namespaces") or ())


def _holds(wanted: str, known: Iterable[str]) -> bool:
    known = list(known)
    return known == [ALL] or wanted in known


def _is_path(path: str, known: Iterable[str]) -> bool:
    for one in known:
        if one in (ALL, path):
            return True
        prefix = one.removesuffix("*")
        if path.startswith(prefix if prefix.endswith("/") else f"{prefix}/"):
            return True
    return False
