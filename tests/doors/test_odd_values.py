"""Whatever a notebook asks `run` for, and how long a widget may make us work: one sentence, no traceback, no hang."""

import pytest

from kubemini import session
from kubemini.simulate import run
from kubemini.study.elections import MOST_EVENTS

ODD = [None, 0, -1, 1.5, True, "", "x", [], [1], {}, {"a": 1}, float("nan"), float("inf"), 10**400]
ODD += ["9" * 5000, object(), b"x", [[]], "9999h"]


def outcome(name, odd):
    """The scenario that ran, or why it did not."""
    try:
        return run("etcd-3", **{"until": 1, name: odd}).header["scenario"]
    except (ValueError, RuntimeError) as error:
        return str(error)


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: str(odd)[:12])
@pytest.mark.parametrize("name", ["seed", "commands", "params", "fidelity", "budget"])
def test_a_run_with_something_odd_in_it_is_refused_in_a_sentence(name, odd):
    said = outcome(name, odd)
    assert said and len(said) < 1000


@pytest.mark.parametrize("until", [901, "901s", "1h", "9999h"])
def test_a_widget_cannot_ask_for_more_than_a_quarter_of_an_hour(until):
    spec = {"scenario": "etcd-3", "until": until}
    answer = session.handle({"op": "simulate", "id": 1, "spec": spec})
    assert answer == {"op": "error", "id": 1, "error": "a widget simulates up to 900 s; ask for less"}


def test_an_election_that_asks_too_often_is_stopped(monkeypatch):
    monkeypatch.setattr("kubemini.study.elections.MOST_EVENTS", MOST_EVENTS // 50)
    answer = session.handle({"op": "elections", "seeds": [1, 2], "timeout": [1, 1]})
    assert answer["error"] == "an election with timeouts of 1-1 ms asks too often: make them longer"
