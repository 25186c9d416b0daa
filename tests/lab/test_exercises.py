"""Every exercise of the book: its solution passes, its untouched stub fails with exactly the hint that the page shows.

The stubs run where all cells run: nbval compares what their checks say with what is stored. Here the solutions run in
their place, with nothing of the notebook but what they and their checks need.
"""

import ast
import re
from pathlib import Path

import pytest

from kubemini.lab import NotSolved, names
from kubemini.lab.registry import chapters
from kubemini.lab.solutions import ANSWER, CODE, answered, block, cells_of, exercises, needed, play, refresh

FOLDER = Path(__file__).parents[2] / "chapters"
CHAPTERS = sorted(p for p in FOLDER.glob("*.ipynb") if p.stem not in ("introduction", "evidence"))  # they ask nothing


@pytest.fixture(params=CHAPTERS, ids=lambda p: p.stem)
def chapter(request, monkeypatch):
    monkeypatch.setenv("KUBEMINI_STRICT", "1")
    return request.param


def test_each_exercise_has_a_stub_a_check_and_a_solution_and_there_are_two_at_least(chapter):
    found = exercises(cells_of(chapter))
    assert len(found) >= 2
    for name, parts in found.items():
        assert set(parts) == {"stub", "check", "solution"}, f"{name} has only {sorted(parts)}"
        assert parts["stub"] < parts["check"] < parts["solution"], name


def test_every_solution_passes_in_place_of_its_stub_with_the_report_on_the_page(chapter):
    cells = cells_of(chapter)
    said = play(cells)
    assert set(said) == set(exercises(cells))
    for name, report in said.items():
        assert not isinstance(report, NotSolved), f"{name}: {report}"
        assert report.passed and report.facts, f"{name} passes without a fact"
        assert block(ANSWER, cells[exercises(cells)[name]["solution"]]) == f"{report!r}\n", "run make chapters"


def test_every_untouched_stub_fails_with_a_hint_on_the_page_which_nbval_compares(chapter):
    cells = cells_of(chapter)
    for name, parts in exercises(cells).items():
        check = cells[parts["check"]]
        assert len(check["metadata"]["tags"]) == 1, f"the check of {name} has a tag with which nbval passes it over"
        assert shown(check).startswith("✗ "), f"the stub of {name} passes"


def test_what_a_check_needs_is_who_binds_its_names_and_who_touches_their_values():
    code = ["import a, b", "x = a.one()", "y = b.two()", "def f(y): return x", "x.more()", "y.more()", "f(1)", "x = 9"]
    assert needed(dict(enumerate(code)), {6}) == [0, 1, 3, 4, 6]
    assert needed({0: "x = y = 1", 1: "x = 2; print(x)", 2: "for y in (): f(y)", 3: "x += 1"}, {1, 2}) == [1, 2]
    assert needed({0: "x = 1", 1: "x = x + 1"}, {1}) == [0, 1]


def shown(cell):
    """The text that is stored under a cell."""
    (output,) = cell["outputs"]
    return "".join(output["data"]["text/plain"])


def assigned(code):
    """The names that a cell gives a value to."""
    tree = ast.parse(code)
    stored = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return stored | {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_running_all_cells_neither_shows_a_solution_nor_overwrites_what_the_learner_wrote(chapter):
    cells = cells_of(chapter)
    for name, parts in exercises(cells).items():
        assert cells[parts["solution"]]["cell_type"] == "markdown", f"the solution of {name} runs"
        assert "<details" in cells[parts["solution"]]["source"], f"the solution of {name} is not folded"
        mine = assigned(cells[parts["stub"]]["source"]) & assigned(block(CODE, cells[parts["solution"]]))
        assert mine, f"the solution of {name} is in place of nothing"
        later = [c for c in cells[parts["stub"] + 1 : parts["solution"]] if c["cell_type"] == "code"]
        assert not any(mine & assigned(c["source"]) for c in later), f"{name}: the learner's answer is overwritten"
        checks = re.findall(r"check\(", "".join(c["source"] for c in later))
        assert len(checks) == 1, f"{name} is checked {len(checks)} times"


def test_an_answer_that_has_changed_is_written_anew(tmp_path):
    page = tmp_path / "quorum.ipynb"
    page.write_text((FOLDER / "quorum.ipynb").read_text(encoding="utf-8").replace("✓ Quorum lost", "✓ Quorum found"))
    assert refresh(page) and not refresh(page)
    assert "✓ Quorum lost" in page.read_text(encoding="utf-8")
    assert answered("```text\nold\n```", 1) == "```text\n1\n```"


def test_every_registered_exercise_stands_in_its_chapter():
    asked = set()
    for path in CHAPTERS:
        code = "\n".join(c["source"] for c in cells_of(path) if c["cell_type"] == "code")
        asked |= set(re.findall(r'check\(\s*"([a-z-]+\.[a-z-]+)"', code))
    assert {n for n in names() if n.split(".")[0] in chapters()} == asked
