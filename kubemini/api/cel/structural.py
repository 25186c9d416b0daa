"""Structural schemas as types of CEL, and objects as values of these: what rules in a schema speak of.

    declared(schema, root=True)      the type of `self`; None: nothing that a rule may look at
    valued(obj, schema, root=True)   obj as such a value

A field is called so that CEL can read it: ``a-b`` is ``a__dash__b``. What a schema preserves without knowing it is not
there for a rule.
Models k/apiserver pkg/cel/common SchemaDeclType WithTypeAndObjectMeta UnstructuredToVal, pkg/cel Escape.
Simplified: a list that is a set or a map is compared in its order.
"""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from typing import Any

from kubemini.api.cel.functions.times import to_duration, to_timestamp
from kubemini.api.cel.types import BOOL, BYTES, DOUBLE, DURATION, DYN, INT, STRING, TIMESTAMP, Type, list_of, map_of
from kubemini.api.cel.values import CelError

Schema = Mapping[str, Any]
EMBEDDED, INT_OR_STRING = "x-kubernetes-embedded-resource", "x-kubernetes-int-or-string"
_WORDS = "true false null in as break const continue else for function if import let loop package namespace return var"
RESERVED = (*_WORDS.split(), "void", "while")
_NAME = re.compile(r"[a-zA-Z_.\-/][a-zA-Z0-9_.\-/]*")
_ESCAPES = (("__", "__underscores__"), (".", "__dot__"), ("-", "__dash__"), ("/", "__slash__"))
_TEXT = {"type": "string"}
_OF_OBJECTS: Schema = {
    "kind": _TEXT,
    "apiVersion": _TEXT,
    "metadata": {"type": "object", "properties": {"name": _TEXT, "generateName": _TEXT}},
}
_TEXTS = {"byte": BYTES, "duration": DURATION, "date": TIMESTAMP, "date-time": TIMESTAMP}


def escaped(name: str) -> str | None:
    """How CEL spells a field; None: it cannot."""
    if name in RESERVED:
        return f"__{name}__"
    if not _NAME.fullmatch(name):
        return None
    return re.sub(r"__|[.\-/]", lambda found: dict(_ESCAPES)[found[0]], name)


def fields_of(schema: Schema, root: bool) -> Schema:
    """The fields that rules know; of an object as a whole also those that each has."""
    known = schema.get("properties") or {}
    return {**known, **_OF_OBJECTS} if root else known


def declared(schema: Schema | None, root: bool = False) -> Type | None:
    """The type of what *schema* describes; *root*: an object as a whole."""
    if schema is None:
        return None
    if schema.get(INT_OR_STRING):
        return DYN
    type = "object" if root else schema.get("type")
    if type == "array":
        item = _inside(schema.get("items"))
        return None if item is None else list_of(item)
    if type == "object":
        return _object(schema, root)
    if type == "string":
        return _TEXTS.get(schema.get("format") or "", STRING)
    return {"boolean": BOOL, "number": DOUBLE, "integer": INT}.get(type or "")


def _inside(schema: Any) -> Type | None:
    return declared(schema, bool(schema.get(EMBEDDED))) if isinstance(schema, Mapping) else None


def _object(schema: Schema, root: bool) -> Type | None:
    more = schema.get("additionalProperties")
    if isinstance(more, Mapping):
        value = _inside(more)
        return None if value is None else map_of(STRING, value)
    found = {escaped(name): _inside(field) for name, field in fields_of(schema, root).items()}
    return Type("object", fields={name: type for name, type in found.items() if name and type is not None})


def valued(value: Any, schema: Schema | None, root: bool = False) -> Any:
    """*value* as rules see it."""
    if schema is None or value is None:
        return value
    if isinstance(value, list):
        items = schema.get("items")
        return [valued(item, items, _embedded(items)) for item in value]
    if isinstance(value, Mapping):
        more = schema.get("additionalProperties")
        if isinstance(more, Mapping):
            return {key: valued(item, more, _embedded(more)) for key, item in value.items()}
        known = {key: field for key, field in fields_of(schema, root).items() if key in value}
        names = {key: escaped(key) for key in known}
        return {name: valued(value[key], known[key], _embedded(known[key])) for key, name in names.items() if name}
    return _scalar(value, schema)


def _embedded(schema: Any) -> bool:
    return isinstance(schema, Mapping) and bool(schema.get(EMBEDDED))


def _scalar(value: Any, schema: Schema) -> Any:
    if schema.get("type") == "number" and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if schema.get("type") == "string" and isinstance(value, str):
        read = _READ.get(schema.get("format") or "")
        return read(value) if read else value
    return value


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise CelError(str(error)) from None


_READ: dict[str, Callable[[str], Any]] = {
    "byte": _bytes,
    "duration": to_duration,
    "date": lambda text: to_timestamp(f"{text}T00:00:00Z"),
    "date-time": to_timestamp,
}
