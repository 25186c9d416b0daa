"""What a PUT makes of an object, and what every update goes through: the state to store, a removal, or a refusal. Pure.

A decision is a function of the current state, so that it can be made again when somebody else was faster.
Invariant: whoever names a resourceVersion or a UID is held to it; whoever names none overwrites, if the kind lets them.
Models k/apiserver pkg/endpoints/handlers UpdateResource, pkg/registry/generic/registry Store.Update, pkg/registry/rest
BeforeUpdate.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from kubemini.api import errors
from kubemini.api.errors import ApiError, FieldError
from kubemini.api.kinds import KNOWN, Kind
from kubemini.api.objects import Obj, evolve, freeze, without
from kubemini.api.patch.apply import UPDATE, Manager
from kubemini.api.schema.decode import decode
from kubemini.api.schema.written import written
from kubemini.apiserver import served
from kubemini.apiserver.decide import decoding, deletion, identity, ownership, strategy
from kubemini.apiserver.decide.attributes import Witness, unseen
from kubemini.apiserver.decide.deletion import Remove
from kubemini.apiserver.decide.options import LONGEST_MANAGER, Options, number_of
from kubemini.apiserver.decide.parts import finalize
from kubemini.apiserver.decide.parts.podparts import PARTS
from kubemini.apiserver.decide.parts.scale import scaled, wrong_scale
from kubemini.apiserver.decide.request import RequestInfo
from kubemini.apiserver.decide.strategy import default

Decide = Callable[[Obj], "Obj | Remove | ApiError"]
Admit = Callable[[Obj, Obj], "Obj | ApiError | None"]  # (new, old) → new as plugins have changed it
Judge = Callable[[Obj, Obj], "ApiError | None"]  # (new, old) → why plugins refuse it
Allocate = Callable[[Obj, Obj], "Obj | ApiError"]  # (new, old) → new with the addresses that it needs
DEDUPED = (
    "API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your "
    "requests; duplicate UID(s) observed: "
)
SCALE = replace(KNOWN["policy/v1", "PodDisruptionBudget"], group="autoscaling", kind="Scale", plural="scales")


def _passed(new: Obj, old: Obj) -> ApiError | None:
    return None


@dataclass(frozen=True, slots=True)
class Write:
    """A write of *kind*: what is asked for, by whom, when (µs), and what it must pass. *warnings* fill on the way.

    ``agent``   the program that asks, as its header User-Agent says
    ``tracks``  whether owners of fields are kept from the beginning of an object on
    """

    kind: Kind
    info: RequestInfo
    options: Options
    user: str
    now: int
    admit: Admit
    warnings: list[str]
    judge: Judge = _passed
    agent: str = ""
    tracks: bool = False
    allocate: Allocate = lambda new, old: new
    witness: Witness = unseen
    heard: Callable[[Obj, Kind], None] = lambda obj, kind: None  # what was sent, once it could be read

    def decoded(self, body: Any, kind: Kind | None = None, wraps: bool = False) -> "Obj | ApiError":
        """*body* as an object of *kind* (None: of the write's own), without what no field holds; or why it is none.

        fieldValidation Strict refuses unknown and doubled fields, Warn (the default) puts them into *warnings*.
        """
        found = self._decoded(body, kind or self.kind, wraps)
        self.witness("decode", body, found)
        return found

    def _decoded(self, body: Any, kind: Kind, wraps: bool) -> "Obj | ApiError":
        wrong = decoding.refusal(body, kind.kind) or decoding.mismatch(body, kind)
        if wrong is not None:
            return wrong
        found = decode(body, kind.api_version, kind.kind, kind.structural, wraps)
        text = found.error or (found.strict_error if self.options.validation == "Strict" else "")
        if text:
            unfit = f'{kind.kind} in version "{kind.version}" cannot be handled as a {kind.kind}'
            return errors.bad_request(f"{unfit}: {text}")
        self.warnings[:] = [] if self.options.validation == "Ignore" else found.warnings
        self.heard(found.value, kind)
        return ownership.cleared(body, found.value)

    def defaulted(self, obj: Obj) -> Obj:
        """*obj* with the defaults of its kind."""
        found = default(obj, self.kind)
        self.witness("default", obj, found)
        return found

    def warn(self, texts: Iterable[str]) -> None:
        """Tell the writer *texts*, each once, however often the write is decided anew."""
        self.warnings.extend(text for text in texts if text not in self.warnings)

    def judged(self, admitted: Obj, result: Obj, old: Obj, wrong: ApiError | None) -> ApiError | None:
        """Why *result*, which is to be stored, is refused: the rules of its kind find it *wrong*, or a plugin does."""
        self.witness("reset", admitted, result)
        self.witness("validate", result, wrong)
        return wrong or self.judge(result, old)

    def me(self, operation: str) -> Manager:
        """Who writes, as managedFields name him; who gives no fieldManager goes by his program's or user's last name.

        Models k/apiserver pkg/endpoints/handlers managerOrUserAgent
        """
        name = self.options.manager or _printable(self.agent) or self.user.rpartition(":")[2] or "unknown"
        return Manager(name, operation, self.kind.api_version, self.info.subresource)

    def begins(self, new: bool) -> bool:
        """Whether this write is the first whose owner is kept, if there is none yet; *new*: it makes the object."""
        named = bool(self.options.manager)
        return (named or self.tracks) if new else (named and not self.tracks)


def _printable(agent: str) -> str:
    """The name that a User-Agent begins with, as long as a manager's may be."""
    name = "".join(character for character in agent.partition("/")[0] if character.isprintable())
    return name.encode()[:LONGEST_MANAGER].decode("utf-8", "ignore")


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


def deduped(obj: Obj, after_admission: bool = False) -> tuple[Obj, list[str]]:
    """*obj* without owners that it names twice, and the warning about them.

    Models k/apiserver pkg/endpoints/handlers dedupOwnerReferencesAndAddWarning
    """
    owners = obj["metadata"].get("ownerReferences") or ()
    kept = [owner for number, owner in enumerate(owners) if owner not in owners[:number]]
    if len(kept) == len(owners):
        return obj, []
    twice = [owner.get("uid", "") for number, owner in enumerate(owners) if owner in owners[:number]]
    when = " after mutating admission happens" if after_admission else ""
    text = f".metadata.ownerReferences contains duplicate entries{when}; {DEDUPED}{', '.join(twice)}"
    return evolve(obj, ("metadata", "ownerReferences"), kept), [text]


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


def by_put(write: Write, body: Any) -> "Decide | ApiError":
    """Put *body* in the place of the object, or of its part."""
    kind, info = write.kind, write.info
    if info.subresource == "scale":
        scale = write.decoded(body, SCALE)
        return scale if isinstance(scale, ApiError) else (lambda old: rescaled(write, old, freeze(scale)))
    found = write.decoded(_written_part(body, info.subresource))
    if isinstance(found, ApiError):
        return found
    new = named(kind, found, info.namespace)
    wrong = url_mismatch(kind, new, info.namespace, info.name)
    if wrong is not None:
        return wrong
    new, told = deduped(new)
    write.warn(told)
    whole = new if info.subresource else write.defaulted(new)
    return lambda old: replaced(write, old, whole)


def _written_part(body: Any, subresource: str) -> Any:
    """What a write through *subresource* reads of *body*."""
    if subresource != "status" or not isinstance(body, dict):
        return body
    return {key: item for key, item in body.items() if key != "spec"}


def rescaled(write: Write, old: Obj, scale: Obj) -> "Obj | Remove | ApiError":
    """*old* as *scale* wants it, or why that is no Scale of it."""
    said, info = scale.get("metadata") or {}, write.info
    scale = evolve(scale, ("metadata",), {**said, "namespace": said.get("namespace") or info.namespace})
    wrong = url_mismatch(write.kind, scale, info.namespace, info.name) or wrong_scale(scale, write.kind)
    nobodys = served.of(write.kind).scaling is not None  # upstream finds no owners in the Scale of a custom resource
    return wrong or replaced(write, old, scaled(old, scale, write.kind), owners_known=nobodys)


# -- what every update goes through ------------------------------------------------------------------------------------


def replaced(write: Write, old: Obj, new: Obj, owners_known: bool = False) -> "Obj | Remove | ApiError":
    """*new* in the place of *old*, as far as this path may; *owners_known*: an apply has settled them."""
    result = _updated(write, old, new)
    if isinstance(result, ApiError):
        return result
    if owners_known:
        result = ownership.taken_from(new, result)
    else:  # what was sent is owned, though not all of it may be taken; nobody owns what the server gives
        seen = default(new, write.kind) if _is_part(write) else new
        owned = ownership.after_write(old, seen, write.me(UPDATE), write.begins(new=False), write.now, write.kind)
        result = ownership.taken_from(owned, result)
    result = ownership.settled(old, result)
    if write.tracks and result != old and written(result) == written(old):  # in the store it is the same
        result = old
    return Remove(result) if deletion.finished(result) else result


def _updated(write: Write, old: Obj, new: Obj) -> "Obj | ApiError":
    """*old* with that of *new* which this path may write, admitted and valid."""
    kind, subresource = write.kind, write.info.subresource
    stale = _stale(write, old, new)
    if stale is not None and (subresource == "finalize" or _is_part(write)):
        return stale
    if subresource == "finalize":
        finalizers = (new.get("spec") or {}).get("finalizers") or []
        wrong = finalize.wrong_finalizers(kind, old["metadata"]["name"], finalizers)
        rest = evolve(old, ("spec", "finalizers"), finalizers) if finalizers else without(old, ("spec", "finalizers"))
        return wrong or rest
    if _is_part(write):
        return _part(write, old, new)
    admitted = write.admit(new if subresource == "status" else served.of(kind).prepare(new, old), old)
    if isinstance(admitted, ApiError):
        return admitted
    wrong = stale or (strategy.changed_marks(old, new, kind) if subresource != "status" else None)
    if wrong is not None:
        return wrong
    assert admitted is not None, "admission of an update gives the object back"
    given = admitted if subresource == "status" else write.allocate(admitted, old)
    if isinstance(given, ApiError):
        return given
    result = strategy.for_update(old, given, subresource, kind)
    if subresource == "status":
        result = served.of(kind).settle_status(result, old, write.now)
        return write.judged(admitted, result, old, strategy.validate_status(result, old, kind)) or result
    result = served.of(kind).settle(result)
    wrong = write.judged(admitted, result, old, strategy.validate(result, old, kind))
    if wrong is None:
        write.warn(served.of(kind).warnings(result, old))
    return wrong or result


def _is_part(write: Write) -> bool:
    return write.info.subresource in PARTS or write.info.subresource in served.of(write.kind).parts


def _part(write: Write, old: Obj, new: Obj) -> "Obj | ApiError":
    """*old* with the one part of *new* that its sub-resource writes."""
    kind = served.of(write.kind)
    part = {**PARTS, **kind.parts}[write.info.subresource]
    admitted = write.admit(default(new, write.kind), old)
    if isinstance(admitted, ApiError):
        return admitted
    assert admitted is not None, "admission of an update gives the object back"
    kept = part.kept(admitted, old)
    result = strategy.recounted(old, evolve(kept, ("metadata",), strategy.marked(old, kept)), write.kind)
    if part.settles:
        result = freeze(kind.settle_status(result, old, write.now))
    result = evolve(result, ("metadata", "resourceVersion"), old["metadata"]["resourceVersion"])
    return write.judged(admitted, result, old, strategy.validate_part(result, old, part.wrong, write.kind)) or result


def _stale(write: Write, old: Obj, new: Obj) -> ApiError | None:
    """Whether the writer of *new* had another object, or another state of it, before its eyes."""
    found = _outdated(write.kind, old, new)
    write.witness("stale", old, found)
    return found


def _outdated(kind: Kind, old: Obj, new: Obj) -> ApiError | None:
    name, meta, found = old["metadata"]["name"], new["metadata"], old["metadata"]
    if (meta.get("uid") or found["uid"]) != found["uid"]:
        return errors.conflict(kind, name, identity.wrong_uid(kind, found, meta["uid"]))
    version = number_of(meta.get("resourceVersion") or "0")
    if isinstance(version, str):
        return errors.failed(version)
    if version and version != int(found["resourceVersion"]):
        return errors.conflict(kind, name)
    if not version and served.of(kind).versioned:
        text = "Invalid value: 0: must be specified for an update"
        resource = replace(kind, kind=kind.plural)  # upstream names the resource there, for once
        return errors.invalid(resource, name, [FieldError("FieldValueInvalid", "metadata.resourceVersion", text)])
    return None
