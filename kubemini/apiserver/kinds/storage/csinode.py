"""CSINodes: which drivers of volumes a node has.

Models k/k pkg/registry/storage/csinode strategy; k/k pkg/apis/storage/validation ValidateCSINode,
ValidateCSINodeUpdate. What a driver says of a volume's health stands behind a feature gate that is off in 1.37.
"""

from kubemini.api import names
from kubemini.api.kinds import KNOWN
from kubemini.api.objects import Obj, get
from kubemini.apiserver.columns import AGE, NAME, Column, number_of
from kubemini.apiserver.rules.causes import (
    IMMUTABLE,
    InOrder,
    Wrong,
    duplicate,
    each,
    invalid,
    not_negative,
    required,
)
from kubemini.apiserver.rules.gostructs import internal
from kubemini.apiserver.rules.volumes.sources import driver_name
from kubemini.apiserver.served import ServedKind, serve

LONGEST_ID = 256  # bytes


def rules(obj: Obj) -> Wrong:
    """Every complaint."""
    seen: list[str] = []
    for number, driver in enumerate(get(obj, "spec", "drivers") or ()):
        path, name, node = f"spec.drivers[{number}]", driver.get("name", ""), driver.get("nodeID", "")
        yield from driver_name(name, f"{path}.name")
        if not node:
            yield required(f"{path}.nodeID")
        if len(node) > LONGEST_ID:
            yield invalid(f"{path}.nodeID", node, f"must be {LONGEST_ID} characters or less")
        yield from not_negative(driver.get("allocatable") or {}, f"{path}.allocatable", "count")
        if name in seen:
            yield duplicate(f"{path}.name", name)
        seen.append(name)
        yield from _keys(driver.get("topologyKeys") or [], path)


def _keys(keys: list[str], path: str) -> Wrong:
    for number, key in enumerate(keys):
        if not key:
            yield required(path)
        if key in keys[:number]:
            yield duplicate(path, key)
        yield from each(names.qualified_name(key), path, key)


def changes(new: Obj, old: Obj) -> Wrong:
    """A driver that stays is the same, but for how many volumes it takes."""
    for was in get(old, "spec", "drivers") or ():
        for driver in get(new, "spec", "drivers") or ():
            if driver["name"] == was["name"] and _fixed(driver) != _fixed(was):
                yield invalid("spec.drivers", _fixed(driver), IMMUTABLE)


def _fixed(driver: Obj) -> InOrder:
    """What of a *driver* stays."""
    return internal({**driver, "allocatable": None}, "storage.CSINodeDriver")


serve(
    ServedKind(
        KNOWN["storage.k8s.io/v1", "CSINode"],
        subresources=("status",),
        versioned=True,
        returned=True,
        rules=rules,
        changes=changes,
        columns=(NAME, Column("Drivers", number_of("spec", "drivers"), type="integer"), AGE),
    )
)
