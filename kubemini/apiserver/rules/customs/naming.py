"""Which names a CustomResourceDefinition gets, and whether its resource is served. Pure.

    named(crd, others, now)      with the names that nobody of its group has, and the condition NamesAccepted
    established(crd, now)        … and Established, once they are accepted

Theory: names are claimed in the status, one definition after the other. Who finds a name of its spec taken keeps the
names it had, says why, and is looked at again when another one of its group lets go of a name.
Models k/apiextensions-apiserver pkg/controller/status NamingConditionController calculateNamesAndConditions,
equalToAcceptedOrFresh; pkg/controller/establish EstablishingController sync; pkg/apihelpers SetCRDCondition.
"""

from collections.abc import Iterable
from typing import Any

from kubemini.api.objects import Obj, evolve, get
from kubemini.api.timestamps import timestamp
from kubemini.apiserver.rules.conditions import is_true

ACCEPTED, ESTABLISHED, TERMINATING = "NamesAccepted", "Established", "Terminating"
NAMES = (("plural", "PluralConflict", 0), ("singular", "SingularConflict", 0))
KINDS = (("kind", "KindConflict", 1), ("listKind", "ListKindConflict", 1))


def is_served(crd: Obj) -> bool:
    """Whether its resource is served."""
    return is_true(crd, ACCEPTED) or is_true(crd, ESTABLISHED)


def condition(crd: Obj, type: str) -> Obj | None:
    """The condition *type*, if it is there."""
    return next((one for one in get(crd, "status", "conditions") or () if one["type"] == type), None)


def with_condition(crd: Obj, type: str, status: bool, reason: str, message: str, now: int) -> Obj:
    """*crd* with that condition; one that does not change its status keeps its time."""
    said, before = "True" if status else "False", condition(crd, type)
    when = before["lastTransitionTime"] if before and before["status"] == said else timestamp(now)
    new = {"type": type, "status": said, "lastTransitionTime": when, "reason": reason, "message": message}
    kept = list(get(crd, "status", "conditions") or ())
    found = [new if one["type"] == type else one for one in kept] if before else [*kept, new]
    return evolve(crd, ("status", "conditions"), found)


def named(crd: Obj, others: Iterable[Obj], now: int) -> Obj:
    """*crd* with the names that it may have beside *others*; itself, if nothing is new."""
    wanted, had = crd["spec"]["names"], get(crd, "status", "acceptedNames") or {}
    if _said(wanted) == _said(had):
        return crd
    names, reason, message = _claimed(wanted, had, _taken(crd, others))
    before = condition(crd, ACCEPTED)
    accepted = not reason
    said = ("True" if accepted else "False", reason or "NoConflicts", message or "no conflicts found")
    if _said(names) == _said(had) and before and tuple(before[k] for k in ("status", "reason", "message")) == said:
        return crd
    new = evolve(crd, ("status", "acceptedNames"), names)
    new = with_condition(new, ACCEPTED, accepted, said[1], said[2], now)
    if is_true(crd, ESTABLISHED):
        return new
    if accepted:
        return with_condition(new, ESTABLISHED, False, "Installing", "the initial names have been accepted", now)
    if condition(crd, ESTABLISHED) is None:
        return with_condition(new, ESTABLISHED, False, "NotAccepted", "not all names are accepted", now)
    return new


def _said(names: Obj) -> dict[str, Any]:
    return {key: value for key, value in names.items() if value}


def _taken(crd: Obj, others: Iterable[Obj]) -> tuple[set[str], set[str]]:
    """The resources and the kinds of its group that are given; also its own, as they are in the list too."""
    resources, kinds = set[str](), set[str]()
    for one in others:
        if one["spec"]["group"] == crd["spec"]["group"]:
            names = get(one, "status", "acceptedNames") or {}
            resources |= {names.get("plural") or "", names.get("singular") or "", *(names.get("shortNames") or ())}
            kinds |= {names.get("kind") or "", names.get("listKind") or ""}
    return resources, kinds


def _claimed(wanted: Obj, had: Obj, taken: tuple[set[str], set[str]]) -> tuple[dict[str, Any], str, str]:
    """The names, and of the last that cannot be had: why, and in words."""
    names, reason, message = dict(had), "", ""

    def claim(field: str, why: str, among: int) -> None:
        nonlocal reason, message
        name = wanted.get(field) or ""
        if name != (had.get(field) or "") and name in taken[among]:
            reason, message = why, f'"{name}" is already in use'
        else:
            names[field] = name

    for row in NAMES:
        claim(*row)
    short, mine = wanted.get("shortNames") or (), had.get("shortNames") or ()
    used = [f'"{name}" is already in use' for name in short if name not in mine and name in taken[0]]
    if list(short) != list(mine) and used:
        unique = list(dict.fromkeys(used))
        reason, message = "ShortNamesConflict", unique[0] if len(unique) == 1 else f"[{', '.join(unique)}]"
    elif short or mine:
        names["shortNames"] = short
    for row in KINDS:
        claim(*row)
    names["categories"] = wanted.get("categories")
    return {key: value for key, value in names.items() if value or key in ("plural", "kind")}, reason, message


def established(crd: Obj, now: int) -> Obj:
    """*crd*, whose names are accepted, with the word that its resource is there."""
    if not is_true(crd, ACCEPTED) or is_true(crd, ESTABLISHED):
        return crd
    return with_condition(crd, ESTABLISHED, True, "InitialNamesAccepted", "the initial names have been accepted", now)


# -- the end -----------------------------------------------------------------------------------------------------------

CLEANUP = "customresourcecleanup.apiextensions.k8s.io"
SOON = "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon"


def marked(crd: Obj, now: int) -> Obj:
    """*crd*, which somebody deletes: it stays until its objects are gone.

    Models k/apiextensions-apiserver pkg/registry/customresourcedefinition REST.Delete
    """
    held = list(crd["metadata"].get("finalizers") or ())
    new = evolve(crd, ("metadata", "deletionTimestamp"), timestamp(now))
    if CLEANUP not in held:
        new = evolve(new, ("metadata", "finalizers"), [*held, CLEANUP])
    return with_condition(new, TERMINATING, True, "InstanceDeletionPending", SOON, now)


def is_ending(crd: Obj) -> bool:
    """Whether its objects are to be removed."""
    return "deletionTimestamp" in crd["metadata"] and CLEANUP in (crd["metadata"].get("finalizers") or ())


def ending(crd: Obj, now: int) -> Obj:
    """*crd* while its objects are removed."""
    return with_condition(
        crd, TERMINATING, True, "InstanceDeletionInProgress", "CustomResource deletion is in progress", now
    )


def emptied(crd: Obj, now: int) -> Obj:
    """*crd* when no object is left: whoever else holds it decides now."""
    reason, text = "InstanceDeletionCompleted", "removed all instances"
    if not is_true(crd, ESTABLISHED):
        reason, text = "NeverEstablished", "resource was never established"
    new = with_condition(crd, TERMINATING, False, reason, text, now)
    return evolve(new, ("metadata", "finalizers"), [one for one in crd["metadata"]["finalizers"] if one != CLEANUP])
