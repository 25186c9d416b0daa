"""The structural schemas of custom resources that are simulated: published facts, as data.

    resources()                                       their lines, as in resources.txt
    of("gateway.networking.k8s.io/v1", "Gateway")     its openAPIV3Schema, without prose
    pruned(value, schema)                             (what the schema knows of it, the paths of the rest)
    filled(value, schema)                             with its defaults

Invariant: nobody writes here by hand: ``customresources.json`` is derived from the CRDs that their projects publish
(tests/oracles/kubernetes/customresources.py).
Models k/apiextensions-apiserver pkg/apiserver/schema/pruning PruneWithOptions
"""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path as File
from typing import Any, NamedTuple

from kubemini.api import schema as published

Schema = Mapping[str, Any]
Path = tuple[Any, ...]
PRESERVES, EMBEDDED = "x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource"
_FILE = File(__file__).with_name("customresources.json")
_OWN = ("apiVersion", "kind", "metadata")  # of every object; the CRD does not say what is in them


@cache
def _all() -> dict[str, Any]:
    return json.loads(_FILE.read_text(encoding="utf-8"))


def resources() -> list[list[str]]:
    """The words of a line each: group/version, resource, Kind, scope, facts."""
    return [entry["resource"].split() for entry in _all().values()]


def of(api_version: str, kind: str) -> Mapping[str, Any] | None:
    """The schema of a kind; None if it is no custom resource that is known here."""
    found = _all().get(f"{api_version},{kind}")
    return found and found["schema"]


def has_rules(api_version: str, kind: str) -> bool:
    """Whether the CRD has rules in CEL besides."""
    return bool(_all()[f"{api_version},{kind}"]["rules"])


def pruned(
    value: Any, schema: Schema | None, path: Path = (), root: bool = True, keeps: bool = False
) -> tuple[Any, list[Path]]:
    """*value* without what *schema* does not know, and the paths of that; a field of null goes where none may be.

    *root*: of an object, which has a kind, a version and metadata whatever the schema says. *keeps*: what stands around
    it preserves what is unknown.
    """
    keeps = bool(schema.get(PRESERVES)) if schema is not None and not keeps else keeps and schema is not None
    unknown: list[Path] = []
    if isinstance(value, list):
        items = schema.get("items") if schema is not None else None
        if keeps and items is None:
            return value, unknown
        inner = [pruned(item, items, (*path, number), False, keeps) for number, item in enumerate(value)]
        return [part for part, _ in inner], [one for _, rest in inner for one in rest]
    if not isinstance(value, dict):
        return value, unknown
    kept = {}
    for key, item in value.items():
        field = _inside(schema, key)
        if _is_own(schema, root) and key in _OWN:
            kept[key], rest = _metadata(item, path) if key == "metadata" and not root else (item, [])
            unknown += rest
        elif field is not None and not (item is None and field.schema is not None and _is_no_null(field.schema)):
            kept[key], rest = pruned(item, field.schema, (*path, key), False)
            unknown += rest
        elif field is None and keeps:
            kept[key] = item
        elif field is None:
            unknown.append((*path, key))
    return kept, unknown


def _metadata(value: Any, path: Path) -> tuple[Any, list[Path]]:
    """The metadata of an object that is embedded in another one: what is no metadata is dropped.

    Models k/apiextensions-apiserver pkg/apiserver/schema/objectmeta Coerce
    """
    known = published.definition("meta.v1.ObjectMeta").fields
    if not isinstance(value, dict):
        return value, []
    odd = [key for key in value if key not in known]
    return {key: item for key, item in value.items() if key in known}, [(*path, "metadata", key) for key in odd]


class _Field(NamedTuple):
    """What is known of a field: its schema; None: that there is one, but nothing of it."""

    schema: Schema | None


def _inside(schema: Schema | None, key: str) -> _Field | None:
    """What *schema* says of the field *key*; None: it does not know it."""
    if schema is None:
        return None
    fields, more = schema.get("properties") or {}, schema.get("additionalProperties")
    if key in fields:
        return _Field(fields[key])
    return _Field(more if isinstance(more, Mapping) else None) if more not in (None, False) else None


def _is_own(schema: Schema | None, root: bool) -> bool:
    return root or bool(schema is not None and schema.get(EMBEDDED))


def _is_no_null(schema: Schema) -> bool:
    """Whether null says nothing there: it may not be null, and no default would take its place."""
    return not schema.get("nullable") and schema.get("default") is None


def filled(value: Any, schema: Schema | None) -> Any:
    """*value* with the default of every place that is there and says nothing.

    Models k/apiextensions-apiserver pkg/apiserver/schema/defaulting Default
    """
    if schema is None:
        return value
    if isinstance(value, list):
        return [filled(_said(item, schema.get("items")), schema.get("items")) for item in value]
    if not isinstance(value, Mapping):
        return value
    known, out = schema.get("properties") or {}, dict(value)
    for key, field in known.items():
        if field.get("default") is not None and (key not in out or (out[key] is None and not field.get("nullable"))):
            out[key] = field["default"]
    for key, item in out.items():
        found = _inside(schema, key)
        if found is not None:
            out[key] = filled(item if key in known else _said(item, found.schema), found.schema)
    return out


def _said(value: Any, schema: Schema | None) -> Any:
    """*value*, or the default where it is null and may not be."""
    return schema.get("default") if value is None and schema is not None and not schema.get("nullable") else value


def fields_at(schema: Mapping[str, Any], place: tuple[Any, ...]) -> list[str]:
    """The fields that *schema* knows at *place*, by name."""
    for step in place:
        schema = schema["items"] if isinstance(step, int) else schema["properties"][step]
    return list(schema["properties"])
