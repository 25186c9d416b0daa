"""Protection of VolumeAttributesClasses: one that a claim or a volume names outlives its deletion. Pure.

The finalizer is put on by admission, and taken off here when nobody names the class any more.
Models k/k pkg/controller/volume/vacprotection Controller.processVAC, getPVCReferencedVACNames, getPVReferencedVACNames
"""

from collections.abc import Iterable

from kubemini.api.kinds import KNOWN
from kubemini.api.objects import Obj, get
from kubemini.controllers.decide.actions import Plan
from kubemini.controllers.decide.controller import Controller, Facts, Key, Watch
from kubemini.controllers.decide.storage import protection
from kubemini.controllers.decide.storage.matching import CLAIM, VOLUME

CLASS = KNOWN["storage.k8s.io/v1", "VolumeAttributesClass"]
FINALIZER = "kubernetes.io/vac-protection"
NAMED = (
    ("spec", "volumeAttributesClassName"),
    ("status", "currentVolumeAttributesClassName"),
    ("status", "modifyVolumeStatus", "targetVolumeAttributesClassName"),
)


def decide(attributes: Obj, facts: Facts, caught_up: bool, now: int) -> Plan:
    """Let it go when nobody names it."""
    if not protection.may_go(attributes, FINALIZER):
        return Plan(tuple(protection.protected(attributes, FINALIZER)))
    name = attributes["metadata"]["name"]
    used = any(name in _names(obj) for kind in (VOLUME, CLAIM) for obj in facts.every(kind))
    return Plan(() if used else (protection.without(attributes, FINALIZER),))


def _names(obj: Obj | None) -> list[str]:
    """The classes that a claim names, or a volume, which has only the first of these fields."""
    return list(dict.fromkeys(name for path in NAMED if (name := get(obj, *path)))) if obj is not None else []


# -- who is woken ----------------------------------------------------------------------------------------------------
def _concerned(obj: Obj, facts: Facts) -> list[Key]:
    return [("", name) for name in _names(obj)]


def _let_go(old: Obj | None, new: Obj | None, facts: Facts) -> Iterable[Key]:
    """The classes that a change takes a name from."""
    left = _names(new)
    return [("", name) for name in _names(old) if name not in left]


def changed(old: Obj | None, new: Obj | None) -> bool:
    """One whose finalizer must come or go."""
    return new is not None and protection.changes(new, FINALIZER)


CONTROLLER = Controller(
    CLASS,
    decide,
    (Watch(CLAIM, _concerned, change=_let_go), Watch(VOLUME, _concerned, change=_let_go)),
    when=changed,
)
