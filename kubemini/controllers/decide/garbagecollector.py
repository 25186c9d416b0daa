"""Garbage collection: an object whose owners are all gone goes too; and what DELETE does to those it owns. Pure.

    Background   the owner goes at once, those it owns follow                         (what nobody asks for, and gets)
    Foreground   finalizer ``foregroundDeletion``: it waits until those that block it are gone
    Orphan       finalizer ``orphan``: those it owns forget it, then it goes

Invariant: an owner counts as gone only if the API server itself says so: the controller's own cache may lag, and an
owner of the same name with another UID is another object.
Models k/k pkg/controller/garbagecollector GarbageCollector.attemptToDeleteItem
Models k/k pkg/controller/garbagecollector GarbageCollector.attemptToOrphanWorker
Simplified: Events, Leases and the kinds of networking groups (Ingress, Gateway, policies) own nothing and are nobody's,
so they are not watched, nor are kinds that nobody acts on; no Event says that an owner stands in another namespace.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kubemini.api.kinds import Kind, acted_on, stored
from kubemini.api.objects import Obj, freeze
from kubemini.controllers.decide.actions import Delete, Patch, Plan, terminating

ORPHAN, FOREGROUND = "orphan", "foregroundDeletion"
NETWORKING = "networking.k8s.io"  # and gateway.networking.k8s.io, policy.networking.k8s.io
GONE, LEAVING, THERE = "gone", "leaving", "there"  # LEAVING: it waits for those it owns


def kinds(every: bool = False) -> list[Kind]:
    """The kinds whose objects may be owned, as discovery tells them; *every*: not only those of a story."""
    if every:
        return [kind for kind in stored() if kind.kind not in ("Event", "Lease")]
    return [kind for kind in acted_on() if kind.kind not in ("Event", "Lease") and not kind.group.endswith(NETWORKING)]


def owners(obj: Obj) -> list[Obj]:
    """Its owner references."""
    return list(obj["metadata"].get("ownerReferences") or ())


def holds_back(obj: Obj, uid: str) -> bool:
    """Whether an owner that is deleted in the foreground waits for *obj*."""
    return any(reference["uid"] == uid and reference.get("blockOwnerDeletion") for reference in owners(obj))


def astray(objects: Iterable[Obj], known: Mapping[str, Obj]) -> list[Obj]:
    """Those of *objects* that name an owner which is not *known* (by UID), or not as they say: worth a closer look."""
    return [obj for obj in objects if any(not _fits(ref, obj, known.get(ref["uid"])) for ref in owners(obj))]


def _fits(reference: Obj, obj: Obj, owner: Obj | None) -> bool:
    """Whether the *owner* of that UID has the name that the reference of *obj* gives it, and stands beside *obj*."""
    if owner is None:
        return False
    named = all(owner.get(part) == reference[part] for part in ("apiVersion", "kind"))
    where = owner["metadata"].get("namespace")
    beside = where is None or where == obj["metadata"].get("namespace")
    return named and beside and owner["metadata"]["name"] == reference["name"]


def waits(obj: Obj, finalizer: str) -> bool:
    """Whether *obj* is on its way out and asks this controller for what *finalizer* stands for."""
    return terminating(obj) and finalizer in (obj["metadata"].get("finalizers") or ())


# -- what becomes of an object -----------------------------------------------------------------------------------------
def plan(obj: Obj, states: Mapping[str, str], dependents: Sequence[Obj]) -> Plan:
    """What becomes of *obj*, given the state of each owner by its UID, and those that *obj* owns itself.

    If one of these waits as well, the two wait for each other: then *obj* holds nobody back any more.
    """
    held = owners(obj)
    left = [reference for reference in held if states[reference["uid"]] == THERE]
    if terminating(obj) or len(left) == len(held):
        return Plan()
    if left:
        return Plan((_with_owners(obj, left),))
    if dependents and LEAVING in states.values():
        if any(waits(dependent, FOREGROUND) for dependent in dependents):
            return Plan((_with_owners(obj, [{**reference, "blockOwnerDeletion": False} for reference in held]),))
        return Plan((Delete(obj, policy="Foreground"),))
    return Plan((Delete(obj, policy=_asked(obj)),))


def _asked(obj: Obj) -> str:
    """What its finalizers say already; else those it owns follow in the background."""
    held = obj["metadata"].get("finalizers") or ()
    return "Orphan" if ORPHAN in held else "Foreground" if FOREGROUND in held else "Background"


def _with_owners(obj: Obj, references: Sequence[Mapping[str, Any]] | None) -> Patch:
    return _patched(obj, "ownerReferences", references)


# -- what becomes of an owner that waits -------------------------------------------------------------------------------
def orphan(owner: Obj, dependents: Sequence[Obj]) -> Plan:
    """Those it owns forget it; then it may go."""
    uid = owner["metadata"]["uid"]
    forgetting = []
    for dependent in dependents:
        left = [reference for reference in owners(dependent) if reference["uid"] != uid]
        forgetting.append(_with_owners(dependent, left or None))
    return Plan((*forgetting, _without(owner, ORPHAN)))


def foreground(owner: Obj, dependents: Sequence[Obj]) -> Plan:
    """It may go when nobody is left that holds it back."""
    uid = owner["metadata"]["uid"]
    return Plan() if any(holds_back(obj, uid) for obj in dependents) else Plan((_without(owner, FOREGROUND),))


def _without(owner: Obj, finalizer: str) -> Patch:
    left = [found for found in owner["metadata"].get("finalizers") or () if found != finalizer]
    return _patched(owner, "finalizers", left or None)


def _patched(obj: Obj, part: str, value: Any) -> Patch:
    """The patch names the version, so that what has come meanwhile is not lost."""
    meta = obj["metadata"]
    guard = {"uid": meta["uid"], "resourceVersion": meta["resourceVersion"]}
    return Patch(obj, freeze({"metadata": {**guard, part: value}}))
