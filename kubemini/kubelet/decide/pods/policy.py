"""Whether a container that has ended starts again: the rules of its own first, then its policy, then the pod's. Pure.

Models k/k pkg/api/v1/pod ContainerShouldRestart FindMatchingContainerRestartRule AllContainersCouldRestart
Models k/k pkg/kubelet/container ShouldContainerBeRestarted ShouldAllContainersRestart AllContainersRestartCleanedUp
"""

from typing import Any

from kubemini.api.objects import Obj, get
from kubemini.kubelet.decide.pods.runs import CREATED, EXITED, RUNNING, PodView, inits, mains

RESTART_ALL = "RestartAllContainers"
ALL_RESTARTING = "AllContainersRestarting"  # the condition


def restarts(container: Obj, pod: Obj, exit_code: int) -> bool:
    """Whether *container* starts again after it has ended with *exit_code*."""
    own = container.get("restartPolicy")
    if own and rule(container, exit_code):
        return True
    return _allows(own or pod["spec"].get("restartPolicy", "Always"), exit_code)


def _allows(policy: str, exit_code: int) -> bool:
    return policy == "Always" or (policy == "OnFailure" and exit_code != 0)


def rule(container: Obj, exit_code: int) -> str:
    """The action of the first rule that speaks of *exit_code*, or nothing."""
    for one in container.get("restartPolicyRules") or ():
        codes = one.get("exitCodes")
        if codes and (exit_code in codes.get("values", ())) == (codes["operator"] == "In"):
            return str(one["action"])
    return ""


def after_kill(container: Obj, pod: Obj) -> bool:
    """Whether a container starts again that the kubelet kills: no exit code decides, only the policy."""
    policy = container.get("restartPolicy") or pod["spec"].get("restartPolicy", "Always")
    return bool(policy != "Never")


def should_start(container: Obj, pod: Obj, view: PodView) -> bool:
    """Whether a container that does not run is to be started."""
    if "deletionTimestamp" in pod["metadata"]:
        return False
    run = view.latest(container["name"])
    if run is None or run.state == CREATED:
        return True
    return run.state != RUNNING and restarts(container, pod, run.exit_code)


def could_restart_all(pod: Obj) -> bool:
    """Whether some rule restarts all containers."""
    rules = (one for each in (*inits(pod), *mains(pod)) for one in each.get("restartPolicyRules") or ())
    return any(one["action"] == RESTART_ALL for one in rules)


def all_restart(pod: Obj, view: PodView | None, status: Any) -> bool:
    """Whether all containers are to be started again; *status*: as it was told last."""
    if not could_restart_all(pod):
        return False
    if any(c["type"] == ALL_RESTARTING and c["status"] == "True" for c in get(status, "conditions") or ()):
        return True
    told = {one["name"]: one for one in _statuses(status)}
    for container in (*inits(pod), *mains(pod)):
        run = view.latest(container["name"]) if view is not None else None
        if view is not None and (run is None or run.state != EXITED):
            continue
        code = get(told.get(container["name"]), "state", "terminated", "exitCode") if run is None else run.exit_code
        if code is not None and rule(container, code) == RESTART_ALL:
            return True
    return False


def cleaned_up(pod: Obj, view: PodView) -> bool:
    """Whether nothing of any container is left."""
    return not any(view.latest(one["name"]) for one in (*inits(pod), *mains(pod)))


def _statuses(status: Any) -> tuple[Any, ...]:
    kinds = ("initContainerStatuses", "containerStatuses")
    return tuple(one for kind in kinds for one in get(status, kind) or ())
