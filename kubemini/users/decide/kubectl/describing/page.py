"""A description as it grows: lines with an indent and tabs, which become columns at the end.

Models k/kubectl pkg/describe NewPrefixWriter tabbedString printLabelsMultiline DescribeEvents.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from kubemini.api.timestamps import human, instant
from kubemini.users.decide.apply import LAST_APPLIED
from kubemini.users.decide.kubectl.printing.tabs import aligned

LONGEST = 140  # characters of an annotation on one line
NONE = "<none>"


class Page:
    """*now*: the clock of whoever reads (µs)."""

    def __init__(self, now: int = 0):
        self.now = now
        self._done, self._open = "", ""

    def write(self, text: str, level: int = 0) -> None:
        """Add *text*, *level* steps to the right."""
        self._open += "  " * level + text

    def line(self, text: str = "", level: int = 0) -> None:
        """Add a line."""
        self.write(text + "\n", level)

    def field(self, name: str, value: Any, level: int = 0) -> None:
        """``Name:  value``."""
        self.line(f"{name}:\t{value}", level)

    def table(self, heads: Iterable[str], rows: Iterable[Iterable[Any]], level: int = 1, lines: bool = True) -> None:
        """A table within the page, its heads underlined."""
        heads = list(heads)
        self.line("\t".join(heads), level)
        if lines:
            self.line("\t".join("-" * len(head) for head in heads), level)
        for row in rows:
            self.line("\t".join(str(cell) for cell in row), level)

    def several(self, name: str, values: Iterable[str]) -> None:
        """A name, and a line for each value."""
        values = list(values) or [NONE]
        self.write(f"{name}:\t")
        self.line("\n\t".join(values))

    def labels(self, name: str, labels: Mapping[str, str] | None) -> None:
        """Labels, one a line."""
        self.several(name, (f"{key}={value}" for key, value in sorted((labels or {}).items())))

    def annotations(self, name: str, notes: Mapping[str, str] | None) -> None:
        """Annotations, one a line; long ones, and those of several lines, below their key."""
        told = []
        for key, value in sorted((notes or {}).items()):
            if key == LAST_APPLIED:
                continue
            value = value.removesuffix("\n")
            if len(value) + len(key) + 2 > LONGEST or "\n" in value:
                lines = (_shortened(line) for line in value.split("\n"))
                told.append("\n".join([f"{key}:", *(f"\t  {line}" for line in lines)]))
            else:
                told.append(f"{key}: {value}")
        self.several(name, told)

    def head(self, obj: Any, namespace: bool = True) -> None:
        """Name and namespace."""
        meta = obj["metadata"]
        self.field("Name", meta["name"])
        if namespace:
            self.field("Namespace", meta.get("namespace", ""))

    def marks(self, obj: Any) -> None:
        """Labels and annotations."""
        self.labels("Labels", obj["metadata"].get("labels"))
        self.annotations("Annotations", obj["metadata"].get("annotations"))

    def conditions(self, obj: Any) -> None:
        """The conditions of a controller's object."""
        found = (obj.get("status") or {}).get("conditions") or []
        if found:
            self.line("Conditions:\n  Type\tStatus\tReason")
            self.line("----\t------\t------", 1)
            for one in found:
                self.line(f"{one['type']} \t{one['status']}\t{one.get('reason', '')}", 1)

    def flush(self) -> None:
        """What was written is aligned by itself."""
        self._done += aligned(self._open, 0, 2)
        self._open = ""

    def events(self, events: list[Any] | None) -> None:
        """The events about an object; None: they are not to be shown."""
        if events is None:
            return
        if not events:
            self.field("Events", NONE)
            return
        self.flush()
        self.line("Events:\n  Type\tReason\tAge\tFrom\tMessage")
        self.line("----\t------\t----\t----\t-------", 1)
        for event in sorted(events, key=when):
            self.line("\t".join(self._event(event)), 1)

    def _event(self, event: Any) -> list[str]:
        source = (event.get("source") or {}).get("component") or event.get("reportingComponent", "")
        message = event.get("message", "").strip()
        part = (event.get("involvedObject") or {}).get("fieldPath")
        message = f"{part}: {message}" if part else message
        return [event.get("type", ""), event.get("reason", ""), interval(event, self.now), source, message]

    def raw(self) -> str:
        """All of it, with its tabs."""
        return self._open

    def text(self) -> str:
        """All of it."""
        self.flush()
        return self._done


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST - 2 else text[: LONGEST - 2] + "..."


def when(event: Any) -> int:
    """The instant (µs) by which events are put in order."""
    series = event.get("series") or {}
    text = series.get("lastObservedTime") or event.get("lastTimestamp") or event.get("eventTime")
    return instant(text) if text else 0


def since(text: str | None, now: int) -> str:
    """How long ago that was: ``3m``."""
    return human(now - instant(text)) if text else "<unknown>"


def interval(event: Any, now: int) -> str:
    """When an event happened, and how often. Models k/kubectl pkg/cmd/events getInterval"""
    first = since(event.get("eventTime") or event.get("firstTimestamp"), now)
    series = event.get("series")
    if series:
        return f"{since(series.get('lastObservedTime'), now)} (x{series.get('count', 0)} over {first})"
    if event.get("count", 0) > 1:
        return f"{since(event.get('lastTimestamp'), now)} (x{event['count']} over {first})"
    return first


def date(text: str | None) -> str:
    """``Fri, 27 Nov 2026 05:50:59 +0000``."""
    if not text:
        return "Mon, 01 Jan 0001 00:00:00 +0000"
    return datetime.fromisoformat(text.replace("Z", "+00:00")).strftime("%a, %d %b %Y %H:%M:%S +0000")


def owner(obj: Any) -> str:
    """``ReplicaSet/web-1``, or nothing. Models k/kubectl pkg/describe printController"""
    owners = obj["metadata"].get("ownerReferences") or []
    return next((f"{one['kind']}/{one['name']}" for one in owners if one.get("controller")), "")


def truth(value: Any) -> str:
    """``true``."""
    return str(bool(value)).lower()


def titled(value: Any) -> str:
    """``True``."""
    return str(bool(value))
