"""What the real kubectl printed at the real server, our line prints at ours: the same lines, in the same order."""

import pytest

from tests.real.kubectl import morelines
from tests.real.kubectl.line import TOLERATED, Ours, differing, recorded


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    """Line → what differs; the lines depend on those before them, so all are typed once."""
    ours = Ours(tmp_path_factory.mktemp("recorded"))
    return [(line, differing(wanted, ours(line))) for line, wanted in recorded()]


def test_there_are_many_and_those_of_this_room_are_all_recorded():
    known = {line for line, _ in recorded()}
    assert len(known) > 280 and not [line for line in morelines.MORE.splitlines() if line and line not in known]


def test_our_line_prints_what_the_real_kubectl_printed(compared):
    found = {line: difference for line, difference in compared if difference and line not in TOLERATED}
    assert found == {}


def test_what_is_tolerated_differs(compared):
    differing_lines = {line for line, difference in compared if difference}
    assert {line for line, _ in compared if line in TOLERATED} - differing_lines <= {"version"}
