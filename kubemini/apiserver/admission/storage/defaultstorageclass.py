"""DefaultStorageClass: a claim without a class gets the default one when it is created; the newest, if there are more.

Models k/k plugin/pkg/admission/storage/storageclass/setdefault claimDefaulterPlugin.Admit.
"""

from kubemini.api.errors import ApiError
from kubemini.api.kinds import KNOWN, Kind
from kubemini.api.objects import Obj, evolve, get
from kubemini.apiserver.admission import newest_default
from kubemini.apiserver.decide.attributes import CREATE, Attributes

NAME = "DefaultStorageClass"
CLAIM, STORAGE_CLASS = KNOWN["v1", "PersistentVolumeClaim"], KNOWN["storage.k8s.io/v1", "StorageClass"]
DEFAULT = ("storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class")
BETA = "volume.beta.kubernetes.io/storage-class"


def needs(asked: Attributes) -> tuple[Kind, ...]:
    """The classes, for a new claim."""
    return (STORAGE_CLASS,) if _looks_at(asked) else ()


def admit(asked: Attributes) -> "Obj | ApiError | None":
    """A claim with a class, if there is a default."""
    claim = asked.obj
    if claim is None or not _looks_at(asked) or BETA in (get(claim, "metadata", "annotations") or {}):
        return claim
    if get(claim, "spec", "storageClassName") is not None:
        return claim
    name = newest_default(asked.known.items(STORAGE_CLASS), DEFAULT)
    return claim if name is None else evolve(claim, ("spec", "storageClassName"), name)


def _looks_at(asked: Attributes) -> bool:
    return asked.kind == CLAIM and asked.operation == CREATE and not asked.subresource
