"""The command line: a readable summary, and one clear sentence for a mistake."""

import subprocess
import sys
from pathlib import Path

import pytest

from kubemini.__main__ import main
from kubemini.sim import Trace

ROOT = Path(__file__).parent.parent


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
