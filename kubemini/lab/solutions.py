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
import symtable
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


def play(cells: list[Cell]) -> dict[str, Any]:
    """What each check says of its solution, or what it raised. The solutions stand in place of their stubs."""
    parts = exercises(cells)
    checks = {p["check"]: name for name, p in parts.items()}
    code = {index: cell["source"] for index, cell in enumerate(cells) if cell["cell_type"] == "code"}
    code |= {p["stub"]: block(CODE, cells[p["solution"]]) for p in parts.values()}
    said: dict[str, Any] = {}
    namespace: dict[str, Any] = {"__name__": "__main__"}
    for index in needed(code, set(checks)):
        value = _execute(code[index], namespace, catch=index in checks)
        if index in checks:
            said[checks[index]] = value
    return said


def needed(code: dict[int, str], wanted: set[int]) -> list[int]:
    """The cells that those *wanted* cannot do without: who binds a name that they use, or touches its value."""
    before = {index: _Names(text) for index, text in code.items() if index <= max(wanted, default=-1)}
    found, values = set(wanted), set[str]().union(*(cell.values for cell in before.values()))
    while True:
        used = set[str]().union(*(before[index].used for index in found))
        more = {i for i, cell in before.items() if cell.bound & used or cell.used & used & values}
        if more <= found:
            return sorted(found)
        found |= more


class _Names:
    """The names of a cell that other cells know: those it uses, those it binds, and which of these hold a value."""

    def __init__(self, code: str):
        self.used, self.bound, self.values = set[str](), set[str](), set[str]()
        for statement in ast.parse(code).body:
            if isinstance(statement, ast.For):  # which binds its names before it uses them
                self.bound |= {node.id for node in ast.walk(statement.target) if isinstance(node, ast.Name)}
            table = symtable.symtable(ast.unparse(statement), "<cell>", "exec")
            self.used |= _names_used(table) - self.bound
            for name in table.get_symbols():
                if name.is_assigned() or name.is_imported():
                    self.bound.add(name.get_name())
                if name.is_assigned() and not name.is_imported() and not name.is_namespace():
                    self.values.add(name.get_name())


def _names_used(table: symtable.SymbolTable) -> set[str]:
    """The global names that a piece of code uses, its functions included."""
    top = table.get_type() == "module"
    here = {name.get_name() for name in table.get_symbols() if name.is_referenced() and (top or name.is_global())}
    return here.union(*map(_names_used, table.get_children()))


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
        said = play(cells)
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
