"""PersistentVolumes: storage that is there, and may be claimed.

Models k/k pkg/registry/core/persistentvolume strategy; k/k pkg/apis/core/validation ValidatePersistentVolumeSpec,
ValidatePersistentVolumeUpdate; defaults: k/k pkg/apis/core/v1 SetDefaults_PersistentVolume;
columns: k/k pkg/printers/internalversion printPersistentVolume.
"""

import posixpath
from typing import Any

from kubemini.api import kinds, names
from kubemini.api.objects import Obj, evolve, get, without
from kubemini.api.quantity import parse, text
from kubemini.api.timestamps import timestamp
from kubemini.apiserver.columns import AGE, NAME, UNSET, WIDE, Column, at
from kubemini.apiserver.kinds.volumes.persistentvolumeclaim import phase, short_modes, storage_class
from kubemini.apiserver.rules.causes import Wrong, each, forbidden, invalid, required, supported, unsupported
from kubemini.apiserver.rules.filling import filled
from kubemini.apiserver.rules.gostructs import difference, stays
from kubemini.apiserver.rules.placement import node_terms
from kubemini.apiserver.rules.resources import canonical
from kubemini.apiserver.rules.volumes import claims, persistent
from kubemini.apiserver.served import ServedKind, serve

PATH = "spec"
RECYCLE = "The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning."
GONE = {  # plugins that do nothing any more
    "cephfs": "deprecated in v1.28, non-functional in v1.31+",
    "photonPersistentDisk": "deprecated in v1.11, non-functional in v1.16+",
    "scaleIO": "deprecated in v1.16, non-functional in v1.22+",
    "storageos": "deprecated in v1.22, non-functional in v1.25+",
    "glusterfs": "deprecated in v1.25, non-functional in v1.26+",
    "rbd": "deprecated in v1.28, non-functional in v1.31+",
}
FIXED = "spec.persistentvolumesource is immutable after creation"


def defaults(obj: Obj) -> Obj:
    """*obj* with every default."""
    spec: dict[str, Any] = filled(obj.get("spec"), persistentVolumeReclaimPolicy="Retain", volumeMode="Filesystem")
    if spec.get("capacity"):
        spec["capacity"] = canonical(spec["capacity"])
    spec = persistent.filled_in(spec)
    return {**obj, "spec": spec, "status": {"phase": "Pending", **(obj.get("status") or {})}}


def begun(obj: Obj, now: int) -> Obj:
    """A volume that nobody has looked at yet, since now."""
    return evolve(obj, ("status",), {"phase": "Pending", "lastPhaseTransitionTime": timestamp(now)})


def settle_status(new: Obj, old: Obj, now: int) -> Obj:
    """The instant of the last change of its phase, unless the writer says otherwise."""
    after, before = new.get("status") or {}, old.get("status") or {}
    when, was = after.get("lastPhaseTransitionTime"), before.get("lastPhaseTransitionTime")
    if after.get("phase") == before.get("phase"):
        kept = was if when is None else when
    else:
        kept = timestamp(now) if when in (None, was) else when
    return new if kept is None else evolve(new, ("status", "lastPhaseTransitionTime"), kept)


def rules(obj: Obj) -> Wrong:
    """Every complaint."""
    spec = obj.get("spec") or {}
    if not spec.get("accessModes"):
        yield required("spec.accessModes")
    yield from claims.access_modes(spec.get("accessModes") or (), "spec.accessModes")
    yield from _capacity(spec.get("capacity") or {})
    if spec.get("persistentVolumeReclaimPolicy"):
        policies = ("Delete", "Recycle", "Retain")
        yield from supported("spec.persistentVolumeReclaimPolicy", spec["persistentVolumeReclaimPolicy"], policies)
    yield from _where(spec.get("nodeAffinity"))
    yield from persistent.one_source(spec, PATH)
    path = get(spec, "hostPath", "path")
    if path is not None and posixpath.normpath(path) == "/" and spec.get("persistentVolumeReclaimPolicy") == "Recycle":
        yield forbidden("spec.persistentVolumeReclaimPolicy", "may not be 'recycle' for a hostPath mount of '/'")
    if spec.get("storageClassName"):
        name = spec["storageClassName"]
        yield from each(names.dns_subdomain(name), "spec.storageClassName", name)
    yield from supported("spec.volumeMode", spec.get("volumeMode", "Filesystem"), claims.VOLUME_MODES)
    yield from _attributes(spec)


def _capacity(capacity: Obj) -> Wrong:
    if not capacity:
        yield required("spec.capacity")
    if "storage" not in capacity or len(capacity) > 1:
        yield unsupported("spec.capacity", capacity or None, ("storage",))
    for name, amount in capacity.items():
        size = parse(text(amount))
        if size.amount < 0:
            yield invalid(f"spec.capacity[{name}]", size.whole, "must be a valid resource quantity")
        if size.amount <= 0:
            yield invalid(f"spec.capacity[{name}]", str(size), claims.NOT_POSITIVE)


def _where(affinity: Obj | None) -> Wrong:
    if affinity is None:
        return
    if affinity.get("required") is None:
        yield required("spec.nodeAffinity.required", "must specify required node constraints")
    else:
        yield from node_terms(affinity["required"], "spec.nodeAffinity.required")


def _attributes(spec: Obj) -> Wrong:
    name = spec.get("volumeAttributesClassName")
    if name is None:
        return
    if not name:
        yield required("spec.volumeAttributesClassName", "an empty string is disallowed")
    else:
        yield from each(names.dns_subdomain(name), "spec.volumeAttributesClassName", name)
    if spec.get("csi") is None:
        yield required("spec.csi", "has to be specified when using volumeAttributesClassName")


def warnings(new: Obj, old: Obj | None) -> list[str]:
    """What its writer is warned of."""
    spec = new["spec"]
    told = []
    if spec.get("persistentVolumeReclaimPolicy") == "Recycle":
        told.append(f"spec.persistentVolumeReclaimPolicy: {RECYCLE}")
    return told + [f"spec.{name}: {since}" for name, since in GONE.items() if spec.get(name) is not None]


def changes(new: Obj, old: Obj) -> Wrong:
    """What it is made of stays."""
    after, before = persistent.source(new["spec"]), persistent.source(old["spec"])
    if get(before, "csi") and get(before, "csi", "controllerExpandSecretRef") is None:
        after = without(after, ("csi", "controllerExpandSecretRef"))
    if after != before:
        yield forbidden("spec.persistentvolumesource", FIXED + difference(before, after, "core.PersistentVolumeSource"))
    yield from stays(new["spec"].get("volumeMode"), old["spec"].get("volumeMode"), "volumeMode")
    if get(old, "spec", "nodeAffinity") is not None:
        yield from stays(get(new, "spec", "nodeAffinity"), get(old, "spec", "nodeAffinity"), "nodeAffinity", AFFINITY)
    if (
        get(old, "spec", "volumeAttributesClassName") is not None
        and get(new, "spec", "volumeAttributesClassName") is None
    ):
        yield forbidden("spec.volumeAttributesClassName", "update from non-nil value to nil is forbidden")


AFFINITY = "*core.VolumeNodeAffinity"


def _claim(obj: Obj, now: int) -> str:
    ref = get(obj, "spec", "claimRef")
    return f"{ref.get('namespace', '')}/{ref.get('name', '')}" if ref is not None else ""


COLUMNS = (
    NAME,
    Column("Capacity", at("spec", "capacity", "storage", default="0")),
    Column("Access Modes", lambda obj, now: short_modes(get(obj, "spec", "accessModes"))),
    Column("Reclaim Policy", at("spec", "persistentVolumeReclaimPolicy")),
    Column("Status", phase),
    Column("Claim", _claim),
    Column("StorageClass", storage_class),
    Column("VolumeAttributesClass", at("spec", "volumeAttributesClassName", default=UNSET)),
    Column("Reason", at("status", "reason")),
    AGE,
    Column("VolumeMode", at("spec", "volumeMode", default=UNSET), priority=WIDE),
)
serve(
    ServedKind(
        kinds.KNOWN["v1", "PersistentVolume"],
        subresources=("status",),
        returned=True,
        defaults=defaults,
        begun=begun,
        rules=rules,
        changes=changes,
        settle_status=settle_status,
        warnings=warnings,
        columns=COLUMNS,
        said=False,
        not_simulated=("few:spec",),
    )
)
