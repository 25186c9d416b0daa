"""Pod garbage collection: pods that nobody will ever end are removed by force.

Every 20 s, in this order: ended pods beyond --terminated-pod-gc-threshold, those that were evicted and the oldest
first; pods being deleted on a node that is not ready and out of service; pods whose node no longer exists; pods being
deleted that no node ever got.
Invariant: a node must have been missing for 40 s, and be unknown to the API server itself: one that is only late in the
cache costs no pod. A pod that has not ended is marked Failed first, so that whoever made it knows.
Models k/k pkg/controller/podgc PodGCController.gc
Models k/k pkg/controller/podgc PodGCController.markFailedAndDeletePodWithCondition
"""

from collections.abc import Callable, Collection, Iterable

from kubemini.api.objects import Obj, evolve, get
from kubemini.controllers.decide.actions import condition, disrupted, is_finished, terminating
from kubemini.controllers.decide.nodes.taints import OUT_OF_SERVICE

Node = Callable[[str], Obj | None]


def node_name(pod: Obj) -> str:
    """The node that *pod* is bound to; "" if to none."""
    return get(pod, "spec", "nodeName", default="") or ""


def excess(pods: Iterable[Obj], threshold: int) -> list[Obj]:
    """Of the ended ones those to go, if more than *threshold* (0: as many as there are) are kept."""
    ended = sorted((pod for pod in pods if is_finished(pod)), key=_in_turn) if threshold > 0 else []
    return ended[: max(0, len(ended) - threshold)]


def _in_turn(pod: Obj) -> tuple[bool, str, str]:
    evicted = get(pod, "status", "phase") == "Failed" and get(pod, "status", "reason") == "Evicted"
    return not evicted, pod["metadata"]["creationTimestamp"], pod["metadata"]["name"]


def out_of_service(pods: Iterable[Obj], node: Node) -> list[Obj]:
    """Those being deleted whose node is not ready and is said to be out of service."""
    return [pod for pod in pods if terminating(pod) and _is_out(node(node_name(pod)))]


def _is_out(node: Obj | None) -> bool:
    if node is None or (condition(node, "Ready") or {}).get("status") == "True":
        return False
    return any(taint["key"] == OUT_OF_SERVICE for taint in get(node, "spec", "taints") or ())


def orphans(pods: Iterable[Obj], gone: Collection[str]) -> list[Obj]:
    """Those that are bound to one of the nodes that are *gone*."""
    return [pod for pod in pods if node_name(pod) in gone]


def unscheduled(pods: Iterable[Obj]) -> list[Obj]:
    """Those being deleted that were never bound."""
    return [pod for pod in pods if terminating(pod) and not node_name(pod)]


def needed(pod: Obj, node: Node) -> bool:
    """Whether there is something about *pod* that a round may have to deal with, apart from the threshold."""
    name = node_name(pod)
    missing = bool(name) and node(name) is None
    return missing or (terminating(pod) and (not name or _is_out(node(name))))


def failed(pod: Obj, now: int, orphaned: bool = False) -> Obj | None:
    """*pod* in phase Failed, and why if it is *orphaned*; None if it has ended by itself."""
    if is_finished(pod):
        return None
    marked = disrupted(pod, "DeletionByPodGC", "PodGC: node no longer exists", now) if orphaned else pod
    status = {**marked.get("status", {}), "phase": "Failed", "observedGeneration": pod["metadata"].get("generation", 0)}
    return evolve(marked, ("status",), status)
