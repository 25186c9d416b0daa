"""The status of a pod, as its kubelet reports it. Pure.

Invariant: what is reported is a function of the worker and of nothing else; a condition's lastTransitionTime moves only
when its status does.
Models k/k pkg/kubelet getPhase
Models k/k pkg/kubelet Kubelet.convertToAPIContainerStatuses
Models k/k pkg/kubelet/status GeneratePodReadyCondition
Simplified: all containers of a pod share one state; images have no digests.
"""

from collections.abc import Sequence
from typing import Any

from kubemini.api.objects import Obj, freeze
from kubemini.api.timestamps import timestamp
from kubemini.kubelet.decide.podworker import FINISHED, GONE, NOT_YET, PENDING, RUNNING, STOPPING, WAITING, PodWorker
from kubemini.sim.units import SECOND


def pod_status(worker: PodWorker, host_ips: Sequence[str], now: int) -> Obj:
    """``pod.status``; remembers in ``worker.conditions`` since when each condition holds."""
    status: dict[str, Any] = {
        "phase": phase(worker),
        "conditions": conditions(worker, now),
        "hostIP": host_ips[0],
        "hostIPs": [{"ip": ip} for ip in host_ips],
        "startTime": timestamp(worker.seen_at),
        "containerStatuses": [container_status(worker, c) for c in worker.pod["spec"]["containers"]],
    }
    if worker.ip:
        status |= {"podIP": worker.ip, "podIPs": [{"ip": ip} for ip in (worker.ip, worker.ip2) if ip]}
    return freeze(status)


def phase(worker: PodWorker) -> str:
    """Pending until the containers have run once; Succeeded or Failed when they will not run again."""
    if worker.state in (FINISHED, GONE) and worker.finished_at != NOT_YET:
        return "Failed" if worker.exit_code else "Succeeded"
    return "Pending" if worker.started_at == NOT_YET and not worker.restarts else "Running"


def conditions(worker: PodWorker, now: int) -> list[dict[str, Any]]:
    """The five conditions every pod has."""
    names = ", ".join(c["name"] for c in worker.pod["spec"]["containers"])
    unready = {"reason": "ContainersNotReady", "message": f"containers with unready status: [{names}]"}
    if worker.state in (FINISHED, GONE) and worker.finished_at != NOT_YET:
        unready = {"reason": "PodFailed" if worker.exit_code else "PodCompleted"}
    ready = {} if worker.ready else unready
    return [
        _condition(worker, "PodReadyToStartContainers", worker.ip != "" and worker.state != GONE, now),
        _condition(worker, "Initialized", True, now),
        _condition(worker, "Ready", worker.ready, now, ready),
        _condition(worker, "ContainersReady", worker.ready, now, ready),
        _condition(worker, "PodScheduled", True, now),
    ]


def _condition(worker: PodWorker, type: str, holds: bool, now: int, why: dict[str, str] | None = None) -> dict:
    status = "True" if holds else "False"
    before, since = worker.conditions.get(type, ("", now))
    since = since if before == status else now
    worker.conditions[type] = (status, since)
    stamp = timestamp(since)
    return {"type": type, "status": status, "lastProbeTime": None, "lastTransitionTime": stamp, **(why or {})}


def container_status(worker: PodWorker, container: Obj) -> dict[str, Any]:
    """The status of one of its containers."""
    running = worker.state in (RUNNING, STOPPING) and worker.started_at > worker.finished_at
    state, last = _states(worker, container["name"], running)
    return {
        "name": container["name"],
        "image": container.get("image", ""),
        "imageID": "",
        "containerID": f"containerd://{worker.uid}-{worker.restarts}" if worker.started_at != NOT_YET else "",
        "ready": worker.ready,
        "started": running and worker.started,
        "restartCount": worker.restarts,
        "state": state,
        "lastState": last,
    }


def back_off_message(worker: PodWorker, container: str) -> str:
    """Why a container waits, and for how long in all: ``back-off 1m20s restarting failed container=…``."""
    minutes, seconds = divmod(worker.back_off // SECOND, 60)
    wait = f"{minutes}m{seconds}s" if minutes else f"{seconds}s"
    namespace, name = worker.key
    return f"back-off {wait} restarting failed container={container} pod={name}_{namespace}({worker.uid})"


def _states(worker: PodWorker, container: str, running: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    """``state`` and ``lastState`` of a container."""
    ended = {"terminated": _terminated(worker)} if worker.finished_at != NOT_YET else {}
    if running:
        return {"running": {"startedAt": timestamp(worker.started_at)}}, ended
    if worker.state == WAITING and worker.crashes:
        message = back_off_message(worker, container)
        return {"waiting": {"reason": "CrashLoopBackOff", "message": message}}, ended
    if ended and worker.state != PENDING:
        return ended, {}
    return {"waiting": {"reason": "ContainerCreating"}}, {}


def _terminated(worker: PodWorker) -> dict[str, Any]:
    """How a container's last run ended."""
    return {
        "exitCode": worker.exit_code,
        "reason": "Completed" if worker.exit_code == 0 else "Unknown" if worker.exit_code == 255 else "Error",
        "startedAt": timestamp(max(worker.last_started_at, 0)),
        "finishedAt": timestamp(worker.finished_at),
    }
