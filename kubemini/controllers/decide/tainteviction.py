"""Taint eviction: a NoExecute taint drives pods off a node, at once or after the time they tolerate it.

Invariant: a pod goes when the shortest of its applicable ``tolerationSeconds`` has passed since this controller first
saw pod and taint together, unless the taint is gone by then; a pod that does not tolerate every taint goes at once.
Models k/k pkg/controller/tainteviction Controller.processPodOnNode
Models k/component-helpers scheduling/corev1 FindMatchingUntoleratedTaint
The clock starts anew when another controller-manager takes over, as in the real one.
"""

from collections.abc import Sequence

from kubemini.api.objects import Obj, get
from kubemini.api.tolerations import tolerates, untolerated
from kubemini.controllers.decide.actions import disrupted
from kubemini.sim.units import SECOND

NO_EXECUTE = "NoExecute"


def no_execute(node: Obj | None) -> list[Obj]:
    """The NoExecute taints of a node."""
    return [taint for taint in get(node, "spec", "taints", default=None) or () if taint["effect"] == NO_EXECUTE]


def stay(pod: Obj, taints: Sequence[Obj]) -> int | None:
    """How long (µs) *pod* may stay under *taints*: 0 is not at all, None is for ever."""
    tolerations = get(pod, "spec", "tolerations") or ()
    if untolerated(taints, tolerations) is not None:
        return 0
    used = [t for t in tolerations if any(tolerates(t, taint) for taint in taints)]
    limits = [max(0, t["tolerationSeconds"]) for t in used if t.get("tolerationSeconds") is not None]
    return min(limits) * SECOND if limits else None


def doomed(pod: Obj, now: int) -> Obj:
    """*pod* with the condition that says why it is deleted."""
    return disrupted(pod, "DeletionByTaintManager", "Taint manager: deleting due to NoExecute taint", now)
