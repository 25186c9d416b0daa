"""Is a schema structural: does its trunk say the type of every place, and do its branches only judge values?

    problems(schema, "spec.validation.openAPIV3Schema")      causes, sorted as Kubernetes sorts them

The trunk is what is reached by properties, items and additionalProperties; below allOf, anyOf, oneOf and not are the
branches. Invariant: every place that a branch judges is in the trunk, and a branch defines nothing.
Models k/apiextensions-apiserver pkg/apiserver/schema ValidateStructural, validateStructuralInvariants,
validateNestedValueValidation, validateStructuralCompleteness.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from kubemini.api.errors import FieldError
from kubemini.apiserver.rules.causes import Wrong, forbidden, invalid, required

Schema = Mapping[str, Any]
JUNCTORS = ("anyOf", "allOf", "oneOf")
INT_OR_STRING = [{"type": "integer"}, {"type": "string"}]
ROOT, ITEM, FIELD = "root", "item", "field"
WHERE = {ROOT: "at the root", ITEM: "for specified array items", FIELD: "for specified object fields"}
PRESERVE, EMBEDDED, INT_OR = (
    "x-kubernetes-preserve-unknown-fields",
    "x-kubernetes-embedded-resource",
    "x-kubernetes-int-or-string",
)
TRUNK_ONLY = {  # what a branch must not say → how a refusal puts it
    "type": "must be empty to be structural",
    "additionalProperties": "must be undefined to be structural",
    "default": "must be undefined to be structural",
    "title": "must be empty to be structural",
    "description": "must be empty to be structural",
    "nullable": "must be false to be structural",
    PRESERVE: "must be false to be structural",
    EMBEDDED: "must be false to be structural",
    INT_OR: "must be false to be structural",
    "x-kubernetes-list-map-keys": "must be empty to be structural",
    "x-kubernetes-list-type": "must be undefined to be structural",
    "x-kubernetes-map-type": "must be undefined to be structural",
    "x-kubernetes-validations": "must be empty to be structural",
}
ONLY_NAMES = "must not specify anything other than name and generateName, but metadata is implicitly specified"


def problems(schema: Schema, path: str) -> list[FieldError]:
    """Why *schema* is not structural."""
    found = [*_trunk(schema, ROOT, path), *_complete(schema, schema, path, path)]
    return sorted(found, key=lambda error: error.message)


def children(schema: Schema, path: str) -> Iterator[tuple[Schema, str, str]]:
    """The places of the trunk right below: schema, level, path."""
    if isinstance(schema.get("items"), Mapping):
        yield schema["items"], ITEM, f"{path}.items"
    for key, field in (schema.get("properties") or {}).items():
        yield field, FIELD, f"{path}.properties[{key}]"
    if isinstance(schema.get("additionalProperties"), Mapping):
        yield schema["additionalProperties"], FIELD, f"{path}.additionalProperties"


def branches(schema: Schema, path: str) -> Iterator[tuple[Schema, str, str]]:
    """What judges the value here: schema, junctor, path."""
    for word in JUNCTORS:
        for number, branch in enumerate(schema.get(word) or ()):
            yield branch, word, f"{path}.{word}[{number}]"
    if schema.get("not") is not None:
        yield schema["not"], "not", f"{path}.not"


# -- the trunk ---------------------------------------------------------------------------------------


def _trunk(schema: Schema, level: str, path: str) -> Wrong:
    if schema.get("type") == "array" and schema.get("items") is None:
        yield required(f"{path}.items", "must be specified")
    if level == ROOT and "additionalProperties" in schema:
        yield forbidden(f"{path}.additionalProperties", "must not be used at the root")
    for child, its_level, where in children(schema, path):
        yield from _trunk(child, its_level, where)
    if schema.get(INT_OR):
        for word in (PRESERVE, EMBEDDED):
            if schema.get(word):
                yield invalid(f"{path}.{word}", True, f"must be false if {INT_OR} is true")
    yield from _values(schema, level, path, schema)
    yield from _type(schema, level, path)
    yield from _meta(schema, level, path)


def _type(schema: Schema, level: str, path: str) -> Wrong:
    type = schema.get("type") or ""
    if schema.get(EMBEDDED) and type != "object":
        text = f"must be object if {EMBEDDED} is true"
        yield invalid(f"{path}.type", type, text) if type else required(f"{path}.type", text)
    elif not type and not schema.get(INT_OR) and not schema.get(PRESERVE):
        yield required(f"{path}.type", f"must not be empty {WHERE[level]}")
    if schema.get(EMBEDDED) and "additionalProperties" in schema:
        yield forbidden(f"{path}.additionalProperties", f"must not be used if {EMBEDDED} is set")
    if level == ROOT and type and type != "object":
        yield invalid(f"{path}.type", type, "must be object at the root")


def _meta(schema: Schema, level: str, path: str) -> Wrong:
    """kind, apiVersion and metadata are as every object has them."""
    fields, checked = schema.get("properties") or {}, level == ROOT or schema.get(EMBEDDED)
    for name in ("kind", "apiVersion"):
        if checked and name in fields and fields[name].get("type") != "string":
            yield invalid(f"{path}.properties[{name}].type", fields[name].get("type") or "", "must be string")
    if "metadata" in fields:
        meta, where = fields["metadata"], f"{path}.properties[metadata]"
        if checked and meta.get("type") != "object":
            yield invalid(f"{where}.type", meta.get("type") or "", "must be object")
        named = set(meta.get("properties") or {}) <= {"name", "generateName"}
        if level == ROOT and not (named and set(meta) <= {"type", "properties"}):
            yield forbidden(where, ONLY_NAMES)
    if schema.get(EMBEDDED) and not schema.get(PRESERVE) and not fields:
        yield required(f"{path}.properties", f"must not be empty if {EMBEDDED} is true without {PRESERVE}")


# -- the branches ------------------------------------------------------------------------------------


def _values(schema: Schema, level: str, path: str, trunk: Schema | None = None) -> Wrong:
    """What judges values; *trunk*: the place of the trunk that it stands at, where int-or-string is let pass."""
    plain = trunk is not None and trunk.get("anyOf") == INT_OR_STRING
    first = (schema.get("allOf") or [{}])[0]
    for branch, word, where in branches(schema, path):
        if word == "anyOf" and plain:
            continue
        if trunk is not None and word == "allOf" and branch is first and branch.get("anyOf") == INT_OR_STRING:
            branch = {key: value for key, value in branch.items() if key != "anyOf"}
        yield from _branch(branch, level, where)
    pattern = schema.get("pattern")
    if pattern:
        try:
            re.compile(pattern)
        except re.error as error:
            yield invalid(f"{path}.pattern", pattern, f"must be a valid regular expression, but isn't: {error}")


def _branch(schema: Schema, level: str, path: str) -> Wrong:
    yield from _values(schema, level, path)
    if isinstance(schema.get("items"), Mapping):
        yield from _branch(schema["items"], level, f"{path}.items")
    for key, field in (schema.get("properties") or {}).items():
        yield from _branch(field, FIELD, f"{path}.properties[{key}]")
    for word, text in TRUNK_ONLY.items():
        if schema.get(word) or (word in ("additionalProperties", "default") and word in schema):
            yield forbidden(f"{path}.{word}", text)
    if "metadata" in (schema.get("properties") or {}):
        yield forbidden(f"{path}.properties[metadata]", "must not be specified in a nested context")


def _complete(schema: Schema, trunk: Schema | None, at: str, path: str) -> Wrong:
    """Every place that a branch of *schema* judges is in the *trunk*."""
    for branch, _, where in branches(schema, path):
        yield from _branch_complete(branch, trunk, at, where)


def _branch_complete(branch: Schema, trunk: Schema | None, at: str, path: str) -> Wrong:
    if trunk is None:
        yield required(at, f"because it is defined in {path}")
        return
    yield from _complete(branch, trunk, at, path)
    if isinstance(branch.get("items"), Mapping):
        yield from _branch_complete(branch["items"], trunk.get("items"), f"{at}.items", f"{path}.items")
    fields = trunk.get("properties") or {}
    for key, field in (branch.get("properties") or {}).items():
        there = f"{at}.properties[{key}]"
        if key not in fields:
            yield required(there, f"because it is defined in {path}.properties[{key}]")
        else:
            yield from _branch_complete(field, fields[key], there, f"{path}.properties[{key}]")
