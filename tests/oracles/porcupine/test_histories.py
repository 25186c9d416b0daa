"""The random histories that `make twin` shows to porcupine and to our judge."""

from kubemini.judge import check, from_events
from tests.oracles.porcupine.histories import history

SEEDS = range(200)


def operations(seed, honest):
    return from_events(enumerate(history(seed, honest), start=1))


def test_a_store_that_tells_the_truth_is_linearizable():
    assert [seed for seed in SEEDS if check(operations(seed, honest=True))] == []


def test_a_good_part_of_the_others_is_not_and_says_what_cannot_be():
    violated = [check(operations(seed, honest=False)) for seed in SEEDS]
    assert len(SEEDS) / 8 < sum(violation is not None for violation in violated) < len(SEEDS) / 2


def test_every_function_and_every_fate_occurs():
    events = [event for seed in SEEDS for event in history(seed)]
    assert {event["f"] for event in events} == {"read", "write", "cas", "append"}
    assert {event["type"] for event in events} == {"invoke", "ok", "fail", "info"}
