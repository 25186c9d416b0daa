"""StorageObjectInUseProtection: a claim or volume in use outlives its deletion, by a finalizer that it gets here.

Models k/k plugin/pkg/admission/storage/storageobjectinuseprotection storageProtectionPlugin.Admit.
"""

from kubemini.api.errors import ApiError
from kubemini.api.kinds import KNOWN
from kubemini.api.objects import Obj, evolve, get
from kubemini.apiserver.decide.attributes import CREATE, Attributes

NAME = "StorageObjectInUseProtection"
FINALIZERS = {
    KNOWN["v1", "PersistentVolumeClaim"]: "kubernetes.io/pvc-protection",
    KNOWN["v1", "PersistentVolume"]: "kubernetes.io/pv-protection",
    KNOWN["storage.k8s.io/v1", "VolumeAttributesClass"]: "kubernetes.io/vac-protection",
}


def admit(asked: Attributes) -> "Obj | ApiError | None":
    """A new one with its finalizer."""
    obj, finalizer = asked.obj, FINALIZERS.get(asked.kind)
    if obj is None or finalizer is None or asked.operation != CREATE or asked.subresource:
        return obj
    held = list(get(obj, "metadata", "finalizers") or ())
    return obj if finalizer in held else evolve(obj, ("metadata", "finalizers"), [*held, finalizer])
