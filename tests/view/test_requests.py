"""What users see: who waits is waiting, whatever comes of it; who was served late, late; who got a code, refused."""

import pytest

from kubemini.cluster import Cluster
from kubemini.sim import Record, Trace
from kubemini.sim.units import MS, SECOND
from kubemini.view.requests import FATES, asked, fate, sees
from kubemini.view.scene import request_strip
from kubemini.view.story import writers_see

AT = 10 * SECOND


def write(took, outcome="ok", code=200):
    """A write that began at 10 s."""
    detail = {"kind": "api", "verb": "PATCH", "path": "x", "outcome": outcome, "started": AT, "code": code}
    return Record(AT + took, "kubectl", "request", detail)


@pytest.mark.parametrize(
    ("record", "after", "seen"),
    [
        (write(20 * MS), 10 * MS, ""),
        (write(20 * MS), SECOND, "well"),
        (write(20 * SECOND), 10 * MS, "waits"),
        (write(20 * SECOND), 21 * SECOND, "late"),
        (write(34 * SECOND, "unknown", 504), 33 * SECOND, "waits"),
        (write(34 * SECOND, "unknown", 504), 35 * SECOND, "fails"),
        (write(10 * SECOND, "failed", 0), 9 * SECOND, "waits"),
        (write(10 * SECOND, "failed", 0), 11 * SECOND, "fails"),
        (write(5 * SECOND, "unknown", 0), 6 * SECOND, "silent"),
        (write(2 * MS, "failed", 0), MS, "fails"),
        (write(20 * SECOND), -1, ""),
    ],
)
def test_who_waits_sees_nothing_else_whatever_comes_of_it(record, after, seen):
    assert sees(record, AT + after) == seen


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        ([], ("ok", "writes accepted")),
        (["well", "well"], ("ok", "writes accepted")),
        (["well", "late"], ("warn", "writes accepted, some late")),
        (["well", "waits"], ("warn", "some writes wait")),
        (["well", "waits", "fails"], ("warn", "some writes fail")),
        (["waits", "waits"], ("bad", "every write waits")),
        (["waits", "silent"], ("bad", "writes get no answer")),
        (["fails"], ("bad", "every write fails")),
        (["fails", "waits"], ("bad", "writes fail or wait")),
    ],
)
def test_what_writers_see_is_said_in_so_many_words(seen, said):
    assert writers_see(seen) == said


def test_what_still_waits_at_the_end_of_a_run_is_neither_lost_nor_called_anything_else():
    cluster = Cluster.single()
    cluster.run("10s")
    cluster.components["etcd-1"].pause()
    cluster.user.put("a", "1")
    trace = cluster.run("3s")
    (waiting,) = trace.header["waiting"]
    assert (waiting["verb"], waiting["path"], waiting["started"]) == ("put", "a", 10 * SECOND)
    last = asked(trace)[-1]
    assert (last.detail["outcome"], fate(last), sees(last, 13 * SECOND)) == ("waiting", "waiting", "waits")
    row = next(row for row in request_strip(trace)["series"] if row["name"] == "writes")
    assert {what: sum(row[what]) for what in FATES} == dict.fromkeys(FATES, 0) | {"waiting": 1}
    assert "waiting" not in cluster.run("30s").header


def test_what_was_asked_a_moment_before_the_end_does_not_wait_yet():
    header = {"topology": {"kind": "etcd", "hosts": [], "etcd": []}, "seed": 1, "until": 10 * SECOND}
    ask = {"actor": "x", "kind": "etcd", "verb": "put", "path": "k"}
    waiting = [ask | {"started": 10 * SECOND - 3 * MS}, ask | {"started": 8 * SECOND}]
    assert [r.detail["started"] for r in asked(Trace(header | {"waiting": waiting}))] == [8 * SECOND]


def test_an_answer_after_more_than_a_second_is_slow():
    assert fate(write(SECOND)) == "ok" and fate(write(SECOND + 1)) == "slow"
    assert fate(write(34 * SECOND, "unknown", 504)) == "unknown"
