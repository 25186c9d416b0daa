"""What the API is told of pods, and when: the status manager of one kubelet.

Invariant: a version is sent only if it differs from what was acknowledged, and each pod's versions go in order. What is
held to be true may run ahead of what may be told (decide/pods/status). A pod that the API wants gone is let go when the
last word on it has been acknowledged.
Models k/k pkg/kubelet/status manager.syncPod manager.canBeDeleted
Simplified: the status is written as it is, without a look at the pod before.
"""

from collections.abc import Callable, Mapping
from typing import Any

from kubemini.api.kinds import POD
from kubemini.api.objects import freeze, get
from kubemini.api.timestamps import timestamp
from kubemini.client import WorkQueue
from kubemini.client.client import code
from kubemini.kubelet.decide.pods.table import FINISHED, TERMINATED
from kubemini.kubelet.decide.pods.told import conditions, status
from kubemini.kubelet.pods.shared import Attended, Shared
from kubemini.sim import Steps

WORKERS = 10
OVER = (TERMINATED, FINISHED)
VANISHING = ("reason", "message", "podIP", "podIPs", "containerStatuses", "initContainerStatuses", "conditions")


class Statuses:
    """Of one incarnation of a kubelet; *workers* are its pods."""

    def __init__(self, shared: Shared, workers: Mapping[str, Attended]):
        self.shared, self.workers = shared, workers
        sync = shared.params.pod_status_sync
        self.queue = WorkQueue(shared.component, self._report, workers=WORKERS, backoff=(sync, sync))
        self.queue.start()
        self.over: Callable[[Attended], Steps] = self._let_go  # what is done when a static pod is over

    def set(self, worker: Attended, found: dict[str, Any]) -> None:
        """This is how the pod is."""
        life = worker.life
        if found != life.status or life.deleting or life.state in OVER:
            life.status = found
            self.queue.add(life.uid)
        self._show(worker)

    def _show(self, worker: Attended) -> None:
        """The trace says whether a pod that serves is ready."""
        sandbox = self.shared.containers.of_pod.get(worker.uid)
        if sandbox is not None and sandbox.listens and not sandbox.leaving and not worker.life.killing:
            ready = conditions.status_of(worker.life.status, conditions.CONTAINERS_READY) == "True"
            self.shared.containers.say_ready(worker.uid, ready)

    def sandbox_is_ready(self, worker: Attended) -> None:
        """A version of its own says so, before anything else. Models k/k pkg/kubelet Kubelet.OnPodSandboxReady"""
        if worker.life.status is None:
            return
        type, generation = "PodReadyToStartContainers", worker.pod["metadata"].get("generation")
        stamp = timestamp(self.shared.wall)
        made = conditions.written(type, (True, {}), generation, worker.life.status, stamp)
        told = [made if one["type"] == type else one for one in worker.life.status["conditions"]]
        self.set(worker, {**worker.life.status, "conditions": told})

    def forget_answer(self, worker: Attended) -> None:
        """Somebody else has written: say it again."""
        worker.reported = None
        self.queue.add(worker.uid)

    def _report(self, uid: str) -> Steps:
        """Send the status if it is news; then, for a pod that is over, let it go. Anything but None: try again."""
        worker = self.workers.get(uid)
        if worker is None or worker.life.status is None:
            return None
        life = worker.life
        if worker.is_static and not worker.written_uid:  # nobody sees it yet
            return None
        over = life.state in OVER
        telling = freeze(status.told(worker.life.status, worker.known(), not over))
        if telling != worker.reported:
            reply = yield from self._send(worker, telling)
            if not reply.ok and code(reply) != 404:
                return reply.error
            worker.reported = telling
            worker.version = int(reply.value["metadata"]["resourceVersion"]) if reply.ok else worker.version
        if life.state == FINISHED and worker.is_static:
            return (yield from self.over(worker))
        if life.state == FINISHED and life.deleting and life.status is not None:
            return (yield from self._let_go(worker))
        return None

    def _send(self, worker: Attended, telling: Any) -> Steps:
        """One version; what was there before and is no more, goes."""
        before = worker.known()
        gone = {key: None for key in VANISHING if get(before, key) and key not in telling}
        namespace, name = worker.life.key
        body = {"metadata": {"uid": worker.written_uid}, "status": {**gone, **telling}}
        return (yield from self.shared.client.patch(POD, name, namespace, body, "status"))

    def _let_go(self, worker: Attended) -> Steps:
        """Delete the pod for good: its containers are gone."""
        namespace, name = worker.life.key
        reply = yield from self.shared.client.delete(
            POD, name, namespace, gracePeriodSeconds=0, preconditions={"uid": worker.written_uid}
        )
        if not reply.ok and code(reply) not in (404, 409):
            return reply.error
        self.shared.containers.remove(worker.uid)
        return None
