"""An answer of the chain → status, headers and bytes, in the form that was asked for. Pure.

Models k/apiserver pkg/endpoints/handlers/responsewriters WriteObjectNegotiated ErrorNegotiated,
pkg/endpoints/handlers serveWatchHandler transformResponseObject.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any, NamedTuple

from kubemini.api import errors
from kubemini.api.errors import ApiError
from kubemini.api.kinds import Kind
from kubemini.api.objects import FrozenDict, Obj, Same
from kubemini.api.schema import custom
from kubemini.api.schema.written import written as as_go_writes
from kubemini.apiserver.decide import tables
from kubemini.apiserver.decide.forms import media, protobuf
from kubemini.apiserver.decide.forms.media import JSON, PROTOBUF, YAML, Accepted
from kubemini.apiserver.decide.forms.plain import TEXT, Plain, Ready
from kubemini.apiserver.decide.forms.yamltext import yaml_bytes

NOSNIFF = ("X-Content-Type-Options", "nosniff")
TOO_LATE = errors.timeout("request did not complete within the allotted timeout")
_ESCAPED = (("&", "\\u0026"), ("<", "\\u003c"), (">", "\\u003e"))


class Said(NamedTuple):
    """A response without what the connection adds; *body* None: a stream follows."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes | None


def of(
    answer: Any,
    wanted: Accepted,
    headers: Mapping[str, str],
    query: Mapping[str, Any],
    created: bool,
    now: int,
    kind: Kind | None = None,
) -> Said:
    """The response that says *answer*: an object, a text, or an ApiError; *now* in µs; *kind*: what was asked for."""
    if isinstance(answer, Ready):
        return Said(answer.status, answer.headers, answer.body)
    if isinstance(answer, Plain):
        return Said(200, (("Content-Type", answer.type),), answer.text.encode())
    if wanted.convert is not None and not isinstance(answer, str):
        answer = tables.shown(answer, wanted.convert, query, now, kind)
    if isinstance(answer, ApiError):
        return _refusal(answer, headers)
    if answer == "":
        return Said(204, (), b"")
    if isinstance(answer, str):
        return Said(200, (("Content-Type", TEXT), NOSNIFF), answer.encode())
    if wanted.media == PROTOBUF and not protobuf.serves(str(answer.get("apiVersion")), str(answer.get("kind"))):
        wanted = replace(wanted, media=JSON)  # /version and its like are written so whatever is asked for
    body = _list(answer) if _is_plain_list(answer, wanted, kind) else written(as_typed(answer, kind), wanted)
    return Said(201 if created else 200, (("Content-Type", wanted.media),), body)


def written(value: Any, wanted: Accepted) -> bytes:
    """*value* in the media type that is wanted."""
    if wanted.media == YAML:
        return yaml_bytes(value)
    if wanted.media == PROTOBUF:
        return protobuf.encoded(value)
    return json_bytes(value, wanted.pretty)


def as_typed(answer: Obj, of: Kind | None = None) -> Any:
    """*answer* as its type is written, with what it is in front; items of a built-in kind do not say what they are."""
    kind, items = str(answer.get("kind", "")), answer.get("items")
    if isinstance(items, list | tuple) and (kind.endswith("List") or (of is not None and kind == of.list_kind)):
        if not _is_custom(answer, kind, of) and kind not in tables.FORMS:
            items = [_without_kind(as_go_writes(item)) for item in items]
        return _headed({**answer, "items": items})
    return _headed(as_go_writes(answer))


@lru_cache(maxsize=2048)
def _item(value: Same) -> bytes:
    """What an item looks like is remembered, as it never changes."""
    return _plain(value.obj)


def _is_plain_list(answer: Obj, wanted: Accepted, of: Kind | None) -> bool:
    """Whether *answer* is a list of a built-in kind in JSON without spaces."""
    kind = str(answer.get("kind", ""))
    if wanted.media != JSON or wanted.pretty or not isinstance(answer.get("items"), list | tuple):
        return False
    known = kind.endswith("List") or (of is not None and kind == of.list_kind)
    return known and kind not in tables.FORMS and not _is_custom(answer, kind, of)


def _list(answer: Obj) -> bytes:
    """The bytes of a list, item by item."""
    before, items, after = json_bytes(_headed({**answer, "items": []})).rpartition(b'"items":[]')
    told = b",".join(_item(Same(one)) if isinstance(one, FrozenDict) else _plain(one) for one in answer["items"])
    return before + items[:-1] + told + b"]" + after


def _plain(obj: Obj) -> bytes:
    return json_bytes(_without_kind(as_go_writes(obj)))[:-1]


def _is_custom(answer: Obj, kind: str, of: Kind | None) -> bool:
    if of is not None:
        return of.structural is not None
    return custom.of(str(answer.get("apiVersion")), kind.removesuffix("List")) is not None


def _without_kind(obj: Obj) -> dict[str, Any]:
    return {key: value for key, value in obj.items() if key not in ("kind", "apiVersion")}


def _headed(obj: Obj) -> dict[str, Any]:
    first = ("kind", "apiVersion", "metadata")
    return {key: obj[key] for key in first if key in obj} | {k: v for k, v in obj.items() if k not in first}


def of_watch(wanted: Accepted) -> Said:
    """The response that a stream of events follows."""
    type = wanted.media if wanted.media == JSON else f"{wanted.media};stream=watch"
    return Said(200, (("Content-Type", type),), None)


def event_encoder(
    wanted: Accepted, query: Mapping[str, Any], now: Callable[[], int], kind: Kind | None = None
) -> Callable[[Obj], bytes]:
    """How the events of a watch are written, one after the other: a Table tells its columns once."""
    told = False

    def encode(event: Obj) -> bytes:
        nonlocal told
        obj, form = event["object"], wanted.convert
        if form is not None:
            shown = tables.shown(obj, replace(form, headers=form.headers and not told), query, now(), kind)
            obj = shown.status() if isinstance(shown, ApiError) else shown
            told = True
        elif wanted.media == JSON and isinstance(obj, FrozenDict):
            return _event(event["type"], Same(obj))
        shown_event = {"type": event["type"], "object": as_typed(obj)}
        return protobuf.framed(shown_event) if wanted.media == PROTOBUF else json_bytes(shown_event)

    return encode


@lru_cache(maxsize=256)
def _event(type: str, value: Same) -> bytes:
    """An event looks the same to all who watch."""
    return json_bytes({"type": type, "object": as_typed(value.obj)})


def json_bytes(value: Any, pretty: bool = False) -> bytes:
    """As Go's encoder writes it: no spaces unless *pretty*, nothing that HTML would read, a newline at the end."""
    form: dict[str, Any] = {"indent": 2} if pretty else {"separators": (",", ":")}
    text = json.dumps(value, ensure_ascii=False, **form)
    for plain, escaped in _ESCAPED:
        text = text.replace(plain, escaped)
    return text.encode("utf-8", "surrogatepass") + b"\n"


def _refusal(error: ApiError, headers: Mapping[str, str]) -> Said:
    again = (("Retry-After", str(error.retry_after)),) if error.retry_after else ()
    if error.plain:
        return Said(error.code, (("Content-Type", TEXT), NOSNIFF, *again), error.message.encode() + b"\n")
    found = media.negotiated(headers, {}, forms=())
    wanted = Accepted() if isinstance(found, ApiError) else found
    return Said(error.code, (("Content-Type", wanted.media), NOSNIFF, *again), written(error.status(), wanted))


def too_late() -> Said:
    """What a client reads whose time is over before there is an answer: a Status that does not say what it is."""
    status = {**TOO_LATE.status(), "details": {}}
    shown = {key: status[key] for key in ("metadata", "status", "message", "reason", "details", "code")}
    return Said(504, (("Content-Type", TEXT),), json_bytes(shown).rstrip())


def warning(text: str) -> str:
    """A Warning header. Models k/apimachinery pkg/util/net NewWarningHeader"""
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'299 - "{quoted}"'
