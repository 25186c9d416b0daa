"""Whose a StatefulSet's claims are: nobody's, the set's or the pod's, as its retention policy says.

The garbage collector does the rest: a claim that is the set's goes with the set (``whenDeleted: Delete``), one that is
the pod's goes with a pod that was scaled away (``whenScaled: Delete``). Claims that somebody else controls, or that a
namesake of the past has left, are not touched.
Models k/k pkg/controller/statefulset isClaimOwnerUpToDate, updateClaimOwnerRefForSetAndPod, hasUnexpectedController
"""

from typing import Any

from kubemini.api.kinds import POD, STATEFUL_SET
from kubemini.api.objects import Obj, evolve, get
from kubemini.controllers.decide.actions import owner_reference
from kubemini.controllers.decide.workloads.statefulset.identity import ordinal, ordinals


def policy(stateful: Obj) -> tuple[bool, bool]:
    """(whether claims go with the set, whether they go with a pod that is scaled away)."""
    kept = get(stateful, "spec", "persistentVolumeClaimRetentionPolicy") or {}
    return kept.get("whenDeleted") == "Delete", kept.get("whenScaled") == "Delete"


def fits(claim: Obj, stateful: Obj, pod: Obj) -> bool:
    """Whether the claim belongs to whom it should, or is none of our business."""
    if is_stale(claim, stateful) or is_stale(claim, pod):
        return True
    owners = _is_owned_by(claim, stateful), _is_owned_by(claim, pod)
    if has_other_controller(claim, stateful, pod):
        return not any(owners)
    ours = stateful["metadata"].get("uid"), pod["metadata"].get("uid")
    if any(r["uid"] in ours and not r.get("controller") for r in _references(claim)):
        return False
    return owners == _wanted(stateful, pod)


def _wanted(stateful: Obj, pod: Obj) -> tuple[bool, bool]:
    """Whether the set and whether the pod should own the claim."""
    with_set, with_pod = policy(stateful)
    scaled_away = with_pod and ordinal(pod) not in ordinals(stateful)
    return with_set and not scaled_away, scaled_away


def owned(claim: Obj, stateful: Obj, pod: Obj) -> Obj:
    """The claim with the owners that it should have."""
    others = [r for r in _references(claim) if not (_names(r, stateful) or _names(r, pod))]
    if not has_other_controller(claim, stateful, pod):
        by_set, by_pod = _wanted(stateful, pod)
        wanted = [stateful] * by_set + [pod] * by_pod
        held = [r["uid"] for r in others]
        others += [owner_reference(o) for o in wanted if o["metadata"]["uid"] not in held]
    return evolve(claim, ("metadata", "ownerReferences"), others)


def is_stale(claim: Obj, owner: Obj) -> bool:
    """Whether the claim belongs to a namesake of *owner* that is no more; the first reference of the name counts."""
    return next((r["uid"] != owner["metadata"].get("uid") for r in _references(claim) if _names(r, owner)), False)


def has_other_controller(claim: Obj, stateful: Obj, pod: Obj) -> bool:
    """Whether somebody else controls a claim that our policy asks us to own."""
    return any(policy(stateful)) and any(_is_strange(r, stateful, pod) for r in _references(claim))


def _is_strange(reference: Obj, stateful: Obj, pod: Obj) -> bool:
    for owner in (stateful, pod):
        if _names(reference, owner):
            return bool(reference["uid"] != owner["metadata"].get("uid"))
    return bool(reference.get("controller"))


def _references(claim: Obj) -> list[Any]:
    return list(claim["metadata"].get("ownerReferences") or ())


def _is_owned_by(claim: Obj, owner: Obj) -> bool:
    return any(r["uid"] == owner["metadata"].get("uid") for r in _references(claim))


def _names(reference: Obj, owner: Obj) -> bool:
    """Whether the reference means *owner*, or one of its name."""
    kind = STATEFUL_SET if owner["kind"] == STATEFUL_SET.kind else POD
    said = reference["apiVersion"], reference["kind"], reference["name"]
    return said == (kind.api_version, kind.kind, owner["metadata"]["name"])
