"""Who belongs to whom, by labels: orphans that a selector picks are adopted, what it picks no more is let go. Pure.

Models k/k pkg/controller BaseControllerRefManager.ClaimObject
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from kubemini.api import labels
from kubemini.api.kinds import kind_of
from kubemini.api.objects import EMPTY, Obj, freeze
from kubemini.controllers.decide.actions import (
    Patch,
    controller_of,
    owner_reference,
    terminating,
)
from kubemini.controllers.decide.dialogue import Read, Refused, Steps, must, not_found


def selects(owner: Obj, obj: Obj) -> bool:
    """Whether the selector of *owner* picks *obj*; that of a ReplicationController is a plain map."""
    selector = owner["spec"].get("selector") or EMPTY
    if owner["kind"] == "ReplicationController":
        return bool(selector) and labels.contains(obj["metadata"].get("labels"), selector)
    return labels.matches(selector, obj["metadata"].get("labels"))


def _release(obj: Obj, finalizers: Sequence[str]) -> Patch:
    """Let go of *obj*, and of what it was given besides. It names the UID, so that a namesake is not touched."""
    meta = obj["metadata"]
    body: dict[str, Any] = {"uid": meta["uid"], "ownerReferences": _without_controller(obj)}
    if finalizers:
        body["finalizers"] = [name for name in meta.get("finalizers") or () if name not in finalizers] or None
    return Patch(obj, freeze({"metadata": body}))


def concerns_somebody(old: Obj | None, new: Obj | None) -> bool:
    """Whether a change of what can be claimed may matter: of an orphan only a new one, or one with other labels.

    Models k/k pkg/controller/replicaset ReplicaSetController.updatePod
    """
    if new is None:
        return old is not None and controller_of(old) is not None
    if old is None or controller_of(new) is not None or controller_of(old) is not None:
        return True
    return new["metadata"].get("labels") != old["metadata"].get("labels")


def claimed(
    owner: Obj,
    candidates: Iterable[Obj],
    may: Callable[[Obj], bool] = lambda obj: True,
    finalizers: Sequence[str] = (),
) -> Steps:
    """Those of *candidates* (the owner's, and orphans) that are the owner's once all is claimed and let go.

    *may*: whether one fits in other ways than by its labels. *finalizers*: what the adopted are given besides, and
    what those let go lose. Before the first adoption the API server is asked whether the owner is still there: a cache
    may not know yet that it is on its way out. The adopted are as the cache had them: a write that is guarded by that
    version is refused, and the key comes back. Raises Refused.
    """
    mine, checked = [], False
    for obj in candidates:
        manager, fits = controller_of(obj), selects(owner, obj) and may(obj)
        if manager is not None and manager["uid"] != owner["metadata"]["uid"]:
            continue
        if manager is not None and fits:
            mine.append(obj)
        elif manager is not None and not terminating(owner):
            yield from _unless_gone(_release(obj, finalizers))
        elif manager is None and fits and not terminating(owner) and not terminating(obj):
            if not checked:
                yield from still_there(owner)
            checked = True
            is_there = (yield from _unless_gone(_adoption(owner, obj, finalizers))) is not None
            mine += [obj] if is_there else []
    return mine


def still_there(owner: Obj) -> Steps:
    """Go on only if the API server knows *owner*, and not on its way out. Raises Refused.

    Models k/k pkg/controller RecheckDeletionTimestamp
    """
    meta = owner["metadata"]
    name = f"{meta['namespace']}/{meta['name']}"
    there = yield from must(Read(kind_of(owner), (meta["namespace"], meta["name"])))
    fresh = there["metadata"]
    if fresh["uid"] != meta["uid"]:
        raise Refused(f"original {owner['kind']} {name} is gone: got uid {fresh['uid']}, wanted {meta['uid']}")
    if terminating(there):
        raise Refused(f"{name} has just been deleted at {fresh['deletionTimestamp']}")


def _unless_gone(patch: Patch) -> Steps:
    answer = yield patch
    if answer.error is not None and not not_found(answer.error):
        raise Refused(answer.error)
    return answer.obj


def _without_controller(obj: Obj) -> list[Any] | None:
    held = obj["metadata"].get("ownerReferences") or ()
    return [reference for reference in held if not reference.get("controller")] or None


def _adoption(owner: Obj, obj: Obj, finalizers: Sequence[str]) -> Patch:
    meta = obj["metadata"]
    body: dict[str, Any] = {"uid": meta["uid"]}
    body["ownerReferences"] = [*(meta.get("ownerReferences") or ()), owner_reference(owner)]
    if finalizers:
        body["finalizers"] = list(dict.fromkeys([*(meta.get("finalizers") or ()), *finalizers]))
    return Patch(obj, freeze({"metadata": body}))
