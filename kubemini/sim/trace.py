"""The trace: everything that happened in a run, as data.

Figures, checkers, golden files and widgets read only the trace. One run, one trace: the same scenario, seed and
commands give the same bytes in any process and in the browser.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from kubemini.sim.units import clock


class Record(NamedTuple):
    """*at* microseconds, *actor* did *what*; the words and their details stand in `vocabulary.WORDS`."""

    at: int
    actor: str
    what: str
    detail: dict[str, Any]

    def __str__(self) -> str:
        detail = " ".join(f"{k}={v}" for k, v in self.detail.items())
        return f"{clock(self.at):>9} {self.actor:<20} {self.what} {detail}".rstrip()

    def row(self) -> list[Any]:
        """The record as a JSON array: [at, actor, what, detail]."""
        return list(self)


def _dumps(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _header(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("a trace begins with a map that says which run it was")
    return value


@dataclass(slots=True, repr=False)
class Trace:
    """The history of a run: a header that says which run it was, and its records in order."""

    header: dict[str, Any] = field(default_factory=dict)
    records: list[Record] = field(default_factory=list)

    def __repr__(self) -> str:
        run = f" of {self.header['scenario']}, seed {self.header['seed']}" if "scenario" in self.header else ""
        return f"<Trace{run}: {len(self.records)} records>"

    def __iter__(self) -> Iterator[Record]:
        return iter(self.records)

    def __len__(self) -> int:
        return len(self.records)

    def of(self, what: str, actor: str | None = None) -> list[Record]:
        """The records of one kind, of one actor if named."""
        return [r for r in self.records if r.what == what and (actor is None or r.actor == actor)]

    def to_jsonl(self) -> str:
        """JSON lines: the header first, then one array a record."""
        lines = [_dumps(self.header), *(_dumps(r.row()) for r in self.records)]
        return "\n".join(lines) + "\n"

    @classmethod
    def from_jsonl(cls, text: str) -> "Trace":
        """The trace written by `to_jsonl`. Raises ValueError naming the line that does not fit."""
        lines = text.removesuffix("\n").split("\n")  # not splitlines(): a text in a record may hold U+2028
        if lines == [""]:
            raise ValueError("an empty file is not a trace: write one with `kubemini run NAME --trace FILE`")
        header, records = None, []
        try:
            header = _header(json.loads(lines[0]))
            for line in lines[1:]:
                at, actor, what, detail = json.loads(line)
                records.append(Record(at, actor, what, detail))
        except (ValueError, TypeError) as error:
            raise ValueError(f"line {len(records) + (header is not None) + 1} is not a trace record: {error}") from None
        return cls(header, records)

    def digest(self) -> str:
        """SHA-256 of the JSON lines, in hexadecimal."""
        return hashlib.sha256(self.to_jsonl().encode()).hexdigest()
