"""Pods.

Models k/k pkg/registry/core/pod strategy; k/k pkg/apis/core/validation ValidatePodCreate, ValidatePodUpdate.
"""

from typing import Any

from kubemini.api import labels
from kubemini.api.kinds import POD
from kubemini.api.objects import Obj, evolve, get, without
from kubemini.apiserver.columns import pods
from kubemini.apiserver.rules import causes, notsimulated, placement, podspec
from kubemini.apiserver.rules.causes import Wrong, forbidden, invalid
from kubemini.apiserver.rules.conditions import is_true
from kubemini.apiserver.rules.containers import filled
from kubemini.apiserver.served import ServedKind, serve

POD_UPDATE = (
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)
ADDRESSES = ("podIP", "hostIP")
GATED = {
    "type": "PodScheduled",
    "status": "False",
    "reason": "SchedulingGated",
    "message": "Scheduling is blocked due to non-empty scheduling gates",
}


def defaults(obj: Obj) -> Obj:
    """*obj* with every default."""
    return {**obj, "spec": filled(podspec.pod_spec_defaults(obj.get("spec")), enableServiceLinks=True)}


def rules(obj: Obj) -> Wrong:
    """Every complaint."""
    yield from podspec.behaviour(obj["metadata"], "metadata.annotations")
    yield from podspec.pod_spec(obj.get("spec") or {}, "spec")


def create_rules(obj: Obj) -> Wrong:
    """What only a new pod must not be."""
    yield from podspec.gated(obj.get("spec") or {}, "spec")
    if get(obj, "spec", "ephemeralContainers"):
        yield forbidden("spec.ephemeralContainers", "cannot be set on create")


def changes(new: Obj, old: Obj) -> Wrong:
    """Only images, deadlines and additional tolerations may change (the scheduler binds through ``/binding``)."""
    if len(new["spec"]["containers"]) != len(old["spec"]["containers"]):
        yield forbidden("spec.containers", "pod updates may not add or remove containers")
        return
    yield from placement.gates_only_go(new, old)
    yield from _deadline(new["spec"].get("activeDeadlineSeconds"), old["spec"].get("activeDeadlineSeconds"))
    gated = bool(old["spec"].get("schedulingGates"))
    if _fixed(new, gated, old) != _fixed(old, gated, old) or not _only_added(new, old):
        yield forbidden("spec", f"{POD_UPDATE}\n{causes.difference(old['spec'], new['spec'])}")


def _deadline(new: int | None, old: int | None) -> Wrong:
    """It can only come nearer."""
    if old is None or new == old:
        return
    if new is None:
        yield invalid("spec.activeDeadlineSeconds", None, "must not update from a positive integer to nil value")
    elif new > old:
        yield invalid("spec.activeDeadlineSeconds", new, "must be less than or equal to previous value")


def _fixed(pod: Obj, gated: bool, old: Obj) -> Obj:
    """What no update of *old* may change; while it is *gated*, it may still become choosier about nodes."""
    spec = pod["spec"]
    for field in ("tolerations", "activeDeadlineSeconds", "schedulingGates"):
        spec = without(spec, (field,))
    if gated and labels.contains(spec.get("nodeSelector"), old["spec"].get("nodeSelector") or {}):
        spec = without(spec, ("nodeSelector",))
    if gated and not get(old, "spec", "affinity"):
        spec = without(spec, ("affinity",))
    for field in ("containers", "initContainers"):
        if spec.get(field):
            spec = evolve(spec, (field,), [without(container, ("image",)) for container in spec[field]])
    return spec


def _only_added(new: Obj, old: Obj) -> bool:
    kept = new["spec"].get("tolerations") or []
    return all(toleration in kept for toleration in old["spec"].get("tolerations") or [])


def status_rules(new: Obj, old: Obj) -> Wrong:
    """Models k/k pkg/apis/core/validation ValidatePodStatusUpdate"""
    status = new.get("status") or {}
    for field in ADDRESSES:
        if status.get(field):
            yield from causes.ip(status[field], f"status.{field}")
    for field in ("podIPs", "hostIPs"):
        for number, entry in enumerate(status.get(field) or ()):
            yield from causes.ip(entry.get("ip", ""), f"status.{field}[{number}].ip")


def first_status(obj: Obj) -> dict[str, Any]:
    """What nobody has looked at yet."""
    since = {"lastProbeTime": None, "lastTransitionTime": get(obj, "metadata", "creationTimestamp")}
    gated = {"conditions": [{**GATED, **since}]} if get(obj, "spec", "schedulingGates") else {}
    return {"phase": "Pending", "qosClass": podspec.qos_class(obj.get("spec") or {}), **gated}


def summary(pod: Obj) -> dict[str, Any]:
    """Where it is, and how."""
    status = pod.get("status") or {}
    return {
        "node": get(pod, "spec", "nodeName", default=""),
        "phase": status.get("phase", ""),
        "ready": is_true(pod, "Ready"),
        "ip": status.get("podIP", ""),
        "deleting": "deletionTimestamp" in pod["metadata"],
    }


serve(
    ServedKind(
        POD,
        acted_on=True,
        returned=True,
        subresources=(
            *("status", "binding", "eviction", "resize", "ephemeralcontainers"),
            *("log", "exec", "attach", "portforward", "proxy"),
        ),
        counted=True,
        fields=(
            *("spec." + f for f in ("nodeName", "restartPolicy", "schedulerName", "serviceAccountName", "hostNetwork")),
            *("status." + f for f in ("phase", "podIP", "podIPs", "nominatedNodeName")),
        ),
        defaults=defaults,
        rules=rules,
        create_rules=create_rules,
        changes=changes,
        status_rules=status_rules,
        status_keeps=("ownerReferences",),
        first_status=first_status,
        columns=pods.COLUMNS,
        marks=pods.marks,
        summary=summary,
        not_simulated=notsimulated.under("spec", notsimulated.POD_SPEC),
    )
)
