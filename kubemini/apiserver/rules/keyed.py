"""What ConfigMaps and Secrets share: data under keys, which may be made immutable."""

from kubemini.api import names
from kubemini.api.objects import Obj
from kubemini.apiserver.rules.causes import Wrong, each, forbidden, too_long

LARGEST = 1024 * 1024  # bytes
FIXED = "field is immutable when `immutable` is set"


def keys(obj: Obj, part: str) -> Wrong:
    """Every key of *part* is a file name."""
    for key in obj.get(part) or {}:
        yield from each(names.config_key(key), f"{part}[{key}]", key)


def size(obj: Obj, field: str, *parts: str) -> Wrong:
    """All values of *parts* together are not too large; bytes count as they are, not in base64."""
    total = 0
    for part in parts:
        for value in (obj.get(part) or {}).values():
            total += len(value.encode()) if part == "data" and obj["kind"] == "ConfigMap" else _bytes(value)
    if total > LARGEST:
        yield too_long(field, LARGEST)


def _bytes(text: str) -> int:
    return len(text.rstrip("=")) * 3 // 4


def immutable(new: Obj, old: Obj, *parts: str) -> Wrong:
    """Once immutable, *parts* and the mark itself stay."""
    if not old.get("immutable"):
        return
    if not new.get("immutable"):
        yield forbidden("immutable", FIXED)
    for part in parts:
        if (new.get(part) or {}) != (old.get(part) or {}):
            yield forbidden(part, FIXED)
