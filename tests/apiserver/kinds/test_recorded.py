"""What a kube-apiserver 1.37.2 said to 213 bodies of POST requests, and what we say: the same words, the same warnings.

Recorded on the released sources, everything at its defaults (oracles/kubernetes/creations.json); admission, addresses
that were taken and other things that depend on what is there already are judged elsewhere.
"""

import json
from pathlib import Path

import pytest

from kubemini.api import kinds
from kubemini.api.errors import ApiError
from kubemini.api.objects import evolve
from kubemini.apiserver.decide import strategy, update
from kubemini.apiserver.decide.options import Options
from tests.apiserver.parts import with_addresses

ROWS = json.loads((Path(__file__).parents[2] / "oracles/kubernetes/creations.json").read_text(encoding="utf-8"))


def created(row):
    """(why not or None, the object that would be stored, warnings), as far as the body alone decides it."""
    kind, told = kinds.by_name(row["kind"]), []
    options = Options(validation="Strict" if row.get("strict") else "")
    write = update.Write(kind, None, options, "admin", 0, None, told)
    found = write.decoded(row["body"])
    if isinstance(found, ApiError):
        return found, None, told
    obj = update.named(kind, found, row["namespace"])
    wrong = update.url_mismatch(kind, obj, row["namespace"], "")
    if kind.kind == "Pod":  # admission gives it the account that every namespace has
        obj = evolve(obj, ("spec", "serviceAccountName"), "default")
    made = with_addresses(strategy.begun(strategy.for_create(strategy.default(obj)), 0))
    if isinstance(made, ApiError):
        return made, None, told
    return wrong or strategy.validate(made), made, told


def answer(row):
    """(code, message, warnings) of a creation."""
    wrong, _, told = created(row)
    return (wrong.code, wrong.message, told) if wrong else (201, None, told)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['session']}-{row['code']}-{row.get('message', '')[:40]}")
def test_a_body_gets_the_answer_that_the_real_server_gave(row):
    assert answer(row) == (row["code"], row.get("message"), row.get("warnings", []))
