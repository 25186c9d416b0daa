"""The end of a pod: it is said that it ends, its containers are ended, and what came of them is told.

Models k/k pkg/kubelet Kubelet.SyncTerminatingPod
"""

from kubemini.kubelet.decide.pods.ending import grace_of_pod
from kubemini.kubelet.decide.pods.relists import RELIST
from kubemini.kubelet.pods.killing import kill_all
from kubemini.kubelet.pods.shared import Attended
from kubemini.sim import Steps


class Ending:
    """Of one worker."""

    def __init__(self, worker: Attended):
        self.worker, self.shared = worker, worker.shared

    def run(self) -> Steps:
        """End it all."""
        worker, shared, life = self.worker, self.shared, self.worker.life
        if shared.params.kubelet_details and not worker.orphaned:
            worker.statuses.set(worker, worker.made_up())
        worker.probing.stop_but_readiness(worker.uid)
        life.grace = grace_of_pod(worker.pod, life.grace, life.asked)
        view = shared.view(worker.uid)
        running = view.running()
        yield from kill_all(worker, running, life.grace)
        if shared.params.kubelet_details:
            yield shared.component.timeout(RELIST // 2)
        if view.attempt >= 0 and worker.uid in shared.containers.of_pod:
            shared.containers.stop_sandbox(worker.uid)
        worker.probing.forget(worker.uid)
        life.before_end = worker.pod.get("status")
        if not worker.orphaned:
            worker.statuses.set(worker, worker.made_up(terminal=True))
        if life.evicted is not None:  # nothing of it is kept
            yield shared.component.timeout(RELIST)
            shared.containers.remove(worker.uid)
