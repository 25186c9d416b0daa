"""What a controller may decide to do, and who owns whom. Pure: `reconcile` carries it out.

An owner reference holds the owner's UID, so an owner that was deleted and created anew does not inherit.
Models k/apimachinery pkg/apis/meta/v1 GetControllerOf
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kubemini.api.objects import Obj, evolve, get
from kubemini.api.timestamps import timestamp


@dataclass(frozen=True, slots=True)
class Create:
    """A new object; ``metadata.generateName`` lets the API server invent its name."""

    obj: Obj


@dataclass(frozen=True, slots=True)
class Update:
    """The whole object, guarded by the resourceVersion that it was read at."""

    obj: Obj


@dataclass(frozen=True, slots=True)
class UpdateStatus:
    """The status alone, guarded likewise."""

    obj: Obj


@dataclass(frozen=True, slots=True)
class Patch:
    """A patch of *obj*, or of a sub-resource of it: guarded by nothing. *type*: merge or strategic."""

    obj: Obj
    body: Obj
    subresource: str = ""
    type: str = "merge"


@dataclass(frozen=True, slots=True)
class Delete:
    """This very object, by its UID if it has one; *grace*: seconds, None: its own; *policy*: that of whom it owns."""

    obj: Obj
    grace: int | None = None
    policy: str = "Background"


@dataclass(frozen=True, slots=True)
class Tell:
    """An Event about *obj* or a part of it: its type (Normal, Warning), a reason in one word, a sentence."""

    obj: Obj
    type: str
    reason: str
    message: str
    field_path: str = ""


Action = Create | Update | UpdateStatus | Patch | Delete | Tell


@dataclass(frozen=True, slots=True)
class Plan:
    """The next steps, in order, and the instant (µs) at which to look again though nothing has changed."""

    actions: tuple[Action, ...] = ()
    again_at: int | None = None


# -- owners ----------------------------------------------------------------------------------------------------------


def controller_of(obj: Obj) -> Obj | None:
    """The owner reference of the controller that manages *obj*, if any."""
    for reference in obj["metadata"].get("ownerReferences") or ():
        if reference.get("controller"):
            return reference
    return None


def controller_uid(obj: Obj) -> str:
    """The UID of the object that manages *obj*; "" if none does."""
    reference = controller_of(obj)
    return reference["uid"] if reference else ""


def owner_reference(owner: Obj) -> dict[str, Any]:
    """What an object that *owner* manages carries."""
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def terminating(obj: Obj) -> bool:
    """Whether *obj* is on its way out."""
    return "deletionTimestamp" in obj["metadata"]


# -- conditions and pods ---------------------------------------------------------------------------------------------


def condition(obj: Obj, type: str) -> Mapping[str, Any] | None:
    """The condition of that type in the status of *obj*, if any."""
    for found in get(obj, "status", "conditions", default=None) or ():
        if found.get("type") == type:  # a Deployment's and a ReplicaSet's need not say it
            return found
    return None


def is_ready(pod: Obj) -> bool:
    """Whether the pod says that it can serve."""
    found = condition(pod, "Ready")
    return found is not None and found["status"] == "True"


def is_finished(pod: Obj) -> bool:
    """Whether the pod has run to its end."""
    return get(pod, "status", "phase") in ("Succeeded", "Failed")


def disrupted(pod: Obj, reason: str, message: str, now: int) -> Obj:
    """*pod* with the condition DisruptionTarget, which says why it is about to be deleted."""
    held = get(pod, "status", "conditions") or ()
    before = condition(pod, "DisruptionTarget") or {}
    why = {"type": "DisruptionTarget", "status": "True", "reason": reason, "message": message}
    if {**before, **why} == before:
        return pod
    since = before.get("lastTransitionTime") if before.get("status") == "True" else None
    why |= {"lastTransitionTime": since or timestamp(now), "observedGeneration": pod["metadata"].get("generation", 0)}
    return evolve(pod, ("status", "conditions"), [*(found for found in held if found is not before), why])
