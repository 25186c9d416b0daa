"""VolumeAttachments: a volume that is, or shall be, attached to a node.

Models k/k pkg/registry/storage/volumeattachment strategy; k/k pkg/apis/storage/validation
ValidateVolumeAttachment, ValidateVolumeAttachmentUpdate.
Simplified: a volume that is written out in place of a name is not judged.
"""

from kubemini.api import names
from kubemini.api.kinds import KNOWN
from kubemini.api.objects import Obj
from kubemini.apiserver.columns import AGE, NAME, Column, at
from kubemini.apiserver.rules.causes import (
    IMMUTABLE,
    Wrong,
    each,
    forbidden,
    invalid,
    required,
    too_long,
    too_many_characters,
)
from kubemini.apiserver.rules.volumes.sources import LONGEST_DRIVER
from kubemini.apiserver.served import ServedKind, serve

LARGEST_METADATA = 256 * 1024  # bytes
LONGEST_MESSAGE = 1024  # bytes
ONE_SOURCE = "must specify exactly one of inlineVolumeSpec and persistentVolumeName"


def rules(obj: Obj) -> Wrong:
    """Every complaint but about who attaches it."""
    spec = obj.get("spec") or {}
    source, node = spec.get("source") or {}, spec.get("nodeName", "")
    inline, volume = source.get("inlineVolumeSpec"), source.get("persistentVolumeName")
    if inline is None and volume is None:
        yield required("spec.source", ONE_SOURCE)
    elif inline is not None and volume is not None:
        yield forbidden("spec.source", ONE_SOURCE)
    elif volume == "":
        yield required("spec.source.persistentVolumeName", "must specify non empty persistentVolumeName")
    yield from each(names.dns_subdomain(node), "spec.nodeName", node)
    if volume is not None:
        yield from each(names.dns_subdomain(volume), "spec.source.persistentVolumeName", volume)


def status_rules(new: Obj, old: Obj) -> Wrong:
    """What a driver tells is not too much."""
    status = new.get("status") or {}
    told = status.get("attachmentMetadata") or {}
    if sum(len(key.encode()) + len(value.encode()) for key, value in told.items()) > LARGEST_METADATA:
        yield too_long("status.attachmentMetadata", LARGEST_METADATA)
    for field in ("attachError", "detachError"):
        error = status.get(field) or {}
        if len((error.get("message") or "").encode()) > LONGEST_MESSAGE:
            yield too_long(f"status.{field}.message", LONGEST_MESSAGE)
        if (error.get("errorCode") or 0) < 0:
            text = "must be between 0 and 2147483647, inclusive"
            yield invalid(f"status.{field}.errorCode", error["errorCode"], text)


def declared(obj: Obj, old: Obj | None) -> Wrong:
    """Who attaches it is named; nothing of what is wanted changes."""
    spec = obj.get("spec") or {}
    if old is not None:
        if spec != (old.get("spec") or {}):
            yield invalid("spec", None, IMMUTABLE)
        return
    attacher = spec.get("attacher", "")
    if not attacher:
        yield required("spec.attacher")
        return
    yield from each(names.dns_subdomain_caseless(attacher), "spec.attacher", attacher)
    if len(attacher) > LONGEST_DRIVER:
        yield too_many_characters("spec.attacher", LONGEST_DRIVER)


COLUMNS = (
    NAME,
    Column("Attacher", at("spec", "attacher"), format="name"),
    Column("PV", at("spec", "source", "persistentVolumeName")),
    Column("Node", at("spec", "nodeName")),
    Column("Attached", at("status", "attached", default=False), type="boolean"),
    AGE,
)
serve(
    ServedKind(
        KNOWN["storage.k8s.io/v1", "VolumeAttachment"],
        subresources=("status",),
        versioned=True,
        returned=True,
        rules=rules,
        declared=declared,
        status_rules=status_rules,
        first_status=lambda obj: {"attached": False},
        columns=COLUMNS,
    )
)
