"""What the rules of the house are about: every file of code that somebody here wrote."""

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "kubemini"
FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef
CODE = {".py", ".js", ".mjs", ".css", ".go"}  # collections (scenarios, questions, recordings, published facts) are data
NEVER = {"__pycache__", "node_modules", "_build", "build"}
FROM_OUTSIDE = {"tests/oracles/ha/compare.py"}  # as it came


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
