"""The faults of `mutants.py`: each can be made, and each is noticed by some test."""

import os

import pytest

from tests.mutants import MUTANTS, NOTICED, examine

# Those that none of etcd-io/raft's conversations, published or random, would notice.
SILENT = ("commits-old-terms", "commits-beyond-message", "believes-old-refusals", "reads-before-own-commit")
TRIED = [mutant for mutant in MUTANTS if os.environ.get("KUBEMINI_REQUIRE") or mutant.name in SILENT]


def test_there_are_many_and_each_has_a_name_of_its_own():
    names = [mutant.name for mutant in MUTANTS]
    assert len(names) >= 40
    assert len(set(names)) == len(names)
    assert set(SILENT) <= set(names)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_fits_the_source_as_it_is(mutant):
    compile(mutant.source(), mutant.name, "exec")


@pytest.mark.parametrize("mutant", TRIED, ids=lambda mutant: mutant.name)
def test_a_mutant_is_noticed(mutant):
    assert NOTICED in examine(mutant).values(), f"no test notices a machine that {mutant.fault}"
