"""OpenAPI 2 as protobuf: the form in which client-go asks for it. Pure.

    encoded({"swagger": "2.0", …})       the bytes of an openapi.v2.Document

Theory of operation. gnostic has a message for each kind of place in a document, and one more around each entry of a
map. ``MESSAGES`` has their fields in the order of their numbers: a word alone is a text, ``[]x`` repeats, ``{}x`` is a
map, ``x:Type`` is a message. ``ONE_OF`` has those that only say which of several kinds of message follows. What gnostic
has no field for, the ``x-kubernetes-…`` words, goes under ``x-``, as YAML. A zero is not written.
Models k/kube-openapi pkg/handler ToProtoBinary
Source: gnostic-models, openapiv2/OpenAPIv2.proto.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from functools import cache, lru_cache
from typing import Any, NamedTuple

from kubemini.apiserver.decide.forms import fields
from kubemini.apiserver.decide.forms.yamltext import yaml_bytes

MESSAGES = {
    "Document": "1=swagger 2=info:Info 8=paths:Paths 9=definitions:Schemas 10=parameters:Parameters"
    " 12=[]security:Requirement 13=securityDefinitions:Securities",
    "Info": "1=title 2=version",
    "Paths": "2={}:PathItem",
    "Schemas": "1={}:Schema",
    "Parameters": "1={}:Parameter",
    "Responses": "1={}:ResponseValue",
    "Requirement": "1={}:Texts",
    "Securities": "1={}:Security",
    "PathItem": "2=get:Operation 3=put:Operation 4=post:Operation 5=delete:Operation 6=options:Operation"
    " 7=head:Operation 8=patch:Operation 9=[]parameters:ParametersItem",
    "Operation": "1=[]tags 3=description 5=operationId 6=[]produces 7=[]consumes 8=[]parameters:ParametersItem"
    " 9=responses:Responses 10=[]schemes 13=x-",
    "Reference": "1=$ref",
    "Body": "1=description 2=name 3=in 4=required:bool 5=schema:Schema",
    "Query": "1=required:bool 2=in 3=description 4=name 6=type 20=uniqueItems:bool",
    "Path": "1=required:bool 2=in 3=description 4=name 5=type 19=uniqueItems:bool",
    "Response": "1=description 2=schema:SchemaItem",
    "ApiKey": "1=type 2=name 3=in 4=description",
    "Docs": "1=description 2=url",
    "Schema": "1=$ref 2=format 3=title 4=description 5=default:any 6=multipleOf:number 7=maximum:number"
    " 8=exclusiveMaximum:bool 9=minimum:number 10=exclusiveMinimum:bool 11=maxLength:int 12=minLength:int 13=pattern"
    " 14=maxItems:int 15=minItems:int 16=uniqueItems:bool 17=maxProperties:int 18=minProperties:int 19=[]required"
    " 20=[]enum:any 21=additionalProperties:More 22=type:Texts 23=items:Items 24=[]allOf:Schema 25=properties:Schemas"
    " 29=externalDocs:Docs 30=example:any 31=x-",
}
Choice = Callable[[Any], tuple[int, str]]
ONE_OF: dict[str, Choice] = {
    "ParametersItem": lambda value: (2, "Reference") if "$ref" in value else (1, "Parameter"),
    "Parameter": lambda value: (1, "Body") if value["in"] == "body" else (2, "NoBody"),
    "NoBody": lambda value: (4, "Path") if value["in"] == "path" else (3, "Query"),
    "ResponseValue": lambda value: (1, "Response"),
    "SchemaItem": lambda value: (1, "Schema"),
    "Items": lambda value: (1, "Schema"),
    "More": lambda value: (2, "bool") if isinstance(value, bool) else (1, "Schema"),
    "Security": lambda value: (2, "ApiKey"),
}
OWN_WORD = "x-"
END = "...\n"  # of a document that is a bare word


class Field(NamedTuple):
    """A field of a message; *many*: of a list."""

    number: int
    name: str
    type: str
    many: bool


@cache
def _fields(message: str) -> tuple[Field, ...]:
    return tuple(_field(word) for word in MESSAGES[message].split())


def _field(word: str) -> Field:
    number, _, rest = word.partition("=")
    name, _, type = rest.partition(":")
    return Field(int(number), name.removeprefix("[]"), type or "text", name.startswith("[]"))


def encoded(document: Mapping[str, Any]) -> bytes:
    """The bytes of *document*."""
    return _message(document, "Document")


def _message(value: Any, type: str) -> bytes:
    """What is in a message of *type*."""
    if type == "Texts":
        return b"".join(fields.text(1, one) for one in ([value] if isinstance(value, str) else value))
    if type in ONE_OF:
        number, chosen = ONE_OF[type](value)
        return fields.whole(number, int(value)) if chosen == "bool" else fields.held(number, _message(value, chosen))
    return b"".join(part for field in _fields(type) for part in _parts(value, field))


def _parts(value: Mapping[str, Any], field: Field) -> Iterator[bytes]:
    """The bytes of *field*, once or more often."""
    if field.name == "{}":
        for name, item in value.items():
            yield fields.held(field.number, fields.text(1, name) + fields.held(2, _message(item, field.type)))
    elif field.name == OWN_WORD:
        for name, item in value.items():
            if name.startswith(OWN_WORD):
                yield fields.held(field.number, fields.text(1, name) + fields.held(2, _any(item)))
    elif field.name in value:
        item = value[field.name]
        for one in item if field.many else [item]:
            yield _one(field.number, one, field.type)


def _one(number: int, value: Any, type: str) -> bytes:
    if type == "text":
        return fields.text(number, value)
    if type in ("bool", "int"):
        return fields.whole(number, int(value)) if value else b""
    if type == "number":
        return fields.double(number, value) if value else b""
    return fields.held(number, _any(value) if type == "any" else _message(value, type))


def _any(value: Any) -> bytes:
    """A value of any form, as YAML."""
    return _yaml(json.dumps(value))


@lru_cache(maxsize=4096)
def _yaml(text: str) -> bytes:
    return fields.text(2, yaml_bytes(json.loads(text)).decode().removesuffix(END))
