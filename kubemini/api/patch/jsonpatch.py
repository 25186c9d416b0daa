"""JSON patch (RFC 6902): a list of operations on paths, all of them or none.

    apply(obj, [{"op": "add", "path": "/data/k", "value": "x"}])   obj with data.k; PatchError if one cannot be

As the library that the API server uses has it, `replace` of a key that is missing adds it, -1 is the last index, and
a `test` for null holds where there is nothing, and a `copy` from there is null.
Models evanphx/json-patch v4 Patch.Apply.
"""

from collections.abc import Sequence
from typing import Any

from kubemini.api.objects import FrozenDict, FrozenList, freeze


class PatchError(ValueError):
    """The patch cannot be applied: a test failed, a path leads nowhere, an operation is none."""


def apply(document: Any, operations: Sequence[Any]) -> Any:
    """*document* after all *operations*. Raises PatchError, and then nothing has happened."""
    for operation in operations:
        document = _step(document, operation)
    return document


def _step(document: Any, operation: Any) -> Any:
    name, path = operation.get("op"), _path(operation, "path")
    match name:
        case "add":
            return _put(document, path, _value(operation), adds=True)
        case "replace":
            return _put(document, path, _value(operation), adds=False)
        case "remove":
            return _remove(document, path)
        case "move":
            source = _path(operation, "from")
            return _put(_remove(document, source), path, _found(document, source), adds=True)
        case "copy":
            return _put(document, path, _found_or_none(document, _path(operation, "from")), adds=True)
        case "test":
            if not _same(_found_or_none(document, path), operation.get("value")):
                raise PatchError(f"testing value {operation['path']} failed")
            return document
    raise PatchError(f"unexpected operation: {name!r}")


def _path(operation: Any, key: str) -> list[str]:
    pointer = operation.get(key)
    if not isinstance(pointer, str):
        raise PatchError(f"an operation without {key}")
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]


def _value(operation: Any) -> Any:
    """What it sets; nothing is null."""
    return freeze(operation.get("value"))


def _same(found: Any, wanted: Any) -> bool:
    """Equal as JSON: true is not 1."""
    if isinstance(found, dict) and isinstance(wanted, dict):
        return found.keys() == wanted.keys() and all(_same(found[key], wanted[key]) for key in found)
    if isinstance(found, list) and isinstance(wanted, list):
        return len(found) == len(wanted) and all(map(_same, found, wanted))
    return isinstance(found, bool) == isinstance(wanted, bool) and found == wanted


def _index(holder: list, part: str, limit: int) -> int:
    """The place in a list that *part* names, below *limit*; negative ones count from the end."""
    try:
        number = int(part)
    except ValueError:
        raise PatchError(f"{part!r} is no index of a list") from None
    if not -limit <= number < limit:
        raise PatchError(f"index {number} is out of bounds")
    return number if number >= 0 else number + limit


def _child(holder: Any, part: str) -> Any:
    if isinstance(holder, dict) and part in holder:
        return holder[part]
    if isinstance(holder, list):
        return holder[_index(holder, part, len(holder))]
    raise PatchError(f"there is no {part!r}")


def _found(document: Any, path: list[str]) -> Any:
    for part in path:
        document = _child(document, part)
    return document


def _found_or_none(document: Any, path: list[str]) -> Any:
    """The value at *path*; None if only its last step leads nowhere."""
    holder = _found(document, path[:-1])
    if path and isinstance(holder, dict):
        return holder.get(path[-1])
    return _found(holder, path[-1:])


def _edit(document: Any, path: list[str], change: Any) -> Any:
    """A copy of *document* in which the holder of *path*'s last step is changed(holder, step)."""
    if len(path) == 1:
        return change(document, path[0])
    inner = _edit(_child(document, path[0]), path[1:], change)
    if isinstance(document, dict):
        return FrozenDict({**document, path[0]: inner})
    at = _index(document, path[0], len(document))
    return FrozenList([*document[:at], inner, *document[at + 1 :]])


def _put(document: Any, path: list[str], value: Any, adds: bool) -> Any:
    def change(holder: Any, part: str) -> Any:
        if isinstance(holder, dict):
            return FrozenDict({**holder, part: value})
        if not isinstance(holder, list):
            raise PatchError(f"{part!r} has nowhere to go")
        if adds:
            at = len(holder) if part == "-" else _index(holder, part, len(holder) + 1)
            return FrozenList([*holder[:at], value, *holder[at:]])
        at = _index(holder, part, len(holder))
        return FrozenList([*holder[:at], value, *holder[at + 1 :]])

    return _edit(document, path, change) if path else value


def _remove(document: Any, path: list[str]) -> Any:
    def change(holder: Any, part: str) -> Any:
        _child(holder, part)
        if isinstance(holder, dict):
            return FrozenDict({key: item for key, item in holder.items() if key != part})
        at = _index(holder, part, len(holder))
        return FrozenList([*holder[:at], *holder[at + 1 :]])

    if not path:
        raise PatchError("the whole object cannot be removed")
    return _edit(document, path, change)
