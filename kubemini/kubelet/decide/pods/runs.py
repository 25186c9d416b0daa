"""What the container runtime has of one pod: its sandboxes and the runs of its containers. Data only.

Invariant: a run never comes back: a container that is started again is a new run, with an id and an attempt of its own.
Of each container the last two runs are kept, as MaxPerPodContainerCount says.
Models k/k pkg/kubelet/container PodStatus Status
"""

from dataclasses import dataclass, field, replace

from kubemini.api.objects import Obj, freeze, get

CREATED, RUNNING, EXITED = "created", "running", "exited"
NOT_YET = -1  # an instant that has not come
KEPT = 2  # runs of a container
NO_SANDBOX, NOT_READY = "no pod sandbox exists", "pod sandbox is not ready"


@dataclass(slots=True)
class Run:
    """One run of one container; times are instants in µs."""

    id: str
    name: str
    attempt: int  # restartCount
    sandbox: int  # the attempt of the sandbox that it was made in
    image: str
    image_id: str = ""
    state: str = CREATED
    created_at: int = NOT_YET
    started_at: int = NOT_YET
    finished_at: int = NOT_YET
    exit_code: int = 0
    reason: str = ""
    message: str = ""
    spec: Obj = field(default_factory=lambda: freeze({}))  # as the pod asked for it
    resources: Obj | None = None  # what its cgroup has
    user: tuple[int, tuple[int, ...]] | None = None  # whose it is, and the groups, the first one first; None: not told


@dataclass(slots=True)
class PodView:
    """What there is of one pod; *attempt*: of its last sandbox (-1: none), *ready*: whether that one lives."""

    runs: list[Run] = field(default_factory=list)  # in order of creation
    attempt: int = -1
    ready: bool = False
    ips: tuple[str, ...] = ()

    def of(self, name: str) -> list[Run]:
        """The runs of a container, the newest first."""
        return [run for run in reversed(self.runs) if run.name == name]

    def latest(self, name: str) -> Run | None:
        """Its newest run."""
        return next((run for run in reversed(self.runs) if run.name == name), None)

    def exited(self, name: str) -> Run | None:
        """Its newest run that has ended."""
        return next((run for run in reversed(self.runs) if run.name == name and run.state == EXITED), None)

    def active(self, name: str) -> Run | None:
        """Its newest run in the sandbox that lives."""
        run = self.latest(name)
        return run if run is not None and self.ready and run.sandbox == self.attempt else None

    def running(self) -> list[Run]:
        """What runs now."""
        return [run for run in self.runs if run.state == RUNNING]

    def snapshot(self) -> "PodView":
        """The same, as it is now, whatever comes."""
        return replace(self, runs=[replace(run) for run in self.runs])

    def keep(self, run: Run) -> None:
        """A new run; older ones of the same container are forgotten but for one."""
        older = [one for one in self.runs if one.name == run.name]
        forgotten = {one.id for one in older[: len(older) + 1 - KEPT]}
        self.runs = [*(one for one in self.runs if one.id not in forgotten), run]

    def why_no_sandbox(self) -> str:
        """Why a new sandbox is needed, or nothing. Models k/k pkg/kubelet/kuberuntime/util PodSandboxChanged"""
        if self.attempt < 0:
            return NO_SANDBOX
        return "" if self.ready else NOT_READY


def inits(pod: Obj) -> tuple[Obj, ...]:
    """The init containers of *pod*, sidecars among them."""
    return tuple(get(pod, "spec", "initContainers") or ())


def mains(pod: Obj) -> tuple[Obj, ...]:
    """The containers of *pod*."""
    return tuple(pod["spec"]["containers"])


def ephemerals(pod: Obj) -> tuple[Obj, ...]:
    """The containers of *pod* that somebody has added to look at it: they start once, and count for nothing."""
    return tuple(get(pod, "spec", "ephemeralContainers") or ())


def is_sidecar(container: Obj) -> bool:
    """Whether an init container goes on beside the others."""
    return bool(container.get("restartPolicy") == "Always")


def find(pod: Obj, name: str) -> Obj:
    """The container called *name*, of whatever kind."""
    return next(one for one in (*inits(pod), *mains(pod), *ephemerals(pod)) if one["name"] == name)


def any_main_active(pod: Obj, view: PodView) -> bool:
    """Whether a main container has been made in the sandbox that lives: then the init containers are done.

    Models k/k pkg/kubelet/container HasAnyActiveRegularContainerStarted
    """
    return any(view.active(one["name"]) for one in mains(pod))


def any_main_made(pod: Obj, view: PodView) -> bool:
    """Whether a main container has ever been made."""
    return any(view.latest(one["name"]) for one in mains(pod))
