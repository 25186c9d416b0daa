"""When a kubelet asks the runtime what there is, and what it takes to be true in between. Pure.

Theory of operation.

The runtime tells nobody that a container has ended: it is asked once a second, by a clock that began with the kubelet.
What came in between is seen together, so a container that ran for less than a second may never be seen to run. A pod's
worker takes its next turn only after the runtime has been asked anew; who makes it look sooner (a delete, a patch)
finds the pod as it was listed last, and may well "kill" what is dead already.
Models k/k pkg/kubelet/pleg GenericPLEG.Relist; k/k pkg/kubelet/container cache.GetNewerThan
Simplified: asking for all pods takes no time, so the clock keeps its phase; asking for one takes up to 50 ms (ours).
"""

from dataclasses import dataclass, replace

from kubemini.kubelet.decide.pods.runs import EXITED, NOT_YET, RUNNING, PodView, Run
from kubemini.sim.units import MS, SECOND

RELIST = SECOND  # genericPlegRelistPeriod
ASKING = (0, 50 * MS)  # until the runtime has told of one pod


@dataclass(frozen=True, slots=True)
class Relists:
    """The clock; *phase*: an instant (µs) at which it ticked."""

    phase: int

    def last(self, now: int) -> int:
        """The last tick at *now* or before (µs)."""
        return now - (now - self.phase) % RELIST

    def next(self, now: int) -> int:
        """The first tick after *now* (µs)."""
        return self.last(now) + RELIST


def as_listed(view: PodView, listed: int) -> PodView:
    """*view*, but what ran at *listed* (µs) and has ended since still runs in it."""
    return replace(view, runs=[_as_listed(run, listed) for run in view.runs])


def _as_listed(run: Run, listed: int) -> Run:
    if run.state != EXITED or run.finished_at < listed or not 0 <= run.started_at <= listed:
        return run
    return replace(run, state=RUNNING, finished_at=NOT_YET, exit_code=0, reason="", message="")
