"""gnostic's protobuf read back: the document that its bytes hold."""

import yaml

from kubemini.apiserver.decide.forms.protobuf import _fields
from kubemini.apiserver.decide.openapi import gnostic

KINDS = {  # message that is one of several → number of the field → message
    "ParametersItem": {1: "Parameter", 2: "Reference"},
    "Parameter": {1: "Body", 2: "NoBody"},
    "NoBody": {3: "Query", 4: "Path"},
    "ResponseValue": {1: "Response"},
    "SchemaItem": {1: "Schema"},
    "Items": {1: "Schema"},
    "More": {1: "Schema", 2: "bool"},
    "Security": {2: "ApiKey"},
}
SWITCHES = ("bool",)
ZEROS = {field.name for field in gnostic._fields("Schema") if field.type in ("int", "number", "bool")}


def document(data):
    """The document behind *data*."""
    return _read(data, "Document")


def _read(data, type):
    if type == "Texts":
        return [text.decode() for _, text in _fields(data)]
    if type in KINDS:
        [(number, inner)] = _fields(data)
        of = KINDS[type][number]
        return bool(inner) if of in SWITCHES else _read(inner, of)
    known = {field.number: field for field in gnostic._fields(type)}
    found = {}
    for number, raw in _fields(data):
        field = known[number]
        if field.name in ("{}", gnostic.OWN_WORD):
            pair = dict(_fields(raw))
            inner = pair.get(2, b"")
            found[pair[1].decode()] = _read(inner, field.type) if field.name == "{}" else _any(inner)
        elif field.many:
            found.setdefault(field.name, []).append(_one(raw, field.type))
        else:
            found[field.name] = _one(raw, field.type)
    return _alone(found) if type == "Schema" else found


def _one(raw, type):
    if type == "text":
        return raw.decode()
    if type == "any":
        return _any(raw)
    if type == "number":
        return gnostic.fields.struct.unpack("<d", raw)[0]
    return raw if type == "int" else bool(raw) if type in SWITCHES else _read(raw, type)


def _any(data):
    return yaml.safe_load(dict(_fields(data))[2])


def _alone(schema):
    """A schema whose single type is no list."""
    if len(schema.get("type", ())) == 1:
        [schema["type"]] = schema["type"]
    return schema


def without_zeros(value):
    """*value* as protobuf can hold it: a number or a switch that is zero is not there."""
    if isinstance(value, dict):
        return {name: without_zeros(item) for name, item in value.items() if not (item == 0 and name in ZEROS)}
    return [without_zeros(item) for item in value] if isinstance(value, list) else value


def entries(data, number, inner):
    """(name, bytes) of each entry of a map of the document: the field *number*, its entries in the field *inner*."""
    for one, raw in _fields(dict(_fields(data))[number]):
        if one == inner:
            pair = dict(_fields(raw))
            yield pair[1].decode(), pair.get(2, b"")
