"""VolumeAttributesClasses: what may be changed of a volume that is there.

Models k/k pkg/registry/storage/volumeattributesclass strategy; k/k pkg/apis/storage/validation
ValidateVolumeAttributesClass, ValidateVolumeAttributesClassUpdate.
"""

from kubemini.api.kinds import KNOWN
from kubemini.api.objects import Obj
from kubemini.apiserver.columns import AGE, NAME, Column, at
from kubemini.apiserver.kinds.storage.common import parameters, provisioner
from kubemini.apiserver.rules.causes import Wrong, forbidden, required
from kubemini.apiserver.served import ServedKind, serve


def create_rules(obj: Obj) -> Wrong:
    """Every complaint."""
    if not obj.get("driverName"):
        yield required("driverName")
    yield from provisioner(obj.get("driverName", ""), "driverName")
    yield from parameters(obj.get("parameters"), "parameters", may_be_empty=False)


def changes(new: Obj, old: Obj) -> Wrong:
    """Its driver stays, and what it tells it."""
    for field in ("driverName", "parameters"):
        if (new.get(field) or None) != (old.get(field) or None):
            yield forbidden(field, f"updates to {field} are forbidden.")
    yield from create_rules(new)


serve(
    ServedKind(
        KNOWN["storage.k8s.io/v1", "VolumeAttributesClass"],
        returned=True,
        create_rules=create_rules,
        changes=changes,
        columns=(NAME, Column("DriverName", at("driverName")), AGE),
    )
)
