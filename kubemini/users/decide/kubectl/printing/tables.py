"""Tables that a server has made, as kubectl shows them: it aligns, and adds namespaces, kinds and labels.

Models k/cli-runtime pkg/printers HumanReadablePrinter decorateTable printTable.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from kubemini.users.decide.kubectl.printing.gotext import printed
from kubemini.users.decide.kubectl.printing.tabs import aligned

BREAKS = "\f\n\r"


@dataclass(frozen=True, slots=True)
class Look:
    """How tables are to look; *kind*: what stands before each name, if it does."""

    wide: bool = False
    headers: bool = True
    labels: bool = False
    columns: tuple[str, ...] = ()
    namespaces: bool = False
    kind: str = ""


@dataclass(slots=True)
class Printer:
    """What prints the tables of one resource: headers once, and columns that keep their widths."""

    look: Look
    told: list[str] = field(default_factory=list)
    shown: bool = False
    widths: list[int] = field(default_factory=list)
    definitions: Sequence[Any] = ()

    def rows(self, table: Any, event: str = "") -> str:
        """*table* as lines with tabs."""
        given = table.get("columnDefinitions") or []
        again = self.shown and (not given or given == self.definitions)
        self.definitions = given or self.definitions
        rows = table.get("rows") or []
        if not rows:
            return ""
        self.shown = True
        visible = [place for place, one in enumerate(self.definitions) if self.look.wide or not one.get("priority")]
        lines = [] if again or not self.look.headers else [self._head(visible, event)]
        lines += [self._row(row, visible, event) for row in rows]
        return "".join("\t".join(cells) + "\n" for cells in lines)

    def print(self, table: Any, event: str = "") -> str:
        """*table*, aligned with what was printed before."""
        return aligned(self.rows(table, event), least=self.widths)

    def _head(self, visible: list[int], event: str) -> list[str]:
        names = ["EVENT"] if event else []
        names += ["NAMESPACE"] if self.look.namespaces else []
        names += [str(self.definitions[place].get("name", "")).upper() for place in visible]
        names += [label.rpartition("/")[2].upper() for label in self.look.columns]
        return [*names, "LABELS"] if self.look.labels else names

    def _row(self, row: Any, visible: list[int], event: str) -> list[str]:
        meta = ((row.get("object") or {}).get("metadata")) or {}
        labels = meta.get("labels") or {}
        cells = [event.ljust(10)] if event else []
        cells += [meta.get("namespace", "")] if self.look.namespaces else []
        values = row.get("cells") or []
        for place in visible:
            cell = _cell(values[place]) if place < len(values) else ""
            named = self.definitions[place].get("format") == "name"
            cells.append(f"{self.look.kind}/{cell}" if self.look.kind and named else cell)
        cells += [labels.get(label, "") for label in self.look.columns]
        if self.look.labels:
            cells.append(joined(labels))
        return cells


def joined(labels: Any) -> str:
    """``a=b,c=d``. Models k/apimachinery pkg/labels FormatLabels"""
    return ",".join(f"{key}={labels[key]}" for key in sorted(labels)) or "<none>"


def _cell(value: Any) -> str:
    text = "" if value is None else printed(value)
    cut = min((place for place in map(text.find, BREAKS) if place >= 0), default=-1)
    text = text if cut < 0 else text[:cut] + "..."
    return text.replace("\x1b", "^[")
