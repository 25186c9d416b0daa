"""A kubelet takes a pod, refuses it, or makes room for it first.

Models k/k pkg/kubelet Kubelet.HandlePodAdditions
Models k/k pkg/kubelet/preemption CriticalPodAdmissionHandler.evictPodsToFreeRequests
"""

from collections.abc import Sequence

from kubemini.api.objects import Obj
from kubemini.kubelet.configuration import Configuration
from kubemini.kubelet.decide.pods import admission
from kubemini.kubelet.decide.pods.table import FINISHED
from kubemini.kubelet.pods.shared import RELIST, WARNING, Attended
from kubemini.sim import Steps

PREEMPTED = "Pod was preempted by Kubelet to accommodate a critical pod."


def admit(
    worker: Attended,
    node: Obj | None,
    others: Sequence[Attended],
    pressures: Sequence[str],
    configuration: Configuration,
) -> Steps:
    """Take the pod, or say why not; *node*: as the kubelet knows it, if it does."""
    if node is not None:
        place = admission.Place(node, [one.pod for one in others], pressures, configuration.sysctls)
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
        one.shared.event(one.pod, WARNING, "Preempting", "Preempted in order to admit critical pod")
        one.evict(None, PREEMPTED)
    while any(one.life.state != FINISHED for one in victims):
        yield worker.shared.component.timeout(RELIST)
    return bool(victims)
