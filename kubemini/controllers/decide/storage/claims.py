"""Binding of claims: each PersistentVolumeClaim is given a volume, and the two name each other.

A binding is four writes: the volume names the claim, says Bound, the claim names the volume, says Bound. Each is made
upon what the one before it left behind, so whoever interferes makes one of them fail, and the next look goes on from
there. A claim without a volume is looked at again every 15 s: no new volume wakes it.
Invariant: a claim that was bound once is never given another volume; without its own it is Lost.
Models k/k pkg/controller/volume/persistentvolume PersistentVolumeController.syncClaim,
PersistentVolumeController.syncUnboundClaim, PersistentVolumeController.syncBoundClaim,
PersistentVolumeController.bind, PersistentVolumeController.provisionClaim
Simplified: nothing provisions in the controller itself; drivers that moved to CSI keep their old names; a claim is
looked at 15 s after the last look, not at the ticks of one clock for all.
"""

from kubemini.api.kinds import POD
from kubemini.api.objects import Obj, evolve, evolve_many, freeze, get
from kubemini.controllers.decide.actions import Action, Tell, Update, UpdateStatus
from kubemini.controllers.decide.controller import Controller, Facts, Key, Watch, is_deletion
from kubemini.controllers.decide.dialogue import Dialogue, End, in_turn
from kubemini.controllers.decide.storage import matching
from kubemini.controllers.decide.storage.matching import CLAIM, CLASS, VOLUME, annotation

SOURCE = "persistentvolume-controller"
COMPLETED, BY_CONTROLLER = "pv.kubernetes.io/bind-completed", "pv.kubernetes.io/bound-by-controller"
PROVISIONERS = "volume.beta.kubernetes.io/storage-provisioner", "volume.kubernetes.io/storage-provisioner"
NODE_CHOSEN = "volume.kubernetes.io/selected-node"
IN_TREE = "kubernetes.io/"
NO_CLASS = "no persistent volumes available for this claim and no storage class is set"
WAITING = "waiting for first consumer to be created before binding"
EXTERNAL = (
    "Waiting for a volume to be created either by the external provisioner '{}' or manually by the system "
    "administrator. If volume creation is delayed, please verify that the provisioner is running and correctly "
    "registered."
)
LOST = "Bound claim has lost {}. Data on the volume is lost!"
MISBOUND = "Two claims are bound to the same volume, this one is bound incorrectly"


def decide(claim: Obj, facts: Facts, caught_up: bool, now: int, resync: int) -> Dialogue:
    """The next steps of a claim; another look after *resync* (µs) at one that is not bound."""
    if annotation(claim, COMPLETED) is not None:
        return End(error=(yield from in_turn(bound(claim, facts))))
    return End(now + resync, (yield from in_turn(unbound(claim, facts))))


# -- claims without a volume -----------------------------------------------------------------------------------------
def unbound(claim: Obj, facts: Facts) -> list[Action]:
    """Find it a volume, or the one that it names."""
    name = get(claim, "spec", "volumeName")
    if name:
        return _named(claim, facts.get(VOLUME, ("", name)))
    waits = matching.waits_for_consumer(claim, facts)
    volume = matching.best(claim, facts.of_namespace(VOLUME, ""), waits)
    return binding(volume, claim) if volume is not None else _without(claim, facts, waits)


def _without(claim: Obj, facts: Facts, waits: bool) -> list[Action]:
    """No volume is there for it: say why it waits, or have one made."""
    default = None if matching.names_a_class(claim) else matching.default_class(facts)
    if default is not None:
        return [Update(evolve(claim, ("spec", "storageClassName"), default))]
    if waits and annotation(claim, NODE_CHOSEN) is None:
        return [_waits(claim, facts), *saying(claim, "Pending", None)]
    if matching.class_of(claim):
        return _provisioned(claim, facts)
    return [Tell(claim, "Normal", "FailedBinding", NO_CLASS), *saying(claim, "Pending", None)]


def _waits(claim: Obj, facts: Facts) -> Tell:
    pods = matching.waiting_pods(claim, facts)
    if not pods:
        return Tell(claim, "Normal", "WaitForFirstConsumer", WAITING)
    told = f"waiting for pod{'s' * (len(pods) > 1)} {','.join(pods)} to be scheduled"
    return Tell(claim, "Normal", "WaitForPodScheduled", told)


def _provisioned(claim: Obj, facts: Facts) -> list[Action]:
    """Ask whoever stands outside to make a volume; nobody inside can."""
    name = matching.class_of(claim)
    found = facts.get(CLASS, ("", name))
    if found is None:
        return [_failed(claim, f'storageclass.storage.k8s.io "{name}" not found')]
    provisioner = found["provisioner"]
    if provisioner.startswith(IN_TREE):
        return [_failed(claim, f"no volume plugin matched name: {provisioner}")]
    asked: list[Action] = []
    if annotation(claim, PROVISIONERS[1]) != provisioner:
        edits = [(("metadata", "annotations", key), provisioner) for key in PROVISIONERS]
        asked = [Update(evolve_many(claim, *edits))]
    return [*asked, Tell(claim, "Normal", "ExternalProvisioning", EXTERNAL.format(provisioner))]


def _failed(claim: Obj, why: str) -> Tell:
    return Tell(claim, "Warning", "ProvisioningFailed", why)


def _named(claim: Obj, volume: Obj | None) -> list[Action]:
    """The claim asks for this very volume."""
    pending = saying(claim, "Pending", None)
    if volume is None:
        return pending
    name = volume["metadata"]["name"]
    if get(volume, "spec", "claimRef") is None:
        why = matching.mismatch(volume, claim)
        if why is None:
            return binding(volume, claim)
        return [Tell(claim, "Warning", "VolumeMismatch", f'Cannot bind to requested volume "{name}": {why}'), *pending]
    if matching.is_bound_to(volume, claim):
        return binding(volume, claim)
    taken = Tell(claim, "Warning", "FailedBinding", f'volume "{name}" already bound to a different claim.')
    return [taken] if annotation(claim, BY_CONTROLLER) is not None else [taken, *pending]


# -- claims that had one ---------------------------------------------------------------------------------------------
def bound(claim: Obj, facts: Facts) -> list[Action]:
    """Mend the binding, or say that the volume is lost."""
    name = get(claim, "spec", "volumeName")
    if not name:
        return _lost(claim, "ClaimLost", LOST.format("reference to PersistentVolume"))
    volume = facts.get(VOLUME, ("", name))
    if volume is None:
        return _lost(claim, "ClaimLost", LOST.format("its PersistentVolume"))
    reference = get(volume, "spec", "claimRef")
    if reference is None or reference.get("uid") == claim["metadata"]["uid"]:
        return binding(volume, claim)
    return _lost(claim, "ClaimMisbound", MISBOUND)


def _lost(claim: Obj, reason: str, why: str) -> list[Action]:
    if get(claim, "status", "phase") == "Lost":
        return []
    return [*saying(claim, "Lost", None), Tell(claim, "Warning", reason, why)]


# -- writes ----------------------------------------------------------------------------------------------------------
def binding(volume: Obj, claim: Obj) -> list[Action]:
    """All that is left to write of a binding: volume first."""
    kept, named = _for(volume, claim), _with(claim, volume)
    writes: list[Action] = [] if kept == volume else [Update(kept)]
    writes += in_phase(kept, "Bound")
    writes += [] if named == claim else [Update(named)]
    return [*writes, *saying(named, "Bound", volume)]


def _for(volume: Obj, claim: Obj) -> Obj:
    """*volume* with the claim that it is for. Models k/component-helpers storage/volume GetBindVolumeToClaim"""
    meta, there = claim["metadata"], get(volume, "spec", "claimRef") or {}
    changed = volume
    if any(there.get(field) != meta[field] for field in ("namespace", "name", "uid")):
        fields = {field: meta[field] for field in ("namespace", "name", "uid", "resourceVersion")}
        changed = evolve(volume, ("spec", "claimRef"), {"apiVersion": "v1", "kind": CLAIM.kind, **fields})
    if not matching.is_bound_to(volume, claim) and annotation(volume, BY_CONTROLLER) is None:
        changed = evolve(changed, ("metadata", "annotations", BY_CONTROLLER), "yes")
    return changed


def _with(claim: Obj, volume: Obj) -> Obj:
    """*claim* that names *volume*, and will say for ever that it was bound."""
    changed = claim
    if get(claim, "spec", "volumeName") != volume["metadata"]["name"]:
        changed = evolve(claim, ("spec", "volumeName"), volume["metadata"]["name"])
        if annotation(claim, BY_CONTROLLER) is None:
            changed = evolve(changed, ("metadata", "annotations", BY_CONTROLLER), "yes")
    if annotation(claim, COMPLETED) is None:
        changed = evolve(changed, ("metadata", "annotations", COMPLETED), "yes")
    return changed


def in_phase(volume: Obj, phase: str, message: str = "") -> list[Action]:
    """The write of a volume's phase, if it is another. Models PersistentVolumeController.updateVolumePhase"""
    status = volume.get("status") or {}
    if status.get("phase") == phase:
        return []
    others = {key: value for key, value in status.items() if key != "message"}
    told = {"message": message} if message else {}
    return [UpdateStatus(evolve(volume, ("status",), freeze({**others, "phase": phase, **told})))]


def saying(claim: Obj, phase: str, volume: Obj | None) -> list[Action]:
    """The write of a claim's status, if it changes: its phase, and what it has of *volume*.

    The size of a claim that is bound stays: a file system may be smaller than the device beneath it.
    Models PersistentVolumeController.updateClaimStatus
    """
    old = claim.get("status") or {}
    new = {key: value for key, value in old.items() if key not in _OF_VOLUME} | {"phase": phase}
    if volume is not None:
        spec = volume["spec"]
        new["accessModes"] = spec.get("accessModes") or []
        new["capacity"] = spec.get("capacity") if old.get("phase") != phase else old.get("capacity")
        attributes = "currentVolumeAttributesClassName"
        binds = (old.get("phase"), phase) == ("Pending", "Bound")
        new[attributes] = spec.get("volumeAttributesClassName") if binds else old.get(attributes)
    kept = freeze({key: value for key, value in new.items() if value})
    return [] if kept == freeze(dict(old)) else [UpdateStatus(evolve(claim, ("status",), kept))]


_OF_VOLUME = ("phase", "accessModes", "capacity", "currentVolumeAttributesClassName")


# -- who is woken ----------------------------------------------------------------------------------------------------
def claimed(volume: Obj, facts: Facts) -> list[Key]:
    """The claim that a volume is for."""
    reference = get(volume, "spec", "claimRef")
    return [(reference["namespace"], reference["name"])] if reference is not None else []


def half_bound(volume: Obj, facts: Facts) -> list[Key]:
    """The claim that a volume is bound to and that does not know of it yet."""
    reference = get(volume, "spec", "claimRef") or {}
    claim = facts.get(CLAIM, (reference.get("namespace", ""), reference.get("name", "")))
    if claim is None or claim["metadata"]["uid"] != reference.get("uid") or get(claim, "spec", "volumeName"):
        return []
    return [] if matching.other_mode(claim, volume) else claimed(volume, facts)


def controller(resync: int) -> Controller:
    """The controller, which looks every *resync* µs at whatever is not bound (--pvclaimbinder-sync-period)."""

    def look(claim: Obj, facts: Facts, caught_up: bool, now: int) -> Dialogue:
        return decide(claim, facts, caught_up, now, resync)

    watches = Watch(VOLUME, claimed, when=is_deletion), Watch(VOLUME, half_bound, latest=True)
    remembered = (CLAIM, VOLUME)
    return Controller(CLAIM, look, watches, remembers=remembered, reads=(CLASS, POD), workers=1, source=SOURCE)
