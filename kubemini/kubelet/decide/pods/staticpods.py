"""Pods from files of a host, and their mirrors in the API. Pure.

A static pod is the kubelet's own: it runs whether an API server answers or not. What others see of it is a mirror, a
pod that the kubelet writes; whoever deletes the mirror deletes only that, and another manifest is another pod.
Models k/k pkg/kubelet/config applyDefaults generatePodName; k/k pkg/kubelet/pod basicMirrorClient.CreateMirrorPod
"""

import hashlib
import json
from typing import Any

from kubemini.api.objects import Obj, freeze, get, thaw
from kubemini.api.timestamps import timestamp

SOURCE, HASH, SEEN = (f"kubernetes.io/config.{word}" for word in ("source", "hash", "seen"))
MIRROR = "kubernetes.io/config.mirror"
TOLERATED = {"operator": "Exists", "effect": "NoExecute"}


def problem(manifest: Any) -> str:
    """Why no pod can be made of *manifest*; "" if one can. Models k/k pkg/kubelet/config sourceFile.extractFromFile"""
    containers = get(manifest, "spec", "containers") or ()
    if not containers:
        return "spec.containers: Required value"
    for number, one in enumerate(containers):
        for key in ("name", "image"):
            if not one.get(key):
                return f"spec.containers[{number}].{key}: Required value"
    return ""


def static_pod(manifest: Any, node: str, now: int) -> Obj:
    """The pod that *manifest*, a file of the host of *node*, stands for."""
    pod = thaw(freeze(manifest))
    meta, spec = pod.setdefault("metadata", {}), pod["spec"]
    uid = hashlib.md5(json.dumps(pod, sort_keys=True).encode() + node.encode(), usedforsecurity=False).hexdigest()
    meta |= {"name": f"{meta['name']}-{node}", "namespace": meta.get("namespace") or "default", "uid": uid}
    notes = {HASH: uid, SEEN: timestamp(now), SOURCE: "file"}
    meta["annotations"] = {**(meta.get("annotations") or {}), **notes}
    meta["resourceVersion"] = "0"
    spec.setdefault("restartPolicy", "Always")
    spec.setdefault("terminationGracePeriodSeconds", 30)
    spec["nodeName"] = node
    spec["tolerations"] = [*(spec.get("tolerations") or ()), TOLERATED]
    found: Obj = freeze({"apiVersion": "v1", "kind": "Pod", **pod, "status": {"phase": "Pending"}})
    return found


def mirror(pod: Obj, node_uid: str) -> Obj:
    """What the API is shown of static *pod*."""
    meta = {key: value for key, value in thaw(pod["metadata"]).items() if key not in ("uid", "resourceVersion")}
    meta["annotations"] = {**meta["annotations"], MIRROR: pod["metadata"]["uid"]}
    if node_uid:
        owner = {"apiVersion": "v1", "kind": "Node", "name": pod["spec"]["nodeName"], "uid": node_uid}
        meta["ownerReferences"] = [owner | {"controller": True}]
    return freeze({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": thaw(pod["spec"])})


def mirrored(pod: Obj) -> str:
    """The uid of the static pod that *pod* is a mirror of; "" if it is none."""
    return str(get(pod, "metadata", "annotations", MIRROR, default=""))


def is_static(pod: Obj) -> bool:
    """Whether *pod* comes from a file of its host."""
    return get(pod, "metadata", "annotations", SOURCE, default="api") != "api"


def is_good(mirror: Obj | None, pod: Obj) -> bool:
    """Whether *mirror* may stay as the mirror of *pod*."""
    if mirror is None or "deletionTimestamp" in mirror["metadata"]:
        return False
    return mirrored(mirror) == pod["metadata"]["uid"]
