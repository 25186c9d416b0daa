"""An exercise in its notebook: a stub, a check, and below them a solution that no run of all cells touches.

    python -m kubemini.lab.solutions chapters/*.ipynb     try every solution, write what check() says of it below it

Stub and check are code cells tagged ``ex-NAME-stub`` and ``ex-NAME-check``. The solution is text, folded, in a
Markdown cell tagged ``ex-NAME-solution``: a block of Python, and a block of text that says what check() answers.
Invariant: *Run all cells* runs the learner's function and shows the learner's report, never the solution's.
"""

import ast
import contextlib
import io
import json
import re
import sys
from pathlib import Path
from typing import Any

from kubemini.lab.report import Report

Cell = dict[str, Any]
TAG = re.compile(r"(ex-[a-z0-9-]+)-(stub|check|solution)$")
CODE = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)
ANSWER = re.compile(r"^```text\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def cells_of(path: Path) -> list[Cell]:
    """The cells of the notebook at *path*, each source as one text."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [{**cell, "source": "".join(cell["source"])} for cell in cells]


def exercises(cells: list[Cell]) -> dict[str, dict[str, int]]:
    """``{name: {"stub": index, "check": index, "solution": index}}``."""
    found: dict[str, dict[str, int]] = {}
    for index, cell in enumerate(cells):
        for tag in cell["metadata"].get("tags", []):
            if match := TAG.match(tag):
                found.setdefault(match[1], {})[match[2]] = index
    return found


def block(pattern: re.Pattern[str], cell: Cell) -> str:
    """What stands in the one block of *cell* that *pattern* describes."""
    (text,) = pattern.findall(cell["source"])
    return text


def play(cells: list[Cell], with_solutions: bool) -> dict[str, Any]:
    """Run the notebook up to its last check: what each check said; where it raised, what was raised."""
    parts = exercises(cells)
    checks = {p["check"]: name for name, p in parts.items()}
    instead = {p["stub"]: block(CODE, cells[p["solution"]]) for p in parts.values() if with_solutions}
    said: dict[str, Any] = {}
    namespace: dict[str, Any] = {"__name__": "__main__"}
    for index, cell in enumerate(cells[: max(checks, default=-1) + 1]):
        tags = cell["metadata"].get("tags", [])
        if cell["cell_type"] != "code" or ("hide-input" in tags and "import" not in cell["source"]):
            continue  # text, a widget or a quiz: nothing that an exercise needs
        code = instead[index] if index in instead else cell["source"]
        value = _execute(code, namespace, catch=index in checks)
        if index in checks:
            said[checks[index]] = value
    return said


def _execute(code: str, namespace: dict[str, Any], catch: bool) -> Any:
    """Run a cell; the value of its last expression, or what it raised if that is to be caught."""
    tree = ast.parse(code)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    try:
        exec(compile(tree, "<cell>", "exec"), namespace)
        shown = ast.Expression(last.value) if isinstance(last, ast.Expr) else None
        return eval(compile(shown, "<cell>", "eval"), namespace) if shown else None
    except AssertionError as error:
        if not catch:
            raise
        return error


def answered(source: str, report: Report) -> str:
    """The text of a solution's cell, in which check() answers *report*."""
    return ANSWER.sub(lambda _: f"```text\n{report!r}\n```", source)


def refresh(path: Path) -> bool:
    """Write below every solution what check() says of it now; whether that changed the file."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    cells = cells_of(path)
    with contextlib.redirect_stdout(io.StringIO()):
        said = play(cells, with_solutions=True)
    for name, report in said.items():
        index = exercises(cells)[name]["solution"]
        text = answered(cells[index]["source"], report)
        notebook["cells"][index]["source"] = text.splitlines(keepends=True)
    before, after = path.read_text(encoding="utf-8"), json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"
    path.write_text(after, encoding="utf-8")
    return before != after


if __name__ == "__main__":
    for chapter in sys.argv[1:]:
        if refresh(Path(chapter)):
            print(f"{chapter}: a solution gets another answer now")
