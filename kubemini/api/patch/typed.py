"""Objects as trees of owned fields: which paths an object has, how two of them differ, and how one is laid on another.

Theory of operation. Server-side apply asks who owns a field, so a field needs a name that does not move when its
neighbours do. A path is a tuple of steps, spelled as in FieldsV1: ``f:spec`` a field or a key of a map,
``k:{"name":"web"}`` an element of a list by its keys, ``v:"a"`` an element of a set. What the schema calls atomic is
one field, however much it holds. A `Shape` says of a value which of these it is, and what its parts are.
Models sigs.k8s.io/structured-merge-diff typed ToFieldSet Compare Merge RemoveItems.
Simplified: list elements are told apart by keys and a default of TCP for a protocol; a value that does not have the
form of its shape counts as atomic.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

Path = tuple[str, ...]
ATOMIC, MAP, KEYED, SET = "atomic", "map", "keyed", "set"
DEFAULT_KEYS = {"protocol": "TCP"}


@dataclass(frozen=True, slots=True)
class Shape:
    """What a value is: one field (ATOMIC), a map of fields, a list of elements by key, a set of elements."""

    how: str = ATOMIC
    keys: tuple[str, ...] = ()
    child: Callable[[str], "Shape"] = field(default=lambda key: leaf())  # of a field, or ("") of each element
    named: Callable[[str], bool] = field(default=lambda key: False)  # whether the schema knows the field
    written: Callable[[str], bool] = field(default=lambda key: False)  # whether even an empty object has it


def leaf() -> Shape:
    """The shape of what is one field."""
    return Shape()


class TypedError(ValueError):
    """An object that the schema cannot hold: an element twice, or without its key."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The paths that differ."""

    added: frozenset[Path]
    modified: frozenset[Path]
    removed: frozenset[Path]


# -- parts -------------------------------------------------------------------------------------------------------------


def parts(value: Any, shape: Shape, at: str = "") -> dict[str, tuple[Any, Shape]]:
    """Step → (part, its shape), in order; nothing if it is one field. Raises TypedError; *at* names the place."""
    if shape.how == MAP and isinstance(value, dict):
        return {f"f:{key}": (item, shape.child(key)) for key, item in value.items()}
    if shape.how not in (KEYED, SET) or not isinstance(value, list):
        return {}
    found: dict[str, tuple[Any, Shape]] = {}
    for item in value:
        step, shown = _step(item, shape)
        if step in found:
            raise TypedError(f"{at}: duplicate entries for key [{shown}]")
        found[step] = (item, shape.child(""))
    return found


def _step(item: Any, shape: Shape) -> tuple[str, str]:
    if shape.how == SET or not isinstance(item, dict):
        text = json.dumps(item, separators=(",", ":"))
        return f"v:{text}", text
    named = {key: item.get(key, DEFAULT_KEYS.get(key)) for key in sorted(shape.keys)}
    keys = {key: value for key, value in named.items() if value is not None}
    shown = ",".join(f"{key}={json.dumps(value)}" for key, value in keys.items())
    return "k:" + json.dumps(keys, separators=(",", ":")), shown


def shown(path: Path) -> str:
    """As conflicts and refusals spell it: .spec.containers[name="web"].image"""
    text = ""
    for step in path:
        kind, _, rest = step.partition(":")
        if kind == "f":
            text += f".{rest}"
        elif kind == "v":
            text += f"[={rest}]"
        else:
            pairs = json.loads(rest).items()
            text += "[" + ",".join(f"{key}={json.dumps(value)}" for key, value in pairs) + "]"
    return text


def spelled(value: Any, place: tuple[str | int, ...], shape: Shape) -> str:
    """The path to a *place* of *value*, which counts elements, as `shown` spells it."""
    text = ""
    for key in place:
        if isinstance(key, int):
            value = value[key]
            text += f"[{_step(value, shape)[1] if shape.how in (KEYED, SET) else key}]"
        else:
            value = value.get(key)
            text += f".{key}"
        shape = shape.child(str(key))
    return text


# -- which paths an object has -----------------------------------------------------------------------------------------


def owned(value: Any, shape: Shape, path: Path = ()) -> Iterator[Path]:
    """The paths that somebody who applies *value* owns: leaves, elements, keys of maps, and what is empty."""
    inner = parts(value, shape, shown(path))
    if not inner:
        yield path
        return
    for step, (item, below) in inner.items():
        deeper = (*path, step)
        yield from owned(item, below, deeper)
        if step[0] in "kv" or not shape.named(step[2:]):
            yield deeper


def compare(old: Any, new: Any, shape: Shape) -> Comparison:
    """What is in *new* and not in *old*, what is otherwise, what is gone."""
    found: tuple[set[Path], set[Path], set[Path]] = (set(), set(), set())
    _compare(old, new, shape, (), found)
    return Comparison(*map(frozenset, found))


_NOTHING: Any = object()


def _compare(old: Any, new: Any, shape: Shape, path: Path, found: tuple[set, set, set]) -> None:
    added, modified, removed = found
    before = {} if old is _NOTHING else parts(old, shape, shown(path))
    after = {} if new is _NOTHING else parts(new, shape, shown(path))
    for step in [*before, *(step for step in after if step not in before)]:
        below = (before.get(step) or after[step])[1]
        one, other = (side[step][0] if step in side else _NOTHING for side in (before, after))
        if one is _NOTHING and isinstance(other, dict | list) and shape.written(step[2:]):
            one = type(other)()
        _compare(one, other, below, (*path, step), found)
    if old is _NOTHING:
        added.add(path)
    elif new is _NOTHING:
        removed.add(path)
    elif not before and not after and not _same(old, new):
        modified.add(path)


def _same(one: Any, other: Any) -> bool:
    return bool(isinstance(one, bool) == isinstance(other, bool) and one == other)


# -- laying one object on another --------------------------------------------------------------------------------------


def merge(live: Any, config: Any, shape: Shape) -> Any:
    """*live* with everything that *config* says; what it does not speak of stays, and null says nothing."""
    if config is None and live and shape.how != ATOMIC:
        return live
    if shape.how == MAP and isinstance(live, dict) and isinstance(config, dict):
        laid = {k: merge(live[k], v, shape.child(k)) if k in live else v for k, v in config.items()}
        return {**live, **laid}
    if shape.how in (KEYED, SET) and isinstance(live, list) and isinstance(config, list):
        return _merged_list(parts(live, shape), parts(config, shape))
    return config


def _merged_list(left: dict[str, tuple[Any, Shape]], right: dict[str, tuple[Any, Shape]]) -> list:
    """Both lists woven: in the order of *right*, what is only in *left* stays before what it stood before."""
    waiting, shared = [*left], [step for step in right if step in left]
    woven: list = []
    for step, (item, below) in right.items():
        while waiting and waiting[0] != step:
            first = waiting[0]
            if first in shared and first == shared[0]:
                break
            waiting.pop(0)
            if first not in right:
                woven.append(left[first][0])
        if step in left:
            woven.append(merge(left[step][0], item, below))
            shared.remove(step)
            if waiting and waiting[0] == step:
                waiting.pop(0)
        else:
            woven.append(item)
    return woven + [left[step][0] for step in waiting if step not in right]


def without(value: Any, shape: Shape, gone: frozenset[Path]) -> Any:
    """*value* without the fields and elements at the paths *gone*; null where nothing is left."""
    inner = parts(value, shape)
    if not inner or not gone:
        return value
    below: dict[str, set[Path]] = {}
    for path in sorted(gone):
        below.setdefault(path[0], set()).add(path[1:])
    kept = {}
    for step, (item, under) in inner.items():
        paths = below.get(step, set())
        if () not in paths:
            kept[step] = without(item, under, frozenset(paths)) if paths else item
    if not kept:
        return None
    return {step[2:]: item for step, item in kept.items()} if isinstance(value, dict) else [*kept.values()]


def with_named(paths: Iterable[Path], shape: Shape) -> frozenset[Path]:
    """*paths*, and the fields that lead to them; not the elements and keys of maps, which are somebody's own."""
    found = set(paths)
    for path in sorted(found):
        below = shape
        for length, step in enumerate(path, 1):
            if step[0] == "f" and below.named(step[2:]):
                found.add(path[:length])
            below = below.child(step[2:] if step[0] == "f" else "")
    return frozenset(found)


# -- FieldsV1 ----------------------------------------------------------------------------------------------------------


def fields_v1(paths: frozenset[Path]) -> dict[str, Any]:
    """The paths as managedFields write them: nested, with "." for a field that is owned besides its parts."""
    tree: dict[str, Any] = {}
    for path in sorted(paths):
        place = tree
        for step in path:
            place = place.setdefault(step, {})
    for path in sorted(paths):
        place = tree
        for step in path:
            place = place[step]
        if place:
            place["."] = {}
    return tree


def from_fields_v1(tree: Any, path: Path = ()) -> Iterator[Path]:
    """The paths that FieldsV1 speaks of."""
    if not isinstance(tree, dict):
        return
    inner = [step for step in tree if step != "."]
    if path and ("." in tree or not inner):
        yield path
    for step in inner:
        yield from from_fields_v1(tree[step], (*path, step))
