"""What a change in the cluster is called, so that plugins can say which of them may help a pod that was refused. Pure.

The names are those of upstream's log: ``NodeUpdateNodeLabel``, ``AssignedPodDelete``, ``storage.k8s.io/CSINodeAdd``.
Models k/k pkg/scheduler/framework NodeSchedulingPropertiesChange
Models k/k pkg/scheduler/framework PodSchedulingPropertiesChange
"""

from collections.abc import Callable
from typing import Any

from kubemini.api.objects import EMPTY, Obj, get
from kubemini.scheduler.decide.plugin import Event
from kubemini.scheduler.decide.resources import requests

NODE_ADDED, NODE_DELETED = "NodeAdd", "NodeDelete"
NODE_ALLOCATABLE, NODE_LABEL, NODE_TAINT = "NodeUpdateNodeAllocatable", "NodeUpdateNodeLabel", "NodeUpdateNodeTaint"
NODE_CONDITION, NODE_ANNOTATION = "NodeUpdateNodeCondition", "NodeUpdateNodeAnnotation"
NODE_FEATURE = "NodeUpdateNodeDeclaredFeature"
POD_ADDED, POD_DELETED = "AssignedPodAdd", "AssignedPodDelete"
POD_LABEL, POD_SMALLER = "AssignedPodUpdatePodLabel", "AssignedPodUpdatePodScaleDown"
OWN_LABEL, OWN_SMALLER = "TargetPodUpdatePodLabel", "TargetPodUpdatePodScaleDown"
OWN_GATES, OWN_TOLERATION = "TargetPodUpdatePodSchedulingGatesEliminated", "TargetPodUpdatePodToleration"
OWN_CLAIM, OWN_UPDATE = "TargetPodUpdatePodGeneratedResourceClaim", "TargetPodUpdate"
TIMEOUT = "UnschedulableTimeout"
STORAGE = {
    "PersistentVolume": "PersistentVolume",
    "PersistentVolumeClaim": "PersistentVolumeClaim",
    "StorageClass": "storage.k8s.io/StorageClass",
    "CSINode": "storage.k8s.io/CSINode",
    "CSIDriver": "storage.k8s.io/CSIDriver",
    "CSIStorageCapacity": "storage.k8s.io/CSIStorageCapacity",
    "VolumeAttachment": "storage.k8s.io/VolumeAttachment",
    "ResourceClaim": "resource.k8s.io/ResourceClaim",
    "DeviceClass": "resource.k8s.io/DeviceClass",
}


def node_events(old: Obj | None, new: Obj | None) -> list[Event]:
    """What a node's coming, changing or going means to the queue."""
    if old is None or new is None:
        return [Event(NODE_ADDED if old is None else NODE_DELETED, old, new)]
    found = []
    if get(old, "spec", "unschedulable") and not get(new, "spec", "unschedulable"):
        found.append(NODE_TAINT)  # a cordon that is lifted is told as a change of taints
    found += [what for what, part in NODE_PARTS.items() if part(old) != part(new)]
    return [Event(what, old, new) for what in found]


def _conditions(node: Obj) -> Any:
    return {c["type"]: c.get("status") for c in get(node, "status", "conditions") or ()}


NODE_PARTS: dict[str, Callable[[Obj], Any]] = {
    NODE_ALLOCATABLE: lambda node: get(node, "status", "allocatable") or EMPTY,
    NODE_LABEL: lambda node: node["metadata"].get("labels") or EMPTY,
    NODE_TAINT: lambda node: get(node, "spec", "taints") or [],
    NODE_CONDITION: _conditions,
    NODE_ANNOTATION: lambda node: node["metadata"].get("annotations") or EMPTY,
    NODE_FEATURE: lambda node: get(node, "status", "declaredFeatures") or [],
}


def pod_events(old: Obj, new: Obj) -> list[Event]:
    """What a change of a pod means: of one that has a node to others, of one that waits to itself."""
    whose = "AssignedPod" if get(new, "spec", "nodeName") else "TargetPod"
    found = [what for what, happened in POD_CHANGES.items() if happened(old, new)]
    return [Event(f"{whose}Update{what}", old, new) for what in found or [""]]


def _labels(old: Obj, new: Obj) -> bool:
    return (old["metadata"].get("labels") or EMPTY) != (new["metadata"].get("labels") or EMPTY)


def _smaller(old: Obj, new: Obj) -> bool:
    return _differ(old, new) and any(requests(new).get(name, -1) < was for name, was in requests(old).items())


def _larger(old: Obj, new: Obj) -> bool:
    return _differ(old, new) and any(requests(old).get(name, -1) < now for name, now in requests(new).items())


def _differ(old: Obj, new: Obj) -> bool:
    """Whether their requests can be different at all."""
    parts = ("containerStatuses", "initContainerStatuses")
    return old["spec"] != new["spec"] or any(get(old, "status", p) != get(new, "status", p) for p in parts)


def _gates_gone(old: Obj, new: Obj) -> bool:
    return bool(old["spec"].get("schedulingGates")) and not new["spec"].get("schedulingGates")


def _tolerations(old: Obj, new: Obj) -> bool:
    return len(old["spec"].get("tolerations") or ()) != len(new["spec"].get("tolerations") or ())


def _claims(old: Obj, new: Obj) -> bool:
    return get(old, "status", "resourceClaimStatuses") != get(new, "status", "resourceClaimStatuses")


POD_CHANGES: dict[str, Callable[[Obj, Obj], bool]] = {
    "PodLabel": _labels,
    "PodScaleDown": _smaller,
    "PodScaleUp": _larger,
    "PodSchedulingGatesEliminated": _gates_gone,
    "PodToleration": _tolerations,
    "PodGeneratedResourceClaim": _claims,
}


def storage_event(kind: str, old: Obj | None, new: Obj | None) -> Event:
    """What a change of a volume, a claim, a class … is called."""
    how = "Add" if old is None else "Delete" if new is None else "Update"
    return Event(f"{STORAGE[kind]}{how}", old, new)
