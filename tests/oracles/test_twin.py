"""The comparison with porcupine: what our judge may give up."""

from kubemini.judge import from_events
from tests.oracles.porcupine.histories import history
from tests.oracles.twin import verdict

HARD = 58419807  # a history of which so many fates are unknown that our judge gives up; found by chance


def test_our_judge_gives_a_hard_history_up_and_says_so() -> None:
    assert verdict(from_events(enumerate(history(HARD), start=1))) is None


def test_an_honest_history_is_linearizable_and_has_a_verdict() -> None:
    assert verdict(from_events(enumerate(history(7, honest=True), start=1))) is True
