"""A kubectl line among the commands of a run: the trace tells what it prints, so a run stays a value."""

import pytest

from kubemini import run
from kubemini.commands import FaultError
from kubemini.view.words import rows


def typed(*lines, until=24, **options):
    """The records of what was typed."""
    return run("first", commands=[(at, "kubectl", line) for at, line in lines], until=until, **options)


def test_what_a_line_prints_stands_in_the_trace_at_the_instant_it_is_printed():
    (record,) = typed((8, "get nodes")).of("typed")
    assert (record.actor, record.detail["line"], record.detail["status"]) == ("kubectl", "get nodes", 0)
    assert record.detail["said"].splitlines()[0].split()[:2] == ["NAME", "STATUS"]
    assert 8_000_000 < record.at < 8_100_000


def test_a_watch_tells_as_time_runs_and_ends_when_its_server_does():
    found = list(typed((2.9, "get pods -w")).of("typed"))
    assert len(found) > 5 and [one.detail["status"] for one in found[:-1]] == [None] * (len(found) - 1)
    assert found[-1].at == 20_000_000 and found[-1].detail["status"] == 0  # the API server crashes at 20 s


def test_the_same_lines_give_the_same_bytes():
    lines = ((8, "create deployment x --image=i --replicas=2"), (9, "get pods -o wide"), (12, "describe deploy x"))
    assert typed(*lines).digest() == typed(*lines).digest()


def test_a_line_reads_no_file_of_the_machine_it_runs_on(tmp_path):
    (tmp_path / "x.yaml").write_text("{}")
    (record,) = typed((8, f"apply -f {tmp_path}/x.yaml")).of("typed")
    assert record.detail["said"] == f'error: the path "{tmp_path}/x.yaml" does not exist\n'


def test_a_line_that_fails_is_told_in_the_table():
    told = [words for _, who, words in rows(typed((8, "get pod nope"), until=12)) if who in ("kubectl", "you")]
    assert told == [
        "typed kubectl get pod nope",
        'kubectl get pod nope fails: Error from server (NotFound): pods "nope" not found',
    ]


def test_a_cluster_without_an_api_server_refuses_the_line_before_anything_runs():
    with pytest.raises(FaultError, match="has no API server"):
        run("etcd-3", commands=[(1, "kubectl", "get pods")])
