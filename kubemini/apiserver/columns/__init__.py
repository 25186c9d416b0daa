"""What `kubectl get` shows of an object: columns, and what they have in common.

    COLUMNS = (NAME, Column("Data", number_of("data"), type="integer"), AGE)
    Column("IP", at("status", "podIP", default=NONE), priority=WIDE)

A cell is a function of the object and the instant (µs) of asking. It must bear an empty object: a bookmark is one.
Models k/k pkg/printers/internalversion AddHandlers; k/apimachinery pkg/apis/meta/v1 TableColumnDefinition.
Simplified: a column that not every kind has is described only where its kind says so.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from kubemini.api import labels as labels_
from kubemini.api.objects import Obj, get
from kubemini.api.timestamps import human, instant

Cell = Callable[[Obj, int], Any]
WIDE = 1  # the priority of what only `-o wide` shows
NONE = "<none>"
UNKNOWN = "<unknown>"
UNSET = "<unset>"


@dataclass(frozen=True, slots=True)
class Column:
    """One column: what heads it, and what stands in it. ``priority`` 0 is always shown.

    ``headed``: whether a Table states it at all; the real one forgets the last of an IPAddress, and shows its cell.
    """

    name: str
    cell: Cell
    type: str = "string"
    format: str = ""
    priority: int = 0
    description: str = ""
    headed: bool = True

    def definition(self) -> dict[str, Any]:
        """As a Table states it."""
        said = {"name": self.name, "type": self.type, "format": self.format}
        return {**said, "description": self.description, "priority": self.priority}


# -- cells ---------------------------------------------------------------------------------------------


def at(*path: str | int, default: Any = "") -> Cell:
    """What stands at *path*, or *default*."""

    def cell(obj: Obj, now: int) -> Any:
        found = get(obj, *path)
        return default if found is None else found

    return cell


def text_at(*path: str | int, default: str = NONE) -> Cell:
    """The text at *path*; *default* also where it is empty."""
    return lambda obj, now: get(obj, *path) or default


def word_at(*path: str | int, default: str = "") -> Cell:
    """What stands at *path* as Go's %v prints it: ``true``, ``5``; *default* where there is nothing."""

    def cell(obj: Obj, now: int) -> str:
        found = get(obj, *path)
        return default if found is None else str(found).lower() if isinstance(found, bool) else str(found)

    return cell


def number_of(*path: str | int) -> Cell:
    """How many entries the list or map at *path* has."""
    return lambda obj, now: len(get(obj, *path) or ())


def since(*path: str | int) -> Cell:
    """How long ago the instant at *path* was."""
    return lambda obj, now: elapsed(get(obj, *path), now)


def elapsed(moment: str | None, now: int) -> str:
    """How long before *now* (µs) the *moment* was. Models k/k pkg/printers/internalversion translateTimestampSince"""
    return human(now - instant(moment)) if moment else UNKNOWN


def pairs(labels: Mapping[str, str] | None) -> str:
    """Labels as ``a=b,c=d``. Models k/apimachinery pkg/labels FormatLabels"""
    return ",".join(f"{key}={labels[key]}" for key in sorted(labels)) if labels else NONE


def selector_text(selector: Obj) -> str:
    """A selector object as ``a=b,c in (d)``. Models k/apimachinery pkg/apis/meta/v1 FormatLabelSelector"""
    try:
        return str(labels_.from_object(selector)) or NONE
    except labels_.SelectorError:
        return "<error>"


def joined(words: Iterable[str], default: str = "") -> str:
    """*words* with commas."""
    return ",".join(words) or default


# -- the columns that most kinds have ------------------------------------------------------------------

_METADATA = "https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata"
_NAMED = (
    "Name must be unique within a namespace. Is required when creating resources, although some resources may allow a "
    "client to request the generation of an appropriate name automatically. Name is primarily intended for creation "
    "idempotence and configuration definition. Cannot be updated. More info: "
    "https://kubernetes.io/docs/concepts/overview/working-with-objects/names#names"
)
_CREATED = (
    "CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed "
    "to be set in happens-before order across separate operations. Clients may not set this value. It is represented "
    "in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: " + _METADATA
)
BEFORE_ALL = "0001-01-01T00:00:00Z"  # Go's zero instant
NAME = Column("Name", at("metadata", "name"), format="name", description=_NAMED)
AGE = Column("Age", since("metadata", "creationTimestamp"), description=_CREATED)
CREATED_AT = Column(
    "Created At", at("metadata", "creationTimestamp", default=BEFORE_ALL), type="date", description=_CREATED
)
DEFAULT = (NAME, CREATED_AT)
SCALE = (
    Column("Name", at("metadata", "name"), description=_NAMED),
    Column("Desired", at("spec", "replicas", default=0), type="integer"),
    Column("Available", at("status", "replicas", default=0), type="integer"),
    AGE,
)
