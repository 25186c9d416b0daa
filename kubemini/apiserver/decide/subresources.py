"""/binding and /scale: the same object under another shape. Pure.

Models k/k pkg/registry/core/pod/storage BindingREST.Create, pkg/apis/core/validation ValidatePodBinding,
pkg/registry/apps/deployment/storage ScaleREST, pkg/apis/autoscaling/validation ValidateScale.
Simplified: a Binding may leave its pod's name to the URL.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from kubemini.api import errors, labels
from kubemini.api.errors import ApiError, FieldError
from kubemini.api.kinds import POD, Kind
from kubemini.api.objects import Obj, evolve, evolve_many, freeze, get
from kubemini.api.timestamps import timestamp
from kubemini.apiserver.decide import decoding

MAP = "map[string]string"
BINDING = {
    "metadata": (
        "ObjectMeta",
        "v1.ObjectMeta",
        {"name": "string", "namespace": "string", "uid": "types.UID", "labels": MAP, "annotations": MAP},
    ),
    "target": ("ObjectReference", "v1.ObjectReference", {"kind": "string", "name": "string", "apiVersion": "string"}),
}
BOUND = freeze({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201})


def misbound(binding: Any, name: str) -> ApiError | None:
    """Why *binding*, sent for the pod *name*, is no Binding, or None."""
    wrong = decoding.refusal(binding, "Binding")
    if wrong is not None:
        return wrong
    mistyped = decoding.mistyped(binding, "Binding", BINDING)
    if mistyped:
        return errors.bad_request(f'Binding in version "v1" cannot be handled as a Binding: {mistyped}')
    if (get(binding, "metadata", "name") or name) != name:
        return errors.bad_request("name in URL does not match name in Binding object")
    target = binding.get("target") or {}
    found = []
    if target.get("kind", "") not in ("Node", ""):
        known = 'supported values: "Node", "<empty>"'
        found.append(f"target.kind: Unsupported value: {decoding.quoted(target['kind'])}: {known}")
    if not target.get("name"):
        found.append("target.name: Required value")
    return errors.failed(found[0] if len(found) == 1 else "[" + ", ".join(found) + "]") if found else None


def bind(pod: Obj, binding: Mapping[str, Any], now: int) -> "Obj | ApiError":
    """*pod* on the node that *binding* names, with its labels and annotations, or why that cannot be."""
    meta, node = pod["metadata"], binding["target"]["name"]
    name, said = meta["name"], binding.get("metadata") or {}
    if said.get("uid") and said["uid"] != meta["uid"]:
        return errors.conflict(POD, name, wrong_uid(POD, meta, said["uid"]))
    if "deletionTimestamp" in meta:
        return _cannot_bind(name, f"pod {name} is being deleted, cannot be assigned to a host")
    if pod["spec"].get("nodeName"):
        return _cannot_bind(name, f'pod {name} is already assigned to node "{pod["spec"]["nodeName"]}"')
    if pod["spec"].get("schedulingGates"):
        return _cannot_bind(name, f"pod {name} has non-empty .spec.schedulingGates")
    scheduled = {"type": "PodScheduled", "status": "True", "lastProbeTime": None, "lastTransitionTime": timestamp(now)}
    others = [c for c in get(pod, "status", "conditions", default=()) if c["type"] != "PodScheduled"]
    added = [
        (("metadata", part), {**(meta.get(part) or {}), **said[part]})
        for part in ("labels", "annotations")
        if said.get(part)
    ]
    return evolve_many(pod, (("spec", "nodeName"), node), (("status", "conditions"), [*others, scheduled]), *added)


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
    wanted = get(obj, "spec", "replicas", default=0)
    return freeze(
        {
            "kind": "Scale",
            "apiVersion": "autoscaling/v1",
            "metadata": {key: meta[key] for key in kept if key in meta},
            "spec": {"replicas": wanted} if wanted else {},
            "status": {"replicas": get(obj, "status", "replicas", default=0), "selector": str(selector)},
        }
    )


def wrong_finalizers(kind: Kind, name: str, finalizers: Any) -> ApiError | None:
    """Why a Namespace may not have these finalizers, or None: the standard one, or names with a domain."""
    what = "name is neither a standard finalizer name nor is it fully qualified"
    found = [
        FieldError("FieldValueInvalid", f"spec.finalizers[{number}]", f"Invalid value: {decoding.quoted(one)}: {what}")
        for number, one in enumerate(finalizers)
        if one != "kubernetes" and "/" not in one
    ]
    return errors.invalid(kind, name, found) if found else None


def wrong_scale(scale: Obj) -> ApiError | None:
    """Why nobody can be scaled so, or None."""
    replicas = get(scale, "spec", "replicas") or 0
    if replicas >= 0:
        return None
    text = f"Invalid value: {replicas}: must be greater than or equal to 0"
    error = FieldError("FieldValueInvalid", "spec.replicas", text)
    return errors.invalid(replace(POD, group="autoscaling", kind="Scale"), scale["metadata"]["name"], [error])


def scaled(obj: Obj, scale: Obj) -> Obj:
    """*obj* as *scale* wants it."""
    replicas = get(scale, "spec", "replicas") or 0
    version = get(scale, "metadata", "resourceVersion", default="")
    changed = evolve(obj, ("spec", "replicas"), replicas)
    return evolve(changed, ("metadata", "resourceVersion"), version) if version else changed
