"""A file can be read in one sitting, a room taken in at a glance, a function seen at once."""

import ast
from collections import Counter

import pytest

from tests.house.sources import FUNCTIONS, code, name, tree

FILE, ROOM, FUNCTION = 400, 15, 50  # lines, files, lines
SOURCES = code("kubemini", "tests")
# What is being rebuilt and does not hold yet; empty when that is done.
NOT_YET = {
    "kubemini/widgets/static/common.js",
}


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_a_file_can_be_read_in_one_sitting(path):
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= FILE or name(path) in NOT_YET, f"{name(path)} has {lines} lines: what in it is a thing of its own?"


def test_a_room_can_be_taken_in_at_a_glance():
    files = Counter(name(path.parent) for path in SOURCES)
    assert {room: many for room, many in files.items() if many > ROOM and room not in NOT_YET} == {}


def test_a_function_fits_on_a_screen():
    functions = [
        (f"{name(path)}:{node.lineno}", node.end_lineno - node.lineno + 1)
        for path in SOURCES
        if path.suffix == ".py"
        for node in ast.walk(tree(path))
        if isinstance(node, FUNCTIONS)
    ]
    assert [(where, lines) for where, lines in functions if lines >= FUNCTION] == []
