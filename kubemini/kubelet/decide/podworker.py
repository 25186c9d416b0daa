"""A pod as its kubelet sees it: a state, and a table of the legal moves. Pure.

Invariant: every change of state goes through `PodWorker.become`, which refuses what is not in `MOVES`; the chapter's
diagram is drawn from that table.
kubernetes.io "Pod Lifecycle".
Models k/k pkg/kubelet podWorkers
Models k/k pkg/kubelet/kuberuntime kubeGenericRuntimeManager.computePodActions
Models k/k pkg/kubelet/kuberuntime kubeGenericRuntimeManager.doBackOff
Simplified: the containers of a pod start, exit and stop together; no init containers, no image pulls.
"""

from dataclasses import dataclass, field

from kubemini.api.objects import Obj, get
from kubemini.api.timestamps import instant
from kubemini.sim.units import SECOND, duration

PENDING, STARTING, RUNNING, WAITING = "pending", "starting", "running", "waiting"
FINISHED, STOPPING, GONE = "finished", "stopping", "gone"

NOT_YET = -1  # an instant that has not come

MOVES: dict[tuple[str, str], str] = {
    (PENDING, "start"): STARTING,
    (STARTING, "started"): RUNNING,
    (RUNNING, "exited"): WAITING,  # restartPolicy asks for another try: CrashLoopBackOff
    (RUNNING, "killed"): WAITING,  # a liveness or startup probe has failed for good
    (WAITING, "start"): STARTING,
    (RUNNING, "finished"): FINISHED,  # restartPolicy does not
    (PENDING, "stop"): STOPPING,
    (STARTING, "stop"): STOPPING,
    (RUNNING, "stop"): STOPPING,
    (WAITING, "stop"): STOPPING,
    (FINISHED, "stop"): STOPPING,
    (STOPPING, "stopped"): GONE,
}


@dataclass(slots=True)
class PodWorker:
    """One pod of this host; times are instants in µs."""

    pod: Obj
    state: str = PENDING
    ready: bool = False
    started: bool = False  # its startup probe has passed; without one, as soon as it runs
    killing: bool = False  # a probe has failed for good: it is being restarted, and the API is told when it runs again
    restarts: int = 0
    ip: str = ""
    ip2: str = ""  # of the other family, if it has one
    seen_at: int = 0  # when a kubelet first heard of it: status.startTime
    taken_up_at: int = 0  # when this kubelet did: the clock of its probes
    started_at: int = NOT_YET
    counts_as_started_at: int = NOT_YET  # when `started` became true
    last_started_at: int = NOT_YET  # when the run began that ended at finished_at
    finished_at: int = NOT_YET
    exit_code: int = 0
    generation: int = 0  # counts what makes coming verdicts of probes stale
    crashes: int = 0  # restarts that count for the back-off
    back_off: int = 0  # the wait (µs) that is going on, or was the last
    conditions: dict[str, tuple[str, int]] = field(default_factory=dict)  # type: (status, since)
    reported: Obj | None = None  # the status the API server has acknowledged
    version: int = 0  # resourceVersion of that acknowledgement

    def become(self, event: str) -> None:
        """Make the move called *event*."""
        assert (self.state, event) in MOVES, f"a pod that is {self.state} cannot take the move {event!r}"
        self.state = MOVES[self.state, event]

    @property
    def uid(self) -> str:
        """The pod's identity: a pod of the same name with another uid is another pod."""
        return self.pod["metadata"]["uid"]

    @property
    def key(self) -> tuple[str, str]:
        """(namespace, name)."""
        return self.pod["metadata"]["namespace"], self.pod["metadata"]["name"]

    @property
    def deleting(self) -> bool:
        """Whether the API wants it gone."""
        return "deletionTimestamp" in self.pod["metadata"]


def restarts_after(policy: str, exit_code: int) -> bool:
    """Whether a container that exited with *exit_code* is started again."""
    return policy == "Always" or (policy == "OnFailure" and exit_code != 0)


def restart_delay(crashes: int, bounds: tuple[int, int]) -> int:
    """How long after its end a container waits that has been restarted *crashes* times: 0, 10, 20, 40 … 300 s.

    The first restart is immediate; each restart doubles the wait before the next one.
    """
    low, high = bounds
    return min(low << min(crashes - 1, 40), high) if crashes else 0


def restart_after_end(
    crashes: int, ended: int, previous_end: int, killed: bool, bounds: tuple[int, int]
) -> tuple[int, int]:
    """How long (µs) after its end a container starts again, and how many restarts count from then on.

    One that a probe has *killed* starts at once, as the back-off is counted from the end before that one (-1: none).
    """
    if killed and previous_end < 0:
        return 0, crashes
    delay = restart_delay(crashes, bounds)
    waited = killed and previous_end + delay <= ended
    return 0 if waited else delay, crashes + 1


def forgiven(ran: int, bounds: tuple[int, int]) -> bool:
    """Whether a container that ran for *ran* µs begins its back-off anew: after twice the maximum, ten minutes."""
    return ran >= 2 * bounds[1]


def grace(pod: Obj, default: int) -> int:
    """µs between SIGTERM (or the preStop hook) and SIGKILL."""
    seconds = get(pod, "metadata", "deletionGracePeriodSeconds")
    if seconds is None:
        seconds = get(pod, "spec", "terminationGracePeriodSeconds", default=default // SECOND)
    return seconds * SECOND


def remembered(pod: Obj, now: int) -> PodWorker:
    """A worker for *pod* with what its status in the API tells of its past."""
    status = get(pod, "status") or {}
    worker = PodWorker(pod, seen_at=instant(status["startTime"]) if status.get("startTime") else now)
    for c in status.get("conditions") or ():
        since = c.get("lastTransitionTime")
        worker.conditions[c["type"]] = (c["status"], instant(since) if since else worker.seen_at)
    before = get(status, "containerStatuses", 0, default={})
    worker.restarts = before.get("restartCount", 0)
    worker.started, worker.counts_as_started_at = bool(before.get("started")), now
    started = get(before, "state", "running", "startedAt")
    if started is not None:
        worker.last_started_at = instant(started)
    return worker


def ready_condition(status: Obj) -> str:
    """Whether *status* says that the pod is ready: True, False, or Unknown."""
    return next((c["status"] for c in status.get("conditions") or () if c["type"] == "Ready"), "Unknown")


# -- how the program inside behaves: what real images do by themselves, ours are told by annotation ------------------
BEHAVIOUR = "kubemini.io/"
TIMES = ("exit-after", "stop-after")


def behaviour(pod: Obj, name: str) -> str:
    """The annotation ``kubemini.io/<name>``: a probe's kind ``fail``, exit-after ``3s``, stop-after ``60s``."""
    return get(pod, "metadata", "annotations", BEHAVIOUR + name, default="")


def behaviour_time(pod: Obj, name: str) -> int | None:
    """The same as a duration in µs; None if there is none, or none that can be read (`unreadable`)."""
    text = behaviour(pod, name)
    return None if not text or name in unreadable(pod) else duration(text)


def unreadable(pod: Obj) -> list[str]:
    """Those of the annotations that should hold a duration, and do not."""
    return [name for name in TIMES if not _is_duration(behaviour(pod, name))]


def _is_duration(text: str) -> bool:
    try:
        return not text or duration(text) >= 0
    except ValueError:
        return False
