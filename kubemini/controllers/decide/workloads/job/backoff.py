"""How long a Job waits before it makes a pod in the place of one that failed: 10, 20, 40 … s, at most ten minutes.

The time counts from the end of the last failed pod. A success in between begins the series anew.
Models k/k pkg/controller/job backoffStore.newBackoffRecord, getFinishedTime, getRemainingTimeForFailuresCount
"""

from collections.abc import Sequence
from typing import NamedTuple

from kubemini.api.objects import Obj, get
from kubemini.api.timestamps import instant
from kubemini.controllers.decide.actions import condition
from kubemini.controllers.decide.workloads.job import pods
from kubemini.sim.units import MINUTE, SECOND

BOUNDS = 10 * SECOND, 10 * MINUTE  # DefaultJobPodFailureBackOff, MaxJobPodFailureBackOff


class Record(NamedTuple):
    """Failures since the last success, and when the last one was (µs)."""

    failures: int = 0
    last: int = 0


def after(record: Record, succeeded: Sequence[Obj], failed: Sequence[Obj]) -> Record:
    """*record* with the pods that have *succeeded* and *failed* since."""
    ends = sorted(map(ended, failed))
    if not succeeded:
        return Record(record.failures + len(ends), ends[-1]) if ends else record
    later = [end for end in ends if end > max(map(ended, succeeded))]
    return Record(len(later), later[-1]) if later else Record()


def remaining(record: Record, now: int) -> int:
    """How much longer (µs) to wait."""
    if not record.failures:
        return 0
    first, longest = BOUNDS
    wait = min(first << min(record.failures - 1, 40), longest)
    return max(0, wait - (now - record.last))


def of_index(last_failed: Obj | None, now: int) -> int:
    """How much longer (µs) to wait for a new pod of an index whose last one failed."""
    if last_failed is None:
        return 0
    failures = pods.counter(last_failed, pods.FAILURES) + pods.counter(last_failed, pods.IGNORED)
    return remaining(Record(failures + 1, ended(last_failed)), now)


def ended(pod: Obj) -> int:
    """When it ended (µs): its containers did, or it was not ready any more, or it was marked; else when it was made."""
    finished = _containers_ended(pod)
    if finished is not None:
        return finished
    ready, meta = condition(pod, "Ready"), pod["metadata"]
    if ready is not None and ready["status"] == "False" and ready.get("lastTransitionTime"):
        return instant(ready["lastTransitionTime"])
    if meta.get("deletionTimestamp"):
        return instant(meta["deletionTimestamp"]) - meta.get("deletionGracePeriodSeconds", 0) * SECOND
    return instant(meta["creationTimestamp"])


def _containers_ended(pod: Obj) -> int | None:
    """When the last of its containers, sidecars too, ended; None if one has not."""
    sidecars = [c["name"] for c in pod["spec"].get("initContainers") or () if c.get("restartPolicy") == "Always"]
    statuses = list(get(pod, "status", "containerStatuses") or ())
    statuses += [s for s in get(pod, "status", "initContainerStatuses") or () if s["name"] in sidecars]
    ends = [get(status, "state", "terminated", "finishedAt") for status in statuses]
    return max(map(instant, ends)) if ends and all(ends) else None
