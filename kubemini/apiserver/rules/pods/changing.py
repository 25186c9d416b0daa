"""What of a pod may still change: images, deadlines, more tolerations; while it is gated also the nodes it wants.

Models k/k pkg/apis/core/validation ValidatePodUpdate, ValidateContainerUpdates, validateOnlyAddedTolerations,
validateNodeSelectorMutation, validateNodeAffinityMutation.
"""

from collections.abc import Sequence
from typing import Any

from kubemini.api import labels
from kubemini.api.objects import Obj, evolve, get, without
from kubemini.apiserver.rules import placement
from kubemini.apiserver.rules.causes import Wrong, forbidden, indexed, invalid, required
from kubemini.apiserver.rules.gostructs import difference, internal
from kubemini.apiserver.rules.pods.containers import unpadded

POD_UPDATE = (
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)
LARGEST = 2**31 - 1
NOT_LONGER = "must be less than or equal to previous value"
NOT_GONE = "must not update from a positive integer to nil value"
ONLY_LONGER = "existing toleration can not be modified except its tolerationSeconds"
ONLY_MORE = "only additions to spec.nodeSelector are allowed (no mutations or deletions)"
NO_MORE_TERMS = "no additions/deletions to non-empty NodeSelectorTerms list are allowed"
ONLY_CHOOSIER = "only additions are allowed (no mutations or deletions)"
TERMS = "requiredDuringSchedulingIgnoredDuringExecution"


def changes(new: Obj, old: Obj) -> Wrong:
    """*new* as successor of *old*; a pod with other containers is judged no further."""
    now, was = new["spec"], old["spec"]
    for field in ("containers", "initContainers"):
        if len(now.get(field) or ()) != len(was.get(field) or ()):
            yield forbidden(f"spec.{field}", "pod updates may not add or remove containers")
            return
        yield from _images(now.get(field) or (), f"spec.{field}")
    deadline = [*_deadline(now.get("activeDeadlineSeconds"), was.get("activeDeadlineSeconds"))]
    yield from deadline
    if deadline and now.get("activeDeadlineSeconds") is not None:
        return
    yield from _tolerations(now.get("tolerations") or (), was.get("tolerations") or ())
    yield from placement.gates_only_go(new, old)
    if was.get("schedulingGates"):
        yield from _choosier(now, was)
    rest = _without_what_may_change(now, was)
    if internal(rest, "core.PodSpec") != internal(was, "core.PodSpec"):
        yield forbidden("spec", POD_UPDATE + difference(was, rest, "core.PodSpec"))


def _images(items: Sequence[Obj], path: str) -> Wrong:
    for number, container in enumerate(items):
        if not container.get("image"):
            yield required(f"{path}[{number}].image")
    yield from unpadded(items, path)


def _deadline(new: int | None, old: int | None) -> Wrong:
    """It can only come nearer."""
    if new is None:
        if old is not None:
            yield invalid("spec.activeDeadlineSeconds", None, NOT_GONE)
    elif not 0 <= new <= LARGEST:
        yield invalid("spec.activeDeadlineSeconds", new, f"must be between 0 and {LARGEST}, inclusive")
    elif old is not None and old < new:
        yield invalid("spec.activeDeadlineSeconds", new, NOT_LONGER)


def _tolerations(now: Sequence[Obj], was: Sequence[Obj]) -> Wrong:
    kept = [without(toleration, ("tolerationSeconds",)) for toleration in now]
    if any(without(toleration, ("tolerationSeconds",)) not in kept for toleration in was):
        yield forbidden("spec.tolerations", ONLY_LONGER)
    else:
        yield from indexed(now, "spec.tolerations", placement.toleration)


def _choosier(now: Obj, was: Obj) -> Wrong:
    """A gated pod may ask more of its node, not less."""
    if not labels.contains(now.get("nodeSelector"), was.get("nodeSelector") or {}):
        yield invalid("spec.nodeSelector", now.get("nodeSelector"), ONLY_MORE)
    before = get(was, "affinity", "nodeAffinity", TERMS, "nodeSelectorTerms", default=None) or ()
    after = get(now, "affinity", "nodeAffinity", TERMS, "nodeSelectorTerms", default=None) or ()
    where = f"spec.affinity.nodeAffinity.{TERMS}.nodeSelectorTerms"
    if before and len(before) != len(after):
        yield invalid(where, [internal(term, "core.NodeSelectorTerm") for term in after], NO_MORE_TERMS)
        return
    for number, (term, wanted) in enumerate(zip(before, after, strict=False)):
        if not _adds(wanted, term):
            yield invalid(f"{where}[{number}]", internal(wanted, "core.NodeSelectorTerm"), ONLY_CHOOSIER)


def _adds(new: Obj, old: Obj) -> bool:
    """Whether *new* begins as *old* does."""
    for field in ("matchExpressions", "matchFields"):
        before = list(old.get(field) or ())
        if before and list(new.get(field) or ())[: len(before)] != before:
            return False
    return bool(old.get("matchExpressions") or old.get("matchFields")) or new == old


def _without_what_may_change(now: Obj, was: Obj) -> Obj:
    """*now* with all that may change as it *was*."""
    for field in ("activeDeadlineSeconds", "schedulingGates", "tolerations"):
        now = _as(now, was, field)
    for field in ("containers", "initContainers"):
        if now.get(field):
            pairs = zip(now[field], was[field], strict=True)
            now = evolve(now, (field,), [evolve(one, ("image",), other.get("image")) for one, other in pairs])
    if (was.get("terminationGracePeriodSeconds") or 0) < 0 and now.get("terminationGracePeriodSeconds") == 1:
        now = _as(now, was, "terminationGracePeriodSeconds")
    return _as_gated(now, was) if was.get("schedulingGates") else now


def _as_gated(now: Obj, was: Obj) -> Obj:
    now = _as(now, was, "nodeSelector")
    affinity: dict[str, Any] = {k: v for k, v in (now.get("affinity") or {}).items() if k != "nodeAffinity"}
    nodes = get(was, "affinity", "nodeAffinity")
    if nodes is not None:
        affinity["nodeAffinity"] = nodes
    if not affinity and was.get("affinity") is None:
        return without(now, ("affinity",))
    return evolve(now, ("affinity",), affinity)


def _as(now: Obj, was: Obj, field: str) -> Obj:
    return evolve(now, (field,), was[field]) if field in was else without(now, (field,))
