"""The status of a pod, as its kubelet makes it up and as it tells it. Pure.

Theory of operation.

`made_up` is what the kubelet holds to be true now. `told` is what it may say of that: an end is told only when nothing
of the pod can run any more, so a pod whose last container has ended shows that first, still Running, and its phase in
the version after, when its sandbox is stopped. `final` is the status of a pod of which nothing is left.
Models k/k pkg/kubelet Kubelet.generateAPIPodStatus
Models k/k pkg/kubelet/status mergePodStatus manager.TerminatePod manager.SetContainerReadiness hasPodInitialized
"""

from collections.abc import Sequence
from typing import Any, Protocol

from kubemini.api.objects import Obj, get
from kubemini.api.timestamps import timestamp
from kubemini.kubelet.decide.pods import policy
from kubemini.kubelet.decide.pods.runs import (
    RUNNING,
    PodView,
    any_main_active,
    ephemerals,
    find,
    inits,
    is_sidecar,
    mains,
)
from kubemini.kubelet.decide.pods.staticpods import is_static
from kubemini.kubelet.decide.pods.told import conditions
from kubemini.kubelet.decide.pods.told.containerstatus import Reasons, begun, container_statuses, unlocated
from kubemini.kubelet.decide.pods.told.phases import ENDED, FAILED, phase

KINDS = ("initContainerStatuses", "containerStatuses")
EPHEMERAL = "ephemeralContainerStatuses"  # count for nothing: neither for the phase nor for conditions


class Probed(Protocol):
    """What the probes have found so far."""

    def started(self, name: str, run: str, was: bool) -> bool:
        """Whether the run *run* of the container *name* counts as started; *was*: as it was told last."""

    def ready(self, name: str, run: str, was: bool) -> bool:
        """Whether it is ready."""


def made_up(
    pod: Obj,
    view: PodView,
    old: Any,
    reasons: Reasons,
    probed: Probed,
    host_ips: Sequence[str],
    now: int,
    terminal: bool = False,
    resize: Sequence[Any] = (),
    evicted: tuple[str, str] | None = None,
    ends_as: tuple[str, str] | None = None,
) -> dict[str, Any]:
    """``pod.status`` at *now*; *old*: as it was before. *evicted*: reason and message of who has ended it.

    *ends_as*: the same of who ends it now: its conditions do not know of that yet.
    """
    restarting = policy.all_restart(pod, view, old)
    status: dict[str, Any] = {}
    for kind, containers in zip(KINDS, (inits(pod), mains(pod)), strict=True):
        if containers:
            before = get(old, kind) or ()
            status[kind] = container_statuses(pod, view, containers, before, reasons, restarting)
    _probe(pod, view, status, old, probed)
    if ephemerals(pod):
        before = get(old, EPHEMERAL) or ()
        told_of = container_statuses(pod, view, ephemerals(pod), before, reasons, False)
        status[EPHEMERAL] = [{key: one[key] for key in one if key != "started"} for one in told_of]
    found = by_name(status)
    status["phase"] = _phase(pod, view, found, old, terminal)
    if evicted is not None:
        status |= {"phase": FAILED, "reason": evicted[0], "message": evicted[1]}
    elif status["phase"] == get(old, "phase"):
        status |= {key: old[key] for key in ("reason", "message") if old.get(key)}
    generation, stamp = pod["metadata"].get("generation"), timestamp(now)
    others = [c for c in get(pod, "status", "conditions") or () if _is_others(c)]
    own = conditions.owned(pod, view, found, status["phase"], old, others)
    status["conditions"] = [*others, *(() if terminal else resize)]
    listed = [c for known in (get(pod, "status"), old) for c in get(known, "conditions") or ()]
    status["conditions"] += {c["type"]: c for c in listed if c["type"] in conditions.SHARED}.values()
    status["conditions"] += [conditions.written(type, why, generation, old, stamp) for type, why in own]
    status |= _around(pod, view, old, host_ips, stamp)
    if ends_as is not None:
        status |= {"phase": FAILED, "reason": ends_as[0], "message": ends_as[1]}
    return status | ({} if generation is None else {"observedGeneration": generation})


def _is_others(condition: Any) -> bool:
    return condition["type"] not in (*conditions.OWN, *conditions.SHARED, *conditions.RESIZES)


def _around(pod: Obj, view: PodView, old: Any, host_ips: Sequence[str], stamp: str) -> dict[str, Any]:
    """What is not about containers."""
    found: dict[str, Any] = {"hostIP": host_ips[0], "hostIPs": [{"ip": ip} for ip in host_ips]}
    found["startTime"] = get(old, "startTime") or stamp
    found |= _qos(pod)
    ips = host_ips if get(pod, "spec", "hostNetwork") else view.ips
    if ips:
        found |= {"podIP": ips[0], "podIPs": [{"ip": ip} for ip in ips]}
    return found


def _qos(pod: Obj) -> dict[str, Any]:
    """Its class, which the API server has made up."""
    known = get(pod, "status", "qosClass")
    return {"qosClass": known} if known else {}


def by_name(status: Any) -> dict[str, Any]:
    """The statuses of all containers, by name."""
    return {one["name"]: one for kind in (*KINDS, EPHEMERAL) for one in get(status, kind) or ()}


def _probe(pod: Obj, view: PodView, status: dict[str, Any], old: Any, probed: Probed) -> None:
    """Say of each container whether it is started and ready. Models k/k pkg/kubelet/prober manager.UpdatePodStatus"""
    before = by_name(old)
    for name, one in by_name(status).items():
        run, last = view.latest(name), before.get(name, {})
        runs = run is not None and run.state == RUNNING and "running" in one["state"]
        same = last.get("containerID") == one.get("containerID")
        plain_init = name in {c["name"] for c in inits(pod)} and not is_sidecar(find(pod, name))
        one["started"] = bool(runs and run and probed.started(name, run.id, same and bool(last.get("started"))))
        if plain_init:
            one["ready"] = one["ready"] or get(one, "state", "terminated", "exitCode") == 0
        elif one["started"]:
            one["ready"] = bool(run and probed.ready(name, run.id, same and bool(last.get("ready"))))


def _phase(pod: Obj, view: PodView, statuses: dict[str, Any], old: Any, terminal: bool) -> str:
    found = phase(pod, statuses, terminal, any_main_active(pod, view))
    if get(pod, "status", "phase") in ENDED:
        return str(pod["status"]["phase"])
    return str(old["phase"]) if found not in ENDED and get(old, "phase") in ENDED else found


def told(status: dict[str, Any], before: Any, running: bool) -> dict[str, Any]:
    """What may be said of *status* to somebody who knows *before*; *running*: something of the pod may still run."""
    ends = status["phase"] in ENDED and get(before, "phase") not in ENDED
    if not (ends and running):
        return status
    kept = {key: value for key, value in status.items() if key not in ("reason", "message")}
    kept["phase"] = get(before, "phase", default="Pending")
    kept |= {key: before[key] for key in ("reason", "message") if get(before, key)}
    there = {c["type"] for c in get(before, "conditions") or ()}
    shared = [c for c in status["conditions"] if c["type"] in conditions.SHARED and c["type"] not in there]
    return kept | {"conditions": [c for c in status["conditions"] if c not in shared]}


def final(pod: Obj, status: dict[str, Any], before: Obj | None = None) -> dict[str, Any]:
    """The last word on a pod of which nothing is left: what has not ended ended somehow, and badly.

    *before*: its status before its end was told; that it is initialized now, says nothing.
    """
    found = dict(status)
    if _was_initialized(pod, dict(before or pod.get("status") or {})) and "containerStatuses" in status:
        found["containerStatuses"] = unlocated(status["containerStatuses"])
    if init := status.get("initContainerStatuses"):
        found["initContainerStatuses"] = unlocated(init, begun(init))
    if found["phase"] not in ENDED and not is_static(pod):
        found["phase"] = FAILED
    return found


def _was_initialized(pod: Obj, status: dict[str, Any]) -> bool:
    if not inits(pod):
        return True
    for one in status.get("containerStatuses") or ():
        if get(one, "lastState", "terminated") or "waiting" not in one["state"]:
            return True
    last = (status.get("initContainerStatuses") or [{}])[-1]
    if is_sidecar(inits(pod)[-1]):
        return bool("running" in (last.get("state") or {}) and last.get("started"))
    return any(get(last, key, "terminated", "exitCode") == 0 for key in ("state", "lastState"))


def with_readiness(pod: Obj, status: Any, name: str, ready: bool, now: int) -> dict[str, Any]:
    """*status*, if a probe has just found that the container *name* is ready, or is not."""
    return _changed(pod, status, name, {"ready": ready}, now)


def with_startup(status: Any, name: str, started: bool) -> dict[str, Any]:
    """*status*, if a startup probe has just passed or failed."""
    return _containers(status, name, {"started": started})


def _changed(pod: Obj, status: Any, name: str, change: dict[str, Any], now: int) -> dict[str, Any]:
    found = _containers(status, name, change)
    ready = conditions.containers_ready(pod, by_name(found), found["phase"])
    others = [one for one in found["conditions"] if _is_others(one)]
    new = {conditions.READY: conditions.pod_ready(pod, ready, others), conditions.CONTAINERS_READY: ready}
    generation = pod["metadata"].get("generation")
    found["conditions"] = [
        conditions.written(one["type"], new[one["type"]], generation, status, timestamp(now))
        if one["type"] in new
        else one
        for one in found["conditions"]
    ]
    return found


def _containers(status: Any, name: str, change: dict[str, Any]) -> dict[str, Any]:
    found = dict(status)
    for kind in KINDS:
        if kind in found:
            found[kind] = [dict(one) | (change if one["name"] == name else {}) for one in found[kind]]
    return found


def rejected(pod: Obj, reason: str, message: str) -> dict[str, Any]:
    """The status of a pod that this kubelet refuses: replaced whole. Models k/k pkg/kubelet Kubelet.rejectPod"""
    found = {"phase": FAILED, "reason": reason, "message": f"Pod was rejected: {message}"}
    found |= _qos(pod)
    generation = pod["metadata"].get("generation")
    return found | ({} if generation is None else {"observedGeneration": generation})
