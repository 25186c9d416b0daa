"""What ``kubectl apply`` sends: a strategic merge patch made from three states of an object.

    patch(original, modified, current, lookup, type)

*original* was applied last, *modified* is to be applied now, *current* is there. What *modified* says and *current* has
otherwise is set; what was in *original* and is not in *modified* is removed; what others added stays.
Models k/apimachinery pkg/util/strategicpatch CreateThreeWayMergePatch diffMaps diffLists.
Simplified: conflicts with changes of others are not looked for (kubectl's --overwrite is true).
"""

from collections.abc import Mapping
from typing import Any

from kubemini.api.patch.strategic import DELETE, DIRECTIVE, ORDER, RETAIN, Field, Lookup

Map = Mapping[str, Any]


def patch(original: Map, modified: Map, current: Map, lookup: Lookup, type: str) -> dict[str, Any]:
    """The patch that turns *current* into what *modified* wants; {} if nothing is to be done."""
    found: dict[str, Any] = {key: None for key in original if key not in modified and original[key] is not None}
    for key, wanted in modified.items():
        found |= _field(key, original.get(key), wanted, current.get(key), lookup, lookup(type, key))
    return found


def _field(key: str, before: Any, wanted: Any, there: Any, lookup: Lookup, field: Field) -> dict[str, Any]:
    if isinstance(wanted, dict) and isinstance(there, dict | None):
        return _map(key, before, wanted, there, lookup, field)
    if isinstance(wanted, list) and isinstance(there, list) and _merges([*wanted, *there], field):
        return _list(key, before if isinstance(before, list) else [], wanted, there, lookup, field)
    return {} if _same(wanted, there) else {key: wanted}


def _merges(items: list, field: Field) -> bool:
    """Whether lists of *items* are merged: by the schema, and as every element has its key. Else they are replaced."""
    key = field.merge_key
    return "merge" in field.strategies and (not key or all(isinstance(i, dict) and key in i for i in items))


def _map(key: str, before: Any, wanted: Map, there: Map | None, lookup: Lookup, field: Field) -> dict[str, Any]:
    """A map that is there, or not yet."""
    before = before if isinstance(before, dict) else {}
    if "replace" in field.strategies and there is not None:
        return {key: wanted}  # even if that is there already
    inner = patch(before, wanted, there or {}, lookup, field.type)
    if there is None:
        return {key: inner}
    inner |= _retained(inner, wanted, there, field)
    return {key: inner} if inner else {}


def _retained(inner: Map, wanted: Map, there: Map, field: Field) -> dict[str, Any]:
    """Which fields stay, where the schema asks for it and something changes, or something else is there."""
    others = any(value is not None and name not in wanted for name, value in there.items())
    if "retainKeys" not in field.strategies or not (inner or others):
        return {}
    return {RETAIN: sorted(name for name, value in wanted.items() if value is not None)}


def _list(key: str, before: list, wanted: list, there: list, lookup: Lookup, field: Field) -> dict[str, Any]:
    """A list that merges: its new and changed elements, those to delete, and the order of all."""
    if not field.merge_key:
        gone = [*dict.fromkeys(item for item in before if item not in wanted)]
        added = [item for item in wanted if item not in there]
        found = {key: added} if added else {}
        found |= {DELETE + key: gone} if gone else {}
        return found | ({ORDER + key: wanted} if found or wanted != there else {})
    merge_key = field.merge_key
    changed = _changed(before, wanted, there, lookup, field)
    named = [item[merge_key] for item in wanted]
    gone = [item[merge_key] for item in before if _merges([item], field) and item[merge_key] not in named]
    changed += [{DIRECTIVE: "delete", merge_key: value} for value in gone]
    found = {key: changed} if changed else {}
    moved = named != [item.get(merge_key) for item in there]
    return found | ({ORDER + key: [{merge_key: value} for value in named]} if changed or moved else {})


def _changed(before: list, wanted: list, there: list, lookup: Lookup, field: Field) -> list[dict[str, Any]]:
    """What is to be merged into each element that *wanted* has, in its order."""
    key = field.merge_key
    old, now = ({item[key]: item for item in items if key in item} for items in (before, there))
    found = []
    for item in wanted:
        if DIRECTIVE in item:
            continue
        inner = patch(old.get(item[key], {}), item, now.get(item[key], {}), lookup, field.type)
        if item[key] in now:
            inner |= _retained(inner, item, now[item[key]], field)
        if inner:
            found.append({**inner, key: item[key]})
    return found


def _same(one: Any, other: Any) -> bool:
    """Equal as JSON: true is not 1."""
    return bool(type(one) is type(other) or isinstance(one, dict | list)) and one == other
