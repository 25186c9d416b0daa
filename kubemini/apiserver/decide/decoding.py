"""Is the body of a request JSON of the right form at all? What Go's decoder says if not. Pure.

    refusal("nonsense", kind)   400: … couldn't get version/kind; json parse error: json: cannot unmarshal string …
    mistyped({"a": "x"}, "Options", {"a": "int64"})   json: cannot unmarshal string into Go struct field Options.a …

A body is plain JSON: maps with texts for keys, lists, texts, numbers, true, false, null, at most so deep.
Models k/apimachinery pkg/runtime/serializer/json SimpleMetaFactory.Interpret, k/apiserver
pkg/endpoints/handlers transformDecodeError.
Simplified: a number is whole or not; how it was written is not kept.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from kubemini.api import errors
from kubemini.api.errors import ApiError, FieldError
from kubemini.api.kinds import KNOWN, CustomKind, Kind
from kubemini.api.schema.decode import decode

DEEPEST = 300
LARGEST = 3_145_728  # bytes that a server reads: --max-request-body-bytes; a value has two at least
LONGEST_NUMBER = 1024  # bits
TOO_LARGE = f"Request entity too large: limit is {LARGEST}"
NO_KIND = "couldn't get version/kind; json parse error: "
_META = r'struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }'
_SHORT_ENOUGH = 1024  # bytes of a body that an error shows
Shape = Mapping[str, Any]


def refusal(body: Any, kind_name: str) -> ApiError | None:
    """Why *body* cannot be an object of Kubernetes at all, or None. No body at all is None, and refused too."""
    wrong = unexpected_end() if body is None else not_an_object(body)
    if not wrong:
        return None
    if wrong == TOO_LARGE:
        return ApiError(413, "RequestEntityTooLarge", TOO_LARGE)
    text = f"the object provided is unrecognized (must be of type {kind_name}): {wrong} ({_dump(body)})"
    return errors.bad_request(text)


def unexpected_end() -> str:
    """What an empty body is."""
    return NO_KIND + "unexpected end of JSON input"


def not_an_object(body: Any) -> str:
    """Why *body* is not a map with a readable kind and apiVersion; "" if it is."""
    wrong = not_json(body)
    if wrong:
        return wrong
    if not isinstance(body, dict):
        return f"{NO_KIND}json: cannot unmarshal {go_name(body)} into Go value of type {_META}"
    for key in ("apiVersion", "kind"):
        if not isinstance(body.get(key), str | None):
            where = f"Go struct field .{key} of type string"
            return f"{NO_KIND}json: cannot unmarshal {go_name(body[key])} into {where}"
    return ""


def mismatch(body: Mapping[str, Any], kind: Kind) -> ApiError | None:
    """Why *body*, which names another kind or version, cannot be a *kind*; a body that names none is one."""
    if isinstance(kind, CustomKind):
        return _other_custom(body, kind)
    said, version = body.get("kind") or kind.kind, body.get("apiVersion") or kind.api_version
    if version != kind.api_version and version.rpartition("/")[0] == kind.group:
        expected = f"does not match the expected API version ({kind.api_version})"
        return errors.bad_request(f"the API version in the data ({version}) {expected}")
    if version != kind.api_version and (version, said) not in KNOWN:
        why = f'no kind "{said}" is registered for version "{version}" in scheme "pkg/runtime/scheme.go:111"'
    elif (version, said) != (kind.api_version, kind.kind):
        into = f"({kind.group.partition('.')[0] or 'core'}.{kind.kind})"
        why = f"converting ({version.rpartition('/')[2]}.{said}) to {into}: unknown conversion"
    else:
        return None
    short = version.rpartition("/")[2]
    return errors.bad_request(f'{said} in version "{short}" cannot be handled as a {kind.kind}: {why}')


def _other_custom(body: Mapping[str, Any], kind: CustomKind) -> ApiError | None:
    """The same of a kind that is defined here: its objects say what they are."""
    version = body.get("apiVersion") or ""
    if version != kind.api_version:
        expected = f"does not match the expected API version ({kind.api_version})"
        return errors.bad_request(f"the API version in the data ({version}) {expected}")
    return typed_as_another(body, kind)


def typed_as_another(body: Mapping[str, Any], kind: CustomKind) -> ApiError | None:
    """Why *body* is of another type than *kind*. Models customResourceValidator.ValidateTypeMeta"""
    found = [
        FieldError("FieldValueInvalid", field, f"Invalid value: {quoted(body.get(field) or '')}: must be {must}")
        for field, must in (("kind", kind.kind), ("apiVersion", kind.api_version))
        if (body.get(field) or "") != must
    ]
    group, _, version = (body.get("apiVersion") or "").rpartition("/")
    said = replace(kind, kind=body.get("kind") or "", group=group, version=version)
    name = (body.get("metadata") or {}).get("name") or ""
    return errors.invalid(said, name, found) if found else None


def other_kind(body: Mapping[str, Any], kind: Kind) -> str:
    """Why *body*, a patched *kind* that now says that it is another, cannot be read; "" if it still is one."""
    said, version = body.get("kind") or kind.kind, body.get("apiVersion") or kind.api_version
    if (version, said) == (kind.api_version, kind.kind):
        return ""
    if (version, said) not in KNOWN:
        return f'no kind "{said}" is registered for version "{version}" in scheme "pkg/runtime/scheme.go:111"'
    into = f"({kind.group.partition('.')[0] or 'core'}.{kind.kind})"
    unfit = decode(body, version, said).error
    return unfit or f"converting ({version.rpartition('/')[2]}.{said}) to {into}: unknown conversion"


def mistyped(value: Mapping[str, Any], struct: str, shape: Shape, path: str = "") -> str:
    """What Go's decoder would stumble over first; "" if it would not. Null and unknown fields pass.

    *shape*: field → Go type, or (struct, Go type, shape) for a map with fields of its own.
    """
    for key, item in value.items():
        wanted = shape.get(key)
        if item is None or wanted is None:
            continue
        where = f"{path}.{key}" if path else key
        inner = wanted[2] if isinstance(wanted, tuple) else None
        type = wanted[1] if isinstance(wanted, tuple) else wanted
        wrong, into = _unfit(item, type, inner)
        if wrong:
            return f"json: cannot unmarshal {wrong} into Go struct field {struct}.{where} of type {into}"
        if isinstance(wanted, tuple) and (deeper := mistyped(item, wanted[0], wanted[2], where)):
            return deeper
    return ""


def quoted(text: str) -> str:
    """As Go's %q and %v of field errors print a text."""
    shown = json.dumps(text, ensure_ascii=False)
    return shown.replace("\\u00", "\\x")


def go_name(value: Any) -> str:
    """What Go's decoder calls a JSON value."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int | float):
        return "number"
    named = ((dict, "object"), (list, "array"), (str, "string"))
    return next((name for base, name in named if isinstance(value, base)), "null")


def _unfit(value: Any, type: str, inner: Shape | None) -> tuple[str, str]:
    """What does not fit into a Go *type*, and into which: *value*, or what it holds; ("", "") if all does."""
    name = go_name(value)
    if inner is not None:
        return ("", "") if name == "object" else (name, type)
    if type in ("[]string", "map[string]string"):
        return _unfit_texts(value, type)
    if type in ("int32", "int64"):
        bits = int(type[3:])
        whole = name == "number" and isinstance(value, int) and -(2 ** (bits - 1)) <= value < 2 ** (bits - 1)
        return ("", "") if whole else (f"number {value}" if name == "number" else name, type)
    return ("", "") if name == ("bool" if type == "bool" else "string") else (name, type)


def _unfit_texts(value: Any, type: str) -> tuple[str, str]:
    """A list, or a map, of texts."""
    if go_name(value) != ("array" if type == "[]string" else "object"):
        return go_name(value), type
    held = value.values() if isinstance(value, dict) else value
    strange = next((one for one in held if not isinstance(one, str | None)), None)
    return ("", "") if strange is None else (go_name(strange), "string")


def not_json(body: Any) -> str:
    """Why *body* is no JSON, or more of it than one can read; "" if it is. Goes without recursion."""
    level, depth, size = [body], 0, 0
    while level:
        depth, size = depth + 1, size + 2 * len(level) + sum(len(one) for one in level if isinstance(one, str))
        if depth > DEEPEST or size > LARGEST:
            return "exceeded max depth" if depth > DEEPEST else TOO_LARGE
        below: list[Any] = []
        for value in level:
            if isinstance(value, dict):
                if not all(isinstance(key, str) for key in value):
                    return "json: a key of a map is not a text"
                below += value.values()
            elif isinstance(value, list | tuple):
                below += value
            elif not _is_leaf(value):
                return "json: a value is neither text, number, true, false nor null"
        level = below
    return ""


def _is_leaf(value: Any) -> bool:
    if value is None or isinstance(value, str):
        return True
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, int):
        return value.bit_length() <= LONGEST_NUMBER
    return False


def _dump(body: Any) -> str:
    """The bytes of a refused body, in hex, as the error shows them."""
    if body is None:
        return "<empty>"
    if not_json(body):
        return f"{go_name(body)}"
    return json.dumps(body, separators=(",", ":")).encode()[:_SHORT_ENOUGH].hex()
