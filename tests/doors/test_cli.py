"""The command line: a readable summary, and one clear sentence for a mistake."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kubemini.__main__ import main
from kubemini.sim import Trace

ROOT = Path(__file__).parent.parent.parent


def test_a_scenario_runs_by_name_and_prints_what_happened(capsys):
    assert main(["run", "etcd-3", "--until", "15s"]) == 0
    out = capsys.readouterr().out
    assert "etcd-3" in out and "records:" in out


def test_a_trace_is_written_and_can_be_read_back(tmp_path, capsys):
    file = tmp_path / "out.jsonl"
    assert main(["run", "etcd-3", "--seed", "7", "--until", "5s", "--trace", str(file)]) == 0
    trace = Trace.from_jsonl(file.read_text())
    assert trace.header["seed"] == 7 and trace.of("role")


def test_a_command_on_the_command_line_is_carried_out(tmp_path, capsys):
    file = tmp_path / "out.jsonl"
    main(["run", "etcd-3", "--until", "5s", "--command", "3s,crash,etcd-1", "--trace", str(file)])
    assert [r.at for r in Trace.from_jsonl(file.read_text()).of("crash")] == [3_000_000]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["run", "quorom"], "there is no scenario 'quorom'. Did you mean quorum?"),
        (["run", "missing.yaml"], "missing.yaml: cannot be read (No such file or directory)"),
        (["run", "etcd-3", "--until", "soon"], '"soon" is not a duration'),
        (["run", "etcd-3", "--command", "3s,crash,etcd-9"], "'etcd-9' is not a component of this cluster"),
        (["run", "etcd-3", "--until", "1s", "--trace", "/nowhere/out.jsonl"], "No such file or directory"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_status_2(arguments, sentence, capsys):
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert sentence in error and error.count("\n") == 1 and "Traceback" not in error


def test_the_module_runs_from_a_shell():
    done = subprocess.run([sys.executable, "-m", "kubemini", "scenarios"], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0 and "quorum" in done.stdout


def shell(*arguments, **environment):
    command = [sys.executable, "-m", "kubemini", *arguments]
    done = subprocess.run(command, capture_output=True, cwd=ROOT, env=os.environ | environment)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_disk_that_is_full_is_one_sentence_after_the_report(capsys):
    assert main(["run", "etcd-3", "--until", "1s", "--trace", "/dev/full", "--quiet"]) == 2
    out, error = capsys.readouterr()
    assert "records:" in out
    assert error == "kubemini: cannot write /dev/full: No space left on device; name another file\n"


def test_a_terminal_without_our_signs_gets_question_marks():
    code, out, error = shell("run", "etcd-3", "--until", "1s", PYTHONIOENCODING="ascii")
    assert code == 0 and "?" in out and error == ""


def test_a_scenario_may_lie_in_a_file_of_any_name(tmp_path, capsys):
    file = tmp_path / "story"
    file.write_text("title: A story\ntopology: {kind: etcd}\nuntil: 1s\n")
    assert main(["run", str(file)]) == 0 and "A story" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(None, "cannot be read (Is a directory)"), (b"\xff\xfe", "is not UTF-8 text"), (b"", "expected a mapping")],
)
def test_what_is_there_and_no_scenario_is_not_called_missing(content, sentence, tmp_path, capsys):
    file = tmp_path / "story"
    file.mkdir() if content is None else file.write_bytes(content)
    assert main(["run", str(file)]) == 2
    error = capsys.readouterr().err
    assert sentence in error and "there is no scenario" not in error and error.count("\n") == 1


WRONG = [
    [],
    ["fly"],
    ["run"],
    ["run", ""],
    ["run", "."],
    ["run", "\0"],
    ["run", "x" * 5000],
    ["run", "etcd-3", "etcd-5"],
    ["run", "etcd-3", "--seed"],
    ["run", "etcd-3", "--seed", "soon"],
    ["run", "etcd-3", "--seed", "9" * 5000],
    ["run", "etcd-3", "--seed", "²"],
    ["run", "etcd-3", "--trace", ""],
    ["run", "etcd-3", "--until", "-5s"],
    ["run", "etcd-3", "--until=-5s"],
    ["run", "etcd-3", "--until", "nan"],
    ["run", "etcd-3", "--until", "1e400s"],
    ["run", "etcd-3", "--until", ""],
    ["run", "etcd-3", "--patience", "soon"],
    ["run", "etcd-3", "--fidelity", "half"],
    ["run", "etcd-3", "--trace", "/"],
    ["run", "etcd-3", "--command", ""],
    ["run", "etcd-3", "--command", ","],
    ["run", "etcd-3", "--command", "crash"],
    ["run", "etcd-3", "--command", "1s"],
    ["run", "etcd-3", "--command", "1s,,"],
    ["run", "etcd-3", "--command", "1s,crash"],
    ["run", "etcd-3", "--command", "1s,crash,etcd-1,now"],
    ["run", "etcd-3", "--command", "etcd-1,crash,1s"],
    ["run", "etcd-3", "--command", '1s,put,k,"v'],
    ["run", "etcd-3", "--command", "1s,apply,kind: Pod"],
    ["run", "healthy", "--command", "1s,apply,kind: Pod"],
    ["run", "healthy", "--command", "1s,apply,[[["],
    ["run", "healthy", "--command", "1s,apply,"],
    ["run", "healthy", "--command", "1s,scale,web,-1"],
    ["scenarios", "--all"],
    ["check"],
    ["check", "/"],
    ["check", "nowhere.jsonl"],
    ["bench", "--fast"],
    ["--version", "run"],
]


@pytest.mark.parametrize("arguments", WRONG, ids=lambda value: " ".join(value)[:40])
def test_every_wrong_command_line_is_one_sentence(arguments, capsys):
    assert main(arguments) == 2
    out, error = capsys.readouterr()
    assert out == "" and error.startswith("kubemini: ") and error.count("\n") == 1 and len(error) < 700


STORY = "title: t\ntopology: {kind: single}\nuntil: 1s\nmanifests: |\n"
POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: c, image: i, env: [ENV]}]}\n"


@pytest.mark.parametrize(
    ("manifest", "first", "hint"),
    [
        (POD.replace("ENV", "{name: x, value: no}"), "spec.containers[0].env[0].value", 'put it in quotes: "no"'),
        (
            POD.replace("ENV", "{name: x, valeu: a}"),
            'unknown field "spec.containers[0].env[0].valeu"',
            "did you mean value?",
        ),
        (
            "apiVersion: apps/v1\nkind: Deploymint\nmetadata: {name: a}\n",
            'no matches for kind "Deploymint" in version "apps/v1"',
            "did you mean Deployment?",
        ),
    ],
)
def test_a_manifest_that_is_refused_gets_our_hint_on_a_second_line(manifest, first, hint, tmp_path, capsys):
    file = tmp_path / "story.yaml"
    file.write_text(STORY + "".join(f"  {line}\n" for line in manifest.splitlines()))
    assert main(["run", str(file)]) == 2
    said, hinted, nothing = capsys.readouterr().err.split("\n")
    assert said.startswith("kubemini: manifests") and first in said
    assert hinted.strip().startswith(hint) and nothing == ""


@given(
    st.lists(
        st.one_of(st.text(max_size=5), st.sampled_from([w for words in WRONG for w in words if w != "--trace"])),
        max_size=4,
    )
)
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_command_line_ends_in_a_traceback(capsys, arguments):
    try:
        status = main(["run", "etcd-3", "--until", "100ms", *arguments])
    except SystemExit as asked_for_help:
        status = asked_for_help.code
    assert status in (0, 2)


def test_who_reads_no_more_ends_the_output_and_nothing_else(monkeypatch):
    monkeypatch.setattr("kubemini.__main__.report", lambda trace: (_ for _ in ()).throw(BrokenPipeError()))
    monkeypatch.setattr(sys, "stderr", open(os.devnull, "w"))  # noqa: SIM115
    assert main(["run", "etcd-3", "--until", "1s"]) == 0


def test_who_interrupts_a_run_gets_a_word_and_no_traceback(monkeypatch, capsys):
    monkeypatch.setattr("kubemini.__main__.run", lambda *a, **k: (_ for _ in ()).throw(KeyboardInterrupt()))
    assert main(["run", "etcd-3"]) == 130
    assert capsys.readouterr().err == "kubemini: interrupted\n"


def test_a_run_that_takes_longer_than_somebody_waits_is_ended_with_a_sentence(capsys):
    assert main(["run", "etcd-5", "--until", "1h", "--patience", "200ms"]) == 2
    error = capsys.readouterr().err
    assert "kubemini: stopped after 0.2 s of real time" in error and "--patience" in error


def test_where_nobody_watches_a_bar_a_long_run_says_a_word_now_and_then(capsys, monkeypatch):
    monkeypatch.setattr("kubemini.__main__.A_WORD", 0)
    assert main(["run", "etcd-3", "--until", "20s"]) == 0
    assert "% done\n" in capsys.readouterr().err
    assert main(["run", "etcd-3", "--until", "20s", "--quiet"]) == 0
    assert capsys.readouterr().err == ""
