"""The book's appendix, read from the code: what is simplified, and every parameter with its source."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kubemini import params
from kubemini.sim.units import MS, SECOND

PACKAGE = Path(__file__).parent.parent
TAG = "Simplified:"
Simplification = tuple[str, str, str]  # module, where in it (empty: the module itself), what is left out
SCALES = ((SECOND, "s"), (MS, "ms"), (1, "µs"))
SMALLEST = 10  # µs: a smaller whole number counts things


def modules() -> list[Path]:
    """The source files, in order of their path."""
    return sorted(PACKAGE.rglob("*.py"))


def simplified() -> list[Simplification]:
    """Every `Simplified:` of a docstring or a comment."""
    found: list[Simplification] = []
    for path in modules():
        name, text = path.relative_to(PACKAGE).as_posix(), path.read_text(encoding="utf-8")
        if TAG in text and path != Path(__file__):
            found += [(name, where, words) for where, doc in docstrings(ast.parse(text)) for words in tagged(doc)]
            found += [(name, "", words) for words in commented(text)]
    return found


def docstrings(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """(name, docstring) of a module and of everything in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and (doc := ast.get_docstring(node)):
            yield getattr(node, "name", ""), doc


def tagged(doc: str) -> Iterator[str]:
    """What follows each tag, up to an empty line."""
    for match in re.finditer(rf"{TAG}\s*(.+?)(?=\n\s*\n|{TAG}|\Z)", doc, re.DOTALL):
        yield " ".join(match[1].split())


def commented(text: str) -> Iterator[str]:
    """What follows each tag in a comment, on its line."""
    for match in re.finditer(rf"#\s*{TAG}\s*(.+)", text):
        yield match[1].strip()


def parameters() -> list[tuple[str, str, str, str]]:
    """(name, value as people write it, real flag, source) of every parameter."""
    return [(name, written(name, value), flag, source) for name, value, flag, source in params.table()]


def written(name: str, value: Any) -> str:
    """A parameter's value with its unit."""
    if isinstance(value, tuple):
        return " to ".join(written(name, v) for v in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, int) or "bytes" in name or "ops" in name or value < SMALLEST:
        return f"{value:,}" if isinstance(value, int) else str(value)
    scale, unit = next((s, u) for s, u in SCALES if value % s == 0)
    return f"{value // scale} {unit}"
