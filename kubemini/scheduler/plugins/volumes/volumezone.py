"""VolumeZone: a volume that is labelled with a zone or region can be used there only. Pure.

Models k/k pkg/scheduler/framework/plugins/volumezone VolumeZone.PreFilter
Models k/k pkg/scheduler/framework/plugins/volumezone VolumeZone.Filter
"""

from collections.abc import Sequence

from kubemini.api.objects import EMPTY, Obj, get
from kubemini.scheduler.decide.cache import BETA, REGION, ZONE
from kubemini.scheduler.decide.claims import CLAIM, CLASS, VOLUME, WAITS, claims_of, class_of, concerns
from kubemini.scheduler.decide.events import NODE_ADDED, NODE_LABEL
from kubemini.scheduler.decide.nodeinfo import NodeInfo
from kubemini.scheduler.decide.plugin import SKIP, Cycle, Event, Plugin, Refusal, hopeless

NAME = "VolumeZone"
NO_ZONE = "node(s) had no available volume zone"
KEYS = (BETA[ZONE], BETA[REGION], ZONE, REGION)
TODAY = {old: new for new, old in BETA.items()}
Place = tuple[str, tuple[str, ...]]  # a label, and the values it may have
CLASS_ADDED, VOLUME_ADDED, VOLUME_CHANGED = (
    "storage.k8s.io/StorageClassAdd",
    "PersistentVolumeAdd",
    "PersistentVolumeUpdate",
)
CLAIM_CHANGES = ("PersistentVolumeClaimAdd", "PersistentVolumeClaimUpdate")


def prepare(cycle: Cycle) -> Refusal | str | None:
    """Where the pod's volumes are."""
    found: list[Place] = []
    for name, _ in claims_of(cycle.pod, ephemeral=False):
        places = _places(cycle, name)
        if isinstance(places, Refusal):
            return places
        found += places
    cycle.state[NAME] = found
    return None if found else SKIP


def _places(cycle: Cycle, name: str) -> Sequence[Place] | Refusal:
    claim = cycle.known.get(CLAIM, cycle.pod["metadata"].get("namespace", ""), name)
    if claim is None:
        return hopeless(f'persistentvolumeclaim "{name}" not found')
    bound = claim["spec"].get("volumeName")
    if not bound:
        return _unbound(cycle, claim)
    volume = cycle.known.get(VOLUME, "", bound)
    return hopeless(f'persistentvolume "{bound}" not found') if volume is None else places(volume)


def _unbound(cycle: Cycle, claim: Obj) -> Sequence[Place] | Refusal:
    name = class_of(claim)
    if not name:
        return hopeless("PersistentVolumeClaim had no pv name and storageClass name")
    found = cycle.known.get(CLASS, "", name)
    if found is None:
        return hopeless(f'storageclass.storage.k8s.io "{name}" not found')
    if not found.get("volumeBindingMode"):
        return hopeless(f'VolumeBindingMode not set for StorageClass "{name}"')
    return () if found["volumeBindingMode"] == WAITS else hopeless("PersistentVolume had no name")


def places(volume: Obj) -> list[Place]:
    """The labels that say where a volume is; several zones stand in one value with ``__`` between them."""
    carried = volume["metadata"].get("labels") or EMPTY
    listed = ((key, tuple(part.strip() for part in carried[key].split("__"))) for key in KEYS if key in carried)
    return [(key, values) for key, values in listed if all(values)]


def refuse(cycle: Cycle, info: NodeInfo) -> Refusal | None:
    """Why not this node: it is elsewhere. One that says nowhere where it is may be anywhere."""
    if not any(key in info.labels for key in KEYS):
        return None
    for key, values in cycle.state[NAME]:
        here = info.labels.get(key) if key in info.labels else info.labels.get(TODAY.get(key, key))
        if here not in values:
            return hopeless(NO_ZONE)
    return None


def hint(pod: Obj, event: Event) -> bool:
    """Its claim, any new volume or one that moved, a class whose volumes wait, any node added or relabelled."""
    if event.what in CLAIM_CHANGES:
        return concerns(pod, event, ephemeral=False)
    if event.what == CLASS_ADDED:
        return get(event.new, "volumeBindingMode") == WAITS
    if event.what == VOLUME_CHANGED and event.old is not None and event.new is not None:
        return places(event.old) != places(event.new)
    return True


PLUGIN = Plugin(
    NAME,
    95,
    refuse,
    prefilter=prepare,
    helped_by=(CLASS_ADDED, NODE_ADDED, NODE_LABEL, *CLAIM_CHANGES, VOLUME_ADDED, VOLUME_CHANGED),
    hint=hint,
)
