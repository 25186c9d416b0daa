"""One turn of a pod that lives: tell how it is, then do what `actions` says, in order.

Theory of operation.

The status is told first, and what is done comes after it: so it is the next turn that tells what came of this one. A
turn that has made a sandbox, or started or ended a container, is followed by another (the runtime's news). What could
not be started leaves its reason for the next status.
Models k/k pkg/kubelet Kubelet.SyncPod
Models k/k pkg/kubelet/kuberuntime kubeGenericRuntimeManager.SyncPod kubeGenericRuntimeManager.createPodSandbox
"""

from collections.abc import Sequence
from dataclasses import dataclass

from kubemini.api.kinds import KNOWN, SECRET
from kubemini.host.linux.podnetwork import NoNetwork
from kubemini.kubelet.decide import sandboxes
from kubemini.kubelet.decide.pods import images, policy
from kubemini.kubelet.decide.pods.actions import Actions, actions
from kubemini.kubelet.decide.pods.relists import RELIST
from kubemini.kubelet.decide.pods.runs import RUNNING, PodView, find, is_sidecar
from kubemini.kubelet.decide.pods.told.phases import ENDED
from kubemini.kubelet.pods.finds.volumes import Volumes
from kubemini.kubelet.pods.killing import kill, kill_all
from kubemini.kubelet.pods.resizing import Resizing
from kubemini.kubelet.pods.shared import NORMAL, WARNING, Attended
from kubemini.kubelet.pods.starting import Failed, Starting
from kubemini.sim import Steps

RUNTIME_CLASS = KNOWN["node.k8s.io/v1", "RuntimeClass"]


@dataclass(slots=True)
class Result:
    """What came of a turn. *until*: the first end of a back-off, if a back-off is why it failed."""

    terminal: bool = False
    failed: bool = False
    changed: bool = False
    until: int | None = None

    def count(self, failed: Failed | None) -> None:
        """A container was started, or was not."""
        self.changed = self.changed or failed is None or failed.made
        if failed is not None:
            self.failed = True
            if failed.until is not None:
                self.until = failed.until if self.until is None else min(self.until, failed.until)


class Syncing:
    """Of one worker."""

    def __init__(self, worker: Attended, resizing: Resizing):
        self.resizing = resizing
        self.worker, self.shared = worker, worker.shared
        self.volumes = Volumes(worker)
        self._starting = Starting(worker, self.volumes)

    def run(self) -> Steps:
        """Take the turn."""
        worker, result = self.worker, Result()
        self._starting.end()
        view = self.shared.view(worker.uid)
        self.resizing.look(view)
        found = worker.made_up()
        worker.statuses.set(worker, found)
        if found["phase"] in ENDED:
            return Result(terminal=True)
        if worker.is_static:
            yield from self.shared.reconcile(worker)
        if not (yield from self.volumes.mounted()):
            return Result(failed=True)
        worker.probing.add(worker)
        restart_all = policy.could_restart_all(worker.pod) and policy.all_restart(worker.pod, view, found)
        restart_all = restart_all and not policy.cleaned_up(worker.pod, view)
        plan = actions(worker.pod, view, worker.probing.verdict, restart_all)
        yield from self._clear(plan, view, result)
        if plan.create_sandbox and not (yield from self._make_sandbox(plan, result)):
            return result
        yield from self._start(plan, view, result)
        if result.failed:
            yield from self._miss_secrets()
        if self.resizing.actuate(self.shared.containers.view(worker.uid)):
            result.changed = True
            yield self.shared.component.timeout(RELIST // 2)
        return result

    def _clear(self, plan: Actions, view: PodView, result: Result) -> Steps:
        """End what must go."""
        worker, pod = self.worker, self.worker.pod
        if plan.create_sandbox and plan.changed:
            text = "Pod sandbox changed, it will be killed and re-created."
            self.shared.event(pod, NORMAL, "SandboxChanged", text)
        if plan.kill_pod:
            result.changed = bool(view.running()) or view.ready
            yield from kill_all(worker, view.running())
            if view.attempt >= 0:
                self.shared.containers.stop_sandbox(worker.uid)
                self._sandbox_is_another()
            return
        for one in plan.kills:
            result.changed = True
            self.worker.life.killing = one.run.name in plan.mains
            yield from kill(worker, one.run, one.message, one.why)
            self.worker.life.killing = False
        for run in plan.reset:
            result.changed = True
            if run.state == RUNNING:
                yield from kill(worker, run, "killing", grace=0)
            self.shared.containers.remove_run(worker.uid, run)

    def _make_sandbox(self, plan: Actions, result: Result) -> Steps:
        """A network and a sandbox; whether there is one now."""
        worker, shared = self.worker, self.shared
        pod, namespace, name = worker.pod, *worker.key
        for text in shared.host.dns_complaints(pod):
            shared.event(pod, WARNING, sandboxes.DNS, text)
        took = self._starting.begin()
        wrong, handler = "", (yield from self._handler())
        if shared.containers.down:
            wrong = sandboxes.NOBODY
        elif trouble := sandboxes.runtime_trouble(pod, handler):
            wrong = sandboxes.complaint(trouble.format(shared.fresh_id(name)))
        else:
            try:
                shared.containers.run_sandbox(pod).volumes = self.volumes.folders
            except NoNetwork as error:
                wrong = sandboxes.complaint(str(error))
        if wrong:
            message = sandboxes.message(wrong)
            shared.component.sim.record(shared.component.name, "sandbox", pod=f"{namespace}/{name}", message=message)
            shared.event(pod, WARNING, sandboxes.REASON, message)
            result.failed = True
            return False
        yield shared.component.timeout(took)
        if worker.uid not in shared.containers.of_pod:
            return False
        shared.containers.sandbox_is_ready(worker.uid)
        result.changed = True
        if shared.params.kubelet_details:
            worker.statuses.sandbox_is_ready(worker)
        self._sandbox_is_another()
        return True

    def _sandbox_is_another(self) -> None:
        """The runtime tells of sandboxes, too."""
        if self.shared.params.kubelet_details:
            self.worker.wake_later()

    def _handler(self) -> Steps:
        """By which handler of the runtime the pod wants to be run."""
        name = self.worker.pod["spec"].get("runtimeClassName")
        if not name or not self.shared.params.kubelet_details:
            return ""
        reply = yield from self.shared.client.get(RUNTIME_CLASS, name)
        return str(reply.value.get("handler", "")) if reply.ok else ""

    def _start(self, plan: Actions, view: PodView, result: Result) -> Steps:
        """Ephemeral containers, init containers, as far as they come, then main containers, one after the other."""
        pod = self.worker.pod
        for name in plan.ephemerals:
            result.count((yield from self._starting.run(find(pod, name), view, 1)))
        for name in plan.inits:
            failed = yield from self._starting.run(find(pod, name), view, len(plan.inits))
            result.count(failed)
            if failed is not None and not is_sidecar(find(pod, name)):
                return
        if plan.mains and not plan.create_sandbox:
            self._say_that_it_begins(plan.mains, view)
        for name in plan.mains:
            result.count((yield from self._starting.run(find(pod, name), view, len(plan.mains))))

    def _miss_secrets(self) -> Steps:
        """An image could not be pulled: say which of the secrets for it are not there."""
        worker, pod = self.worker, self.worker.pod
        tried = [one for one, _ in worker.life.reasons.values()]
        names = [one["name"] for one in pod["spec"].get("imagePullSecrets") or () if one.get("name")]
        missing = []
        for name in names if "ErrImagePull" in tried and self.shared.params.kubelet_details else ():
            reply = yield from self.shared.client.get(SECRET, name, worker.key[0])
            missing += [] if reply.ok else [name]
        if missing:
            text = images.NO_SECRETS.format(", ".join(missing))
            self.shared.event(pod, WARNING, "FailedToRetrieveImagePullSecret", text)

    def _say_that_it_begins(self, names: Sequence[str], view: PodView) -> None:
        """The trace tells of a start of main containers that follows the end of all."""
        pod = self.worker.pod
        mains = {one["name"] for one in pod["spec"]["containers"]}
        kept = any(run.name in mains and run.name not in names for run in view.running())
        if not kept and any(self._starting.may_start(find(pod, name), view) for name in names):
            self.shared.containers.begins(self.worker.uid)
