"""The widgets' front end keeps the promises its hosts rely on; what it does in a browser is tested in the book."""

import re
from pathlib import Path

import pytest

from kubemini.sim.vocabulary import WHAT

STATIC = Path(__file__).parent.parent / "kubemini" / "view" / "static"
WIDGETS = ("cluster-map", "etcd-desk", "raft-stepper", "election-curves")
UNDRAWN = {"panic", "vote", "timer", "decision", "message", "request", "command", "note"}  # in lists, or told in rows


def text(name: str) -> str:
    return (STATIC / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("widget", WIDGETS)
def test_a_widget_ends_in_the_one_export_line_its_hosts_rewrite(widget: str) -> None:
    lines = text(f"{widget}.js").rstrip().splitlines()
    assert lines[-1] == "export default { render };"
    assert sum(line.startswith("export ") for line in lines) == 1
    assert not re.search(r"^\s*import\b", text(f"{widget}.js"), re.MULTILINE)


@pytest.mark.parametrize("file", ["common.js", *(f"{widget}.js" for widget in WIDGETS), "widget.css"])
def test_nothing_is_fetched_from_anywhere(file: str) -> None:
    source = text(file).replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"https?:|\bfetch\(|XMLHttpRequest|@import|url\(['\"]?(?!#)", source)


def test_every_word_of_the_trace_is_folded_or_left_out_on_purpose() -> None:
    fold = re.search(r"const FOLD = \{(.*?)\n  \};", text("common.js"), re.DOTALL)
    assert fold is not None
    known = set(re.findall(r"^    (\w+)\(st", fold[1], re.MULTILINE))
    assert known | UNDRAWN == set(WHAT)


def test_every_class_of_the_style_sheet_is_ours() -> None:
    selectors = re.sub(r"/\*.*?\*/|\{[^{}]*\}", " ", text("widget.css"), flags=re.DOTALL)
    foreign = {"vscode-dark", "bd-content", "cell_output", "text_html"}  # where hosts say that it is dark
    classes = set(re.findall(r"\.([A-Za-z][\w-]*)", selectors)) - foreign
    assert {c for c in classes if c != "km" and not c.startswith("km-")} == set()
