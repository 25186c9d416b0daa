"""Custom resources: defaults and complaints by the structural schema of their CustomResourceDefinition.

    defaults(obj)          with every default that the schema gives to a place that is there
    complaints(obj)        what does not fit, in the words of the API server; then those of the kind's own rules

Theory: the schema is walked beside the object. Some complaints (a missing field, a wrong type, a value that is not in
the list, too many or too long) stop the rules in CEL from being asked, and the answer says so.
Models k/apiextensions-apiserver pkg/apiserver/schema/defaulting Default; pkg/apiserver/validation
ValidateCustomResource; pkg/apiserver/schema/listtype ValidateListSetsAndMaps; pkg/registry/customresource
customResourceStrategy.Validate, hasBlockingErr
Simplified: CEL is not run; a kind's file has the rules that readers meet, by hand. No oneOf, no format; of the fields
of one map the complaints come in the order of their names (the real one walks a map of Go).
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from kubemini.api.errors import FieldError
from kubemini.api.objects import Obj
from kubemini.api.schema import custom
from kubemini.apiserver.rules.causes import Wrong, duplicate, invalid, required, shown, too_long, unsupported

Schema = Mapping[str, Any]
_TYPE_INVALID, _TOO_MANY = "FieldValueTypeInvalid", "FieldValueTooMany"
_BLOCKING = ("FieldValueRequired", "FieldValueNotSupported", "FieldValueTooLong", _TOO_MANY, _TYPE_INVALID)
_NOT_CHECKED = (
    "some validation rules were not checked because the object was invalid; correct the existing errors to complete "
    "validation"
)
_TYPES: dict[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, Mapping),
    "array": lambda value: isinstance(value, Sequence) and not isinstance(value, str),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
}


def _schema(obj: Obj) -> Schema:
    found = custom.of(obj["apiVersion"], obj["kind"])
    assert found is not None, f"no CRD of {obj['kind']} is known: derive it into customresources.json"
    return found


def defaults(obj: Obj) -> Obj:
    """*obj* with every default of its CRD."""
    found: Obj = custom.filled(obj, _schema(obj))
    return found


def complaints(obj: Obj, rules: Callable[[Obj], Wrong]) -> Wrong:
    """Every complaint; *rules* stands for the rules in CEL."""
    schema = _schema(obj)
    found = [*_walk(obj, schema, ""), *_doubles(obj, schema, "")]
    yield from found
    if not any(one.reason in _BLOCKING for one in found):
        yield from rules(obj)
    elif custom.has_rules(obj["apiVersion"], obj["kind"]):
        yield invalid("<nil>", None, _NOT_CHECKED)


def says(field: str, text: str) -> FieldError:
    """What a rule in CEL says."""
    return FieldError("FieldValueInvalid", field, f"Invalid value: {text}")


def _walk(value: Any, schema: Schema, path: str) -> Wrong:
    wanted = schema.get("type")
    if wanted and not _TYPES[wanted](value):
        name = shown(_go_type(value))
        text = f"Invalid value: {name}: {path} in body must be of type {wanted}: {name}"
        yield FieldError(_TYPE_INVALID, path, text)
    elif wanted == "object":
        yield from _object(value, schema, path)
    elif wanted == "array":
        yield from _array(value, schema, path)
    elif wanted == "string":
        yield from _text(value, schema, path)
    elif wanted in ("integer", "number"):
        yield from _number(value, schema, path)


def _go_type(value: Any) -> str:
    return next((name for name, fits in _TYPES.items() if fits(value)), "null")


def _object(value: Obj, schema: Schema, path: str) -> Wrong:
    yield from _count(value, schema, path, "Properties")
    dot = f"{path}." if path else ""
    for key in schema.get("required") or ():
        if key not in value:
            yield required(f"{dot}{key}")
    known = schema.get("properties") or {}
    for key in sorted(value):
        inner = known.get(key) or schema.get("additionalProperties")
        if isinstance(inner, Mapping):
            yield from _walk(value[key], inner, f"{dot}{key}")


def _array(value: Sequence[Any], schema: Schema, path: str) -> Wrong:
    for number, item in enumerate(value):
        yield from _walk(item, schema["items"], f"{path}[{number}]")
    yield from _count(value, schema, path, "Items")


def _count(value: Obj | Sequence[Any], schema: Schema, path: str, things: str) -> Wrong:
    many, least, most = len(value), schema.get(f"min{things}", 0), schema.get(f"max{things}")
    if many < least:
        yield invalid(path, many, f"{path} in body should have at least {least} {things.lower()}")
    if most is not None and many > most:
        text = f"Too many: {many}: must have at most {most} item{'' if most == 1 else 's'}"
        yield FieldError(_TOO_MANY, path, text)


def _text(value: str, schema: Schema, path: str) -> Wrong:
    most, least = schema.get("maxLength"), schema.get("minLength", 0)
    if most is not None and len(value) > most:
        yield too_long(path, most)
    elif len(value) < least:
        yield invalid(path, value, f"{path} in body should be at least {least} chars long")
    elif "pattern" in schema and not re.search(schema["pattern"], value):
        yield invalid(path, value, f"{path} in body should match '{schema['pattern']}'")
    yield from _listed(value, schema, path)


def _number(value: int | float, schema: Schema, path: str) -> Wrong:
    if "minimum" in schema and value < schema["minimum"]:
        yield invalid(path, value, f"{path} in body should be greater than or equal to {schema['minimum']}")
    if "maximum" in schema and value > schema["maximum"]:
        yield invalid(path, value, f"{path} in body should be less than or equal to {schema['maximum']}")
    yield from _listed(value, schema, path)


def _listed(value: Any, schema: Schema, path: str) -> Wrong:
    if "enum" in schema and value not in schema["enum"]:
        yield unsupported(path, value, [str(choice) for choice in schema["enum"]])


def _doubles(value: Any, schema: Schema, path: str) -> Iterator[FieldError]:
    """Items of a list that is a map with the same key, or of a set that are the same."""
    if isinstance(value, Mapping):
        for key in sorted(value):
            if inner := (schema.get("properties") or {}).get(key):
                yield from _doubles(value[key], inner, f"{path}.{key}" if path else key)
    elif _TYPES["array"](value) and "items" in schema:
        keys, distinct = schema.get("x-kubernetes-list-map-keys", ()), schema.get("x-kubernetes-list-type") == "set"
        seen: list[Any] = []
        for number, item in enumerate(value):
            where = f"{path}[{number}]"
            if distinct or (keys and isinstance(item, Mapping)):
                key = item if distinct else {name: item[name] for name in keys if name in item}
                if key in seen:
                    yield duplicate(where, key)
                seen.append(key)
            yield from _doubles(item, schema["items"], where)
