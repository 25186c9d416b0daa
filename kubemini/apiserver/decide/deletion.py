"""What a DELETE does to an object: gone at once, marked and given time, or kept by its finalizers. Pure.

Invariant: an object leaves the store only when nobody's time and no finalizer is left; the time can only be shortened.
Models k/apiserver pkg/registry/rest BeforeDelete, pkg/registry/generic/registry deletionFinalizersForGarbageCollection,
k/k pkg/registry/core/pod podStrategy.CheckGracefulDelete.
"""

from collections.abc import Mapping

from kubemini.api import errors
from kubemini.api.errors import ApiError
from kubemini.api.kinds import Kind, kind_of
from kubemini.api.objects import Obj, evolve_many, get, without
from kubemini.api.timestamps import instant, timestamp
from kubemini.apiserver import served
from kubemini.apiserver.decide.options import Options
from kubemini.sim.units import SECOND

ORPHAN, FOREGROUND = "orphan", "foregroundDeletion"
OLDER_WORD: dict[bool | None, str] = {True: "Orphan", False: "Background"}  # orphanDependents
DEFAULT_GRACE = 30  # seconds


class Remove:
    """A decision to take the object out of the store; *last* is its final state."""

    __slots__ = ("last",)

    def __init__(self, last: Obj):
        self.last = last


def delete(obj: Obj, options: Options, now: int, kind: Kind | None = None) -> "Obj | Remove | ApiError":
    """What becomes of *obj*: a changed object to store, its removal, or a refusal. *now* in µs."""
    kind = kind or kind_of(obj)
    refused = _precondition(kind, obj, options.preconditions)
    if refused:
        return refused
    keeps = served.of(kind).kept
    if keeps is not None and "deletionTimestamp" not in obj["metadata"]:
        return keeps(obj, now)
    marked = _with_finalizers(served.of(kind), _marked(served.of(kind), obj, _grace(obj, options), now), options)
    if not finished(marked):
        return marked
    known = obj["kind"] == "Pod" or "deletionTimestamp" in obj["metadata"]
    return Remove(marked if known else obj)  # what goes at once, and is no pod, was never marked


def finished(obj: Obj) -> bool:
    """Whether a marked object may go: no finalizer, no time left, no content."""
    meta = obj["metadata"]
    if "deletionTimestamp" not in meta or meta.get("finalizers") or meta.get("deletionGracePeriodSeconds"):
        return False
    return not (obj["kind"] == "Namespace" and get(obj, "spec", "finalizers"))


def _precondition(kind: Kind, obj: Obj, wanted: Mapping[str, str]) -> ApiError | None:
    meta = obj["metadata"]
    for field, what in (("uid", "UID"), ("resourceVersion", "ResourceVersion")):
        if wanted.get(field) and wanted[field] != meta[field]:
            return errors.precondition_failed(kind, meta["name"], what, wanted[field], meta[field])
    return None


def _grace(obj: Obj, options: Options) -> int:
    """Seconds that this deletion gives; only pods that have a node and still run get any."""
    if obj["kind"] != "Pod":
        return 0
    asked = options.grace
    grace = get(obj, "spec", "terminationGracePeriodSeconds", default=DEFAULT_GRACE) if asked is None else asked
    ended = get(obj, "status", "phase") in ("Failed", "Succeeded")
    if not get(obj, "spec", "nodeName") or ended:
        return 0
    return _positive(grace)


def _marked(kind: served.ServedKind, obj: Obj, grace: int, now: int) -> Obj:
    """*obj* with the time of its end; one that is marked already can only be given less."""
    meta = obj["metadata"]
    if "deletionTimestamp" in meta and obj["kind"] == "Namespace":
        return obj
    if "deletionTimestamp" in meta:
        left = _positive(meta.get("deletionGracePeriodSeconds") or 0)
        if grace >= left:
            return obj if left == meta.get("deletionGracePeriodSeconds") else _given(obj, left)
        ends = instant(meta["deletionTimestamp"]) + (grace - left) * SECOND
        if grace and ends < now:
            return _ending(obj, now, 1)  # that time is over already
        return _ending(obj, ends, grace)
    marked = _ending(obj, now + grace * SECOND, grace)
    if obj["kind"] == "Namespace":
        marked = evolve_many(marked, (("status", "phase"), "Terminating"))
        marked = without(marked, ("metadata", "deletionGracePeriodSeconds"))
    if kind.counted:
        marked = evolve_many(marked, (("metadata", "generation"), meta.get("generation", 0) + 1))
    return marked


def _ending(obj: Obj, ends: int, grace: int) -> Obj:
    return evolve_many(_given(obj, grace), (("metadata", "deletionTimestamp"), timestamp(ends)))


def _given(obj: Obj, grace: int) -> Obj:
    return evolve_many(obj, (("metadata", "deletionGracePeriodSeconds"), grace))


def _positive(grace: int) -> int:
    """A negative grace means one second."""
    return 1 if grace < 0 else grace


def _with_finalizers(kind: served.ServedKind, obj: Obj, options: Options) -> Obj:
    """The finalizers of the garbage collector, as the policy (Background, Foreground, Orphan) wants them.

    A policy that the request names counts, else a finalizer that is there, else what the kind has for a habit.
    """
    held = list(obj["metadata"].get("finalizers") or [])
    policy = options.policy or OLDER_WORD.get(options.orphan)
    if policy is None and kind.orphans and not {ORPHAN, FOREGROUND} & set(held):
        policy = "Orphan"
    if policy is None:
        return obj
    wanted = [f for f in held if f not in (ORPHAN, FOREGROUND)]
    wanted += {"Orphan": [ORPHAN], "Foreground": [FOREGROUND]}.get(policy, [])
    return obj if sorted(wanted) == sorted(held) else evolve_many(obj, (("metadata", "finalizers"), wanted))


def answer(kind: Kind, obj: Obj) -> Obj:
    """What the user gets for an object that is gone: the object itself, or a Status that names it."""
    if served.of(kind).returned:
        return obj
    details = {
        "name": obj["metadata"]["name"],
        "group": kind.said_group,
        "kind": kind.plural,
        "uid": obj["metadata"]["uid"],
    }
    details = {key: value for key, value in details.items() if value}
    status = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}
    return evolve_many(status)
