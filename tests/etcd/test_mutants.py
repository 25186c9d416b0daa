"""The faults of `mutants.py`: each can be made, and each is noticed by some test."""

import json
import os

import pytest

from tests.mutants import rest
from tests.mutants.trial import MUTANTS, NOTICED, TABLE, examine

# Those that none of etcd-io/raft's conversations, published or random, would notice.
SILENT = ("commits-old-terms", "commits-beyond-message", "believes-old-refusals", "reads-before-own-commit")
TRIED = [mutant for mutant in MUTANTS if os.environ.get("KUBEMINI_REQUIRE") or mutant.name in SILENT]


def test_there_are_many_and_each_has_a_name_of_its_own():
    names = [mutant.name for mutant in MUTANTS]
    assert len(names) >= 40
    assert len(set(names)) == len(names)
    assert set(SILENT) <= set(names)


@pytest.mark.parametrize("mutant", [*MUTANTS, *rest.MUTANTS], ids=lambda mutant: mutant.name)
def test_a_mutant_fits_the_source_as_it_is(mutant):
    compile(mutant.source(), mutant.name, "exec")


@pytest.mark.parametrize("mutant", TRIED, ids=lambda mutant: mutant.name)
@pytest.mark.some(12)
def test_a_mutant_is_noticed(mutant):
    assert NOTICED in examine(mutant).values(), f"no test notices a machine that {mutant.fault}"


def test_the_table_in_the_book_holds_every_mutant_and_who_noticed_it():
    table = {row["name"]: row for row in json.loads(TABLE.read_text())}
    assert {name: row["fault"] for name, row in table.items()} == {mutant.name: mutant.fault for mutant in MUTANTS}
    assert all(row["noticed_by"] for row in table.values())
    assert not any("conversations" in table[name]["noticed_by"] for name in SILENT)
