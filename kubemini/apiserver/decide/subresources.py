"""/binding and /scale: the same object under another shape. Pure.

k/k pkg/registry/core/pod/storage/storage.go (binding), pkg/registry/apps/deployment/storage/storage.go (scale).
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from kubemini.api import errors, labels
from kubemini.api.errors import ApiError
from kubemini.api.kinds import POD, Kind
from kubemini.api.objects import Obj, evolve, evolve_many, freeze, get
from kubemini.api.timestamps import timestamp

BOUND = freeze({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201})


def bind(pod: Obj, binding: Mapping[str, Any], now: int) -> "Obj | ApiError":
    """*pod* on the node that *binding* names, or why that cannot be."""
    meta, node = pod["metadata"], get(binding, "target", "name", default="")
    uid = get(binding, "metadata", "uid")
    if get(binding, "target", "kind", default="Node") not in ("Node", "") or not node:
        return errors.bad_request("a binding needs target.kind Node and target.name: the name of the node")
    if uid and uid != meta["uid"]:
        return errors.conflict(POD, meta["name"], wrong_uid(POD, meta, uid))
    if "deletionTimestamp" in meta:
        return _cannot_bind(meta["name"], f"pod {meta['name']} is being deleted, cannot be assigned to a host")
    if pod["spec"].get("nodeName"):
        taken = f'pod {meta["name"]} is already assigned to node "{pod["spec"]["nodeName"]}"'
        return _cannot_bind(meta["name"], taken)
    scheduled = {"type": "PodScheduled", "status": "True", "lastProbeTime": None, "lastTransitionTime": timestamp(now)}
    others = [c for c in get(pod, "status", "conditions", default=()) if c["type"] != "PodScheduled"]
    return evolve_many(pod, (("spec", "nodeName"), node), (("status", "conditions"), [*others, scheduled]))


def _cannot_bind(name: str, why: str) -> ApiError:
    return errors.conflict(replace(POD, plural="pods/binding"), name, why)


def wrong_uid(kind: Kind, meta: Obj, uid: str) -> str:
    """The words for a write that speaks of an object of that name that is gone."""
    key = kind.key(meta.get("namespace", ""), meta["name"])
    said = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {meta['uid']}"
    return f"StorageError: invalid object, Code: 4, Key: {key}, ResourceVersion: 0, AdditionalErrorMsg: {said}"


def scale_of(obj: Obj) -> Obj:
    """The Scale that speaks of *obj*."""
    meta = obj["metadata"]
    kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    selector = labels.from_object(get(obj, "spec", "selector"))
    return freeze(
        {
            "kind": "Scale",
            "apiVersion": "autoscaling/v1",
            "metadata": {key: meta[key] for key in kept if key in meta},
            "spec": {"replicas": get(obj, "spec", "replicas", default=0)},
            "status": {"replicas": get(obj, "status", "replicas", default=0), "selector": str(selector)},
        }
    )


def scaled(obj: Obj, scale: Obj) -> Obj:
    """*obj* as *scale* wants it."""
    replicas = get(scale, "spec", "replicas", default=0)
    version = get(scale, "metadata", "resourceVersion", default="")
    changed = evolve(obj, ("spec", "replicas"), replicas)
    return evolve(changed, ("metadata", "resourceVersion"), version) if version else changed
