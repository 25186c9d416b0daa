"""Tables of Kubernetes' own tests: ours gives the answer of every row."""

import copy
import json
from pathlib import Path

import pytest

from tests.oracles.kubernetes import vectors

TABLES = [path for path in sorted(Path(__file__).parent.glob("*.json")) if path.stem in vectors.judges()]
GATE = ("want", "covered", "expectObjectCountEstimate", "expectObjectSizeEstimate")
WANTED = ("valid", "matches", "out", "result", "roundtrip", "object", "wantDeletionGracePeriodSeconds", "ok", "errors")


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_every_row_of_a_table_is_answered_as_upstream_does(path):
    rows = list(vectors.cases(path, json.loads(path.read_text(encoding="utf-8"))))
    assert rows and {name: run() for name, run in rows if run()} == {}


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_another_answer_than_upstreams_is_noticed(path):
    noticed = []
    for row in json.loads(path.read_text(encoding="utf-8"))["vectors"]:
        for key in WANTED + GATE:
            if row.get(key) is not None and not row.get("error"):
                noticed.append(bool(_told(path, {**copy.deepcopy(row), key: _other(row[key])})))
    assert sum(noticed) >= 0.95 * len(noticed)


def _told(path, row):
    ((_, run),) = vectors.cases(path, {"vectors": [row]})
    try:
        return run()
    except Exception as error:
        return [repr(error)]


def _other(value):
    """Another answer of the same form."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, dict):
        return {**value, "intVal": 7, "int": 7, "strVal": "another"}
    if isinstance(value, list):
        return [] if value else ["another"]
    return value + 1 if isinstance(value, int | float) else f"{value}~"
