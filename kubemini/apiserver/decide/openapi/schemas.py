"""The types of the API as schemas of OpenAPI 3, from the published definitions and CRDs. Pure.

Models k/kube-openapi pkg/builder3 openAPI.buildDefinitionRecursively; names: pkg/util ToRESTFriendlyName there.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from kubemini.api import schema
from kubemini.api.schema import Definition, Field, custom

Described = tuple[tuple[str, str, str], ...]
REF = "#/components/schemas/"
META = "io.k8s.apimachinery.pkg.apis.meta.v1."
QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity"
INT_OR_STRING = "io.k8s.apimachinery.pkg.util.intstr.IntOrString"
PREFIXES = {
    "meta": "io.k8s.apimachinery.pkg.apis.meta",
    "apiextensions": "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions",
    "apiregistration": "io.k8s.kube-aggregator.pkg.apis.apiregistration",
}
PLAIN: dict[str, dict[str, Any]] = {
    "string": {"type": "string"},
    "bool": {"type": "boolean"},
    "int32": {"type": "integer", "format": "int32"},
    "int64": {"type": "integer", "format": "int64"},
    "number": {"type": "number", "format": "double"},
    "bytes": {"type": "string", "format": "byte"},
    "object": {"type": "object"},
    "json": {},
}
NAMED = {
    "time": META + "Time",
    "microtime": META + "MicroTime",
    "quantity": QUANTITY,
    "int-or-string": INT_OR_STRING,
}
BY_HAND: dict[str, dict[str, Any]] = {
    META + "Time": {"type": "string", "format": "date-time"},
    META + "MicroTime": {"type": "string", "format": "date-time"},
    META + "FieldsV1": {"type": "object"},
    META + "Patch": {"type": "object"},
    QUANTITY: {"oneOf": [{"type": "string"}, {"type": "number"}]},
    INT_OR_STRING: {"format": "int-or-string", "oneOf": [{"type": "integer"}, {"type": "string"}]},
}
ANSWERS = {  # what only a server says, which the published types of manifests leave out
    "meta.v1.ListMeta": "continue:string remainingItemCount:int64 resourceVersion:string selfLink:string"
    " shardInfo:meta.v1.ShardInfo",
    "meta.v1.ShardInfo": "selector:string",
    "meta.v1.Status": "apiVersion:string code:int32 details:meta.v1.StatusDetails kind:string message:string"
    " metadata:meta.v1.ListMeta reason:string status:string",
    "meta.v1.StatusDetails": "causes:[]meta.v1.StatusCause group:string kind:string name:string"
    " retryAfterSeconds:int32 uid:string",
    "meta.v1.StatusCause": "field:string message:string reason:string",
}
ZEROS: dict[str, Any] = {'""': "", "0": 0, "false": False, "{}": {}}


def named(definition: str) -> str:
    """The name of a definition: ``apps.v1.Deployment`` → ``io.k8s.api.apps.v1.Deployment``."""
    group, _, rest = definition.partition(".")
    return f"{PREFIXES.get(group, f'io.k8s.api.{group}')}.{rest}"


def of_kind(api_version: str, kind: str) -> str:
    """The name of the schema of a kind."""
    found = schema.of_kind(api_version, kind)
    if found is not None:
        return named(found.name)
    group, _, version = api_version.rpartition("/")
    return ".".join([*reversed(group.split(".")), version, kind])


def ref(name: str) -> dict[str, str]:
    """A pointer to the schema called *name*."""
    return {"$ref": REF + name}


def needed(value: Any, described: Described = ()) -> dict[str, Any]:
    """The schemas that *value* points to, and those that these point to, by name.

    *described*: apiVersion, kind and structural schema (as JSON) of what is defined at one server.
    """
    found: dict[str, Any] = {}
    here = {of_kind(at, kind): _of_structural(at, kind, json.loads(text)) for at, kind, text in described}
    waiting = [*_pointers(value)]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = _schema(name, here)
            waiting += _pointers(found[name])
    return {name: found[name] for name in sorted(found)}


def _pointers(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"].removeprefix(REF)
        for item in value.values():
            yield from _pointers(item)
    elif isinstance(value, list):
        for item in value:
            yield from _pointers(item)


def _schema(name: str, here: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    if name in BY_HAND or name in here:
        return BY_HAND.get(name) or here[name]
    definition = _definitions().get(name)
    if definition is not None:
        return _of_definition(definition)
    if name.endswith("List"):
        return _of_list(name.removesuffix("List"), here)
    return _of_custom(name)


def _of_definition(name: str) -> dict[str, Any]:
    found = _answer(name) if name in ANSWERS else schema.definition(name)
    told: dict[str, Any] = {"type": "object"}
    if found.required:
        told["required"] = [*found.required]
    if found.fields:
        told["properties"] = {field.name: _property(field) for field in found.fields.values()}
    if found.kind:
        told["x-kubernetes-group-version-kind"] = [_gvk(found.api_version, found.kind)]
    if found.map:
        told["x-kubernetes-map-type"] = found.map
    return told


def _answer(name: str) -> Definition:
    pairs = (word.split(":", 1) for word in ANSWERS[name].split())
    fields = [
        Field(key, type, zero="{}" if key == "metadata" else "", list="atomic" if key == "causes" else "")
        for key, type in pairs
    ]
    gvk = ("v1", "Status") if name == "meta.v1.Status" else ("", "")
    return Definition(name, {field.name: field for field in fields}, *gvk)


def _property(field: Field) -> dict[str, Any]:
    """A field, as a property."""
    told = _type(field.type)
    zero = {"default": ZEROS[field.zero]} if field.zero in ZEROS else {}
    told = {**zero, "allOf": [told]} if "$ref" in told else {**told, **zero}
    facts = {
        "x-kubernetes-list-map-keys": [*field.keys],
        "x-kubernetes-list-type": field.list,
        "x-kubernetes-map-type": field.map,
        "x-kubernetes-patch-merge-key": field.merge,
        "x-kubernetes-patch-strategy": ",".join(field.strategy),
    }
    return told | {key: fact for key, fact in facts.items() if fact}


def _type(type: str) -> dict[str, Any]:
    if type.startswith("[]"):
        return {"type": "array", "items": _type(schema.item(type))}
    if type.startswith("{}"):
        return {"type": "object", "additionalProperties": _type(schema.item(type))}
    if type in PLAIN:
        return PLAIN[type]
    return ref(NAMED.get(type) or named(type))


def _of_list(item: str, here: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """A list of the kind behind the schema *item*."""
    properties: dict[str, Any] = {
        "apiVersion": PLAIN["string"],
        "items": {"type": "array", "items": ref(item)},
        "kind": PLAIN["string"],
        "metadata": {"default": {}, "allOf": [ref(META + "ListMeta")]},
    }
    (gvk,) = _schema(item, here)["x-kubernetes-group-version-kind"]
    listed = {**gvk, "kind": gvk["kind"] + "List"}
    return {
        "type": "object",
        "required": ["items"],
        "properties": properties,
        "x-kubernetes-group-version-kind": [listed],
    }


def _of_custom(name: str) -> dict[str, Any]:
    """The schema of a custom resource, as its CRD has it."""
    api_version, kind = _custom()[name]
    return _of_structural(api_version, kind, custom.of(api_version, kind) or {})


def _of_structural(api_version: str, kind: str, said: Mapping[str, Any]) -> dict[str, Any]:
    """What a structural schema says, and what every object has."""
    found = dict(said)
    own = {"apiVersion": PLAIN["string"], "kind": PLAIN["string"], "metadata": {"allOf": [ref(META + "ObjectMeta")]}}
    found["properties"] = {**found.get("properties", {}), **own}
    return found | {"x-kubernetes-group-version-kind": [_gvk(api_version, kind)]}


def _gvk(api_version: str, kind: str) -> dict[str, str]:
    group, _, version = api_version.rpartition("/")
    return {"group": group, "kind": kind, "version": version}


def _definitions() -> dict[str, str]:
    """Name of a schema → the definition that it is of."""
    return {named(name): name for name in (*ANSWERS, *schema.names())}


def _custom() -> dict[str, tuple[str, str]]:
    return {of_kind(words[0], words[2]): (words[0], words[2]) for words in custom.resources()}
