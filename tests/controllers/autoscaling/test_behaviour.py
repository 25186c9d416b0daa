"""How fast an autoscaler may go, and what holds it."""

import pytest

from kubemini.controllers.decide.autoscaling import behaviour
from kubemini.controllers.decide.autoscaling.behaviour import Bounds, Memory, Sample, paced, scaled
from kubemini.sim.units import MINUTE, SECOND

NOW, WINDOW = 10 * MINUTE, 5 * MINUTE
ALL = {"type": "Percent", "value": 100, "periodSeconds": 15}
FOUR = {"type": "Pods", "value": 4, "periodSeconds": 15}
UP = {"stabilizationWindowSeconds": 0, "selectPolicy": "Max", "policies": [FOUR, ALL]}
DOWN = {"selectPolicy": "Max", "policies": [ALL]}


def behavior(up=(), down=()):
    return {"scaleUp": {**UP, **dict(up)}, "scaleDown": {**DOWN, **dict(down)}}


def steps(said, start, wanted, most=100, times=5):
    """The numbers that an autoscaler goes through, 15 s after each other."""
    memory, current, found = Memory(), start, []
    for number in range(times):
        now = NOW + number * 15 * SECOND
        pace = paced(said, memory, Bounds(1, most, current), wanted, WINDOW, now)
        memory = scaled(said, pace.memory, current, pace.desired, now) if pace.desired != current else pace.memory
        current = pace.desired
        found.append(current)
    return found


def test_without_a_behavior_it_doubles_or_goes_to_four_with_one_it_adds_four_or_doubles():
    assert steps(None, 1, 40) == [4, 8, 16, 32, 40]
    assert steps(behavior(), 1, 40) == [5, 10, 20, 40, 40]


@pytest.mark.parametrize(
    ("down", "seen"),
    [
        ({"stabilizationWindowSeconds": 0}, [1, 1, 1, 1, 1]),
        ({"stabilizationWindowSeconds": 0, "policies": [{**ALL, "value": 25}]}, [6, 4, 3, 2, 1]),
        ({"stabilizationWindowSeconds": 0, "policies": [{**FOUR, "value": 1}, {**ALL, "value": 50}]}, [4, 2, 1, 1, 1]),
        (
            {"stabilizationWindowSeconds": 0, "selectPolicy": "Min", "policies": [{**FOUR, "value": 1}, ALL]},
            [7, 6, 5, 4, 3],
        ),
        ({"stabilizationWindowSeconds": 0, "selectPolicy": "Disabled"}, [8, 8, 8, 8, 8]),
        ({"stabilizationWindowSeconds": 0, "policies": [{**FOUR, "value": 1, "periodSeconds": 60}]}, [7, 7, 7, 7, 6]),
    ],
)
def test_the_way_down_is_as_fast_as_its_policies(down, seen):
    assert steps(behavior(down=down), 8, 1) == seen


def test_a_policy_counts_from_how_many_there_were_when_its_period_began():
    slow = behavior(up={"policies": [{"type": "Pods", "value": 2, "periodSeconds": 60}]})
    assert steps(slow, 2, 20) == [4, 4, 4, 4, 6]


def test_the_highest_number_of_five_minutes_holds_and_even_raises():
    memory = Memory(recommended=(Sample(6, NOW - WINDOW), Sample(9, NOW - WINDOW - 1)))
    pace = paced(None, memory, Bounds(1, 10, 4), 2, WINDOW, NOW)
    assert (pace.desired, pace.able) == (6, behaviour.HELD)
    assert pace.memory.recommended == (Sample(6, NOW - WINDOW), Sample(2, NOW))  # in the place of what is past
    assert paced(None, Memory(), Bounds(1, 10, 4), 4, WINDOW, NOW).able == behaviour.READY


def test_a_window_of_its_own_holds_each_direction():
    recent = Memory(recommended=(Sample(3, NOW - 20 * SECOND), Sample(8, NOW - 40 * SECOND)))
    slow_up = behavior(up={"stabilizationWindowSeconds": 30})
    pace = paced(slow_up, recent, Bounds(1, 10, 2), 6, WINDOW, NOW)
    assert (pace.desired, pace.able) == (3, behaviour.HELD_BACK)
    slow_down = behavior(down={"stabilizationWindowSeconds": 45})
    pace = paced(slow_down, recent, Bounds(1, 10, 9), 2, WINDOW, NOW)
    assert (pace.desired, pace.able) == (8, behaviour.HELD)


@pytest.mark.parametrize(
    ("said", "bounds", "wanted", "desired", "limit"),
    [
        (None, Bounds(1, 10, 4), 20, 8, behaviour.TOO_FAST),
        (None, Bounds(1, 5, 4), 20, 5, behaviour.TOO_MANY),
        (None, Bounds(3, 5, 4), 2, 3, behaviour.TOO_FEW),
        (behavior(), Bounds(1, 10, 2), 9, 6, behaviour.TOO_FAST),
        (behavior(), Bounds(1, 5, 2), 9, 5, behaviour.TOO_MANY),
        (behavior(down={"stabilizationWindowSeconds": 0}), Bounds(3, 9, 8), 1, 3, behaviour.TOO_FEW),
        (behavior(), Bounds(1, 5, 2), 3, 3, behaviour.RANGE),
    ],
)
def test_what_is_cut_says_by_which_limit(said, bounds, wanted, desired, limit):
    pace = paced(said, Memory(), bounds, wanted, WINDOW, NOW)
    assert (pace.desired, pace.limit, pace.limited) == (desired, limit, desired != wanted)


def test_old_changes_make_room_for_new_ones():
    said = behavior()
    old = Memory(ups=(Sample(3, NOW - MINUTE), Sample(1, NOW - SECOND)))
    assert scaled(said, old, 4, 6, NOW).ups == (Sample(2, NOW), Sample(1, NOW - SECOND))
    assert scaled(said, old, 6, 4, NOW).downs == (Sample(2, NOW),) and scaled(None, old, 4, 6, NOW) is old
