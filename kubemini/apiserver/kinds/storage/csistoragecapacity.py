"""CSIStorageCapacities: how much a class has to give, and where.

Models k/k pkg/registry/storage/csistoragecapacity strategy; k/k pkg/apis/storage/validation
ValidateCSIStorageCapacity, ValidateCSIStorageCapacityUpdate.
"""

from typing import Any

from kubemini.api import names, quantity
from kubemini.api.kinds import KNOWN
from kubemini.api.objects import Obj
from kubemini.apiserver.rules.causes import IMMUTABLE, NEGATIVE, Wrong, each, invalid
from kubemini.apiserver.rules.metadata import label_selector
from kubemini.apiserver.rules.nodelabels import in_selector
from kubemini.apiserver.rules.resources import canonical
from kubemini.apiserver.served import ServedKind, serve

AMOUNTS = ("capacity", "maximumVolumeSize")


def defaults(obj: Obj) -> Obj:
    """*obj* with amounts as the server writes them."""
    return {**obj, **canonical({field: obj[field] for field in AMOUNTS if obj.get(field) is not None})}


def rules(obj: Obj) -> Wrong:
    """Every complaint."""
    yield from label_selector(obj.get("nodeTopology"), "nodeTopology")
    name = obj.get("storageClassName", "")
    yield from each(names.dns_subdomain(name), "storageClassName", name)
    amount: Any = obj.get("capacity")
    if amount is not None and quantity.parse(quantity.text(amount)).amount < 0:
        yield invalid("capacity", amount, NEGATIVE)


def changes(new: Obj, old: Obj) -> Wrong:
    """What it speaks of stays."""
    for field in ("nodeTopology", "storageClassName"):
        if new.get(field) != old.get(field):
            yield invalid(field, new.get(field), IMMUTABLE)


serve(
    ServedKind(
        KNOWN["storage.k8s.io/v1", "CSIStorageCapacity"],
        versioned=True,
        defaults=defaults,
        rules=rules,
        changes=changes,
        warnings=lambda obj, old: in_selector(obj.get("nodeTopology"), "nodeTopology"),
    )
)
