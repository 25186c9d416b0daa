"""How containers are ended: how long they get, and in which order. Pure.

Theory of operation.

All containers of a pod that ends are told at once, and all preStop hooks run at once; only the SIGTERM of a sidecar
waits until the main containers, and the sidecars after it, have ended. It is all one grace: what hooks and waiting have
used up, in whole seconds, is not there for SIGTERM; but two seconds are always.
Models k/k pkg/kubelet/kuberuntime setTerminationGracePeriod kubeGenericRuntimeManager.killContainer terminationOrdering
Models k/k pkg/kubelet calculateEffectiveGracePeriod
"""

from collections.abc import Iterable

from kubemini.api.objects import Obj, get
from kubemini.kubelet.decide.pods.runs import inits, is_sidecar, mains

LEAST = 2  # seconds between SIGTERM and SIGKILL


def grace_of(pod: Obj, container: Obj, why: str) -> int:
    """Seconds for a container that must go; *why*: the kind of probe that has failed, or nothing."""
    deleted = get(pod, "metadata", "deletionGracePeriodSeconds")
    if deleted is not None:
        return int(deleted)
    own = get(pod, "spec", "terminationGracePeriodSeconds")
    if own is None:
        return LEAST
    probes = get(container, why, "terminationGracePeriodSeconds") if why.endswith("Probe") else None
    return int(own if probes is None else probes)


def grace_of_pod(pod: Obj, so_far: int = 0, asked: int | None = None) -> int:
    """Seconds for a pod that ends: it can only become less than *so_far*, and is never 0. *asked*: by an eviction."""
    wishes = [wish for wish in (get(pod, "metadata", "deletionGracePeriodSeconds"), asked) if wish is not None]
    if not wishes and not so_far:
        return max(1, int(get(pod, "spec", "terminationGracePeriodSeconds", default=30)))
    return max(1, min([*map(int, wishes), *filter(None, [so_far])]))


def waits_for(pod: Obj, name: str, running: Iterable[str]) -> list[str]:
    """The containers that must have ended before *name* is told to: only sidecars wait."""
    there = set(running)
    sidecars = [one["name"] for one in inits(pod) if is_sidecar(one)]
    if name not in sidecars:
        return []
    later = sidecars[sidecars.index(name) + 1 : sidecars.index(name) + 2]
    return [one for one in (*(main["name"] for main in mains(pod)), *later) if one in there]


def left(grace: int, hook: int) -> int:
    """Seconds that are left of *grace* after *hook* µs."""
    return grace - hook // 1_000_000
