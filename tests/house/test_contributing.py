"""What CONTRIBUTING says about where things are added is so."""

import re

import pytest

from tests.house.sources import ROOT

TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
ROWS = dict(re.findall(r"^\| (an? [^|]+?) \| (.+?) \|$", TEXT, re.MULTILINE))
OFTEN = {"a kind", "an admission plugin", "a controller", "a scheduler plugin", "a command or fault", "a parameter"}
OFTEN |= {"a trace word", "an exercise", "a scenario", "a judge from outside"}


def test_the_table_says_where_whatever_is_added_often_is_added():
    assert set(ROWS) >= OFTEN


@pytest.mark.parametrize("what", sorted(ROWS))
def test_where_it_is_added_is_there(what):
    paths = re.findall(r"`((?:kubemini|tests)/[\w./]+)`", ROWS[what])
    assert paths and [path for path in paths if not (ROOT / path).exists()] == []


def test_the_rule_for_commits_stands_there():
    assert "`room: what` in at most 72 characters" in TEXT
