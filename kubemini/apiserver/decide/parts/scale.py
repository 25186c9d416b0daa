"""/scale: how many, of whatever kind. Pure.

Models k/k pkg/registry/apps/deployment/storage ScaleREST, pkg/apis/autoscaling/validation ValidateScale.
"""

from dataclasses import replace

from kubemini.api import errors, labels
from kubemini.api.errors import ApiError, FieldError
from kubemini.api.kinds import POD
from kubemini.api.objects import Obj, evolve, freeze, get


def scale_of(obj: Obj) -> Obj:
    """The Scale that speaks of *obj*."""
    meta = obj["metadata"]
    kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    picks = get(obj, "spec", "selector")
    plain = obj["kind"] == "ReplicationController"  # whose selector is nothing but labels
    selector = labels.from_labels(picks or {}) if plain else labels.from_object(picks)
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
