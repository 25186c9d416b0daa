"""A kubelet takes a pod, refuses it, or makes room for it first.

Models k/k pkg/kubelet Kubelet.HandlePodAdditions
Models k/k pkg/kubelet/preemption CriticalPodAdmissionHandler.evictPodsToFreeRequests
"""

from collections.abc import Sequence

from kubemini.kubelet.decide.pods import admission
from kubemini.kubelet.decide.pods.relists import RELIST
from kubemini.kubelet.decide.pods.table import FINISHED
from kubemini.kubelet.pods.shared import WARNING, Attended
from kubemini.sim import Steps

PREEMPTING = ("Preempting", "Preempted in order to admit critical pod")
PREEMPTED = "Pod was preempted by Kubelet to accommodate a critical pod."


def admit(worker: Attended, place: admission.Place | None, others: Sequence[Attended]) -> Steps:
    """Take the pod, or say why not; *place*: where it is to go, if the kubelet knows."""
    if place is not None:
        found = admission.refusal(worker.pod, place)
        if found is not None and not (yield from _make_room(worker, found, others)):
            worker.reject(found.reason, found.message)
            return
    worker.wake()


def _make_room(worker: Attended, found: admission.Refusal, others: Sequence[Attended]) -> Steps:
    """Whether other pods have ended for the sake of a critical one."""
    if not (found.short and admission.is_critical(worker.pod)):
        return False
    chosen = {pod["metadata"]["uid"] for pod in admission.victims(worker.pod, found.short, [o.pod for o in others])}
    victims = [one for one in others if one.uid in chosen]
    for one in victims:
        one.shared.event(one.pod, WARNING, *PREEMPTING)
        one.evict(PREEMPTING, PREEMPTED, for_good=False)
    while any(one.life.state != FINISHED for one in victims):
        yield worker.shared.component.timeout(RELIST)
    return bool(victims)
