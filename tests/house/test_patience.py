"""No test measures time, and whoever waits for what will come for certain waits long: the machine may be busy."""

import ast
import re

import pytest

from tests.house.sources import code, imported, name, tree

WAITS_FOR_LIVE_PROGRAMS = (
    *("tests/real/", "tests/browser/", "tests/conformance/"),
    *("tests/oracles/twin.py", "tests/oracles/ha/real/", "tests/oracles/audit/record.py"),
    "tests/oracles/histories/telling/",
    "tests/bench/beside.py",  # a report, of seconds
)
CLOCKS = re.compile(r"(time|timeit)(\..*)?")
TESTS = [path for path in code("tests") if path.suffix == ".py"]


def test_nobody_looks_at_a_clock_who_does_not_wait_for_a_live_program():
    looks = [
        f"{name(path)}:{node.lineno}"
        for path in TESTS
        if not name(path).startswith(WAITS_FOR_LIVE_PROGRAMS)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Import | ast.ImportFrom) and any(map(CLOCKS.fullmatch, imported(node)))
    ]
    assert looks == []


@pytest.mark.parametrize("path", [p for p in TESTS if name(p).startswith("tests/browser/")], ids=name)
def test_a_page_has_three_minutes_for_everything_unless_it_is_tried_again(path):
    text = path.read_text(encoding="utf-8")
    assert "wait_for_timeout" not in text, "wait for what is to happen, not for a time"
    hasty = [line.strip() for line in text.splitlines() if re.search(r"\btimeout=", line) and "tried again" not in line]
    assert hasty == [], "without a timeout of its own it has the three minutes of conftest.py"
