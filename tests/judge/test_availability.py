"""The closed forms against the numbers of the curriculum, against enumeration, and against dice."""

from itertools import product
from random import Random

import pytest

from kubemini.judge import availability as closed


@pytest.mark.parametrize(
    ("members", "up", "minutes"),
    [
        (1, 0.99, 5256.0),
        (2, 0.99, 10459.44),
        (3, 0.99, 156.629),
        (4, 0.99, 311.171),
        (5, 0.99, 5.177),
        (6, 0.99, 10.277),
        (7, 0.99, 0.180),
        (2, 0.995, 5242.86),
        (3, 0.995, 39.289),
        (4, 0.995, 78.315),
        (5, 0.999, 0.005),
    ],
)
def test_minutes_a_year_without_a_majority(members, up, minutes):
    assert closed.minutes_down(closed.quorum(members, up)) == pytest.approx(minutes, abs=0.006)


@pytest.mark.parametrize(
    ("host_up", "stacked_3", "external_33", "external_23", "external_35"),
    [(0.99, 156.63, 157.15, 209.17, 5.703), (0.995, 39.29, 39.35, 52.43, 0.718), (0.999, 1.58, 1.58, 2.10, 0.006)],
)
def test_stacked_and_external_tie(host_up, stacked_3, external_33, external_23, external_35):
    down = closed.minutes_down
    assert down(closed.stacked(3, host_up)) == pytest.approx(stacked_3, abs=0.006)
    assert down(closed.external(3, 3, host_up)) == pytest.approx(external_33, abs=0.006)
    assert down(closed.external(2, 3, host_up)) == pytest.approx(external_23, abs=0.006)
    assert down(closed.external(3, 5, host_up)) == pytest.approx(external_35, abs=0.0006)


@pytest.mark.parametrize(
    ("placement", "minutes", "survives"),
    [
        ((3,), 527.17, False),
        ((2, 1), 528.22, False),
        ((1, 1, 1), 6.292, True),
        ((5,), 525.61, False),
        ((3, 2), 527.18, False),
        ((2, 2, 1), 4.728, True),
        ((1, 1, 1, 1, 1), 0.0419, True),
        ((2, 2), 1053.8, False),
        ((2, 1, 1), 532.4, False),
        ((3, 2, 2), 3.681, True),
        ((3, 1, 1), None, False),
    ],
)
def test_where_the_members_stand(placement, minutes, survives):
    assert closed.survives_any_zone(placement) is survives
    if minutes:
        down = closed.minutes_down(closed.zones(placement, 0.999, 0.999))
        assert down == pytest.approx(minutes, rel=2e-3)


@pytest.mark.parametrize("members", range(1, 8))
@pytest.mark.parametrize("up", [0.0, 0.3, 0.5, 0.99, 1.0])
def test_the_closed_form_is_the_sum_over_every_case(members, up):
    cases = (alive for alive in product((1, 0), repeat=members) if sum(alive) > members / 2)
    exact = sum(up ** sum(alive) * (1 - up) ** (members - sum(alive)) for alive in cases)
    assert closed.quorum(members, up) == pytest.approx(exact, abs=1e-12)
    assert closed.zones([members], 1.0, up) == pytest.approx(exact, abs=1e-12)
    assert closed.zones([1] * members, up, 1.0) == pytest.approx(exact, abs=1e-12)


def test_an_even_member_buys_nothing_and_nearly_doubles_the_outage():
    lost = 1 - closed.quorum(4, 0.99)
    assert lost / (1 - closed.quorum(3, 0.99)) == pytest.approx(1.987, abs=1e-3)


def test_dice_agree_with_two_two_one():
    dice, trials, up = Random(1), 40_000, 0.9
    good = 0
    for _ in range(trials):
        members = sum(sum(dice.random() < up for _ in range(n)) for n in (2, 2, 1) if dice.random() < up)
        good += members >= 3
    exact = closed.zones((2, 2, 1), up, up)
    assert good / trials == pytest.approx(exact, abs=4 * (exact * (1 - exact) / trials) ** 0.5)
