"""A file can be read in one sitting, a room taken in at a glance, a function seen at once."""

import ast
from collections import Counter

import pytest

from tests.house.sources import FUNCTIONS, code, functions_of_script, name, tree

FILE, ROOM, FUNCTION = 400, 15, 50  # lines, files, lines
SOURCES = code("kubemini", "tests")


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_a_file_can_be_read_in_one_sitting(path):
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= FILE, f"{name(path)} has {lines} lines: what in it is a thing of its own?"


def test_a_room_can_be_taken_in_at_a_glance():
    files = Counter(name(path.parent) for path in SOURCES)
    assert {room: many for room, many in files.items() if many > ROOM} == {}


def test_a_function_fits_on_a_screen():
    functions = [
        (f"{name(path)}:{node.lineno}", node.end_lineno - node.lineno + 1)
        for path in SOURCES
        if path.suffix == ".py"
        for node in ast.walk(tree(path))
        if isinstance(node, FUNCTIONS)
    ]
    assert [(where, lines) for where, lines in functions if lines >= FUNCTION] == []


@pytest.mark.parametrize("path", [path for path in SOURCES if path.suffix in {".js", ".mjs"}], ids=name)
def test_a_function_of_a_script_does_too(path):
    functions = list(functions_of_script(path.read_text(encoding="utf-8")))
    assert [span for span in functions if span[1] >= FUNCTION] == []


SCRIPT = """export function one(a) {
  if (a) {
    return 1;
  }
}
class Two {
  async three(b) {
    for (const c of b) {
      c();
    }
  }
}
const four = (d) => {
  five();
};
"""


def test_functions_of_a_script_are_found_with_their_length():
    assert list(functions_of_script(SCRIPT)) == [(1, 5), (7, 5), (13, 3)]
    assert list(functions_of_script("(() => {\n  one();\n})();\n")) == []
