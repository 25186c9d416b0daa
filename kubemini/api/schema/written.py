"""An object as Go writes it: with the zeros of what nobody gave, without the empty that it leaves out.

    written({"apiVersion": "v1", "kind": "Pod", …})     … with "status": {}, and null for lists that Go never omits

The API server keeps typed structs; here an object holds what was said of it. The difference is made good where an
answer leaves the server, not in the store. Invariant: written(written(x)) == written(x), and decoding it gives back x.
Models encoding/json Marshal of the types of k8s.io/api; the facts are the `zero` of a field.
"""

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

from kubemini.api import schema
from kubemini.api.schema import Definition


def written(obj: Mapping[str, Any]) -> Mapping[str, Any]:
    """*obj*, which says its kind, as its type is written; *obj* itself if the schema does not have that kind."""
    definition = schema.of_kind(obj.get("apiVersion", ""), obj.get("kind", ""))
    return obj if definition is None else _struct(obj, definition)


def _struct(value: Mapping[str, Any], definition: Definition) -> Mapping[str, Any]:
    fields, found, same = definition.fields, dict(_zeros(definition.name)), True
    for key, item in value.items():
        field = fields.get(key)
        if field is None:
            found[key] = item
        elif not item and field.zero == "-":
            same = False
            continue
        elif item or field.type[:2] not in ("[]", "{}"):
            found[key] = _value(item, field.type)
        elif field.zero == "null":
            found[key] = None
        else:
            same = False
            continue
        same = same and found[key] is item
    return value if same and len(found) == len(value) else found


def _value(value: Any, type: str) -> Any:
    if type.startswith("[]"):
        items = [_value(item, type[2:]) for item in value]
        return value if all(new is old for new, old in zip(items, value)) else items
    if type.startswith("{}"):
        held = {key: _value(item, type[2:]) for key, item in value.items()}
        return value if all(held[key] is item for key, item in value.items()) else held
    if "." in type and isinstance(value, Mapping):
        return _struct(value, schema.definition(type))
    return value


@cache
def _zeros(name: str) -> dict[str, Any]:
    """What Go writes of a definition where nothing is given; never changed by anybody."""
    given = [field for field in schema.definition(name).fields.values() if field.zero not in ("", "-")]
    return {field.name: _zeros(field.type) if field.zero == "{}" else json.loads(field.zero) for field in given}
