"""What a create and an update may touch: who owns status, when the generation counts up. Pure.

Invariant: a write to an object never changes its status, a write to ``/status`` changes nothing else, and the
generation counts changes of what is wanted.
Source: k/k pkg/registry/*/strategy.go, kubernetes/apiserver pkg/registry/rest/{create,update}.go.
"""

from typing import Any

from kubemini.api.objects import Obj, evolve, freeze, get, without
from kubemini.apiserver.defaulting import qos_class

COUNTED = ("Pod", "Deployment", "ReplicaSet", "EndpointSlice")
SERVER_OWNED = ("uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "generation")

GATED = {
    "type": "PodScheduled",
    "status": "False",
    "reason": "SchedulingGated",
    "message": "Scheduling is blocked due to non-empty scheduling gates",
}


def for_create(obj: Obj) -> Obj:
    """*obj* as it enters the store: no status of the user's making, generation 1."""
    kind = obj["kind"]
    meta = {key: value for key, value in obj["metadata"].items() if key not in (*SERVER_OWNED, "resourceVersion")}
    if kind in COUNTED:
        meta["generation"] = 1
    status = _first_status(kind, obj)
    rest = {key: value for key, value in obj.items() if key != "status"}
    return freeze({**rest, "metadata": meta} | ({} if status is None else {"status": status}))


def for_update(old: Obj, new: Obj, subresource: str = "") -> Obj:
    """*new* with what a write through *subresource* may not touch taken from *old*."""
    if subresource == "status":
        kept = evolve(old, ("status",), new["status"]) if "status" in new else without(old, ("status",))
        return evolve(kept, ("metadata", "resourceVersion"), _version(new, old))
    owned = {key: old["metadata"][key] for key in SERVER_OWNED if key in old["metadata"]}
    meta = {key: value for key, value in new["metadata"].items() if key not in SERVER_OWNED} | owned
    if old["kind"] in COUNTED and _wanted(old) != _wanted(new):
        meta["generation"] = old["metadata"].get("generation", 0) + 1
    result = evolve(new, ("metadata",), meta)
    if "status" in old:
        return evolve(result, ("status",), old["status"])
    return without(result, ("status",)) if _first_status(old["kind"], old) is not None else result


def _version(new: Obj, old: Obj) -> Any:
    return get(new, "metadata", "resourceVersion") or get(old, "metadata", "resourceVersion", default="")


def _wanted(obj: Obj) -> dict[str, Any]:
    """What is wanted: all but metadata and status."""
    return {key: value for key, value in obj.items() if key not in ("metadata", "status")}


def _first_status(kind: str, obj: Obj) -> Any:
    """The status that an object begins with; None if its kind keeps what it is given (a kubelet registers its Node)."""
    if kind == "Pod":
        gated = {"conditions": [GATED]} if get(obj, "spec", "schedulingGates") else {}
        return {"phase": "Pending", "qosClass": qos_class(obj.get("spec", {})), **gated}
    return {
        "Deployment": {},
        "ReplicaSet": {"replicas": 0},
        "Service": {"loadBalancer": {}},
        "Namespace": {"phase": "Active"},
        "Node": obj.get("status"),
    }.get(kind)
