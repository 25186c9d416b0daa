"""PersistentVolumeClaimResize: a claim grows only if it is bound and its class lets it.

Models k/k plugin/pkg/admission/storage/persistentvolume/resize persistentVolumeClaimResize.Validate.
"""

from kubemini.api.errors import ApiError
from kubemini.api.kinds import KNOWN, Kind
from kubemini.api.objects import Obj, get
from kubemini.api.quantity import Quantity
from kubemini.api.usage.amounts import ZERO, read
from kubemini.apiserver.admission import forbid
from kubemini.apiserver.decide.attributes import UPDATE, Attributes

NAME = "PersistentVolumeClaimResize"
CLAIM, STORAGE_CLASS = KNOWN["v1", "PersistentVolumeClaim"], KNOWN["storage.k8s.io/v1", "StorageClass"]
BETA = "volume.beta.kubernetes.io/storage-class"
NOT_BOUND = "Only bound persistent volume claims can be expanded"
NOT_ALLOWED = (
    "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize"
)


def needs(asked: Attributes) -> tuple[Kind, ...]:
    """The classes, for a claim that changes."""
    return (STORAGE_CLASS,) if _looks_at(asked) else ()


def validate(asked: Attributes) -> ApiError | None:
    """Why the claim may not grow, or None."""
    new, old = asked.obj, asked.old
    if new is None or old is None or not _looks_at(asked) or _size(new).amount <= _size(old).amount:
        return None
    if get(old, "status", "phase") != "Bound":
        return forbid(asked, NOT_BOUND)
    called = _class(new)
    found = asked.known.get(STORAGE_CLASS, "", called) if called and called == _class(old) else None
    return None if found is not None and found.get("allowVolumeExpansion") else forbid(asked, NOT_ALLOWED)


def _looks_at(asked: Attributes) -> bool:
    return asked.kind == CLAIM and asked.operation == UPDATE and not asked.subresource


def _size(claim: Obj) -> Quantity:
    return read(get(claim, "spec", "resources", "requests")).get("storage", ZERO)


def _class(claim: Obj) -> str:
    notes = get(claim, "metadata", "annotations") or {}
    return str(notes.get(BETA) or get(claim, "spec", "storageClassName") or "")
