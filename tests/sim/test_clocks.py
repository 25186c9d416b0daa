"""A clock that is wrong: what a program reads of it, and when its timers fire."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubemini.sim import Sim
from kubemini.sim.clocks import Clock, skewed
from kubemini.sim.engine import TIMER
from kubemini.sim.units import HOUR, SECOND

RATES = st.builds(Fraction, st.integers(1, 300), st.integers(1, 300))


def test_of_a_right_clock_the_date_is_the_time():
    sim = Sim()
    sim.run_until(5 * SECOND)
    assert sim.wall == sim.now == 5 * SECOND


def test_an_offset_moves_the_date_alone():
    sim = Sim()
    sim.run_until(5 * SECOND)
    own = skewed(sim, -2 * SECOND, Fraction(1))
    assert (own.now, own.wall) == (5 * SECOND, 3 * SECOND)
    sim.run_until(9 * SECOND)
    assert (own.now, own.wall) == (9 * SECOND, 7 * SECOND)


@pytest.mark.parametrize(("rate", "true"), [(Fraction(1, 2), 8), (Fraction(2), 2), (Fraction(4, 3), 3)])
def test_at_another_rate_four_seconds_last_longer_or_shorter(rate, true):
    sim, times = Sim(), []
    sim.run_until(5 * SECOND)
    own = skewed(sim, 0, rate)
    note = lambda: times.append(sim.now)  # noqa: E731
    own.at(own.now + 4 * SECOND, TIMER, note)
    own.occur(4 * SECOND, TIMER, note)
    own.timeout(4 * SECOND).callbacks.append(lambda event: note())
    sim.run_until(HOUR)
    assert times == [(5 + true) * SECOND] * 3
    assert own.now == 5 * SECOND + int((HOUR - 5 * SECOND) * rate)


def test_a_clock_that_is_set_right_goes_on_and_its_date_is_right():
    sim = Sim()
    own = skewed(sim, HOUR, Fraction(1, 2))
    sim.run_until(10 * SECOND)
    own = skewed(own, 0, Fraction(1))
    assert (own.now, own.wall) == (5 * SECOND, 10 * SECOND)
    sim.run_until(12 * SECOND)
    assert (own.now, own.wall) == (7 * SECOND, 12 * SECOND)


def test_what_is_recorded_stands_at_the_true_instant():
    sim = Sim()
    own = skewed(sim, HOUR, Fraction(1, 2))
    own.occur(SECOND, TIMER, own.record, "etcd-1", "note")
    sim.run_until(5 * SECOND)
    assert [record.at for record in sim.trace] == [2 * SECOND]


@given(st.integers(0, 10**9), st.integers(0, 10**9), RATES, st.integers(0, 10**7))
def test_no_timer_fires_before_its_clock_says_so_and_none_a_microsecond_too_late(since, read, rate, delay):
    clock = Clock(since, read, 0, rate)
    true = clock.shown(read + delay)
    assert clock.reading(true) >= read + delay
    assert true == since or clock.reading(true - 1) < read + delay


@given(st.lists(st.tuples(st.integers(0, 10**7), st.integers(-(10**9), 10**9), RATES), max_size=6))
def test_however_often_a_clock_is_set_its_time_never_goes_back(settings):
    sim, seen = Sim(), [0]
    own = skewed(sim, 0, Fraction(1))
    for wait, offset, rate in settings:
        sim.run_until(sim.now + wait)
        seen.append(own.now)
        own = skewed(own, offset, rate)
        assert own.wall == sim.now + offset
        seen.append(own.now)
    assert seen == sorted(seen)
