"""JSON merge patch (RFC 7386): what kubectl scale, label and annotate send. Its neighbours do the other kinds of patch.

A patch is a partial object: a value replaces, null removes, a list replaces the whole list.

Models k/apimachinery pkg/util/jsonmergepatch CreateThreeWayJSONMergePatch
"""

from collections.abc import Mapping
from typing import Any

from kubemini.api.objects import EMPTY, FrozenDict, freeze


def merge(target: Any, patch: Any) -> Any:
    """*target* as *patch* wants it. Branches that the patch does not touch, or does not change, are shared."""
    if not isinstance(patch, dict):
        return freeze(patch)
    old = target if isinstance(target, dict) else EMPTY
    new = dict(old)
    for key, value in patch.items():
        if value is None:
            new.pop(key, None)
        else:
            new[key] = merge(old.get(key), value)
    return target if new == target and isinstance(target, FrozenDict) else freeze(new)


def diff(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """The smallest merge patch that turns *old* into *new*."""
    patch: dict[str, Any] = {key: None for key in old if key not in new}
    for key, value in new.items():
        before = old.get(key)
        if isinstance(before, dict) and isinstance(value, dict):
            patch |= {key: inner} if (inner := diff(before, value)) else {}
        elif before != value or type(before) is not type(value):
            patch[key] = value
    return patch


def three_way(original: Mapping[str, Any], modified: Mapping[str, Any], current: Mapping[str, Any]) -> dict[str, Any]:
    """What ``kubectl apply`` sends: additions and changes against *current*, removals against *original* only."""
    return _both(nulls_of(diff(original, modified)), values_of(diff(current, modified)))


def values_of(patch: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a patch that sets. Models k/apimachinery pkg/util/jsonmergepatch keepOrDeleteNullInObj"""
    kept = {key: values_of(value) if isinstance(value, dict) else value for key, value in patch.items()}
    return {key: value for key, value in kept.items() if value is not None and (value != {} or patch[key] == {})}


def nulls_of(patch: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a patch that removes."""
    kept = {key: nulls_of(value) if isinstance(value, dict) else value for key, value in patch.items()}
    return {key: value for key, value in kept.items() if value is None or (isinstance(value, dict) and value)}


def _both(left: Mapping[str, Any], right: Mapping[str, Any]) -> dict[str, Any]:
    """Both patches in one."""
    merged = dict(left)
    for key, value in right.items():
        inner = merged.get(key)
        merged[key] = _both(inner, value) if isinstance(inner, dict) and isinstance(value, dict) else value
    return merged
