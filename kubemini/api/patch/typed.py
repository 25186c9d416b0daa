"""Objects as trees of owned fields: which paths an object has, how two of them differ, and how one is laid on another.

Theory of operation. Server-side apply asks who owns a field, so a field needs a name that does not move when its
neighbours do. A path is a tuple of steps, spelled as in FieldsV1: ``f:spec`` a field or a key of a map,
``k:{"name":"web"}`` an element of a list by its keys, ``v:"a"`` an element of a set. What the schema calls atomic is
one field, however much it holds. A `Shape` says of a value which of these it is, and what its parts are; a value that
does not have the form of its shape is one field.
Three things that one does not expect. Null is there, but says nothing: it takes the form of what it meets. A map or
list that is empty on both sides is a field of its own. And a list that somebody *wrote* may hold an element twice:
then both together are one field, that has no parts; a list that is *applied* may not.
Models sigs.k8s.io/structured-merge-diff typed ToFieldSet Compare Merge RemoveItems EnsureNamedFieldsAreMembers.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Path = tuple[str, ...]
ATOMIC, MAP, KEYED, SET = "atomic", "map", "keyed", "set"
_FORMS: dict[str, type] = {MAP: dict, KEYED: list, SET: list}


@dataclass(frozen=True, slots=True)
class Shape:
    """What a value is: one field (ATOMIC), a map of fields, a list of elements by key, a set of elements."""

    how: str = ATOMIC
    keys: tuple[str, ...] = ()
    child: Callable[[str], "Shape"] = field(default=lambda key: leaf())  # of a field, or ("") of each element
    named: Callable[[str], bool] = field(default=lambda key: False)  # whether the schema knows the field
    written: Callable[[str], bool] = field(default=lambda key: False)  # whether even an empty object has it
    defaults: Mapping[str, Any] = field(default_factory=dict)  # of keys that an element leaves out

    def fits(self, value: Any) -> bool:
        """Whether *value* has parts by this shape; null and what is not there have none, but may."""
        return self.how != ATOMIC and (value is None or value is NOTHING or isinstance(value, _FORMS[self.how]))


def leaf() -> Shape:
    """The shape of what is one field."""
    return Shape()


class TypedError(ValueError):
    """An object that the schema cannot hold: an element twice, or without its key."""


class _Nothing:
    """What is not there, which null is not."""

    def __bool__(self) -> bool:
        return False


NOTHING: Any = _Nothing()


@dataclass(frozen=True, slots=True)
class Comparison:
    """The paths that differ."""

    added: frozenset[Path]
    modified: frozenset[Path]
    removed: frozenset[Path]


# -- parts -------------------------------------------------------------------------------------------------------------


def parts(value: Any, shape: Shape) -> dict[str, list[Any]]:
    """Step → the values there, in order: one, or several if an element stands there more than once."""
    found: dict[str, list[Any]] = {}
    if shape.how == MAP and isinstance(value, dict):
        return {f"f:{key}": [item] for key, item in value.items()}
    if shape.how in (KEYED, SET) and isinstance(value, list):
        for number, item in enumerate(value):
            found.setdefault(step(item, shape, number), []).append(item)
    return found


def child(shape: Shape, at: str) -> Shape:
    """The shape of the part of *shape* at the step *at*."""
    return shape.child(at[2:] if at[0] == "f" else "")


def step(item: Any, shape: Shape, number: int = 0) -> str:
    """The step to an element of a list, the *number*-th. Raises TypedError."""
    if shape.how == SET:
        if item is None or isinstance(item, dict):
            what = "an explicit null" if item is None else "a map type"
            raise TypedError(f": element {number}: associative list without keys has an element that's {what}")
        if isinstance(item, list):
            raise TypedError(f": element {number}: not supported: associative list with lists as elements")
        return "v:" + json.dumps(item, separators=(",", ":"), ensure_ascii=False)
    if not isinstance(item, dict):
        what = "a null element" if item is None else "non-map elements"
        raise TypedError(f": element {number}: associative list with keys may not have {what}")
    named = {key: item.get(key, shape.defaults.get(key, NOTHING)) for key in sorted(shape.keys)}
    keys = {key: value for key, value in named.items() if value is not NOTHING}
    if not keys:
        listed = " ".join(json.dumps(key) for key in shape.keys)
        why = "(and doesn't have default values for any key fields)"
        omits = f"associative list with keys has an element that omits all key fields [{listed}]"
        raise TypedError(f": element {number}: {omits} {why}")
    return "k:" + json.dumps(keys, separators=(",", ":"), ensure_ascii=False)


def check(value: Any, shape: Shape, at: str = "") -> None:
    """Refuse an object that holds an element twice, or without its key. Raises TypedError."""
    try:
        inner = parts(value, shape)
    except TypedError as error:
        raise TypedError(f"{at}{error}") from None
    for where, items in inner.items():
        if len(items) > 1:
            raise TypedError(f"{at}: duplicate entries for key {shown((where,))}")
        check(items[0], child(shape, where), at + shown((where,)))


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
            text += "[" + ",".join(f"{key}={_told(value)}" for key, value in pairs) + "]"
    return text


def _told(value: Any) -> str:
    """A key of an element; a map or a list, which can be none, is not spelled."""
    return "" if isinstance(value, dict | list) else json.dumps(value, ensure_ascii=False)


def spelled(value: Any, place: tuple[str | int, ...], shape: Shape) -> str:
    """The path to a *place* of *value*, which counts elements, as `shown` spells it."""
    text = ""
    for key in place:
        if isinstance(key, int):
            value = value[key]
            text += shown((step(value, shape, key),)) if shape.how in (KEYED, SET) else f"[{key}]"
        else:
            value = value.get(key)
            text += f".{key}"
        shape = shape.child(str(key))
    return text


# -- which paths an object has -----------------------------------------------------------------------------------------


def owned(value: Any, shape: Shape, path: Path = ()) -> Iterator[Path]:
    """The paths that somebody who applies *value* owns: leaves, elements, keys of maps, and maps that are empty."""
    if not shape.fits(value):
        yield path
        return
    for where, items in parts(value, shape).items():
        deeper, item = (*path, where), items[0]
        if len(items) == 1:
            yield from owned(item, child(shape, where), deeper)
        empty = item is None or item == {}
        if where[0] in "kv" or empty or not shape.named(where[2:]):
            yield deeper


class _Found:
    """What a comparison collects."""

    def __init__(self) -> None:
        self.added: set[Path] = set()
        self.modified: set[Path] = set()
        self.removed: set[Path] = set()

    def leaf(self, old: Any, new: Any, path: Path) -> None:
        """One field, before and after."""
        if old is NOTHING:
            self.added.add(path)
        elif new is NOTHING:
            self.removed.add(path)
        elif not same(old, new):
            self.modified.add(path)


def compare(old: Any, new: Any, shape: Shape) -> Comparison:
    """What is in *new* and not in *old*, what is otherwise, what is gone."""
    found = _Found()
    _compare(old, new, shape, (), found)
    return Comparison(frozenset(found.added), frozenset(found.modified), frozenset(found.removed))


def _compare(old: Any, new: Any, shape: Shape, path: Path, found: _Found) -> None:
    if old is new:  # values are shared: most of an object that is written again is the very same
        return
    fits = [shape.fits(side) for side in (old, new) if side is not NOTHING]
    if not any(fits) or not (_holds(old, shape) or _holds(new, shape)):
        found.leaf(old, new, path)
        return
    if not all(fits):
        found.leaf(old, new, path)
    implied = shape.written if old is not NOTHING else _nothing_is
    _compare_parts(parts(old, shape), parts(new, shape), shape, implied, path, found)
    if old is NOTHING or new is NOTHING:
        found.leaf(old, new, path)


def _holds(value: Any, shape: Shape) -> bool:
    return bool(shape.fits(value) and value)


def _nothing_is(key: str) -> bool:
    return False


def _compare_parts(
    before: dict, after: dict, shape: Shape, implied: Callable[[str], bool], path: Path, found: _Found
) -> None:
    for where in [*before, *(step for step in after if step not in before)]:
        left, right, deeper = before.get(where, []), after.get(where, []), (*path, where)
        one, other = (side[0] if len(side) == 1 else NOTHING for side in (left, right))
        if not left and isinstance(other, dict | list) and where[0] == "f" and implied(where[2:]):
            one = type(other)()
        if not (one is NOTHING and other is NOTHING):
            _compare(one, other, child(shape, where), deeper, found)
        if len(left) > 1 and len(right) > 1:
            if not same(left, right):
                found.modified.add(deeper)
        elif len(left) > 1:
            found.removed.add(deeper)
        elif len(right) > 1:
            found.added.add(deeper)


def same(one: Any, other: Any) -> bool:
    """Equal as JSON: true is not 1."""
    if one is other:
        return True
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


# -- laying one object on another --------------------------------------------------------------------------------------


def merge(live: Any, config: Any, shape: Shape) -> Any:
    """*live* with everything that *config* says; what it does not speak of stays, and null says nothing."""
    if not shape.fits(config) or not (_holds(live, shape) or _holds(config, shape)):
        return live if config is NOTHING else config
    if shape.how == MAP:
        left, right = (side if isinstance(side, dict) else {} for side in (live, config))
        keys = [*left, *(key for key in right if key not in left)]
        return {key: merge(left.get(key, NOTHING), right.get(key, NOTHING), shape.child(key)) for key in keys}
    before, after = (side if isinstance(side, list) else [] for side in (live, config))
    return _Weave(before, after, shape).woven()


class _Weave:
    """Two lists woven: in the order of *right*, and what is only in *left* stays before what it stood before."""

    def __init__(self, left: list, right: list, shape: Shape):
        self.left, self.shape = left, shape
        self.before, self.after = parts(left, shape), parts(right, shape)
        self.steps, self.wanted = [step(item, shape) for item in left], [*self.after]
        self.shared = [where for where in self.wanted if where in self.before]
        self.done: set[str] = set()
        self.out: list = []

    def woven(self) -> list:
        """The one list."""
        at, to = 0, 0
        while at < len(self.steps) or to < len(self.wanted):
            here = self.steps[at] if at < len(self.steps) else None
            if here is not None and to < len(self.wanted):
                if here == self.wanted[to]:
                    self._take(here)
                    at, to = at + 1, to + 1
                    continue
                if here in self.after and self.shared and self.shared[0] != here:
                    at += 1  # it comes later
                    continue
            if here is not None and here not in self.after:
                self.out.append(self.left[at])
                at += 1
                continue
            if here in self.done:
                at += 1
            if to < len(self.wanted):
                self._take(self.wanted[to])
                to += 1
        return self.out

    def _take(self, where: str) -> None:
        """The element of both, or the new one; what stood there twice is not kept."""
        old = self.before.get(where, [])
        below = child(self.shape, where)
        known = (old[0] if len(old) == 1 else None) if old else NOTHING
        self.out.append(merge(known, self.after[where][0], below))
        self.done.add(where)
        if self.shared and self.shared[0] == where:
            self.shared.pop(0)


def without(value: Any, shape: Shape, gone: frozenset[Path]) -> Any:
    """*value* without the fields and elements at the paths *gone*; null where nothing is left."""
    if not shape.fits(value):
        return value if shape.how != ATOMIC or not isinstance(value, dict | list) else None
    below: dict[str, set[Path]] = {}
    for path in sorted(gone):
        below.setdefault(path[0], set()).add(path[1:])
    kept = []
    pairs = value.items() if isinstance(value, dict) else ((step(item, shape), item) for item in value or ())
    for key, item in pairs:
        where = f"f:{key}" if isinstance(value, dict) else key
        paths = below.get(where, set())
        if () not in paths:
            kept.append((key, without(item, child(shape, where), frozenset(paths)) if paths else item))
    if not kept:
        return None
    return dict(kept) if isinstance(value, dict) else [item for _, item in kept]


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


def in_order(paths: Iterable[Path]) -> list[Path]:
    """*paths* as upstream goes through them: of each level first those that end there, then those that go on."""
    return sorted(paths, key=lambda path: [(n + 1 < len(path), step) for n, step in enumerate(path)])


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
