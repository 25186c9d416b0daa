"""What a schema of a definition may not say, structural or not: old words of JSON schema, lists that are maps or sets.

Models k/apiextensions-apiserver pkg/apis/apiextensions/validation ValidateCustomResourceDefinitionOpenAPISchema,
specStandardValidatorV3.validate, validateMapListKeysMapSet; k/apiextensions-apiserver pkg/apiserver/validation
supportedVersionedFormats.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from kubemini.apiserver.rules.causes import Wrong, forbidden, invalid, required, supported

Schema = Mapping[str, Any]
TYPES = ("array", "boolean", "integer", "number", "object", "string")
REASONS = ("FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired")
META = ("metadata", "kind", "apiVersion")
LIST_TYPE, MAP_TYPE, KEYS = "x-kubernetes-list-type", "x-kubernetes-map-type", "x-kubernetes-list-map-keys"
PRESERVE, EMBEDDED = "x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource"
RULES = "x-kubernetes-validations"
OLD_WORDS = ("id", "additionalItems", "patternProperties", "definitions", "dependencies", "$ref")


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a schema: its path, whether it is the root, within metadata, and why there may be no default."""

    path: str
    root: bool = False
    in_meta: bool = False
    no_default: str = ""

    def at(self, step: str, **more: Any) -> "Place":
        """A place below."""
        return replace(self, path=f"{self.path}{step}", root=False, **more)


def problems(schema: Schema | None, place: Place) -> Wrong:
    """Every complaint about *schema*, and what is below it."""
    if schema is None:
        return
    yield from _standard(schema, place)
    if schema.get("uniqueItems"):
        text = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"
        yield forbidden(f"{place.path}.uniqueItems", text)
    more = schema.get("additionalProperties")
    if more is not None and schema.get("properties") and more is not True:
        text = "additionalProperties and properties are mutual exclusive"
        yield forbidden(f"{place.path}.additionalProperties", text)
    for child, where in _below(schema, place):
        yield from problems(child, where)
    yield from _extensions(schema, place.path)
    for number, rule in enumerate(schema.get(RULES) or ()):
        yield from _rule(rule, f"{place.path}.{RULES}[{number}]", schema)


def _below(schema: Schema, place: Place) -> Iterator[tuple[Schema, Place]]:
    more = schema.get("additionalProperties")
    if isinstance(more, Mapping):
        why = "inside additionalProperties applying to object metadata" if place.in_meta else place.no_default
        yield more, place.at(".additionalProperties", no_default=why)
    for name, field in (schema.get("properties") or {}).items():
        where = place.at(f".properties[{name}]")
        if name in META and (place.root or schema.get(EMBEDDED)):
            why = f"in top-level {name}" if place.root else where.no_default
            where = replace(where, in_meta=True, no_default=why)
        yield field, where
    if schema.get("not") is not None:
        yield schema["not"], place.at(".not")
    for word in ("allOf", "oneOf", "anyOf"):
        for number, branch in enumerate(schema.get(word) or ()):
            yield branch, place.at(f".{word}[{number}]")
    if isinstance(schema.get("items"), Mapping):
        yield schema["items"], place.at(".items")


def _standard(schema: Schema, place: Place) -> Wrong:
    type, path = schema.get("type") or "", place.path
    if type:
        yield from supported(f"{path}.type", type, TYPES)
    if schema.get("default") is not None and place.no_default:
        yield forbidden(f"{path}.default", f"must not be set {place.no_default}")
    for word in OLD_WORDS:
        if schema.get(word):
            yield forbidden(f"{path}.{word}", f"{word} is not supported")
    if type == "null":
        yield forbidden(f"{path}.type", "type cannot be set to null, use nullable as an alternative")
    if isinstance(schema.get("items"), list | tuple) and schema["items"]:
        yield forbidden(f"{path}.items", "items must be a schema object and not an array")
    if place.in_meta and schema.get(EMBEDDED):
        yield forbidden(f"{path}.{EMBEDDED}", "must not be used inside of resource meta")


def _extensions(schema: Schema, path: str) -> Wrong:
    type, lists, maps = schema.get("type") or "", schema.get(LIST_TYPE), schema.get(MAP_TYPE)
    if schema.get(PRESERVE) is False:
        yield invalid(f"{path}.{PRESERVE}", False, "must be true or undefined")
    if maps is not None:
        yield from _needs_type(type, "object", MAP_TYPE, path)
        yield from supported(f"{path}.{MAP_TYPE}", maps, ("atomic", "granular"))
    items = schema.get("items")
    if lists is not None and type != "array":
        yield from _needs_type(type, "array", LIST_TYPE, path)
    elif lists == "set" and isinstance(items, Mapping):
        yield from _of_a_set(items, f"{path}.items")
    if lists is not None:
        yield from supported(f"{path}.{LIST_TYPE}", lists, ("atomic", "set", "map"))
    if schema.get(KEYS) and lists != "map":
        text = f"must be map if {KEYS} is non-empty"
        where = f"{path}.{LIST_TYPE}"
        yield required(where, text) if lists is None else invalid(where, lists, text)
    if lists == "map":
        yield from _of_a_map(schema, path)
    if lists in ("set", "map") and isinstance(items, Mapping):
        yield from _never_null(schema, items, lists, path)


def _needs_type(type: str, wanted: str, word: str, path: str) -> Wrong:
    text = f"must be {wanted} if {word} is specified"
    if type != wanted:
        yield invalid(f"{path}.type", type, text) if type else required(f"{path}.type", text)


def _of_a_set(items: Schema, path: str) -> Wrong:
    text, lists = "must be atomic as item of a list with x-kubernetes-list-type=set", items.get(LIST_TYPE)
    if items.get("type") == "array" and lists not in (None, "atomic"):
        yield invalid(f"{path}.{LIST_TYPE}", lists, text)
    if items.get("type") == "object" and items.get(MAP_TYPE) != "atomic":
        yield invalid(f"{path}.{MAP_TYPE}", lists, text)


def _of_a_map(schema: Schema, path: str) -> Wrong:
    keys, items = schema.get(KEYS) or [], schema.get("items")
    if not keys:
        yield required(f"{path}.{KEYS}", f"must not be empty if {LIST_TYPE} is map")
    if items is None:
        yield required(f"{path}.items", f"must have a schema if {LIST_TYPE} is map")
        return
    type = items.get("type") or ""
    if type != "object":
        yield invalid(f"{path}.items.type", type, f"must be object if parent array's {LIST_TYPE} is map")
        return
    for number, key in enumerate(keys):
        field = (items.get("properties") or {}).get(key)
        if field is None:
            yield invalid(f"{path}.{KEYS}", keys, "entries must all be names of item properties")
        elif field.get("type") in ("array", "object"):
            text = f"must be a scalar type if parent array's {LIST_TYPE} is map"
            yield invalid(f"{path}.items.properties[{key}].type", type, text)
        if key in keys[:number]:
            yield invalid(f"{path}.{KEYS}", keys, "must not contain duplicate entries")


def _never_null(schema: Schema, items: Schema, lists: str, path: str) -> Wrong:
    if items.get("nullable"):
        yield forbidden(f"{path}.items.nullable", f"cannot be nullable when {LIST_TYPE} is {lists}")
    for key in schema.get(KEYS) or () if lists == "map" else ():
        field, where = (items.get("properties") or {}).get(key), f"{path}.items.properties[{key}]"
        if field is None:
            continue
        if key not in (items.get("required") or ()) and field.get("default") is None:
            text = f"this property is in {KEYS}, so it must have a default or be a required property"
            yield required(f"{where}.default", text)
        if field.get("nullable"):
            yield forbidden(f"{where}.nullable", f"this property is in {KEYS}, so it cannot be nullable")


def _rule(rule: Schema, path: str, schema: Schema) -> Wrong:
    said, message = (rule.get("rule") or "").strip(), rule.get("message") or ""
    if not said:
        yield required(f"{path}.rule", "rule is not specified")
    elif message and not message.strip():
        yield invalid(f"{path}.message", message, "must be non-empty if specified")
    elif _has_lines(message.strip()):
        yield invalid(f"{path}.message", message, "must not contain line breaks")
    elif _has_lines(said) and not message.strip():
        yield required(f"{path}.message", "message must be specified if rule contains line breaks")
    computed, field = rule.get("messageExpression") or "", rule.get("fieldPath") or ""
    if computed and not computed.strip():
        yield required(f"{path}.messageExpression", "messageExpression must be non-empty if specified")
    if rule.get("reason") is not None:
        yield from supported(f"{path}.reason", rule["reason"], REASONS)
    if field and not field.strip():
        yield invalid(f"{path}.fieldPath", field, "must be non-empty if specified")
    if _has_lines(field):
        yield invalid(f"{path}.fieldPath", field, "must not contain line breaks")
    if field and not _leads_somewhere(schema, field):
        yield invalid(f"{path}.fieldPath", field, "must be a valid path")


_STEP = re.compile(r"\.(?P<field>[^.\[\]]+)|\['(?P<key>(?:[^'\\]|\\.)*)'\]")


def _leads_somewhere(schema: Schema, path: str) -> bool:
    """Whether *path* is one of fields and keys that *schema* knows. Models cel.ValidFieldPath"""
    at = 0
    while at < len(path):
        step = _STEP.match(path, at)
        if step is None:
            return False
        name, at = step["field"] or step["key"] or "", step.end()
        fields, more = schema.get("properties"), schema.get("additionalProperties")
        if fields and name in fields:
            schema = fields[name]
        elif not fields and isinstance(more, Mapping):
            schema = more
        else:
            return False
    return True


def _has_lines(text: str) -> bool:
    return "\n" in text or "\r" in text


# -- what is warned of -------------------------------------------------------------------------------

FORMATS = {  # type → formats that are looked at
    "string": (
        *("bsonobjectid", "uri", "email", "hostname", "ipv4", "ipv6", "cidr", "mac", "uuid", "uuid3", "uuid4", "uuid5"),
        *("isbn", "isbn10", "isbn13", "creditcard", "ssn", "hexcolor", "rgbcolor", "byte", "password", "date"),
        *("duration", "datetime", "k8sshortname", "k8slongname"),
    ),
    "integer": ("int32", "int64"),
    "number": ("float", "double"),
}


def places(schema: Schema) -> Iterator[Schema]:
    """*schema* and all schemas in it."""
    yield schema
    for child, _ in _below(schema, Place("")):
        yield from places(child)


def unknown_format(schema: Schema) -> bool:
    """Does *schema* name a format that nobody looks at?"""
    format, type = schema.get("format") or "", schema.get("type") or "string"
    plain = format.replace("-", "") if type == "string" else format
    return bool(format) and plain not in FORMATS.get(type, ())


def is_odd_set(schema: Schema) -> bool:
    """Is it a set of objects or lists?"""
    items = schema.get("items")
    return schema.get(LIST_TYPE) == "set" and isinstance(items, Mapping) and items.get("type") in ("object", "array")
