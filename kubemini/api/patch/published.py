"""How patches find the published schema: which lists merge and by which key, which fields are one for apply.

lookup("core.v1.PodSpec", "containers")    Field(strategies=("merge",), merge_key="name", type="core.v1.Container")
shape_of("apps/v1", "Deployment")          the tree of fields that server-side apply walks
"""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from kubemini.api import schema
from kubemini.api.patch.strategic import Field
from kubemini.api.patch.typed import ATOMIC, KEYED, MAP, SET, Shape
from kubemini.api.schema import custom

DEFAULT_KEYS: dict[tuple[str, str], Any] = {  # (type, key) → what an element is that leaves out what it need not say
    ("core.v1.ContainerPort", "protocol"): "TCP",
    ("core.v1.ServicePort", "protocol"): "TCP",
    ("core.v1.LocalObjectReference", "name"): "",
}
ZEROS = {"string": "", "int32": 0, "int64": 0}
LEAVES = {  # type of a field → the type of a structural schema with its form; others take any
    **dict.fromkeys(("string", "bytes"), "string"),
    **dict.fromkeys(("time", "microtime", "quantity", "int-or-string"), "scalar"),
    **dict.fromkeys(("int32", "int64"), "integer"),
    "bool": "boolean",
    "number": "number",
}
FORMS: dict[str, tuple[str, Any]] = {  # type of a structural schema → the word for its form, and what has it
    "scalar": ("any scalar", str | bool | int | float),
    "object": ("map", dict),
    "array": ("list", list),
    "string": ("string", str),
    "boolean": ("boolean", bool),
    "integer": ("numeric (int or float)", int | float),
    "number": ("numeric (int or float)", int | float),
}


def type_of(api_version: str, kind: str) -> str:
    """The name of the definition behind a kind; "" if the schema does not have it."""
    found = schema.of_kind(api_version, kind)
    return found.name if found else ""


def type_at(type: str, place: tuple[str | int, ...]) -> str:
    """The type of what lies at *place* in a value of *type*; "" if the schema does not know it."""
    for key in place:
        if isinstance(key, int) or type.startswith("{}"):
            type = schema.item(type)
        else:
            found = _field(type, key)
            type = found.type if found is not None else ""
    return type


def lookup(type: str, key: str) -> Field:
    """How the field *key* of an object of *type* is patched; a `strategic.Lookup`."""
    if type.startswith("{}"):
        return Field((), "", schema.item(type))
    found = _field(type, key)
    if found is None:
        return Field()
    inner = schema.item(found.type) if found.type.startswith("[]") else found.type
    return Field(found.strategy, found.merge, inner)


SCHEMALESS: Shape = Shape(MAP, child=lambda key: SCHEMALESS)  # of what no schema knows: maps have fields


def misfits(value: Any, node: Mapping[str, Any], place: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], str]]:
    """Where *value* has not the form that a structural schema wants, and what that is."""
    form = FORMS.get(node.get("type") or "")
    if form is None or value is None:
        return
    if not isinstance(value, form[1]) or (isinstance(value, bool) and form[1] is not bool):
        yield place, form[0]
        return
    items, fields, more = node.get("items"), node.get("properties") or {}, node.get("additionalProperties")
    if isinstance(value, list):
        for number, item in enumerate(value if isinstance(items, Mapping) else ()):
            yield from misfits(item, items or {}, (*place, number))
    elif isinstance(value, dict):
        for key, item in value.items():
            inner = fields.get(key, more)
            if isinstance(inner, Mapping) and (place or key != "metadata"):
                yield from misfits(item, inner, (*place, key))


def unfit(value: Any, type: str, place: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], str]]:
    """Where *value* has not the form of a *type* of Kubernetes' own, and what that is; what texts say is their own."""
    many, definition = type[:2], _definition(type)
    form = FORMS.get("array" if many == "[]" else "object" if many == "{}" or definition else LEAVES.get(type, ""))
    if form is None or value is None:
        return
    if not isinstance(value, form[1]) or (isinstance(value, bool) and form[1] not in (bool, FORMS["scalar"][1])):
        yield place, form[0]
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from unfit(item, schema.item(type), (*place, number))
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from unfit(item, type_at(type, (key,)), (*place, key))


def shape_of(api_version: str, kind: str, structural: Mapping[str, Any] | None = None) -> Shape:
    """The shape of an object of a kind; of a custom resource, by its *structural* schema (None: what is known)."""
    crd = structural if structural is not None else custom.of(api_version, kind)
    return shape(type_of(api_version, kind)) if crd is None else _structural(crd, top=True)


def _structural(node: Mapping[str, Any], top: bool = False) -> Shape:
    """The shape of what a structural schema says; *top*: of the whole object, whose metadata is Kubernetes' own."""
    if "items" in node:
        named = {"map": KEYED, "set": SET}.get(node.get("x-kubernetes-list-type", ""), ATOMIC)
        keys = tuple(node.get("x-kubernetes-list-map-keys", ()))
        return Shape(named, keys, child=lambda key: _structural(node["items"]))
    fields, other = node.get("properties") or {}, node.get("additionalProperties")
    keeps = bool(node.get(custom.PRESERVES))
    if node.get("x-kubernetes-map-type") == ATOMIC or not (fields or other or keeps or top):
        return Shape()

    def child(key: str) -> Shape:
        if top and key == "metadata":
            return shape("meta.v1.ObjectMeta")
        inner = fields.get(key, other)
        return _structural(inner) if isinstance(inner, Mapping) else SCHEMALESS if keeps or inner else Shape()

    return Shape(MAP, child=child, named=lambda key: key in fields, written=lambda key: top and key == "metadata")


@cache
def shape(type: str, how: str = "", keys: tuple[str, ...] = ()) -> Shape:
    """The shape of a value of *type*; *how* and *keys* are what its field says of it."""
    if type.startswith("[]"):
        named = {"map": KEYED, "set": SET}.get(how, ATOMIC)
        return Shape(named, keys, child=lambda key: shape(schema.item(type)), defaults=_key_defaults(type, keys))
    if how == ATOMIC:
        return Shape()
    if type.startswith("{}"):
        return Shape(MAP, child=lambda key: shape(schema.item(type)))
    definition = _definition(type)
    if definition is None or definition.map == ATOMIC:
        return Shape()
    fields = definition.fields
    return Shape(
        MAP,
        child=lambda key: _part(definition, key),
        named=lambda key: key in fields,
        written=lambda key: key in fields and _is_written(fields[key]),
    )


def _key_defaults(type: str, keys: tuple[str, ...]) -> dict[str, Any]:
    """What the schema says that the *keys* of an element of the list *type* are, where it does not say itself.

    What Go always writes is its zero.
    """
    item = schema.item(type)
    fields = {key: field for key in keys if (field := _field(item, key)) is not None and field.type in ZEROS}
    zeros = {key: ZEROS[field.type] for key, field in fields.items() if _is_written(field)}
    return zeros | {key: DEFAULT_KEYS[item, key] for key in keys if (item, key) in DEFAULT_KEYS}


def _is_written(field: schema.Field) -> bool:
    return field.zero not in ("", "-")


def _part(definition: schema.Definition, key: str) -> Shape:
    found = definition.fields.get(key)
    if found is None:
        return Shape()
    return shape(found.type, found.list or found.map, found.keys)


def _definition(type: str) -> schema.Definition | None:
    """The definition called *type*; None for text, numbers and the like."""
    try:
        return schema.definition(type)
    except KeyError:
        return None


def _field(type: str, key: str) -> schema.Field | None:
    definition = _definition(type)
    return definition.fields.get(key) if definition else None
