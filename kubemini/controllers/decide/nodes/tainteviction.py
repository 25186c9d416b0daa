"""Taint eviction: a NoExecute taint drives pods off a node, at once or after the time they tolerate it.

Invariant: a pod goes when the shortest of its applicable ``tolerationSeconds`` has passed since this controller first
saw pod and taint together, unless the taint is gone by then; a pod that does not tolerate every taint goes at once. A
further taint does not bring the end of one that waits forward. Nobody asks whether a pod is on its way already.
The clock starts anew when another controller-manager takes over, as in the real one.
Models k/k pkg/controller/tainteviction Controller.processPodOnNode
Models k/component-helpers scheduling/corev1 FindMatchingUntoleratedTaint
"""

from collections.abc import Sequence
from dataclasses import dataclass

from kubemini.api.objects import Obj, get
from kubemini.api.placement.tolerations import tolerates, untolerated
from kubemini.controllers.decide.actions import disrupted
from kubemini.controllers.decide.nodes.taints import NO_EXECUTE
from kubemini.sim.units import SECOND

SAID = "TaintManagerEviction"  # the reason of its Events
CONTROLLER = "taint-eviction-controller"


@dataclass(frozen=True, slots=True)
class Move:
    """What becomes of one pod: *cancel* an eviction that waits; then plan one, *since* and *at* (µs), unless None."""

    cancel: bool = False
    since: int | None = None
    at: int | None = None


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


def plan(pod: Obj, taints: Sequence[Obj], waits_since: int | None, now: int) -> Move:
    """*waits_since*: when the eviction that waits was planned, if one does."""
    if not taints:
        return Move(cancel=True)
    if untolerated(taints, get(pod, "spec", "tolerations") or ()) is not None:
        return Move(cancel=True, since=now, at=now)
    wait = stay(pod, taints)
    if wait is None:
        return Move(cancel=True)
    if waits_since is None:
        return Move(since=now, at=now + wait)
    return Move() if waits_since < now else Move(cancel=True, since=waits_since, at=now + wait)


def doomed(pod: Obj, now: int) -> Obj:
    """*pod* with the condition that says why it is deleted."""
    return disrupted(pod, "DeletionByTaintManager", "Taint manager: deleting due to NoExecute taint", now)


def going(namespace: str, name: str) -> str:
    """What is said when a pod is evicted."""
    return f"Marking for deletion Pod {namespace}/{name}"


def staying(namespace: str, name: str) -> str:
    """What is said when a planned eviction is cancelled."""
    return f"Cancelling deletion of Pod {namespace}/{name}"
