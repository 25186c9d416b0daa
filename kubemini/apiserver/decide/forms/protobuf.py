"""Protobuf: the form in which Kubernetes' own clients send objects, and want them back. Pure.

    encoded({"apiVersion": "v1", "kind": "Pod", …})  →  b"k8s\\x00…"        decoded(b"k8s\\x00…")  →  the same

Theory of operation. A message is a row of fields: a number and a kind of wire (varint, eight bytes, length and bytes),
then the value. Which name and type a number has, only the schema knows (``api/schema/wire.txt``). An object goes in
an envelope: four bytes of magic, then a message with its apiVersion and kind, and the object as bytes.
Go writes every field that is no pointer, given or not. So a zero that is read is dropped, as nobody may have meant it,
unless the field is a pointer; what must be there all the same the schema of the API puts back.
An event of a watch is a message in a frame, its length in four bytes; the object in it has an envelope of its own.
Models k/apimachinery pkg/runtime/serializer/protobuf Serializer.Decode Serializer.Encode RawSerializer;
k/apimachinery pkg/util/framer NewLengthDelimitedFrameWriter.
"""

import json
import struct
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from kubemini.api import quantity, timestamps
from kubemini.api.schema import wire
from kubemini.api.schema.wire import Field, Message
from kubemini.apiserver.decide.forms import fields
from kubemini.apiserver.decide.forms.fields import BYTES, EIGHT, FOUR, VARINT

MAGIC = b"k8s\x00"
SECONDS = 1_000_000
_WHOLE = ("int32", "int64", "bool", "uint32", "uint64", "int")
_TIMES = ("time", "microtime")


class Malformed(ValueError):
    """Bytes that are no message of this type."""


class Unknown(NamedTuple):
    """An envelope."""

    api_version: str
    kind: str
    raw: bytes


# -- objects -----------------------------------------------------------------------------------------------------------


def serves(api_version: str, kind: str) -> bool:
    """Whether such an object has a form in protobuf: a custom resource has none."""
    return wire.of_kind(api_version, kind) is not None


def encoded(obj: Mapping[str, Any]) -> bytes:
    """*obj* in its envelope."""
    api_version, kind = str(obj.get("apiVersion", "")), str(obj.get("kind", ""))
    message = wire.of_kind(api_version, kind)
    assert message is not None, f"{kind} of {api_version} has no form in protobuf"
    raw = _message(obj, message)
    meta = fields.text(1, api_version) + fields.text(2, kind)
    return MAGIC + fields.held(1, meta) + fields.held(2, raw) + fields.text(3, "") + fields.text(4, "")


def framed(event: Mapping[str, Any]) -> bytes:
    """An event of a watch in its frame."""
    inner = fields.text(1, event["type"]) + fields.held(2, fields.held(1, encoded(event["object"])))
    return struct.pack(">I", len(inner)) + inner


def opened(data: bytes) -> Unknown:
    """The envelope around *data*. Raises Malformed."""
    if not data.startswith(MAGIC):
        raise Malformed("provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]")
    api_version = kind = ""
    raw = b""
    for number, value in _fields(data[len(MAGIC) :]):
        if number == 1:
            said = dict(_fields(value))
            api_version, kind = (_decoded_text(said.get(key, b"")) for key in (1, 2))
        elif number == 2:
            raw = value
    return Unknown(api_version, kind, raw)


def decoded(envelope: Unknown) -> dict[str, Any]:
    """The object in an envelope. Raises Malformed."""
    message = wire.of_kind(envelope.api_version, envelope.kind)
    if message is None:
        text = f'no kind "{envelope.kind}" is registered for version "{envelope.api_version}"'
        raise Malformed(text)
    body = _read(envelope.raw, message)
    head = {"kind": envelope.kind, "apiVersion": envelope.api_version}
    return {**{key: value for key, value in head.items() if value}, **body}


# -- values → bytes ----------------------------------------------------------------------------------------------------


def _message(value: Mapping[str, Any], message: Message) -> bytes:
    return b"".join(_field(value, field) for field in message.fields.values())


def _field(value: Mapping[str, Any], field: Field) -> bytes:
    if field.inline:
        inner = _message(value, wire.message(field.type))
        return b"" if field.pointer and not inner else fields.held(field.number, inner)
    item = value.get(field.name)
    if field.many:
        return b"".join(_item(field.number, one, field.type) for one in item or ())
    if field.map:
        pairs = sorted((item or {}).items())
        return b"".join(
            fields.held(field.number, fields.text(1, key) + _item(2, one, field.type)) for key, one in pairs
        )
    if item is None and (field.pointer or field.type in ("raw", "bytes", "texts")):
        return b""
    return _item(field.number, item, field.type)


def _item(number: int, value: Any, type: str) -> bytes:
    """One value; None is the zero of its type."""
    if type in _WHOLE:
        return fields.whole(number, int(value or 0))
    if type == "double":
        return fields.double(number, float(value or 0))
    if type == "string":
        return fields.text(number, value or "")
    return fields.held(number, _inner(value, type))


def _inner(value: Any, type: str) -> bytes:
    """The bytes of a value that has a length."""
    if type == "bytes":
        return b64decode(value or "")
    if type == "raw":
        return b"" if value is None else fields.held(1, json.dumps(value, separators=(",", ":")).encode())
    if type == "texts":
        return b"".join(fields.text(1, one) for one in value)
    if type == "quantity":
        return fields.text(1, quantity.text(value) if value is not None else "0")
    if type in _TIMES:
        return _time(value)
    if type == "int-or-string":
        text = value if isinstance(value, str) else ""
        number = 0 if isinstance(value, str) else int(value or 0)
        kind = int(isinstance(value, str))
        return fields.whole(1, kind) + fields.whole(2, number) + fields.text(3, text)
    own = _OWN_WRITERS.get(type)
    return own(value) if own is not None else _message(value or {}, wire.message(type))


def _time(value: str | None) -> bytes:
    if not value:
        return b""
    instant = timestamps.instant(value) + timestamps.EPOCH
    seconds, micros = divmod(instant, SECONDS)
    return fields.whole(1, seconds) + fields.whole(2, micros * 1000)


# -- bytes → values ----------------------------------------------------------------------------------------------------


def _read(data: bytes, message: Message) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for number, raw in _fields(data):
        field = message.fields.get(number)
        if field is None:
            continue
        if field.inline:
            found |= _read(_bytes(raw), wire.message(field.type))
        elif field.many:
            found.setdefault(field.name, []).append(_value(raw, field.type))
        elif field.map:
            key, value = _pair(_bytes(raw), field.type)
            found.setdefault(field.name, {})[key] = value
        else:
            value = _value(raw, field.type)
            if field.pointer or not _is_zero(value):
                found[field.name] = value
    return found


def _pair(data: bytes, type: str) -> tuple[str, Any]:
    said = dict(_fields(data))
    empty: Any = 0 if type in _WHOLE else b""
    return _decoded_text(_bytes(said.get(1, b""))), _value(said.get(2, empty), type)


def _is_zero(value: Any) -> bool:
    return value is None or value in ("", {}) or (value == 0 and not isinstance(value, str))


def _value(raw: Any, type: str) -> Any:
    if type in _WHOLE:
        if not isinstance(raw, int):
            raise Malformed(f"proto: wrong wireType for a {type}")
        return bool(raw) if type == "bool" else _signed(raw, type)
    if type == "double":
        number = struct.unpack("<d", raw)[0]
        return int(number) if number.is_integer() else number
    data = _bytes(raw)
    if type == "string":
        return _decoded_text(data)
    if type == "bytes":
        return b64encode(data).decode()
    return _read_inner(data, type)


def _read_inner(data: bytes, type: str) -> Any:
    """The value of bytes that have a form of their own."""
    if type == "raw":
        inner = _bytes(dict(_fields(data)).get(1, b""))
        return json.loads(inner) if inner else None
    if type == "texts":
        return [_decoded_text(_bytes(one)) for number, one in _fields(data) if number == 1]
    if type == "quantity":
        return _decoded_text(_bytes(dict(_fields(data)).get(1, b"")))
    if type in _TIMES:
        return _read_time(data, type)
    if type == "int-or-string":
        said = dict(_fields(data))
        return _decoded_text(_bytes(said.get(3, b""))) if said.get(1) else _signed(said.get(2, 0), "int32")
    own = _OWN_READERS.get(type)
    return own(data) if own is not None else _read(data, wire.message(type))


def _read_time(data: bytes, type: str) -> str | None:
    said = dict(_fields(data))
    if not said:
        return None
    instant = _signed(said.get(1, 0), "int64") * SECONDS + said.get(2, 0) // 1000 - timestamps.EPOCH
    return timestamps.micro_timestamp(instant) if type == "microtime" else timestamps.timestamp(instant)


def _bytes(raw: Any) -> bytes:
    if not isinstance(raw, bytes):
        raise Malformed("proto: wrong wireType")
    return raw


def _decoded_text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _signed(value: int, type: str) -> int:
    bits = 64 if value >> 32 or type == "int64" else 32
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) and type[0] == "i" else value


def _fields(data: bytes) -> Iterator[tuple[int, Any]]:
    """(number, value) of each field: an integer, or bytes."""
    at = 0
    while at < len(data):
        key, at = _read_varint(data, at)
        number, kind = key >> 3, key & 7
        if kind == VARINT:
            value, at = _read_varint(data, at)
            yield number, value
            continue
        size = 8 if kind == EIGHT else 4 if kind == FOUR else -1
        if kind == BYTES:
            size, at = _read_varint(data, at)
        if size < 0:
            raise Malformed(f"proto: illegal wireType {kind}")
        if at + size > len(data):
            raise Malformed("unexpected EOF")
        yield number, data[at : at + size]
        at += size


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(data):
            raise Malformed("unexpected EOF")
        if shift >= 64:
            raise Malformed("proto: integer overflow")
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


# -- parts of an OpenAPI schema, which are one thing or another --------------------------------------------------------

_SCHEMA = "apiextensions.v1.JSONSchemaProps"


def _schema_or_bool(value: Any) -> bytes:
    allows = value if isinstance(value, bool) else True
    schema = b"" if isinstance(value, bool) else fields.held(2, _inner(value, _SCHEMA))
    return fields.whole(1, int(allows)) + schema


def _schema_or_list(value: Any) -> bytes:
    if isinstance(value, list | tuple):
        return b"".join(fields.held(2, _inner(one, _SCHEMA)) for one in value)
    return fields.held(1, _inner(value, _SCHEMA))


def _schema_or_texts(value: Any) -> bytes:
    if isinstance(value, list | tuple):
        return b"".join(fields.text(2, one) for one in value)
    return fields.held(1, _inner(value, _SCHEMA))


def _read_schema_or_bool(data: bytes) -> Any:
    said = dict(_fields(data))
    return _read_inner(said[2], _SCHEMA) if 2 in said else bool(said.get(1, 0))


def _read_schema_or_list(data: bytes) -> Any:
    said = [*_fields(data)]
    if any(number == 2 for number, _ in said):
        return [_read_inner(one, _SCHEMA) for number, one in said if number == 2]
    return _read_inner(dict(said).get(1, b""), _SCHEMA)


def _read_schema_or_texts(data: bytes) -> Any:
    said = [*_fields(data)]
    if any(number == 2 for number, _ in said):
        return [_decoded_text(one) for number, one in said if number == 2]
    return _read_inner(dict(said).get(1, b""), _SCHEMA)


_OWN_WRITERS = {
    f"{_SCHEMA}OrBool": _schema_or_bool,
    f"{_SCHEMA}OrArray": _schema_or_list,
    f"{_SCHEMA}OrStringArray": _schema_or_texts,
}
_OWN_READERS = {
    f"{_SCHEMA}OrBool": _read_schema_or_bool,
    f"{_SCHEMA}OrArray": _read_schema_or_list,
    f"{_SCHEMA}OrStringArray": _read_schema_or_texts,
}
