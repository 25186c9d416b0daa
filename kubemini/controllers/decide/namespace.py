"""Namespace controller: what is in a deleted namespace goes first, pods before all else; then the namespace. Pure.

Invariant: while a pod of it is left, nothing but pods is deleted; the finalizer ``kubernetes`` goes when all is gone.
Models k/k pkg/controller/namespace/deletion namespacedResourcesDeleter.Delete
Models k/k pkg/controller/namespace/deletion namespaceConditionUpdater.Update
Simplified: discovery never fails; what nobody acts on stays; content is deleted object by object, not as a collection.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kubemini.api.kinds import Kind, acted_on, stored
from kubemini.api.objects import Obj, evolve, freeze, get
from kubemini.api.timestamps import timestamp
from kubemini.controllers.decide.actions import condition, is_finished, terminating
from kubemini.sim.units import SECOND

FINALIZER = "kubernetes"
FIRST_LOOK = 5 * SECOND  # after the mark, so that API servers that lag let nothing in any more
HELD = 15  # seconds until another look at what a finalizer keeps
GOOD = {
    "NamespaceDeletionDiscoveryFailure": ("ResourcesDiscovered", "All resources successfully discovered"),
    "NamespaceDeletionGroupVersionParsingFailure": ("ParsedGroupVersions", "All legacy kube types successfully parsed"),
    "NamespaceDeletionContentFailure": (
        "ContentDeleted",
        "All content successfully deleted, may be waiting on finalization",
    ),
    "NamespaceContentRemaining": ("ContentRemoved", "All content successfully removed"),
    "NamespaceFinalizersRemaining": ("ContentHasNoFinalizers", "All content-preserving finalizers finished"),
}
Left = Mapping[Kind, Sequence[Obj]]


def content(every: bool = False) -> list[Kind]:
    """The kinds that a namespace may hold, as discovery tells them; *every*: not only those of a story."""
    return [kind for kind in (stored() if every else acted_on()) if kind.namespaced]


def is_done(namespace: Obj) -> bool:
    """Whether this controller has nothing (more) to do with it."""
    return not terminating(namespace) or FINALIZER not in (get(namespace, "spec", "finalizers") or ())


def grace_left(pods: Iterable[Obj]) -> int:
    """The longest time (seconds) that a pod may take to end."""
    running = [pod for pod in pods if not is_finished(pod)]
    return max((get(pod, "spec", "terminationGracePeriodSeconds", default=30) for pod in running), default=0)


def look_again_in(left: Left) -> int:
    """µs until another look at a namespace in which this is *left* after everything was deleted."""
    pods = [obj for kind, objects in left.items() if kind.kind == "Pod" for obj in objects]
    held = any(obj["metadata"].get("finalizers") for objects in left.values() for obj in objects)
    seconds = max(grace_left(pods), HELD if held else 0)
    return (seconds // 2 + 1) * SECOND


def reported(left: Left) -> Left:
    """What of *left* the conditions speak of: not pods that are only taking their time."""
    slow = grace_left([obj for kind, objects in left.items() if kind.kind == "Pod" for obj in objects])
    return {kind: objects for kind, objects in left.items() if objects and not (kind.kind == "Pod" and slow)}


def with_conditions(namespace: Obj, left: Left, now: int) -> Obj:
    """*namespace* with the conditions that tell how far its deletion has come; itself if they do already."""
    said = dict(GOOD)
    remaining = reported(left)
    bad: dict[str, tuple[str, str]] = {}
    if remaining:
        counted = ((f"{kind.plural}.{kind.group}", len(found)) for kind, found in remaining.items())
        parts = [f"{resource} has {number} resource instances" for resource, number in sorted(counted)]
        bad["NamespaceContentRemaining"] = ("SomeResourcesRemain", f"Some resources are remaining: {', '.join(parts)}")
    finalizers = Counter(
        f for found in remaining.values() for obj in found for f in obj["metadata"].get("finalizers") or ()
    )
    if finalizers:
        text = ", ".join(f"{name} in {finalizers[name]} resource instances" for name in sorted(finalizers))
        why = f"Some content in the namespace has finalizers remaining: {text}"
        bad["NamespaceFinalizersRemaining"] = ("SomeFinalizersRemain", why)
    wanted = [_condition(namespace, type, type in bad, *bad.get(type, said[type]), now) for type in said]
    held = get(namespace, "status", "conditions", default=None) or []
    others = [found for found in held if found["type"] not in said]
    after = freeze([*others, *wanted])
    return namespace if after == held else evolve(namespace, ("status", "conditions"), after)


def _condition(namespace: Obj, type: str, holds: bool, reason: str, message: str, now: int) -> dict[str, Any]:
    before, status = condition(namespace, type), "True" if holds else "False"
    same = [get(before, part) for part in ("status", "reason", "message")] == [status, reason, message]
    stamp = get(before, "lastTransitionTime") if same else timestamp(now)
    return {"type": type, "status": status, "lastTransitionTime": stamp, "reason": reason, "message": message}


def finalized(namespace: Obj) -> Obj:
    """*namespace* without the finalizer of this controller."""
    return evolve(namespace, ("spec", "finalizers"), [f for f in namespace["spec"]["finalizers"] if f != FINALIZER])
