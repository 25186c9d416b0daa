"""An object as the API server's decoder reads it: by its schema, in the decoder's own words.

    decode({"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"replcas": 3}}, "apps/v1", "Deployment")
        .value     the object without what no field holds, with the zeros that Go always writes
        .strict    ['unknown field "spec.replcas"']
        .error     "" or why it cannot be read at all: json: cannot unmarshal string into Go struct field …

Invariant: a value that is read without an error has, at every place that the schema knows, the type of that place, and
every required text, number and boolean, and each quantity is written as it is stored. So nobody behind the API
server meets a wrong type or a missing key.
Theory of operation. Go's decoder walks the text once. A wrong type is noted and the walk goes on; the first note is
the answer. A type that reads itself (quantity, time, int-or-string) ends the walk at once, and its complaint wins. null
leaves a field as it is (absent); in a list or a map it becomes the type's zero.
Models sigs.k8s.io/json UnmarshalStrict, k/apimachinery pkg/runtime/serializer/json.
A custom resource loses what its structural schema does not know; its types are judged with its other rules.
"""

import base64
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from kubemini.api import gotime, quantity, schema
from kubemini.api.objects import Path
from kubemini.api.schema import custom
from kubemini.api.schema.gonames import go_type

DEEPEST = 200  # levels; real manifests have about 15, Go's decoder stops at 10,000
TOO_DEEP = "exceeded max depth"
_ZEROS: dict[str, Any] = {"string": "", "bool": False, "int32": 0, "int64": 0, "number": 0, "int-or-string": 0}
_BITS = {"int32": 31, "int64": 63}
_PLAIN = {"string": "string", "bytes": "string", "bool": "bool"}
_BARE = schema.Definition(  # what is known of an object that the schema does not have
    "Object",
    {
        "apiVersion": schema.Field("apiVersion", "string"),
        "kind": schema.Field("kind", "string"),
        "metadata": schema.Field("metadata", "meta.v1.ObjectMeta"),
    },
)


class Doubled(dict):
    """A JSON object in whose text fields stood twice: ``doubled`` names them, ``written`` is all that stood there."""

    def __init__(
        self, pairs: dict[str, Any], doubled: tuple[str, ...], written: tuple[tuple[str, Any], ...] | None = None
    ):
        super().__init__(pairs)
        self.doubled = doubled
        self.written = tuple(pairs.items()) if written is None else written


class FromYaml(dict):
    """An object that was YAML; ``complaints``: a line each of the keys that stood twice in a map."""

    def __init__(self, pairs: dict[str, Any], complaints: tuple[str, ...]):
        super().__init__(pairs)
        self.complaints = complaints


@dataclass(slots=True)
class Decoded:
    """What came of it. ``places``: the paths that ``strict`` and ``error`` speak of."""

    value: Any = None
    strict: list[str] = field(default_factory=list)
    error: str = ""
    place: Path = ()
    unknown: list[Path] = field(default_factory=list)
    of_yaml: tuple[str, ...] = ()

    @property
    def warnings(self) -> list[str]:
        """All strict complaints, each on its own."""
        return [*self.of_yaml, *self.strict]

    @property
    def strict_error(self) -> str:
        """The one text of all strict complaints."""
        first = ["yaml: unmarshal errors:\n  " + "\n  ".join(self.of_yaml)] if self.of_yaml else []
        return "strict decoding error: " + ", ".join(first + self.strict) if first or self.strict else ""


class _Stop(Exception):
    """A type that reads itself refuses."""


def decode(
    value: Any, api_version: str, kind: str, structural: Mapping[str, Any] | None = None, wraps: bool = False
) -> Decoded:
    """Read *value* as an object of *kind*; *structural*: the schema of a custom resource, None: if any is known.

    *wraps*: it is put together from what has been read already, not from text: a number that is too large for its field
    loses its upper bits. Models k/apimachinery pkg/runtime fromUnstructured
    """
    if depth(value) > DEEPEST:
        return Decoded(error=TOO_DEEP)
    structural = structural if structural is not None else custom.of(api_version, kind)
    definition = schema.of_kind(api_version, kind) if structural is None else None
    walk = _Walk(wraps)
    if isinstance(value, FromYaml):
        walk.found.of_yaml = value.complaints
    try:
        if definition is None:
            bare = {key: value[key] for key in _BARE.fields if key in value}
            walk.found.value = {**walk.custom(value, structural), **walk.struct(bare, _BARE, ())}
        else:
            walk.found.value = walk.struct(value, definition, ())
    except _Stop as stop:
        walk.found.error = str(stop)
    if definition is None:  # whose metadata is read by itself
        walk.found.error = walk.found.error.replace("ObjectMeta.metadata.", "ObjectMeta.")
    return walk.found


def depth(value: Any) -> int:
    """How many levels of maps and lists *value* has; counts no further than a little beyond DEEPEST."""
    level, waiting = 0, [value]
    while waiting and level <= DEEPEST:
        level += 1
        inner = [v for v in waiting if isinstance(v, dict | list)]
        waiting = [item for v in inner for item in (v.values() if isinstance(v, dict) else v)]
    return level


_ESCAPE = re.compile(  # an escape, or half a character; only halves are named
    r"\\(?:u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}|(?P<half>u[dD][89a-fA-F][\da-fA-F]{2})|.)"
    r"|(?P<bare>[\ud800-\udfff])",
    re.DOTALL,
)


def read_json(text: str) -> Any:
    """The value of a JSON *text*; a map that gives a field twice is `Doubled`. Raises ValueError.

    Half a character becomes U+FFFD, as Go reads it.
    """
    if "\\" in text or not text.isascii():
        text = _ESCAPE.sub(lambda found: "\ufffd" if found.lastgroup else found[0], text)
    try:
        return json.loads(text, object_pairs_hook=_object)
    except RecursionError:
        raise ValueError(TOO_DEEP) from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    keys = [key for key, _ in pairs]
    doubled = tuple(key for number, key in enumerate(keys) if key in keys[:number])
    return Doubled(found, doubled, tuple(pairs))


class _Walk:
    """One walk over a value and its schema."""

    def __init__(self, wraps: bool = False) -> None:
        self.found, self.wraps = Decoded(), wraps

    def _pairs(self, value: Any, path: Path, known: Any = None) -> Iterator[tuple[str, Any]]:
        """The fields of a map as they stand in the text; of those that are *known* it is told who comes again."""
        if not isinstance(value, Doubled):
            yield from value.items()
            return
        seen: set[str] = set()
        for key, item in value.written:
            if key in seen and (known is None or key in known):
                self._strict(f'duplicate field "{spelled((*path, key))}"')
            seen.add(key)
            yield key, item

    def _strict(self, text: str) -> None:
        if text not in self.found.strict:
            self.found.strict.append(text)

    def struct(self, value: Any, definition: schema.Definition, path: Path) -> Any:
        """A map with known fields."""
        fields, read, same = definition.fields, {}, not isinstance(value, Doubled)
        for key, item in self._pairs(value, path, fields):
            found = fields.get(key)
            if found is None:
                self._unknown((*path, key))
                same = False
            elif item is not None or found.type == "time":
                new = self._read(item, found.type, (*path, key), definition, key)
                if _is_left_out(new, found):
                    same = False
                    continue
                read[key] = new
                same = same and new is item
            else:
                same = False
        for key in definition.required:
            if key not in read and fields[key].type in _ZEROS and fields[key].zero not in ("", "-", "null"):
                read[key], same = _ZEROS[fields[key].type], False
        return value if same else read

    def custom(self, value: Any, structural: Mapping[str, Any] | None) -> Any:
        """A custom resource, without what its structural schema does not know."""
        if structural is None:
            return value
        for key, item in value.items():
            if key not in _BARE.fields:
                self._all_doubled(item, (key,))
        kept, unknown = custom.pruned(value, structural)
        for path in sorted(unknown, key=lambda one: ("metadata" in one[1:-1], spelled(one))):
            self._unknown(path)
        return kept

    def _unknown(self, path: Path) -> None:
        self._strict(f'unknown field "{spelled(path)}"')
        self.found.unknown.append(path)

    def _doubled(self, value: Any, path: Path) -> None:
        for key in getattr(value, "doubled", ()):
            self.found.strict.append(f'duplicate field "{spelled((*path, key))}"')

    def _all_doubled(self, value: Any, path: Path) -> None:
        self._doubled(value, path)
        inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for step, item in inner:
            self._all_doubled(item, (*path, step))

    def _read(self, value: Any, type: str, path: Path, inside: schema.Definition, name: str) -> Any:
        """A value of *type*, in the field *name* of *inside*."""
        if type == "bytes" and isinstance(value, list):
            return self._octets(value, path, inside, name)
        if type in _OWN_READERS:
            wrong = _OWN_READERS[type](value)
            if wrong and type == "bytes":  # which the decoder itself reads, and goes on
                self._note(self._spelled(wrong, path, inside, name), path)
            elif wrong:
                self.found.place = path
                raise _Stop(self._spelled(wrong, path, inside, name))
            elif type == "quantity":
                return quantity.as_stored(quantity.text(value).strip())
        elif self.wraps and type == "int32" and not _mismatch(value, "int64"):
            return (value + 2**31) % 2**32 - 2**31
        elif wrong := _mismatch(value, type):
            what = f"json: cannot unmarshal {wrong} into Go value of type {go_type(inside.name, name, type)}"
            self._note(self._spelled(what, path, inside, name), path)
        elif type == "json":
            return value
        elif type.startswith("[]"):
            return self._items(value, schema.item(type), path, inside, name)
        elif type.startswith("{}"):
            return self._values(value, schema.item(type), path, inside, name)
        elif "." in type:
            return self.struct(value, schema.definition(type), path)
        return value

    def _octets(self, value: list, path: Path, inside: schema.Definition, name: str) -> str:
        """Bytes that are given as a list of numbers."""
        for wrong in filter(None, map(_no_octet, value)):
            what = f"json: cannot unmarshal {wrong} into Go value of type uint8"
            self._note(self._spelled(what, path, inside, name), path)
            return ""
        return base64.b64encode(bytes(item or 0 for item in value)).decode()

    def _note(self, wrong: str, path: Path) -> None:
        """The first that does not fit is the answer, unless a type that reads itself refuses later."""
        if not self.found.error:
            self.found.error, self.found.place = wrong, path

    def _items(self, value: list, type: str, path: Path, inside: schema.Definition, name: str) -> Any:
        read = [
            self._zero(type, path) if item is None else self._read(item, type, (*path, number), inside, name)
            for number, item in enumerate(value)
        ]
        return value if all(new is old for new, old in zip(read, value)) else read

    def _values(self, value: dict, type: str, path: Path, inside: schema.Definition, name: str) -> Any:
        read = {
            key: self._zero(type, path) if item is None else self._read(item, type, (*path, key), inside, name)
            for key, item in self._pairs(value, path)
        }
        same = not isinstance(value, Doubled) and all(read[key] is item for key, item in value.items())
        return value if same else read

    def _zero(self, type: str, path: Path) -> Any:
        """What null is in a list or a map."""
        if "." in type:
            return self.struct({}, schema.definition(type), path)
        return {"quantity": "0", "bytes": ""}.get(type, _ZEROS.get(type))

    def _spelled(self, text: str, path: Path, inside: schema.Definition, name: str) -> str:
        """Go tells the innermost struct, and the way to the field without indices and keys of maps."""
        way = [str(step) for step in path if isinstance(step, str)]
        way = way[: len(way) - way[::-1].index(name)]
        return text.replace(
            " into Go value of type ", f" into Go struct field {_last(inside)}.{'.'.join(way)} of type "
        )


def _is_left_out(value: Any, field: schema.Field) -> bool:
    """Whether Go does not write the field: a plain zero, an empty list, or an empty map of a writer's own keys."""
    if field.zero == "-" and not value:
        return True
    return not field.required and field.type[:2] in ("[]", "{}") and value in ([], {})


def spelled(path: Path) -> str:
    """A path as the API server writes it: ``spec.containers[0].name``."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.removeprefix(".")


def _last(definition: schema.Definition) -> str:
    return definition.name.rpartition(".")[2]


_GO_NAMES = {bool: "bool", dict: "object", list: "array", str: "string", int: "number", float: "number"}


@cache
def _go_name(kind: type) -> str:
    """What Go's decoder calls a value of *kind*."""
    return next((name for base, name in _GO_NAMES.items() if issubclass(kind, base)), "null")


def _mismatch(value: Any, type: str) -> str:
    """What Go would say is there instead of a *type*; "" if it is one."""
    name = _go_name(value.__class__)
    if type in _BITS:
        whole = isinstance(value, int) and name == "number" and -(2 ** _BITS[type]) <= value < 2 ** _BITS[type]
        return "" if whole else f"number {_shown(value)}" if name == "number" else name
    if type == "number":
        return "" if name == "number" else name
    wanted = _PLAIN.get(type) or (name if type == "json" else "array" if type.startswith("[]") else "object")
    return "" if name == wanted else name


def _no_octet(value: Any) -> str:
    """What Go would say is there instead of a byte; null is 0."""
    wrong = "" if value is None else _mismatch(value, "int32")
    return wrong or (f"number {value}" if value is not None and not 0 <= value < 256 else "")


def _shown(number: int | float) -> str:
    """As it stands in JSON; nobody reads a number of a thousand digits."""
    if isinstance(number, float):
        return json.dumps(number)
    return str(number) if abs(number) < 10**40 else "of more than 40 digits"


# -- the types that read themselves ----------------------------------------------------------------------------------


def _quantity(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return quantity.PROBLEM
    try:
        quantity.parse(quantity.text(value).strip())
    except quantity.QuantityError as error:
        return str(error)
    return ""


def _int_or_string(value: Any) -> str:
    wrong = "" if isinstance(value, str) else _mismatch(value, "int32")
    return f"json: cannot unmarshal {wrong} into Go value of type int32" if wrong else ""


def _time(value: Any, layout: str = gotime.RFC3339) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        return f"json: cannot unmarshal {_go_name(value.__class__)} into Go value of type string"
    return gotime.problem(value, layout)


def _micro_time(value: Any) -> str:
    return _time(value, gotime.MICRO)


def _bytes(value: Any) -> str:
    if not isinstance(value, str):
        return f"json: cannot unmarshal {_go_name(value.__class__)} into Go value of type []uint8"
    text = re.sub("[\r\n]", "", value)
    bad = re.search(
        "[^A-Za-z0-9+/]", text.rstrip("=") if len(text) % 4 == 0 and len(text) - len(text.rstrip("=")) < 3 else text
    )
    if bad or len(text) % 4:
        return f"illegal base64 data at input byte {bad.start() if bad else len(text) // 4 * 4}"
    return ""


_OWN_READERS = {
    "quantity": _quantity,
    "int-or-string": _int_or_string,
    "time": _time,
    "microtime": _micro_time,
    "bytes": _bytes,
}
