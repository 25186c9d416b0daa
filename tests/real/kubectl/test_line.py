"""The real kubectl and our line, both at one whole cluster of ours: what they print of it is the same."""

import pytest

from tests.real.api.twin import twice
from tests.real.kubectl.line import differing, looked


@pytest.mark.needs("kubectl")
def test_both_print_the_same_of_one_cluster():
    found = {line: differing(wanted, got) for line, wanted, got in looked()}
    assert {line: difference for line, difference in found.items() if difference} == {}
    assert len(found) > 50


def test_what_differs_once_only_is_said_and_counts_for_nothing(capsys):
    late, wrong, borne = ("get pods", ["-late"]), ("version", ["-wrong"]), ("explain", ["-borne"])
    runs = iter([[late, wrong, borne], [("get pods", []), wrong, borne]])
    assert twice(lambda: next(runs), {"explain": "why"}) == [("get pods", []), wrong, borne]
    assert "get pods: not the same once" in capsys.readouterr().out
    assert twice(lambda: [borne], {"explain": "why"}) == [borne]
