"""VolumeBinding: volumes of bound claims must be usable on the node; for others one must be found, or made. Pure.

A claim of a class that waits for its first consumer is bound with the pod: of the volumes that fit the smallest is
taken, else one is provisioned if the class can do so on that node and there is storage enough. What would be bound on
which node is kept (`Chosen`), so that whoever places the pod can do it.
Models k/k pkg/scheduler/framework/plugins/volumebinding volumeBinder.FindPodVolumes
Models k/k pkg/scheduler/framework/plugins/volumebinding VolumeBinding.Score
Models k/component-helpers storage/volume FindMatchingVolume
Simplified: volumes of drivers that were once part of Kubernetes are not translated.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from kubemini.api import labels
from kubemini.api.objects import Obj, get
from kubemini.api.placement import nodeselection
from kubemini.api.quantity import in_bytes
from kubemini.scheduler.decide.claims import (
    CLAIM,
    CLASS,
    SELECTED_NODE,
    VOLUME,
    claims_of,
    class_of,
    concerns,
    fully_bound,
    not_owner,
    waits_for_consumer,
)
from kubemini.scheduler.decide.events import NODE_ADDED, NODE_LABEL
from kubemini.scheduler.decide.listers import Listers
from kubemini.scheduler.decide.nodeinfo import NodeInfo
from kubemini.scheduler.decide.plugin import SKIP, ZERO, Cycle, Event, Plugin, PluginError, Refusal, hopeless

NAME = "VolumeBinding"
ELSEWHERE = "node(s) didn't match PersistentVolume's node affinity"
NONE_FREE = "node(s) didn't find available persistent volumes to bind"
NO_SPACE = "node(s) did not have enough free storage"
NO_VOLUME = "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)"
NO_PROVISIONER = "kubernetes.io/no-provisioner"


@dataclass(slots=True)
class Chosen:
    """What would be done on one node: volumes given to claims, and claims to provision for, with the capacity there."""

    static: list[tuple[Obj, Obj]] = field(default_factory=list)  # claim, volume
    provisioned: list[tuple[Obj, Obj | None]] = field(default_factory=list)  # claim, its CSIStorageCapacity


@dataclass(slots=True)
class Claims:
    """The pod's claims, and what would be done on each node that has been asked."""

    bound: list[Obj] = field(default_factory=list)
    waiting: list[Obj] = field(default_factory=list)
    nodes: dict[str, Chosen] = field(default_factory=dict)


def prepare(cycle: Cycle) -> Refusal | str | None:
    """Sort the claims: bound, to be bound with the pod, and those that somebody else must bind first."""
    found, space = Claims(), cycle.pod["metadata"].get("namespace", "")
    cycle.state[NAME] = found
    immediate = False
    for name, ephemeral in claims_of(cycle.pod):
        claim = cycle.known.get(CLAIM, space, name)
        wrong = _unusable(cycle.pod, name, claim, ephemeral)
        if wrong or claim is None:
            return hopeless(wrong)
        if fully_bound(claim):
            found.bound.append(claim)
        elif waits_for_consumer(claim, cycle.known) and not claim["spec"].get("volumeName"):
            found.waiting.append(claim)
        else:
            immediate = True
    if immediate:
        return hopeless("pod has unbound immediate PersistentVolumeClaims")
    return None if found.bound or found.waiting else SKIP


def _unusable(pod: Obj, name: str, claim: Obj | None, ephemeral: bool) -> str:
    if claim is None:
        missing = f'the persistentvolumeclaim "{name}"'
        waiting = f"waiting for ephemeral volume controller to create {missing}"
        return waiting if ephemeral else f'persistentvolumeclaim "{name}" not found'
    if get(claim, "status", "phase") == "Lost":
        return f'persistentvolumeclaim "{name}" bound to non-existent persistentvolume "{claim["spec"]["volumeName"]}"'
    if "deletionTimestamp" in claim["metadata"]:
        return f'persistentvolumeclaim "{name}" is being deleted'
    return not_owner(pod, claim) if ephemeral else ""


# -- the filter --------------------------------------------------------------------------------------------------------
def refuse(cycle: Cycle, info: NodeInfo) -> Refusal | None:
    """Why not this node; if it will do, what would be bound there is noted."""
    claims: Claims = cycle.state[NAME]
    reasons = _bound_elsewhere(claims.bound, cycle.known, info)
    chosen = Chosen()
    reason = _find(claims.waiting, cycle.known, info, chosen)
    if reason:
        reasons.append(reason)
    if reasons:
        order = (ELSEWHERE, NONE_FREE, NO_SPACE, NO_VOLUME)
        return hopeless(*sorted(reasons, key=order.index))
    claims.nodes[info.name] = chosen
    return None


def _bound_elsewhere(bound: Iterable[Obj], known: Listers, info: NodeInfo) -> list[str]:
    for claim in bound:
        volume = known.get(VOLUME, "", claim["spec"]["volumeName"])
        if volume is None:
            return [NO_VOLUME]
        if not usable_on(volume, info.labels):
            return [ELSEWHERE]
    return []


def usable_on(volume: Obj, carried: Obj) -> bool:
    """Whether the volume's node affinity picks a node with these labels."""
    required = get(volume, "spec", "nodeAffinity", "required")
    return required is None or nodeselection.selects(required, {"metadata": {"labels": carried}})


def _find(waiting: Iterable[Obj], known: Listers, info: NodeInfo, chosen: Chosen) -> str:
    """Choose volumes for the claims on this node; why not, if that fails."""
    to_find: list[Obj] = []
    to_provision: list[Obj] = []
    for claim in waiting:
        selected = get(claim, "metadata", "annotations", SELECTED_NODE)
        if selected is not None and selected != info.name:
            return NONE_FREE
        (to_find if selected is None else to_provision).append(claim)
    taken: dict[str, None] = {}
    for claim in sorted(to_find, key=_size):
        volume = matching(claim, known, info.labels, taken)
        if volume is None:
            to_provision.append(claim)
        else:
            taken[volume["metadata"]["name"]] = None
            chosen.static.append((claim, volume))
    for claim in to_provision:
        reason = _provision(claim, known, info, chosen)
        if reason:
            return reason
    return ""


def _size(claim: Obj) -> int:
    return in_bytes(get(claim, "spec", "resources", "requests", "storage"))


def matching(claim: Obj, known: Listers, carried: Obj, taken: Iterable[str]) -> Obj | None:
    """The smallest volume that will do for *claim* on a node with these labels; one that was kept for it goes first."""
    best: Obj | None = None
    for volume in sorted(known.all(VOLUME), key=lambda one: one["metadata"]["name"]):
        if volume["metadata"]["name"] in taken or class_of(volume) != class_of(claim):
            continue
        reserved = volume["spec"].get("claimRef")
        if not _could_be(claim, volume) or (reserved is not None and not is_for(reserved, claim)):
            continue
        usable = usable_on(volume, carried)
        if reserved is not None:
            return volume if usable else None
        if usable and _free_and_fit(claim, volume) and (best is None or _capacity(volume) < _capacity(best)):
            best = volume
    return best


def _capacity(volume: Obj) -> int:
    return in_bytes(get(volume, "spec", "capacity", "storage"))


def _could_be(claim: Obj, volume: Obj) -> bool:
    one, other = claim["spec"], volume["spec"]
    same = all((one.get(part) or empty) == (other.get(part) or empty) for part, empty in MODES)
    return same and _capacity(volume) >= _size(claim) and "deletionTimestamp" not in volume["metadata"]


MODES = (("volumeMode", "Filesystem"), ("volumeAttributesClassName", ""))


def is_for(reference: Obj, claim: Obj) -> bool:
    """Whether a volume's claimRef means *claim*."""
    meta = claim["metadata"]
    same = (reference.get("name"), reference.get("namespace")) == (meta["name"], meta["namespace"])
    return same and reference.get("uid", meta["uid"]) in ("", meta["uid"])


def _free_and_fit(claim: Obj, volume: Obj) -> bool:
    if get(volume, "status", "phase") != "Available":
        return False
    selector = claim["spec"].get("selector")
    if selector is not None and not labels.matches(selector, volume["metadata"].get("labels")):
        return False
    offered = volume["spec"].get("accessModes") or ()
    return all(mode in offered for mode in claim["spec"].get("accessModes") or ())


def _provision(claim: Obj, known: Listers, info: NodeInfo, chosen: Chosen) -> str:
    meta, name = claim["metadata"], class_of(claim)
    if not name:
        raise PluginError(f'running "{NAME}" filter plugin: no class for claim "{meta["namespace"]}/{meta["name"]}"')
    found = known.get(CLASS, "", name)
    if found is None:
        raise PluginError(f'running "{NAME}" filter plugin: failed to find storage class "{name}"')
    if found.get("provisioner") in (None, "", NO_PROVISIONER) or not _in_topology(found, info):
        return NONE_FREE
    driver = known.get("CSIDriver", "", found["provisioner"])
    if get(claim, "spec", "resources", "requests", "storage") is None or not get(driver, "spec", "storageCapacity"):
        chosen.provisioned.append((claim, None))
        return ""
    room = next((one for one in _capacities(known, name) if _has_room(one, _size(claim), info)), None)
    if room is None:
        return NO_SPACE
    chosen.provisioned.append((claim, room))
    return ""


def _in_topology(found: Obj, info: NodeInfo) -> bool:
    """Whether the class makes volumes for this node."""
    terms = found.get("allowedTopologies") or ()
    return not terms or any(
        all(info.labels.get(one["key"]) in one["values"] for one in term.get("matchLabelExpressions") or ())
        for term in terms
        if term.get("matchLabelExpressions")
    )


def _capacities(known: Listers, name: str) -> Sequence[Obj]:
    found = [one for one in known.all("CSIStorageCapacity") if one.get("storageClassName") == name]
    return sorted(found, key=lambda one: (one["metadata"]["namespace"], one["metadata"]["name"]))


def limit(capacity: Obj | None) -> int | None:
    """The largest volume that can be made there; None: it does not say."""
    found = get(capacity, "maximumVolumeSize") or get(capacity, "capacity")
    return None if found is None else in_bytes(found)


def _has_room(capacity: Obj, size: int, info: NodeInfo) -> bool:
    most = limit(capacity)
    return most is not None and most >= size and labels.matches(capacity.get("nodeTopology"), info.labels)


# -- the score ---------------------------------------------------------------------------------------------------------
def begin(cycle: Cycle, feasible: Sequence[NodeInfo]) -> str | None:
    """A pod without claims to bind is as well off anywhere."""
    claims: Claims | None = cycle.state.get(NAME)
    return None if claims is not None and claims.waiting else ZERO


def prefer(cycle: Cycle, info: NodeInfo) -> int:
    """The less of a volume, or of a node's storage, the claims take, the better: the mean over their classes."""
    claims: Claims | None = cycle.state.get(NAME)
    chosen = claims.nodes.get(info.name) if claims else None
    if chosen is None:
        return 0
    classes: dict[str, tuple[int, int]] = {}
    for claim, volume in chosen.static:
        requested, capacity = classes.get(class_of(volume), (0, 0))
        classes[class_of(volume)] = (requested + _size(claim), capacity + _capacity(volume))
    for claim, room in () if chosen.static else chosen.provisioned:
        if room is not None:
            requested, _ = classes.get(class_of(claim), (0, 0))
            classes[class_of(claim)] = (requested + _size(claim), in_bytes(room.get("capacity")))
    if not classes:
        return 0
    return _rounded(sum(_share(*one) for one in classes.values()), len(classes))


def _share(requested: int, capacity: int) -> int:
    """100 for nothing taken, 0 for all."""
    return 0 if capacity == 0 or requested > capacity else 100 - requested * 100 // capacity


def _rounded(total: int, number: int) -> int:
    return int(total / number + 0.5)


# -- what may help -----------------------------------------------------------------------------------------------------
CLASS_ADDED, CLASS_CHANGED = "storage.k8s.io/StorageClassAdd", "storage.k8s.io/StorageClassUpdate"
CLAIM_CHANGES = ("PersistentVolumeClaimAdd", "PersistentVolumeClaimUpdate")
CAPACITY_ADDED, CAPACITY_CHANGED = "storage.k8s.io/CSIStorageCapacityAdd", "storage.k8s.io/CSIStorageCapacityUpdate"
CSI_ADDED, CSI_CHANGED = "storage.k8s.io/CSINodeAdd", "storage.k8s.io/CSINodeUpdate"
DRIVER_CHANGED = "storage.k8s.io/CSIDriverUpdate"
MIGRATED = "storage.alpha.kubernetes.io/migrated-plugins"


def hint(pod: Obj, event: Event) -> bool:
    """Any volume, any new class, any node added or relabelled, storage added; its own claims; a driver's new ways."""
    if event.what in CLAIM_CHANGES:
        return concerns(pod, event)
    if event.what == CLASS_CHANGED:
        return (get(event.old, "allowedTopologies") or []) != (get(event.new, "allowedTopologies") or [])
    if event.what == CAPACITY_CHANGED:
        before, after = limit(event.old), limit(event.new)
        return after is not None and (before is None or after > before)
    if event.what == CSI_CHANGED:
        before, after = (get(node, "metadata", "annotations", MIGRATED) for node in (event.old, event.new))
        return bool(before != after)
    if event.what == DRIVER_CHANGED:
        inline = [get(volume, "csi", "driver") for volume in pod["spec"].get("volumes") or ()]
        dropped = get(event.old, "spec", "storageCapacity") and not get(event.new, "spec", "storageCapacity")
        return bool(dropped) and get(event.new, "metadata", "name") in inline
    return True


PLUGIN = Plugin(
    NAME,
    90,
    refuse,
    prefer,
    weight=1,
    prefilter=prepare,
    prescore=begin,
    helped_by=(
        CLASS_ADDED,
        CLASS_CHANGED,
        *CLAIM_CHANGES,
        "PersistentVolumeAdd",
        "PersistentVolumeUpdate",
        NODE_ADDED,
        NODE_LABEL,
        CSI_ADDED,
        CSI_CHANGED,
        DRIVER_CHANGED,
        CAPACITY_ADDED,
        CAPACITY_CHANGED,
    ),
    hint=hint,
)
