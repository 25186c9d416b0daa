"""Strategic merge patch: a merge patch that knows which lists are sets, or maps by a key.

    merge(deployment, {"spec": {"template": {"spec": {"containers": [{"name": "web", "image": "web:2"}]}}}}, lookup, …)

Theory of operation. A plain merge patch replaces lists whole. Here the published schema says for each list whether it
merges, and by which key its elements are told apart; *lookup* is that schema: (type, field) → `Field`. Directives in
the patch say what data alone cannot:
    $patch: delete | replace         this map goes, or is taken as it stands
    $retainKeys: [a, b]              the fields of this map that stay; all others go (unions: a Deployment's strategy)
    $setElementOrder/LIST: [...]     the order in which the elements stand afterwards
    $deleteFromPrimitiveList/LIST    texts to take out of a list that merges
Elements that the patch does not name keep their places; new ones come before them, unless an order says otherwise.
Invariant: neither argument is changed; what comes out is frozen.
Models k/apimachinery pkg/util/strategicpatch mergeMap mergeSlice normalizeElementOrder mergePatchIntoOriginal.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from kubemini.api.objects import freeze

DIRECTIVE, RETAIN = "$patch", "$retainKeys"
ORDER, DELETE = "$setElementOrder/", "$deleteFromPrimitiveList/"


class Field(NamedTuple):
    """How a field is patched: (merge, replace, retainKeys), the merge key of a list, and the type of its value."""

    strategies: tuple[str, ...] = ()
    merge_key: str = ""
    type: str = ""


Lookup = Callable[[str, str], Field]


class StrategicError(ValueError):
    """A patch that makes no sense. *code* is what the API server answers: 400, or 500 for what it did not foresee."""

    def __init__(self, text: str, code: int = 500):
        super().__init__(text)
        self.code = code


def merge(original: Any, patch: Mapping[str, Any], lookup: Lookup, type: str, nulls: bool = False) -> Any:
    """*original*, an object of *type*, as *patch* wants it; *nulls* keeps nulls that match nothing."""
    return freeze(_Merge(lookup, nulls).maps(original or {}, patch, type))


class _Merge:
    """One merge: what the schema says, and what becomes of nulls."""

    def __init__(self, lookup: Lookup, nulls: bool):
        self.lookup, self.nulls = lookup, nulls

    # -- maps --------------------------------------------------------------------------------------
    def maps(self, original: Mapping[str, Any], patch: Mapping[str, Any], type: str) -> dict[str, Any]:
        """*patch* merged into *original*."""
        if DIRECTIVE in patch:
            return _directed(patch)
        new = _retained(original, patch)
        done = self._ordered_lists(new, patch, type)
        for key, value in patch.items():
            if key == RETAIN or key.startswith(ORDER) or key in done:
                continue
            if key.startswith(DELETE):
                self._delete_from(new, key[len(DELETE) :], value)
            else:
                self._field(new, key, value, self.lookup(type, key))
        return new

    def _field(self, new: dict[str, Any], key: str, value: Any, field: Field) -> None:
        if value is None:
            new.pop(key, None)
            if not self.nulls:
                return
        old = new.get(key)
        if isinstance(old, dict) and isinstance(value, dict):
            replaces = "replace" in field.strategies
            new[key] = value if replaces else self.maps(old, value, field.type)
        elif isinstance(old, list) and isinstance(value, list):
            new[key] = self.lists(old, value, field)
        elif _is_directed(value):
            new.pop(key, None)
        else:
            new[key] = self._added(value)

    def _added(self, value: Any) -> Any:
        """A value that meets nothing of its type: taken as it is, without directives, and without nulls."""
        if isinstance(value, dict):
            kept = {key: item for key, item in value.items() if not key.startswith("$") and not _is_directed(item)}
            if not self.nulls:
                kept = {key: item for key, item in kept.items() if item is not None}
            return {key: self._added(item) for key, item in kept.items()}
        if isinstance(value, list):
            return [self._added(item) for item in value if not _is_directed(item)]
        return value

    def _delete_from(self, new: dict[str, Any], key: str, gone: Any) -> None:
        """Take out of a list; what is no list, on either side, is left alone."""
        if gone is None:
            new.pop(key, None)
        elif isinstance(gone, list) and isinstance(new.get(key), list):
            _one_type(new[key], gone)
            new[key] = [item for item in new[key] if item not in gone]

    # -- lists -------------------------------------------------------------------------------------
    def lists(self, original: list, patch: list, field: Field) -> list:
        """*patch* merged into the list *original*, if the list is one that merges."""
        if "merge" not in field.strategies:
            return self._added(patch)
        if not original and not patch:
            return original
        _one_type(original, patch)
        if not any(isinstance(item, dict) for item in [*original, *patch]):
            merged = list(dict.fromkeys([*original, *patch]))
            return _in_order(merged, patch, original, "")
        if not field.merge_key:
            raise StrategicError(f"cannot merge lists without merge key for {field.type}")
        return self._keyed(original, patch, field)

    def _keyed(self, original: list, patch: list, field: Field) -> list:
        key = field.merge_key
        before, new, replaces = list(original), [], False
        for item in patch:
            directive = item.get(DIRECTIVE) if isinstance(item, dict) else None
            if directive is None:
                new.append(item)
            elif directive == "delete":
                gone = _key_of(item, key)
                before = [other for other in before if other.get(key) != gone]
            elif directive == "replace":
                replaces = True
            else:
                _unknown_directive(directive, item)
        if replaces:
            return self._added(new)
        merged = before
        for item in new:
            merged = self._with_element(merged, item, field)
        return _in_order(merged, new, before, key)

    def _with_element(self, merged: list, item: Any, field: Field) -> list:
        wanted = _key_of(item, field.merge_key)
        for at, other in enumerate(merged):
            if other.get(field.merge_key) == wanted:
                return [*merged[:at], self.maps(other, item, field.type), *merged[at + 1 :]]
        return [*merged, self._added(item)]

    # -- $setElementOrder --------------------------------------------------------------------------
    def _ordered_lists(self, new: dict[str, Any], patch: Mapping[str, Any], type: str) -> list[str]:
        """Lists that the patch gives an order, merged and put into it; their names."""
        done = []
        for directive, order in patch.items():
            if not directive.startswith(ORDER):
                continue
            key = directive[len(ORDER) :]
            field, given = self.lookup(type, key), patch.get(key)
            for value in (order, new.get(key) if key in new else [], given if key in patch else []):
                if not isinstance(value, list):
                    raise StrategicError(f"expected a []interface {{}}, but received a {go_type(value)}")
            _check_order(given or [], order, field.merge_key)
            before = new.get(key)
            if before is None and given is None:
                continue
            merged = self._both(before, given, field)
            new[key] = _in_order(merged, order, _server_order(before or [], given or [], field), field.merge_key)
            done.append(key)
        return done

    def _both(self, before: Any, given: Any, field: Field) -> list:
        if before is None or given is None:
            return before if given is None else self._added(given)
        return self.lists(before, given, field)


def _directed(patch: Mapping[str, Any]) -> dict[str, Any]:
    """A map whose patch says itself what becomes of it."""
    directive = patch[DIRECTIVE]
    if directive == "delete":
        return {}
    if directive != "replace":
        _unknown_directive(directive, patch)
    return {key: value for key, value in patch.items() if key != DIRECTIVE}


def _retained(original: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """*original* without the fields that $retainKeys does not name."""
    if RETAIN not in patch:
        return dict(original)
    kept = patch[RETAIN]
    given = [key for key, value in patch.items() if value is not None and not key.startswith("$")]
    if not isinstance(kept, list) or not all(key in kept for key in given):
        raise StrategicError("invalid patch format of retainKeys", 400)
    return {key: value for key, value in original.items() if key in kept}


def _is_directed(value: Any) -> bool:
    return isinstance(value, dict) and DIRECTIVE in value


def _one_type(*lists: list) -> None:
    """Lists that merge hold values of one type, and none of them lists."""
    kinds = [go_type(item) for items in lists for item in items]
    if kinds and kinds[0].startswith("[]"):
        raise StrategicError("lists of lists are not supported", 422)
    if any(kind != kinds[0] for kind in kinds):
        raise StrategicError(f"list element types are not identical: {go_text(list(lists))}")


def go_type(value: Any) -> str:
    """What Go calls the type of what JSON holds."""
    if isinstance(value, dict):
        return "map[string]interface {}"
    if isinstance(value, list):
        return "[]interface {}"
    names = {bool: "bool", int: "int64", float: "float64", str: "string", type(None): "<nil>"}
    return next(name for kind, name in names.items() if isinstance(value, kind))


def _is_delete(value: Any) -> bool:
    return isinstance(value, dict) and value.get(DIRECTIVE) == "delete"


def _unknown_directive(directive: Any, item: Any) -> None:
    if directive == "merge":
        raise StrategicError("merging lists cannot yet be specified in the patch")
    raise StrategicError(f"unknown patch type: {directive} in map: {go_text(item)}")


def _key_of(item: Any, key: str) -> Any:
    if not isinstance(item, dict) or key not in item:
        raise StrategicError(f"map: {go_text(item)} does not contain declared merge key: {key}")
    return item[key]


def go_text(value: Any) -> str:
    """As Go's %v prints what JSON holds: map[a:1 b:[x y]]."""
    if isinstance(value, dict):
        return "map[" + " ".join(f"{key}:{go_text(value[key])}" for key in sorted(value)) + "]"
    if isinstance(value, list):
        return "[" + " ".join(map(go_text, value)) + "]"
    return {None: "<nil>", True: "true", False: "false"}.get(value, str(value)) if _is_word(value) else str(value)


def go_syntax(value: Any) -> str:
    """As Go's %#v prints what JSON holds: map[string]interface {}{"a":1}."""
    if isinstance(value, dict):
        return "map[string]interface {}{" + ", ".join(f"{json.dumps(key)}:{_held(value[key])}" for key in value) + "}"
    if isinstance(value, list):
        return "[]interface {}{" + ", ".join(map(_held, value)) + "}"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else go_text(value)


def _held(value: Any) -> str:
    return "interface {}(nil)" if value is None else go_syntax(value)


def _is_word(value: Any) -> bool:
    return value is None or isinstance(value, bool)


# -- order -----------------------------------------------------------------------------------------


def _place(order: list, item: Any, key: str) -> int:
    """Where *item* stands in *order*; -1 if nowhere."""
    wanted = item.get(key) if key and isinstance(item, dict) else item
    for at, other in enumerate(order):
        if (other.get(key) if key and isinstance(other, dict) else other) == wanted:
            return at
    return -1


def _in_order(merged: list, patched: list, server: list, key: str) -> list:
    """The elements that *patched* names in its order, the others in the server's, woven together."""
    mine = sorted((i for i in merged if _place(patched, i, key) >= 0), key=lambda i: _place(patched, i, key))
    others = [item for item in merged if _place(patched, item, key) < 0]
    others.sort(key=lambda item: _place(server, item, key))
    woven: list = []
    while mine and others:
        left, right = _place(server, others[0], key), _place(server, mine[0], key)
        first = others if left >= 0 and right >= 0 and left < right else mine
        woven.append(first.pop(0))
    return [*woven, *mine, *others]


def _server_order(before: list, given: list, field: Field) -> list:
    """The order of the list as it was.

    Where elements are deleted, new ones count as old as far as they fill the gap: upstream deletes in place and
    appends, and what it then takes for the old list is what it has just written over it.
    """
    key = field.merge_key
    if not key:
        return before
    gone = [item.get(key) for item in given if _is_delete(item)]
    left = [item for item in before if item.get(key) not in gone]
    added = [item for item in given if DIRECTIVE not in item and _place(left, item, key) < 0]
    return (left + added)[: len(before)] if len(left) < len(before) else before


def _check_order(given: list, order: list, key: str) -> None:
    """The elements given must stand in *order* as they stand in the patch."""
    named = [item for item in given if not (isinstance(item, dict) and DIRECTIVE in item)]
    at = 0
    for wanted in order:
        if at < len(named) and _place([wanted], named[at], key) == 0:
            at += 1
    if at < len(named):
        shown = f"{go_text(given)}\n doesn't match {ORDER[:-1]} list:\n{go_text(order)}\n"
        raise StrategicError(f"The order in patch list:\n{shown}")
