"""PersistentVolumeClaims: somebody wants so much storage of such a kind.

Models k/k pkg/registry/core/persistentvolumeclaim strategy; k/k pkg/apis/core/validation
ValidatePersistentVolumeClaimUpdate, ValidatePersistentVolumeClaimStatusUpdate;
columns: k/k pkg/printers/internalversion printPersistentVolumeClaim.
"""

from collections.abc import Mapping
from typing import Any

from kubemini.api import kinds, names
from kubemini.api.objects import Obj, evolve, get, without
from kubemini.api.quantity import parse, text
from kubemini.apiserver.columns import AGE, NAME, UNSET, WIDE, Column, at
from kubemini.apiserver.rules.causes import Wrong, each, forbidden, invalid, unsupported
from kubemini.apiserver.rules.gostructs import difference, stays
from kubemini.apiserver.rules.resources import amount_of, canonical, native
from kubemini.apiserver.rules.volumes import claims
from kubemini.apiserver.served import ServedKind, serve

CLASS = "volume.beta.kubernetes.io/storage-class"  # older than the field
OLD_CLASS = 'deprecated since v1.8; use "storageClassName" attribute instead'
FIXED = "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims"
SHORT = {"ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX", "ReadWriteOncePod": "RWOP"}
RESIZES = (
    "ControllerResizeInProgress",
    "ControllerResizeInfeasible",
    "NodeResizePending",
    "NodeResizeInProgress",
    "NodeResizeInfeasible",
)
OWN_SOURCES = (("", "PersistentVolumeClaim"), ("snapshot.storage.k8s.io", "VolumeSnapshot"))


def defaults(obj: Obj) -> Obj:
    """*obj* with every default."""
    status = {"phase": "Pending", **(obj.get("status") or {})}
    for part in ("capacity", "allocatedResources"):
        if status.get(part):
            status[part] = canonical(status[part])
    return {**obj, "spec": claims.claim_defaults(obj.get("spec")), "status": status}


def begun(obj: Obj, now: int) -> Obj:
    """A source that only newer clients may name is forgotten where it stands in the older field."""
    return evolve(obj, ("spec",), claims.settled(_known_source(obj["spec"])))


def prepare(new: Obj, old: Obj) -> Obj:
    """The two fields for a source say the same, also where a client knows only one."""
    before = old["spec"].get("dataSource") is not None or old["spec"].get("dataSourceRef") is not None
    spec = new["spec"] if before else _known_source(new["spec"])
    return evolve(new, ("spec",), claims.settled(spec))


def _known_source(spec: Obj) -> Obj:
    """*spec* without what is behind a gate, a source in another namespace, and what only newer clients may name."""
    if get(spec, "dataSourceRef", "namespace") is not None:
        spec = {key: value for key, value in spec.items() if key != "dataSourceRef"}
    source = spec.get("dataSource") or {}
    if spec.get("dataSourceRef") is not None or (source.get("apiGroup") or "", source.get("kind")) in OWN_SOURCES:
        return spec
    return {key: value for key, value in spec.items() if key != "dataSource"}


def rules(obj: Obj) -> Wrong:
    """Every complaint."""
    yield from claims.claim_spec(obj.get("spec") or {}, "spec")


def changes(new: Obj, old: Obj) -> Wrong:
    """A claim stays; a bound one may ask for more."""
    yield from _class_stays(new, old)
    after, before = _judged(new["spec"], old)
    if after != before:
        yield forbidden("spec", FIXED + difference(before, after, "core.PersistentVolumeClaimSpec"))
    asked, had = (parse(text(get(obj, "spec", "resources", "requests", "storage", default="0"))) for obj in (new, old))
    if asked.amount < had.amount:
        if asked.amount <= parse(text(get(old, "status", "capacity", "storage", default="0"))).amount:
            yield forbidden("spec.resources.requests.storage", "field can not be less than status.capacity")
    yield from stays(new["spec"].get("volumeMode"), old["spec"].get("volumeMode"), "volumeMode")
    yield from _attributes_stay(new["spec"].get("volumeAttributesClassName"), old)


def _judged(new: Obj, old: Obj) -> tuple[Obj, Obj]:
    """(the new spec, the old one), with what may differ made equal."""
    after, before = new, old["spec"]
    if before.get("storageClassName") is None and _may_have(after.get("storageClassName"), old):
        before = evolve(before, ("storageClassName",), after["storageClassName"])
    if not before.get("volumeName") and after.get("volumeName"):
        before = evolve(before, ("volumeName",), after["volumeName"])
    if get(old, "status", "phase") == "Bound":
        kept = without(after, ("volumeAttributesClassName",))
        was = before.get("volumeAttributesClassName")
        after = kept if was is None else evolve(kept, ("volumeAttributesClassName",), was)
        after = evolve(after, ("resources", "requests", "storage"), get(before, "resources", "requests", "storage"))
    return after, before


def _may_have(name: str | None, old: Obj) -> bool:
    """Models k/k pkg/apis/core/validation validateStorageClassUpgradeFromNil"""
    return name is not None and get(old, "metadata", "annotations", CLASS, default=name) == name


def _class_stays(new: Obj, old: Obj) -> Wrong:
    after, before = (get(obj, "metadata", "annotations", CLASS) or "" for obj in (new, old))
    yield from stays(after, before, f"metadata.annotations[{CLASS}]")


def _attributes_stay(after: str | None, old: Obj) -> Wrong:
    """A class of attributes that is in force cannot be taken away."""
    in_force = get(old, "status", "currentVolumeAttributesClassName")
    if in_force is None or after == old["spec"].get("volumeAttributesClassName") or after:
        return
    what = "nil" if after is None else "empty string"
    reason = f"update to {what} is forbidden when status.currentVolumeAttributesClassName is not nil"
    yield forbidden("spec.volumeAttributesClassName", reason)


def warnings(new: Obj, old: Obj | None) -> list[str]:
    """What its writer is warned of."""
    told = []
    if CLASS in (new["metadata"].get("annotations") or {}):
        told.append(f"metadata.annotations[{CLASS}]: {OLD_CLASS}")
    return [*told, *claims.warnings(new["spec"], "spec")]


def status_rules(new: Obj, old: Obj) -> Wrong:
    """Amounts of storage, and how far their change has come."""
    status: Mapping[str, Any] = new.get("status") or {}
    for name, amount in (status.get("capacity") or {}).items():
        if parse(text(amount)).amount < 0:
            shown = parse(text(amount)).whole
            yield invalid(f"status.capacity[{name}]", shown, "must be a valid resource quantity")
    for name, state in (status.get("allocatedResourceStatuses") or {}).items():
        yield from _storage(name, "status.allocatedResourceStatuses")
        if state not in RESIZES:
            yield unsupported("status.allocatedResourceStatuses", name, sorted(RESIZES))
    for name, amount in (status.get("allocatedResources") or {}).items():
        wrong = list(_storage(name, "status.allocatedResources"))
        yield from wrong or amount_of("storage", amount, f"status.allocatedResources[{name}]")


def _storage(name: str, path: str) -> Wrong:
    """Models k/k pkg/apis/core/validation validatePersistentVolumeClaimResourceKey"""
    wrong = names.qualified_name(name)
    yield from each(wrong, path, name)
    if not wrong and native(name) and name != "storage":
        yield unsupported(path, name, ("storage",))


# -- columns -------------------------------------------------------------------------------------------


def phase(obj: Obj, now: int) -> str:
    """The phase, unless it is going."""
    return "Terminating" if "deletionTimestamp" in obj["metadata"] else get(obj, "status", "phase") or ""


def short_modes(modes: Any) -> str:
    """``RWO,ROX``, in this order."""
    return ",".join(short for mode, short in SHORT.items() if mode in (modes or ()))


def storage_class(obj: Obj, now: int) -> str:
    """The class, of the annotation before the field."""
    return get(obj, "metadata", "annotations", CLASS) or get(obj, "spec", "storageClassName") or ""


def _capacity(obj: Obj, now: int) -> str:
    bound = get(obj, "spec", "volumeName")
    return get(obj, "status", "capacity", "storage", default="0") if bound else ""


def _modes(obj: Obj, now: int) -> str:
    return short_modes(get(obj, "status", "accessModes")) if get(obj, "spec", "volumeName") else ""


COLUMNS = (
    NAME,
    Column("Status", phase),
    Column("Volume", at("spec", "volumeName")),
    Column("Capacity", _capacity),
    Column("Access Modes", _modes),
    Column("StorageClass", storage_class),
    Column("VolumeAttributesClass", at("spec", "volumeAttributesClassName", default=UNSET)),
    AGE,
    Column("VolumeMode", at("spec", "volumeMode", default=UNSET), priority=WIDE),
)
serve(
    ServedKind(
        kinds.KNOWN["v1", "PersistentVolumeClaim"],
        subresources=("status",),
        returned=True,
        defaults=defaults,
        begun=begun,
        prepare=prepare,
        rules=rules,
        changes=changes,
        status_rules=status_rules,
        warnings=warnings,
        first_status=lambda obj: {"phase": "Pending"},
        columns=COLUMNS,
        said=False,
        not_simulated=("few:spec",),
    )
)
