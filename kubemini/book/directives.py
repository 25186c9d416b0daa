"""The book's directives: tables that are read from the code and from what the tests keep."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from kubemini.book import appendix, versions
from kubemini.book.vendor import PACKAGE


class Simplified(SphinxDirective):
    """``{simplified}``: what the code says it leaves out, by module."""

    def run(self) -> list[nodes.Node]:
        groups: dict[str, nodes.bullet_list] = {}
        for module, where, words in appendix.simplified():
            text, _ = self.state.inline_text(f"{where}: {words}" if where else words, self.lineno)
            groups.setdefault(module, nodes.bullet_list()).append(nodes.list_item("", nodes.paragraph("", "", *text)))
        for path in appendix.modules():
            self.env.note_dependency(str(path))
        out: list[nodes.Node] = []
        for module, items in groups.items():
            out += [nodes.paragraph("", "", nodes.literal(module, module)), items]
        return out


class Parameters(SphinxDirective):
    """``{parameters}``: every period, timeout and limit, with its source."""

    def run(self) -> list[nodes.Node]:
        for name in ("params.py", "networkparams.py", "etcdparams.py"):
            self.env.note_dependency(str(PACKAGE / name))
        head = ["parameter", "value", "its real name", "source"]
        return [table((30, 16, 30, 34), head, appendix.parameters(), ["km-parameters"])]


class EtcdVersions(SphinxDirective):
    """``{etcd-versions}``: what one version of etcd does otherwise than another."""

    def run(self) -> list[nodes.Node]:
        self.env.note_dependency(str(PACKAGE / "book" / "versions.py"))
        head = ["etcd …", *versions.VERSIONS, "source"]
        return [table((28, 13, 15, 15, 15, 22), head, versions.table())]


class Mutants(SphinxDirective):
    """``{mutants}``: faults put into Raft on purpose, and which tests noticed each."""

    def run(self) -> list[nodes.Node]:
        ways = ("sentences", "conversations", "schedules")
        rows = (
            [m["fault"], *("✓" if way in m["noticed_by"] else "–" for way in ways)]
            for m in read(self.env, "raft/mutants.json")
        )
        return [table((55, 15, 15, 15), ["a machine that …", *ways], rows)]


class Twin(SphinxDirective):
    """``{twin}``: what a client saw of a real etcd in trouble, and what it sees of ours."""

    def run(self) -> list[nodes.Node]:
        twin = read(self.env, "etcd/twin.json")
        rows = ([sight["what"], sight["real"], sight["ours"]] for sight in twin["sights"])
        return [table((60, 20, 20), ["what a client sees", f"etcd {twin['etcd']}", "ours"], rows)]


def read(env: Any, name: str) -> Any:
    """A table that the tests keep under *name*; the page is built anew when it changes."""
    path = Path(env.app.confdir or env.app.srcdir).resolve() / "tests" / "oracles" / name
    env.note_dependency(str(path))
    return json.loads(path.read_text(encoding="utf-8"))


def table(
    widths: Iterable[int], head: Iterable[str], rows: Iterable[Iterable[str]], classes: Iterable[str] = ()
) -> nodes.table:
    """A table of plain words."""
    columns = [nodes.colspec(colwidth=width) for width in widths]
    body = nodes.tbody("", *(row(cells) for cells in rows))
    return nodes.table(
        "", nodes.tgroup("", *columns, nodes.thead("", row(head)), body, cols=len(columns)), classes=list(classes)
    )


def row(cells: Iterable[str]) -> nodes.row:
    """A row of a table."""
    return nodes.row("", *(nodes.entry("", nodes.paragraph("", cell)) for cell in cells))


DIRECTIVES = {
    "simplified": Simplified,
    "parameters": Parameters,
    "etcd-versions": EtcdVersions,
    "mutants": Mutants,
    "twin": Twin,
}
