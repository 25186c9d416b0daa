"""Server-side apply: who owns which field, and what becomes of an object when somebody applies, or just writes.

    applied(live, config, managers, me, versions, force)   the new object and owners, or the conflicts
    updated(live, new, managers, me, versions)             the owners after a plain write

Theory of operation. A manager owns the fields of the configuration that it applied last, or that it wrote. Who applies
says everything that he wants: what he leaves out now and owned before goes, unless another owns it too. A field with
another value than its owner gave it is a conflict; with *force* it changes hands. A plain write never asks: it takes
what it changes. Two who agree on a value own it together. Each owner's fields are those of the version in which it
wrote: what others do is judged there, in that version's own names.
Invariant: a field that nobody takes away stays; an owner owns only fields that are there.
Models sigs.k8s.io/structured-merge-diff merge Updater.Apply Updater.Update prune, k/apimachinery
pkg/util/managedfields/internal structuredMergeManager buildManagerInfo.
Simplified: ownership is kept from the first write on that names its fieldManager; what was there before belongs to
``before-first-apply``; a schema that changes between atomic and granular is not reconciled.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from kubemini.api.patch import typed
from kubemini.api.patch.typed import Path, Shape

APPLY, UPDATE = "Apply", "Update"
BEFORE = "before-first-apply"
_NAMING = "name namespace creationTimestamp selfLink uid generation managedFields resourceVersion"
STRIPPED: tuple[Path, ...] = (
    ("f:apiVersion",),
    ("f:kind",),
    ("f:metadata",),
    *(("f:metadata", f"f:{name}") for name in _NAMING.split()),
)
Paths = frozenset[Path]


@dataclass(frozen=True, slots=True, order=True)
class Manager:
    """Who: the name, how it wrote, in which version, through which sub-resource."""

    name: str
    operation: str
    version: str = ""
    subresource: str = ""

    @property
    def words(self) -> str:
        """As a conflict names it."""
        through = f' with subresource "{self.subresource}"' if self.subresource else ""
        using = f" using {self.version}" if self.operation == UPDATE else ""
        return f'"{self.name}"{through}{using}'


@dataclass(frozen=True, slots=True)
class Conflict:
    """A field that another owns, with another value."""

    manager: Manager
    path: Path


Managers = Mapping[Manager, Paths]


@dataclass(frozen=True, slots=True)
class Versions:
    """The versions of a kind: the shape of an object in each, and how it is turned from one into another.

    ``convert(obj, version)`` gives `typed.NOTHING` for a version that is no more; its owners are forgotten.
    ``ignored`` fields, with all below them, are nobody's: the write cannot change them.
    """

    shape: Callable[[str], Shape]
    convert: Callable[[Any, str], Any] = lambda obj, version: obj
    ignored: tuple[Path, ...] = ()

    def heeded(self, paths: Iterable[Path]) -> Paths:
        """Those of *paths* that are not ignored, nor below what is."""
        return frozenset(path for path in paths if not any(path[: len(cut)] == cut for cut in self.ignored))

    def compared(self, old: Any, new: Any, version: str) -> typed.Comparison:
        """What differs, as far as it counts."""
        found = typed.compare(old, new, self.shape(version))
        if not self.ignored:
            return found
        return typed.Comparison(*map(self.heeded, (found.added, found.modified, found.removed)))


def one_version(shape: Shape) -> Versions:
    """A kind with one version only."""
    return Versions(lambda version: shape)


def applied(
    live: Any, config: Any, managers: Managers, me: Manager, versions: Versions, force: bool = False
) -> "tuple[Any, Managers] | list[Conflict]":
    """*live* and its owners after *me* has applied *config*, or what is in the way. All three in my version."""
    new, owners = _merged(live, config, managers, me, versions)
    kept = _after(live, new, owners, me, versions, force)
    if isinstance(kept, list):
        return kept
    kept = {**kept, me: _without_stripped(owners[me])}
    return new, {manager: paths for manager, paths in kept.items() if paths}


def merged(live: Any, config: Any, managers: Managers, me: Manager, versions: Versions) -> Any:
    """*live* after *me* has applied *config*, whoever else owns what."""
    return _merged(live, config, managers, me, versions)[0]


def _merged(live: Any, config: Any, managers: Managers, me: Manager, versions: Versions) -> tuple[Any, Managers]:
    """The object, and its owners as they would be if nobody lost anything."""
    shape = versions.shape(me.version)
    said = versions.heeded(typed.owned(config, shape))
    new = typed.merge(live, config, shape)
    last = next((manager for manager in managers if _is_same(manager, me)), None)
    owners = {manager: paths for manager, paths in managers.items() if manager != last} | {me: said}
    if last is not None and managers[last]:
        new = _pruned(new, owners, me, last.version, managers[last], versions)
    return new, owners


def _is_same(manager: Manager, me: Manager) -> bool:
    """Whether *manager* is *me*: who applies stays the same in whatever version."""
    return replace(manager, version=me.version) == me if me.operation == APPLY else manager == me


def _after(
    live: Any, new: Any, owners: Managers, me: Manager, versions: Versions, force: bool
) -> "Managers | list[Conflict]":
    """What is left to everybody when *new* takes the place of *live*, or what is in the way of *me*."""
    changes: dict[str, Any] = {}
    kept: dict[Manager, Paths] = {}
    conflicts = []
    for manager, paths in sorted(owners.items()):
        if manager == me:
            kept[manager] = paths
            continue
        if manager.version not in changes:
            changes[manager.version] = _changes(live, new, manager.version, me.version, versions)
        changed = changes[manager.version]
        if changed is not None:
            lost = paths & (changed.modified | changed.added)
            conflicts += [Conflict(manager, path) for path in sorted(lost)]
            kept[manager] = paths - lost - changed.removed
    return conflicts if conflicts and not force else kept


def _changes(live: Any, new: Any, version: str, mine: str, versions: Versions) -> typed.Comparison | None:
    """What changes, as *version* sees it; None if there is no such version."""
    if version != mine:
        live, new = versions.convert(live, version), versions.convert(new, version)
        if live is typed.NOTHING or new is typed.NOTHING:
            return None
    return versions.compared(live, new, version)


def _pruned(merged: Any, owners: Managers, me: Manager, version: str, last: Paths, versions: Versions) -> Any:
    """*merged* without what was applied *last*, in *version*, but for what somebody owns now or nobody ever applied."""
    there = merged if version == me.version else versions.convert(merged, version)
    if there is typed.NOTHING:
        return merged
    shape = versions.shape(version)
    before = typed.with_named(last, shape)
    pruned, at = typed.without(there, shape, before), version
    held: dict[str, set[Path]] = {}
    for manager, paths in sorted(owners.items()):
        held.setdefault(manager.version, set()).update(paths)
    whole = there
    for other in sorted(held, key=lambda one: (one != version, one)):
        whole, pruned, at = _given_back(whole, pruned, at, other, held[other], versions)
    left = _left(pruned if at == version else versions.convert(pruned, version), shape)
    done = typed.without(there, shape, (_left(there, shape) - left) & before)
    return done if version == me.version else versions.convert(done, me.version)


def _given_back(whole: Any, pruned: Any, at: str, to: str, paths: Iterable[Path], versions: Versions) -> Any:
    """*pruned* with what is owned by *paths* of the version *to*, and both in it."""
    if at != to:
        turned = versions.convert(whole, to), versions.convert(pruned, to)
        if any(one is typed.NOTHING for one in turned):
            return whole, pruned, at
        whole, pruned = turned
    shape = versions.shape(to)
    kept = _left(pruned, shape) | typed.with_named(paths, shape)
    return whole, typed.without(whole, shape, _left(whole, shape) - kept), to


def _left(value: Any, shape: Shape) -> Paths:
    return typed.with_named(frozenset(typed.owned(value, shape)), shape)


def updated(live: Any, new: Any, managers: Managers, me: Manager, versions: Versions) -> Managers:
    """The owners after *me* has written *new* in the place of *live*."""
    kept = _after(live, new, managers, me, versions, force=True)
    assert not isinstance(kept, list), "a plain write asks nobody"
    changed = versions.compared(live, new, me.version)
    mine = (managers.get(me, frozenset()) - changed.removed) | changed.modified | changed.added
    owners = {**kept, me: _without_stripped(mine)}
    return {manager: paths for manager, paths in owners.items() if paths}


def touched(live: Any, new: Any, me: Manager, versions: Versions) -> bool:
    """Whether *me* has set anything by writing *new* in the place of *live*."""
    changed = versions.compared(live, new, me.version)
    return bool(_without_stripped(changed.added | changed.modified))


def _without_stripped(paths: Iterable[Path]) -> Paths:
    """Paths that are anybody's to own: what names an object is nobody's."""
    return frozenset(path for path in paths if path and path not in STRIPPED)
