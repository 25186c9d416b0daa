"""Every exercise of the book: its solution passes, its untouched stub fails with exactly the hint that the page shows.

Cells are tagged ``ex-NAME-stub``, ``ex-NAME-check`` and ``ex-NAME-solution``. Each notebook runs once with its stubs
and once with the solutions in their place, in this process.
"""

import ast
import json
import re
from pathlib import Path

import pytest

from kubemini.lab import NotSolved, names
from kubemini.lab.registry import chapters

FOLDER = Path(__file__).parents[2] / "chapters"
CHAPTERS = sorted(p for p in FOLDER.glob("*.ipynb") if p.stem not in ("introduction", "evidence"))  # they ask nothing
TAG = re.compile(r"(ex-[a-z0-9-]+)-(stub|check|solution)$")


def cells_of(path):
    return [c for c in json.loads(path.read_text(encoding="utf-8"))["cells"] if c["cell_type"] == "code"]


def source(cell):
    return "".join(cell["source"])


def exercises(cells):
    """{name: {"stub": index, "check": index, "solution": index}}"""
    found = {}
    for index, cell in enumerate(cells):
        for tag in cell["metadata"].get("tags", []):
            if match := TAG.match(tag):
                found.setdefault(match[1], {})[match[2]] = index
    return found


def execute(code, namespace):
    """Run a cell; the value of its last expression."""
    tree = ast.parse(code)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "<cell>", "exec"), namespace)
    return eval(compile(ast.Expression(last.value), "<cell>", "eval"), namespace) if last else None


def play(path, monkeypatch, with_solutions):
    """Run the notebook; {exercise: what its check said, strictly}."""
    cells = cells_of(path)
    parts = exercises(cells)
    stubs = {p["stub"]: p["solution"] for p in parts.values()}
    checks = {p["check"]: name for name, p in parts.items()}
    said, namespace = {}, {"__name__": "__main__"}
    for index, cell in enumerate(cells[: max(checks, default=-1) + 1]):
        if "hide-input" in cell["metadata"].get("tags", []) and "import" not in source(cell):
            continue  # a widget or a quiz: nothing that an exercise needs
        code = source(cells[stubs[index]] if with_solutions and index in stubs else cell)
        if index not in checks:
            execute(code, namespace)
            continue
        monkeypatch.setenv("KUBEMINI_STRICT", "1")
        try:
            said[checks[index]] = execute(code, namespace)
        except NotSolved as error:
            said[checks[index]] = error
        monkeypatch.delenv("KUBEMINI_STRICT")
    return said


@pytest.fixture(params=CHAPTERS, ids=lambda p: p.stem)
def chapter(request, monkeypatch):
    monkeypatch.delenv("KUBEMINI_STRICT", raising=False)
    return request.param


def test_each_exercise_has_a_stub_a_check_and_a_solution_and_there_are_two_at_least(chapter):
    found = exercises(cells_of(chapter))
    assert len(found) >= 2
    for name, parts in found.items():
        assert set(parts) == {"stub", "check", "solution"}, f"{name} has only {sorted(parts)}"
        assert parts["stub"] < parts["check"] < parts["solution"], name


def test_every_solution_passes_in_place_of_its_stub(chapter, monkeypatch):
    for name, report in play(chapter, monkeypatch, with_solutions=True).items():
        assert not isinstance(report, NotSolved), f"{name}: {report}"
        assert report.passed and report.facts, f"{name} passes without a fact"


def test_every_untouched_stub_fails_with_exactly_the_hint_on_the_page(chapter, monkeypatch):
    cells = cells_of(chapter)
    for name, error in play(chapter, monkeypatch, with_solutions=False).items():
        assert isinstance(error, NotSolved), f"the stub of {name} passes"
        assert f"✗ {error}" == shown(cells[exercises(cells)[name]["check"]]).splitlines()[0]


def shown(cell):
    """The text that is stored under a cell."""
    (output,) = cell["outputs"]
    return "".join(output["data"]["text/plain"])


def test_every_registered_exercise_stands_in_its_chapter():
    asked = set()
    for path in CHAPTERS:
        asked |= set(re.findall(r'check\(\s*"([a-z-]+\.[a-z-]+)"', "\n".join(source(c) for c in cells_of(path))))
    assert {n for n in names() if n.split(".")[0] in chapters()} == asked
