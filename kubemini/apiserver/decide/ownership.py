"""metadata.managedFields: who owns which field of an object, after a plain write and after an apply. Pure.

    after_write(old, new, me, now)      *new* with the owners that the write leaves
    apply(old, config, me, force, now)  *old* after *me* has applied *config*, or the conflict (409)

Models k/apimachinery pkg/util/managedfields/internal buildManagerInfoManager lastAppliedUpdater skipNonAppliedManager,
NewConflictError; k/apiserver pkg/endpoints/handlers applyPatcher.
Simplified: owners are kept from the first write on that names its fieldManager, or applies; what was there before an
apply belongs to ``before-first-apply``. An apply leaves kubectl's annotation of client-side apply as it is.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from kubemini.api.errors import ApiError
from kubemini.api.kinds import kind_of
from kubemini.api.objects import Obj, evolve, freeze, get, without
from kubemini.api.patch import apply as patch
from kubemini.api.patch import published, typed
from kubemini.api.patch.apply import BEFORE, UPDATE, Conflict, Manager, Managers, Paths
from kubemini.api.timestamps import timestamp

FIELD = ("metadata", "managedFields")
CLEARED: tuple[list[Any], ...] = ([], [{}])  # what a writer sends who wants nobody to own anything


def manager(name: str, operation: str, obj: Obj, subresource: str = "") -> Manager:
    """Who writes *obj*."""
    return Manager(name, operation, kind_of(obj).api_version, subresource)


def managers_of(obj: Obj | None) -> dict[Manager, Paths]:
    """The owners that *obj* names; an entry that cannot be read is nobody's."""
    found = {}
    for entry in (obj or {}).get("metadata", {}).get("managedFields") or ():
        if entry.get("operation") in (patch.APPLY, UPDATE):
            who = Manager(
                entry.get("manager", ""),
                entry["operation"],
                entry.get("apiVersion", ""),
                entry.get("subresource", ""),
            )
            found[who] = frozenset(typed.from_fields_v1(entry.get("fieldsV1") or {}))
    return found


def after_write(old: Obj | None, new: Obj, me: Manager, named: bool, now: int) -> Obj:
    """*new* with its owners after *me* wrote it in the place of *old*; kept once somebody has *named* himself."""
    cleared = new["metadata"].get("managedFields") in CLEARED
    before = managers_of(old)
    if cleared or not (named or before):
        return without(new, FIELD)
    bare = without(new, FIELD)
    live = without(old, FIELD) if old is not None else {}
    owners = patch.updated(live, bare, before, me, _versions(new))
    took = owners.get(me) != before.get(me)
    return _with(bare, owners, old, me if took else None, now)


def after_create(new: Obj, me: Manager, named: bool, now: int) -> Obj:
    """A new object with its owner, if he has *named* himself; one that was applied has its owners already."""
    if get(new, "metadata", "managedFields"):
        return new
    return taken_from(after_write(None, without(new, ("status",)), me, named, now), new)


def apply(old: Obj, config: Obj, me: Manager, force: bool, now: int) -> "Obj | ApiError":
    """*old* as it is after *me* has applied *config*; not yet decoded, defaulted or validated."""
    live, versions = without(old, FIELD), _versions(old)
    before = managers_of(old) or _before_first_apply(live, me)
    done = patch.applied(live, config, before, me, versions, force)
    if isinstance(done, list):
        return _conflict(done)
    new, owners = done
    return _with(freeze(new), owners, old, me if new != live else None, now)


def taken_from(applied: Obj, result: Obj) -> Obj:
    """*result* with the owners that *applied* has."""
    entries = get(applied, *FIELD)
    return evolve(result, FIELD, entries) if entries else without(result, FIELD)


def created(config: Obj, me: Manager, now: int) -> Obj:
    """A new object that *me* makes by applying *config*."""
    mine = patch.applied({}, config, {}, me, _versions(config))
    assert not isinstance(mine, list), "an object that nobody has cannot be in anybody's way"
    return _with(freeze(config), mine[1], None, me, now)


def _versions(obj: Obj) -> patch.Versions:
    kind = kind_of(obj)
    return patch.one_version(published.shape_of(kind.api_version, kind.kind))


def _before_first_apply(live: Obj, me: Manager) -> Managers:
    """Who owns what was there before anybody applied."""
    if not live.get("metadata", {}).get("uid"):
        return {}
    spoken = without(live, ("status",))
    return patch.updated({}, spoken, {}, Manager(BEFORE, UPDATE, me.version), _versions(live))


def _with(obj: Obj, owners: Managers, old: Obj | None, me: Manager | None, now: int) -> Obj:
    """*obj* with *owners*. The entry of *me*, who changed something, is of *now*; all others keep their times."""
    times = {_who(entry): entry.get("time") for entry in get(old, *FIELD) or ()}
    entries = []
    for who in sorted(owners, key=lambda who: (who.operation, who.name, who.version, who.subresource)):
        known = times.get((who.name, who.operation, who.version, who.subresource))
        entries.append(_entry(who, timestamp(now) if who == me else known, owners[who]))
    return evolve(obj, FIELD, entries) if entries else without(obj, FIELD)


def _who(entry: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(entry.get(key, "") for key in ("manager", "operation", "apiVersion", "subresource"))


def _entry(who: Manager, time: str | None, paths: Paths) -> dict[str, Any]:
    entry: dict[str, Any] = {"manager": who.name, "operation": who.operation, "apiVersion": who.version}
    entry |= {"time": time} if time else {}
    entry |= {"fieldsType": "FieldsV1", "fieldsV1": typed.fields_v1(paths)}
    return entry | ({"subresource": who.subresource} if who.subresource else {})


def _conflict(conflicts: Sequence[Conflict]) -> ApiError:
    """409, with the fields of each owner that is in the way."""
    by_words: dict[str, list[str]] = {}
    for conflict in conflicts:
        by_words.setdefault(conflict.manager.words, []).append(typed.shown(conflict.path))
    lines = [_told(words, fields) for words, fields in by_words.items()]
    count = len(conflicts)
    message = f"Apply failed with {count} conflict{'s' if count > 1 else ''}: " + "\n".join(lines)
    causes = [
        {"reason": "FieldManagerConflict", "message": conflict.manager.words, "field": typed.shown(conflict.path)}
        for conflict in conflicts
    ]
    return ApiError(409, "Conflict", message, freeze({"causes": causes}))


def _told(words: str, fields: list[str]) -> str:
    if len(fields) == 1:
        return f"{words}: {fields[0]}"
    several = words.replace("conflict with", "conflicts with")
    return f"{several}:\n" + "\n".join(f"- {field}" for field in fields)
