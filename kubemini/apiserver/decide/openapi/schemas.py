"""The types of the API as schemas of OpenAPI: the published ones, and those of kinds that somebody has defined. Pure.

    needed(value, described)        the schemas of OpenAPI 3 that value points to, and those that these point to
    plainer(schema)                 one of them as OpenAPI 2 can say it

Theory of operation. OpenAPI 2 is what kubectl before 1.27 read, and it broke over whatever it did not expect. So a
structural schema loses there all that OpenAPI 2 does not have, and where the loss would make kubectl refuse what the
server takes (unknown fields, null), it says nothing at all of that place.
Models k/kube-openapi pkg/builder3 openAPI.buildDefinitionRecursively, k/kube-openapi pkg/util ToRESTFriendlyName;
k/apiextensions-apiserver pkg/controller/openapi/builder builder.buildKubeNative builder.buildListSchema,
pkg/controller/openapi/v2 ToStructuralOpenAPIV2, pkg/apiserver/schema Structural.ToKubeOpenAPI.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from kubemini.api.schema import custom, described
from kubemini.api.schema.custom import EMBEDDED, PRESERVES
from kubemini.api.schema.described import BY_GROUP, GVK

REF, PLAIN_REF = "#/components/schemas/", "#/definitions/"
JUNCTORS = ("allOf", "oneOf", "anyOf", "not")
SELECTABLE = "x-kubernetes-selectable-fields"
INT_OR_STRING = "x-kubernetes-int-or-string"
EITHER = [{"type": "integer"}, {"type": "string"}]
TYPED = {  # in words of its own only in OpenAPI 2
    "io.k8s.apimachinery.pkg.api.resource.Quantity": {"type": "string"},
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": {"type": "string"},
}
EVERY = "*"  # the document of all groups and versions
OF_SERVERS = ("admission.k8s.io", "apiextensions.k8s.io", "apiregistration.k8s.io", "imagepolicy.k8s.io")
CONVENTIONS = "https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md"
OF_EMBEDDED = {
    "apiVersion": "apiVersion defines the versioned schema of this representation of an object. More info: "
    f"{CONVENTIONS}#resources",
    "kind": "kind is a string value representing the type of this object. In CamelCase. More info: "
    f"{CONVENTIONS}#types-kinds",
}
Schema = dict[str, Any]


class Described(NamedTuple):
    """A kind that somebody has defined: its names, its structural schema as JSON, and what can be selected by."""

    api_version: str
    kind: str
    plural: str
    listed: str
    text: str
    selectable: tuple[str, ...] = ()


def known(api_version: str, kind: str, plural: str) -> Described:
    """The same of a kind whose definition is simulated as if it had always been there."""
    text = json.dumps(custom.of(api_version, kind), sort_keys=True)
    return Described(api_version, kind, plural, f"{kind}List", text)


def of_kind(api_version: str, kind: str) -> str:
    """The name of the schema of a kind."""
    found = described.names().get((api_version, kind))
    if found is not None:
        return found
    group, _, version = api_version.rpartition("/")
    return ".".join([*reversed(group.split(".")), version, kind])


def ref(name: str) -> Schema:
    """A pointer to the schema called *name*."""
    return {"$ref": REF + name}


def needed(value: Any, own: tuple[Described, ...] = (), version: str = EVERY) -> dict[str, Schema]:
    """The schemas that *value* points to, and those that these point to, by name.

    *own*: the kinds that somebody has defined. *version*: whose document it is; what every group has under its own
    name tells only of that group then, and beside defined kinds, of all groups that clients know.
    """
    found: dict[str, Schema] = {}
    here = of_defined(own)
    waiting = [*pointers(value)]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = _schema(name, here, version)
            waiting += pointers(found[name])
    return {name: found[name] for name in sorted(found)}


def pointers(value: Any) -> Iterator[str]:
    """The names that *value* points to."""
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"].removeprefix(REF)
        for item in value.values():
            yield from pointers(item)
    elif isinstance(value, list):
        for item in value:
            yield from pointers(item)


def _schema(name: str, here: Mapping[str, Schema], version: str) -> Schema:
    if name in here:
        return here[name]
    found = described.schema(name)
    assert found is not None, f"there is no schema {name}"
    if name not in BY_GROUP or version == EVERY:
        return dict(found)
    if here:
        return {**found, GVK: [gvk for gvk in found[GVK] if gvk["group"] not in OF_SERVERS]}
    return {**found, GVK: [gvk for gvk in found[GVK] if _of(gvk) in ("v1", version)]}


def _of(gvk: Mapping[str, str]) -> str:
    return "/".join(part for part in (gvk["group"], gvk["version"]) if part)


# -- what somebody has defined -----------------------------------------------------------------------


def of_defined(own: tuple[Described, ...], plain: bool = False) -> dict[str, Schema]:
    """The schemas of *own*, and of their lists, by name; *plain*: as OpenAPI 2 has them."""
    found = {}
    for one in own:
        name = of_kind(one.api_version, one.kind)
        found[name] = _of_structural(one, plain) | _marks(one, one.kind)
        found[f"{name.rpartition('.')[0]}.{one.listed}"] = _of_list(name, one, plain) | _marks(one, one.listed)
    return found


def _marks(one: Described, kind: str) -> Schema:
    group, _, version = one.api_version.rpartition("/")
    marks: Schema = {GVK: [{"group": group, "kind": kind, "version": version}]}
    return marks | ({SELECTABLE: [{"fieldPath": path} for path in one.selectable]} if one.selectable else {})


def _of_structural(one: Described, plain: bool) -> Schema:
    """What a structural schema says, and what every object has."""
    said = json.loads(one.text) or {}
    if plain and said.get(PRESERVES):
        return {"type": "object"}
    told = _written(said, plain)
    told["properties"] = {**told.get("properties", {}), **_own("Pod", plain)}
    return {"type": "object", **told}


def _own(kind: str, plain: bool) -> Schema:
    """apiVersion, kind and metadata, in the words in which every kind has them."""
    published = described.schema(f"io.k8s.api.core.v1.{kind}")
    assert published is not None
    told = {key: dict(published["properties"][key]) for key in ("apiVersion", "kind", "metadata")}
    told["metadata"].pop("default")
    return plainer(told) if plain else told


def _of_list(name: str, one: Described, plain: bool) -> Schema:
    own = _own("PodList", plain)
    items = {"$ref": PLAIN_REF + name} if plain else ref(name)
    says = f"List of {one.plural}. More info: {CONVENTIONS}"
    own["items"] = {"description": says, "type": "array", "items": items}
    return {
        "description": f"{one.listed} is a list of {one.kind}",
        "type": "object",
        "required": ["items"],
        "properties": {key: own[key] for key in sorted(own)},
    }


def _written(said: Mapping[str, Any], plain: bool) -> Schema:
    """A structural schema as OpenAPI has it, and all that is in it."""
    told = _without_what_breaks(said) if plain else _unfolded(dict(said))
    if "properties" in told:
        told["properties"] = {key: _written(field, plain) for key, field in told["properties"].items()}
    for word in ("items", "additionalProperties"):
        if isinstance(told.get(word), Mapping):
            told[word] = _written(told[word], plain)
    if told.get(EMBEDDED) and not (plain and told.get(PRESERVES)):
        texts = {key: {"description": says, "type": "string"} for key, says in OF_EMBEDDED.items()}
        own = {**texts, "metadata": _own("Pod", plain)["metadata"]}
        told["properties"] = {**told.get("properties", {}), **own}
        required = told.get("required", [])
        told["required"] = [*required, *(key for key in ("kind", "apiVersion") if key not in required)]
    return told


def _unfolded(told: Schema) -> Schema:
    """A number or a text, said in OpenAPI's own words too."""
    if told.get(INT_OR_STRING) and told.get("anyOf") != EITHER:
        first = (told.get("allOf") or [{}])[0]
        if "anyOf" not in told:
            return told | {"anyOf": EITHER}
        if first.get("anyOf") != EITHER:
            return told | {"allOf": [{"anyOf": EITHER}, *told.get("allOf", [])]}
    return told


def _without_what_breaks(said: Mapping[str, Any]) -> Schema:
    """One level of a structural schema, without what OpenAPI 2, and who read it, cannot cope with."""
    told = {key: value for key, value in said.items() if key not in (*JUNCTORS, "default")}
    if told.pop("nullable", False):
        for word in ("type", "items", "properties"):
            told.pop(word, None)
    if told.get(PRESERVES):
        for word in ("items", "properties"):
            told.pop(word, None)
    if told.get("type") == "array" and "items" not in told:
        del told["type"]
    if told.get(PRESERVES) and told.get("type") == "object":
        del told["type"]
    more = told.get("additionalProperties")
    loose = {key for key, field in told.get("properties", {}).items() if field.get("nullable")}
    required = [key for key in told.pop("required", ()) if key not in loose]
    if required and not (isinstance(more, Mapping) and more.get("nullable")):
        told["required"] = required
    return told


# -- OpenAPI 2 ---------------------------------------------------------------------------------------


def plain_schema(name: str) -> Schema:
    """The published schema called *name* as OpenAPI 2 has it."""
    found = described.schema(name)
    assert found is not None, f"there is no schema {name}"
    bare = {key: value for key, value in found.items() if name not in TYPED or key not in JUNCTORS}
    told: Schema = plainer({**bare, **TYPED.get(name, {})})
    return told


def plainer(value: Any) -> Any:
    """*value* of OpenAPI 3 in OpenAPI 2: no defaults, and pointers that stand beside what else is said."""
    if isinstance(value, list):
        return [plainer(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    told: Schema = {}
    for key, item in value.items():
        if key == "properties" and isinstance(item, Mapping):
            told[key] = {name: plainer(field) for name, field in item.items()}
        elif key == "allOf" and isinstance(item, list):
            told |= plainer(item[0])
        elif key == "$ref" and isinstance(item, str):
            told[key] = item.replace(REF, PLAIN_REF)
        elif key != "default":
            told[key] = plainer(item)
    return told
