"""How patches find the published schema: which lists merge and by which key, which fields are one for apply.

lookup("core.v1.PodSpec", "containers")    Field(strategies=("merge",), merge_key="name", type="core.v1.Container")
shape("apps.v1.Deployment")                the tree of fields that server-side apply walks
"""

from functools import cache

from kubemini.api import schema
from kubemini.api.patch.strategic import Field
from kubemini.api.patch.typed import ATOMIC, KEYED, MAP, SET, Shape

STRUCTS = ("metadata", "spec", "status", "strategy", "template")  # fields of Go that are no pointers: never absent


def type_of(api_version: str, kind: str) -> str:
    """The name of the definition behind a kind; "" if the schema does not have it."""
    found = schema.of_kind(api_version, kind)
    return found.name if found else ""


def lookup(type: str, key: str) -> Field:
    """How the field *key* of an object of *type* is patched; a `strategic.Lookup`."""
    if type.startswith("{}"):
        return Field((), "", schema.item(type))
    found = _field(type, key)
    if found is None:
        return Field()
    inner = schema.item(found.type) if found.type.startswith("[]") else found.type
    return Field(found.strategy, found.merge, inner)


@cache
def shape(type: str, how: str = "", keys: tuple[str, ...] = ()) -> Shape:
    """The shape of a value of *type*; *how* and *keys* are what its field says of it."""
    if type.startswith("[]"):
        named = {"map": KEYED, "set": SET}.get(how, ATOMIC)
        return Shape(named, keys, child=lambda key: shape(schema.item(type)))
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
        written=lambda key: key in STRUCTS or (key in fields and fields[key].required),
    )


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
