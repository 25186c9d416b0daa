"""A patch that can be applied, but whose result is no object of the kind: in the words for that. Pure.

The refusal shows the whole object as Go has written it: a struct in the order of its fields, a map, and whatever the
patch has touched, by name. A strategic patch is shown itself, and its result is not read from text but put together,
so it fails in other words.
Models k/apiserver pkg/endpoints/handlers jsonPatcher.applyPatchToCurrentObject applyPatchToObject, k/apimachinery
pkg/runtime fromUnstructured mapFromUnstructured sliceFromUnstructured structFromUnstructured.
"""

import json
import re
from typing import Any

from kubemini.api import schema
from kubemini.api.errors import ApiError
from kubemini.api.objects import freeze
from kubemini.api.patch import published
from kubemini.api.patch.strategic import go_text
from kubemini.api.schema import wire
from kubemini.api.schema.decode import Decoded, Doubled, spelled
from kubemini.api.schema.gonames import is_text

_OPERATION = ("op", "path", "from", "value")
_KINDS = {"object": "map", "array": "slice", "string": "string", "bool": "bool", "number": "int64"}
_UNFIT = re.compile(r"json: cannot unmarshal (\w+)(?: (\S+))? into Go (?:struct field \S+|value) of type (\S+)")


def invalid(type: str, patch: Any, patched: Any, of: str, why: str) -> ApiError:
    """422 for the result *patched* of *patch*, which cannot be read as the definition *of*: *why*."""
    shown = go_text(patch) if type == "strategic" else _go_json(patched, of, _touched(type, patch))
    text = f"Invalid value: {json.dumps(shown, ensure_ascii=False)}: {why}"
    cause = {"reason": "FieldValueInvalid", "message": text, "field": "patch"}
    return ApiError(422, "Invalid", f' "" is invalid: patch: {text}', freeze({"causes": [cause]}))


def why(type: str, found: Decoded) -> str:
    """Why the result of a patch cannot be read."""
    if type in ("merge", "json"):
        return found.error
    if found.error.startswith("illegal base64 data"):
        return f"error decoding from json: {found.error}"
    return _UNFIT.sub(lambda match: _unrestored(_kind(match), match[3]), found.error)


def _kind(unfit: re.Match[str]) -> str:
    """What Go calls the value that does not fit; a number is an integer where it is whole."""
    broken = unfit[1] == "number" and unfit[2] is not None and not unfit[2].lstrip("-").isdigit()
    return "float64" if broken else _KINDS.get(unfit[1], unfit[1])


def _unrestored(given: str, wanted: str) -> str:
    """As the converter says that a value of one kind is not of another."""
    if wanted.startswith("[]"):
        return f"cannot restore slice from {given}"
    if wanted.startswith("map["):
        return f"cannot restore map from {given}"
    if is_text(wanted):
        return f"cannot convert int64 to {wanted}" if given == "int64" else "unrecognized type: string"
    if "." in wanted:
        return f"cannot restore struct from: {given}"
    if (given, wanted) == ("int64", "string") or given == "float64":
        return f"cannot convert {given} to {wanted}"
    return f"unrecognized type: {wanted}"


def strict(type: str, patch: Any) -> list[str]:
    """What a careful reader finds in the patch itself: fields that stand twice, and in operations unknown ones."""
    found = [f'duplicate field "{place}"' for place in _doubled(patch, ())]
    if type != "json":
        return found
    unknown = [
        f'unknown field "[{number}].{key}"'
        for number, operation in enumerate(patch)
        for key in operation
        if key not in _OPERATION
    ]
    return [f"json patch {text}" for text in (*unknown, *found)]


def _doubled(value: Any, path: tuple[str | int, ...]) -> list[str]:
    found = [spelled((*path, key)) for key in getattr(value, "doubled", ())] if isinstance(value, Doubled) else []
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, item in inner:
        found += _doubled(item, (*path, step))
    return found


# -- as Go writes it ---------------------------------------------------------------------------------------------------


def _touched(type: str, patch: Any) -> set[tuple[str, ...]]:
    """The maps that the patch has opened: they are written anew."""
    if type == "json":
        paths = [str(operation.get(key, "")).split("/")[1:-1] for operation in patch for key in ("path", "from")]
        return {tuple(path[:length]) for path in paths for length in range(len(path) + 1)}
    found: set[tuple[str, ...]] = set()

    def walk(value: Any, path: tuple[str, ...]) -> None:
        if isinstance(value, dict):
            found.add(path)
            for key, item in value.items():
                walk(item, (*path, key))
        elif isinstance(value, list):
            for item in value:
                walk(item, (*path, "[]"))

    walk(patch, ())
    return found


def _go_json(value: Any, type: str, touched: set[tuple[str, ...]]) -> str:
    return json.dumps(_ordered(value, type, (), touched), separators=(",", ":"), ensure_ascii=False)


def _ordered(value: Any, type: str, path: tuple[str, ...], touched: set[tuple[str, ...]]) -> Any:
    if isinstance(value, list):
        return [_ordered(item, schema.item(type), (*path, "[]"), touched) for item in value]
    if not isinstance(value, dict):
        return value
    named = type.startswith("{}")
    order = () if path in touched or named else wire.order(type)
    known = [key for key in order if key in value]
    keys = [*known, *sorted(key for key in value if key not in known)]
    inner = {key: schema.item(type) if named else published.type_at(type, (key,)) for key in keys}
    return {key: _ordered(value[key], inner[key], (*path, key), touched) for key in keys}
