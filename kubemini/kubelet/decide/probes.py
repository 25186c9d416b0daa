"""Probes: when a readiness or liveness probe changes its verdict. Pure.

Invariant: a verdict changes only at a probe, after *threshold* probes in a row that say the same. As what is probed
changes seldom, the probes in between are not simulated: `verdict_at` says which one will tip the scale.
k/k pkg/kubelet/prober/worker.go: readiness begins as failure, liveness as success.
Simplified: a failing probe fails at once, not after its timeout; startup probes are not read.
"""

from dataclasses import dataclass

from kubemini.api.objects import Obj
from kubemini.sim.units import SECOND


@dataclass(frozen=True, slots=True)
class Probe:
    """The times (µs) and thresholds of one probe."""

    initial_delay: int
    period: int
    failure_threshold: int
    success_threshold: int


def probes(pod: Obj, kind: str) -> list[Probe]:
    """The probes of *kind* (readinessProbe, livenessProbe) of the pod's containers."""
    found = [c[kind] for c in pod["spec"]["containers"] if c.get(kind)]
    return [
        Probe(
            p.get("initialDelaySeconds", 0) * SECOND,
            p.get("periodSeconds", 10) * SECOND,
            p.get("failureThreshold", 3),
            p.get("successThreshold", 1),
        )
        for p in found
    ]


def verdict_at(probe: Probe, started: int, since: int, passes: bool) -> int:
    """The instant at which a container started at *started*, well (or not) since *since*, is known to be so.

    Probes run at started + initialDelay + n periods.
    """
    first = started + probe.initial_delay
    missed = max(0, -(-(since - first) // probe.period))
    threshold = probe.success_threshold if passes else probe.failure_threshold
    return first + (missed + threshold - 1) * probe.period


def pod_verdict_at(pod: Obj, kind: str, started: int, since: int, passes: bool) -> int | None:
    """When the whole pod's verdict changes: good when the last container's does, bad when the first one's does.

    None if it has no probe of that *kind*.
    """
    instants = [verdict_at(p, started, since, passes) for p in probes(pod, kind)]
    if not instants:
        return None
    return max(instants) if passes else min(instants)
