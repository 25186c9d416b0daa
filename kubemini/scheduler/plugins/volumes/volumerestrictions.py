"""VolumeRestrictions: a disk that only one pod may use at a time, and a claim of the mode ReadWriteOncePod. Pure.

Models k/k pkg/scheduler/framework/plugins/volumerestrictions VolumeRestrictions.PreFilter
Models k/k pkg/scheduler/framework/plugins/volumerestrictions isVolumeConflict
"""

from collections.abc import Mapping
from dataclasses import dataclass

from kubemini.api.objects import Obj
from kubemini.scheduler.decide.claims import CLAIM, claims_of, concerns
from kubemini.scheduler.decide.events import NODE_ADDED, POD_DELETED
from kubemini.scheduler.decide.nodeinfo import NodeInfo
from kubemini.scheduler.decide.plugin import SKIP, Cycle, Event, Plugin, Refusal, hopeless

NAME = "VolumeRestrictions"
DISK = "node(s) had no available disk"
IN_USE = (
    "node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod"
)
DISKS = ("gcePersistentDisk", "awsElasticBlockStore", "iscsi", "rbd")
CLAIM_ADDED = "PersistentVolumeClaimAdd"


@dataclass(slots=True)
class Uses:
    """The claims that only one pod may use, and how many pods use them already."""

    claims: tuple[str, ...]
    others: int

    def fork(self) -> "Uses":
        """A copy to try something out on."""
        return Uses(self.claims, self.others)


def prepare(cycle: Cycle) -> Refusal | str | None:
    """Which claims may be used by nobody else, and whether somebody does; a claim must be there."""
    space = cycle.pod["metadata"].get("namespace", "")
    mine = []
    for name, _ in claims_of(cycle.pod, ephemeral=False):
        claim = cycle.known.get(CLAIM, space, name)
        if claim is None:
            return hopeless(f'persistentvolumeclaim "{name}" not found')
        if "ReadWriteOncePod" in (claim["spec"].get("accessModes") or ()):
            mine.append(name)
    claims = tuple(dict.fromkeys(mine))
    used = sum(any(_uses(pod, space, name) for info in cycle.nodes for pod in info.pods.values()) for name in claims)
    cycle.state[NAME] = Uses(claims, used)
    disks = any(kind in volume for volume in cycle.pod["spec"].get("volumes") or () for kind in DISKS)
    return None if disks or used else SKIP


def _uses(pod: Obj, namespace: str, name: str) -> bool:
    return pod["metadata"].get("namespace") == namespace and any(name == other for other, _ in claims_of(pod, False))


def change(cycle: Cycle, other: Obj, info: NodeInfo, sign: int) -> None:
    """Another pod has come, or gone."""
    uses: Uses = cycle.state[NAME]
    uses.others += sign * sum(name in uses.claims for name, _ in claims_of(other, ephemeral=False))


def refuse(cycle: Cycle, info: NodeInfo) -> str | None:
    """Why not this node: a disk is in use there, or a claim anywhere."""
    if any(conflicts(cycle.pod, pod) for pod in info.pods.values()):
        return DISK
    return IN_USE if cycle.state[NAME].others > 0 else None


def conflicts(pod: Obj, other: Obj) -> bool:
    """Whether both want the same disk, and not both only to read it."""
    mine, theirs = (p["spec"].get("volumes") or () for p in (pod, other))
    return any(
        _same(kind, one[kind], two[kind])
        for one in mine
        for two in theirs
        for kind in DISKS
        if kind in one and kind in two
    )


def _same(kind: str, one: Mapping, two: Mapping) -> bool:
    if kind == "awsElasticBlockStore":
        return bool(one["volumeID"] == two["volumeID"])
    if one.get("readOnly") and two.get("readOnly"):
        return False
    if kind == "rbd":
        common = [monitor for monitor in one["monitors"] if monitor in two["monitors"]]
        return bool(common) and all(one.get(part) == two.get(part) for part in ("pool", "image"))
    part = "pdName" if kind == "gcePersistentDisk" else "iqn"
    return bool(one[part] == two[part])


def hint(pod: Obj, event: Event) -> bool:
    """Its claim is made; a pod that held the same disk or claim is gone; any new node."""
    if event.what == NODE_ADDED:
        return True
    if event.what == CLAIM_ADDED:
        return concerns(pod, event, ephemeral=False)
    gone = event.old
    if gone is None or gone["metadata"].get("namespace") != pod["metadata"].get("namespace"):
        return False
    held = [name for name, _ in claims_of(gone, ephemeral=False)]
    return conflicts(pod, gone) or any(name in held for name, _ in claims_of(pod, ephemeral=False))


PLUGIN = Plugin(
    NAME,
    70,
    refuse,
    prefilter=prepare,
    change=change,
    fork=Uses.fork,
    helped_by=(NODE_ADDED, CLAIM_ADDED, POD_DELETED),
    hint=hint,
)
