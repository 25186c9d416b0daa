"""Containers are ended: hook, order, SIGTERM, SIGKILL, all in one grace.

Models k/k pkg/kubelet/kuberuntime kubeGenericRuntimeManager.killContainer
kubeGenericRuntimeManager.killContainersWithSyncResult kubeGenericRuntimeManager.executePreStopHook
"""

from collections.abc import Sequence

import simpy

from kubemini.api.objects import get
from kubemini.kubelet.decide.behaviour import behaviour_time
from kubemini.kubelet.decide.pods import ending
from kubemini.kubelet.decide.pods.runs import EXITED, Run
from kubemini.kubelet.pods.hooks import run_hook
from kubemini.kubelet.pods.shared import NORMAL, WARNING, Attended
from kubemini.sim import Steps
from kubemini.sim.units import SECOND
from kubemini.wire.rpc import happen


def kill(
    worker: Attended,
    run: Run,
    message: str = "",
    why: str = "",
    grace: int | None = None,
    running: Sequence[str] | None = None,
) -> Steps:
    """End one run: it is over when this returns. *grace*: seconds, if others than the pod's own count.

    *running*: all that end together, if there is an order among them.
    """
    shared, pod = worker.shared, worker.pod
    container = run.spec
    shared.event(pod, NORMAL, "Killing", message or f"Stopping container {run.name}", run.name)
    left = ending.grace_of(pod, container, why) if grace is None else grace
    shared.containers.leaves(worker.uid, for_good=running is not None)
    hook = get(container, "lifecycle", "preStop")
    if hook and left > 0:
        left -= (yield from _pre_stop(worker, run, left)) // SECOND
    if running is not None and left > 0:
        left -= (yield from _turn(worker, run, left, running)) // SECOND
    yield from _stop(worker, run, max(left, ending.LEAST) * SECOND)


def _pre_stop(worker: Attended, run: Run, grace: int) -> Steps:
    """Run the hook, but for no longer than *grace* seconds: how long it took (µs)."""
    shared, container = worker.shared, run.spec
    began = shared.now
    event = simpy.Event(shared.component.sim)

    def hook() -> Steps:
        wrong = yield from run_hook(worker, container, run, container["lifecycle"]["preStop"])
        if wrong is not None:
            shared.event(worker.pod, WARNING, "FailedPreStopHook", "PreStopHook failed", run.name)
        _unless_done(event)

    task = shared.component.spawn(hook())
    if not task.done:
        timer = shared.component.after(grace * SECOND, _unless_done, event)
        if event.callbacks is not None:
            yield event
        timer.cancel()
    return shared.now - began


def _unless_done(event: simpy.Event) -> None:
    if event.callbacks is not None:
        happen(event, None)


def _turn(worker: Attended, run: Run, grace: int, running: Sequence[str]) -> Steps:
    """Wait until it is this container's turn, but for no longer than *grace* seconds (µs that it took)."""
    shared, began = worker.shared, worker.shared.now
    deadline = began + grace * SECOND
    for name in ending.waits_for(worker.pod, run.name, running):
        sandbox = shared.containers.of_pod.get(worker.uid)
        other = sandbox.view.latest(name) if sandbox is not None else None
        if other is None or other.state == EXITED or shared.now >= deadline:
            continue
        yield shared.ended_or(other.id, deadline - shared.now)
    return shared.now - began


def _stop(worker: Attended, run: Run, grace: int) -> Steps:
    """SIGTERM, and wait for the end."""
    shared, uid = worker.shared, worker.uid
    sandbox = shared.containers.of_pod.get(uid)
    if sandbox is None or all(one.id != run.id or one.state == EXITED for one in sandbox.view.runs):
        return
    asked = behaviour_time(worker.pod, "stop-after")
    exits_in = shared.draw(worker.key[1], shared.params.pod_stop) if asked is None else asked
    shared.containers.stop(uid, run, grace, exits_in)
    if any(one.id == run.id and one.state != EXITED for one in sandbox.view.runs):
        yield shared.when_ended(run.id)


def kill_all(worker: Attended, runs: Sequence[Run], grace: int | None = None) -> Steps:
    """End all of *runs* at once, sidecars last."""
    shared = worker.shared
    if not runs:
        return
    shared.containers.leaves(worker.uid, for_good=True)
    names = [run.name for run in runs]
    left = len(runs)
    event = simpy.Event(shared.component.sim)

    def one(run: Run) -> Steps:
        nonlocal left
        yield from kill(worker, run, grace=grace, running=names)
        left -= 1
        if not left:
            _unless_done(event)

    for run in runs:
        shared.component.spawn(one(run))
    if left:
        yield event
