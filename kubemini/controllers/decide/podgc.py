"""Pod garbage collection: a pod that is bound to a node which no longer exists is removed, without asking its kubelet.

Invariant: the node must have been missing for 40 s: a node that is only late in the cache costs no pod.
k/k pkg/controller/podgc/gc_controller.go.
Simplified: no limit on finished pods (--terminated-pod-gc-threshold 12500), no out-of-service taint.
"""

from collections.abc import Iterable

from kubemini.api.objects import Obj, get
from kubemini.controllers.decide.actions import Delete


def collect(pods: Iterable[Obj], node: Obj | None) -> list[Delete]:
    """The *pods* of a node to remove at once, *node* being what the API says of it after the quarantine."""
    return [] if node is not None else [Delete(pod, grace=0) for pod in pods if get(pod, "spec", "nodeName")]
