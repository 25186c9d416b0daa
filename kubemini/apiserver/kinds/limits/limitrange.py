"""LimitRanges: least and most that a pod, a container or a claim may ask for, and what it gets that asks for nothing.

Models k/k pkg/apis/core/validation ValidateLimitRange; defaults: k/k pkg/apis/core/v1 SetDefaults_LimitRangeItem.
"""

from collections.abc import Mapping
from typing import Any

from kubemini.api import kinds, names
from kubemini.api.objects import Obj, get
from kubemini.api.quantity import Quantity, parse
from kubemini.apiserver.rules.causes import Wrong, duplicate, each, forbidden, invalid, required
from kubemini.apiserver.rules.resources import canonical, container_name, name_of, native
from kubemini.apiserver.served import ServedKind, serve

TYPES = ("Pod", "Container", "PersistentVolumeClaim")
PARTS = ("max", "min", "default", "defaultRequest", "maxLimitRequestRatio")
NO_BOUNDS = "either minimum or maximum storage value is required, but neither was provided"


def defaults(obj: Obj) -> Obj:
    """*obj* with every default."""
    spec = obj.get("spec") or {}
    items = [_item_defaults(item) for item in spec.get("limits") or ()]
    return {**obj, "spec": {**spec, "limits": items or None}}


def _item_defaults(item: Obj) -> dict[str, Any]:
    """A container that says nothing may have the most, and asks for as much as it may have."""
    full = {**item, **{part: canonical(item[part]) for part in PARTS if item.get(part)}}
    if item.get("type") != "Container":
        return full
    may = {**(full.get("max") or {}), **(full.get("default") or {})}
    asks = {**(full.get("min") or {}), **may, **(full.get("defaultRequest") or {})}
    return {**full, **{key: value for key, value in (("default", may), ("defaultRequest", asks)) if value}}


def rules(obj: Obj) -> Wrong:
    """Every complaint."""
    seen: list[str] = []
    for number, item in enumerate(get(obj, "spec", "limits") or ()):
        path, type = f"spec.limits[{number}]", item.get("type", "")
        yield from _type(type, f"{path}.type")
        if type in seen:
            yield duplicate(f"{path}.type", type)
        seen.append(type)
        yield from _names(item, type, path)
        yield from _amounts(item, path)


def _type(type: str, path: str) -> Wrong:
    if wrong := names.qualified_name(type):
        yield from each(wrong, path, type)
    elif "/" not in type and type not in TYPES:
        yield invalid(path, type, "must be a standard limit type or fully qualified")


def _names(item: Obj, type: str, path: str) -> Wrong:
    known = container_name if type in ("Pod", "Container") else name_of
    for part in PARTS:
        if type == "Pod" and part in ("default", "defaultRequest"):
            if item.get(part):
                yield forbidden(f"{path}.{part}", "may not be specified when `type` is 'Pod'")
            continue
        if part == "maxLimitRequestRatio" and type == "PersistentVolumeClaim":
            if "storage" not in (item.get("min") or {}) and "storage" not in (item.get("max") or {}):
                yield required(f"{path}.limits", NO_BOUNDS)
        for name in item.get(part) or {}:
            yield from known(name, f"{path}.{part}[{name}]")


def _amounts(item: Obj, path: str) -> Wrong:
    """Least, usual and most in the right order."""
    told = {part: item.get(part) or {} for part in PARTS}
    if item.get("type") == "Pod":
        told |= {"default": {}, "defaultRequest": {}}
    for name in sorted({name for amounts in told.values() for name in amounts}):
        yield from _one(name, {part: parse(told[part][name]) for part in PARTS if name in told[part]}, path)


ORDER = (  # (the smaller, the larger, the field that is wrong, how they are called)
    ("min", "max", "min", "min value", "max value"),
    ("min", "defaultRequest", "defaultRequest", "min value", "default request value"),
    ("defaultRequest", "max", "defaultRequest", "default request value", "max value"),
    ("defaultRequest", "default", "defaultRequest", "default request value", "default limit value"),
    ("min", "default", "default", "min value", "default value"),
    ("default", "max", "default", "default value", "max value"),
)


def _one(name: str, amounts: Mapping[str, Quantity], path: str) -> Wrong:
    for small, large, field, less, more in ORDER:
        if small in amounts and large in amounts and amounts[small].amount > amounts[large].amount:
            text = f"{less} {amounts[small]} is greater than {more} {amounts[large]}"
            shown = amounts["min" if small == "min" else "max"] if field == "default" else amounts[field]
            yield invalid(f"{path}.{field}[{name}]", str(shown), text)
    ratio = amounts.get("maxLimitRequestRatio")
    where = f"{path}.maxLimitRequestRatio[{name}]"
    if ratio is not None and ratio.amount < 1:
        yield invalid(where, str(ratio), f"ratio {ratio} is less than 1")
    if ratio is not None and "min" in amounts and "max" in amounts and amounts["min"].amount:
        most = amounts["max"].amount / amounts["min"].amount
        if ratio.amount > most:
            yield invalid(where, str(ratio), f"ratio {ratio} is greater than max/min = {float(most):f}")
    usual, asked = amounts.get("default"), amounts.get("defaultRequest")
    shared = native(name) and not name.startswith("hugepages-")
    if not shared and usual is not None and asked is not None and usual.amount != asked.amount:
        text = f"default value {usual} must equal to defaultRequest value {asked} in {name}"
        yield invalid(f"{path}.defaultRequest[{name}]", str(asked), text)


serve(
    ServedKind(
        kinds.KNOWN["v1", "LimitRange"],
        created_by_put=True,
        defaults=defaults,
        rules=rules,
        said=False,
        not_simulated=("spec",),
    )
)
