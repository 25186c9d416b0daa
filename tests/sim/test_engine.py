"""The clock, the draws and the trace."""

import pytest

from kubemini.sim import Sim, Trace
from kubemini.sim.units import MS, clock, duration, written


def test_the_nth_draw_does_not_depend_on_the_others():
    one, other = Sim(5).draws("link"), Sim(5).draws("link")
    assert [one.u(n) for n in range(200)][137] == other.u(137)
    assert Sim(5).draws("link").u(0) != Sim(6).draws("link").u(0)


def test_a_trace_survives_its_json_lines():
    trace = Trace({"seed": 1}, [])
    sim = Sim(1)
    sim.record("etcd-1", "start")
    trace.records += sim.trace.records
    again = Trace.from_jsonl(trace.to_jsonl())
    assert again == trace and again.digest() == trace.digest()


@pytest.mark.parametrize("sign", ["\u2028", "\u2029", "\x85", "\x1c", "\r", "\n", "\v"])
def test_a_sign_that_ends_a_line_elsewhere_does_not_end_a_record(sign):
    sim = Sim(1)
    sim.record("kubectl", "note", text=f"a{sign}b")
    text = sim.trace.to_jsonl()
    assert Trace.from_jsonl(text).to_jsonl() == text


@pytest.mark.parametrize(
    ("text", "line"),
    [('{"seed": 1}\n{broken\n', 2), ("null\n", 1), ("5\n", 1), ("[]\n", 1), ('{"seed": 1}\n5\n', 2), ("\n\n", 1)],
)
def test_a_broken_trace_file_is_refused_with_the_line(text, line):
    with pytest.raises(ValueError, match=f"line {line} is not a trace record"):
        Trace.from_jsonl(text)


def test_a_word_outside_the_vocabulary_is_refused():
    with pytest.raises(AssertionError, match="vocabulary"):
        Sim(1).record("etcd-1", "explode")


@pytest.mark.parametrize(
    ("text", "micros"), [("200ms", 200_000), ("1.5s", 1_500_000), (2, 2_000_000), ("2m", 120_000_000)]
)
def test_durations_read_as_people_write_them(text, micros):
    assert duration(text) == micros


@pytest.mark.parametrize("text", ["soon", "-1s", "", "1 parsec", "nan"])
def test_a_bad_duration_says_what_to_write(text):
    with pytest.raises(ValueError, match=r"duration"):
        duration(text)


def test_the_clock_prints_milliseconds():
    assert clock(1_304 * MS) == "1.304s"


@pytest.mark.parametrize("text", ["0s", "30us", "1500ms", "2m", "1d", "90m"])
def test_a_written_duration_is_read_as_the_same(text):
    assert written(duration(text)) == text


def test_durations_may_have_several_parts_as_go_writes_them():
    assert duration("1m30s") == 90_000_000 and duration("1h0.5s") == 3_600_500_000
