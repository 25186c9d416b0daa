"""The real kubectl and our line, both at one whole cluster of ours: what they print of it is the same."""

import pytest

from tests.real.kubectl.line import differing, looked


@pytest.mark.needs("kubectl")
def test_both_print_the_same_of_one_cluster():
    found = {line: differing(wanted, got) for line, wanted, got in looked()}
    assert {line: difference for line, difference in found.items() if difference} == {}
    assert len(found) > 50
