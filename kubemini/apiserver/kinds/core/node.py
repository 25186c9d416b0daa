"""Nodes.

Models k/k pkg/registry/core/node strategy; k/k pkg/apis/core/validation ValidateNode, validateNodeTaints.
"""

from collections.abc import Sequence
from typing import Any

from kubemini.api import names
from kubemini.api.kinds import NODE
from kubemini.api.objects import Obj, get
from kubemini.apiserver.columns import AGE, NAME, NONE, UNKNOWN, WIDE, Cell, Column, at, text_at
from kubemini.apiserver.rules import addresses
from kubemini.apiserver.rules.causes import Wrong, duplicate, each, forbidden, invalid, required, supported
from kubemini.apiserver.rules.conditions import is_true
from kubemini.apiserver.rules.filling import filled
from kubemini.apiserver.rules.gostructs import internal
from kubemini.apiserver.rules.placement import EFFECTS
from kubemini.apiserver.rules.resources import amount_of, canonical
from kubemini.apiserver.served import ServedKind, serve

ROLE, OLD_ROLE = "node-role.kubernetes.io/", "kubernetes.io/role"


def defaults(obj: Obj) -> Obj:
    """*obj* with as much to give as it has; amounts in canonical form; its range of addresses in both fields."""
    spec = obj.get("spec") or {}
    one, several = spec.get("podCIDR"), spec.get("podCIDRs")
    if one and not several:
        obj = {**obj, "spec": {**spec, "podCIDRs": [one]}}
    elif several and one != several[0]:
        obj = {**obj, "spec": {**spec, "podCIDR": several[0]}}
    capacity = get(obj, "status", "capacity")
    if not capacity:
        return obj
    status = filled(obj["status"], allocatable=capacity)
    return {**obj, "status": status | {part: canonical(status[part]) for part in ("capacity", "allocatable")}}


def rules(obj: Obj) -> Wrong:
    """Every complaint; Kubernetes' texts look for the taints in the metadata."""
    yield from _taints(get(obj, "spec", "taints", default=None) or (), "metadata.taints")
    yield from _amounts(obj)
    yield from _ranges(get(obj, "spec", "podCIDRs") or [], "spec.podCIDRs")


def _ranges(ranges: Sequence[str], path: str) -> Wrong:
    """The addresses of its pods: one range a family."""
    for number, text in enumerate(ranges):
        yield from addresses.cidr(text, f"{path}[{number}]")
    families = [found.version for found in map(addresses.network, ranges) if found is not None]
    if len(ranges) > 1 and sorted(families) != [4, 6]:
        yield invalid(path, ranges, "may specify no more than one CIDR for each IP family")


def changes(new: Obj, old: Obj) -> Wrong:
    """What was given to it stays."""
    yield from _addresses(new)
    before, after = (get(obj, "spec", "podCIDRs") or [] for obj in (old, new))
    if before and before != after:
        yield forbidden("spec.podCIDRs", 'node updates may not change podCIDR except from "" to valid')
    was, said = (get(obj, "spec", "providerID") or "" for obj in (old, new))
    if was and was != said:
        how = "modified" if said else "cleared"
        yield invalid("spec.providerID", None, f"field cannot be {how} once set")


def _addresses(obj: Obj) -> Wrong:
    found = get(obj, "status", "addresses") or ()
    for number, address in enumerate(found):
        if address in found[:number]:
            yield duplicate(f"status.addresses[{number}]", internal(address, "core.NodeAddress"))


def _taints(taints: Sequence[Obj], path: str) -> Wrong:
    seen: list[tuple[str, str]] = []
    for number, taint in enumerate(taints):
        where, key, effect = f"{path}[{number}]", taint.get("key", ""), taint.get("effect", "")
        yield from each(names.qualified_name(key), f"{where}.key", key)
        if wrong := names.label_value(taint.get("value", "")):
            yield invalid(f"{where}.value", taint["value"], ";".join(wrong))
        yield from supported(f"{where}.effect", effect, EFFECTS) if effect else [required(f"{where}.effect")]
        if (key, effect) in seen:
            shown = internal(taint, "core.Taint")
            yield duplicate(where, shown, "taints must be unique by key and effect pair")
        seen.append((key, effect))


def _amounts(obj: Obj) -> Wrong:
    """Models k/k pkg/apis/core/validation ValidateNodeResources"""
    for part in ("capacity", "allocatable"):
        for name, amount in (get(obj, "status", part, default=None) or {}).items():
            yield from amount_of(name, amount, f"status.{part}.{name}")


def status_rules(new: Obj, old: Obj) -> Wrong:
    """What a kubelet reports can be reckoned with."""
    yield from _amounts(new)
    yield from _addresses(new)


def summary(node: Obj) -> dict[str, Any]:
    """Whether it can be used."""
    return {
        "ready": is_true(node, "Ready"),
        "unschedulable": bool(get(node, "spec", "unschedulable")),
        "taints": [taint["key"] for taint in get(node, "spec", "taints", default=None) or ()],
    }


# -- columns -------------------------------------------------------------------------------------------


def _status(node: Obj, now: int) -> str:
    ready = [c.get("status") for c in get(node, "status", "conditions") or () if c.get("type") == "Ready"]
    word = ("Ready" if ready[-1] == "True" else "NotReady") if ready else "Unknown"
    return f"{word},SchedulingDisabled" if get(node, "spec", "unschedulable") else word


def _roles(node: Obj, now: int) -> str:
    labels = node["metadata"].get("labels") or {}
    found = [key.removeprefix(ROLE) for key in labels if key.startswith(ROLE) and key != ROLE]
    found += [labels[OLD_ROLE]] if labels.get(OLD_ROLE) else []
    return ",".join(sorted(dict.fromkeys(found))) or NONE


def _address(type: str) -> Cell:
    def cell(node: Obj, now: int) -> str:
        found = [a.get("address", "") for a in get(node, "status", "addresses") or () if a.get("type") == type]
        return found[0] if found else NONE

    return cell


def _kernel(node: Obj, now: int) -> str:
    info = get(node, "status", "nodeInfo") or {}
    architecture = f" ({info['architecture']})" if info.get("architecture") else ""
    return (info.get("kernelVersion") or UNKNOWN) + architecture


INFO = ("status", "nodeInfo")
COLUMNS = (
    NAME,
    Column("Status", _status, description="The status of the node"),
    Column("Roles", _roles, description="The roles of the node"),
    AGE,
    Column("Version", at(*INFO, "kubeletVersion")),
    Column("Internal-IP", _address("InternalIP"), priority=WIDE),
    Column("External-IP", _address("ExternalIP"), priority=WIDE),
    Column("OS-Image", text_at(*INFO, "osImage", default=UNKNOWN), priority=WIDE),
    Column("Kernel-Version", _kernel, priority=WIDE),
    Column("Container-Runtime", text_at(*INFO, "containerRuntimeVersion", default=UNKNOWN), priority=WIDE),
)
serve(
    ServedKind(
        NODE,
        acted_on=True,
        subresources=("status", "proxy"),
        fields=("spec.unschedulable",),
        defaults=defaults,
        rules=rules,
        changes=changes,
        status_rules=status_rules,
        first_status=lambda obj: obj.get("status"),
        columns=COLUMNS,
        summary=summary,
    )
)
