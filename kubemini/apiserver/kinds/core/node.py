"""Nodes.

Models k/k pkg/registry/core/node strategy; k/k pkg/apis/core/validation ValidateNode, validateNodeTaints.
"""

from collections.abc import Sequence
from typing import Any

from kubemini.api import names
from kubemini.api.kinds import NODE
from kubemini.api.objects import Obj, get
from kubemini.apiserver.rules.causes import Wrong, duplicate, each, invalid, required, supported
from kubemini.apiserver.rules.conditions import is_true
from kubemini.apiserver.rules.containers import filled
from kubemini.apiserver.rules.placement import EFFECTS
from kubemini.apiserver.rules.resources import amount_of, canonical
from kubemini.apiserver.served import ServedKind, serve


def defaults(obj: Obj) -> Obj:
    """*obj* with as much to give as it has; amounts in canonical form."""
    capacity = get(obj, "status", "capacity")
    if not capacity:
        return obj
    status = filled(obj["status"], allocatable=capacity)
    return {**obj, "status": status | {part: canonical(status[part]) for part in ("capacity", "allocatable")}}


def rules(obj: Obj) -> Wrong:
    """Every complaint."""
    yield from _taints(get(obj, "spec", "taints", default=None) or (), "spec.taints")
    yield from _amounts(obj)


def _taints(taints: Sequence[Obj], path: str) -> Wrong:
    seen: list[tuple[str, str]] = []
    for number, taint in enumerate(taints):
        where, key, effect = f"{path}[{number}]", taint.get("key", ""), taint.get("effect", "")
        yield from each(names.label_key(key), f"{where}.key", key)
        if wrong := names.label_value(taint.get("value", "")):
            yield invalid(f"{where}.value", taint["value"], ";".join(wrong))
        yield from supported(f"{where}.effect", effect, EFFECTS) if effect else [required(f"{where}.effect")]
        if (key, effect) in seen:
            yield duplicate(where, taint, "taints must be unique by key and effect pair")
        seen.append((key, effect))


def _amounts(obj: Obj) -> Wrong:
    """Models k/k pkg/apis/core/validation ValidateNodeResources"""
    for part in ("capacity", "allocatable"):
        for name, amount in (get(obj, "status", part, default=None) or {}).items():
            yield from amount_of(name, amount, f"status.{part}.{name}")


def status_rules(new: Obj, old: Obj) -> Wrong:
    """What a kubelet reports can be reckoned with."""
    yield from _amounts(new)


def summary(node: Obj) -> dict[str, Any]:
    """Whether it can be used."""
    return {
        "ready": is_true(node, "Ready"),
        "unschedulable": bool(get(node, "spec", "unschedulable")),
        "taints": [taint["key"] for taint in get(node, "spec", "taints", default=None) or ()],
    }


serve(
    ServedKind(
        NODE,
        acted_on=True,
        subresources=("status", "proxy"),
        fields=("spec.unschedulable",),
        defaults=defaults,
        rules=rules,
        status_rules=status_rules,
        first_status=lambda obj: obj.get("status"),
        summary=summary,
    )
)
