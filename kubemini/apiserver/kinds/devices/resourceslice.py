"""ResourceSlices: devices of a pool, as a driver tells of them.

Models k/k pkg/registry/resource/resourceslice strategy; k/k pkg/apis/resource/validation ValidateResourceSlice,
ValidateResourceSliceUpdate, validateResourcePool, validateDevice, validateDeviceAttribute, validateDeviceTaint,
validateCounterSet; columns: k/k pkg/printers/internalversion printResourceSlice.
Simplified: counters that devices consume, policies of requests, conditions of binding and what of a device stands for
resources of its node are not judged.
"""

import re
from typing import Any

from kubemini.api import names
from kubemini.api.kinds import KNOWN
from kubemini.api.objects import Obj, get
from kubemini.apiserver.columns import AGE, NAME, Column, at
from kubemini.apiserver.kinds.devices import claims
from kubemini.apiserver.rules.causes import IMMUTABLE, Wrong, each, forbidden, invalid, required, supported, too_long
from kubemini.apiserver.rules.placement import node_terms
from kubemini.apiserver.rules.volumes.sources import driver_name
from kubemini.apiserver.served import ServedKind, serve

MOST_DEVICES, MOST_TAINTED, MOST_TAINTS, MOST_SETS = 128, 64, 16, 8
LONGEST_POOL, LONGEST_VALUE = 253, 64
PLACES = ("nodeName", "nodeSelector", "allNodes", "perDeviceNodeSelection")
ONE_PLACE = "exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required"
ONE_EACH = "exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when `perDeviceNodeSelection` is set"
ONE_EACH += " to true in the ResourceSlice spec"
NOT_HERE = "`nodeName`, `nodeSelector` and `allNodes` can only be set if `perDeviceNodeSelection` is set to true in the"
VALUES = ("int", "bool", "string", "version", "ints", "bools", "strings", "versions")
EACH = ", ".join(f"`{field}`" for field in VALUES)
NUMBER, WORD = r"(?:0|[1-9]\d*)", r"[0-9A-Za-z-]+"
BEFORE = rf"(?:{NUMBER}|\d*[A-Za-z-][0-9A-Za-z-]*)"
SEMVER = re.compile(rf"{NUMBER}\.{NUMBER}\.{NUMBER}(?:-{BEFORE}(?:\.{BEFORE})*)?(?:\+{WORD}(?:\.{WORD})*)?")


def rules(obj: Obj) -> Wrong:
    """Every complaint."""
    spec = obj.get("spec") or {}
    yield from driver_name(spec.get("driver") or "", "spec.driver")
    yield from _pool(spec.get("pool") or {}, "spec.pool")
    yield from _where(spec)
    devices, sets = spec.get("devices"), spec.get("sharedCounters")
    if devices is not None and sets is not None:
        yield invalid("spec", "", "only one of `sharedCounters` or `devices` is allowed")
    advanced = any(_is_advanced(device) for device in devices or ())
    most = MOST_TAINTED if advanced else MOST_DEVICES
    each_has = bool(spec.get("perDeviceNodeSelection"))

    def device(said: Obj, path: str) -> Wrong:
        yield from _device(said, path, each_has)

    yield from claims.set_of(devices, most, "spec.devices", device, claims.by_name, shows_all=False)
    yield from claims.set_of(sets, MOST_SETS, "spec.sharedCounters", _counters, claims.by_name)


def _is_advanced(device: Obj) -> bool:
    values = (device.get("attributes") or {}).values()
    has_lists = any(word.endswith("s") for value in values for word in value)
    return bool(device.get("taints") or device.get("consumesCounters") or has_lists)


def _pool(pool: Obj, path: str) -> Wrong:
    yield from pool_name(pool.get("name") or "", f"{path}.name")
    count, generation = pool.get("resourceSliceCount") or 0, pool.get("generation") or 0
    if count <= 0:
        yield invalid(f"{path}.resourceSliceCount", count, "must be greater than zero")
    if generation < 0:
        yield invalid(f"{path}.generation", generation, "must be greater than or equal to zero")


def pool_name(name: str, path: str) -> Wrong:
    """The name of a pool: subdomains with slashes between them."""
    if not name:
        yield required(path)
        return
    if len(name.encode()) > LONGEST_POOL:
        yield too_long(path, LONGEST_POOL)
    for part in name.split("/"):
        yield from each(names.dns_subdomain(part), path, part)


def _where(spec: Obj) -> Wrong:
    name = spec.get("nodeName")
    if name:
        yield from each(names.dns_subdomain(name), "spec.nodeName", name)
    elif name is not None:
        yield invalid("spec.nodeName", name, "must be either unset or set to a non-empty string")
    picked = spec.get("nodeSelector")
    if picked is not None:
        yield from node_terms(picked, "spec.nodeSelector")
        if len(picked.get("nodeSelectorTerms") or ()) != 1:
            where, terms = "spec.nodeSelector.nodeSelectorTerms", picked.get("nodeSelectorTerms")
            yield invalid(where, terms, "must have exactly one node selector term")
    for field in ("allNodes", "perDeviceNodeSelection"):
        if spec.get(field) is False:
            yield invalid(f"spec.{field}", False, "must be either unset or set to true")
    found = [f"`{field}`" for field in PLACES if spec.get(field) not in (None, "", False)]
    if not found:
        yield required("spec", ONE_PLACE)
    elif len(found) > 1:
        yield invalid("spec", f"{{{', '.join(found)}}}", f"{ONE_PLACE}, but multiple fields are set")


def _device(device: Obj, path: str, each_has: bool) -> Wrong:
    yield from each(names.dns_label(claims.by_name(device), "bytes"), f"{path}.name", claims.by_name(device))
    for name, value in sorted((device.get("attributes") or {}).items()):
        yield from claims.attribute_name(name, f"{path}.attributes")
        yield from _attribute(value, f"{path}.attributes[{name}]")
    for name, value in sorted((device.get("capacity") or {}).items()):
        yield from claims.attribute_name(name, f"{path}.capacity")
        if value.get("requestPolicy") is not None and not device.get("allowMultipleAllocations"):
            yield forbidden(f"{path}.capacity[{name}].requestPolicy", "allowMultipleAllocations must be true")
    yield from claims.slice_of(device.get("taints"), MOST_TAINTS, f"{path}.taints", taint)
    if each_has:
        yield from _where_each(device, path)
    elif any(device.get(field) is not None for field in PLACES[:3]):
        yield invalid(path, None, f"{NOT_HERE} ResourceSlice spec")


def _where_each(device: Obj, path: str) -> Wrong:
    name = device.get("nodeName")
    if name:
        yield from each(names.dns_subdomain(name), f"{path}.nodeName", name)
    elif name is not None:
        yield invalid(f"{path}.nodeName", name, "must not be empty")
    if device.get("allNodes") is False:
        yield invalid(f"{path}.allNodes", False, "must be either unset or set to true")
    found = [f"`{field}`" for field in PLACES[:3] if device.get(field)]
    if not found:
        yield required(path, ONE_EACH)
    elif len(found) > 1:
        yield invalid(path, f"{{{', '.join(found)}}}", ONE_EACH)


def _attribute(value: Obj, path: str) -> Wrong:
    said = [field for field in VALUES if value.get(field) is not None]
    for field in said:
        found: Any = value[field]
        if field.endswith("s") and not found:
            yield invalid(f"{path}.{field}", [], "must not be empty if specified")
        items = enumerate(found) if field.endswith("s") else [(-1, found)]
        for number, item in items:
            where = f"{path}.{field}[{number}]" if number >= 0 else f"{path}.{field}"
            if field.startswith("version") and not SEMVER.fullmatch(item):
                yield invalid(where, item, "must be a string compatible with semver.org spec 2.0.0")
            if field.startswith(("version", "string")) and len(item.encode()) > LONGEST_VALUE:
                yield too_long(where, LONGEST_VALUE)
    if not said:
        yield invalid(path, "", f"must specify one of: {EACH}")
    if len(said) > 1:
        yield invalid(path, f"{{{', '.join(said)}}}", f"must specify exactly one of: {EACH}")


def taint(said: Obj, path: str) -> Wrong:
    """What keeps claims away from a device."""
    key, value, effect = said.get("key") or "", said.get("value") or "", said.get("effect") or ""
    yield from each(names.qualified_name(key), f"{path}.key", key)
    if value:
        yield from each(names.label_value(value), f"{path}.value", value)
    if not effect:
        yield required(f"{path}.effect")
    else:
        yield from supported(f"{path}.effect", effect, claims.EFFECTS)


def _counters(said: Obj, path: str) -> Wrong:
    name = claims.by_name(said)
    yield from each(names.dns_label(name, "bytes"), f"{path}.name", name) if name else [required(f"{path}.name")]
    if not said.get("counters"):
        yield required(f"{path}.counters")
    for key in sorted(said.get("counters") or {}):
        yield from each(names.dns_label(key, "bytes"), f"{path}.counters", key)


def changes(new: Obj, old: Obj) -> Wrong:
    """Its driver, pool and node stay."""
    for way in (("pool", "name"), ("driver",), ("nodeName",)):
        value = get(new, "spec", *way)
        if value != get(old, "spec", *way):
            yield invalid(".".join(("spec", *way)), value, IMMUTABLE)


serve(
    ServedKind(
        KNOWN["resource.k8s.io/v1", "ResourceSlice"],
        counted=True,
        returned=True,
        fields=("spec.driver", "spec.nodeName"),
        rules=rules,
        changes=changes,
        columns=(
            NAME,
            Column("Node", at("spec", "nodeName", default="")),
            Column("Driver", at("spec", "driver", default="")),
            Column("Pool", at("spec", "pool", "name", default="")),
            AGE,
        ),
        not_simulated=("spec",),
    )
)
