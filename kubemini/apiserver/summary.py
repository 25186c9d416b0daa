"""What the trace says of an object: a few fields a kind, and whether a change of it is worth a record. Pure."""

from typing import Any

from kubemini.api.objects import Obj, get

UNSAID = ("Lease", "Event")


def summary(obj: Obj) -> dict[str, Any]:
    """The few fields that widgets and checkers look at."""
    make = _BY_KIND.get(obj["kind"])
    return make(obj) if make else {}


def notable(old: Obj | None, new: Obj) -> bool:
    """Whether a write is more than a sign of life: not only times, or details of a status, changed."""
    if new["kind"] in UNSAID:
        return False
    return old is None or summary(old) != summary(new) or _wanted(old) != _wanted(new)


def _wanted(obj: Obj) -> dict[str, Any]:
    """All but the status and the resourceVersion."""
    meta = {key: value for key, value in obj["metadata"].items() if key != "resourceVersion"}
    return {key: value for key, value in obj.items() if key not in ("metadata", "status")} | {"metadata": meta}


def condition(obj: Obj, type: str) -> bool:
    """Whether the condition *type* is True."""
    conditions = get(obj, "status", "conditions") or ()
    return any(c["type"] == type and c["status"] == "True" for c in conditions)


def _pod(pod: Obj) -> dict[str, Any]:
    status = pod.get("status") or {}
    return {
        "node": get(pod, "spec", "nodeName", default=""),
        "phase": status.get("phase", ""),
        "ready": condition(pod, "Ready"),
        "ip": status.get("podIP", ""),
        "deleting": "deletionTimestamp" in pod["metadata"],
    }


def _node(node: Obj) -> dict[str, Any]:
    taints = [taint["key"] for taint in get(node, "spec", "taints") or ()]
    return {
        "ready": condition(node, "Ready"),
        "unschedulable": bool(get(node, "spec", "unschedulable")),
        "taints": taints,
    }


def _replicated(obj: Obj) -> dict[str, Any]:
    return {
        "replicas": get(obj, "spec", "replicas", default=1),
        "ready": get(obj, "status", "readyReplicas", default=0),
    }


def _service(service: Obj) -> dict[str, Any]:
    return {"ip": get(service, "spec", "clusterIP", default="")}


def _endpoint_slice(piece: Obj) -> dict[str, Any]:
    serving = [e for e in piece.get("endpoints") or () if get(e, "conditions", "ready", default=True)]
    return {"endpoints": len(serving)}


_BY_KIND = {
    "Pod": _pod,
    "Node": _node,
    "Deployment": _replicated,
    "ReplicaSet": _replicated,
    "Service": _service,
    "EndpointSlice": _endpoint_slice,
    "Namespace": lambda namespace: {"phase": get(namespace, "status", "phase", default="")},
}
