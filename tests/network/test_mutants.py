"""The faults of networking: each can be made, and some recording of a real program notices it."""

import pytest

from tests.mutants.mutant import noticed
from tests.mutants.network import MUTANTS


def test_each_has_a_name_of_its_own_and_every_room_has_some():
    names = [mutant.name for mutant in MUTANTS]
    assert len(set(names)) == len(names)
    assert {mutant.module.split(".")[2] for mutant in MUTANTS} == {
        "services",
        "rules",
        "policy",
        "dns",
        "cni",
        "routing",
    }


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
@pytest.mark.some(6)
def test_a_mutant_is_noticed_by_a_recording(mutant):
    compile(mutant.source(), mutant.name, "exec")
    assert noticed("tests.mutants.network", mutant), f"no recording notices a network in which {mutant.fault}"
