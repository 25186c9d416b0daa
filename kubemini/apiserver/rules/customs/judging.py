"""A value judged by its structural schema, in the words of the API server; and by what it was before.

    judged(obj, schema)                  every complaint
    judged(obj, schema, old)             … but of what was as wrong before, and is as it was
    doubles(obj, schema)                 items of a list that is a set or a map, and stand there twice

Theory: the schema is walked beside the value, and beside the old one where that is the same place: a field of the same
name, an element with the same keys of a list that is a map. What stands in any other list has no place of its own: it
is forgiven only if the whole list is as it was. Of several alternatives (anyOf) none of which fits, the one is told
that has more places that do fit.
Models k/kube-openapi pkg/validation/validate SchemaValidator.Validate, objectValidator, schemaPropsValidator,
numberValidator, stringValidator; k/apiextensions-apiserver pkg/apiserver/validation ratchetingValueValidator,
kubeOpenAPIResultToFieldErrors; pkg/apiserver/schema/listtype ValidateListSetsAndMaps.
Simplified: of the fields of one map the complaints come in the order of their names (the real one walks a map of Go).
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from kubemini.api.cel.values import is_number
from kubemini.api.errors import FieldError
from kubemini.apiserver.rules.causes import duplicate, invalid, required, shown, too_long, too_many, unsupported
from kubemini.apiserver.rules.customs.formats import fits_format

Schema = Mapping[str, Any]
TYPE_INVALID, TOO_MANY = "FieldValueTypeInvalid", "FieldValueTooMany"
BLOCKING = ("FieldValueRequired", "FieldValueNotSupported", "FieldValueTooLong", TOO_MANY, TYPE_INVALID)
NOT_CHECKED = (
    "some validation rules were not checked because the object was invalid; correct the existing errors to complete "
    "validation"
)
INT_OR_STRING = "x-kubernetes-int-or-string"
MAP_KEYS, LIST_TYPE, MAP_TYPE = "x-kubernetes-list-map-keys", "x-kubernetes-list-type", "x-kubernetes-map-type"
NOTHING: Any = object()  # what has no place in the old value
_TYPES: dict[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, Mapping),
    "array": lambda value: isinstance(value, Sequence) and not isinstance(value, str),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: is_number(value) and float(value).is_integer(),
    "number": lambda value: is_number(value),
}
BITS = {"int32": 31, "int64": 63}


def is_blocking(found: Iterable[FieldError]) -> bool:
    """Whether *found* keeps the rules in CEL from being asked."""
    return any(one.reason in BLOCKING for one in found)


class Found(NamedTuple):
    """What is wrong, and how many checks were made."""

    wrong: list[FieldError]
    checks: int


def judged(value: Any, schema: Schema, old: Any = NOTHING, path: str = "") -> list[FieldError]:
    """Every complaint about *value*, in the place of *old*."""
    return _node(value, schema, path, old).wrong


def _node(value: Any, schema: Schema, path: str, old: Any) -> Found:
    found = _validated(value, schema, path, old)
    if found.wrong and old is not NOTHING and old == value and type(old) is type(value):
        return Found([], found.checks)
    return found


def _validated(value: Any, schema: Schema, path: str, old: Any) -> Found:
    wrong, checks = list(_type(value, schema, path)), 1
    if value is None:
        return Found([*wrong, *_listed(value, schema, path)], checks)
    branches = _branches(value, schema, path)
    wrong, checks = wrong + branches.wrong, checks + branches.checks + 1
    if isinstance(value, str):
        wrong += _text(value, schema, path)
    elif is_number(value):
        wrong += _number(value, schema, path)
    elif _TYPES["array"](value):
        inner = _array(value, schema, path, old)
        wrong, checks = wrong + inner.wrong, checks + inner.checks
    wrong += _listed(value, schema, path)
    if isinstance(value, Mapping):
        inner = _object(value, schema, path, old)
        wrong, checks = wrong + inner.wrong, checks + inner.checks
    return Found(wrong, checks + 1)


def _wanted(schema: Schema) -> list[str]:
    if schema.get(INT_OR_STRING):
        return ["integer", "string"]
    return [schema["type"]] if schema.get("type") else []


def _type(value: Any, schema: Schema, path: str) -> Iterator[FieldError]:
    wanted = _wanted(schema)
    if not wanted or (value is None and schema.get("nullable")) or any(_TYPES[one](value) for one in wanted):
        return
    yield _mistyped(path, ",".join(wanted), go_type(value))


def _mistyped(path: str, wanted: str, found: str) -> FieldError:
    told = shown(found)
    return FieldError(TYPE_INVALID, path, f"Invalid value: {told}: {path} in body must be of type {wanted}: {told}")


def go_type(value: Any) -> str:
    """What a value is, as complaints call it."""
    if isinstance(value, float):
        return "number"
    return next((name for name, fits in _TYPES.items() if fits(value)), "null")


# -- alternatives ------------------------------------------------------------------------------------------------------


def _branches(value: Any, schema: Schema, path: str) -> Found:
    """anyOf, oneOf, allOf and not: what they say as a whole has no field."""
    wrong: list[FieldError] = []
    checks, named = 1, shown(path)
    if schema.get("anyOf"):
        found = [_validated(value, one, path, NOTHING) for one in schema["anyOf"]]
        if all(one.wrong for one in found):
            wrong += [_whole(f"{named} must validate at least one schema (anyOf)"), *_best(found).wrong]
    if schema.get("oneOf"):
        found = [_validated(value, one, path, NOTHING) for one in schema["oneOf"]]
        fitting = sum(not one.wrong for one in found)
        if fitting != 1:
            many = f"Found {fitting} valid alternatives" if fitting else "Found none valid"
            wrong.append(_whole(f"{named} must validate one and only one schema (oneOf). {many}"))
            wrong += _best(found).wrong if not fitting else []
    if schema.get("allOf"):
        found = [_validated(value, one, path, NOTHING) for one in schema["allOf"]]
        wrong += [error for one in found for error in one.wrong]
        if any(one.wrong for one in found):
            none = ". None validated" if all(one.wrong for one in found) else ""
            wrong.append(_whole(f"{named} must validate all the schemas (allOf){none}"))
    if schema.get("not") is not None and not _validated(value, schema["not"], path, NOTHING).wrong:
        wrong.append(_whole(f"{named} must not validate the schema (not)"))
    return Found(wrong, checks)


def _whole(text: str) -> FieldError:
    return invalid("<nil>", "", text)


def _best(found: Sequence[Found]) -> Found:
    """The first of those in which the most was checked."""
    return max(found, key=lambda one: one.checks)


# -- values ------------------------------------------------------------------------------------------------------------


def _text(value: str, schema: Schema, path: str) -> Iterator[FieldError]:
    most, least = schema.get("maxLength"), schema.get("minLength") or 0
    if most is not None and len(value) > most:
        yield too_long(path, most)
    elif len(value) < least:
        yield invalid(path, value, f"{path} in body should be at least {least} chars long")
    elif schema.get("pattern") and not re.search(schema["pattern"], value):
        yield invalid(path, value, f"{path} in body should match '{schema['pattern']}'")
    format = schema.get("format") or ""
    if format and schema.get("type") in (None, "string") and not fits_format(value, format):
        told = shown(value)
        text = f"Invalid value: {told}: {path} in body must be of type {format}: {told}"
        yield FieldError(TYPE_INVALID, path, text)


def _number(value: int | float, schema: Schema, path: str) -> Iterator[FieldError]:
    format, type = schema.get("format") or "", schema.get("type")
    if type == "integer" and (isinstance(value, float) or not _in_range(value, BITS.get(format, 63))):
        if not float(value).is_integer() or not _in_range(int(value), BITS.get(format, 63)):
            which = f"with format {format}" if format in BITS else "(default format)"
            yield _whole(f"Checked value must be of type integer {which} in {path}")
    factor = schema.get("multipleOf")
    factor = int(factor) if factor and isinstance(value, int) else factor
    if factor is not None and factor <= 0:
        yield invalid(path, factor, f"factor MultipleOf declared for {path} must be positive: {factor}")
    elif factor and not float(value / factor).is_integer():
        yield invalid(path, value, f"{path} in body should be a multiple of {_go_number(factor)}")
    for field, sense, beyond in (
        ("minimum", "greater", lambda a, b: a < b),
        ("maximum", "less", lambda a, b: a > b),
    ):
        limit = schema.get(field)
        if limit is None:
            continue
        strict = bool(schema.get(f"exclusive{field.title()}"))
        if isinstance(value, int):
            limit = int(limit)
        if beyond(value, limit) or (strict and value == limit):
            than = "than" if strict else "than or equal to"
            yield invalid(path, value, f"{path} in body should be {sense} {than} {_go_number(limit)}")


def _in_range(value: int, bits: int) -> bool:
    return -(2**bits) <= value < 2**bits


def _go_number(value: int | float) -> str:
    """As Go's %v prints it."""
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e21 else str(value)


def _listed(value: Any, schema: Schema, path: str) -> Iterator[FieldError]:
    choices = schema.get("enum")
    if choices and value not in choices:
        texts = [one if isinstance(one, str) else json.dumps(one, separators=(",", ":")) for one in choices]
        yield unsupported(path, value, texts)


def _count(value: Any, schema: Schema, path: str, things: str) -> Iterator[FieldError]:
    many, least, most = len(value), schema.get(f"min{things}") or 0, schema.get(f"max{things}")
    if many < least:
        yield invalid(path, many, f"{path} in body should have at least {least} {things.lower()}")
    if most is not None and many > most:
        yield too_many(path, many, most)


# -- what has parts ----------------------------------------------------------------------------------------------------


def _object(value: Mapping[str, Any], schema: Schema, path: str, old: Any) -> Found:
    found, dot = Found(list(_count(value, schema, path, "Properties")), 0), f"{path}." if path else ""
    known, more = schema.get("properties") or {}, schema.get("additionalProperties")
    wrong, checks = found.wrong, 0
    for key in sorted(value):
        inner = known.get(key, more)
        if isinstance(inner, Mapping):
            before = _old_field(schema, key, old) if path or key not in ("kind", "apiVersion") else NOTHING
            part = _node(value[key], inner, f"{dot}{key}", before)
            wrong, checks = wrong + part.wrong, checks + part.checks
        elif more is False and key not in known:
            wrong.append(_whole(f"{path}.{key} in body is a forbidden property"))
    wrong += [required(f"{dot}{key}") for key in schema.get("required") or () if key not in value]
    return Found(wrong, checks)


def _old_field(schema: Schema, key: str, old: Any) -> Any:
    if not isinstance(old, Mapping) or schema.get(MAP_TYPE) == "atomic":
        return NOTHING
    return old.get(key, NOTHING)


def _array(value: Sequence[Any], schema: Schema, path: str, old: Any) -> Found:
    wrong: list[FieldError] = []
    checks, items = 1, schema.get("items")
    for number, item in enumerate(value if items is not None else ()):
        part = _node(item, items or {}, f"{path}[{number}]", old_item(schema, item, old))
        wrong, checks = wrong + part.wrong, checks + part.checks
    return Found([*wrong, *_count(value, schema, path, "Items")], checks)


def old_item(schema: Schema, item: Any, old: Any) -> Any:
    """The old element of the same keys, of a list that is a map."""
    if schema.get(LIST_TYPE) != "map" or not isinstance(old, list) or not isinstance(item, Mapping):
        return NOTHING
    keys = [item.get(key) for key in schema.get(MAP_KEYS) or ()]
    same = (one for one in old if isinstance(one, Mapping) and [one.get(k) for k in schema[MAP_KEYS]] == keys)
    return next(same, NOTHING)


def doubles(value: Any, schema: Schema, path: str = "") -> Iterator[FieldError]:
    """Items of a list that is a map with the same keys, or of a set that are the same: the second of each."""
    if isinstance(value, Mapping):
        known, more = schema.get("properties") or {}, schema.get("additionalProperties")
        for key in sorted(value):
            if key in known:
                yield from doubles(value[key], known[key], f"{path}.{key}" if path else key)
            elif isinstance(more, Mapping):
                yield from doubles(value[key], more, f"{path}[{key}]")
    elif _TYPES["array"](value):
        yield from _doubled_items(value, schema, path)
        for number, item in enumerate(value):
            yield from doubles(item, schema.get("items") or {}, f"{path}[{number}]")


def _doubled_items(value: Sequence[Any], schema: Schema, path: str) -> Iterator[FieldError]:
    keys, type = schema.get(MAP_KEYS) or (), schema.get(LIST_TYPE)
    if type not in ("set", "map"):
        return
    seen: list[Any] = []
    for number, item in enumerate(value):
        if type == "map" and item is not None and not isinstance(item, Mapping):
            yield invalid(f"{path}[{number}]", item, "must be an object for an array of list-type map")
            return
        said = {name: item[name] for name in keys if name in (item or ())} if type == "map" else item
        if seen.count(said) == 1:
            yield duplicate(f"{path}[{number}]", said)
        seen.append(said)
