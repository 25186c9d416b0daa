"""The bytes of a body → the value that they are, or why they are none. Pure.

Models k/apimachinery pkg/runtime/serializer/json Serializer.Decode, k/apiserver pkg/endpoints/handlers
transformDecodeError summarizeData limitedReadBody, pkg/endpoints/handlers jsonPatcher.applyJSPatch.
"""

from typing import Any

from kubemini.api import errors
from kubemini.api.errors import ApiError
from kubemini.api.schema import syntax
from kubemini.api.schema.decode import read_json
from kubemini.apiserver.decide.decoding import LARGEST, NO_KIND, TOO_LARGE, not_an_object
from kubemini.apiserver.decide.forms import protobuf, yamltext
from kubemini.apiserver.decide.forms.media import PROTOBUF, YAML
from kubemini.apiserver.decide.forms.yamltext import Unreadable

NOT_YAML = "error decoding patch: error converting YAML to JSON"
SHOWN = 30  # bytes of a body that an error shows


def too_large(data: bytes) -> ApiError | None:
    """413 for more than a server reads."""
    return ApiError(413, "RequestEntityTooLarge", TOO_LARGE) if len(data) > LARGEST else None


def of_object(data: bytes, media: str, kind_name: str, must_say: bool = False) -> Any:
    """What a POST or a PUT carries: a value, or 400 in the words of the decoder; *must_say*: of which kind it is."""
    try:
        found = value(data, media)
        if problem := not_an_object(found):
            raise Unreadable(problem)
        if must_say and not found.get("kind"):
            raise Unreadable(f"Object 'Kind' is missing in '{_text(data)}'")
        return found
    except Unreadable as wrong:
        text = f"the object provided is unrecognized (must be of type {kind_name}): {wrong} ({summary(data)})"
        return errors.bad_request(text)


def value(data: bytes, media: str) -> Any:
    """The value of *data*. Raises Unreadable."""
    if media == YAML:
        return yamltext.read(_text(data))
    if media == PROTOBUF:
        return _protobuf(data)
    return _json(data, NO_KIND)


def of_patch(data: bytes, patch: str) -> Any:
    """What a PATCH carries, or 400."""
    try:
        return yamltext.read(_text(data)) if patch == "apply" else _json(data, "")
    except Unreadable as wrong:
        if patch != "apply":
            return errors.bad_request("invalid JSON patch")
        late = data.lstrip()[:1] == b"{"  # it may be JSON, so nobody has looked yet
        return errors.bad_request(f"{NOT_YAML if late else 'error encoding patch'}: {wrong}")


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
        found = read_json(_text(data))
    except ValueError as error:
        wrong = syntax.problem(data) or str(error)
        raise Unreadable(prefix + wrong) from None
    if b"NaN" in data or b"Infinity" in data:  # which Python reads, and Go does not
        if wrong := syntax.problem(data):
            raise Unreadable(prefix + wrong)
    return {} if found is None and prefix else found


def _protobuf(data: bytes) -> Any:
    if not data:
        raise Unreadable("empty data")
    if data == protobuf.MAGIC:
        raise Unreadable("empty body")
    try:
        return protobuf.decoded(protobuf.opened(data))
    except protobuf.Malformed as wrong:
        raise Unreadable(str(wrong)) from None


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
