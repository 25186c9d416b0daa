"""The exercise *linearizable or not?* of the chapter on members: a judge of forty histories, and false ones."""

from functools import cache
from itertools import permutations
from math import inf

import pytest

from kubemini.lab import check
from kubemini.lab.membership import histories


@pytest.fixture(autouse=True)
def in_the_book(monkeypatch):
    monkeypatch.delenv("KUBEMINI_STRICT", raising=False)


def linearizable(history, value=None):
    ends = [o["to"] for o in history]
    if not ends or min(ends) == inf:
        return True
    return any(
        o["from"] < min(ends)
        and (o["does"] == "write" or o["value"] == value)
        and linearizable([other for other in history if other is not o], o["value"])
        for o in history
    )


def by_definition(history):
    """Every order of every choice of the writes that timed out."""
    sure = [o for o in history if o["to"] < inf]
    unsure = [o for o in history if o["to"] == inf]
    for mask in range(2 ** len(unsure)):
        chosen = sure + [o for bit, o in enumerate(unsure) if mask >> bit & 1]
        if any(explains(order) for order in permutations(chosen)):
            return True
    return False


def explains(order):
    value, latest = None, 0
    for o in order:
        if o["to"] < latest or (o["does"] == "read" and o["value"] != value):
            return False
        value, latest = o["value"], max(latest, o["from"])
    return True


def test_the_forty_are_twenty_of_each_kind_and_judged_as_the_definition_says():
    forty = histories.histories()
    assert len(forty) == 40 and sum(wrong is None for _, wrong in forty) == 20
    small = [(history, wrong) for history, wrong in forty if len(history) <= 7]
    assert len(small) >= 25
    for history, wrong in small:
        assert (wrong is None) == by_definition(history) == linearizable(history), history


def test_the_order_that_a_hint_gives_explains_the_history():
    for history, wrong in histories.histories():
        order = histories.explain(history)
        assert (order is None) == (wrong is not None)
        if order is not None:
            assert explains(order) and {id(o) for o in history if o["to"] < inf} <= {id(o) for o in order}


def test_the_search_of_the_solution_is_accepted():
    report = check("membership.histories", linearizable)
    assert report.passed, report


def in_order_of(end):
    def answer(history):
        value = None
        for o in sorted(history, key=lambda o: o[end]):
            if o["does"] == "read" and o["value"] != value:
                return False
            value = o["value"]
        return True

    return answer


def timed_out_is_lost(history):
    return linearizable([o for o in history if o["to"] < inf])


def timed_out_has_happened(history):
    last = max(o["to"] for o in history if o["to"] < inf) if any(o["to"] < inf for o in history) else 0
    return linearizable([{**o, "to": min(o["to"], last)} for o in history])


def no_time(history):
    return linearizable([{**o, "from": 0} for o in history])


@cache
def answers():
    return {str(history): wrong is None for history, wrong in histories.histories()}


def remembers(history):
    return answers().get(str(history), True)


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (lambda history: True, "You accept a history that no order explains."),
        (lambda history: False, "You refuse a history that an order explains."),
        (in_order_of("from"), "You refuse a history that an order explains."),
        (in_order_of("to"), "You refuse a history that an order explains."),
        (timed_out_is_lost, "You refuse a history that an order explains."),
        (timed_out_has_happened, "You refuse a history that an order explains."),
        (no_time, "You accept a history that no order explains."),
        (remembers, "with other clients' names and a later clock"),
        (
            lambda history: any(o["does"] == "read" for o in history) and linearizable(history),
            "history of writes alone",
        ),
        (lambda history: 1, "Return True if the history is linearizable"),
        (lambda history: history[9]["to"], "raised IndexError"),
        (lambda history: None, "returned nothing yet"),
        (7, "Give check() the function itself"),
    ],
)
def test_a_wrong_judge_is_told_by_a_history(answer, hint):
    report = check("membership.histories", answer)
    assert report.status == "hint" and hint in report.hint, report


def test_a_hint_shows_the_whole_history_and_a_way_to_see_it():
    refused = check("membership.histories", lambda history: False)
    assert len(refused.facts) >= 6 and refused.next.startswith("This is one: ")
    accepted = check("membership.histories", lambda history: True)
    assert accepted.facts[1].startswith("client ") and " cannot have read " in accepted.next
