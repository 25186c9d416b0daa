"""What PUT and PATCH make of an object: the state to store, its removal, or a refusal. Pure.

A decision is a function of the current state, so that it can be made again when somebody else was faster.
Invariant: whoever names a resourceVersion or a UID is held to it; whoever names none overwrites, but never a Lease.
kubernetes/apiserver pkg/endpoints/handlers/{update,patch}.go, pkg/registry/generic/registry/store.go.
"""

from collections.abc import Callable
from typing import Any

from kubemini.api import errors
from kubemini.api.errors import ApiError, FieldError
from kubemini.api.kinds import LEASE, Kind
from kubemini.api.objects import Obj, evolve, freeze
from kubemini.api.patch.merge import merge
from kubemini.apiserver import strategy, validation
from kubemini.apiserver.decide import deletion, subresources
from kubemini.apiserver.decide.deletion import Remove
from kubemini.apiserver.decide.request import RequestInfo
from kubemini.apiserver.defaulting import default

Decide = Callable[[Obj], "Obj | Remove | ApiError"]


def named(kind: Kind, body: Any, namespace: str) -> Obj:
    """*body* with what a client may leave to the URL: kind, apiVersion, namespace."""
    meta = body.get("metadata") or {}
    if kind.namespaced and namespace and "namespace" not in meta:
        meta = {**meta, "namespace": namespace}
    if body.get("kind") == kind.kind and "apiVersion" in body and meta is body.get("metadata"):
        return freeze(body)
    return freeze({**body, "kind": kind.kind, "apiVersion": kind.api_version, "metadata": meta})


def by_put(kind: Kind, info: RequestInfo, body: Any) -> "Decide | ApiError":
    """Put *body* in the place of the object, or of its part."""
    if info.subresource == "scale":
        scale = freeze(body)
        return lambda old: replaced(kind, old, subresources.scaled(old, scale))
    wrong = validation.undecodable(_written_part(body, info.subresource), kind)
    if wrong is not None:
        return wrong
    new = named(kind, body, info.namespace)
    wrong = validation.mismatched(new, info.namespace, info.name)
    if wrong is not None:
        return wrong
    new = new if info.subresource else default(new)
    return lambda old: replaced(kind, old, new, info.subresource)


def by_patch(kind: Kind, info: RequestInfo, body: Any) -> "Decide | ApiError":
    """Merge *body* into the object, or into its Scale; what it does not name needs no check of its types."""
    if not isinstance(body, dict):
        return errors.bad_request("a merge patch must be an object")
    if info.subresource == "scale":
        return lambda old: replaced(kind, old, subresources.scaled(old, merge(subresources.scale_of(old), body)))
    wrong = validation.undecodable(body, kind)
    if wrong is not None:
        return wrong

    def decide(old: Obj) -> Obj | Remove | ApiError:
        new = merge(old, body)
        wrong = validation.mismatched(new, info.namespace, info.name)
        if wrong is not None:
            return wrong
        return replaced(kind, old, new if info.subresource else default(new), info.subresource)

    return decide


def _written_part(body: Any, subresource: str) -> Any:
    """What a write through *subresource* reads of *body*."""
    if subresource != "status" or not isinstance(body, dict):
        return body
    return {key: body[key] for key in ("kind", "apiVersion", "metadata", "status") if key in body}


def replaced(kind: Kind, old: Obj, new: Obj, subresource: str = "") -> "Obj | Remove | ApiError":
    """*new* in the place of *old*, as far as a write through *subresource* may."""
    refused = _stale(kind, old, new)
    if refused is not None:
        return refused
    if subresource == "finalize":
        result = evolve(old, ("spec", "finalizers"), (new.get("spec") or {}).get("finalizers") or [])
    else:
        result = strategy.for_update(old, new, subresource)
    wrong = None if subresource else validation.validate(result, old)
    if wrong is not None:
        return wrong
    return Remove(result) if deletion.finished(result) else result


def _stale(kind: Kind, old: Obj, new: Obj) -> ApiError | None:
    """Whether the writer of *new* had another object, or another state of it, before its eyes."""
    name, meta, found = old["metadata"]["name"], new["metadata"], old["metadata"]
    if meta.get("uid", found["uid"]) != found["uid"]:
        return errors.conflict(kind, name, subresources.wrong_uid(kind, found, meta["uid"]))
    version = meta.get("resourceVersion", "")
    if version and version != found["resourceVersion"]:
        return errors.conflict(kind, name)
    if not version and kind == LEASE:
        text = "Invalid value: 0: must be specified for an update"
        return errors.invalid(kind, name, [FieldError("FieldValueInvalid", "metadata.resourceVersion", text)])
    return None
