"""A limit of CPU makes answers slower, and nothing else does."""

import pytest

from kubemini.containers import Request
from kubemini.containers.cpu import PERIOD, Throttle
from kubemini.sim.units import MS, SECOND

from .parts import Bench


@pytest.mark.parametrize(
    ("limit", "work", "waits"),
    [
        (100, 10, 0),  # all of the quota
        (100, 25, 180),  # 10 ms, 90 ms of rest, 10 ms, 90 ms of rest, 5 ms
        (1000, 250, 0),
        (2000, 250, 0),
        (10, 10, 9 * 99),
    ],
)
def test_work_beyond_the_quota_waits_for_the_next_period(limit, work, waits):
    assert Throttle(limit).waits(0, work * MS) == waits * MS


def test_a_new_period_has_a_new_quota_and_what_comes_later_waits_for_what_was_before():
    throttle = Throttle(100)
    assert throttle.waits(0, 10 * MS) == 0
    assert throttle.waits(50 * MS, MS) == 50 * MS
    assert throttle.waits(60 * MS, MS) == 41 * MS, "it stands behind the one before, which is done at 101 ms"
    assert throttle.waits(3 * PERIOD, 10 * MS) == 0


def test_many_requests_at_once_are_answered_more_slowly_under_a_limit():
    def delays(**setting):
        inside = Bench("nginx", **setting).start().inside
        return [inside.request(80, Request()).delay for _ in range(25)]

    assert set(delays()) == {0}
    slow = delays(cpu=100)
    assert slow[:3] == [0, MS, 2 * MS] and slow[10] == 100 * MS and slow == sorted(slow)


def test_a_limit_that_is_much_too_small_is_seen_in_seconds():
    inside = Bench("nginx", cpu=1).start().inside
    assert inside.request(80, Request()).delay == pytest.approx(SECOND, rel=0.2)
