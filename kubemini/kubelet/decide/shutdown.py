"""A node that shuts down ends its pods first: in which order, and how long each may take. Pure.

Pods that matter less go first; those that matter more begin to end only when these are gone, or have had their time.
Models k/k pkg/kubelet/nodeshutdown migrateConfig groupByPriority podManager.killPods
"""

from collections.abc import Sequence

from kubemini.api.objects import Obj, get
from kubemini.kubelet.decide.pods.admission import CRITICAL
from kubemini.sim.units import SECOND

Periods = Sequence[tuple[int, int]]  # (priority from which on, seconds)
GOING = "node is shutting down"  # why it is not ready
DETECTED, CANCELLED = (f"Shutdown manager detected shutdown {what}" for what in ("event", "cancellation"))
EVENT, REASON = "Shutdown", "Terminated"
MESSAGE = "Pod was terminated in response to imminent node shutdown."


def periods(whole: int, critical: int, by_priority: Periods = ()) -> Periods:
    """How long the pods from each priority on may take; none: nobody waits for them.

    *whole* is shutdownGracePeriod and *critical* the part of it, shutdownGracePeriodCriticalPods, that critical pods
    have for themselves (µs); *by_priority* is shutdownGracePeriodByPodPriority, which counts for more.
    """
    if by_priority:
        return sorted(by_priority)
    if not 0 <= critical <= whole or not whole:
        return ()
    return ((0, (whole - critical) // SECOND), (CRITICAL, critical // SECOND))


def groups(pods: Sequence[Obj], periods: Periods) -> list[tuple[int, list[Obj]]]:
    """(seconds, pods) in the order in which they end; groups without pods take no time."""
    found: list[tuple[int, list[Obj]]] = [(seconds, []) for _, seconds in periods]
    for pod in pods:
        priority = int(get(pod, "spec", "priority") or 0)
        at = max((number for number, (least, _) in enumerate(periods) if least <= priority), default=0)
        found[at][1].append(pod)
    return [(seconds, group) for seconds, group in found if group]


def grace(pod: Obj, seconds: int) -> int:
    """What one pod of a group that has so many *seconds* is given."""
    own = get(pod, "spec", "terminationGracePeriodSeconds")
    return seconds if own is None else min(seconds, int(own))
