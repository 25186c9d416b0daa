"""What a PATCH makes of an object: merge, strategic merge, JSON patch, server-side apply. Pure.

The patch is applied to the object as it is stored, and the result is read as any body is: so a patch may do whatever a
PUT may, and nothing else. Apply looks for owners first, and creates what is not there.
Models k/apiserver pkg/endpoints/handlers jsonPatcher smpPatcher applyPatcher, interpretStrategicMergePatchError.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from kubemini.api import errors
from kubemini.api.errors import ApiError, FieldError
from kubemini.api.kinds import CustomKind, Kind
from kubemini.api.objects import Obj, evolve, freeze, get, without
from kubemini.api.patch import jsonpatch, published, strategic, typed
from kubemini.api.patch.apply import APPLY as APPLIES
from kubemini.api.patch.merge import merge
from kubemini.api.schema.decode import Decoded, FromYaml, decode
from kubemini.api.schema.written import written
from kubemini.apiserver import served
from kubemini.apiserver.decide import decoding, ownership
from kubemini.apiserver.decide.deletion import Remove
from kubemini.apiserver.decide.options import APPLY
from kubemini.apiserver.decide.parts.scale import scale_of, unsaid, wrong_scale
from kubemini.apiserver.decide.patch import misfit
from kubemini.apiserver.decide.update import SCALE, Decide, Write, deduped, named, replaced, rescaled, url_mismatch
from kubemini.apiserver.rules.causes import IMMUTABLE

UNKNOWN_PATCH = "415: Unsupported Media Type"
REJECTED = "the server rejected our request due to an error in our request"
DECODING = "error decoding patch: "
TWICE = "yaml: unmarshal errors:"
YAML = "error unmarshaling JSON: while decoding JSON: "
A_MAP = "map[string]interface {}"
ONLY_THESE = (
    "the body of the request was in an unknown format - accepted media types include: application/json-patch+json, "
    "application/merge-patch+json, application/apply-patch+yaml"
)
MOST_OPERATIONS = 10_000
OWN_READERS = ("quantity", "int-or-string", "time", "microtime")  # types that complain as JSON does


def by_patch(write: Write, body: Any) -> "Decide | ApiError":
    """Patch the object, or its Scale, as *body* says."""
    type, kind = write.options.patch, write.kind
    if type == "strategic" and kind.structural is not None:
        return errors.unsupported_media_type(ONLY_THESE)
    wrong = _unreadable(type, body)
    if wrong is not None:
        return wrong
    body = ([] if type == "json" else {}) if body is None else body
    if type == APPLY:
        return _scale_by_apply(write, body) if write.info.subresource == "scale" else _by_apply(write, body)
    if write.info.subresource == "scale":
        return lambda old: _rescaled(write, old, _patched(type, scale_of(old, kind), body), body)
    return lambda old: _replaced(write, old, body)


def _unreadable(type: str, body: Any) -> ApiError | None:
    """Why *body* is no patch of *type*, or None."""
    if not type:
        return errors.unsupported_media_type(UNKNOWN_PATCH)
    wrong = "" if body is None else decoding.not_json(body)
    if wrong:
        return errors.bad_request(DECODING + wrong)
    if body is None:
        return errors.bad_request("Invalid JSON Patch") if type == "merge" else None
    found = decoding.go_name(body)
    if type == "json":
        return _unreadable_operations(body)
    if found != "object":
        text = f"json: cannot unmarshal {found} into Go value of type {A_MAP}"
        return errors.bad_request(DECODING + (YAML if type == APPLY else "") + text)
    return None


def _unreadable_operations(body: Any) -> ApiError | None:
    text = DECODING + "json: cannot unmarshal {} into Go value of type {}"
    if not isinstance(body, list):
        return errors.bad_request(text.format(decoding.go_name(body), "[]handlers.jsonPatchOp"))
    if len(body) > MOST_OPERATIONS:
        much = f"The allowed maximum operations in a JSON patch is {MOST_OPERATIONS}, got {len(body)}"
        return ApiError(413, "RequestEntityTooLarge", f"Request entity too large: {much}")
    for operation in body:
        if not isinstance(operation, dict):
            return errors.bad_request(text.format(decoding.go_name(operation), "handlers.jsonPatchOp"))
    return None


def _patched(type: str, old: Obj, body: Any) -> Any:
    """*old* after the patch, not yet read; or why it cannot be applied."""
    if type == "json":
        try:
            return jsonpatch.apply(old, body)
        except jsonpatch.PatchError:
            return _rejected()
    if type != "strategic":
        return merge(old, body)
    definition = published.type_of(old["apiVersion"], old["kind"])
    try:
        return strategic.merge(old, body, published.lookup, definition)
    except strategic.StrategicError as error:
        if error.code == 422:
            return _rejected()
        return errors.bad_request(str(error)) if error.code == 400 else errors.failed(str(error))


def _rejected() -> ApiError:
    """422 for a patch that cannot be applied, whatever the reason."""
    return ApiError(422, "Invalid", REJECTED, generic=True)


def _replaced(write: Write, old: Obj, patch: Any) -> "Obj | Remove | ApiError":
    type = write.options.patch
    found = _read(write, _patched(type, old, patch), patch, write.kind, lambda: _patched(type, written(old), patch))
    if isinstance(found, ApiError):
        return found
    write.witness("decode", patch, found)
    return _in_place(write, old, named(write.kind, found, write.info.namespace))


def _read(write: Write, new: Any, patch: Any, kind: Kind, as_go: Callable[[], Any] | None = None) -> "Obj | ApiError":
    """The result *new* of *patch* as an object of *kind*, or why it is none; *as_go*: as Go writes it."""
    if isinstance(new, ApiError):
        return new
    type, careful = write.options.patch, write.options.validation != "Ignore"

    def refused(why: str) -> ApiError:
        shown = as_go() if as_go is not None and kind.structural is None else new
        return misfit.invalid(type, patch, shown, published.type_of(kind.api_version, kind.kind), why)

    if type == "strategic" and isinstance(new, dict):
        new = {**new, "apiVersion": kind.api_version, "kind": kind.kind}  # put together, not read: it cannot be another
    wrong = decoding.refusal(new, kind.kind)
    if wrong is not None:
        return wrong
    if isinstance(kind, CustomKind) and (typed_else := decoding.typed_as_another(new, kind)) is not None:
        return typed_else
    other = "" if isinstance(kind, CustomKind) else decoding.other_kind(new, kind)
    if other:
        return refused(other)
    found = decode(new, kind.api_version, kind.kind, kind.structural, wraps=type == "strategic")
    if kind.structural is not None:  # its fields have no order but that of their names
        new = json.loads(json.dumps(new, sort_keys=True))
    if found.error:
        return refused(misfit.why(type, found))
    complaints = [*misfit.strict(type, patch), *found.strict] if careful else []
    if complaints and write.options.validation == "Strict":
        return refused("strict decoding error: " + ", ".join(complaints))
    write.warn(complaints)
    return freeze(ownership.cleared(new, found.value))


def _in_place(write: Write, old: Obj, new: Obj, owners_known: bool = False) -> "Obj | Remove | ApiError":
    info = write.info
    wrong = url_mismatch(write.kind, new, info.namespace, info.name) or _other_uid(write.kind, old, new)
    if wrong is not None:
        return wrong
    new, told = deduped(new, after_admission=True)
    write.warn(told)
    return replaced(write, old, new if info.subresource else write.defaulted(new), owners_known)


def _rescaled(write: Write, old: Obj, scale: Any, patch: Any) -> "Obj | Remove | ApiError":
    said = isinstance(scale, ApiError) or get(scale, "spec", "replicas") is not None
    if not said and (path := unsaid(old, write.kind)):
        return errors.bad_request(f'the spec replicas field "{path}" cannot be empty')
    found = _read(write, scale, patch, SCALE)
    return found if isinstance(found, ApiError) else rescaled(write, old, found)


def _other_uid(kind: Kind, old: Obj, new: Obj) -> ApiError | None:
    """A patch cannot make another object of it."""
    uid = new["metadata"].get("uid") or old["metadata"]["uid"]
    if uid == old["metadata"]["uid"]:
        return None
    text = f"Invalid value: {decoding.quoted(uid)}: {IMMUTABLE}"
    return errors.invalid(kind, old["metadata"]["name"], [FieldError("FieldValueInvalid", "metadata.uid", text)])


# -- server-side apply -------------------------------------------------------------------------------------------------


def _by_apply(write: Write, body: Mapping[str, Any]) -> "Decide | ApiError":
    config, unread = configuration(write, body)
    if isinstance(config, ApiError):
        return config
    me, force, said = write.me(APPLIES), bool(write.options.force), freeze(body)

    def decide(old: Obj) -> Obj | Remove | ApiError:
        new = ownership.apply(old, config, me, force, write.now, said, write.kind)
        if isinstance(new, ApiError):
            return new
        if unread is not None:  # only after who is in the way
            return unread
        found = write.decoded(new, wraps=True)
        if isinstance(found, ApiError):
            return found
        return _twice(write, body) or _in_place(write, old, found, owners_known=True)

    return decide


def _twice(write: Write, body: Mapping[str, Any]) -> ApiError | None:
    """What a careful reader says of YAML in which a key stands twice in a map: a refusal, or warnings."""
    if not isinstance(body, FromYaml) or write.options.validation == "Ignore":
        return None
    if write.options.validation != "Strict":
        write.warn([*body.complaints])
        return None
    lines = "".join(f"\n  {line}" for line in body.complaints)
    return errors.bad_request(f"error strict decoding patch: error converting YAML to JSON: {TWICE}{lines}")


def _scale_by_apply(write: Write, body: Mapping[str, Any]) -> "Decide | ApiError":
    """An apply of a Scale: it owns the number of replicas in the object that it speaks of, and nothing else.

    Models k/apimachinery pkg/util/managedfields ScaleHandler.ToParent ToSubresource
    """
    kind, info = write.kind, write.info
    wrong, unread = _understood(SCALE, body)
    if wrong is not None:
        return wrong
    if unread is not None:
        return unread
    me, force = write.me(APPLIES), bool(write.options.force)

    def decide(old: Obj) -> Obj | Remove | ApiError:
        said = body.get("metadata") or {}
        scale = freeze({**body, "metadata": {**said, "name": said.get("name") or info.name}})
        unfit = wrong_scale(scale, kind) or url_mismatch(
            kind, named(kind, scale, info.namespace), info.namespace, info.name
        )
        if unfit is not None:
            return unfit
        config = {"apiVersion": kind.api_version, "kind": kind.kind, "metadata": {"name": info.name}}
        wanted = freeze({**config, "spec": {"replicas": get(body, "spec", "replicas") or 0}})
        new = ownership.apply(old, wanted, me, force, write.now, kind=kind)
        if isinstance(new, ApiError):
            return new
        version = said.get("resourceVersion")
        new = evolve(new, ("metadata", "resourceVersion"), version) if version else new
        return replaced(write, old, new, owners_known=True)

    return decide


def configuration(write: Write, body: Mapping[str, Any]) -> "tuple[Obj | ApiError, ApiError | None]":
    """What is applied: *body* with the name and namespace of the URL, or why it cannot be; why it is unread."""
    kind, info = write.kind, write.info
    wrong, unread = _understood(kind, body)
    if wrong is not None:
        return wrong, None
    meta = body.get("metadata") or {}
    config = named(kind, {**body, "metadata": {**meta, "name": meta.get("name") or info.name}}, info.namespace)
    other = "spec" if info.subresource == "status" else "" if served.of(kind).plain_status else "status"
    misplaced = url_mismatch(kind, config, info.namespace, info.name)
    if misplaced is not None:
        return unread or misplaced, None
    return without(config, (other,)) if other else config, unread


def _understood(kind: Kind, body: Mapping[str, Any]) -> tuple[ApiError | None, ApiError | None]:
    """Why *body* cannot be applied to a *kind*, or None; and why the object that it makes cannot be read, or None."""
    version, said = body.get("apiVersion") or "", body.get("kind") or ""
    if (version, said) != (kind.api_version, kind.kind):
        group = version if "/" in str(version) else f"/{version}"
        return errors.bad_request(f"invalid object type: {group}, Kind={said}"), None
    if get(body, "metadata", "managedFields") is not None:
        return errors.bad_request("metadata.managedFields must be nil"), None
    found = decode(body, kind.api_version, kind.kind, kind.structural, wraps=True)
    meta = body.get("metadata") if isinstance(body.get("metadata"), dict) else {}
    where = f"{meta.get('namespace', '')}/{meta.get('name', '')}" if meta else "/"
    gvk = f"{kind.api_version if kind.group else f'/{kind.version}'}, Kind={kind.kind}"
    why = _odd(kind, body, found, published.shape_of(kind.api_version, kind.kind, kind.structural))
    if why:
        return errors.failed(f"failed to create typed patch object ({where}; {gvk}): {why}"), None
    return None, _unread(kind, found, where, gvk)


def _unread(kind: Kind, found: Decoded, where: str, gvk: str) -> ApiError | None:
    if not found.error:
        return None
    type = published.type_at(published.type_of(kind.api_version, kind.kind), found.place)
    why = found.error if type in OWN_READERS else misfit.why("", found)
    why = re.sub(r"Go struct field \S+ of type", "Go value of type", why)
    told = f"unable to convert unstructured object to {gvk}: {why}"
    return errors.failed(f"failed to convert new object ({where}; {gvk}) to proper version: {told}")


def _odd(kind: Kind, body: Mapping[str, Any], found: Decoded, shape: typed.Shape) -> str:
    """Everything in *body* that is not of its *shape*."""
    twice = ""
    try:
        typed.check(body, shape)
    except typed.TypedError as error:
        twice = str(error)
    try:
        complaints = [*_complaints(kind, body, found, shape), *([twice] if twice else [])]
    except typed.TypedError:  # an element that is odd has no name either
        complaints = [twice]
    return "errors:\n  " + "\n  ".join(complaints) if len(complaints) > 1 else "".join(complaints)


def _complaints(kind: Kind, body: Mapping[str, Any], found: Decoded, shape: typed.Shape) -> Iterator[str]:
    type = published.type_of(kind.api_version, kind.kind)
    known = kind.structural
    wrong = [*(published.unfit(body, type) if known is None else published.misfits(body, known))]
    for odd, expected in wrong:
        value = get(body, *odd)
        there = {
            "numeric (int or float)": strategic.go_type(value),
            "string": f"&value.valueUnstructured{{Value:{strategic.go_syntax(value)}}}",
        }.get(expected, f"&{{{strategic.go_text(value)}}}")
        yield f"{typed.spelled(body, odd, shape)}: expected {expected}, got {there}"
    odd_places = [odd for odd, _ in wrong]
    for place in found.unknown:
        if any(place[: len(odd)] == odd for odd in odd_places):
            continue
        yield f"{typed.spelled(body, place, shape)}: field not declared in schema"


def newly_applied(write: Write, body: Mapping[str, Any]) -> "Obj | ApiError":
    """The object that an apply makes where there is none."""
    config, unread = configuration(write, body)
    if isinstance(config, ApiError):
        return config
    if unread is not None:
        return unread
    meta = config["metadata"]
    if meta.get("uid"):
        why = f"uid mismatch: the provided object specified uid {meta['uid']}, and no existing object was found"
        return errors.conflict(write.kind, meta["name"], why)
    bare = without(config, ("metadata", "resourceVersion"))
    whole = evolve(bare, ("metadata", "name"), meta["name"])
    found = write.decoded(whole, wraps=True)
    if isinstance(found, ApiError):
        return found
    return _twice(write, body) or ownership.created(found, whole, write.me(APPLIES), write.now, write.kind)
