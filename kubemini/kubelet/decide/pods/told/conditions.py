"""The conditions of a pod that its kubelet owns. Pure.

Invariant: a condition's lastTransitionTime moves only when its status does.
Models k/k pkg/kubelet/status GeneratePodReadyCondition GenerateContainersReadyCondition GeneratePodInitializedCondition
GeneratePodReadyToStartContainersCondition GenerateAllContainersRestartingCondition
"""

from collections.abc import Mapping, Sequence
from typing import Any

from kubemini.api.objects import Obj, get
from kubemini.kubelet.decide.pods import policy
from kubemini.kubelet.decide.pods.runs import PodView, inits, is_sidecar, mains
from kubemini.kubelet.decide.pods.told.phases import FAILED, SUCCEEDED

READY, CONTAINERS_READY = "Ready", "ContainersReady"
OWN = ("PodReadyToStartContainers", "Initialized", READY, CONTAINERS_READY, "PodScheduled", policy.ALL_RESTARTING)
RESIZES = ("PodResizePending", "PodResizeInProgress")
SHARED = ("DisruptionTarget",)  # others write it too
ENDS = {FAILED: {"reason": "PodFailed"}, SUCCEEDED: {"reason": "PodCompleted"}}
Why = tuple[bool, dict[str, str]]  # whether it holds, and reason and message


def owned(
    pod: Obj, view: PodView, statuses: Mapping[str, Any], phase: str, old: Any, others: Sequence[Any]
) -> list[tuple[str, Why]]:
    """The conditions in order; *old*: the status told last, *others*: the conditions that others own."""
    ready = containers_ready(pod, statuses, phase)
    found = [
        ("PodReadyToStartContainers", _sandbox(view)),
        ("Initialized", _initialized(pod, statuses, phase, old)),
        (READY, pod_ready(pod, ready, others)),
        (CONTAINERS_READY, ready),
        ("PodScheduled", (True, {})),
    ]
    if policy.could_restart_all(pod):
        found.append((policy.ALL_RESTARTING, _restarting(pod, view, phase, old)))
    return found


def _sandbox(view: PodView) -> Why:
    why = view.why_no_sandbox()
    return (False, {"reason": "PodSandboxNotReady", "message": why}) if why else (True, {})


def containers_ready(pod: Obj, statuses: Mapping[str, Any], phase: str) -> Why:
    """Whether all containers that count are ready."""
    if phase in ENDS:
        return False, ENDS[phase]
    counting = [one["name"] for one in inits(pod) if is_sidecar(one)] + [one["name"] for one in mains(pod)]
    unknown = [name for name in counting if name not in statuses]
    unready = [name for name in counting if name in statuses and not statuses[name]["ready"]]
    texts = _listed("unknown", unknown) + _listed("unready", unready)
    return (False, {"reason": "ContainersNotReady", "message": ", ".join(texts)}) if texts else (True, {})


def _listed(what: str, names: Sequence[str]) -> list[str]:
    return [f"containers with {what} status: [{' '.join(names)}]"] if names else []


def pod_ready(pod: Obj, containers: Why, others: Sequence[Any]) -> Why:
    """The same, and the gates that others open."""
    if not containers[0]:
        return containers
    texts = []
    for gate in get(pod, "spec", "readinessGates") or ():
        type = gate["conditionType"]
        found = next((one for one in others if one["type"] == type), None)
        if found is None:
            texts.append(f'corresponding condition of pod readiness gate "{type}" does not exist.')
        elif found["status"] != "True":
            texts.append(f'the status of pod readiness gate "{type}" is not "True", but {found["status"]}')
    return (False, {"reason": "ReadinessGatesNotReady", "message": ", ".join(texts)}) if texts else (True, {})


def _initialized(pod: Obj, statuses: Mapping[str, Any], phase: str, old: Any) -> Why:
    unknown = [one["name"] for one in inits(pod) if one["name"] not in statuses]
    if phase == SUCCEEDED and not unknown:
        return True, ENDS[SUCCEEDED]
    if any(_has_run(statuses.get(one["name"])) for one in mains(pod)):
        return True, {}
    incomplete = [one["name"] for one in inits(pod) if one["name"] in statuses and not _is_done(one, statuses)]
    texts = _listed("unknown", unknown) + _listed("incomplete", incomplete)
    if not texts or status_of(old, "Initialized") == "True":
        return True, {}
    return False, {"reason": "ContainersNotInitialized", "message": ", ".join(texts)}


def _has_run(status: Any) -> bool:
    return status is not None and "waiting" not in status["state"]


def _is_done(container: Obj, statuses: Mapping[str, Any]) -> bool:
    return bool(statuses[container["name"]]["started" if is_sidecar(container) else "ready"])


def _restarting(pod: Obj, view: PodView, phase: str, old: Any) -> Why:
    if phase in ENDS:
        return False, ENDS[phase]
    if not policy.all_restart(pod, view, old) or policy.cleaned_up(pod, view):
        return False, {}
    message = "container exited with restart policy rule"
    return True, {"reason": "RestartAllContainersStarted", "message": message}


def status_of(status: Any, type: str) -> str:
    """What *status* says of a condition: True, False, or Unknown."""
    return next((str(one["status"]) for one in get(status, "conditions") or () if one["type"] == type), "Unknown")


def written(type: str, why: Why, generation: int | None, old: Any, stamp: str) -> dict[str, Any]:
    """A condition as it stands in the status; *stamp*: now."""
    holds, words = why
    status = "True" if holds else "False"
    same: Any = next(
        (one for one in get(old, "conditions") or () if one["type"] == type and one["status"] == status), {}
    )
    found: dict[str, Any] = {"type": type, "status": status, "lastProbeTime": None}
    found["lastTransitionTime"] = same.get("lastTransitionTime") or stamp
    return found | words | ({} if generation is None else {"observedGeneration": generation})
