"""Three bare members of etcd 3.7.3 in trouble, and ours: the same trial reads the same.

The recordings, and the judge that says what of them counts, are facts from outside; see `members.py`.
"""

import json
import random
from pathlib import Path

import pytest

from tests.oracles.__main__ import main
from tests.oracles.ha.members import cases, judge_beside, replay

FOLDER = Path(__file__).parent
CASES = [case for file in sorted(FOLDER.glob("*.json")) for case in cases(file, json.loads(file.read_text()))]
CHANGES = 20


@pytest.mark.parametrize(("name", "run"), CASES, ids=[name for name, _ in CASES])
def test_a_trial_told_by_the_simulator_reads_like_the_real_one(name, run):
    assert run() == []


def test_the_judge_notices_when_our_record_is_changed():
    judge, noticed = judge_beside(FOLDER / "x.json"), 0
    runs = json.loads((FOLDER / "etcd_3.7.3_leader_kill.json").read_text())["trials"]
    ours, rng = replay(runs[0]), random.Random(1)
    assert judge.compare(runs, ours) == []
    for _ in range(CHANGES):
        noticed += judge.compare(runs, judge.changed(ours, rng)[1]) != []
    assert noticed >= 0.95 * CHANGES


def test_the_command_counts_what_passes_and_passes_over_what_it_cannot_run(tmp_path, capsys):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "list.json").write_text("[1, 2]")
    (tmp_path / "elsewhere" / "no.json").write_text("{")
    bridge = (FOLDER / "etcd_3.7.3_bridge.json").read_text()
    (tmp_path / "bridge.json").write_text(bridge)
    assert main([str(tmp_path)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "2 files passed over: nothing in them can be run here",
        "3 passed, 0 failed, 0 tolerated",
    ]
    (tmp_path / "bridge.json").write_text(bridge.replace('"stable": true', '"stable": false'))
    assert main([str(tmp_path)]) == 1
    told = capsys.readouterr().out.splitlines()
    assert told[0].startswith("bridge/0: stable at the end: wanted") and told[-1] == "0 passed, 3 failed, 0 tolerated"
