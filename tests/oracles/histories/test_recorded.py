"""What a real control plane did of our own stories (record.py): ours does the same, judged by compare.py."""

import random

import pytest

from tests.oracles import histories
from tests.oracles.histories import record, stories
from tests.oracles.histories.playing import judge_of, played
from tests.oracles.histories.world import World

KEPT = record.kept()
JUDGE = record.HERE / "compare.py"


@pytest.mark.parametrize("name", KEPT)
def test_a_recorded_history_is_played_the_same(name):
    assert histories.differences(JUDGE, record.read(KEPT[name])) == []


def test_each_story_is_recorded_and_each_recording_has_a_story():
    assert KEPT.keys() == stories.told().keys()


def test_a_leaf_that_is_changed_in_a_recording_is_noticed():
    judge, dice, noticed = judge_of(JUDGE), random.Random(1), 0
    chosen = dice.sample(sorted(KEPT), 5)
    for name in chosen:
        recorded = record.read(KEPT[name])
        got = played(JUDGE, recorded)
        entry = dice.choice([entry for entry in recorded["objects"].values() if entry["versions"]])
        version = dice.choice([one for one in entry["versions"] if "object" in one or "change" in one])
        version["step"] += 1
        noticed += bool(judge.compare(recorded, got))
    assert noticed >= 4


def test_controllers_ask_as_often_as_those_that_were_recorded():
    params = World({"steps": [], "needs": ["controllers"]}).cluster.params
    assert (params.kube_api_qps, params.kube_api_burst) == (300, 500)
