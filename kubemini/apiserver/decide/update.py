"""What PUT and PATCH make of an object: the state to store, its removal, or a refusal. Pure.

A decision is a function of the current state, so that it can be made again when somebody else was faster.
Invariant: whoever names a resourceVersion or a UID is held to it; whoever names none overwrites, but never a Lease.
Models k/apiserver pkg/endpoints/handlers UpdateResource PatchResource, pkg/registry/generic/registry Store.Update,
pkg/registry/rest BeforeUpdate.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from kubemini.api import errors
from kubemini.api.errors import ApiError, FieldError
from kubemini.api.kinds import LEASE, SERVICE, Kind
from kubemini.api.objects import Obj, evolve, freeze, thaw
from kubemini.api.patch import jsonpatch
from kubemini.api.patch.merge import merge
from kubemini.api.schema.decode import decode
from kubemini.apiserver.decide import addresses, decoding, deletion, strategy, subresources
from kubemini.apiserver.decide.deletion import Remove
from kubemini.apiserver.decide.options import Options, number_of
from kubemini.apiserver.decide.request import RequestInfo
from kubemini.apiserver.decide.strategy import default
from kubemini.apiserver.rules.causes import IMMUTABLE

Decide = Callable[[Obj], "Obj | Remove | ApiError"]
Admit = Callable[[Obj, Obj], "Obj | ApiError | None"]  # (new, old) → new after admission
UNKNOWN_PATCH = "415: Unsupported Media Type"
REJECTED = "the server rejected our request due to an error in our request"
SCALE = {
    "metadata": ("ObjectMeta", "v1.ObjectMeta", {"name": "string", "namespace": "string", "resourceVersion": "string"}),
    "spec": ("ScaleSpec", "v1.ScaleSpec", {"replicas": "int32"}),
}


# -- what a body is ----------------------------------------------------------------------------------------------------


def named(kind: Kind, body: Any, namespace: str) -> Obj:
    """*body* with what a client may leave to the URL: kind, apiVersion, namespace, if its kind has one."""
    meta = body.get("metadata") or {}
    if kind.namespaced and namespace and not meta.get("namespace"):
        meta = {**meta, "namespace": namespace}
    elif not kind.namespaced and "namespace" in meta:
        meta = {key: value for key, value in meta.items() if key != "namespace"}
    if body.get("kind") == kind.kind and body.get("apiVersion") and meta is body.get("metadata"):
        return freeze(body)
    return freeze({**body, "kind": kind.kind, "apiVersion": kind.api_version, "metadata": meta})


@dataclass(frozen=True, slots=True)
class Reader:
    """How bodies of *kind* are read: as the query's fieldValidation says. What is dropped goes into *warnings*."""

    kind: Kind
    validation: str
    warnings: list[str]

    def decoded(self, body: Any) -> "Obj | ApiError":
        """*body* as an object of the kind, or why it is none."""
        return decoded(self.kind, body, self.validation, self.warnings)


def decoded(kind: Kind, body: Any, validation: str, warnings: list[str]) -> "Obj | ApiError":
    """*body* as an object of *kind*, without what no field holds; or why it is none: another kind, or wrong types.

    *validation*: Strict refuses unknown and doubled fields, Warn (the default) puts them into *warnings*.
    """
    wrong = decoding.refusal(body, kind.kind) or decoding.mismatch(body, kind)
    if wrong is not None:
        return wrong
    found = decode(body, kind.api_version, kind.kind)
    text = found.error or (found.strict_error if validation == "Strict" else "")
    if text:
        return errors.bad_request(f'{kind.kind} in version "{kind.version}" cannot be handled as a {kind.kind}: {text}')
    warnings[:] = [] if validation == "Ignore" else found.strict
    return found.value


def url_mismatch(kind: Kind, obj: Obj, namespace: str, name: str) -> ApiError | None:
    """Why *obj* is not what the URL speaks of, or None; an empty *name* is that of a collection."""
    meta = obj["metadata"]
    if name and not meta.get("name"):
        text = f"the name of the object ({name} based on URL) was undeterminable: name must be provided"
        return errors.bad_request(text)
    if name and meta["name"] != name:
        text = f"the name of the object ({meta['name']}) does not match the name on the URL ({name})"
        return errors.bad_request(text)
    if kind.namespaced and meta.get("namespace", namespace) != namespace:
        text = "the namespace of the provided object does not match the namespace sent on the request"
        return errors.bad_request(text)
    return None


# -- PUT ---------------------------------------------------------------------------------------------------------------


def by_put(reader: Reader, info: RequestInfo, body: Any, admit: Admit) -> "Decide | ApiError":
    """Put *body* in the place of the object, or of its part."""
    kind = reader.kind
    if info.subresource == "scale":
        wrong = decoding.refusal(body, "Scale") or _mistyped_scale(body)
        return wrong or (lambda old: _rescaled(kind, info, old, freeze(body), admit))
    found = reader.decoded(_written_part(body, info.subresource))
    if isinstance(found, ApiError):
        return found
    new = named(kind, found, info.namespace)
    wrong = url_mismatch(kind, new, info.namespace, info.name)
    if wrong is not None:
        return wrong
    new = new if info.subresource else default(new)
    return lambda old: replaced(kind, old, new, admit, info.subresource)


def _written_part(body: Any, subresource: str) -> Any:
    """What a write through *subresource* reads of *body*."""
    if subresource != "status" or not isinstance(body, dict):
        return body
    return {key: item for key, item in body.items() if key != "spec"}


def _mistyped_scale(body: Mapping[str, Any]) -> ApiError | None:
    wrong = decoding.mistyped(body, "Scale", SCALE)
    text = 'Scale in version "v1" cannot be handled as a Scale: '
    return errors.bad_request(text + wrong) if wrong else None


def _rescaled(kind: Kind, info: RequestInfo, old: Obj, scale: Obj, admit: Admit) -> "Obj | Remove | ApiError":
    """*old* as *scale* wants it, or why that is no Scale of it."""
    said = scale.get("metadata") or {}
    scale = evolve(scale, ("metadata",), {**said, "namespace": said.get("namespace") or info.namespace})
    wrong = url_mismatch(kind, scale, info.namespace, info.name) or subresources.wrong_scale(scale)
    return wrong or replaced(kind, old, subresources.scaled(old, scale), admit)


# -- PATCH -------------------------------------------------------------------------------------------------------------


def by_patch(reader: Reader, info: RequestInfo, options: Options, body: Any, admit: Admit) -> "Decide | ApiError":
    """Patch the object, or its Scale, as *body* says."""
    kind = reader.kind
    wrong = _unreadable_patch(options.patch, body)
    if wrong is not None:
        return wrong

    def decide(old: Obj) -> Obj | Remove | ApiError:
        seen = subresources.scale_of(old) if info.subresource == "scale" else old
        new = _patched(kind, options.patch, seen, body)
        if isinstance(new, ApiError):
            return new
        if info.subresource == "scale":
            return _misfit(_mistyped_scale(new), new) or _rescaled(kind, info, old, new, admit)
        found = reader.decoded(new)
        if isinstance(found, ApiError):
            return _misfit(found, new) or found
        new = named(kind, found, "")
        wrong = url_mismatch(kind, new, info.namespace, info.name) or _other_uid(kind, old, new)
        if wrong is not None:
            return wrong
        return replaced(kind, old, new if info.subresource else default(new), admit, info.subresource)

    return decide


def _unreadable_patch(type: str, body: Any) -> ApiError | None:
    """Why *body* is no patch of *type*, or None."""
    if not type:
        return errors.unsupported_media_type(UNKNOWN_PATCH)
    wrong = decoding.unexpected_end() if body is None else decoding.not_json(body)
    if wrong:
        return errors.bad_request(f"error decoding patch: {wrong}")
    found = decoding.go_name(body)
    if type == "json":
        return _unreadable_operations(body)
    if type == "merge" and found not in ("object", "array"):
        return errors.bad_request("invalid JSON patch")
    if found != "object":
        text = f"json: cannot unmarshal {found} into Go value of type map[string]interface {{}}"
        return errors.bad_request(f"error decoding patch: {text}")
    return None


def _unreadable_operations(body: Any) -> ApiError | None:
    text = "error decoding patch: json: cannot unmarshal {} into Go value of type {}"
    if not isinstance(body, list):
        return errors.bad_request(text.format(decoding.go_name(body), "[]handlers.jsonPatchOp"))
    for operation in body:
        if not isinstance(operation, dict):
            return errors.bad_request(text.format(decoding.go_name(operation), "handlers.jsonPatchOp"))
    return None


def _patched(kind: Kind, type: str, old: Obj, body: Any) -> "Obj | ApiError":
    if type == "json":
        try:
            return jsonpatch.apply(old, body)
        except jsonpatch.PatchError:
            return ApiError(422, "Invalid", REJECTED)
    return merge(old, body)


def _misfit(wrong: ApiError | None, patched: Any) -> ApiError | None:
    """A patch whose result cannot be decoded, in the words for that."""
    if wrong is None or "strict decoding error: " in wrong.message:
        return wrong
    shown = json.dumps(json.dumps(thaw(patched), separators=(",", ":"), ensure_ascii=False), ensure_ascii=False)
    why = wrong.message.partition(": ")[2]
    text = f"Invalid value: {shown}: {why}"
    cause = {"reason": "FieldValueInvalid", "message": text, "field": "patch"}
    return ApiError(422, "Invalid", f' "" is invalid: patch: {text}', freeze({"causes": [cause]}))


def _other_uid(kind: Kind, old: Obj, new: Obj) -> ApiError | None:
    """A patch cannot make another object of it."""
    uid = new["metadata"].get("uid") or old["metadata"]["uid"]
    if uid == old["metadata"]["uid"]:
        return None
    text = f"Invalid value: {decoding.quoted(uid)}: {IMMUTABLE}"
    return errors.invalid(kind, old["metadata"]["name"], [FieldError("FieldValueInvalid", "metadata.uid", text)])


# -- what both lead to -------------------------------------------------------------------------------------------------


def replaced(kind: Kind, old: Obj, new: Obj, admit: Admit, subresource: str = "") -> "Obj | Remove | ApiError":
    """*new* in the place of *old*, as far as a write through *subresource* may."""
    refused = _stale(kind, old, new)
    if refused is not None:
        return refused
    if subresource == "finalize":
        finalizers = (new.get("spec") or {}).get("finalizers") or []
        wrong = subresources.wrong_finalizers(kind, old["metadata"]["name"], finalizers)
        result = evolve(old, ("spec", "finalizers"), finalizers)
    elif subresource:
        result = strategy.for_update(old, new, subresource)
        wrong = strategy.validate_status(result, old) if subresource == "status" else None
    else:
        admitted = admit(addresses.carried_over(old, new) if kind == SERVICE else new, old)
        if isinstance(admitted, ApiError):
            return admitted
        assert admitted is not None, "admission of an update gives the object back"
        result = strategy.for_update(old, admitted)
        wrong = strategy.validate(result, old)
    if wrong is not None:
        return wrong
    return Remove(result) if deletion.finished(result) else result


def _stale(kind: Kind, old: Obj, new: Obj) -> ApiError | None:
    """Whether the writer of *new* had another object, or another state of it, before its eyes."""
    name, meta, found = old["metadata"]["name"], new["metadata"], old["metadata"]
    if (meta.get("uid") or found["uid"]) != found["uid"]:
        return errors.conflict(kind, name, subresources.wrong_uid(kind, found, meta["uid"]))
    version = number_of(meta.get("resourceVersion") or "0")
    if isinstance(version, str):
        return errors.failed(version)
    if version and version != int(found["resourceVersion"]):
        return errors.conflict(kind, name)
    if not version and kind == LEASE:
        text = "Invalid value: 0: must be specified for an update"
        return errors.invalid(kind, name, [FieldError("FieldValueInvalid", "metadata.resourceVersion", text)])
    return None
