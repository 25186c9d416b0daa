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
    controller_uid,
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
        if terminating(obj):
            continue
        if controller_of(obj) is None and selects(owner, obj):
            steps.append(_own(obj, [*(obj["metadata"].get("ownerReferences") or ()), owner_reference(owner)]))
        elif controller_uid(obj) == owner["metadata"]["uid"] and not selects(owner, obj):
            others = [ref for ref in obj["metadata"]["ownerReferences"] if not ref.get("controller")]
            steps.append(_own(obj, others or None))
    return steps


def _own(obj: Obj, references: list[Any] | None) -> Patch:
    """The patch names the UID, so that a namesake is not touched."""
    return Patch(obj, freeze({"metadata": {"uid": obj["metadata"]["uid"], "ownerReferences": references}}))
