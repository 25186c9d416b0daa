"""StorageVersionMigrations: objects of a resource that shall be written anew.

Models k/k pkg/registry/storagemigration/storagemigration strategy; k/k pkg/apis/storagemigration/validation
ValidateStorageVersionMigration, ValidateStorageVersionMigrationUpdate,
ValidateStorageVersionMigrationStatusUpdate.
"""

import re

from kubemini.api import names
from kubemini.api.kinds import KNOWN
from kubemini.api.objects import Obj, get
from kubemini.apiserver.columns import NAME, Column, at
from kubemini.apiserver.rules.causes import IMMUTABLE, Wrong, invalid, required
from kubemini.apiserver.rules.conditions import conditions, in_order, is_true
from kubemini.apiserver.rules.gostructs import internal
from kubemini.apiserver.served import ServedKind, serve

BOTH = "Both success and failed conditions cannot be true at the same time"


def rules(obj: Obj) -> Wrong:
    """Every complaint."""
    resource, group = (get(obj, "spec", "resource", field) or "" for field in ("resource", "group"))
    if not resource:
        yield required("spec.resource.resource", "resource is required to be set")
    elif wrong := names.dns1035_label(resource):
        yield invalid("spec.resource.resource", resource, ",".join(wrong))
    if group and (wrong := names.dns_subdomain(group)):
        yield invalid("spec.resource.group", group, ",".join(wrong))


def changes(new: Obj, old: Obj) -> Wrong:
    """What is migrated stays."""
    if new.get("spec") != old.get("spec"):
        yield invalid("spec", internal(new.get("spec"), "storagemigration.StorageVersionMigrationSpec"), IMMUTABLE)


def status_rules(new: Obj, old: Obj) -> Wrong:
    """It succeeds or fails, and once it has, that stays; so does the version that it is about."""
    status = new.get("status") or {}
    version, was = status.get("resourceVersion") or "", get(old, "status", "resourceVersion") or ""
    if version and not re.fullmatch("[1-9][0-9]*", version):
        yield invalid("status.resourceVersion", version, f"resource version is not well formed: {version}")
    yield from conditions(status.get("conditions") or (), "status.conditions")
    if was and was != version:
        yield invalid("status.resourceVersion", version, IMMUTABLE)
    found = [in_order(one) for one in status.get("conditions") or ()] or None
    if is_true(new, "Succeeded") and is_true(new, "Failed"):
        yield invalid("status.conditions", found, BOTH)
    for type, word in (("Succeeded", "Success"), ("Failed", "Failed")):
        if is_true(old, type) and not is_true(new, type):
            yield invalid("status.conditions", found, f"{word} condition cannot be set to false once it is true")


def _resource(obj: Obj, now: int) -> str:
    said = get(obj, "spec", "resource") or {}
    return ".".join(word for word in (said.get("resource"), said.get("group")) if word)


def _status(obj: Obj, now: int) -> str:
    found = [one for one in get(obj, "status", "conditions") or () if one.get("status") == "True"]
    known = [one["type"] for one in found if one.get("type") in ("Running", "Failed", "Succeeded")]
    return known[-1] if known else "Unknown"


COLUMNS = (
    Column("Name", at("metadata", "name"), description=NAME.description),
    Column("Resource", _resource, description="GroupResource to migrate"),
    Column("Status", _status, description="Status of the migration"),
)
serve(
    ServedKind(
        KNOWN["storagemigration.k8s.io/v1", "StorageVersionMigration"],
        subresources=("status",),
        versioned=True,
        rules=rules,
        changes=changes,
        status_rules=status_rules,
        first_status=lambda obj: {},
        columns=COLUMNS,
        not_simulated=("spec",),
    )
)
