"""A pod asks for other amounts of cpu and memory while it runs: whether it gets them now, and what is said. Pure.

What a pod has been allocated stays until the new amounts fit on the node beside all others; then its containers get
them, in place or, if their resizePolicy says so, with a restart.
Models k/k pkg/kubelet/allocation manager.handlePodResourcesResize manager.canResizePod
Models k/k pkg/kubelet/events PodResizeStartedMsg PodResizeCompletedMsg PodResizePendingMsg
"""

import json
from typing import Any

from kubemini.api.objects import Obj, evolve, thaw
from kubemini.kubelet.decide.pods.runs import PodView, inits, mains

PENDING, IN_PROGRESS = "PodResizePending", "PodResizeInProgress"
STARTED, COMPLETED = "Pod resize started", "Pod resize completed"


def amounts(pod: Obj) -> dict[str, Any]:
    """What each container of *pod* asks for."""
    return {one["name"]: one.get("resources") or {} for one in (*inits(pod), *mains(pod))}


def with_amounts(pod: Obj, allocated: Obj) -> Obj:
    """*pod*, but with the amounts of *allocated*."""
    had = amounts(allocated)
    for kind in ("initContainers", "containers"):
        if pod["spec"].get(kind):
            kept = tuple({**one, "resources": had.get(one["name"], {})} for one in pod["spec"][kind])
            pod = evolve(pod, ("spec", kind), kept)
    return pod


def summary(what: str, pod: Obj, error: str = "") -> str:
    """The Event of a resize."""
    found: dict[str, Any] = {}
    for key, containers in (("initContainers", inits(pod)), ("containers", mains(pod))):
        if containers:
            found[key] = [{"name": one["name"], "resources": _sorted(one.get("resources") or {})} for one in containers]
    found["generation"] = pod["metadata"].get("generation", 0)
    if error:
        found["error"] = error
    return f"{what}: {json.dumps(found, separators=(',', ':'))}"


def _sorted(resources: Obj) -> Any:
    thawed = thaw(resources)
    return {half: dict(sorted(thawed[half].items())) for half in ("limits", "requests") if thawed.get(half)}


def condition(type: str, generation: int | None, stamp: str, reason: str = "", message: str = "") -> dict[str, Any]:
    """The condition of a resize that is under way."""
    found: dict[str, Any] = {"type": type, "status": "True", "lastProbeTime": stamp, "lastTransitionTime": stamp}
    if generation is not None:
        found["observedGeneration"] = generation
    return found | ({"reason": reason, "message": message} if reason else {})


def to_actuate(pod: Obj, view: PodView) -> dict[str, Any]:
    """The containers that run with other amounts than they were allocated: {id of the run: the amounts}."""
    wanted = amounts(pod)
    runs = (view.latest(name) for name in wanted)
    return {
        run.id: wanted[run.name]
        for run in runs
        if run is not None and run.state == "running" and (run.resources or {}) != wanted[run.name]
    }
