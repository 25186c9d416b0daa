"""The front end's modules, and how they become one: ES modules with real imports do not load from file://.

`bundle` puts a module behind all that it imports, each in a scope of its own, in one text that needs nothing else. It
understands what static/ is written in: named imports and exports of names, and one ``export default`` of a widget.
Invariant: equal sources give equal texts; a module stands in it once, before whoever imports it.
"""

import re
from pathlib import Path

STATIC = Path(__file__).parent / "static"
WIDGETS = tuple(sorted(path.stem for path in (STATIC / "widgets").rglob("*.js")))
IMPORT = re.compile(r'^import \{([^}]*)\} from "(\.[^"]+)";\n', re.MULTILINE)
EXPORT = re.compile(r"^export (?=(?:const|let|function\*?|async function|class) (\w+))", re.MULTILINE)
DEFAULT = "export default { render };\n"


def style() -> str:
    """The style sheet of all widgets, in the order of its files' numbers."""
    sheets = sorted((STATIC / "css").rglob("[0-9]-*.css"), key=lambda path: path.name)
    return "".join(path.read_text(encoding="utf-8") for path in sheets)


def widget_source(name: str) -> str:
    """The one ES module of a widget that anywidget loads."""
    return f"{bundle(module(name))}export default {scope(name)};\n"


def module(name: str) -> Path:
    """Where the widget called *name* is written: in widgets/, or in a room of it."""
    (found,) = (STATIC / "widgets").rglob(f"{name}.js")
    return found


def bundle(entry: Path) -> str:
    """*entry* and all it imports as one script; the module is called as `scope` says."""
    return "".join(wrapped(path) for path in ordered(entry, ()))


def ordered(path: Path, within: tuple[Path, ...]) -> list[Path]:
    """What *path* imports, the deepest first, then *path*. Raises ValueError for a circle."""
    path = path.resolve()
    if path in within:
        raise ValueError(f"{path.name} imports itself by way of {', '.join(p.name for p in within)}")
    found: dict[Path, None] = {}
    for _, where in IMPORT.findall(path.read_text(encoding="utf-8")):
        found |= dict.fromkeys(ordered(path.parent / where, (*within, path)))
    return [*found, path]


def wrapped(path: Path) -> str:
    """A module as a constant: an object of what it exports."""
    text = path.read_text(encoding="utf-8")
    exported = ["render"] if DEFAULT in text else EXPORT.findall(text)
    text = EXPORT.sub("", IMPORT.sub(taken, text.replace(DEFAULT, "")))
    assert not re.search(r"^(import|export)\b", text, re.MULTILINE), f"{path.name}: not understood"
    return f"const {scope(path.stem)} = (() => {{\n{text}return {{ {', '.join(exported)} }};\n}})();\n"


def taken(match: re.Match[str]) -> str:
    """An import as a constant."""
    names = re.sub(r" as ", ": ", " ".join(match[1].split()))
    return f"const {{ {names} }} = {scope(Path(match[2]).stem)};\n"


def scope(stem: str) -> str:
    """What a module is called in a bundle."""
    return "km_" + stem.replace("-", "_")
