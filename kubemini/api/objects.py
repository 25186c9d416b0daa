"""Kubernetes objects are values: nested, read-only dicts spelled exactly as in YAML.

    pod["spec"]["nodeName"]                                  read, as in the manifest
    get(pod, "spec", "nodeName")                             read what may be absent
    running = evolve(pod, ("status", "phase"), "Running")    a changed copy; running["spec"] is pod["spec"]
    list(changes(pod, running))                              [(("status", "phase"), "Pending", "Running")]

Invariant: a changed copy shares every branch that it did not change, so holding every version an object ever had is
cheap. Writing into an object raises TypeError. client-go states the same rule for the objects of an informer's cache,
where breaking it corrupts what other controllers see. Paths are tuples, as label keys contain dots.
"""

from collections.abc import Iterator, Mapping
from sys import intern
from typing import Any

Obj = Mapping[str, Any]
Path = tuple[str | int, ...]


class Same:
    """An object as a key of what is remembered of it: known by being the very same."""

    __slots__ = ("obj",)

    def __init__(self, obj: Obj):
        self.obj = obj

    def __hash__(self) -> int:
        return id(self.obj)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and self.obj is other.obj


def _read_only(self: Any, *args: Any, **kwargs: Any) -> Any:
    raise TypeError("Kubernetes objects are values: use evolve(obj, path, value) to get a changed copy")


_refuse: Any = _read_only


class FrozenDict(dict):
    """A dict that cannot be written to. ``copy.deepcopy`` gives a plain, mutable one."""

    __slots__ = ()
    __setitem__ = __delitem__ = __ior__ = _refuse
    update = pop = popitem = clear = setdefault = _refuse

    def __deepcopy__(self, memo: dict) -> dict:
        return thaw(self)

    def __reduce__(self) -> tuple:
        return (FrozenDict, (dict(self),))


class FrozenList(list):
    """A list that cannot be written to. ``copy.deepcopy`` gives a plain, mutable one."""

    __slots__ = ()
    __setitem__ = __delitem__ = __iadd__ = __imul__ = _refuse
    append = extend = insert = pop = remove = clear = sort = reverse = _refuse

    def __deepcopy__(self, memo: dict) -> list:
        return thaw(self)

    def __reduce__(self) -> tuple:
        return (FrozenList, (list(self),))


class Warned(FrozenDict):
    """An object in an answer that comes with warnings: what an HTTP server says in the header Warning."""

    __slots__ = ("warnings",)
    warnings: tuple[str, ...]


def warned(obj: Obj, warnings: tuple[str, ...]) -> "Warned":
    """*obj* with *warnings* for whoever asked."""
    told = Warned(freeze(obj))
    told.warnings = warnings
    return told


EMPTY = FrozenDict()


def freeze(value: Any) -> Any:
    """A read-only copy of JSON-like *value*; what is frozen already is shared, not copied, as are names of fields."""
    if isinstance(value, (FrozenDict, FrozenList)):
        return value
    if isinstance(value, dict):
        frozen = FrozenDict({intern(key) if type(key) is str else key: freeze(item) for key, item in value.items()})
        return frozen or EMPTY  # one for all
    if isinstance(value, (list, tuple)):
        return FrozenList(map(freeze, value))
    return value


def thaw(value: Any) -> Any:
    """A plain, mutable deep copy: dicts and lists all the way down."""
    if isinstance(value, dict):
        return {key: thaw(item) for key, item in value.items()}
    if isinstance(value, list):
        return [thaw(item) for item in value]
    return value


def get(obj: Any, *path: str | int, default: Any = None) -> Any:
    """The value at *path*, or *default* if any step is missing; a number steps into a list."""
    try:
        for key in path:
            obj = obj[key]
    except (KeyError, IndexError, TypeError):
        return default
    return obj


def evolve(obj: Obj, path: Path, value: Any) -> Any:
    """*obj* with *value* at *path*, missing branches made; everything else is shared with the original."""
    key: Any = path[0]
    if len(path) > 1:
        child = obj[key] if isinstance(obj, list) else obj.get(key)
        value = evolve(EMPTY if child is None else child, path[1:], value)
    else:
        value = freeze(value)
    return _with(obj, key, value)


def evolve_many(obj: Obj, *edits: tuple[Path, Any]) -> Any:
    """*obj* with every (path, value) of *edits*, in order; each branch is copied once, however many edits it gets.

    evolve_many(pod, (("status", "phase"), "Running"), (("status", "podIP"), "10.0.1.7"))
    """
    groups: dict[str | int, list[tuple[Path, Any]]] = {}
    for path, value in edits:
        groups.setdefault(path[0], []).append((path[1:], value))
    for key, inner in groups.items():
        last_whole = max((n for n, (rest, _) in enumerate(inner) if not rest), default=-1)
        child = freeze(inner[last_whole][1]) if last_whole >= 0 else get(obj, key)
        inner = inner[last_whole + 1 :]
        obj = _with(obj, key, evolve_many(EMPTY if child is None else child, *inner) if inner else child)
    return freeze(obj)


def without(obj: Obj, path: Path) -> Any:
    """*obj* without the field at *path*; *obj* itself if there is none."""
    holder = get(obj, *path[:-1])
    if not isinstance(holder, dict) or path[-1] not in holder:
        return obj
    rest = freeze({key: value for key, value in holder.items() if key != path[-1]})
    return evolve(obj, path[:-1], rest) if len(path) > 1 else rest


def changes(old: Any, new: Any, path: Path = ()) -> Iterator[tuple[Path, Any, Any]]:
    """Yield (path, before, after) for every leaf that differs; lists are compared as wholes."""
    if old is new or old == new:
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            yield from changes(old.get(key), new.get(key), (*path, key))
    else:
        yield path, old, new


def _with(obj: Any, key: Any, value: Any) -> Any:
    """A frozen copy of the one dict or list *obj* with *value* under *key*."""
    if isinstance(obj, list):
        items = FrozenList(obj)
        list.__setitem__(items, key, value)
        return items
    copy = FrozenDict(obj)
    dict.__setitem__(copy, key, value)
    return copy
