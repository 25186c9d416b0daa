"""Pools, one connection for everything, and what a client does when a try fails."""

import pytest

from kubemini.sim.units import MS
from kubemini.users.decide.clients import WHOLE, Budget, Habits, Patience, Pool


def pool(*numbers, **habits):
    """A pool with these connections, all idle."""
    found = Pool(Habits(**habits))
    for number in numbers:
        found.opened(number)
    for number in numbers:
        found.finished(number)
    return found


def test_an_idle_connection_is_taken_before_a_new_one_is_made_and_the_last_used_first():
    kept = pool(1, 2)
    assert [kept.take(), kept.take(), kept.take()] == [2, 1, None]


def test_so_many_idle_connections_are_kept_and_no_more():
    kept = Pool(Habits(idle=2))
    for number in (1, 2, 3):
        kept.opened(number)
    assert [kept.finished(number) for number in (2, 1, 3)] == [False, False, True]
    assert sorted(kept.used) == [1, 2]


def test_a_client_that_keeps_none_closes_each_after_its_answer():
    kept = Pool(Habits(idle=0))
    kept.opened(1)
    assert kept.finished(1) and kept.take() is None


def test_http2_carries_everything_on_one_connection():
    kept = pool(1, http2=True)
    assert [kept.take(), kept.take(), kept.take()] == [1, 1, 1]
    assert [kept.finished(1), kept.finished(1), kept.finished(1)] == [False, False, False]


def test_a_connection_carries_so_many_requests_and_is_closed_after_the_last():
    kept = Pool(Habits(http2=True, most=2))
    kept.opened(1)
    assert kept.take() == 1 and kept.take() is None
    assert [kept.finished(1), kept.finished(1)] == [False, True]


def test_what_is_retired_takes_nothing_new_and_ends_with_its_last_answer():
    kept = pool(1, 2)
    kept.take()
    assert not kept.retire(2) and kept.retire(1)
    assert kept.take() is None and kept.finished(2)


def test_a_lost_connection_is_never_taken_again_and_its_requests_end_without_a_trace():
    kept = Pool(Habits(http2=True))
    kept.opened(1)
    kept.lost(1)
    assert kept.take() is None and not kept.finished(1) and not kept.retire(1)


@pytest.mark.parametrize(("failures", "wait"), [(1, 100), (2, 200), (3, 400), (4, 500), (90, 500)])
def test_waits_double_up_to_a_limit(failures, wait):
    assert Patience(retries=9, base=100 * MS, cap=500 * MS).wait(failures, 0) == wait * MS


def test_with_jitter_a_wait_is_anything_up_to_that():
    patience = Patience(retries=9, base=100, jitter=True)
    assert [patience.wait(1, drawn) for drawn in (0, WHOLE // 2, WHOLE - 1)] == [0, 50, 100]


def test_while_half_of_a_budget_is_gone_nothing_is_tried_again():
    budget = Budget(10)
    assert [budget.failed() for _ in range(6)] == [True] * 4 + [False] * 2


def test_ten_successes_earn_one_retry_and_a_budget_never_grows():
    budget = Budget(10)
    for _ in range(100):
        budget.succeeded()
    assert [budget.failed() for _ in range(5)] == [True] * 4 + [False]
    for _ in range(10):
        budget.succeeded()
    assert not budget.failed()
    for _ in range(11):
        budget.succeeded()
    assert budget.failed()


def test_who_has_no_budget_may_always_try_again():
    assert all(Budget(0).failed() for _ in range(100))
