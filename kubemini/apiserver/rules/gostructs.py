"""A value as Go prints the internal struct that it becomes: every field, in Go's order and under Go's names.

    internal(spec, "policy.PodDisruptionBudgetSpec")  →  {"MinAvailable":2,"Selector":{…},"MaxUnavailable":null,…}

A refusal that shows a struct shows the server's internal type, whose fields have other names than a manifest's, and
which writes what is not there as null, "" or 0. ``api/schema/internals.txt`` holds these types, as derived facts.
Models go encoding/json Marshal.
Simplified: an amount that is not there is "0" wherever Go holds it by value.
"""

import difflib
from collections.abc import Mapping
from functools import cache
from typing import Any

from kubemini.api import schema
from kubemini.api.objects import Obj
from kubemini.apiserver.rules.causes import IMMUTABLE, InOrder, Wrong, invalid, pretty

OTHERWISE = {"DeprecatedServiceAccount": "serviceAccount"}  # fields whose names differ in more than capitals
_META = "name generateName namespace selfLink uid resourceVersion generation creationTimestamp deletionTimestamp"
META = (*_META.split(), "deletionGracePeriodSeconds", "labels", "annotations", "ownerReferences", "finalizers")
WRITTEN = {  # types of meta/v1 write their fields under the names of a manifest, and leave out what is empty
    "metav1.ObjectMeta": META,
    "metav1.TypeMeta": ("kind", "apiVersion"),
    "metav1.LabelSelector": ("matchLabels", "matchExpressions"),
    "metav1.LabelSelectorRequirement": ("key", "operator", "values"),
}
ALWAYS = ("key", "operator")  # of a requirement, though empty
ZERO: dict[str, Any] = {"string": "", "bool": False, "quantity": "0", "int-or-string": 0}
NULL = ("bytes", "time", "json")


def internal(value: Any, type: str) -> Any:
    """*value*, as a manifest spells it, as the internal *type* is printed."""
    if type.startswith("*"):
        return None if value is None else internal(value, type[1:])
    if type.startswith("[]"):
        return None if value is None else [internal(item, schema.item(type)) for item in value]
    if type.startswith("{}"):
        return None if value is None else {key: internal(item, schema.item(type)) for key, item in value.items()}
    if type in WRITTEN:
        return _written(value or {}, type)
    if type in schema.internals():
        return InOrder(_fields(value or {}, type))
    return _zero(type) if value is None else value


def stays(new: Any, old: Any, field: str, type: str = "") -> Wrong:
    """A *field* may not change; *type*: the internal type that a refusal shows it as, if it is a struct.

    Models k/apimachinery pkg/api/validation ValidateImmutableField
    """
    if new != old:
        yield invalid(field, internal(new, type) if type else new, IMMUTABLE)


def difference(old: Any, new: Any, type: str) -> str:
    """The lines in which two values of an internal *type* differ, as a refusal ends; begins with a line break.

    Models k/apimachinery pkg/util/diff Diff
    """
    before, after = (pretty(internal(value, type)).splitlines() for value in (old, new))
    lines = [*difflib.unified_diff(before, after, lineterm="")][2:]
    return "\n" + "".join(f"{line}\n" for line in lines)


def selector(value: Obj | None) -> Any:
    """A label selector as Go prints it."""
    return internal(value, "*metav1.LabelSelector")


def _zero(type: str) -> Any:
    return None if type in NULL else ZERO.get(type, 0)


def _fields(value: Mapping[str, Any], type: str) -> list[tuple[str, Any]]:
    """Name and value of every field; those of an embedded struct stand among them."""
    found: list[tuple[str, Any]] = []
    names = _by_small_letters(tuple(value))
    for name, inner, written in schema.internals()[type]:
        if not name:
            source = value.get("metadata") or {} if inner == "metav1.ObjectMeta" else value
            found += internal(source, inner).items()
        else:
            key = OTHERWISE.get(name) or names.get(name.lower(), "")
            found.append((written or name, internal(value.get(key), inner)))
    return found


@cache
def _by_small_letters(names: tuple[str, ...]) -> dict[str, str]:
    return {name.lower(): name for name in names}


def _written(value: Mapping[str, Any], type: str) -> InOrder:
    if type == "metav1.LabelSelector" and value.get("matchExpressions"):
        terms = [_written(term, "metav1.LabelSelectorRequirement") for term in value["matchExpressions"]]
        value = {**value, "matchExpressions": terms}
    told = ALWAYS if type == "metav1.LabelSelectorRequirement" else ()
    return InOrder((key, value.get(key, "")) for key in WRITTEN[type] if value.get(key) or key in told)
