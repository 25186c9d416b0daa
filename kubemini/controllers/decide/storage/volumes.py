"""Phases of volumes: Available, Bound, Released, Failed; what becomes of one whose claim is gone.

Invariant: a volume is released only when the API server itself, not just a cache, says that its claim is no more.
Models k/k pkg/controller/volume/persistentvolume PersistentVolumeController.syncVolume,
PersistentVolumeController.unbindVolume, PersistentVolumeController.reclaimVolume,
PersistentVolumeController.deleteVolumeOperation, PersistentVolumeController.findDeletablePlugin
Simplified: no finalizer kubernetes.io/pv-controller keeps what a plugin inside has made; no recycler pod is run, so a
volume of a kind that could be recycled waits for one; of those that delete their data only hostPath is known here.
"""

import re

from kubemini.api.objects import Obj, evolve, get
from kubemini.controllers.decide.actions import Action, Delete, Tell, Update
from kubemini.controllers.decide.controller import Controller, Facts, Key, Watch, is_deletion
from kubemini.controllers.decide.dialogue import Dialogue, End, Read, in_turn, not_found
from kubemini.controllers.decide.storage import matching
from kubemini.controllers.decide.storage.claims import BY_CONTROLLER, IN_TREE, SOURCE, in_phase
from kubemini.controllers.decide.storage.matching import CLAIM, VOLUME, annotation

PROVISIONED_BY, MIGRATED_TO = "pv.kubernetes.io/provisioned-by", "pv.kubernetes.io/migrated-to"
HOST_PATH = "kubernetes.io/host-path"
RECYCLABLE = ("hostPath", "nfs")
RELEASED = ("Released", "Failed")
OTHER_MODE = (
    'Cannot bind PersistentVolume to requested PersistentVolumeClaim "{}" due to incompatible volumeMode.',
    'Cannot bind PersistentVolume "{}" to requested PersistentVolumeClaim due to incompatible volumeMode.',
)


def decide(volume: Obj, facts: Facts, caught_up: bool, now: int) -> Dialogue:
    """The next steps of a volume."""
    reference = get(volume, "spec", "claimRef")
    if reference is None or not reference.get("uid"):
        return End(error=(yield from in_turn(in_phase(volume, "Available"))))
    key = reference["namespace"], reference["name"]
    claim = facts.get(CLAIM, key)
    if _doubtful(volume, claim):
        answer = yield Read(CLAIM, key)
        if answer.error is not None and not not_found(answer.error):
            return End(error=answer.error)
        claim = answer.obj
    if claim is None or claim["metadata"]["uid"] != reference["uid"]:
        return End(error=(yield from in_turn(released(volume))))
    return End(error=(yield from in_turn(_with_claim(volume, claim))))


def _doubtful(volume: Obj, claim: Obj | None) -> bool:
    """Whether a cache that is late may be the reason that its claim is not there, or another."""
    if claim is None:
        return get(volume, "status", "phase") not in RELEASED
    return bool(claim["metadata"]["uid"] != volume["spec"]["claimRef"]["uid"])


def _with_claim(volume: Obj, claim: Obj) -> list[Action]:
    """The claim is there: bound to this volume, to another, or to none yet."""
    name, wanted = volume["metadata"]["name"], get(claim, "spec", "volumeName")
    if wanted == name:
        return in_phase(volume, "Bound")
    if not wanted:
        return _two_modes(volume, claim) if matching.other_mode(claim, volume) else []
    if annotation(volume, PROVISIONED_BY) is not None and _policy(volume) == "Delete":
        return released(volume)
    return unbound(volume)


def _two_modes(volume: Obj, claim: Obj) -> list[Action]:
    texts = OTHER_MODE[0].format(claim["metadata"]["name"]), OTHER_MODE[1].format(volume["metadata"]["name"])
    told = zip((volume, claim), texts, strict=True)
    return [Tell(obj, "Warning", "VolumeMismatch", text) for obj, text in told]


def unbound(volume: Obj) -> list[Action]:
    """Take the binding back: its claim has another volume. One that was kept for it by hand stays kept."""
    if annotation(volume, BY_CONTROLLER) is None:
        freed = evolve(
            volume, ("spec", "claimRef"), {k: v for k, v in volume["spec"]["claimRef"].items() if k != "uid"}
        )
    else:
        spec = {key: value for key, value in volume["spec"].items() if key != "claimRef"}
        notes = {key: value for key, value in volume["metadata"]["annotations"].items() if key != BY_CONTROLLER}
        freed = evolve(evolve(volume, ("spec",), spec), ("metadata", "annotations"), notes)
    return [Update(freed), *in_phase(freed, "Available")]


def released(volume: Obj) -> list[Action]:
    """Its claim is gone: say so, and do as its policy says."""
    first = [] if get(volume, "status", "phase") in RELEASED else in_phase(volume, "Released")
    if annotation(volume, MIGRATED_TO):
        return first
    match _policy(volume):
        case "Delete":
            return [*first, *_deleted(volume)]
        case "Recycle":
            return [*first, *_recycled(volume)]
    return first


def _policy(volume: Obj) -> str:
    return get(volume, "spec", "persistentVolumeReclaimPolicy") or ""


def _recycled(volume: Obj) -> list[Action]:
    if any(source in volume["spec"] for source in RECYCLABLE):
        return []
    return _has_failed(volume, "VolumeFailedRecycle", "No recycler plugin found for the volume!")


def _deleted(volume: Obj) -> list[Action]:
    """Delete it, if what holds its data can be deleted from here; who stands outside does it without being asked."""
    by = annotation(volume, PROVISIONED_BY)
    if by and not by.startswith(IN_TREE):
        return []
    if by and by != HOST_PATH:
        return _has_failed(volume, "VolumeFailedDelete", f"no volume plugin matched name: {by}")
    if not by and (annotation(volume, MIGRATED_TO) is not None or "csi" in volume["spec"]):
        return []
    path = get(volume, "spec", "hostPath", "path")
    if path is None:
        why = "no deletable volume plugin matched" if "nfs" in volume["spec"] else "no volume plugin matched"
        name = volume["metadata"]["name"]
        told = f'error getting deleter volume plugin for volume "{name}": {why}'
        return _has_failed(volume, "VolumeFailedDelete", told)
    if not re.search("/tmp/.+", path):
        told = f"host_path deleter only supports /tmp/.+ but received provided {path}"
        return _has_failed(volume, "VolumeFailedDelete", told)
    return [Delete(volume)]


def _has_failed(volume: Obj, reason: str, why: str) -> list[Action]:
    if get(volume, "status", "phase") == "Failed":
        return []
    return [*in_phase(volume, "Failed", why), Tell(volume, "Warning", reason, why)]


def of_claim(claim: Obj, facts: Facts) -> list[Key]:
    """The volumes of a claim that is no more: the one that it names, and whichever names it, as far as that went."""
    meta, name = claim["metadata"], get(claim, "spec", "volumeName")
    named = [("", name)] if name else []
    for volume in facts.of_namespace(VOLUME, ""):
        reference = get(volume, "spec", "claimRef") or {}
        if (reference.get("namespace"), reference.get("name")) == (meta["namespace"], meta["name"]):
            named.append(("", volume["metadata"]["name"]))
    return list(dict.fromkeys(named))


CONTROLLER = Controller(
    VOLUME,
    decide,
    (Watch(CLAIM, of_claim, when=is_deletion),),
    remembers=(VOLUME,),
    workers=1,
    source=SOURCE,
)
