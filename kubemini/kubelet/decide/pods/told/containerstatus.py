"""The statuses of a pod's containers, as their kubelet reports them. Pure.

Theory of operation.

The newest run of a container is its state, the one before its lastState. What has no run at all waits, or was there
once and cannot be found any more. A container that is to start again, and could not be started when it was last tried,
shows why (*reasons*, of the last sync): that is why CrashLoopBackOff is told by the sync after the one that found it.
Models k/k pkg/kubelet Kubelet.convertToAPIContainerStatuses
"""

from collections.abc import Mapping, Sequence
from typing import Any

from kubemini.api.objects import Obj, get
from kubemini.api.timestamps import timestamp
from kubemini.kubelet.decide.pods import policy
from kubemini.kubelet.decide.pods.runs import CREATED, EXITED, NOT_YET, RUNNING, PodView, Run, any_main_made, inits
from kubemini.kubelet.decide.pods.runs import is_sidecar as _is_sidecar

CREATING, INITIALIZING, RESTARTING = "ContainerCreating", "PodInitializing", "RestartingAllContainers"
UNKNOWN, LOST = "ContainerStatusUnknown", 137
NOT_LOCATED = "The container could not be located when the pod was terminated"
USED_TO_RUN = "The container could not be located when the pod was deleted.  The container used to be Running"
REMOVED = "The container is removed because RestartAllContainers in place"
DONE_BEFORE = (
    "Unable to get init container status from container runtime and pod has been initialized, "
    "treat it as exited normally"
)
Reasons = Mapping[str, tuple[str, str]]  # container: (why it could not be started, in words)


def container_statuses(
    pod: Obj, view: PodView, containers: Sequence[Obj], before: Sequence[Obj], reasons: Reasons, restarting: bool
) -> list[dict[str, Any]]:
    """The statuses of *containers*; *before*: as they were told last; *restarting*: all are taken away."""
    old = {one["name"]: one for one in before}
    return [_status(pod, view, one, old.get(one["name"]), reasons, restarting) for one in containers]


def _status(pod: Obj, view: PodView, container: Obj, old: Any, reasons: Reasons, restarting: bool) -> dict[str, Any]:
    name, init = container["name"], any(one["name"] == container["name"] for one in inits(pod))
    runs = view.of(name)
    status = _of_run(container, runs, old) if runs else _of_none(pod, container, old, restarting)
    if init and _needs_no_start(pod, view, container, runs, status):
        return status
    if name in reasons and policy.should_start(container, pod, view):
        if "terminated" in status["state"]:
            status["lastState"] = status["state"]
        reason, message = reasons[name]
        status["state"] = {"waiting": {"reason": reason} | ({"message": message} if message else {})}
    return status


def _needs_no_start(pod: Obj, view: PodView, container: Obj, runs: list[Run], status: dict[str, Any]) -> bool:
    """Whether an init container has ended well, as far as anybody knows."""
    if runs:
        return runs[0].state == EXITED and runs[0].exit_code == 0
    if any_main_made(pod, view) and not _is_sidecar(container) and "waiting" in status["state"]:
        status["state"] = {"terminated": _ended("Completed", DONE_BEFORE, 0)}
        return True
    return False


def _base(container: Obj, restarts: int = 0) -> dict[str, Any]:
    mounts = [_mounted(one) for one in container.get("volumeMounts") or ()]
    return ({"volumeMounts": mounts} if mounts else {}) | {
        "name": container["name"],
        "image": container.get("image", ""),
        "imageID": "",
        "lastState": {},
        "ready": False,
        "restartCount": restarts,
        "started": False,
    }


def _mounted(mount: Obj) -> dict[str, Any]:
    """How a volume is mounted, by a runtime that can make all that is mounted below it read-only, too."""
    told = {"name": mount["name"], "mountPath": mount["mountPath"]}
    if not mount.get("readOnly"):
        return told
    below = "Enabled" if mount.get("recursiveReadOnly") in ("Enabled", "IfPossible") else "Disabled"
    return told | {"readOnly": True, "recursiveReadOnly": below}


def _of_none(pod: Obj, container: Obj, old: Any, restarting: bool) -> dict[str, Any]:
    """Nothing of it is there (any more)."""
    waiting = {"waiting": {"reason": INITIALIZING if inits(pod) else CREATING}}
    status = _base(container) | {"state": waiting}
    if old is None:
        return status
    if restarting and "waiting" not in old["state"]:
        gone = {"terminated": _ended(RESTARTING, REMOVED, LOST)}
        state = {"waiting": {"reason": RESTARTING, "message": REMOVED}}
        kept = "terminated" in old["state"] and bool(old.get("ready"))  # of an init container that had ended well
        return status | {"state": state, "lastState": gone, "restartCount": old["restartCount"] + 1, "ready": kept}
    if "terminated" in old["state"]:
        return dict(old) | {"ready": False, "started": False}
    status |= {"restartCount": old["restartCount"], "lastState": old.get("lastState") or {}}
    if "running" in old["state"] and not status["lastState"]:
        status["lastState"] = {"terminated": _ended(UNKNOWN, USED_TO_RUN, LOST)}
        if "deletionTimestamp" not in pod["metadata"]:
            status["restartCount"] += 1
    return status


def _of_run(container: Obj, runs: list[Run], old: Any) -> dict[str, Any]:
    """Its newest run, and the one before."""
    run = runs[0]
    restarts = max(run.attempt, get(old, "restartCount", default=0))
    status = _base(container, restarts) | {"image": run.image, "imageID": run.image_id}
    status |= {"containerID": container_id(run.id), "state": _state(run)}
    if len(runs) > 1:
        status["lastState"] = _state(runs[1])
    elif old is not None:
        ended = get(old, "state", "terminated")
        changed = old.get("containerID") != status["containerID"]
        status["lastState"] = {"terminated": ended} if changed and ended else old.get("lastState") or {}
    if (
        run.state == RUNNING
        and get(old, "state", "terminated")
        and old["restartCount"] >= run.attempt
        and len(runs) == 1
    ):
        status["restartCount"] = old["restartCount"] + (old.get("containerID") != status["containerID"])
    if resources := run.resources if run.state == RUNNING else container.get("resources"):
        status["resources"] = resources
    if requests := get(container, "resources", "requests"):
        status["allocatedResources"] = requests
    if run.user is not None:
        user, groups = run.user
        status["user"] = {"linux": {"uid": user, "gid": groups[0], "supplementalGroups": list(groups)}}
    return status


def container_id(run: str) -> str:
    """What the API calls it, by what the runtime does."""
    return f"containerd://{run}"


def _state(run: Run) -> dict[str, Any]:
    if run.state == RUNNING:
        return {"running": {"startedAt": timestamp(run.started_at)}}
    if run.state == CREATED:
        return {"waiting": {}}
    ended: dict[str, Any] = {"exitCode": run.exit_code, "reason": run.reason}
    if run.message:
        ended["message"] = run.message
    ended |= {"startedAt": _stamp(run.started_at), "finishedAt": timestamp(run.finished_at)}
    return {"terminated": ended | {"containerID": container_id(run.id)}}


def _stamp(instant: int) -> str:
    return "1970-01-01T00:00:00Z" if instant == NOT_YET else timestamp(instant)


def _ended(reason: str, message: str, code: int) -> dict[str, Any]:
    return {"exitCode": code, "reason": reason, "message": message, "startedAt": None, "finishedAt": None}


def unlocated(statuses: Sequence[dict[str, Any]], until: int | None = None) -> list[dict[str, Any]]:
    """*statuses* at the end of a pod: of what has no end the end is unknown. *until*: only that many from the first.

    Models k/k pkg/kubelet/status manager.TerminatePod
    """
    lost = {"terminated": _ended(UNKNOWN, NOT_LOCATED, LOST)}
    some = len(statuses) if until is None else until
    return [
        dict(one) | {"state": lost, "ready": False, "started": False}
        if number < some and "terminated" not in one["state"]
        else dict(one)
        for number, one in enumerate(statuses)
    ]


def begun(statuses: Sequence[dict[str, Any]]) -> int:
    """How many init containers, from the first on, have shown any sign of life; at least one."""
    for number in reversed(range(len(statuses))):
        if "waiting" not in statuses[number]["state"] or get(statuses[number], "lastState", "terminated"):
            return number + 1
    return min(1, len(statuses))
