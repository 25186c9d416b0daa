"""The theme's icon script with only the icons that the book shows: 20 kB instead of 540 kB compressed.

Invariant: an icon that any page or script names, by its name or an alias, stays. The script is cut, not rewritten: each
icon is one entry `name: [width, height, [aliases], code, path]` of a table.
"""

import re
from pathlib import Path

SCRIPT = Path("scripts") / "fontawesome.js"
NAMED = re.compile(r"\bfa-([a-z0-9-]+)")
ENTRY = re.compile(
    r'"?([a-z0-9][a-z0-9-]*)"?:\s*\[\d+,\s*\d+,\s*\[([^\]]*)\],\s*"[0-9a-f]+",\s*(?:"[^"]*"|\[[^\]]*\])\],?'
)


def named(folder: Path) -> set[str]:
    """The icons that the pages and scripts under *folder* name."""
    files = [*folder.rglob("*.html"), *(folder / "_static" / "scripts").glob("*.js")]
    texts = (f.read_text(encoding="utf-8") for f in files if f.name != SCRIPT.name)
    return {name for text in texts for name in NAMED.findall(text)}


def thin(script: str, wanted: set[str]) -> str:
    """*script* without the icons that are not *wanted*."""

    def keep(entry: re.Match[str]) -> str:
        names = {entry[1], *re.findall(r"[a-z][a-z0-9-]*", entry[2])}
        return entry[0] if names & wanted else ""

    return ENTRY.sub(keep, script)


def thin_out(folder: Path) -> None:
    """Thin the script of the built book in *folder*."""
    script = folder / "_static" / SCRIPT
    if script.exists():
        script.write_text(thin(script.read_text(encoding="utf-8"), named(folder)), encoding="utf-8")
