"""Chapter 0: what the page asks for is what the cluster does, and not only under the seed of the page."""

import pytest

from kubemini.lab import check, quiz
from kubemini.lab.first.outage import OUTAGE, outage
from kubemini.lab.questions import of_chapter
from kubemini.lab.visits import share, visits
from kubemini.sim.units import SECOND
from kubemini.simulate import run
from tests.runs import run_once

SEEDS = (8, 1, 2, 3)
ANSWERS = {name: asked["answer"] for name, asked in of_chapter("first")["predictions"].items()}


@pytest.fixture(scope="module")
def traces():
    return lambda seed: run_once("first", seed, until=80)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.some(1)
def test_no_visit_notices_that_the_only_api_server_is_down(traces, seed):
    assert ANSWERS["crash"] == "About 100 %"
    seen = visits(traces(seed), 20, 60)
    assert len(seen) > 30 and share(seen) == 1


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.some(1)
def test_every_write_is_refused_meanwhile(traces, seed):
    writes = [r for r in traces(seed).of("request") if r.detail["kind"] == "api" and r.detail["started"] > 20 * SECOND]
    assert writes and {r.detail["outcome"] for r in writes} == {"failed"}
    assert "refused" in writes[-1].detail["why"]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.some(1)
def test_some_visits_to_a_dead_worker_fail_for_as_long_as_nobody_repairs(traces, seed):
    assert ANSWERS["worker"].startswith("Some fail, again and again")
    for begin, end in ((60, 70), (70, 80)):
        assert 0 < share(visits(traces(seed), begin, end, by="visitor@worker-1")) < 1


@pytest.mark.parametrize("seed", SEEDS[:2])
@pytest.mark.some(1)
def test_the_pods_are_replaced_about_six_minutes_after_the_return(seed):
    assert ANSWERS["return"] == "After about six minutes"
    trace = run_once("first", seed, until=470)
    ready = [r for r in trace.of("pod") if r.at > 80 * SECOND and r.detail["ready"]]
    assert ready and 340 < ready[0].at / SECOND - 80 < 400
    failed = [r for r in visits(trace, 80, 470) if r.detail["outcome"] != "ok"]
    assert 40 < failed[-1].at / SECOND - 80 < 80, "the visits recover when the node is found NotReady"


def test_a_run_without_the_crash_serves_writes_so_the_recording_shows_the_crash():
    trace = run("first", until=19)
    writes = [r for r in trace.of("request") if r.detail["kind"] == "api" and r.detail["started"] > 10 * SECOND]
    assert writes and {r.detail["outcome"] for r in writes} == {"ok"}


def by_record(trace, begin, end, kind=("service",), moment="started", unit=1_000_000):
    fates = []
    for record in trace.of("request"):
        at = record.detail["started"] if moment == "started" else record.at
        if record.detail["kind"] in kind and begin <= at / unit < end:
            fates.append(record.detail["outcome"] == "ok")
    return sum(fates) / len(fates) if fates else 0


def test_the_share_of_visits_passes():
    assert check("first.success", by_record).passed


@pytest.mark.parametrize(
    ("function", "hint"),
    [
        (lambda t, b, e: 100 * by_record(t, b, e), "A share runs from 0 to 1"),
        (lambda t, b, e: by_record(t, b, e, unit=1), "No visit was found: times in a trace are microseconds"),
        (lambda t, b, e: by_record(t, b, e, kind=("service", "api")), "kubectl's writes are counted, too"),
        (lambda t, b, e: None, "returned nothing yet"),
        (lambda t, b, e: "most", "A share is a number from 0 to 1"),
        (lambda t, b, e: float("nan"), "This is not the share of the visits"),
        (lambda t, b, e: 0.123, "This is not the share of the visits"),
    ],
)
def test_a_slip_in_reading_the_trace_is_named(function, hint):
    report = check("first.success", function)
    assert report.status == "hint" and hint in report.hint


def test_the_outage_takes_change_and_repair_and_nothing_else():
    assert list(outage()[0].values()) == [True, True, False, False, False, False]
    assert check("first.outage", outage()[0]).passed


def test_a_wrong_line_about_the_outage_is_answered_with_a_number():
    believed = dict.fromkeys(OUTAGE, False)
    report = check("first.outage", believed)
    assert report.status == "hint" and report.hint.startswith("4 of 6 agree")
    assert "visits were answered" in report.facts[0]


@pytest.mark.parametrize("answer", [dict.fromkeys(OUTAGE, ...), {"a": True}, [True] * 6])
def test_an_unfinished_answer_about_the_outage_is_told_what_is_missing(answer):
    assert check("first.outage", answer).status == "hint"


@pytest.mark.parametrize("name", ["first.saw-crash", "first.saw-worker", "first.quiz"])
def test_the_questions_are_there(name):
    assert quiz(name).questions


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.some(1)
def test_a_worker_that_boots_during_the_outage_starts_no_pod(seed):
    trace = run("first", seed, [(65, "power_on", "worker-2")], until=80)
    assert not [r for r in trace.of("pod") if r.at > 60 * SECOND]
