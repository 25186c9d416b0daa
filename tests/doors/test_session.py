"""What a widget asks: whatever arrives, an answer goes back, and a mistake is one sentence."""

import json
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubemini.session import handle

WRONG = [None, 5, "x", [], {}, True, 1e400, -1, [1], [[1]], {"a": 1}, float("nan"), "x" * 5000]


def told(message):
    """The sentence of an answer that must be an error."""
    answer = handle(message)
    assert answer["op"] == "error" and json.dumps(answer["id"]) and len(answer["error"]) < 600
    return answer["error"]


@pytest.mark.parametrize("message", [v for v in WRONG if not isinstance(v, dict)], ids=lambda v: str(v)[:9])
def test_what_is_no_message_is_answered(message):
    assert told(message).startswith("expected a map with op and id, got ")


@pytest.mark.parametrize("wrong", WRONG, ids=lambda v: str(v)[:9])
def test_an_operation_that_is_none_names_the_known_ones(wrong):
    assert told({"op": wrong, "id": 1}).startswith(
        "the simulator knows simulate, elections, request, stopwatch, lanes, placement, not "
    )


@pytest.mark.parametrize("wrong", [v for v in WRONG if v and not isinstance(v, dict)], ids=lambda v: str(v)[:9])
def test_a_request_to_simulate_is_a_map(wrong):
    assert told({"op": "simulate", "id": 1, "spec": wrong}).startswith("spec: expected a map")


@pytest.mark.parametrize("wrong", WRONG, ids=lambda v: str(v)[:9])
def test_elections_are_asked_for_by_two_numbers(wrong):
    asked = {"op": "elections", "id": 1, "seeds": [0, 2], "timeout": [150, 300]}
    assert told(asked | {"seeds": wrong}).startswith("seeds: expected two whole numbers, got ")
    assert told(asked | {"timeout": wrong}).startswith("timeout: expected two numbers of milliseconds, got ")
    for text in ("nan", float("nan"), True):
        assert "timeout" in told(asked | {"timeout": [text, 300]})


leaves = (
    st.none() | st.booleans() | st.integers(-9, 999) | st.floats() | st.sampled_from(["etcd-3", "1s", "crash", "x"])
)
things = st.recursive(leaves, lambda inner: st.lists(inner, max_size=3), max_leaves=6)
FIELDS = ("scenario", "seed", "commands", "until", "params")


@given(st.fixed_dictionaries({}, optional=dict.fromkeys(FIELDS, things)))
@settings(max_examples=250, deadline=None)
def test_any_wish_is_answered(spec):
    wish = {"scenario": "split-vote", "until": 1} | spec
    with suppress(TypeError):  # a horizon of many seconds is a run that takes its time: not here
        wish["until"] = min(wish["until"], 2)
    assert handle({"op": "simulate", "id": 7, "spec": wish})["op"] in ("trace", "error")
