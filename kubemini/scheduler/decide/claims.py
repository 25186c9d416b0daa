"""The claims of a pod's volumes, and the volumes they are bound to. Pure.

Models k/component-helpers storage/volume GetPersistentVolumeClaimClass IsDelayBindingMode
Models k/component-helpers storage/ephemeral VolumeClaimName
"""

from collections.abc import Iterator

from kubemini.api.objects import EMPTY, Obj, get
from kubemini.scheduler.decide.listers import Listers
from kubemini.scheduler.decide.plugin import Event

CLAIM, VOLUME, CLASS = "PersistentVolumeClaim", "PersistentVolume", "StorageClass"
BETA_CLASS = "volume.beta.kubernetes.io/storage-class"
SELECTED_NODE = "volume.kubernetes.io/selected-node"
BIND_COMPLETED, BY_CONTROLLER = "pv.kubernetes.io/bind-completed", "pv.kubernetes.io/bound-by-controller"
WAITS = "WaitForFirstConsumer"


def claims_of(pod: Obj, ephemeral: bool = True) -> Iterator[tuple[str, bool]]:
    """The names of its claims, and whether each is made for this pod alone."""
    for volume in pod["spec"].get("volumes") or ():
        if volume.get("persistentVolumeClaim") is not None:
            yield volume["persistentVolumeClaim"]["claimName"], False
        elif ephemeral and volume.get("ephemeral") is not None:
            yield f"{pod['metadata']['name']}-{volume['name']}", True


def not_owner(pod: Obj, claim: Obj) -> str:
    """Why a claim that has the name of an ephemeral one cannot be used by *pod*; "" if it can."""
    meta = claim["metadata"]
    owners = (o for o in meta.get("ownerReferences") or () if o.get("controller"))
    if any(owner["uid"] == pod["metadata"].get("uid") for owner in owners):
        return ""
    space, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
    return f"PVC {meta['namespace']}/{meta['name']} was not created for pod {space}/{name} (pod is not owner)"


def class_of(obj: Obj) -> str:
    """The storage class that a claim or a volume names, "" for none."""
    old = get(obj, "metadata", "annotations", BETA_CLASS)
    found: str = old if old is not None else obj["spec"].get("storageClassName") or ""
    return found


def waits_for_consumer(claim: Obj, known: Listers) -> bool:
    """Whether its volume is chosen, or made, when a pod is placed."""
    found = known.get(CLASS, "", class_of(claim)) if class_of(claim) else None
    return found is not None and found.get("volumeBindingMode") == WAITS


def fully_bound(claim: Obj) -> bool:
    """Whether the volume controller has finished with it."""
    return bool(claim["spec"].get("volumeName")) and BIND_COMPLETED in (claim["metadata"].get("annotations") or EMPTY)


def concerns(pod: Obj, event: Event, ephemeral: bool = True) -> bool:
    """Whether an event is about a claim of *pod*."""
    meta = (event.new or event.old or EMPTY).get("metadata", EMPTY)
    if meta.get("namespace") != pod["metadata"].get("namespace"):
        return False
    return any(name == meta.get("name") for name, _ in claims_of(pod, ephemeral))
