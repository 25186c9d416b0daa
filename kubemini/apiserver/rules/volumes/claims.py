"""What a claim to a volume asks for, and what it is by default.

Models k/k pkg/apis/core/validation ValidatePersistentVolumeClaimSpec, validateDataSource, validateDataSourceRef;
defaults: k/k pkg/apis/core/v1 SetDefaults_PersistentVolumeClaimSpec.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from kubemini.api import names
from kubemini.api.objects import Obj, get
from kubemini.api.quantity import parse, text
from kubemini.apiserver.rules.causes import Wrong, each, forbidden, invalid, required, supported
from kubemini.apiserver.rules.filling import unset
from kubemini.apiserver.rules.metadata import label_selector
from kubemini.apiserver.rules.resources import amount_of, canonical

MODES = ("ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod")
ALONE = "ReadWriteOncePod"
VOLUME_MODES = ("Block", "Filesystem")
NOT_POSITIVE = "must be greater than zero"
CLAIM_ONLY = "must be 'PersistentVolumeClaim' when referencing the default apiGroup"


def claim_spec(spec: Obj, path: str) -> Wrong:
    """Every complaint about *spec*."""
    if not spec.get("accessModes"):
        yield required(f"{path}.accessModes", "at least 1 access mode is required")
    yield from label_selector(spec.get("selector"), f"{path}.selector")
    yield from access_modes(spec.get("accessModes") or (), f"{path}.accessModes")
    size = get(spec, "resources", "requests", "storage")
    if size is None:
        yield required(f"{path}.resources[storage]")
    else:
        yield from positive(size, f"{path}.resources[storage]")
    if spec.get("storageClassName"):
        yield from each(
            names.dns_subdomain(spec["storageClassName"]), f"{path}.storageClassName", spec["storageClassName"]
        )
    if spec.get("volumeMode") is not None:
        yield from supported(f"{path}.volumeMode", spec["volumeMode"], VOLUME_MODES)
    yield from _sources(spec, path)
    attributes = spec.get("volumeAttributesClassName")
    if attributes:
        yield from each(names.dns_subdomain(attributes), f"{path}.volumeAttributesClassName", attributes)


def access_modes(modes: Sequence[str], path: str) -> Wrong:
    """Who may mount it at once."""
    for mode in modes:
        yield from supported(path, mode, MODES)
    if ALONE in modes and any(mode in MODES and mode != ALONE for mode in modes):
        yield forbidden(path, "may not use ReadWriteOncePod with other access modes")


def positive(amount: Any, path: str) -> Wrong:
    """An amount of storage that is more than nothing."""
    size = parse(text(amount))
    if size.amount <= 0:
        yield invalid(path, str(size), NOT_POSITIVE)
    else:
        yield from amount_of("storage", amount, path)


def _sources(spec: Obj, path: str) -> Wrong:
    """What the volume is filled from; the two fields say the same."""
    old, new = spec.get("dataSource"), spec.get("dataSourceRef")
    if old is not None:
        yield from _source(old, f"{path}.dataSource")
    if new is not None:
        yield from _source(new, f"{path}.dataSourceRef")
        if new.get("namespace"):
            yield from each(names.dns_label(new["namespace"]), f"{path}.dataSourceRef.namespace", new["namespace"])
    if old is None or new is None:
        return
    where: Mapping[str, Any] = {}  # Go prints a path as an empty struct
    if new.get("namespace"):
        yield invalid(path, where, "may not be specified when dataSourceRef.namespace is specified")
    elif any((old.get(key) or "") != (new.get(key) or "") for key in ("apiGroup", "kind", "name")):
        yield invalid(path, where, "must match dataSourceRef")


def _source(source: Obj, path: str) -> Wrong:
    group, kind = source.get("apiGroup") or "", source.get("kind", "")
    for field in ("name", "kind"):
        if not source.get(field):
            yield required(f"{path}.{field}")
    if not group and kind != "PersistentVolumeClaim":
        yield invalid(path, kind, CLAIM_ONLY)
    if group:
        yield from each(names.dns_subdomain(group), f"{path}.apiGroup", group)


def warnings(spec: Obj, path: str) -> list[str]:
    """Models k/k pkg/api/persistentvolumeclaim GetWarningsForPersistentVolumeClaimSpec"""
    found = []
    for part in ("requests", "limits"):
        size = get(spec, "resources", part, "storage")
        if size is not None and parse(text(size)).amount.denominator != 1:
            what = f'fractional byte value "{size}" is invalid, must be an integer'
            found.append(f"{path}.resources.{part}[storage]: {what}")
    return found


# -- defaults and strategy -----------------------------------------------------------------------------


def claim_defaults(spec: Obj | None) -> dict[str, Any]:
    """*spec* with every default."""
    full = unset(spec, resources={}, volumeMode="Filesystem")
    amounts = {part: canonical(value) for part, value in full["resources"].items() if part in ("limits", "requests")}
    return {**full, "resources": {**full["resources"], **amounts}}


def settled(spec: Obj) -> Obj:
    """*spec* with the same source in both fields.

    Models k/k pkg/api/persistentvolumeclaim NormalizeDataSources
    """
    old, new = spec.get("dataSource"), spec.get("dataSourceRef")
    if old is not None and new is None:
        return {**spec, "dataSourceRef": old}
    if new is not None and old is None and not new.get("namespace"):
        return {**spec, "dataSource": new}
    return spec
