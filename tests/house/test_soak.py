"""What `make test` leaves to `make soak` is spread evenly, and never a recording."""

import re

from tests.conftest import spread
from tests.house.sources import code, name


def test_no_recording_of_the_real_thing_is_left_out():
    tests = [path for path in code("tests/oracles") if path.suffix == ".py"]
    marked = [name(path) for path in tests if re.search(r"mark\.(soak|some)\b", path.read_text(encoding="utf-8"))]
    assert tests and marked == []


def test_the_cases_that_are_enough_are_as_many_as_said_and_spread_from_the_first_on():
    assert spread(36, 9) == {0, 4, 8, 12, 16, 20, 24, 28, 32}
    assert spread(5, 1) == {0}
    assert all(len(spread(many, few)) == min(many, few) for many in range(1, 40) for few in range(1, 40))
