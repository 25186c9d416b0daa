"""The press and the rules of the tests themselves: what is served, what a build notes, what a missing tool does."""

import contextlib
import json
import socket
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from kubemini.book import notebooks, press
from kubemini.book.pages import Server

pytest_plugins = "pytester"
CONFTEST = (Path(__file__).parents[1] / "conftest.py").read_text(encoding="utf-8")
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
    with Server(press.PAGES) as first, Server(press.PAGES, first.port) as second:
        assert first.address.startswith("http://127.0.0.1:") and second.port != first.port
        assert {s.getsockname()[0] for s in first.sockets} == {"127.0.0.1"}
        assert b"a book" in urlopen(f"{first.address}/").read()
        assert urlopen(f"{first.address}/python.wasm").headers["Content-Type"] == "application/wasm"
        assert urlopen(f"{first.address}/pyodide.mjs").headers["Content-Type"] == "text/javascript"
        with pytest.raises(HTTPError, match="404"):
            urlopen(f"{first.address}/nothing.js")


def test_two_hundred_connections_wait_until_the_server_runs_and_all_are_answered(book):
    server = Server(press.PAGES)
    with contextlib.ExitStack() as open_:
        waiting = [
            open_.enter_context(socket.create_connection(("127.0.0.1", server.port), timeout=60)) for _ in range(200)
        ]
        for connection in waiting:
            connection.sendall(b"GET /python.wasm HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n")
        with server:
            answers = [b"".join(iter(lambda c=connection: c.recv(4096), b"")) for connection in waiting]
    assert {answer.split(b"\r\n")[0] for answer in answers} == {b"HTTP/1.1 200 OK"}
    assert all(answer.endswith(b"\0asm") for answer in answers)


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
