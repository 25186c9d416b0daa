"""What a real kernel did with 75 connections, ours does too."""

import json
from pathlib import Path

import pytest

from tests.oracles import judges
from tests.oracles.network import kernel
from tests.oracles.network.parts import OWN_JUDGE

TABLE = Path(__file__).parent / "kernel_measured.json"
CASES = kernel.tables(TABLE, json.loads(TABLE.read_text(encoding="utf-8")))


@pytest.mark.parametrize("case", CASES)
def test_a_connection_ends_as_in_a_real_kernel(case):
    assert CASES[case]() == []


STORIES = Path(__file__).parent / "kube-proxy" / "stories.json"
JUDGE = judges.beside(STORIES.parent.parent, OWN_JUDGE)
TOLD = kernel.stories_answers(STORIES, json.loads(STORIES.read_text(encoding="utf-8")))


@pytest.mark.parametrize("case", JUDGE.read(str(STORIES)))
def test_a_story_in_time_goes_as_recorded(case):
    assert JUDGE.compare(JUDGE.read(str(STORIES))[case], TOLD[case]()) == []


def test_a_wrong_answer_is_noticed():
    row = {"backend": "nftables", "client": "pod11", "case": "", "dst": "172.30.0.12", "port": 80}
    row |= {"result": "connected", "answered_by": "pod11", "source_seen": "10.244.1.2"}
    ((_, run),) = kernel.tables(TABLE, {"results": [row]}).items()
    assert run() == ["wanted ('connected', 'pod11', '10.244.1.2'), got [('connected', 'pod11', '10.244.1.1')]"]
