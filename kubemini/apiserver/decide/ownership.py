"""metadata.managedFields: who owns which field of an object, after a plain write and after an apply. Pure.

    after_write(old, new, me, begins, now)      *new* with the owners that the write leaves
    apply(old, config, me, force, now)          *old* after *me* has applied *config*, or the conflict (409)

Owners are what the writer sends as managedFields, if he sends any that can be read, else those of the object as it was;
a writer who sends none but an empty entry wants nobody to own anything. Of those who write (and do not apply), ten are
kept by name.
Models k/apimachinery pkg/util/managedfields/internal FieldManager skipNonAppliedManager capManagersManager
managedFieldsUpdater lastAppliedManager lastAppliedUpdater NewConflictError, pkg/util/managedfields ScaleHandler;
k/apiserver pkg/endpoints/handlers applyPatcher.
Simplified: in a story, whose programs name no fieldManager, owners are kept from the first write on that names one.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from kubemini.api import errors
from kubemini.api.errors import ApiError
from kubemini.api.kinds import Kind, kind_of
from kubemini.api.objects import Obj, evolve, freeze, get, thaw, without
from kubemini.api.patch import apply as patch
from kubemini.api.patch import published, typed
from kubemini.api.patch.apply import BEFORE, UPDATE, Conflict, Manager, Managers, Paths
from kubemini.api.schema.written import written
from kubemini.api.timestamps import timestamp
from kubemini.apiserver import served

FIELD = ("metadata", "managedFields")
ANNOTATION = ("metadata", "annotations", "kubectl.kubernetes.io/last-applied-configuration")
CLEARED: tuple[Any, ...] = ([], [{}])  # what a writer sends who wants nobody to own anything
KUBECTL, ANCIENT = "kubectl", "ancient-changes"
SCALE_VERSION = "autoscaling/v1"
MOST_WRITERS = 10
Entries = Sequence[Mapping[str, Any]]


# -- who owns what -----------------------------------------------------------------------------------------------------


def managers_of(entries: Entries | None) -> dict[Manager, Paths]:
    """The owners that *entries* name; nobody if one of them cannot be read."""
    found = {}
    for entry in entries or ():
        readable = entry.get("operation") in (patch.APPLY, UPDATE) and entry.get("apiVersion")
        if not readable or entry.get("fieldsType") != "FieldsV1":
            return {}
        found[_who(entry)] = frozenset(typed.from_fields_v1(entry.get("fieldsV1") or {}))
    return found


def cleared(body: Mapping[str, Any], read: Obj) -> Obj:
    """*read*, which is *body* decoded, where an empty list of owners still says so: it is no field for the decoder."""
    return evolve(read, FIELD, CLEARED[1]) if get(body, *FIELD) == [] else read


def _who(entry: Mapping[str, Any]) -> Manager:
    return Manager(entry.get("manager", ""), entry["operation"], entry["apiVersion"], entry.get("subresource", ""))


def _entries(obj: Obj | None) -> Entries:
    return get(obj, *FIELD) or ()


def after_write(old: Obj | None, new: Obj, me: Manager, begins: bool, now: int, kind: Kind | None = None) -> Obj:
    """*new* with its owners after *me* wrote it in the place of *old* (None: created).

    *begins*: owners are kept from now on; else only if there are some already.
    """
    bare, said = without(new, FIELD), () if me.subresource else get(new, *FIELD)
    resets = said in CLEARED
    kept = () if resets else said if managers_of(said) else _entries(old)
    before = managers_of(kept)
    if not before and (not begins or (resets and old is not None)):
        return bare
    live = _as_written(old if old is not None else {key: new[key] for key in ("apiVersion", "kind") if key in new})
    versions = _versions(kind or kind_of(new), me.subresource)
    try:
        owners = patch.updated(live, written(bare), before, me, versions)
        took = patch.touched(live, written(bare), me, versions)
    except typed.TypedError:  # its fields have no names: they are nobody's, and it is judged for what it is
        owners, took = before, False
    return _with(bare, owners, kept, [me] if took else [], now)


def _as_written(obj: Mapping[str, Any]) -> Any:
    """An object as its owners are found in it: as Go writes it, but for who they are."""
    return written(without(freeze(obj), FIELD))


def after_create(new: Obj, me: Manager, begins: bool, now: int, kind: Kind | None = None) -> Obj:
    """A new object with its owner."""
    return taken_from(after_write(None, new, me, begins, now, kind), new)


def apply(
    old: Obj, config: Obj, me: Manager, force: bool, now: int, said: Obj | None = None, kind: Kind | None = None
) -> "Obj | ApiError":
    """*old* as it is after *me* has applied *config*; not yet decoded, defaulted or validated.

    *said*: the configuration as it was sent, if something has been added to it since.
    """
    live, versions = _as_written(old), _versions(kind or kind_of(old), me.subresource)
    there = managers_of(_entries(old))
    try:
        before = there or _before_first_apply(live, me, versions)
        done = patch.applied(live, config, before, me, versions, force)
    except typed.TypedError as error:  # what is there has fields without names
        return errors.failed(_unreadable(old, bool(there), _where(live, versions.shape(me.version)) or str(error)))
    if isinstance(done, list) and me.name == KUBECTL:
        allowed = _last_applied(live, me, versions)
        grave = [conflict for conflict in done if conflict.path not in allowed]
        done = grave or patch.applied(live, config, before, me, versions, force=True)
    if isinstance(done, list):
        return _conflict(_as_seen(done, me))
    new, owners = done
    changed, plain = new != live, without(old, FIELD)
    if live is not plain:  # what nobody has said is not said by an apply of something else
        new = patch.merged(plain, config, before, me, versions)
    begun = [] if there else [manager for manager in owners if manager.name == BEFORE]
    result = _with(freeze(new), owners, _entries(old), [*begun, *([me] if changed else [])], now)
    if me.name == KUBECTL and get(result, *ANNOTATION):
        return evolve(result, ANNOTATION, _as_applied(config if said is None else said))
    return result


def _where(live: Any, shape: typed.Shape) -> str:
    """The first field of *live* that has no name."""
    try:
        typed.check(live, shape)
    except typed.TypedError as error:
        return str(error)
    return ""


def _unreadable(old: Obj, owned: bool, why: str) -> str:
    meta, version = old["metadata"], old["apiVersion"] if "/" in old["apiVersion"] else f"/{old['apiVersion']}"
    what = f"{meta.get('namespace', '')}/{meta['name']}; {version}, Kind={old['kind']}"
    if owned:
        return f"failed to create typed live object ({what}): {why}"
    return f"failed to create manager for existing fields: failed to convert new object ({what}) to smd typed: {why}"


def taken_from(applied: Obj, result: Obj) -> Obj:
    """*result* with the owners that *applied* has."""
    entries = get(applied, *FIELD)
    return evolve(result, FIELD, entries) if entries else without(result, FIELD)


def created(obj: Obj, config: Obj, me: Manager, now: int, kind: Kind | None = None) -> Obj:
    """A new object *obj* that *me* makes by applying *config*: who applies nothing owns it."""
    mine = patch.applied({}, config, {}, me, _versions(kind or kind_of(obj), me.subresource))
    assert not isinstance(mine, list), "an object that nobody has cannot be in anybody's way"
    return _with(freeze(obj), mine[1], (), [me], now)


def _versions(kind: Kind, subresource: str) -> patch.Versions:
    """The versions of *kind*, and what a write through *subresource* cannot change."""
    rules = served.of(kind)
    shape = published.shape_of(kind.api_version, kind.kind, kind.structural)
    ignored: tuple[typed.Path, ...] = ()
    if subresource == "status":
        ignored = (("f:spec",), *(("f:metadata", f"f:{key}") for key in rules.status_keeps))
    elif not subresource and "status" in rules.subresources:
        ignored = (("f:status",),)
    if not rules.schemas:
        return patch.Versions(lambda version: shape, ignored=ignored)
    shapes = {one: published.shape_of(one, kind.kind, known) for one, known in rules.schemas.items()}
    return patch.Versions(lambda version: shapes.get(version, shape), _converter(shapes), ignored)


def _converter(shapes: Mapping[str, typed.Shape]) -> Callable[[Any, str], Any]:
    """An object of a kind that is defined here in another version of it; what only another one knows is kept."""

    def convert(obj: Any, version: str) -> Any:
        if version not in shapes:
            return typed.NOTHING
        return {**obj, "apiVersion": version} if obj else obj

    return convert


def _before_first_apply(live: Obj, me: Manager, versions: patch.Versions) -> Managers:
    """Who owns what was there before anybody applied."""
    if not live.get("metadata", {}).get("uid"):
        return {}
    return patch.updated({}, live, {}, Manager(BEFORE, UPDATE, me.version, me.subresource), versions)


# -- kubectl, which applied on its own side before ---------------------------------------------------------------------


def _last_applied(live: Obj, me: Manager, versions: patch.Versions) -> Paths:
    """What kubectl applied last by its annotation, and nobody has changed since: no conflict with it counts."""
    try:
        config = json.loads(get(live, *ANNOTATION) or "")
    except ValueError:
        return frozenset()
    if not isinstance(config, dict) or config.get("apiVersion") != me.version:
        return frozenset()
    shape = versions.shape(me.version)
    changed = typed.compare(config, live, shape)
    return frozenset(typed.owned(config, shape)) - changed.modified - changed.added - changed.removed


def _as_applied(config: Obj) -> str:
    """*config* as kubectl's annotation holds it."""
    plain = thaw(without(config, ANNOTATION))
    return json.dumps(plain, separators=(",", ":"), sort_keys=True, ensure_ascii=False) + "\n"


# -- how they are written down -----------------------------------------------------------------------------------------


def _capped(owners: Managers, times: dict[Manager, str | None]) -> Managers:
    """*owners* with at most ten who wrote: the oldest of a version become one, whose time is put into *times*."""
    writers = sorted((who for who in owners if who.operation == UPDATE), key=lambda who: (times.get(who) or "", who))
    kept, first, left = dict(owners), dict[str, Manager](), len(writers)
    for who in writers:
        if left <= MOST_WRITERS:
            break
        bucket, oldest = Manager(ANCIENT, UPDATE, who.version), first.setdefault(who.version, who)
        if oldest == who:
            continue
        if bucket not in kept:
            kept[bucket] = kept.pop(oldest)
        kept[bucket] |= kept.pop(who)
        times[bucket] = times.get(who)
        left -= 1
    return kept


def _times(entries: Entries) -> dict[Manager, str | None]:
    return {_who(entry): entry.get("time") for entry in entries if entry.get("operation") and entry.get("apiVersion")}


def _with(obj: Obj, owners: Managers, entries: Entries, writers: Iterable[Manager], now: int) -> Obj:
    """*obj* with *owners*. The entries of *writers*, who changed something, are of *now*; all others keep their times.

    A new owner through /scale has none, as upstream hands it over without.
    """
    times = _times(entries)
    times |= {who: timestamp(now) for who in writers if who.subresource != "scale" or who in times}
    owners = _capped(owners, times)
    order = sorted(
        owners, key=lambda who: (who.operation, times.get(who) or "", who.name, who.version, who.subresource)
    )
    shown = [_entry(who, times.get(who), owners[who]) for who in order]
    return evolve(obj, FIELD, shown) if shown else without(obj, FIELD)


def _entry(who: Manager, time: str | None, paths: Paths) -> dict[str, Any]:
    entry: dict[str, Any] = {"manager": who.name, "operation": who.operation, "apiVersion": who.version}
    entry |= {"time": time} if time else {}
    entry |= {"fieldsType": "FieldsV1", "fieldsV1": typed.fields_v1(paths)}
    return entry | ({"subresource": who.subresource} if who.subresource else {})


def settled(old: Obj, new: Obj) -> Obj:
    """*new*, or *old* where only the times of owners differ: that is no change.

    Models k/apiserver pkg/endpoints/handlers/fieldmanager IgnoreManagedFieldsTimestampsTransformer
    """
    timeless = [[{k: v for k, v in entry.items() if k != "time"} for entry in _entries(obj)] for obj in (old, new)]
    return evolve(new, FIELD, _entries(old)) if timeless[0] and timeless[0] == timeless[1] and _same(old, new) else new


def _same(old: Obj, new: Obj) -> bool:
    """Whether all but owners and version is the same."""
    bare = [without(without(obj, FIELD), ("metadata", "resourceVersion")) for obj in (old, new)]
    return bare[0] == bare[1]


# -- conflicts ---------------------------------------------------------------------------------------------------------


def _as_seen(conflicts: Sequence[Conflict], me: Manager) -> list[Conflict]:
    """*conflicts* as *me* sees them: who applies a Scale sees all others in the version of a Scale."""
    if me.subresource != "scale":
        return list(conflicts)
    return [Conflict(replace(conflict.manager, version=SCALE_VERSION), conflict.path) for conflict in conflicts]


def _conflict(conflicts: Sequence[Conflict]) -> ApiError:
    """409, with the fields of each owner that is in the way."""
    by_words: dict[str, list[typed.Path]] = {}
    for conflict in conflicts:
        by_words.setdefault(conflict.manager.words, []).append(conflict.path)
    ordered = {words: typed.in_order(paths) for words, paths in by_words.items()}
    causes = [
        {"reason": "FieldManagerConflict", "message": f"conflict with {words}", "field": typed.shown(path)}
        for words, paths in ordered.items()
        for path in paths
    ]
    told = "".join(_told(words, paths) for words, paths in ordered.items())
    message = f"Apply failed with {len(conflicts)} conflicts: {told.rstrip()}"
    if len(conflicts) == 1:
        message = f"Apply failed with 1 conflict: {causes[0]['message']}: {causes[0]['field']}"
    return ApiError(409, "Conflict", message, freeze({"causes": causes}))


def _told(words: str, paths: Iterable[typed.Path]) -> str:
    return "\n".join([f"conflicts with {words}:", *(f"- {typed.shown(path)}" for path in paths)]) + "\n"
