"""Who belongs to whom, by labels: orphans that a selector picks are adopted, what it picks no more is let go. Pure.

Models k/k pkg/controller BaseControllerRefManager.ClaimObject
"""

from collections.abc import Iterable
from typing import Any

from kubemini.api import labels
from kubemini.api.objects import Obj, freeze
from kubemini.controllers.decide.actions import (
    Action,
    Patch,
    controller_of,
    owner_reference,
    terminating,
)


def selects(owner: Obj, obj: Obj) -> bool:
    """Whether the selector of *owner* picks *obj*."""
    return labels.matches(owner["spec"]["selector"], obj["metadata"].get("labels"))


def claim(owner: Obj, candidates: Iterable[Obj]) -> list[Action]:
    """What makes *candidates*, those of *owner* and orphans, belong to it, or no more.

    An owner that is on its way out claims nobody.
    """
    steps: list[Action] = []
    for obj in () if terminating(owner) else candidates:
        manager = controller_of(obj)
        ours = manager is not None and manager["uid"] == owner["metadata"]["uid"]
        if (manager is not None and not ours) or ours == selects(owner, obj) or terminating(obj):
            continue
        held = obj["metadata"].get("ownerReferences") or ()
        if ours:
            steps.append(_own(obj, [reference for reference in held if not reference.get("controller")] or None))
        else:
            steps.append(_own(obj, [*held, owner_reference(owner)]))
    return steps


def _own(obj: Obj, references: list[Any] | None) -> Patch:
    """The patch names the UID, so that a namesake is not touched."""
    return Patch(obj, freeze({"metadata": {"uid": obj["metadata"]["uid"], "ownerReferences": references}}))
