"""POST, PUT, PATCH and DELETE: what a write goes through, in this order, and what the trace says of it.

    decode      is it JSON, of this kind, of the right types                  400      decide/decoding, kinds/
    default     what the manifest is silent about                                      kinds/
    admit       plugins change it, or refuse it                               403 404  admission/
    validate    the rules of its kind                                         422      kinds/
    allocate    addresses of a Service                                        422      decide/addresses
    store       one transaction of etcd, guarded by the state decided on      409      storage

Invariant: nothing is stored that has not come this way; a refusal has changed nothing.
Models k/apiserver pkg/endpoints/handlers createHandler UpdateResource DeleteResource, pkg/registry/generic/registry
Store.Create Store.Update Store.Delete.
"""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from kubemini.api import errors
from kubemini.api.errors import ApiError
from kubemini.api.kinds import NAMESPACE, SERVICE, Kind
from kubemini.api.objects import Obj, evolve_many, freeze, warned
from kubemini.api.timestamps import timestamp
from kubemini.apiserver import admission, reading
from kubemini.apiserver.decide import addresses, deletion, identity, strategy, subresources, update
from kubemini.apiserver.decide.deletion import Remove
from kubemini.apiserver.decide.strategy import default
from kubemini.apiserver.decide.update import Decide
from kubemini.apiserver.storage import Fate, Taken, revision_of, with_version
from kubemini.sim.units import SECOND

if TYPE_CHECKING:
    from kubemini.apiserver.pipeline import Request
    from kubemini.apiserver.server import ApiServer

ATTEMPTS = 8  # at a name, or an address, that nobody has
CREATED_BY_PUT = ("Endpoints", "Lease", "Service")
VERSIONED = "resourceVersion should not be set on objects to be created"


# -- create ------------------------------------------------------------------------------------------------------------


def create(server: "ApiServer", asked: "Request") -> Fate:
    """POST to a collection."""
    kind, info = _kind(asked), asked.info
    found = update.decoded(kind, asked.body, asked.options.validation, asked.warnings)
    if isinstance(found, ApiError):
        return found
    obj = update.named(kind, found, info.namespace)
    wrong = update.url_mismatch(kind, obj, info.namespace, "")
    if wrong is not None:
        return wrong
    return _told(asked, (yield from _create(server, kind, obj, asked.options.dry)))


def _told(asked: "Request", answer: Any) -> Any:
    """*answer* with the warnings that were found on the way."""
    refused = isinstance(answer, ApiError) or not asked.warnings
    return answer if refused else warned(answer, tuple(asked.warnings))


def _create(server: "ApiServer", kind: Kind, obj: Obj, dry: bool) -> Fate:
    """The new object, or why there is none."""
    space = None
    if kind.namespaced:
        space = yield from _namespace(server, obj["metadata"].get("namespace", ""))
        if isinstance(space, ApiError):
            return space
    made = yield from store_new(server, kind, obj, space, dry)
    return made if isinstance(made, ApiError) else made.new


def _namespace(server: "ApiServer", called: str) -> Fate:
    """The Namespace *called* so: known ones are looked up in the cache, unknown ones once in etcd."""
    cache = server.cache(NAMESPACE)
    if not cache.revision:
        unready = yield from cache.wait()
        if unready is not None:
            return unready
    found = cache.get("", called) if called else None
    if found is None and called:
        found = yield from server.storage.get(NAMESPACE, "", called)
    return found


def store_new(server: "ApiServer", kind: Kind, obj: Obj, space: Obj | None = None, dry: bool = False) -> Fate:
    """Default, admit, validate, allocate, store: Written or an ApiError; with a generated name try several."""
    if obj["metadata"].get("resourceVersion"):
        return errors.failed(VERSIONED)
    obj, taken = default(obj), set[str]()
    base = "" if obj["metadata"].get("name") else obj["metadata"].get("generateName") or ""
    made: Any = None
    for _ in range(ATTEMPTS):
        ready = yield from _completed(server, kind, obj, base, space, taken)
        if isinstance(ready, ApiError):
            return ready
        meta = ready["metadata"]
        made = yield from server.storage.create(kind, meta.get("namespace", ""), meta["name"], ready, dry)
        if isinstance(made, Taken):
            taken.update(made.keys)
        elif isinstance(made, ApiError) and base and made.reason == "AlreadyExists":
            continue
        else:
            break
    if isinstance(made, ApiError) and base and made.reason == "AlreadyExists":
        return _no_unique_name(made)
    if isinstance(made, Taken):
        return errors.internal("failed to allocate: no free address was found")
    if not isinstance(made, ApiError) and not dry:
        server.tell(kind, made)
    return made


def _completed(server: "ApiServer", kind: Kind, obj: Obj, base: str, space: Obj | None, taken: set[str]) -> Fate:
    """*obj* as it will be stored, or why it will not."""
    obj = strategy.for_create(obj)
    edits: list[tuple[tuple[str, ...], Any]] = [
        (("metadata", "uid"), identity.uid(server.rng)),
        (("metadata", "creationTimestamp"), timestamp(server.sim.now)),
    ]
    if base:
        edits.append((("metadata", "name"), identity.generated(base, server.rng)))
    obj = evolve_many(obj, *edits)
    admitted = admission.admit(_write(server, kind, admission.CREATE, obj, space=space))
    if isinstance(admitted, ApiError):
        return admitted
    assert admitted is not None
    wrong = strategy.validate(admitted)
    if wrong is not None or kind != SERVICE:
        return wrong or admitted
    cache = server.cache(SERVICE)
    unready = yield from cache.wait()
    return unready or addresses.allocated(admitted, (), taken, _in_use(server), server.rng)


def _in_use(server: "ApiServer") -> set[str]:
    """Keys of the addresses of the Services that this server has heard of: not to be drawn."""
    return {key for service in server.cache(SERVICE).items() for key in addresses.claims(service)}


def _write(server: "ApiServer", kind: Kind, operation: str, obj: Obj, **more: Any) -> admission.Write:
    seconds = server.params.toleration_seconds // SECOND
    name = obj["metadata"].get("name") or ""
    return admission.Write(operation, kind, name, obj, toleration_seconds=seconds, **more)


def _no_unique_name(error: ApiError) -> ApiError:
    text = f"{error.message}, the server was not able to generate a unique name for the object"
    return replace(error, message=text, details=freeze({**error.details, "retryAfterSeconds": 1}))


# -- change ------------------------------------------------------------------------------------------------------------


def put(server: "ApiServer", asked: "Request") -> Fate:
    """PUT: the whole object, or one of its parts. A few kinds are created by it."""
    kind = _kind(asked)
    reader = update.Reader(kind, asked.options.validation, asked.warnings)
    done = yield from _updated(server, asked, update.by_put(reader, asked.info, asked.body, _admitting(server, kind)))
    missing = isinstance(done, ApiError) and done.code == 404 and kind.kind in CREATED_BY_PUT
    if not missing or asked.info.subresource:
        return done
    obj = update.named(kind, reader.decoded(asked.body), asked.info.namespace)
    meta = {key: value for key, value in obj["metadata"].items() if key != "resourceVersion"}
    return (yield from _create(server, kind, evolve_many(obj, (("metadata",), meta)), asked.options.dry))


def patch(server: "ApiServer", asked: "Request") -> Fate:
    """PATCH, of any of the types."""
    kind = _kind(asked)
    reader = update.Reader(kind, asked.options.validation, asked.warnings)
    decide = update.by_patch(reader, asked.info, asked.options, asked.body, _admitting(server, kind))
    return (yield from _updated(server, asked, decide))


def _admitting(server: "ApiServer", kind: Kind) -> update.Admit:
    return lambda new, old: admission.admit(_write(server, kind, admission.UPDATE, new, old=old))


def _updated(server: "ApiServer", asked: "Request", decide: "Decide | ApiError") -> Fate:
    """The object, or its Scale, after a PUT or PATCH, as far as it could be read."""
    done = decide if isinstance(decide, ApiError) else (yield from _change(server, asked, decide))
    if isinstance(done, ApiError):
        return done
    if done.removed:  # the last finalizer is gone, and the object with it: it is shown as it was
        return with_version(done.new, revision_of(done.old))
    return _told(asked, subresources.scale_of(done.new) if asked.info.subresource == "scale" else done.new)


def bind(server: "ApiServer", asked: "Request") -> Fate:
    """POST to /binding: a pod gets its node."""
    body = asked.body
    wrong = subresources.misbound(body, asked.info.name)
    if wrong is not None:
        return wrong
    done = yield from _change(server, asked, lambda pod: subresources.bind(pod, body, server.sim.now))
    return done if isinstance(done, ApiError) else subresources.BOUND


def _change(server: "ApiServer", asked: "Request", decide: Decide) -> Fate:
    """Carry *decide* out: Written, or an ApiError."""
    kind, info, dry = _kind(asked), asked.info, asked.options.dry
    cache = server.caches.get(kind.kind)
    seen = cache.get(info.namespace, info.name) if cache is not None else None
    taken: set[str] = set()
    if kind == SERVICE:
        unready = yield from server.cache(SERVICE).wait()
        if unready is not None:
            return unready
        decide = _allocating(server, decide, taken)
    for _ in range(ATTEMPTS):
        done = yield from server.storage.update(kind, info.namespace, info.name, decide, seen, dry)
        if not isinstance(done, Taken):
            break
        taken.update(done.keys)
        seen = None
    if isinstance(done, Taken):
        return errors.internal("failed to allocate: no free address was found")
    if not isinstance(done, ApiError) and not dry:
        server.tell(kind, done)
    return done


def _allocating(server: "ApiServer", decide: Decide, taken: set[str]) -> Decide:
    """*decide*, and then the addresses that the Service lacks."""

    def decide_and_allocate(old: Obj) -> Any:
        new = decide(old)
        if isinstance(new, ApiError | Remove):
            return new
        return addresses.allocated(new, addresses.claims(old), taken, _in_use(server), server.rng)

    return decide_and_allocate


# -- delete ------------------------------------------------------------------------------------------------------------


def delete(server: "ApiServer", asked: "Request") -> Fate:
    """DELETE of one object."""
    kind, options = _kind(asked), asked.options
    refused = admission.admit(admission.Write(admission.DELETE, kind, asked.info.name))
    if isinstance(refused, ApiError):
        return refused
    done = yield from _change(server, asked, lambda obj: deletion.delete(obj, options, server.sim.now))
    if isinstance(done, ApiError) or not done.removed:
        return done if isinstance(done, ApiError) else done.new
    return deletion.answer(kind, done.new)


def delete_collection(server: "ApiServer", asked: "Request") -> Fate:
    """DELETE of a collection: each object by itself; the answer is the list as it was."""
    kind = _kind(asked)
    matches = reading.matcher(kind, asked.info)
    if isinstance(matches, ApiError):
        return matches
    listed = yield from reading.list(server, asked)
    if isinstance(listed, ApiError):
        return listed
    for obj in listed["items"]:
        meta = obj["metadata"]
        info = replace(asked.info, namespace=meta.get("namespace", ""), name=meta["name"])
        done = yield from delete(server, replace(asked, info=info))
        if isinstance(done, ApiError) and done.code != 404:
            return done
    return listed


def _kind(asked: "Request") -> Kind:
    kind = asked.info.kind
    assert kind is not None, "a request without a kind has been refused before"
    return kind
