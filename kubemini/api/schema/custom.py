"""The structural schemas of custom resources that are simulated: published facts, as data.

    resources()                                       their lines, as in resources.txt
    of("gateway.networking.k8s.io/v1", "Gateway")     its openAPIV3Schema, without prose
    pruned(value, schema)                             (what the schema knows of it, the paths of the rest)

Invariant: nobody writes here by hand: ``customresources.json`` is derived from the CRDs that their projects publish
(tests/oracles/kubernetes/customresources.py).
Models k/apiextensions-apiserver pkg/apiserver/schema/pruning PruneWithOptions
"""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

_FILE = Path(__file__).with_name("customresources.json")
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


def pruned(value: Any, schema: Mapping[str, Any], path: tuple[Any, ...] = ()) -> tuple[Any, list[tuple[Any, ...]]]:
    """*value* without the fields that *schema* does not know, and the paths of those. Fields of null go, too."""
    unknown: list[tuple[Any, ...]] = []
    if isinstance(value, list) and "items" in schema:
        parts = [pruned(item, schema["items"], (*path, number)) for number, item in enumerate(value)]
        return [part for part, _ in parts], [one for _, rest in parts for one in rest]
    if not isinstance(value, dict) or "properties" not in schema:
        return value, unknown
    kept = {}
    for key, item in value.items():
        if not path and key in _OWN:
            kept[key] = item
        elif key not in schema["properties"]:
            unknown.append((*path, key))
        elif item is not None:
            kept[key], rest = pruned(item, schema["properties"][key], (*path, key))
            unknown += rest
    return kept, unknown


def fields_at(schema: Mapping[str, Any], place: tuple[Any, ...]) -> list[str]:
    """The fields that *schema* knows at *place*, by name."""
    for step in place:
        schema = schema["items"] if isinstance(step, int) else schema["properties"][step]
    return list(schema["properties"])
