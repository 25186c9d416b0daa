"""How the types of Kubernetes look in protobuf: published facts, as data (`wire.txt`).

    of_kind("apps/v1", "Deployment").fields[2].name       "spec"

Invariant: nobody writes in the file by hand: it is printed by Kubernetes' own types, see
tests/oracles/kubernetes/wire.py. A message is read when it is first asked for.
Source: the protobuf tags of k8s.io/api 0.37.2.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

_HERE = Path(__file__).parent
_META = ("Status", "DeleteOptions", "PartialObjectMetadata", "PartialObjectMetadataList")
_DISCOVERY = ("APIGroup", "APIGroupList", "APIResourceList", "APIVersions")


@dataclass(frozen=True, slots=True)
class Field:
    """A field: ``inline`` its fields stand among those of its holder, ``pointer`` it may be left out."""

    number: int
    name: str
    type: str
    pointer: bool = False
    many: bool = False
    map: bool = False
    inline: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """A definition: number → field, in order of the numbers."""

    name: str
    fields: Mapping[int, Field]


def of_kind(api_version: str, kind: str) -> Message | None:
    """The message of objects of a kind, or of a list of them; None if it has none."""
    group, _, version = api_version.rpartition("/")
    name = f"{group.partition('.')[0] or 'core'}.{version}.{kind}"
    if kind in _META or kind in _DISCOVERY:
        name = f"meta.v1.{kind}"
    return message(name) if name in _lines() else None


@cache
def message(name: str) -> Message:
    """The message called *name*. One without fields is not in the file."""
    fields = sorted((_field(word) for word in _lines().get(name, "").split()), key=lambda field: field.number)
    return Message(name, {field.number: field for field in fields})


@cache
def order(name: str) -> tuple[str, ...]:
    """The fields of the definition called *name* as its struct has them, which is how Go writes them."""
    fields = [_field(word) for word in _lines().get(name, "").split()]
    return tuple(key for field in fields for key in (order(field.type) if field.inline else (field.name,)))


@lru_cache(maxsize=1)
def _lines() -> dict[str, str]:
    """Message → its fields, not yet read."""
    lines = (_HERE / "wire.txt").read_text(encoding="utf-8").splitlines()
    return {line.partition(" ")[0]: line.partition(" ")[2] for line in lines if not line.startswith("#")}


def _field(word: str) -> Field:
    number, name, type = word.split(":")
    pointer, many, map = type.startswith("*"), type.startswith("[]"), type.startswith("{}")
    bare = type.removeprefix("*").removeprefix("[]").removeprefix("{}")
    return Field(int(number), name, bare, pointer, many, map, name == "~")
