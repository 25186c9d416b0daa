"""Pools, one connection for everything, and what happens when everybody tries again at once."""

import math
from itertools import repeat

import pytest

from kubemini.network.decide.routing.clients import WHOLE, Patience, Pool, dealt, storm
from kubemini.sim.chance import Draws
from kubemini.view.connections import unevenness

TEN = tuple(f"pod-{number}" for number in range(10))


def draws(name):
    return Draws(1, name).u


def test_one_connection_carries_everything_to_one_pod():
    got = dealt(TEN, [Pool(multiplexed=True, at_once=50)], 1000, draws("http2"))
    assert sorted(got.values())[-1] == 1000 and sum(count > 0 for count in got.values()) == 1


def test_a_pool_uses_as_many_pods_as_it_has_connections_at_most():
    got = dealt(TEN, [Pool(at_once=4)], 1000, draws("pool"))
    assert sum(count > 0 for count in got.values()) <= 4


def test_without_kept_connections_every_request_is_dealt():
    got = dealt(TEN, [Pool(kept=False)], 30_000, draws("fresh"))
    chi = sum((count - 3000) ** 2 / 3000 for count in got.values())
    assert chi < 27.9, f"chi-square {chi}, nine degrees of freedom"


def test_many_clients_even_it_out_and_closing_now_and_then_does_too():
    few = unevenness([*dealt(TEN, [Pool(multiplexed=True)] * 2, 500, draws("few")).values()])
    many = unevenness([*dealt(TEN, [Pool(multiplexed=True)] * 2000, 5, draws("many")).values()])
    ended = unevenness([*dealt(TEN, [Pool(multiplexed=True, most=1)] * 2, 500, draws("ended")).values()])
    assert few > 1.5 and many < 0.15 and ended < 0.15


def test_unevenness_is_zero_if_all_get_the_same():
    assert unevenness([*dealt(("a",), [Pool()], 10, draws("one")).values()]) == 0


@pytest.mark.parametrize(("failures", "wait"), [(1, 100), (2, 200), (3, 400), (4, 500), (9, 500)])
def test_waits_double_up_to_a_limit(failures, wait):
    assert Patience(9, base=100, cap=500).wait(failures, 0) == wait


def test_with_jitter_a_wait_is_anything_up_to_that():
    patience = Patience(9, base=100, jitter=True)
    assert [patience.wait(1, drawn) for drawn in (0, WHOLE // 2, WHOLE - 1)] == [0, 50, 100]


def outage(patience, capacity=200):
    return storm(100, 1000, capacity, (2000, 4000), patience, draws("storm"), 12_000)


def test_nothing_is_lost_that_was_not_sent_and_nothing_twice():
    for patience in (Patience(), Patience(5, 200), Patience(5, 200, jitter=True)):
        steps = outage(patience)
        waiting = 1300 - sum(step.served + step.lost for step in steps)
        assert 0 <= waiting <= 100 and sum(step.arrived - step.again for step in steps) == 1300


def test_without_retries_what_fails_is_lost():
    steps = outage(Patience())
    assert sum(step.lost for step in steps) == 300 and max(step.arrived for step in steps) == 110


def test_retries_save_what_would_be_lost_and_jitter_flattens_the_peak():
    same = outage(Patience(6, 400, cap=3200))
    spread = outage(Patience(6, 400, cap=3200, jitter=True))
    assert sum(step.lost for step in same) == 0
    after = [[step.arrived for step in steps if step.at >= 4000] for steps in (same, spread)]
    assert max(after[1]) < max(after[0])


def test_retries_without_jitter_keep_an_overload_alive():
    """Servers that could just do the work never catch up, if all who were refused come again together."""
    hasty = storm(100, 1000, 11, (2000, 6000), Patience(8, 100, cap=100), draws("hasty"), 12_000)
    calm = storm(100, 1000, 11, (2000, 6000), Patience(0), draws("calm"), 12_000)
    peak = max(step.arrived for step in hasty)
    assert peak > 5 * max(step.arrived for step in calm[21:])
    assert math.isclose(sum(step.served for step in calm[70:]), 500, rel_tol=0.1)


def test_a_draw_decides_the_endpoint_and_nothing_else():
    first = dealt(TEN, [Pool()], 10, lambda number: number * 0)
    assert first["pod-0"] == 10 and list(repeat(0, 9)) == list(first.values())[1:]
