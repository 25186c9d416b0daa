"""The widgets' front end keeps the promises its hosts rely on; what it does in a browser is tested in browser/."""

import hashlib
import json
import re
import subprocess
from pathlib import Path

import pytest

from kubemini import session
from kubemini.scenarios import names
from kubemini.sim import Record
from kubemini.sim.vocabulary import WORDS
from kubemini.view.scene import present, row_of, without_redundant
from kubemini.view.state import RULES, State
from kubemini.widgets import modules
from kubemini.widgets.modules import STATIC, WIDGETS
from tests.runs import run_once

SOURCES = sorted([*STATIC.rglob("*.js"), *STATIC.rglob("*.css")])
# Folds a recording twice: by columns and rows as the widgets do. One line a record: its row, and the state after it.
FOLDED = """
const run = JSON.parse(require("fs").readFileSync(0, "utf8"));
const sorted = (_, v) => (v && typeof v === "object" && !Array.isArray(v) ?
    Object.fromEntries(Object.keys(v).sort().map((k) => [k, v[k]])) : v);
const past = new km_history.History(run), state = km_fold.blank(run.header.topology), lines = [];
const hash = (text) => require("crypto").createHash("sha1").update(text).digest("hex");
const rows = [...km_history.unpacked(run.records)];
for (const [number, row] of rows.entries()) {
    km_fold.fold(state, row);
    const looked = number % 12 === 0 || number === rows.length - 1;
    lines.push(JSON.stringify([row, looked ? hash(JSON.stringify(state, sorted)) : null]));
}
console.log(lines.join("\\n"));
"""


def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def in_node(script: str, given: str, tmp_path: Path) -> str:
    (tmp_path / "script.cjs").write_text(script, encoding="utf-8")
    done = subprocess.run(["node", tmp_path / "script.cjs"], input=given, capture_output=True, text=True, check=True)
    return done.stdout


@pytest.mark.needs("node")
@pytest.mark.parametrize("name", names())
def test_a_recording_is_folded_by_the_rule_of_view_state(name: str, tmp_path: Path) -> None:
    trace = run_once(name)
    kind, state = trace.header["topology"]["kind"], State(trace.header["topology"])
    shown = json.dumps(present(trace))
    script = modules.bundle(STATIC / "history.js") + FOLDED
    seen = [json.loads(line) for line in in_node(script, shown, tmp_path).splitlines()]
    told = without_redundant([row for record in trace if (row := row_of(record, kind))])
    for number, ((row, digest), kept) in enumerate(zip(seen, told, strict=True)):
        at, who, what, detail = kept
        assert row[:3] == [at, who, what]
        assert alike(what, row[3], detail), (number, row, kept)
        state.fold(Record(at, who, what, json.loads(json.dumps(detail))))
        assert not digest or digest == digest_of(state), f"after record {number}: {kept}"
    assert digest


def alike(what: str, seen: dict, told: dict) -> bool:
    """Whether a page knows what the trace said, but for the last digits of a message's way."""
    mine, yours = ({k: v for k, v in d.items() if v is not None} for d in (seen, json.loads(json.dumps(told))))
    ways = [d.pop("arrives", 0) for d in (mine, yours) if what == "message"]
    return mine == yours and (not ways or abs(ways[0] - ways[1]) <= 50)


def digest_of(state: State) -> str:
    shown = {name: value for name, value in vars(state).items() if name != "topology"}
    written = json.dumps(shown, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha1(written.encode()).hexdigest()


@pytest.mark.parametrize("widget", WIDGETS)
def test_a_widget_is_one_text_that_imports_nothing_and_exports_its_render(widget: str) -> None:
    source = modules.widget_source(widget)
    assert source.rstrip().endswith(f"export default {modules.scope(widget)};")
    assert len(re.findall(r"^export ", source, re.MULTILINE)) == 1
    assert not re.search(r"^\s*import\b", source, re.MULTILINE)


def test_a_bundle_says_a_module_once_before_whoever_imports_it(tmp_path: Path) -> None:
    imports = 'import { b as c } from "./b.js";\nimport { d } from "./d.js";\n'
    (tmp_path / "a.js").write_text(imports + "export const a = c + d;\n")
    (tmp_path / "b.js").write_text('import { d } from "./d.js";\nexport const b = d;\n')
    (tmp_path / "d.js").write_text("export const d = 1;\n")
    bundled = modules.bundle(tmp_path / "a.js")
    assert re.findall(r"^const (km_\w)", bundled, re.MULTILINE) == ["km_d", "km_b", "km_a"]
    assert "const { b: c } = km_b;" in bundled
    (tmp_path / "d.js").write_text('import { a } from "./a.js";\nexport const d = a;\n')
    with pytest.raises(ValueError, match=r"a\.js imports itself by way of a\.js"):
        modules.bundle(tmp_path / "a.js")


def test_no_two_modules_share_a_name() -> None:
    stems = [path.stem for path in STATIC.rglob("*.js")]
    assert len(stems) == len(set(stems))


@pytest.mark.parametrize("path", [p for p in SOURCES if p.stem not in ("host", "worker")], ids=lambda p: p.name)
def test_nothing_is_fetched_from_anywhere(path: Path) -> None:
    source = text(path).replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"https?:|\bfetch\(|XMLHttpRequest|@import|url\(['\"]?(?!#)", source)


def test_every_word_of_the_trace_is_folded_or_left_out_on_purpose() -> None:
    assert set(RULES) == {name for name, word in WORDS.items() if word.drawn}


def test_every_class_of_the_style_sheet_is_ours() -> None:
    selectors = re.sub(r"/\*.*?\*/|\{[^{}]*\}", " ", modules.style(), flags=re.DOTALL)
    foreign = {"vscode-dark", "bd-content", "cell_output", "text_html"}  # where hosts say that it is dark
    classes = set(re.findall(r"\.([A-Za-z][\w-]*)", selectors)) - foreign
    assert {c for c in classes if c != "km" and not c.startswith("km-")} == set()


def test_a_page_lets_a_widget_ask_what_the_simulator_answers():
    listed = re.search(r"const ASKS = \[([^\]]*)\]", (STATIC / "host.js").read_text(encoding="utf-8"))
    assert listed and re.findall(r'"(\w+)"', listed[1]) == list(session.OPERATIONS)
