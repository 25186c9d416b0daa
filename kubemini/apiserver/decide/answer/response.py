"""An answer of the chain → status, headers and bytes. Pure.

Models k/apiserver pkg/endpoints/handlers/responsewriters SerializeObject, ErrorNegotiated.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from kubemini.api.errors import ApiError
from kubemini.api.objects import Obj

JSON, TEXT = "application/json", "text/plain; charset=utf-8"
_ESCAPED = (("&", "\\u0026"), ("<", "\\u003c"), (">", "\\u003e"))


class Said(NamedTuple):
    """A response without what the connection adds; *body* None: a stream follows."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes | None


def of(answer: Any, headers: Mapping[str, str], verb: str, warnings: tuple[str, ...] = ()) -> Said:
    """The response that says *answer*: an object, a text, or an ApiError."""
    warned = tuple(("Warning", f'299 - "{_quoted(text)}"') for text in warnings)
    if isinstance(answer, ApiError):
        return _refusal(answer, warned)
    if isinstance(answer, str):
        return Said(200, (("Content-Type", TEXT), ("X-Content-Type-Options", "nosniff"), *warned), answer.encode())
    status = 201 if verb == "create" else 200
    return Said(status, (("Content-Type", JSON), *warned), json_bytes(answer))


def of_watch(headers: Mapping[str, str]) -> Said:
    """The response that a stream of events follows."""
    return Said(200, (("Content-Type", JSON),), None)


def event_encoder(headers: Mapping[str, str]) -> Callable[[Obj], bytes]:
    """How the events of a watch are written."""
    return json_bytes


def json_bytes(value: Any) -> bytes:
    """As Go's encoder writes it: no spaces, nothing that HTML would read, a newline at the end."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    for plain, escaped in _ESCAPED:
        text = text.replace(plain, escaped)
    return text.encode() + b"\n"


def _refusal(error: ApiError, warned: tuple[tuple[str, str], ...]) -> Said:
    headers = [("X-Content-Type-Options", "nosniff"), *warned]
    if error.retry_after:
        headers.append(("Retry-After", str(error.retry_after)))
    if error.plain:
        return Said(error.code, (("Content-Type", TEXT), *headers), error.message.encode() + b"\n")
    return Said(error.code, (("Content-Type", JSON), *headers), json_bytes(error.status()))


def _quoted(text: str) -> str:
    """A text inside quotes of a header."""
    return text.replace("\\", "\\\\").replace('"', '\\"')
