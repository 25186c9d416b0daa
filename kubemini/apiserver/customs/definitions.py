"""The kinds that are defined at this server, and what it does for their definitions: names, service, the end.

Theory of operation. The server hears of definitions as of all else, through the watch cache of their kind. Whenever
there is news it makes the kinds anew that have changed (`CustomKind`, a value), and looks after each definition: it
settles the names, says that the resource is served, and takes the objects away when somebody deletes it. Each of these
is one write of the status, which is news again, until nothing is left to say. Several servers do this side by side:
a write is decided on what is stored, so the second finds nothing to do.
Invariant: as long as no definition was ever written, none of this runs and nothing is watched.
Models k/apiextensions-apiserver pkg/apiserver crdHandler; pkg/controller/status NamingConditionController;
pkg/controller/establish EstablishingController; pkg/controller/finalizer CRDFinalizer sync deleteInstances.
"""

from collections.abc import Callable, Mapping
from typing import Any

from kubemini.api.errors import ApiError
from kubemini.api.kinds import KNOWN, CustomKind, Kind, by_resource
from kubemini.api.objects import Obj, get
from kubemini.api.patch.apply import UPDATE, Manager
from kubemini.api.timestamps import instant
from kubemini.apiserver.caching import WatchCache
from kubemini.apiserver.decide import deletion, ownership
from kubemini.apiserver.decide.customs import living
from kubemini.apiserver.decide.customs.conversion import Ask, Unconverted, unreached
from kubemini.apiserver.decide.deletion import Remove
from kubemini.apiserver.decide.openapi.schemas import Described
from kubemini.apiserver.decide.options import Options
from kubemini.apiserver.decide.policies.webhooks import Hook
from kubemini.apiserver.rules.customs import naming
from kubemini.apiserver.storage import Storage, revision_of
from kubemini.host import Component
from kubemini.sim import Steps
from kubemini.sim.units import SECOND

DEFINITION = KNOWN["apiextensions.k8s.io/v1", "CustomResourceDefinition"]
ME = Manager("kube-apiserver", UPDATE, DEFINITION.api_version, "status")
AGAIN = SECOND  # after a write that failed
CONVERSION_SECONDS = 30  # so long a webhook may take
LOOK = 5 * SECOND  # whether the last object is gone
NEW = 2 * SECOND  # so long other servers may not have heard of a resource
Change = Callable[[Obj], Obj]


class Definitions:
    """What one server knows of definitions."""

    def __init__(
        self,
        component: Component,
        storage: Storage,
        cache: Callable[[Kind], WatchCache],
        forget: Callable[[Kind], None],
        programs: Mapping[str, Callable[[dict[str, Any]], Any]],
    ):
        self._programs = programs
        self._component, self._storage, self._cache, self._forget = component, storage, cache, forget
        self._made: dict[str, tuple[Obj, list[CustomKind]]] = {}  # name → the definition, and the kinds made of it
        self._kinds: dict[tuple[str, str, str], CustomKind] = {}
        self._at_work = False
        self._ending: set[str] = set()
        self.lines: tuple[tuple[str, ...], ...] = ()
        self.described: tuple[Described, ...] = ()

    def ready(self) -> Steps:
        """Until the server knows what is defined; at once where nothing ever was."""
        if DEFINITION.kind in self._component.sim.ever:
            yield from self._cache(DEFINITION).wait()

    def find(self, group: str, version: str, plural: str) -> CustomKind | None:
        """The kind that is defined there."""
        return self._kinds.get((group, version, plural))

    def kinds(self) -> list[CustomKind]:
        """All kinds that are defined, one a version, by their place."""
        return [self._kinds[at] for at in sorted(self._kinds)]

    def wait_if_new(self, kind: Kind) -> Steps:
        """Nothing is made of a kind that other servers may not have heard of yet."""
        crd = self._cache(DEFINITION).get("", f"{kind.plural}.{kind.group}")
        since = get(naming.condition(crd, naming.ESTABLISHED) or {}, "lastTransitionTime") if crd else None
        if since is not None and self._component.sim.wall - instant(since) < NEW:
            yield self._component.timeout(NEW)

    # -- news ----------------------------------------------------------------------------------------------------------
    def heard(self) -> None:
        """There is news of definitions."""
        crds = self._cache(DEFINITION).items()
        before, self._made = self._made, {}
        for crd in crds:
            name = crd["metadata"]["name"]
            old = before.get(name)
            if old is not None and old[0] is crd:
                self._made[name] = old
                continue
            if old is not None and _essence(old[0]) != _essence(crd):
                self._drop(old[1])
            self._made[name] = (crd, living.kinds_of(crd, self._webhook(crd)))
        for name, (_, kinds) in before.items():
            if name not in self._made:
                self._drop(kinds)
        found = [kind for _, kinds in self._made.values() for kind in kinds]
        own = [kind for kind in found if by_resource(kind.group, kind.version, kind.plural) is None]
        self._kinds = {(kind.group, kind.version, kind.plural): kind for kind in own}
        lines = tuple(line for line in living.lines_of(crds) if self._is_own(line))
        self.lines, told = lines, self.lines
        if lines != told:
            self._component.net.changed()  # there is something else to discover
        self.described = tuple(living.described(kind) for kind in self.kinds())
        self._look_after(crds)

    def _webhook(self, crd: Obj) -> Ask | None:
        """What turns a version into another; None: nothing but its name changes."""
        if get(crd, "spec", "conversion", "strategy") != "Webhook":
            return None
        client = get(crd, "spec", "conversion", "webhook", "clientConfig") or {}
        hook = Hook({"name": crd["metadata"]["name"], "clientConfig": client, "timeoutSeconds": CONVERSION_SECONDS})

        def ask(review: dict[str, Any]) -> Any:
            program = self._programs.get(hook.place)
            if program is None:
                service = get(client, "service", "name")
                why = f'service "{service}" not found' if service else unreached(str(client.get("url")))
                raise Unconverted(f'Post "{hook.url}": {why}')
            try:
                return program(review)
            except Exception as problem:  # a program of the reader's own: what it raises is its answer
                raise Unconverted(f'Post "{hook.url}": {type(problem).__name__}: {problem}') from problem

        return ask

    def _drop(self, kinds: list[CustomKind]) -> None:
        for kind in kinds:
            self._forget(kind)

    def _is_own(self, line: tuple[str, ...]) -> bool:
        group, _, version = line[0].rpartition("/")
        return (group, version, line[1]) in self._kinds

    def _look_after(self, crds: list[Obj]) -> None:
        if not self._at_work and self._next() is not None:
            self._at_work = True
            self._component.spawn(self._settle())
        for crd in crds:
            name = crd["metadata"]["name"]
            if naming.is_ending(crd) and name not in self._ending:
                self._ending.add(name)
                self._component.spawn(self._end(name))

    # -- names, and service --------------------------------------------------------------------------------------------
    def _next(self) -> str | None:
        """The first definition of whose names or service something is to be said."""
        crds = self._cache(DEFINITION).items()
        return next((crd["metadata"]["name"] for crd in crds if self._settled(crd) is not crd), None)

    def _settled(self, crd: Obj) -> Obj:
        now, others = self._component.sim.wall, self._cache(DEFINITION).items()
        named = naming.named(crd, others, now)
        return named if named is not crd else naming.established(crd, now)

    def _settle(self) -> Steps:
        """One write after the other, each when the one before has been heard of."""
        while (name := self._next()) is not None:
            done = yield from self._write(name, self._settled)
            if isinstance(done, ApiError):
                yield self._component.timeout(AGAIN)
            else:
                yield from self._cache(DEFINITION).reach(revision_of(done.new))
        self._at_work = False

    def _write(self, name: str, change: Change) -> Steps:
        """The status of a definition, changed: Written, or an ApiError; one that is free to go is removed."""

        def decide(crd: Obj) -> "Obj | Remove":
            new = change(crd)
            if new is crd:
                return crd
            kept = bool(ownership.managers_of(get(crd, *ownership.FIELD)))
            new = ownership.after_write(crd, new, ME, kept, self._component.sim.wall)
            return Remove(new) if deletion.finished(new) else new

        return (yield from self._storage.update(DEFINITION, "", name, decide))

    # -- the end -------------------------------------------------------------------------------------------------------
    def _end(self, name: str) -> Steps:
        """The objects go, then the definition; until then it is looked again and again."""
        clock = self._component.sim
        yield from self._write(name, lambda crd: naming.ending(crd, clock.wall) if naming.is_ending(crd) else crd)
        while (left := (yield from self._left(name))) is not None:
            if not left:
                done = yield from self._write(name, lambda crd: _emptied(crd, clock.wall))
                if not isinstance(done, ApiError):
                    break
            yield self._component.timeout(LOOK)
        self._ending.discard(name)

    def _left(self, name: str) -> Steps:
        """How many objects there still are, after all have been asked to go; None: the definition is gone."""
        crd = yield from self._storage.get(DEFINITION, "", name)
        if isinstance(crd, ApiError):
            return None if crd.code == 404 else 1
        kinds = living.kinds_of(crd, self._webhook(crd))
        if not kinds:
            return 0
        kind, left = kinds[0], 0
        found = yield from self._storage.list(kind)
        if isinstance(found, ApiError):
            return 1
        for obj in found[0].values():
            meta = obj["metadata"]
            done = yield from self._storage.update(
                kind, meta.get("namespace", ""), meta["name"], lambda obj: self._asked_to_go(obj, kind)
            )
            left += not isinstance(done, ApiError) and not done.removed
        return left

    def _asked_to_go(self, obj: Obj, kind: Kind) -> "Obj | Remove | ApiError":
        return deletion.delete(obj, Options(), self._component.sim.wall, kind)


def _essence(crd: Obj) -> Any:
    """What its kinds cannot change without being others."""
    return crd["spec"], get(crd, "status", "acceptedNames"), crd["metadata"]["uid"]


def _emptied(crd: Obj, now: int) -> Obj:
    return naming.emptied(crd, now) if naming.is_ending(crd) else crd
