"""Server-side apply: who owns which field, and what becomes of an object when somebody applies, or just writes.

    applied(live, config, managers, me, shape, force)   the new object and owners, or the conflicts
    updated(live, new, managers, me, shape)             the owners after a plain write

Theory of operation. A manager owns the fields of the configuration that it applied last, or that it wrote. Who applies
says everything that he wants: what he leaves out now and owned before goes, unless another owns it too. A field with
another value than its owner gave it is a conflict; with *force* it changes hands. A plain write never asks: it takes
what it changes. Two who agree on a value own it together.
Invariant: a field that nobody takes away stays; an owner owns only fields that are there.
Models sigs.k8s.io/structured-merge-diff merge Updater.Apply Updater.Update prune, k/apimachinery
pkg/util/managedfields/internal structuredMergeManager buildManagerInfo.
Simplified: ownership is kept from the first write on that names its fieldManager; what was there before belongs to
``before-first-apply``; one version a kind.
"""

from collections.abc import Mapping
from dataclasses import dataclass
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
        return f'conflict with "{self.name}"{through}{using}'


@dataclass(frozen=True, slots=True)
class Conflict:
    """A field that another owns, with another value."""

    manager: Manager
    path: Path


Managers = Mapping[Manager, Paths]


def applied(
    live: Any, config: Any, managers: Managers, me: Manager, shape: Shape, force: bool = False
) -> "tuple[Any, Managers] | list[Conflict]":
    """*live* and its owners after *me* has applied *config*, or what is in the way."""
    said = frozenset(typed.owned(config, shape))
    new = typed.merge(live, config, shape)
    new = _pruned(new, {**managers, me: said}, managers.get(me, frozenset()), shape)
    owners = {**managers, me: _without_stripped(said)}
    changed = typed.compare(live, new, shape)
    touched = changed.added | changed.modified
    conflicts = [
        Conflict(manager, path)
        for manager, paths in sorted(owners.items())
        if manager != me
        for path in sorted(paths & touched)
    ]
    if conflicts and not force:
        return conflicts
    lost = {conflict.path for conflict in conflicts}
    kept = {manager: (paths if manager == me else paths - lost) - changed.removed for manager, paths in owners.items()}
    return new, {manager: paths for manager, paths in kept.items() if paths}


def _pruned(merged: Any, owners: Managers, last: Paths, shape: Shape) -> Any:
    """*merged* without what was applied in *last*, but for what somebody owns now, or nobody ever applied."""
    if not last:
        return merged
    before = typed.with_named(last, shape)
    there = _left(merged, shape)
    held = typed.with_named([path for paths in owners.values() for path in paths], shape)
    left = _left(typed.without(merged, shape, before), shape) | held
    left = _left(typed.without(merged, shape, there - left), shape)
    return typed.without(merged, shape, (there - left) & before)


def _left(value: Any, shape: Shape) -> Paths:
    return typed.with_named(frozenset(typed.owned(value, shape)), shape)


def updated(live: Any, new: Any, managers: Managers, me: Manager, shape: Shape) -> Managers:
    """The owners after *me* has written *new* in the place of *live*."""
    changed = typed.compare(live, new, shape)
    taken = _without_stripped(changed.added | changed.modified)
    owners = {
        manager: (paths - changed.removed) - (frozenset() if manager == me else changed.modified)
        for manager, paths in managers.items()
    }
    owners[me] = owners.get(me, frozenset()) | taken
    return {manager: paths for manager, paths in owners.items() if paths}


def _without_stripped(paths: Any) -> Paths:
    """Paths that are anybody's to own: what names an object is nobody's."""
    return frozenset(path for path in paths if path and path not in STRIPPED)
