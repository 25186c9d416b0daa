"""Which fields the objects of Kubernetes 1.37 have, of which type, and how their lists merge: published facts, as data.

    of_kind("apps/v1", "Deployment").fields["spec"].type       "apps.v1.DeploymentSpec"
    definition("core.v1.ServiceSpec").fields["ports"].merge    "port"

Invariant: nobody writes here by hand. ``definitions.txt`` and ``resources.txt`` are derived by `make schema` from the
published OpenAPI and discovery, and a test derives them again. They are read when first asked for, a definition at a
time, with nothing but Python. ``podtemplate.txt`` has the Go structs of a pod template (reflection on k8s.io/api
v0.37.2). ``decode.py`` reads an object by them, as the API server's decoder does.
Source: Kubernetes 1.37 api/openapi-spec, by way of PyPI's kubernetes-validate; see tests/oracles/kubernetes/schema.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Field:
    """A field. ``type``: string, bool, int32, int64, number, bytes, time, microtime, quantity, int-or-string, object,
    json (anything), the name of a definition, ``[]TYPE`` or ``{}TYPE`` (a map from text).

    ``merge``, ``strategy``: strategic merge patch. ``list``, ``keys``, ``map``: server-side apply. ``zero``: what Go
    writes where nobody gives it, as JSON; {} is a definition's own zero, "" nothing, - nothing even if 0 is given.
    """

    name: str
    type: str
    required: bool = False
    merge: str = ""
    strategy: tuple[str, ...] = ()
    list: str = ""
    keys: tuple[str, ...] = ()
    map: str = ""
    zero: str = ""


@dataclass(frozen=True, slots=True)
class Definition:
    """A map with known fields, in the order of their names; ``api_version`` and ``kind`` only if it is a kind's."""

    name: str
    fields: Mapping[str, Field]
    api_version: str = ""
    kind: str = ""
    map: str = ""

    @property
    def required(self) -> tuple[str, ...]:
        """The fields that must be given, or are zero."""
        return tuple(name for name, field in self.fields.items() if field.required)


def definition(name: str) -> Definition:
    """The definition called *name*, such as ``core.v1.Container``. KeyError if there is none."""
    return _parsed(name)


def names() -> tuple[str, ...]:
    """The names of all definitions."""
    return tuple(_blocks())


def of_kind(api_version: str, kind: str) -> Definition | None:
    """The definition behind a manifest's ``apiVersion`` and ``kind``; None if this schema does not have it."""
    name = _kinds().get((api_version, kind))
    return None if name is None else _parsed(name)


@lru_cache(maxsize=1)
def go_structs() -> tuple[dict[str, list[tuple[str, str, str]]], dict[str, str]]:
    """Of pod templates: struct → its fields (Go's name, JSON's or - if embedded, type); named type → what it is."""
    structs: dict[str, list[tuple[str, str, str]]] = {}
    named: dict[str, str] = {}
    fields: list[tuple[str, str, str]] = []
    for line in _text("podtemplate.txt").splitlines():
        words = line.split()
        if line.startswith(" "):
            fields.append((words[0], words[1], words[2]))
        elif "=" in words:
            named[words[0]] = words[2]
        elif not line.startswith("#"):
            fields = structs[words[0]] = []
    return structs, named


@lru_cache(maxsize=1)
def internals() -> dict[str, list[tuple[str, str, str]]]:
    """Internal type → its fields: (Go's name, "" if embedded; type; the name it is written under, "" for Go's)."""
    found: dict[str, list[tuple[str, str, str]]] = {}
    fields: list[tuple[str, str, str]] = []
    for line in _text("internals.txt").splitlines():
        words = line.split()
        if line.startswith(" "):
            fields.append(("", words[0], "") if len(words) == 1 else (words[0], words[1], " ".join(words[2:])))
        elif not line.startswith("#"):
            fields = found[line] = []
    return found


def resources() -> list[list[str]]:
    """The words of each line of resources.txt: group/version, resource, Kind, scope, facts."""
    lines = _text("resources.txt").splitlines()
    return [line.split() for line in lines if not line.startswith("#")]


def item(type: str) -> str:
    """The type of the items of a list or a map: ``[]string`` → ``string``."""
    return type[2:]


def _text(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


@lru_cache(maxsize=1)
def _blocks() -> dict[str, list[str]]:
    """Definition → its lines, not yet read."""
    found: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in _text("definitions.txt").splitlines():
        if line.startswith(" "):
            lines.append(line)
        elif not line.startswith("#"):
            lines = found[line.partition(" ")[0]] = [line]
    return found


@lru_cache(maxsize=1)
def _kinds() -> dict[tuple[str, str], str]:
    heads = [lines[0].split() for lines in _blocks().values()]
    named = [(words[0], words[1][1:]) for words in heads if len(words) > 1 and words[1][0] == "="]
    return {tuple(gvk.split(",")): name for name, gvk in named}  # type: ignore[misc]


@cache
def _parsed(name: str) -> Definition:
    head, *rest = _blocks()[name]
    fields = [_field(line.split()) for line in rest]
    facts = dict(word.split("=", 1) for word in head.split()[1:])
    api_version, _, kind = facts.get("", "").partition(",")
    known = {field.name: field for field in fields}
    return Definition(name, known, api_version, kind, facts.get("map", ""))


def _field(words: list[str]) -> Field:
    facts = dict(word.split("=", 1) for word in words[2:])
    return Field(
        words[0].removesuffix("!"),
        words[1],
        words[0].endswith("!"),
        facts.get("merge", ""),
        _several(facts, "strategy"),
        facts.get("list", ""),
        _several(facts, "keys"),
        facts.get("map", ""),
        facts.get("zero", ""),
    )


def _several(facts: dict[str, str], word: str) -> tuple[str, ...]:
    return tuple(facts[word].split(",")) if word in facts else ()
