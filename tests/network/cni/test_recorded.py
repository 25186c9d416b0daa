"""Every recorded step of the CNI session is told by the model of the plugins; judged by the recording's own judge."""

import json

import pytest

from tests.oracles.network import cni, compare, parts

CASES = dict(parts.cases(cni.KNOWN, json.loads(cni.KNOWN.read_text())))


@pytest.mark.parametrize("case", CASES)
def test_a_step_leaves_what_the_real_plugin_left(case):
    assert CASES[case]() == []


def test_a_file_of_a_few_steps_is_replayed_with_what_ran_between():
    data = json.loads(cni.KNOWN.read_text())
    few = {"steps": [step for step in data["steps"] if step["step"] in (14, 36, 50)]}
    recorded = compare.read(str(cni.KNOWN))
    told = cni.answers(cni.KNOWN, few)
    assert [compare.compare(recorded[name], run()) for name, run in told.items()] == [[], [], []]
