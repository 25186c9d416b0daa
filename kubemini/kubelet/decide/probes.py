"""Probes: when a startup, readiness or liveness probe changes its verdict. Pure.

A probe ticks every period. The clock of startup and liveness begins when the kubelet takes the pod up, that of
readiness when the container counts as started: then it is asked at once. A tick before ``initialDelaySeconds`` of the
container's life is left out. Invariant: a verdict changes only at a tick, after *threshold* of them in a row that say
the same. As what is probed changes seldom, the ticks in between are not simulated: `verdict_at` says which one tips the
scale. Readiness begins as failure, liveness as success; both begin when startup has passed.
Models k/k pkg/kubelet/prober worker.doProbe
Simplified: a failing probe fails at once, not after its timeout; after a restart of the kubelet the clock has no luck.
"""

from dataclasses import dataclass, replace

from kubemini.api.objects import Obj
from kubemini.kubelet.decide.logs import Check
from kubemini.kubelet.decide.podworker import RUNNING, PodWorker, behaviour
from kubemini.sim.units import SECOND

AGENT = "kube-probe/1.37"
STARTUP, READINESS, LIVENESS = "startupProbe", "readinessProbe", "livenessProbe"


@dataclass(frozen=True, slots=True)
class Probe:
    """The times (µs) and thresholds of one probe; *grace*: what a kill for its sake gives, None for the pod's own."""

    initial_delay: int
    period: int
    failure_threshold: int
    success_threshold: int
    grace: int | None = None


def probes(pod: Obj, kind: str) -> list[Probe]:
    """The probes of *kind* of the pod's containers."""
    return [_probe(container[kind]) for container in pod["spec"]["containers"] if container.get(kind)]


def _probe(spec: Obj) -> Probe:
    grace = spec.get("terminationGracePeriodSeconds")
    return Probe(
        (spec.get("initialDelaySeconds") or 0) * SECOND,
        (spec.get("periodSeconds") or 10) * SECOND,
        spec.get("failureThreshold") or 3,
        spec.get("successThreshold") or 1,
        None if grace is None else grace * SECOND,
    )


def verdict_at(probe: Probe, clock: int, started: int, since: int, passes: bool) -> int:
    """The instant at which a container that is well (or not) since *since* is known to be so.

    The probe ticks at *clock* + n periods; the container runs since *started*.
    """
    earliest = max(since, started + probe.initial_delay)
    skipped = max(0, -(-(earliest - clock) // probe.period))
    threshold = probe.success_threshold if passes else probe.failure_threshold
    return clock + (skipped + threshold - 1) * probe.period


def pod_verdict_at(pod: Obj, kind: str, clock: int, started: int, since: int, passes: bool) -> int | None:
    """When the whole pod's verdict changes: good when the last container's does, bad when the first one's does.

    None if it has no probe of that *kind*.
    """
    instants = [verdict_at(p, clock, started, since, passes) for p in probes(pod, kind)]
    if not instants:
        return None
    return max(instants) if passes else min(instants)


def kill_grace(pod: Obj, kind: str, default: int) -> int:
    """What a container gets (µs) that is killed because its probe of *kind* fails: the probe's own word comes first."""
    return next((probe.grace for probe in probes(pod, kind) if probe.grace is not None), default)


# -- what a program that is probed by HTTP says of it in its log -------------------------------------------------------
NAMES = {STARTUP: "startup", READINESS: "readiness", LIVENESS: "liveness"}


def checks(worker: PodWorker, well: bool, now: int) -> list[Check]:
    """How the containers of *worker* are probed by HTTP from *now* on; *well*: what the program says to readiness."""
    if worker.state != RUNNING:
        return []
    found = []
    for kind in (READINESS, LIVENESS) if worker.started else (STARTUP,):
        good = behaviour(worker.pod, NAMES[kind]) != "fail" and (well or kind != READINESS)
        clock = worker.counts_as_started_at if kind == READINESS else worker.taken_up_at
        for container in worker.pod["spec"]["containers"]:
            asked = (container.get(kind) or {}).get("httpGet")
            if asked:
                probe = _probe(container[kind])
                first = verdict_at(replace(probe, success_threshold=1), clock, worker.started_at, now, True)
                text = f'kubelet "GET {asked.get("path") or "/"} HTTP/1.1" {200 if good else 503} "{AGENT}"'
                found.append(Check(container["name"], first, probe.period, text))
    return found
