"""/scale: how many, of whatever kind. Pure.

Models k/k pkg/registry/apps/deployment/storage ScaleREST, pkg/apis/autoscaling/validation ValidateScale.
"""

from dataclasses import replace

from kubemini.api import errors, labels
from kubemini.api.errors import ApiError, FieldError
from kubemini.api.kinds import POD, Kind
from kubemini.api.objects import Obj, evolve, freeze, get
from kubemini.apiserver import served
from kubemini.apiserver.rules.customs.objects import Scaling


def scale_of(obj: Obj, kind: Kind | None = None) -> Obj:
    """The Scale that speaks of *obj*, an object of *kind*."""
    scaling = served.of(kind).scaling if kind is not None else None
    if scaling is not None:
        return _custom_scale(obj, scaling)
    picks = get(obj, "spec", "selector")
    plain = obj["kind"] == "ReplicationController"  # whose selector is nothing but labels
    selector = labels.from_labels(picks or {}) if plain else labels.from_object(picks)
    wanted = get(obj, "spec", "replicas", default=0)
    return _scale(obj, wanted, get(obj, "status", "replicas", default=0), str(selector))


def _scale(obj: Obj, wanted: int, there: int, selector: str | None) -> Obj:
    meta = obj["metadata"]
    kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    return freeze(
        {
            "kind": "Scale",
            "apiVersion": "autoscaling/v1",
            "metadata": {key: meta[key] for key in kept if key in meta},
            "spec": {"replicas": wanted} if wanted else {},
            "status": {"replicas": there} | ({} if selector is None else {"selector": selector}),
        }
    )


def unsaid(obj: Obj, kind: Kind) -> str:
    """The path at which *obj*, a custom resource, does not say how many it wants; "" if it does."""
    scaling = served.of(kind).scaling
    return "" if scaling is None or get(obj, *scaling.wanted) is not None else "." + ".".join(scaling.wanted)


def missing_scale(obj: Obj, kind: Kind) -> ApiError | None:
    """Why *obj* has no Scale to be read. Models k/apiextensions-apiserver pkg/registry/customresource ScaleREST.Get"""
    path = unsaid(obj, kind)
    return errors.internal(f'the spec replicas field "{path}" does not exist') if path else None


def _custom_scale(obj: Obj, scaling: Scaling) -> Obj:
    """Models k/apiextensions-apiserver pkg/registry/customresource scaleFromCustomResource"""
    wanted = get(obj, *scaling.wanted)
    selector = get(obj, *scaling.selector) if scaling.selector else None
    return _scale(obj, wanted or 0, get(obj, *scaling.there) or 0, selector or None)


def wrong_scale(scale: Obj, kind: Kind | None = None) -> ApiError | None:
    """Why nobody can be scaled so, or None; a custom resource is judged as it would then be."""
    if kind is not None and served.of(kind).scaling is not None:
        return None
    replicas = get(scale, "spec", "replicas") or 0
    if replicas >= 0:
        return None
    text = f"Invalid value: {replicas}: must be greater than or equal to 0"
    error = FieldError("FieldValueInvalid", "spec.replicas", text)
    return errors.invalid(replace(POD, group="autoscaling", kind="Scale"), scale["metadata"]["name"], [error])


def scaled(obj: Obj, scale: Obj, kind: Kind | None = None) -> Obj:
    """*obj*, an object of *kind*, as *scale* wants it."""
    scaling = served.of(kind).scaling if kind is not None else None
    replicas = get(scale, "spec", "replicas") or 0
    version = get(scale, "metadata", "resourceVersion", default="")
    changed = evolve(obj, scaling.wanted if scaling else ("spec", "replicas"), replicas)
    return evolve(changed, ("metadata", "resourceVersion"), version) if version else changed
