"""A recording's records column by column: half as many bytes on a page as row by row.

`pack` gives {names, at, who, what, fields: {what: {field: [values]}}}. Who and what are numbers of names; a word's
columns hold one value for each of its records, null where there is none. static/common.js (unpacked) makes rows of
them again. Invariant: nothing is lost but the last digits of a message's way.
Instants are told as distances: from the record before, and within a record from its own instant. A running number is
told by how far it has come since the same actor told the same word.
"""

from typing import Any

INSTANTS = ("started", "arrives", "since", "until")
RUNNING = ("index", "revision")
COARSE = -2  # digits: a message takes about a millisecond, and is drawn much slower than that

Row = list[Any]  # at, who, what, detail


def pack(rows: list[Row]) -> dict[str, Any]:
    """*rows*, in order, as columns."""
    names: dict[str, int] = {}
    for _, who, what, _ in rows:
        names.setdefault(who, len(names))
        names.setdefault(what, len(names))
    instants = [row[0] for row in rows]
    return {
        "names": list(names),
        "at": [at - before for before, at in zip([0, *instants], instants, strict=False)],
        "who": [names[row[1]] for row in rows],
        "what": [names[row[2]] for row in rows],
        "fields": fields(rows),
    }


def fields(rows: list[Row]) -> dict[str, dict[str, list[Any]]]:
    """The details of *rows*: a column for each field of each word."""
    words: dict[str, list[Row]] = {}
    for row in rows:
        words.setdefault(row[2], []).append(row)
    return {
        what: {name: column(name, those) for name in dict.fromkeys(name for row in those for name in row[3])}
        for what, those in words.items()
    }


def column(name: str, rows: list[Row]) -> list[Any]:
    """The field *name* of *rows*, which are of one word."""
    values = [row[3].get(name) for row in rows]
    if name in INSTANTS:
        ways = [None if value is None else value - row[0] for value, row in zip(values, rows, strict=True)]
        return [way and round(way, COARSE) for way in ways] if name == "arrives" else ways
    if name in RUNNING:
        told: dict[str, int] = {}
        for place, (value, row) in enumerate(zip(values, rows, strict=True)):
            if value is not None:
                values[place], told[row[1]] = value - told.get(row[1], 0), value
    return values
