"""NodeVolumeLimits: a CSI driver attaches only so many volumes to a node, as its CSINode says. Pure.

Models k/k pkg/scheduler/framework/plugins/nodevolumelimits CSILimits.Filter
Simplified: volumes of drivers that were once part of Kubernetes are not counted.
"""

from kubemini.api.objects import EMPTY, Obj, get
from kubemini.scheduler.decide.claims import CLAIM, CLASS, VOLUME, claims_of, class_of, concerns, not_owner
from kubemini.scheduler.decide.events import POD_DELETED
from kubemini.scheduler.decide.listers import Listers
from kubemini.scheduler.decide.nodeinfo import NodeInfo
from kubemini.scheduler.decide.plugin import SKIP, Cycle, Event, Plugin, PluginError, Refusal, hopeless

NAME = "NodeVolumeLimits"
EXCEEDED = "node(s) exceed max volume count"
CSI_ADDED, CSI_CHANGED = "storage.k8s.io/CSINodeAdd", "storage.k8s.io/CSINodeUpdate"
CLAIM_ADDED, DETACHED = "PersistentVolumeClaimAdd", "storage.k8s.io/VolumeAttachmentDelete"


def prepare(cycle: Cycle) -> str | None:
    """Whether the pod has claims at all."""
    return None if any(claims_of(cycle.pod)) else SKIP


def refuse(cycle: Cycle, info: NodeInfo) -> Refusal | str | None:
    """Why not this node: with the pod's volumes it would have more than its driver attaches."""
    known = cycle.known
    new = _volumes(cycle.pod, known, new=True)
    if isinstance(new, Refusal):
        return new
    csi = known.get("CSINode", "", info.name)
    missing = next((driver for driver in new.values() if _not_installed(driver, known, csi)), None)
    if missing is not None:
        return f"{missing} CSI driver is not installed on the node"
    limits = _limits(csi)
    if not new or not limits:
        return None
    attached: dict[str, str] = {}
    for pod in info.pods.values():
        there = _volumes(pod, known, new=False)
        assert not isinstance(there, Refusal), "a claim that is gone is passed over"
        attached |= there
    attached |= _attachments(known, info.name)
    new = {volume: driver for volume, driver in new.items() if volume not in attached}
    have, more = (list(volumes.values()) for volumes in (attached, new))
    full = any(
        have.count(driver) + more.count(driver) > limits.get(driver, have.count(driver) + 10**6) for driver in more
    )
    return EXCEEDED if full else None


def _volumes(pod: Obj, known: Listers, new: bool) -> dict[str, str] | Refusal:
    """Its CSI volumes by their handles, and the driver of each."""
    space, found = pod["metadata"].get("namespace", ""), {}
    for name, ephemeral in claims_of(pod):
        claim = known.get(CLAIM, space, name)
        if claim is None:
            if new:
                return hopeless(f'looking up PVC {space}/{name}: persistentvolumeclaim "{name}" not found')
            continue
        if ephemeral and (wrong := not_owner(pod, claim)):
            raise PluginError(f'running "{NAME}" filter plugin: {wrong}')
        driver, handle = _driver(claim, known)
        if driver and handle:
            found[f"{driver}/{handle}"] = driver
    return found


def _driver(claim: Obj, known: Listers) -> tuple[str, str]:
    volume = known.get(VOLUME, "", claim["spec"].get("volumeName") or "")
    if volume is not None:
        source = volume["spec"].get("csi") or EMPTY
        return source.get("driver", ""), source.get("volumeHandle", "")
    found = known.get(CLASS, "", class_of(claim))
    meta = claim["metadata"]
    return ("", "") if found is None else (found["provisioner"], f"-{meta['namespace']}/{meta['name']}")


def _not_installed(driver: str, known: Listers, csi: Obj | None) -> bool:
    """Whether the driver wants no pods where it is not, and is not there."""
    if not get(known.get("CSIDriver", "", driver), "spec", "preventPodSchedulingIfMissing"):
        return False
    return not any(one["name"] == driver for one in get(csi, "spec", "drivers") or ())


def _limits(csi: Obj | None) -> dict[str, int]:
    drivers = get(csi, "spec", "drivers") or ()
    counts = ((one["name"], get(one, "allocatable", "count")) for one in drivers)
    return {name: count for name, count in counts if count is not None}


def _attachments(known: Listers, node: str) -> dict[str, str]:
    """What is attached, or still attached, whoever uses it."""
    found = {}
    for one in known.all("VolumeAttachment"):
        spec = one["spec"]
        volume = known.get(VOLUME, "", get(spec, "source", "persistentVolumeName") or "")
        handle = get(volume, "spec", "csi", "volumeHandle")
        if spec.get("nodeName") == node and handle:
            found[f"{spec['attacher']}/{handle}"] = spec["attacher"]
    return found


def hint(pod: Obj, event: Event) -> bool:
    """A limit was raised, a pod with volumes is gone, its claim is made, a volume was detached."""
    if event.what == CSI_CHANGED:
        before, after = _limits(event.old), _limits(event.new)
        return any(count > before.get(name, 0) for name, count in after.items())
    if event.what == CLAIM_ADDED:
        return concerns(pod, event)
    if event.what == DETACHED:
        return any(not ephemeral for _, ephemeral in claims_of(pod))
    return event.what == CSI_ADDED or (event.old is not None and any(claims_of(event.old)))


HELPED_BY = (CSI_ADDED, CSI_CHANGED, POD_DELETED, CLAIM_ADDED, DETACHED)
PLUGIN = Plugin(NAME, 80, refuse, prefilter=prepare, helped_by=HELPED_BY, hint=hint)
