"""What a kube-apiserver 1.37.2 said to 411 bodies of the groups beside core, apps and batch, and what we say.

The same words and causes, warnings, defaults and generation. Recorded on the released programs, as dry runs, everything
at its defaults (oracles/kubernetes/groups_creations.json.gz).
"""

import gzip
import json
from pathlib import Path

import pytest

from kubemini.api import kinds
from kubemini.api.errors import ApiError
from kubemini.api.objects import thaw
from kubemini.api.schema.written import written
from kubemini.apiserver import served
from kubemini.apiserver.decide import strategy, update
from kubemini.apiserver.decide.access.users import UserInfo
from kubemini.apiserver.decide.options import Options

RECORDED = Path(__file__).parents[2] / "oracles/kubernetes/groups_creations.json.gz"
ROWS = json.loads(gzip.decompress(RECORDED.read_bytes()))
WRITER = UserInfo("admin", ("system:masters", "system:authenticated"), "admin")
GIVEN = ("uid", "creationTimestamp", "resourceVersion", "managedFields")  # by the server, to every object
TIMES = ("lastTransitionTime", "lastUpdateTime")


def told(obj):
    """*obj* as an answer shows it, but what differs from one moment to another."""
    shown = json.loads(json.dumps(written(thaw(obj))))
    for field in GIVEN:
        shown["metadata"].pop(field, None)
    for condition in (shown.get("status") or {}).get("conditions") or ():
        condition.update({time: "T" for time in TIMES if time in condition})
    return shown


def answer(row):
    """The row again, as we would have recorded it."""
    kind, warnings = kinds.KNOWN[tuple(row["kind"])], []
    write = update.Write(kind, None, Options(), "admin", 0, None, warnings)
    found = write.decoded(row["body"])
    if not isinstance(found, ApiError):
        named = strategy.for_create(strategy.default(update.named(kind, found, "default" if kind.namespaced else "")))
        found = strategy.begun(served.of(kind).signed(named, WRITER.shown()), 0)
        wrong = strategy.validate(found)
        if wrong is None:
            write.warn(served.of(kind).warnings(found, None))
        found = wrong or found
    same = {"kind": row["kind"], "body": row["body"]} | ({"warnings": warnings} if warnings else {})
    if isinstance(found, ApiError):
        status = json.loads(json.dumps(thaw(found.status())))
        return same | {
            "code": found.code,
            "message": found.message,
            "causes": status.get("details", {}).get("causes", []),
        }
    return same | {"code": 201, "object": told(found)}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['body']['metadata']['name']}-{row['kind'][1]}")
def test_a_body_gets_the_answer_that_the_real_server_gave(row):
    wanted = {key: value for key, value in row.items() if key != "simplified"}
    assert (answer(row) == wanted) is not row.get("simplified", False), answer(row)
