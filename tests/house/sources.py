"""What the rules of the house are about: every file of code that somebody here wrote."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "kubemini"
FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef
CODE = {".py", ".js", ".mjs", ".css", ".go"}  # collections (scenarios, questions, recordings, published facts) are data
NEVER = {"__pycache__", "node_modules", "_build", "build"}
FROM_OUTSIDE = {
    "tests/oracles/comparing.py",
    "tests/oracles/ha/compare.py",
    "tests/oracles/histories/compare.py",
    "tests/oracles/histories/until.py",
    "tests/oracles/network/compare.py",
    "tests/oracles/sessions/run.py",
}  # as they came


def code(*tops):
    """Every file of code under the folders *tops* of the repository."""
    files = (path for top in tops for path in (ROOT / top).rglob("*"))
    ours = (p for p in files if not NEVER & set(p.relative_to(ROOT).parts) and name(p) not in FROM_OUTSIDE)
    return sorted(p for p in ours if p.suffix in CODE)


def name(path):
    return path.relative_to(ROOT).as_posix()


def tree(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def imported(node):
    """What an import statement names."""
    if isinstance(node, ast.Import):
        return {alias.name for alias in node.names}
    return {f"{node.module}.{alias.name}" for alias in node.names}


BEGINS = re.compile(r"(\bfunction\b.*|=>\s*|^\s*(?:(?:static|async|get|set)\s+)*[\w$#]+\([^;]*\)\s*)\{$")
NO_FUNCTION = re.compile(r"^\s*(\(|(\}\s*)?(if|for|while|switch|catch|with|do|else)\b)")


def functions_of_script(text):
    """(line, lines) of every function of a script that is laid out as prettier does it.

    The function that is called where it stands and holds a whole file is none: ``(() => {``.
    """
    lines = text.splitlines()
    for begin, line in enumerate(lines):
        if BEGINS.search(line.rstrip()) and not NO_FUNCTION.match(line):
            ends = (end for end in range(begin + 1, len(lines)) if _closes(lines[end], _indent(line)))
            yield begin + 1, next(ends, len(lines)) - begin + 1


def _indent(line):
    return len(line) - len(line.lstrip())


def _closes(line, indent):
    return line.lstrip().startswith("}") and _indent(line) <= indent
