"""Odd and wrong bodies, types and wishes: answered word for word as a real server has answered them."""

import json
from pathlib import Path

import pytest

from tests.apiserver.outside.asking import Outside
from tests.oracles.kubernetes.answers import asked

RECORDED = json.loads((Path(__file__).parents[2] / "oracles/kubernetes/bodies.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def outside():
    return Outside()


@pytest.mark.parametrize("row", RECORDED, ids=lambda row: f"{row[0]} {row[2]} {row[3]} {row[4]!r}"[:70])
def test_a_question_is_answered_as_by_the_real_server(outside, row):
    *question, answer = row
    assert asked(outside.parts, question) == answer
