"""Probes: their clock, their thresholds, and the instant at which a verdict changes."""

import pytest

from kubemini.api.objects import freeze
from kubemini.kubelet.decide import probes
from kubemini.sim.units import SECOND
from tests.kubelet.parts import pod

PROBED = pod(container={"readinessProbe": {"initialDelaySeconds": 5, "periodSeconds": 10, "failureThreshold": 3}})


@pytest.mark.parametrize(
    "since,passes,seconds",
    [(0, True, 10), (5, True, 10), (10, True, 10), (11, True, 20), (7, False, 30), (15, False, 40), (20, False, 40)],
)
def test_a_verdict_changes_at_a_tick_after_threshold_ticks(since, passes, seconds):
    assert probes.pod_verdict_at(PROBED, probes.READINESS, 0, 0, since * SECOND, passes) == seconds * SECOND


def test_a_probe_without_delay_is_asked_at_the_very_start():
    eager = pod(container={"readinessProbe": {"periodSeconds": 10}})
    assert probes.pod_verdict_at(eager, probes.READINESS, 3 * SECOND, 3 * SECOND, 3 * SECOND, True) == 3 * SECOND


def test_the_clock_of_liveness_is_the_pod_s_and_not_the_container_s():
    """Taken up at 0, running at 1.5 s: fails at 10, 20 and 30 s."""
    alive = pod(container={"livenessProbe": {"periodSeconds": 10}})
    found = probes.pod_verdict_at(alive, probes.LIVENESS, 0, 1_500_000, 1_500_000, False)
    assert found == 30 * SECOND


def test_verdicts_equal_those_of_probing_one_by_one():
    for threshold in (1, 2, 3):
        for period in (1, 3):
            probe = probes.Probe(2, period, threshold, threshold)
            for since in range(12):
                run, instant = 0, 1
                while run < threshold:  # the worker's loop, tick by tick; the container runs since 1
                    if instant >= 1 + 2:
                        run = run + 1 if instant >= since else 0
                    instant += period
                assert probes.verdict_at(probe, 1, 1, since, False) == instant - period


def test_a_pod_is_ready_with_its_last_container_and_unready_with_its_first():
    two = [{"readinessProbe": {"periodSeconds": p, "initialDelaySeconds": p}} for p in (3, 4)]
    both = freeze({"spec": {"containers": two}})
    assert probes.pod_verdict_at(both, probes.READINESS, 0, 0, 0, True) == 4 * SECOND
    assert probes.pod_verdict_at(both, probes.READINESS, 0, 0, 0, False) == 9 * SECOND
    assert probes.pod_verdict_at(both, probes.LIVENESS, 0, 0, 0, False) is None


def test_a_probe_may_give_less_time_to_end_than_the_pod():
    strict = pod(container={"livenessProbe": {"terminationGracePeriodSeconds": 4}})
    assert probes.kill_grace(strict, probes.LIVENESS, 30 * SECOND) == 4 * SECOND
    assert probes.kill_grace(strict, probes.STARTUP, 30 * SECOND) == 30 * SECOND
