"""Pod garbage collection: a pod that is bound to a node which no longer exists is removed, without asking its kubelet.

Invariant: the node must have been missing for 40 s: a node that is only late in the cache costs no pod. A pod that has
not ended is marked Failed first, so that whoever made it knows.
Models k/k pkg/controller/podgc PodGCController.gcOrphaned
Simplified: no round every 20 s, no limit on finished pods (--terminated-pod-gc-threshold), no out-of-service taint.
"""

from collections.abc import Iterable

from kubemini.api.objects import Obj, evolve, get
from kubemini.controllers.decide.actions import Action, Delete, UpdateStatus, disrupted, is_finished


def collect(pods: Iterable[Obj], node: Obj | None, now: int) -> list[Action]:
    """What becomes of the *pods* of a node, *node* being what the API says of it after the quarantine."""
    steps: list[Action] = []
    for pod in pods if node is None else ():
        if not get(pod, "spec", "nodeName"):
            continue
        if not is_finished(pod):
            marked = disrupted(pod, "DeletionByPodGC", "PodGC: node no longer exists", now)
            steps.append(UpdateStatus(evolve(marked, ("status", "phase"), "Failed")))
        steps.append(Delete(pod, grace=0))
    return steps
