"""What else the scheduler can look up: services, owners, volumes and their claims, budgets, namespaces. Pure.

By kind, then by (namespace, name), as an informer holds them; a kind that nobody watches has no objects. A claim or
volume that the scheduler has *assumed* (given away in thought, while the write travels) stands in for the one that was
seen, until that one has changed.
Models k/k pkg/scheduler/framework/plugins/volumebinding passiveAssumeCache
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from kubemini.api.objects import EMPTY, Obj

Found = Mapping[tuple[str, str], Obj]


@dataclass(slots=True)
class Listers:
    """*of*: all objects of the kind with this name."""

    of: Callable[[str], Found] = lambda kind: EMPTY
    assumed: dict[tuple[str, str, str], tuple[str, Obj]] = field(default_factory=dict)

    def get(self, kind: str, namespace: str, name: str) -> Obj | None:
        """One object, or None."""
        found = self.seen(kind, namespace, name)
        return self._or_assumed(kind, found) if found is not None and self.assumed else found

    def seen(self, kind: str, namespace: str, name: str) -> Obj | None:
        """The object as the watch has shown it."""
        found: Obj | None = self.of(kind).get((namespace, name))
        return found

    def all(self, kind: str, namespace: str | None = None) -> Iterable[Obj]:
        """All objects of a kind, of one namespace if named, in the order in which they were heard of."""
        for (space, _), obj in self.of(kind).items():
            if namespace is None or space == namespace:
                yield self._or_assumed(kind, obj) if self.assumed else obj

    def assume(self, obj: Obj) -> None:
        """Take *obj*, a changed copy of one that was seen, for true from now on."""
        meta = obj["metadata"]
        self.assumed[obj["kind"], meta.get("namespace", ""), meta["name"]] = (_version(obj), obj)

    def restore(self, obj: Obj) -> None:
        """Assume it no more."""
        meta = obj["metadata"]
        self.assumed.pop((obj["kind"], meta.get("namespace", ""), meta["name"]), None)

    def _or_assumed(self, kind: str, found: Obj) -> Obj:
        meta = found["metadata"]
        key = (kind, meta.get("namespace", ""), meta["name"])
        version, obj = self.assumed.get(key, ("", None))
        if obj is None:
            return found
        if version != _version(found):
            del self.assumed[key]
            return found
        return obj

    def namespaces(self) -> Mapping[str, Mapping[str, str]]:
        """The labels of all namespaces."""
        found = self.of("Namespace").values()
        return {one["metadata"]["name"]: one["metadata"].get("labels") or EMPTY for one in found}


def _version(obj: Obj) -> str:
    version: str = obj["metadata"].get("resourceVersion", "")
    return version
