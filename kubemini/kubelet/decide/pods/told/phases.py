"""The phase of a pod: a summary of how its containers are. Pure.

Invariant: a pod whose phase is Succeeded or Failed never leaves it. A container that ends and starts again does not end
its pod; a sidecar's end counts for nothing.
Models k/k pkg/kubelet getPhase
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from kubemini.api.objects import Obj, get
from kubemini.kubelet.decide.pods import policy
from kubemini.kubelet.decide.pods.runs import inits, is_sidecar, mains
from kubemini.kubelet.decide.pods.staticpods import is_static
from kubemini.kubelet.decide.pods.told.containerstatus import RESTARTING

PENDING, RUNNING, SUCCEEDED, FAILED = "Pending", "Running", "Succeeded", "Failed"
ENDED = (SUCCEEDED, FAILED)


def phase(pod: Obj, statuses: Mapping[str, Any], terminal: bool, initialized: bool) -> str:
    """The phase of *pod*, whose containers have *statuses* by name.

    *terminal*: nothing of it will run again; *initialized*: a main container has been made.
    """
    counts: Counter[str] = Counter()
    for container in inits(pod):
        look = _sidecar if is_sidecar(container) else _init
        look(container, pod, statuses.get(container["name"]), counts)
    for container in mains(pod):
        _main(container, pod, statuses.get(container["name"]), counts)
    if counts["failed for good"]:
        return FAILED
    beginning = counts["init"] or (counts["sidecar"] and not initialized)
    if beginning or counts["waiting"] or counts["unknown"]:
        return PENDING
    if counts["running"]:
        return RUNNING
    if not counts["stopped"]:
        return PENDING
    for_good = terminal and not is_static(pod)
    if not for_good and counts["stopped"] != counts["stopped for good"]:
        return RUNNING
    return SUCCEEDED if counts["stopped"] == counts["succeeded"] else FAILED


def _end(status: Any) -> Any:
    """How its last run ended, if it does not run."""
    return get(status, "state", "terminated") or get(status, "lastState", "terminated")


def _comes_again(container: Obj, pod: Obj, end: Any) -> bool:
    return policy.restarts(container, pod, end["exitCode"]) or end.get("reason") == RESTARTING


def _init(container: Obj, pod: Obj, status: Any, counts: Counter[str]) -> None:
    end = None if status is None or "running" in status["state"] else _end(status)
    if end is None:
        counts["init"] += 1
    elif end["exitCode"] and not _comes_again(container, pod, end):
        counts["failed for good"] += 1
    elif end["exitCode"]:
        counts["init failed"] += 1


def _sidecar(container: Obj, pod: Obj, status: Any, counts: Counter[str]) -> None:
    if status is None:
        counts["unknown"] += 1
    elif "running" in status["state"]:
        counts["running"] += 1
        counts["sidecar"] += not status.get("started")
    elif _end(status) is None:
        counts["sidecar"] += 1
        counts["waiting"] += 1


def _main(container: Obj, pod: Obj, status: Any, counts: Counter[str]) -> None:
    if status is None:
        counts["unknown"] += 1
        return
    if "running" in status["state"]:
        counts["running"] += 1
        return
    end = _end(status)
    if end is None:
        counts["waiting"] += 1
        return
    counts["stopped"] += 1
    counts["stopped for good"] += not _comes_again(container, pod, end)
    counts["succeeded"] += "terminated" in status["state"] and end["exitCode"] == 0
