"""The book's Sphinx extension: what it writes is complete, the same every time, and plain enough for a browser."""

import ast
import io
import json
import re
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
import yaml
from jupyter_cache import get_cache
from nbformat.v4 import new_code_cell, new_notebook

from kubemini.book import appendix, sphinx, vendor
from kubemini.scenarios import loader, names
from kubemini.widgets.modules import scope


def test_a_widget_becomes_a_classic_script_that_registers_itself():
    for widget in vendor.WIDGETS:
        text = vendor.classic(widget)
        assert not re.search(r"^export ", text, re.MULTILINE)
        assert f'(window.kubeminiWidgets ||= {{}})["{widget}"] = {scope(widget)};' in text


def test_the_archive_is_the_same_bytes_every_time():
    assert vendor.archive() == vendor.archive()


def test_the_archive_runs_a_session_without_yaml_or_anything_but_simpy(tmp_path: Path):
    zipfile.ZipFile(io.BytesIO(vendor.archive())).extractall(tmp_path)
    allowed = {"kubemini", "simpy", *sys.stdlib_module_names}
    imported = set()
    for path in tmp_path.rglob("*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:  # what is imported with it
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                imported.add((node.module or "").split(".")[0])
    assert imported - allowed == set()
    assert not list(tmp_path.rglob("*.yaml")) and not (tmp_path / "kubemini" / "lab").exists()


def test_a_scenario_is_the_same_as_json_as_it_is_as_yaml():
    packed = vendor.scenarios()
    assert sorted(packed) == sorted([*names(), "schema"])
    for name in names():
        ours, theirs = loader.load(name), loader.from_data(json.loads(packed[name]), name)
        documents = [d for d in yaml.safe_load_all(ours.manifests) if d is not None]
        assert json.loads(theirs.manifests or "[]") == documents
        assert (theirs.topology, theirs.workload, theirs.faults, theirs.until) == (
            ours.topology,
            ours.workload,
            ours.faults,
            ours.until,
        )


def test_notebooks_run_side_by_side_before_the_pages_are_read_and_one_that_fails_is_left_to_myst_nb(tmp_path: Path):
    sources = {"one": "print(1 + 1)", "two": "print(2 + 2)", "wrong": "1 / 0"}
    books = {name: new_notebook(cells=[new_code_cell(source)]) for name, source in sources.items()}
    for name, book in books.items():
        nbformat.write(book, tmp_path / f"{name}.ipynb")
    config = SimpleNamespace(
        nb_execution_mode="cache", nb_execution_cache_path=str(tmp_path / "cache"), nb_execution_timeout=60
    )
    env = SimpleNamespace(doc2path=lambda page: tmp_path / (page if "." in page else f"{page}.ipynb"))
    sphinx.execute_side_by_side(SimpleNamespace(config=config), env, [*sources, "plain.md"])
    cache = get_cache(config.nb_execution_cache_path)
    for name in ("one", "two"):
        _, merged = cache.merge_match_into_notebook(books[name])
        assert merged.cells[0].outputs[0].text == f"{eval(sources[name][6:-1])}\n"
    with pytest.raises(KeyError):
        cache.match_cache_notebook(books["wrong"])


def test_without_npm_the_book_is_vendored_with_live_mode_off(tmp_path: Path):
    assert vendor.vendor(tmp_path / "out", tmp_path / "nowhere") == {"live": False, "version": vendor.digest()}
    assert not list((tmp_path / "out").rglob("*pyodide*")) and not (tmp_path / "out" / "widgets").exists()


SHOWN = 'class="cell_output docutils container"'
LABELLED = '<div id="pst-primary-sidebar" role="region" aria-label="Contents" class="x">'


@pytest.mark.parametrize(
    "wrong,right",
    [
        ('<summary aria-label="Toggle hidden content">', "<summary>"),
        ('<div id="pst-primary-sidebar" class="x">', LABELLED),
        ('<th class="head"><p></p></th>', "<td></td>"),
        (f"<div {SHOWN}>\n<img alt>", f'<div {SHOWN} tabindex="0">\n<img alt>'),
        (f"<div {SHOWN}>\n<pre>", f"<div {SHOWN}>\n<pre>"),
    ],
)
def test_a_page_is_mended_once(wrong: str, right: str):
    mended = wrong
    for _ in range(2):
        for pattern, replacement in sphinx.REPAIRS:
            mended = re.sub(pattern, replacement, mended)
    assert mended == right


def test_the_appendix_finds_what_the_code_says_it_leaves_out():
    found = appendix.simplified()
    assert any(module == "users/visitor.py" and "one short connection" in words for module, _, words in found)
    assert all(words and not words.endswith(appendix.TAG) for _, _, words in found)
    tags = sum(path.read_text(encoding="utf-8").count(appendix.TAG) for path in appendix.modules())
    assert len(found) >= tags - 6  # prose about the tag is no tag


def test_the_appendix_writes_parameters_with_their_units():
    values = {name: value for name, value, _, _ in appendix.parameters()}
    assert values["etcd_heartbeat_interval"] == "100 ms"
    assert values["network_latency"] == "150 µs to 450 µs"
    assert values["haproxy_fall"] == "3" and values["etcd_max_request_bytes"] == "1,572,864"


def test_only_the_icons_that_are_named_are_kept_also_by_an_alias():
    from kubemini.book import icons

    visa, sun, cross = (
        '"cc-visa":[9,9,[],"f1f0","M1"],',
        'sun:[9,9,[9728],"f185",["M2"]],',
        'xmark:[9,9,["times"],"f00d","M3"]',
    )
    script = f"a={{{visa}{sun}{cross}}}"
    assert icons.thin(script, {"sun"}) == f"a={{{sun}}}"
    assert "xmark" in icons.thin(script, {"times"}) and "cc-visa" not in icons.thin(script, {"times"})


class Page:
    """What Sphinx gives a page: it keeps which styles and scripts it was told to add."""

    env = None

    def __init__(self, body: str):
        self.config, self.css, self.scripts = SimpleNamespace(kubemini_build={}), [], []
        self.add_css_file = self.css.append
        self.add_js_file = lambda name, **_: self.scripts.append(name)
        sphinx.page_context(self, "chapters/page", "page.html", {"body": body}, None)


def test_questions_are_styled_on_a_page_without_a_widget_and_cost_no_script():
    assert "kubemini/widget.css" not in Page("<p>words</p>").css
    asked = Page('<div class="km-quiz"><p>Who?</p></div>')
    assert "kubemini/widget.css" in asked.css and asked.scripts == []
    assert "kubemini/host.js" in Page('<div class="km-host" data-kubemini="cluster-map"></div>').scripts
