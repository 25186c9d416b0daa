"""A pod as its kubelet sees it: a state, and a table of the legal moves. Pure.

Invariant: every change of state goes through `PodWorker.become`, which refuses what is not in `MOVES`; the chapter's
diagram is drawn from that table.
kubernetes.io "Pod Lifecycle"; k/k pkg/kubelet/pod_workers.go, kuberuntime/kuberuntime_manager.go (restarts),
client-go util/flowcontrol/backoff.go.
Simplified: the containers of a pod start, exit and stop together; no init containers, no image pulls.
"""

from dataclasses import dataclass, field

from kubemini.api.objects import Obj, get
from kubemini.sim.units import SECOND, duration

PENDING, STARTING, RUNNING, WAITING = "pending", "starting", "running", "waiting"
FINISHED, STOPPING, GONE = "finished", "stopping", "gone"

MOVES: dict[tuple[str, str], str] = {
    (PENDING, "start"): STARTING,
    (STARTING, "started"): RUNNING,
    (RUNNING, "exited"): WAITING,  # restartPolicy asks for another try: CrashLoopBackOff
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
    """One pod of this host; times are instants in µs, -1 for never."""

    pod: Obj
    state: str = PENDING
    ready: bool = False
    restarts: int = 0
    ip: str = ""
    seen_at: int = 0  # when the kubelet first heard of it: status.startTime
    started_at: int = -1
    last_started_at: int = -1  # when the run began that ended at finished_at
    finished_at: int = -1
    exit_code: int = 0
    generation: int = 0  # counts what makes coming verdicts of probes stale
    crashes: int = 0  # restarts that count for the back-off
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


def forgiven(ran: int, bounds: tuple[int, int]) -> bool:
    """Whether a container that ran for *ran* µs begins its back-off anew: after twice the maximum, ten minutes."""
    return ran >= 2 * bounds[1]


def grace(pod: Obj, default: int) -> int:
    """µs between SIGTERM (or the preStop hook) and SIGKILL."""
    seconds = get(pod, "metadata", "deletionGracePeriodSeconds")
    if seconds is None:
        seconds = get(pod, "spec", "terminationGracePeriodSeconds", default=default // SECOND)
    return seconds * SECOND


def pre_stop(pod: Obj) -> int:
    """µs that preStop hooks sleep before SIGTERM is sent: ``sleep: {seconds: 5}``, or ``exec`` of ``sleep 5``."""
    longest = 0
    for container in pod["spec"]["containers"]:
        hook = get(container, "lifecycle", "preStop", default={})
        command = list(get(hook, "exec", "command", default=()))
        seconds = get(hook, "sleep", "seconds", default=0)
        if command[:1] == ["sleep"] and len(command) == 2:
            seconds = command[1]
        longest = max(longest, int(seconds) * SECOND)
    return longest


# -- how the program inside behaves: what real images do by themselves, ours are told by annotation ------------------
BEHAVIOUR = "kubemini.io/"


def behaviour(pod: Obj, name: str) -> str:
    """The annotation ``kubemini.io/<name>``: readiness or liveness ``fail``, exit-after ``3s``, stop-after ``60s``."""
    return get(pod, "metadata", "annotations", BEHAVIOUR + name, default="")


def behaviour_time(pod: Obj, name: str) -> int | None:
    """The same as a duration in µs, or None."""
    text = behaviour(pod, name)
    return duration(text) if text else None
