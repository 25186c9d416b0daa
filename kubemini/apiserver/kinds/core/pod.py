"""Pods.

Models k/k pkg/registry/core/pod strategy; k/k pkg/apis/core/validation ValidatePodCreate, ValidatePodUpdate.
"""

from typing import Any

from kubemini.api.kinds import POD
from kubemini.api.objects import Obj, get
from kubemini.apiserver.columns import pods
from kubemini.apiserver.rules import notsimulated, podspec
from kubemini.apiserver.rules.causes import Wrong, forbidden
from kubemini.apiserver.rules.conditions import is_true
from kubemini.apiserver.rules.filling import filled
from kubemini.apiserver.rules.pods import changing, statuses
from kubemini.apiserver.rules.pods.containers import limits_as_requests, ports_of_the_host
from kubemini.apiserver.served import ServedKind, serve

GATED = {
    "type": "PodScheduled",
    "status": "False",
    "reason": "SchedulingGated",
    "message": "Scheduling is blocked due to non-empty scheduling gates",
}


def defaults(obj: Obj) -> Obj:
    """*obj* with every default; some that a template of pods does not have."""
    spec = filled(podspec.pod_spec_defaults(obj.get("spec")), enableServiceLinks=True)
    if spec["terminationGracePeriodSeconds"] < 0:
        spec["terminationGracePeriodSeconds"] = 1
    for field in ("containers", "initContainers"):
        if spec.get(field):
            spec[field] = [_of_a_pod(container, spec) for container in spec[field]]
    return statuses.in_step({**obj, "spec": spec})


def _of_a_pod(container: Obj, spec: Obj) -> Obj:
    full = limits_as_requests(container)
    return ports_of_the_host(full) if spec.get("hostNetwork") else full


def rules(obj: Obj) -> Wrong:
    """Every complaint."""
    spec = obj.get("spec") or {}
    yield from podspec.annotations(obj["metadata"], "metadata.annotations")
    yield from podspec.pod_spec(spec, "spec", is_pod=True)
    yield from podspec.only_of_pods(spec, "spec")


def create_rules(obj: Obj) -> Wrong:
    """What only a new pod must not be."""
    spec = obj.get("spec") or {}
    if spec.get("ephemeralContainers"):
        yield forbidden("spec.ephemeralContainers", "cannot be set on create")
    yield from podspec.gated(spec, "spec")


def settle_status(new: Obj, old: Obj, now: int) -> Obj:
    """*new* with its addresses in step."""
    return statuses.in_step(new)


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
        changes=changing.changes,
        status_rules=statuses.status,
        settle_status=settle_status,
        status_keeps=("ownerReferences",),
        first_status=first_status,
        columns=pods.COLUMNS,
        marks=pods.marks,
        summary=summary,
        not_simulated=notsimulated.under("spec", notsimulated.POD_SPEC),
    )
)
