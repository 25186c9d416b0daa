"""What an unmodified kube-apiserver 1.37.2 answered: ours answers the same, judged by the recordings' own run.py.

All sessions that need the same are played on one server, as they were recorded, in this order and in another.
"""

import random

import pytest

from tests.oracles.sessions import keep, replaying

KEPT = keep.kept()


@pytest.mark.parametrize("name", KEPT)
def test_a_recorded_session_is_answered_the_same(name):
    path = KEPT[name]
    assert replaying.differences(path, keep.read(path)) == []


def test_the_order_of_sessions_makes_no_difference():
    names = random.Random(1).sample(sorted(KEPT), len(KEPT) // 4)
    replaying.world.cache_clear()
    assert {name: found for name in names if (found := replaying.differences(KEPT[name], keep.read(KEPT[name])))} == {}


def leaves(value, at=()):
    """Where the plain values of an answer stand."""
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        yield from leaves(item, (*at, key)) if isinstance(item, dict | list) else [(*at, key)]


def changed(session, dice):
    """The session, in which one leaf of one recorded answer is another; None if it has none."""
    steps = [step for step in session["steps"] if isinstance(step.get("answer"), dict)]
    places = [(step, at) for step in steps for at in leaves(step["answer"])]
    if not places:
        return None
    step, at = dice.choice(places)
    value = step["answer"]
    for key in at[:-1]:
        value = value[key]
    old = value[at[-1]]
    value[at[-1]] = not old if isinstance(old, bool) else old + 1 if isinstance(old, int) else f"{old}~"
    return session


def test_a_leaf_that_is_changed_in_a_recording_is_noticed():
    dice, noticed, tried = random.Random(1), 0, 0
    for path in list(KEPT.values())[::4]:
        session = changed(keep.read(path), dice)
        if session is not None:
            tried += 1
            noticed += bool(replaying.differences(path, session))
    assert noticed >= 0.95 * tried > 0
