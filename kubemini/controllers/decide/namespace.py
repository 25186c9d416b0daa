"""Namespace controller: what is in a deleted namespace goes first, pods before all else; then the namespace. Pure.

Invariant: while a pod of it is left, nothing but pods is deleted; the finalizer ``kubernetes`` goes when all is gone.
Models k/k pkg/controller/namespace/deletion namespacedResourcesDeleter.Delete
Models k/k pkg/controller/namespace/deletion namespaceConditionUpdater.Update
Simplified: in a story, what nobody acts on stays, and content is deleted object by object, not as a collection. Of a
kind of which there is nothing, nothing is deleted.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from kubemini.api.kinds import POD, Kind, acted_on, stored
from kubemini.api.objects import Obj, evolve, freeze, get
from kubemini.api.timestamps import instant, timestamp
from kubemini.controllers.decide.actions import condition, is_finished, terminating
from kubemini.sim.units import MS, SECOND

FINALIZER = "kubernetes"
FIRST_LOOK = 5 * SECOND  # after the mark, so that API servers that lag let nothing in any more
HELD = 15  # seconds until another look at what a finalizer keeps
BACKOFF = (5 * MS, 60 * SECOND)  # nsControllerRateLimiter: after a failure it is back within a minute
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


def content(every: bool = False) -> list[Kind]:
    """The kinds that a namespace may hold, as discovery tells them; *every*: not only those of a story."""
    return [kind for kind in (stored() if every else acted_on()) if kind.namespaced]


def is_done(namespace: Obj) -> bool:
    """Whether this controller has nothing (more) to do with it: also others' finalizers keep it at work."""
    return not terminating(namespace) or not get(namespace, "spec", "finalizers")


@dataclass(slots=True)
class Content:
    """What was found in a namespace: ``left`` after everything was deleted, and what could not be done at all.

    ``grace``: the longest time (seconds) that a pod may take, as they were before; 0 when it is over. ``refused``:
    kind → why its objects could not be listed or deleted; ``undiscovered``: why kinds may be missing.
    """

    grace: int = 0
    left: dict[Kind, Sequence[Obj]] = field(default_factory=dict)
    refused: dict[Kind, str] = field(default_factory=dict)
    undiscovered: str = ""

    def wait(self, kind: Kind) -> int:
        """The time (seconds) that the rest of *kind* may take; 0: it should be gone, or nobody knows."""
        grace = self.grace if kind == POD else 0
        return grace or (HELD if _finalizers(self.left[kind]) else 0)

    def failures(self, namespace: Obj) -> list[str]:
        """All that went wrong, in order of the texts: the namespace is looked at again soon, and then ever later."""
        found = list(self.refused.values())
        for kind, objects in self.left.items():
            if objects and not self.wait(kind):
                of = f"{kind.group}/{kind.version}, Resource={kind.plural}"
                found.append(
                    f"unexpected items still remain in namespace: {namespace['metadata']['name']} for gvr: {of}"
                )
        return sorted(found)


def _finalizers(objects: Iterable[Obj]) -> Counter[str]:
    return Counter(name for obj in objects for name in obj["metadata"].get("finalizers") or ())


def grace_left(namespace: Obj, pods: Iterable[Obj], now: int) -> int:
    """The longest time (seconds) that one of *pods* may take to end; 0 when it is over, as if it were none."""
    running = [pod for pod in pods if not is_finished(pod)]
    grace = max((get(pod, "spec", "terminationGracePeriodSeconds", default=30) for pod in running), default=0)
    passed = now - instant(namespace["metadata"]["deletionTimestamp"])
    return 0 if passed >= grace * SECOND else int(grace)


def look_again_in(content: Content) -> int:
    """µs until another look at a namespace in which something is left after everything was deleted."""
    return (max(content.wait(kind) for kind, found in content.left.items() if found) // 2 + 1) * SECOND


def with_conditions(namespace: Obj, content: Content, now: int) -> Obj:
    """*namespace* with the conditions that tell how far its deletion has come; itself if they do already.

    While a pod is left, they do not speak of what remains.
    """
    said = dict(GOOD)
    remaining = {} if content.left.get(POD) else {kind: found for kind, found in content.left.items() if found}
    bad: dict[str, tuple[str, str]] = {}
    if content.undiscovered:
        bad["NamespaceDeletionDiscoveryFailure"] = ("DiscoveryFailed", content.undiscovered)
    failures = content.failures(namespace)
    if failures:
        text = f"Failed to delete all resource types, {len(failures)} remaining: {', '.join(failures)}"
        bad["NamespaceDeletionContentFailure"] = ("ContentDeletionFailed", text)
    if remaining:
        counted = ((f"{kind.plural}.{kind.group}", len(found)) for kind, found in remaining.items())
        parts = [f"{resource} has {number} resource instances" for resource, number in sorted(counted)]
        bad["NamespaceContentRemaining"] = ("SomeResourcesRemain", f"Some resources are remaining: {', '.join(parts)}")
    finalizers = _finalizers(obj for found in remaining.values() for obj in found)
    if finalizers:
        text = ", ".join(f"{name} in {finalizers[name]} resource instances" for name in sorted(finalizers))
        why = f"Some content in the namespace has finalizers remaining: {text}"
        bad["NamespaceFinalizersRemaining"] = ("SomeFinalizersRemain", why)
    due = {type: _condition(namespace, type, type in bad, *bad.get(type, said[type]), now) for type in said}
    held = get(namespace, "status", "conditions", default=None) or []
    kept = [due.pop(found["type"], found) for found in held]
    after = freeze([*kept, *due.values()])
    return namespace if after == held else evolve(namespace, ("status", "conditions"), after)


def _condition(namespace: Obj, type: str, holds: bool, reason: str, message: str, now: int) -> dict[str, Any]:
    before, status = condition(namespace, type), "True" if holds else "False"
    stamp = get(before, "lastTransitionTime") if get(before, "status") == status else timestamp(now)
    return {"type": type, "status": status, "lastTransitionTime": stamp, "reason": reason, "message": message}


def finalized(namespace: Obj) -> Obj:
    """*namespace* without the finalizer of this controller."""
    others = {found for found in namespace["spec"]["finalizers"] if found != FINALIZER}
    return evolve(namespace, ("spec", "finalizers"), sorted(others))
