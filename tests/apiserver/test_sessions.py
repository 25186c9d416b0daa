"""Sessions recorded with a real kube-apiserver 1.37.2: ours answers the same, but for the steps in known.txt."""

import pytest

from tests.oracles.sessions.replay import differing, known, sessions

SESSIONS, KNOWN = sessions(), known()


@pytest.mark.parametrize("name", SESSIONS)
def test_a_recorded_session_is_answered_the_same(name):
    assert differing(SESSIONS[name]) <= KNOWN.get(name, set())


def test_what_is_known_to_differ_is_recorded():
    steps = {name: {step["n"] for step in session["steps"]} for name, session in SESSIONS.items()}
    assert all(numbers <= steps[name] for name, numbers in KNOWN.items())
    agreed = sum(len(numbers) for numbers in steps.values()) - sum(map(len, KNOWN.values()))
    assert agreed > 600
