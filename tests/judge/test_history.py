"""What a history file may get wrong, and the sentence for it."""

import json

import pytest

from kubemini.judge.history import HistoryError, parse


@pytest.mark.parametrize(
    "wrong",
    [
        {"process": 0, "type": "invoke", "f": "cas", "value": "x" * 10**5},
        {"process": 0, "type": "x" * 10**5, "f": "read"},
        {"process": "x" * 10**5, "type": "ok", "f": "read"},
        ["x" * 10**5],
    ],
)
def test_what_is_wrong_is_quoted_no_longer_than_a_line_holds(wrong):
    with pytest.raises(HistoryError, match="line 1: ") as error:
        parse(json.dumps(wrong))
    assert "x" in str(error.value) and len(str(error.value)) < 200
