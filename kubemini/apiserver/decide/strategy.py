"""What every write goes through, whatever its kind: defaults, who owns what, the rules. Pure.

Invariant: a write to an object never changes its status, a write to ``/status`` changes nothing else, and the
generation counts changes of what is wanted. default(default(x)) == default(x). An object of a kind that is defined at
one server only does not say all of its kind: there the caller does.
Models k/apiserver pkg/registry/rest BeforeCreate, BeforeUpdate. What is special about a kind: ``apiserver/kinds``.
"""

from collections.abc import Callable
from typing import Any

from kubemini.api import errors
from kubemini.api.errors import ApiError, FieldError
from kubemini.api.kinds import Kind, kind_of
from kubemini.api.objects import Obj, evolve, freeze, get, without
from kubemini.api.schema.written import written
from kubemini.apiserver import served
from kubemini.apiserver.rules import causes, metadata
from kubemini.apiserver.rules.causes import Wrong

SERVER_OWNED = ("uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "generation")


def default(obj: Obj, kind: Kind | None = None) -> Obj:
    """*obj* with every default of its kind; *obj* itself if it has them all."""
    filled = served.of_object(obj, kind).defaults(obj)
    return freeze(obj if filled == obj else filled)


def for_create(obj: Obj) -> Obj:
    """*obj* as admission sees it: no status of the user's making, nor what is the server's to say."""
    meta = {key: value for key, value in obj["metadata"].items() if key not in (*SERVER_OWNED, "resourceVersion")}
    return freeze({**obj, "metadata": meta})


def begun(obj: Obj, now: int, of: Kind | None = None) -> Obj:
    """*obj* as it enters the store at *now* (µs): its first generation, the status that it begins with."""
    kind = served.of_object(obj, of)
    obj = kind.begun(obj, now)
    first = kind.first_generation
    meta = obj["metadata"] | ({"generation": first} if kind.counted and first else {})
    status = kind.first_status(obj) if kind.first_status else None
    rest = {key: value for key, value in obj.items() if key != "status" or kind.first_status is None}
    return freeze({**rest, "metadata": meta} | ({} if status is None else {"status": status}))


def for_update(old: Obj, new: Obj, subresource: str = "", of: Kind | None = None) -> Obj:
    """*new* with what a write through *subresource* may not touch taken from *old*."""
    kind = served.of_object(old, of)
    fixed = (*SERVER_OWNED, *kind.status_keeps) if subresource == "status" else SERVER_OWNED
    meta = marked(old, new, fixed)
    if subresource == "status":
        kept = evolve(old, ("status",), new["status"]) if "status" in new else without(old, ("status",))
        return evolve(kept, ("metadata",), {**meta, "resourceVersion": _version(new, old)})
    result = evolve(new, ("metadata",), meta)
    result = recounted(old, result, of)
    if kind.plain_status:
        return result
    if "status" in old:
        return evolve(result, ("status",), old["status"])
    begins = kind.first_status and kind.first_status(old)
    return without(result, ("status",)) if begins is not None else result


def marked(old: Obj, new: Obj, fixed: tuple[str, ...] = SERVER_OWNED) -> dict[str, Any]:
    """The metadata of *new*, but for the *fixed* fields: those are as *old* has them."""
    owned = {key: old["metadata"][key] for key in fixed if key in old["metadata"]}
    return {key: value for key, value in new["metadata"].items() if key not in fixed} | owned


def recounted(old: Obj, new: Obj, of: Kind | None = None) -> Obj:
    """*new* with the generation that it has in the place of *old*."""
    kind = served.of_object(old, of)
    if not kind.counted or kind.counts(old) == kind.counts(new):
        return new
    if kind.counts(written(old)) == kind.counts(written(new)):  # what is not said is zero
        return new
    return evolve(new, ("metadata", "generation"), old["metadata"].get("generation", 0) + 1)


def changed_marks(old: Obj, new: Obj, of: Kind | None = None) -> ApiError | None:
    """Why *new* may not say otherwise than *old* when and how it ends; left out is as it was.

    Models k/apimachinery pkg/api/validation ValidateObjectMetaAccessorUpdate
    """
    found = []
    for field in ("deletionTimestamp", "deletionGracePeriodSeconds"):
        said, was = new["metadata"].get(field), old["metadata"].get(field)
        if said is not None and said != was and not (field == "deletionTimestamp" and was is not None):
            found.append(causes.invalid(f"metadata.{field}", said, causes.IMMUTABLE))
    return _refusal(new, found, of)


def _version(new: Obj, old: Obj) -> Any:
    return get(new, "metadata", "resourceVersion") or get(old, "metadata", "resourceVersion", default="")


def validate(obj: Obj, old: Obj | None = None, of: Kind | None = None) -> ApiError | None:
    """Why *obj* may not be stored (in place of *old*), or None. Judged after defaulting."""
    kind = served.of_object(obj, of)
    if old is None and kind.rules_first and (wrong := [*kind.rules(obj)]):
        return _refusal(obj, wrong, of)
    found = [*_metadata(obj, old, kind)]
    if old is None:
        found += kind.named(obj)
        found += kind.rules(obj)
        found += kind.create_rules(obj)
    else:
        itself, changed = kind.rules(obj), kind.changes(obj, old)
        found += [*changed, *itself] if kind.changes_first else [*itself, *changed]
    found += kind.declared(obj, old)
    return _refusal(obj, found, of)


def _metadata(obj: Obj, old: Obj | None, kind: served.ServedKind) -> Wrong:
    """What is wrong with the metadata (in place of that of *old*): first what is of every kind."""
    yield from metadata.metadata(kind.kind, obj["metadata"], kind.name_rule)
    if old is not None:
        yield from metadata.changes(obj["metadata"], old["metadata"])
    if not kind.any_finalizer:
        yield from metadata.finalizers(obj["metadata"])


def validate_part(obj: Obj, old: Obj, wrong: Callable[[Obj, Obj], Wrong], of: Kind | None = None) -> ApiError | None:
    """Why *obj*, of which one part is new, may not be stored in place of *old*, or None; *wrong*: (new, old)."""
    kind = served.of_object(obj, of)
    return _refusal(obj, [*_metadata(obj, old, kind), *kind.rules(obj), *wrong(obj, old)], of)


def validate_status(obj: Obj, old: Obj, of: Kind | None = None) -> ApiError | None:
    """Why *obj*, of which only the status is new, may not be stored in place of *old*, or None."""
    kind = served.of_object(obj, of)
    return _refusal(obj, [*_metadata(obj, old, kind), *kind.status_rules(obj, old)], of)


def _refusal(obj: Obj, found: list[FieldError], of: Kind | None) -> ApiError | None:
    unique = list(dict.fromkeys(found))
    return errors.invalid(of or kind_of(obj), obj["metadata"].get("name", ""), unique) if unique else None
