"""Ours answers as etcd 3.7.3 did in every session recorded from it, and of older ones it is known what differs."""

import json

import pytest

from kubemini.book import versions
from kubemini.etcd import errors
from tests.etcd.server.test_ops import LEARNER
from tests.oracles.etcd import record, sessions
from tests.real.twin import SimulatedCluster

RECORDED = json.loads(record.FILE.read_text(encoding="utf-8"))
NEWEST = RECORDED[record.NEWEST]
RANDOM = record.unpacked(NEWEST["random"])


@pytest.mark.parametrize("name", ["transcript", "changes", "lost_disk", "alone"])
def test_a_session_is_answered_as_the_newest_etcd_answered_it(name):
    assert getattr(sessions, name)(SimulatedCluster()) == NEWEST[name]


@pytest.mark.parametrize("seed", sessions.SEEDS)
def test_every_answer_of_a_long_random_session_is_that_of_the_newest_etcd(seed):
    for number, ours in enumerate(sessions.random_session(SimulatedCluster(seed=seed), seed)):
        assert ours == RANDOM[f"{seed}/{number}"], number


def test_the_session_of_the_transcript_is_answered_alike_by_every_version():
    assert all(not RECORDED[kind]["transcript"] for kind in ("3.4", "3.6"))
    rows = [row for row in sessions.transcript_rows() if row["rpc"] != "Watch"]
    told = [sessions.tell((("error" not in row), row.get("response") or recorded_error(row))) for row in rows]
    assert told == [NEWEST["transcript"][str(row["i"])] for row in rows]


def recorded_error(row):
    return {"code": row["error"]["grpc_code"], "message": row["error"]["text"]}


# -- the table of the book -----------------------------------------------------------------------------------------
def row(beginning):
    """{version: its answer} in the row that begins so."""
    [found] = [row for row in versions.DIFFERENCES if row.what.startswith(beginning)]
    return dict(zip(versions.VERSIONS, found.answers, strict=True))


def asked(session, question):
    """{version: what it answered}, of those that were asked."""
    newest = RANDOM[question] if session == "random" else NEWEST[session][question]
    return {
        kind: newest if kind == record.NEWEST else answers[session].get(question, newest)
        for kind, answers in RECORDED.items()
    }


def test_the_flags_in_the_table_are_those_that_each_version_knows():
    for kind, answers in RECORDED.items():
        known = answers["flags"]
        assert row("writes a snapshot")[kind] == known["snapshot-count"]
        assert row("asks before it votes")[kind] == {"true": "yes", "false": "no"}[known["pre-vote"]]
        assert row("tells watches")[kind] in known
        for beginning, flag in (
            ("lets an operator", "snapshot-catchup-entries"),
            ("allows more learners", "max-learners"),
        ):
            assert row(beginning)[kind] == (flag if flag in known else "no")


def test_the_answers_in_the_table_are_those_that_each_version_gave():
    for kind, (error, _) in asked("alone", "put").items():
        assert row("code of the error: context")[kind] == error[0]
    for kind, (answer, _) in asked("alone", "list the members, linearizable").items():
        assert row("lists its members")[kind] == ("yes" if answer == "ok" else "no")
    for kind, answer in asked("changes", "add a fifth while three of four are there").items():
        refused = answer == ["UNAVAILABLE", "etcdserver: unhealthy cluster"]
        assert row("adds a voter")[kind] == ("never" if refused else "if the rest is a quorum all the same")
    for kind, answer in asked("random", "4/137").items():
        assert row("names the lease")[kind] == ("yes" if answer["kvs"][0].get("lease") else "no")


def test_ours_is_the_newest_in_every_row_that_it_has():
    assert errors.DEADLINE_EXCEEDED.code == row("code of the error: context")["3.7"]
    assert errors.NOT_FOR_LEARNERS.code == LEARNER[0] == row("code of the error: rpc")["3.7"]
