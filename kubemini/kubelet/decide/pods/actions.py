"""What is to be done about a pod now: make a sandbox, kill, start, or take all away. Pure.

Theory of operation.

A sync looks at what the runtime has and at what the probes have found, and makes a plan of it. It is the same plan
whoever asks for the sync: a new pod, a container that has died, a probe, a changed image, a clock. What is killed and
started again in one plan starts in the same sync, without a look at its back-off in between: so a failing liveness
probe costs two kills before the first wait.

Init containers come one after the other; how far they are is seen from the last one that has ever been made. A sidecar
counts as done when its startup probe has passed; the next one begins then. Once a main container has been made in the
sandbox that lives, only sidecars among them are looked after. Ephemeral containers start before all others, once.
Models k/k pkg/kubelet/kuberuntime kubeGenericRuntimeManager.computePodActions
kubeGenericRuntimeManager.computeInitContainerActions
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from kubemini.api.objects import Obj
from kubemini.kubelet.decide.pods import policy
from kubemini.kubelet.decide.pods.runs import (
    CREATED,
    EXITED,
    RUNNING,
    PodView,
    Run,
    any_main_active,
    any_main_made,
    ephemerals,
    find,
    inits,
    is_sidecar,
    mains,
)

LIVENESS, STARTUP, RESIZE = "livenessProbe", "startupProbe", "resize"
Verdict = Callable[[str, str], bool | None]  # (kind of probe, id of the run) → passed, failed, or not known


@dataclass(frozen=True, slots=True)
class Kill:
    """A running container must go; *why*: whose grace counts, a probe's or the pod's."""

    run: Run
    message: str
    why: str = ""


@dataclass(slots=True)
class Actions:
    """The plan of one sync. *reset*: containers to take away, with whether they still run, in order."""

    kill_pod: bool = False
    create_sandbox: bool = False
    changed: bool = False  # there was a sandbox before
    ephemerals: list[str] = field(default_factory=list)
    inits: list[str] = field(default_factory=list)
    mains: list[str] = field(default_factory=list)
    kills: list[Kill] = field(default_factory=list)
    reset: list[Run] = field(default_factory=list)


def actions(pod: Obj, view: PodView, verdict: Verdict, restart_all: bool = False) -> Actions:
    """What is to be done about *pod*, of which the runtime has *view*."""
    if restart_all:
        return Actions(reset=_to_reset(pod, view))
    if view.why_no_sandbox():
        return _anew(pod, view)
    plan = Actions(ephemerals=[one["name"] for one in ephemerals(pod) if view.latest(one["name"]) is None])
    initialized = _init_containers(pod, view, verdict, plan)
    if plan.kill_pod or not initialized:
        return plan
    kept = 0
    for container in mains(pod):
        run = view.latest(container["name"])
        if run is None or run.state != RUNNING:
            if policy.should_start(container, pod, view):
                plan.mains.append(container["name"])
            continue
        kill, again = _why_kill(container, pod, run, verdict)
        if kill is None:
            kept += 1
            continue
        plan.kills.append(kill)
        if again:
            plan.mains.append(container["name"])
    if not kept and not plan.mains:
        plan.kill_pod, plan.inits, plan.ephemerals = True, [], []
    return plan


def _to_reset(pod: Obj, view: PodView) -> list[Run]:
    """Main containers before init containers, those that asked for it last."""
    found: dict[bool, list[Run]] = {False: [], True: []}
    for container in (*mains(pod), *inits(pod)):
        for run in view.of(container["name"]):
            asked = run.state == EXITED and policy.rule(container, run.exit_code) == policy.RESTART_ALL
            found[asked].append(run)
    return found[False] + found[True]


def _anew(pod: Obj, view: PodView) -> Actions:
    """The sandbox is gone, or never was: everything ends, and begins anew if it may."""
    plan = Actions(kill_pod=True, changed=view.attempt >= 0)
    if pod["spec"].get("restartPolicy") == "Never" and plan.changed and view.runs:
        return plan
    starting = [one["name"] for one in mains(pod) if not _done(one, pod, view)]
    if not starting and any_main_made(pod, view):
        return plan
    plan.create_sandbox = True
    if inits(pod):
        plan.inits = [inits(pod)[0]["name"]]
    else:
        plan.mains = starting
    return plan


def _done(container: Obj, pod: Obj, view: PodView) -> bool:
    """Whether it need not run again, as it has ended well."""
    run = view.latest(container["name"])
    once = (container.get("restartPolicy") or pod["spec"].get("restartPolicy")) == "OnFailure"
    return once and run is not None and run.state == EXITED and run.exit_code == 0


def _why_kill(container: Obj, pod: Obj, run: Run, verdict: Verdict) -> tuple[Kill | None, bool]:
    """Why a running main container must go, and whether it starts again."""
    name, again = container["name"], policy.after_kill(container, pod)
    if run.spec.get("image") != container.get("image"):
        return Kill(run, f"Container {name} definition changed, will be restarted"), True
    if verdict(LIVENESS, run.id) is False:
        why, message = LIVENESS, f"Container {name} failed liveness probe"
    elif verdict(STARTUP, run.id) is False:
        why, message = STARTUP, f"Container {name} failed startup probe"
    elif resized(container, run):
        return Kill(run, f"Container {name} resize requires restart", RESIZE), True
    else:
        return None, False
    return Kill(run, f"{message}, will be restarted" if again else message, why), again


def resized(container: Obj, run: Run) -> bool:
    """Whether another amount of something is asked for that *container* gets only when it starts anew."""
    wanted, has = container.get("resources") or {}, run.resources or {}
    for one in container.get("resizePolicy") or ():
        kinds = ("requests", "limits")
        differ = any(_amount(wanted, kind, one) != _amount(has, kind, one) for kind in kinds)
        if differ and one.get("restartPolicy") == "RestartContainer":
            return True
    return False


def _amount(resources: Obj, kind: str, one: Obj) -> object:
    return (resources.get(kind) or {}).get(one["resourceName"])


# -- init containers ---------------------------------------------------------------------------------------------------
def _init_containers(pod: Obj, view: PodView, verdict: Verdict, plan: Actions) -> bool:
    """Add to *plan* what init containers need; whether they are all done."""
    all_of_them = inits(pod)
    if not all_of_them:
        return True
    done = begun = any_main_active(pod, view)
    starting: set[int] = set()
    for number in reversed(range(len(all_of_them))):
        container = all_of_them[number]
        run, sidecar, last = view.active(container["name"]), is_sidecar(container), number == len(all_of_them) - 1
        if run is None:
            if begun and sidecar:
                starting.add(number)
            continue
        if begun and not sidecar:
            continue
        passed = _look(container, pod, view, run, verdict, plan)
        if passed is None:
            starting.add(number)
        elif plan.kill_pod:
            return False
        elif passed:
            done = done or last
            if not last and not begun:
                starting.add(number + 1)
        begun = True
    if not begun:
        starting.add(0)
    plan.inits = [all_of_them[number]["name"] for number in sorted(starting)]
    return done


def _look(container: Obj, pod: Obj, view: PodView, run: Run, verdict: Verdict, plan: Actions) -> bool | None:
    """Whether an init container is done; None: it must be started (again)."""
    name = container["name"]
    if run.state == CREATED:
        return None
    if run.state == RUNNING:
        return _sidecar(container, run, verdict, plan) if is_sidecar(container) else False
    if is_sidecar(container):
        return None
    if run.exit_code == 0:
        return True
    if policy.should_start(find(pod, name), pod, view):
        return None
    plan.kill_pod, plan.inits = True, []
    return False


def _sidecar(container: Obj, run: Run, verdict: Verdict, plan: Actions) -> bool | None:
    """A sidecar that runs: done when it counts as started; it may have to go and start again."""
    name, reason, why = container["name"], "", ""
    started = verdict(STARTUP, run.id) if container.get(STARTUP) else True
    if started is False:
        reason, why = "failed startup probe", STARTUP
    elif started and run.spec.get("image") != container.get("image"):
        reason = "definition changed"
    elif started and container.get(LIVENESS) and verdict(LIVENESS, run.id) is False:
        reason, why = "failed liveness probe", LIVENESS
    if reason:
        plan.kills.append(Kill(run, f"Init container {name} {reason}", why))
        return None
    return bool(started)
