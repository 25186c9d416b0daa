"""The widgets' front end keeps the promises its hosts rely on; what it does in a browser is tested in the book."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from kubemini.sim.vocabulary import WORDS
from kubemini.simulate import run
from kubemini.view.scene import present, row_of, without_redundant

STATIC = Path(__file__).parents[2] / "kubemini" / "widgets" / "static"
WIDGETS = ("cluster-map", "etcd-desk", "raft-stepper", "election-curves")


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
    assert known == {name for name, word in WORDS.items() if word.drawn}


def test_every_class_of_the_style_sheet_is_ours() -> None:
    selectors = re.sub(r"/\*.*?\*/|\{[^{}]*\}", " ", text("widget.css"), flags=re.DOTALL)
    foreign = {"vscode-dark", "bd-content", "cell_output", "text_html"}  # where hosts say that it is dark
    classes = set(re.findall(r"\.([A-Za-z][\w-]*)", selectors)) - foreign
    assert {c for c in classes if c != "km" and not c.startswith("km-")} == set()


@pytest.mark.needs("node")
@pytest.mark.parametrize("scenario", ["etcd-3", "quorum"])
def test_the_columns_of_a_recording_are_its_records_again(scenario: str, tmp_path: Path) -> None:
    trace = run(scenario)
    (tmp_path / "run.json").write_text(json.dumps(present(trace)))
    script = "const run = JSON.parse(require('fs').readFileSync('run.json'));"
    script += "console.log(JSON.stringify(new kmCommon.History(run).records))"
    (tmp_path / "unpack.cjs").write_text(text("common.js") + script)
    done = subprocess.run(["node", "unpack.cjs"], cwd=tmp_path, capture_output=True, text=True, check=True)
    kept = without_redundant([row for record in trace if (row := row_of(record, trace.header["topology"]["kind"]))])
    for seen, told in zip(json.loads(done.stdout), json.loads(json.dumps(kept)), strict=True):
        assert seen[:3] == told[:3]
        if told[2] == "message" and told[3]["arrives"]:
            assert abs(seen[3].pop("arrives") - told[3].pop("arrives")) <= 50
        if told[2] != "request":  # there a page adds the way behind a balancer
            assert without_none(seen[3]) == without_none(told[3])


def without_none(detail: dict) -> dict:
    return {name: value for name, value in detail.items() if value is not None}
