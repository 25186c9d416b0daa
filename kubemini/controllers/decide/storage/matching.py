"""Which volume a claim gets: the one that names it, else the smallest that is free and fits. Pure.

Volumes are searched by their access modes: those that offer the fewest modes first, so that a claim that writes from
one node does not take what many nodes could share.
Models k/component-helpers storage/volume FindMatchingVolume, IsVolumeBoundToClaim, CheckVolumeModeMismatches,
IsDelayBindingMode; k/k pkg/controller/volume/persistentvolume persistentVolumeOrderedIndex.findByClaim,
checkVolumeSatisfyClaim
"""

from collections.abc import Iterable
from fractions import Fraction

from kubemini.api import labels, quantity
from kubemini.api.kinds import KNOWN, PERSISTENT_VOLUME_CLAIM, POD
from kubemini.api.objects import Obj, get
from kubemini.controllers.decide.actions import is_finished, terminating
from kubemini.controllers.decide.controller import Facts, Key

CLAIM = PERSISTENT_VOLUME_CLAIM
VOLUME = KNOWN["v1", "PersistentVolume"]
CLASS = KNOWN["storage.k8s.io/v1", "StorageClass"]
OLD_CLASS = "volume.beta.kubernetes.io/storage-class"  # the annotation from before there was a field
DEFAULT = ("storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class")
MODES = {"ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX", "ReadWriteOncePod": "RWOP"}
STATUSES = ("initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses")


def annotation(obj: Obj, name: str) -> str | None:
    """The annotation called *name*, if there is one."""
    found: str | None = get(obj, "metadata", "annotations", name)
    return found


def class_of(obj: Obj) -> str:
    """The name of the class that a claim asks for, or a volume is of."""
    old = annotation(obj, OLD_CLASS)
    return old if old is not None else get(obj, "spec", "storageClassName") or ""


def names_a_class(claim: Obj) -> bool:
    """Whether it says which class it wants, be it none."""
    return annotation(claim, OLD_CLASS) is not None or get(claim, "spec", "storageClassName") is not None


def waits_for_consumer(claim: Obj, facts: Facts) -> bool:
    """Whether its class leaves it unbound until a pod needs it."""
    found = facts.get(CLASS, ("", class_of(claim)))
    return found is not None and found.get("volumeBindingMode") == "WaitForFirstConsumer"


def default_class(facts: Facts) -> str | None:
    """The class for those that name none: the youngest of those that are marked."""
    marked = [one for one in facts.of_namespace(CLASS, "") if "true" in (annotation(one, name) for name in DEFAULT)]
    by_name = sorted(marked, key=lambda one: one["metadata"]["name"])
    youngest = max(by_name, key=lambda one: one["metadata"].get("creationTimestamp", ""), default=None)
    return youngest["metadata"]["name"] if youngest is not None else None


def is_bound_to(volume: Obj, claim: Obj) -> bool:
    """Whether *volume* is kept for *claim*, or bound to it: by name, and by UID if it says one."""
    reference, meta = get(volume, "spec", "claimRef"), claim["metadata"]
    if reference is None or (reference.get("namespace"), reference.get("name")) != (meta["namespace"], meta["name"]):
        return False
    return reference.get("uid") in (None, "", meta["uid"])


def other_mode(claim: Obj, volume: Obj) -> bool:
    """Whether one is a file system and the other a bare device."""
    modes = [get(one, "spec", "volumeMode", default="Filesystem") for one in (claim, volume)]
    return modes[0] != modes[1]


def best(claim: Obj, volumes: Iterable[Obj], waits: bool) -> Obj | None:
    """The volume for *claim*; if it *waits* for its consumer, only one that is kept for it already."""
    wanted = get(claim, "spec", "accessModes") or ()
    by_modes: dict[tuple[str, ...], list[Obj]] = {}
    for volume in volumes:
        by_modes.setdefault(_modes(volume), []).append(volume)
    for offered in sorted(by_modes, key=lambda modes: (len(modes), modes)):
        if {MODES[mode] for mode in wanted} <= set(offered):
            found = _best(claim, by_modes[offered], waits)
            if found is not None:
                return found
    return None


def _modes(volume: Obj) -> tuple[str, ...]:
    offered = get(volume, "spec", "accessModes") or ()
    return tuple(short for mode, short in MODES.items() if mode in offered)


def _best(claim: Obj, volumes: list[Obj], waits: bool) -> Obj | None:
    fitting = [volume for volume in volumes if _fits(claim, volume)]
    kept = next((volume for volume in fitting if is_bound_to(volume, claim)), None)
    if kept is not None or waits:
        return kept
    free = [volume for volume in fitting if _is_free(claim, volume)]
    return min(free, key=lambda volume: (_size(volume), volume["metadata"]["name"]), default=None)


def _fits(claim: Obj, volume: Obj) -> bool:
    taken = get(volume, "spec", "claimRef") is not None and not is_bound_to(volume, claim)
    if taken or terminating(volume) or other_mode(claim, volume) or _attributes(claim) != _attributes(volume):
        return False
    return _size(volume) >= _asked(claim)


def _is_free(claim: Obj, volume: Obj) -> bool:
    selector = get(claim, "spec", "selector")
    picked = selector is None or labels.matches(selector, get(volume, "metadata", "labels"))
    return picked and get(volume, "status", "phase") == "Available" and class_of(volume) == class_of(claim)


def _attributes(obj: Obj) -> str:
    """The VolumeAttributesClass that one asks for or has."""
    return get(obj, "spec", "volumeAttributesClassName") or ""


def _size(volume: Obj) -> Fraction:
    return quantity.parse(str(get(volume, "spec", "capacity", "storage", default="0"))).amount


def _asked(claim: Obj) -> Fraction:
    return quantity.parse(str(get(claim, "spec", "resources", "requests", "storage", default="0"))).amount


def mismatch(volume: Obj, claim: Obj) -> str | None:
    """Why *claim* cannot have the very *volume* that it names, or None."""
    if terminating(volume):
        return f'the volume is marked for deletion "{volume["metadata"]["name"]}"'
    if _size(volume) < _asked(claim):
        return "requested PV is too small"
    if class_of(volume) != class_of(claim):
        return "storageClassName does not match"
    if _attributes(volume) != _attributes(claim):
        return "volumeAttributesClassName does not match"
    if other_mode(claim, volume):
        return "incompatible volumeMode"
    wanted, offered = (get(one, "spec", "accessModes") or () for one in (claim, volume))
    return None if set(wanted) <= set(offered) else "incompatible accessMode"


# -- pods and their claims ------------------------------------------------------------------------------------------
def claims_of(pod: Obj) -> list[tuple[str, bool]]:
    """The names of the claims that *pod* mounts; whether each was made for the pod alone (ephemeral)."""
    found = []
    for volume in get(pod, "spec", "volumes") or ():
        if volume.get("persistentVolumeClaim") is not None:
            found.append((volume["persistentVolumeClaim"].get("claimName", ""), False))
        elif volume.get("ephemeral") is not None:
            found.append((f"{pod['metadata']['name']}-{volume['name']}", True))
    return found


def claim_keys(pod: Obj) -> list[Key]:
    """The keys of the claims that *pod* mounts."""
    return [(pod["metadata"]["namespace"], name) for name, _ in claims_of(pod)]


def is_over(pod: Obj) -> bool:
    """Whether nothing of it runs any more. Models k/k pkg/volume/util IsPodTerminated"""
    told = (status for field in STATUSES for status in get(pod, "status", field) or ())
    return is_finished(pod) or (terminating(pod) and not any("running" in (one.get("state") or {}) for one in told))


def waiting_pods(claim: Obj, facts: Facts) -> list[str]:
    """The names of the pods that mount *claim* and have no node yet."""
    meta = claim["metadata"]
    here = facts.of_namespace(POD, meta["namespace"])
    mounting = (pod for pod in here if meta["name"] in (name for name, _ in claims_of(pod)))
    return [pod["metadata"]["name"] for pod in mounting if not is_over(pod) and not get(pod, "spec", "nodeName")]
