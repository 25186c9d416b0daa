"""The press and the rules of the tests themselves: what is served, what a build notes, what a missing tool does."""

import json
import threading
from pathlib import Path
from urllib.request import urlopen

import pytest

from kubemini.view import notebooks, press

pytest_plugins = "pytester"
CONFTEST = (Path(__file__).parent / "conftest.py").read_text(encoding="utf-8")
UNICORN = CONFTEST + '\nTOOLS["unicorn"] = lambda: "there is no unicorn: apt-get install unicorn"\n'
RIDE = '@__import__("pytest").mark.needs("unicorn")\ndef test_a_ride():\n    pass\n'


@pytest.fixture
def book(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pages = tmp_path / "_build" / "html"
    pages.mkdir(parents=True)
    (pages / "index.html").write_text("<h1>a book</h1>")
    (pages / "python.wasm").write_bytes(b"\0asm")
    (pages / "pyodide.mjs").write_text("export {}")
    return tmp_path


def test_the_book_is_served_on_this_machine_only_with_the_types_that_pyodide_needs(book):
    with press.server(0) as first, press.server(first.server_port) as second:
        assert first.server_address[0] == "127.0.0.1" and second.server_port != first.server_port
        threading.Thread(target=first.serve_forever, daemon=True).start()
        root = f"http://127.0.0.1:{first.server_port}"
        assert b"a book" in urlopen(f"{root}/", timeout=10).read()
        assert urlopen(f"{root}/python.wasm", timeout=10).headers["Content-Type"] == "application/wasm"
        assert urlopen(f"{root}/pyodide.mjs", timeout=10).headers["Content-Type"] == "text/javascript"
        first.shutdown()


def test_without_a_book_there_is_nothing_to_serve(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert press.serve() == 2 and "make book" in capsys.readouterr().err


def test_a_build_is_cold_then_cached_then_changed(book, monkeypatch):
    def jupyter_book(command, check):
        (book / "_build" / ".jupyter_cache").mkdir(exist_ok=True)
        return press.subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(press.subprocess, "run", jupyter_book)
    (book / "chapters").mkdir()
    for expected in ({"cold"}, {"cold", "cached"}, {"cold", "cached", "changed"}):
        assert press.build() == 0
        assert set(json.loads((book / "_build/build-times.json").read_text())) - {"inputs"} == expected
        if "cached" in expected:
            (book / "chapters" / "new.md").write_text("# New")


def test_a_failed_build_notes_nothing(book, monkeypatch):
    monkeypatch.setattr(press.subprocess, "run", lambda command, check: press.subprocess.CompletedProcess(command, 1))
    assert press.build() == 1 and press.notes() == {}


def test_check_names_the_notebook_that_is_not_in_normal_form_and_leaves_it_alone(tmp_path, capsys):
    path = tmp_path / "quorum.ipynb"
    raw = {"cells": [], "metadata": {"kernelspec": {"name": "mine"}}, "nbformat": 4, "nbformat_minor": 5}
    path.write_text(json.dumps(raw))
    assert notebooks.main(["--check", str(path)]) == 1 and "make chapters" in capsys.readouterr().out
    assert json.loads(path.read_text()) == raw
    assert notebooks.main([str(path)]) == 0 and notebooks.main(["--check", str(path)]) == 0


def test_a_missing_tool_skips_and_says_why(pytester, monkeypatch):
    monkeypatch.delenv("KUBEMINI_REQUIRE", raising=False)
    pytester.makeconftest(UNICORN)
    pytester.makepyfile(RIDE)
    result = pytester.runpytest_inprocess("-rs")
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["*apt-get install unicorn*"])


def test_where_everything_is_required_a_missing_tool_fails(pytester, monkeypatch):
    monkeypatch.setenv("KUBEMINI_REQUIRE", "1")
    pytester.makeconftest(UNICORN)
    pytester.makepyfile(RIDE)
    pytester.runpytest_inprocess().assert_outcomes(errors=1)
