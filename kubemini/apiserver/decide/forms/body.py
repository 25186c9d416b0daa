"""The bytes of a body → the value that they are, or why they are none. Pure.

Models k/apimachinery pkg/runtime/serializer/json Serializer.Decode, k/apiserver pkg/endpoints/handlers
transformDecodeError summarizeData limitedReadBody, pkg/endpoints/handlers jsonPatcher.applyJSPatch.
"""

from typing import Any

from kubemini.api import documents, errors
from kubemini.api.errors import ApiError
from kubemini.api.schema import syntax
from kubemini.api.schema.decode import read_json
from kubemini.apiserver.decide.decoding import LARGEST, NO_KIND, TOO_LARGE
from kubemini.apiserver.decide.forms import protobuf
from kubemini.apiserver.decide.forms.media import PROTOBUF, YAML

CONVERTING = "error converting YAML to JSON: "
SHOWN = 30  # bytes of a body that an error shows


class Unreadable(ValueError):
    """Bytes that are no value: in Go's words."""


def too_large(data: bytes) -> ApiError | None:
    """413 for more than a server reads."""
    return ApiError(413, "RequestEntityTooLarge", TOO_LARGE) if len(data) > LARGEST else None


def of_object(data: bytes, media: str, kind_name: str) -> Any:
    """What a POST or a PUT carries: a value, or 400 in the words of the decoder."""
    try:
        return value(data, media)
    except Unreadable as wrong:
        text = f"the object provided is unrecognized (must be of type {kind_name}): {wrong} ({summary(data)})"
        return errors.bad_request(text)


def value(data: bytes, media: str) -> Any:
    """The value of *data*. Raises Unreadable."""
    if media == YAML:
        return _yaml(data)
    if media == PROTOBUF:
        return _protobuf(data)
    return _json(data, NO_KIND)


def of_patch(data: bytes, patch: str) -> Any:
    """What a PATCH carries, or 400."""
    try:
        if patch == "apply":
            return _yaml(data) if data else _json(data, "")
        return _json(data, "")
    except Unreadable as wrong:
        if patch != "apply":
            return errors.bad_request("invalid JSON patch")
        return errors.bad_request(f"error encoding patch: {str(wrong).removeprefix(CONVERTING)}")


def of_options(data: bytes, media: str) -> Any:
    """The DeleteOptions in the body of a DELETE, or 400."""
    try:
        return value(data, media)
    except Unreadable as wrong:
        return errors.bad_request(str(wrong))


def summary(data: bytes) -> str:
    """The beginning of a body, as an error shows it."""
    if not data:
        return "<empty>"
    cut = " ..." if len(data) > SHOWN else ""
    short = data[:SHOWN]
    return (short.decode("utf-8", "replace") if data[:1] == b"{" else short.hex()) + cut


def _json(data: bytes, prefix: str) -> Any:
    try:
        found = read_json(data.decode("utf-8", "replace"))
    except ValueError as error:
        wrong = syntax.problem(data) or str(error)
        raise Unreadable(prefix + wrong) from None
    if b"NaN" in data or b"Infinity" in data:  # which Python reads, and Go does not
        if wrong := syntax.problem(data):
            raise Unreadable(prefix + wrong)
    return {} if found is None and prefix else found


def _protobuf(data: bytes) -> Any:
    try:
        return protobuf.decoded(protobuf.opened(data))
    except protobuf.Malformed as wrong:
        raise Unreadable(str(wrong)) from None


def _yaml(data: bytes) -> Any:
    try:
        found = documents.read(data.decode("utf-8", "replace"))
    except documents.TextError as error:
        raise Unreadable(f"{CONVERTING}yaml: {error}") from None
    return found[0].value if found else {}
