"""POST, PUT, PATCH and DELETE: what a write goes through, in this order, and what the trace says of it.

    decode      is it JSON, of this kind, of the right types                  400      decide/decoding, kinds/
    default     what the manifest is silent about                                      kinds/
    admit       plugins change it, or refuse it                               403 404  admission/
    allocate    addresses of a Service                                        422 500  decide/allocation
    validate    the rules of its kind                                         422      kinds/
    admit       plugins refuse what would be stored                           403 422  admission/
    store       one transaction of etcd, guarded by the state decided on      409      storage

Invariant: nothing is stored that has not come this way; a refusal has changed nothing.
Models k/apiserver pkg/endpoints/handlers createHandler UpdateResource DeleteResource, pkg/registry/generic/registry
Store.Create Store.Update Store.Delete.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from kubemini.api import errors
from kubemini.api.errors import ApiError
from kubemini.api.kinds import NAMESPACE, POD, SERVICE, Kind
from kubemini.api.objects import Obj, evolve_many, freeze, warned, without
from kubemini.api.patch.apply import UPDATE
from kubemini.api.timestamps import timestamp
from kubemini.apiserver import admission, admitting, reading, served, servicecidrs
from kubemini.apiserver.core import Core, Request
from kubemini.apiserver.decide import attributes, deletion, identity, ownership, strategy, update
from kubemini.apiserver.decide.allocation import services
from kubemini.apiserver.decide.deletion import Remove
from kubemini.apiserver.decide.options import APPLY, number_of
from kubemini.apiserver.decide.parts.scale import scale_of
from kubemini.apiserver.decide.patch import patching
from kubemini.apiserver.decide.strategy import default
from kubemini.apiserver.decide.update import Decide, Write
from kubemini.apiserver.storage import Taken, revision_of, with_version
from kubemini.sim import Steps

ATTEMPTS = 8  # at a name, or an address, that nobody has
VERSIONED = "resourceVersion should not be set on objects to be created"


# -- create ------------------------------------------------------------------------------------------------------------


def create(core: Core, asked: Request) -> Steps:
    """POST to a collection."""
    write, info = begun(core, asked), asked.info
    found = write.decoded(asked.body)
    if isinstance(found, ApiError):
        return found
    obj = update.named(write.kind, found, info.namespace)
    wrong = update.url_mismatch(write.kind, obj, info.namespace, "")
    if wrong is not None:
        return wrong
    obj, twice = update.deduped(obj)
    write.warn(twice)
    return _told(asked, (yield from _create(core, write, obj, asked)))


def _told(asked: Request, answer: Any) -> Any:
    """*answer* with the warnings that were found on the way."""
    refused = isinstance(answer, ApiError) or not asked.warnings
    return answer if refused else warned(answer, tuple(asked.warnings))


def _create(core: Core, write: Write, obj: Obj, asked: Request) -> Steps:
    """The new object, or why there is none."""
    space = None
    if write.kind.namespaced:
        space = yield from _namespace(core, obj["metadata"].get("namespace", ""))
        asked.witness("space", obj, space)
        if isinstance(space, ApiError):
            return space
    made = yield from store_new(core, write.kind, obj, space, write, asked)
    if isinstance(made, ApiError):
        return made
    asked.created = True
    return made.new


def _namespace(core: Core, called: str) -> Steps:
    """The Namespace *called* so: known ones are looked up in the cache, unknown ones once in etcd."""
    cache = core.cache(NAMESPACE)
    if not cache.revision:
        unready = yield from cache.wait()
        if unready is not None:
            return unready
    found = cache.get("", called) if called else None
    if found is None and called:
        found = yield from core.storage.get_for_write(NAMESPACE, "", called)
    return found


def store_new(
    core: Core,
    kind: Kind,
    obj: Obj,
    space: Obj | None = None,
    write: Write | None = None,
    asked: Request | None = None,
) -> Steps:
    """Default, admit, validate, allocate, store: Written or an ApiError; with a generated name try several."""
    closed, stamped = served.of(kind).closed, number_of(obj["metadata"].get("resourceVersion") or "0")
    if closed:
        return errors.forbidden(kind, obj["metadata"].get("name") or "", closed)
    obj, taken, dry = _filled(obj, kind, write), set[str](), write is not None and write.options.dry
    base = "" if obj["metadata"].get("name") else obj["metadata"].get("generateName") or ""
    looked_at = admitting.attributes(core, kind, attributes.CREATE, strategy.for_create(obj), asked, space=space)
    unready = yield from admitting.informed(core, looked_at)
    admitted = unready or _granted(core, asked, admission.admit(looked_at))
    if not isinstance(admitted, ApiError):
        admitted = yield from admitting.ask_mutating(core, replace(looked_at, obj=admitted))
    if isinstance(admitted, ApiError):
        return admitted
    made: Any = None
    for _ in range(ATTEMPTS):
        looked_at = replace(looked_at, obj=admitted)
        ready = yield from _completed(core, looked_at, base, taken, dry)
        if isinstance(ready, ApiError):
            return ready
        if write is not None:
            write.warn(served.of(kind).warnings(ready, None))
        meta = ready["metadata"]
        last = replace(looked_at, obj=ready, name=meta.get("name") or "")
        refused = yield from admitting.last_words(core, last, not taken)  # then it was charged before
        if refused is not None or (isinstance(stamped, int) and stamped):
            return refused or errors.failed(VERSIONED)
        made = yield from core.storage.create(kind, meta.get("namespace", ""), meta["name"], ready, dry, last.witness)
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
        core.tell(kind, made)
    return made


def _filled(obj: Obj, kind: Kind, write: Write | None) -> Obj:
    """*obj* with its defaults and, if somebody has sent it, its first owner."""
    if write is None:
        return default(obj, kind)
    full = write.defaulted(obj)
    if write.options.patch == APPLY:  # which has said who owns it
        return full
    return ownership.after_create(full, write.me(UPDATE), write.begins(new=True), write.now, kind)


def _granted(core: Core, asked: Request | None, new: Any, old: Obj | None = None) -> Any:
    """*new*, as admission left it, or why its writer may not give others such rights."""
    if asked is None or isinstance(new, ApiError):
        return new
    refused = core.access.granted(asked.user, asked.kind, asked.info.namespace, new, old)
    if refused is not None:
        asked.witness("grant", new, refused)
    return refused or new


def _completed(core: Core, admitted: attributes.Attributes, base: str, taken: set[str], dry: bool) -> Steps:
    """The new object as it will be stored, or why it will not."""
    kind, obj = admitted.kind, admitted.obj
    assert obj is not None, "what is created is there"
    edits: list[tuple[tuple[str, ...], Any]] = [
        (("metadata", "uid"), identity.uid(core.rng)),
        (("metadata", "creationTimestamp"), timestamp(core.sim.wall)),
    ]
    if base:
        name = identity.generated(base, core.rng) if served.of(kind).suffixed else base
        edits.append((("metadata", "name"), name))
    obj = served.of(kind).signed(evolve_many(obj, *edits), admitted.user.shown())
    obj = strategy.begun(obj, core.sim.wall, kind)
    given: Any = obj
    if kind == SERVICE:
        unready = yield from core.cache(SERVICE).wait()
        given = unready or services.allocated(obj, None, _pool(core, taken, dry))
        if isinstance(given, ApiError) and not unready and (yield from core.storage.learns_of_cidrs()):
            given = services.allocated(obj, None, _pool(core, taken, dry))
    admitted.witness("reset", admitted.obj, given)
    if isinstance(given, ApiError):
        return given
    before, obj, wrong = obj, given, strategy.validate(given, of=kind)
    if wrong is not None and kind == SERVICE:  # what others have is told first
        held = yield from servicecidrs.held_by_others(core, obj)
        none = services.allocated(before, None, _pool(core, taken | held, dry)) if held else None
        wrong = none if isinstance(none, ApiError) else wrong
    admitted.witness("validate", obj, wrong)
    return wrong or admission.validate(replace(admitted, obj=obj, name=obj["metadata"].get("name") or "")) or obj


def _pool(core: Core, taken: set[str], dry: bool) -> services.Pool:
    """The addresses that there are; those of Services that this server has heard of are not to be drawn."""
    in_use = {key for service in core.cache(SERVICE).items() for key in services.keys(service)}
    return services.Pool(core.storage.cidrs, core.params.service_node_port_range, core.rng, taken, in_use, dry)


def _no_unique_name(error: ApiError) -> ApiError:
    text = f"{error.message}, the server was not able to generate a unique name for the object"
    return replace(error, message=text, details=freeze({**error.details, "retryAfterSeconds": 1}))


# -- change ------------------------------------------------------------------------------------------------------------


def put(core: Core, asked: Request) -> Steps:
    """PUT: the whole object, or one of its parts. A few kinds are created by it."""
    write = begun(core, asked)
    done = yield from _updated(core, asked, update.by_put(write, asked.body))
    if not _is_missing(asked, done) or not served.of(write.kind).created_by_put:
        return done
    obj = update.named(write.kind, write.decoded(asked.body), asked.info.namespace)
    return (yield from _create(core, write, without(obj, ("metadata", "resourceVersion")), asked))


def patch(core: Core, asked: Request) -> Steps:
    """PATCH, of any of the types. An apply creates what is not there."""
    write = begun(core, asked)
    done = yield from _updated(core, asked, patching.by_patch(write, asked.body))
    if not _is_missing(asked, done) or asked.options.patch != APPLY:
        return done
    obj = patching.newly_applied(write, asked.body)
    return obj if isinstance(obj, ApiError) else (yield from _create(core, write, obj, asked))


def _is_missing(asked: Request, done: Any) -> bool:
    return isinstance(done, ApiError) and done.code == 404 and not asked.info.subresource


def begun(core: Core, asked: Request) -> Write:
    """The write that is asked for, with all that it must pass."""
    kind = asked.kind

    def looked_at(new: Obj, old: Obj) -> attributes.Attributes:
        return admitting.attributes(core, kind, attributes.UPDATE, new, asked, old=old)

    def admit(new: Obj, old: Obj) -> Any:
        look = looked_at(new, old)
        found = _granted(core, asked, admission.admit(look), old)
        refused = isinstance(found, ApiError)
        return found if refused else admitting.answered(core, asked, replace(look, obj=found), mutates=True)

    def judge(new: Obj, old: Obj) -> Any:
        look = looked_at(new, old)
        return admission.validate(look) or admitting.answered(core, asked, look, mutates=False)

    def allocate(new: Obj, old: Obj) -> Any:
        if kind != SERVICE:
            return new
        given = services.allocated(new, old, _pool(core, asked.taken, asked.options.dry))
        asked.unserved = isinstance(given, ApiError)
        asked.claimed = None if isinstance(given, ApiError) else given
        return given

    return Write(
        kind,
        asked.info,
        asked.options,
        asked.user.name,
        core.sim.wall,
        admit,
        asked.warnings,
        judge,
        asked.headers.get("user-agent", ""),
        core.flags.managed_fields,
        allocate,
        asked.witness,
        asked.audit.sent if asked.audit is not None else _unheard,
    )


def _unheard(obj: Obj, kind: Kind) -> None:
    """Nobody wants to know."""


def _updated(core: Core, asked: Request, decide: "Decide | ApiError") -> Steps:
    """The object, or its Scale, after a PUT or PATCH, as far as it could be read."""
    if isinstance(decide, ApiError):
        return decide
    unready = yield from admitting.informed(
        core, admitting.attributes(core, asked.kind, attributes.UPDATE, None, asked)
    )
    full = unready or (yield from admitting.foreseen(core, asked, decide))
    done = full or (yield from change(core, asked, decide))
    if isinstance(done, ApiError):
        return done
    if done.removed:  # the last finalizer is gone, and the object with it: it is shown as it was
        return with_version(done.new, revision_of(done.old))
    return _told(asked, scale_of(done.new, asked.kind) if asked.info.subresource == "scale" else done.new)


def change(core: Core, asked: Request, decide: Decide) -> Steps:
    """Carry *decide* out: Written, or an ApiError."""
    kind, info = asked.kind, asked.info
    cache = core.begun(kind)
    seen = cache.get(info.namespace, info.name) if cache is not None else None
    unready = yield from admitting.informed(core, admitting.attributes(core, kind, attributes.UPDATE, seen, asked))
    if unready is not None:
        return unready
    if kind == SERVICE:
        unready = yield from core.cache(SERVICE).wait()
        if unready is not None:
            return unready
    for _ in range(ATTEMPTS):
        done = yield from _decided(core, asked, decide, seen)
        if isinstance(done, Taken):
            asked.taken.update(done.keys)
        elif isinstance(done, ApiError) and (held := (yield from _held(core, asked))):
            asked.taken.update(held)
        elif not (asked.unserved and (yield from core.storage.learns_of_cidrs())):
            break
        seen = None
    if isinstance(done, Taken):
        return errors.internal("failed to allocate: no free address was found")
    if not isinstance(done, ApiError) and not asked.options.dry:
        core.tell(kind, done)
    return done


def _decided(core: Core, asked: Request, decide: Decide, seen: Obj | None) -> Steps:
    """What becomes of *decide*, beginning with *seen*; webhooks are asked wherever it waits for their answers."""
    kind, info, dry = asked.kind, asked.info, asked.options.dry
    while True:
        try:
            return (yield from core.storage.update(kind, info.namespace, info.name, decide, seen, dry, asked.witness))
        except admitting.Unasked as question:
            yield from admitting.ask(core, asked, question)
            seen = question.look.old


def _held(core: Core, asked: Request) -> Steps:
    """What a Service that is refused would take from others, as far as that was not known: that is told first."""
    if asked.claimed is None:
        return set()
    held = yield from servicecidrs.held_by_others(core, asked.claimed)
    return held - asked.taken


# -- delete ------------------------------------------------------------------------------------------------------------


def delete(core: Core, asked: Request) -> Steps:
    """DELETE of one object."""
    kind, options = asked.kind, asked.options
    parting = served.of(kind).parting
    if parting and not options.policy and options.orphan is None and parting not in asked.warnings:
        asked.warnings.append(parting)
    looked_at = admitting.attributes(core, kind, attributes.DELETE, asked=asked)
    if asked.info.verb == "deletecollection":
        looked_at = replace(looked_at, name="")  # plugins judge the collection, and hear no object's name
    unready = yield from admitting.informed(core, looked_at)
    done = unready or (
        yield from remove(core, asked, lambda old: admitting.of_delete(core, asked, replace(looked_at, old=old)))
    )
    if isinstance(done, ApiError) or not done.removed:
        return done if isinstance(done, ApiError) else done.new
    return deletion.answer(kind, done.new)


def remove(core: Core, asked: Request, judge: Callable[[Obj], ApiError | None] | None = None) -> Steps:
    """Let the object go, as its options say and *judge* lets it: Written, or an ApiError."""
    options, marks = asked.options, core.flags.marks_first and asked.kind == POD and not asked.options.dry

    def decide(obj: Obj) -> Any:
        wanted = deletion.delete(obj, options, core.sim.wall, asked.kind)
        if judge is not None and not isinstance(wanted, ApiError) and (refused := judge(obj)):
            return refused
        return wanted.last if marks and isinstance(wanted, Remove) else wanted

    done = yield from change(core, asked, decide)
    if not marks or isinstance(done, ApiError) or not deletion.finished(done.new):
        return done
    gone = yield from change(core, asked, lambda obj: Remove(obj) if deletion.finished(obj) else obj)
    if isinstance(gone, ApiError) and gone.code == 404:
        return done._replace(removed=True)  # somebody else was faster
    return gone


def delete_collection(core: Core, asked: Request) -> Steps:
    """DELETE of a collection: each object by itself; the answer is the list as it was."""
    kind = asked.kind
    matches = reading.selection(kind, asked.info)
    if isinstance(matches, ApiError):
        return matches
    listed = yield from reading.list(core, asked)
    if isinstance(listed, ApiError):
        return listed
    for obj in listed["items"]:
        meta = obj["metadata"]
        info = replace(asked.info, namespace=meta.get("namespace", ""), name=meta["name"])
        done = yield from delete(core, replace(asked, info=info))
        if isinstance(done, ApiError) and done.code != 404:
            return done
    return listed
