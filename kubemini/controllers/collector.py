"""The driver of `garbagecollector`: who has lost an owner, or waits for those it owns, goes into the queue.

Kinds that are defined at run time are watched from when they are discovered until they are gone.
Simplified: an object whose owner is of a kind that nobody has defined is looked at again when kinds come or go; the
real one asks again and again, ever more rarely.
"""

from collections.abc import Iterable
from typing import Any

from kubemini.api.kinds import Kind, by_gvk
from kubemini.api.objects import Obj
from kubemini.client import ApiClient, Discovery, Index, Informers, WorkQueue
from kubemini.client.client import code
from kubemini.controllers.decide import garbagecollector
from kubemini.controllers.decide.controller import key_of
from kubemini.controllers.decide.garbagecollector import FOREGROUND, GONE, LEAVING, ORPHAN, THERE
from kubemini.controllers.reconcile import execute_all
from kubemini.sim import Steps


class GarbageCollector:
    """Remembers which UIDs exist, and who depends on them."""

    def __init__(self, client: ApiClient, informers: Informers, discovery: Discovery):
        self.client, self.informers, self.discovery = client, informers, discovery
        self.queue = WorkQueue(client.component, self.collect, client.component.net.params.concurrent_syncs)
        self.known: dict[str, Obj] = {}
        self.kinds: dict[tuple[str, str], Kind] = {}
        self.indexes: dict[Kind, Index] = {}
        self.unmapped: dict[Any, None] = {}  # keys of objects with an owner of a kind that is nowhere defined
        self._begun = False
        self._resync(garbagecollector.kinds(client.component.net.params.all_controllers), ())
        discovery.listeners.append(self._resync)

    def start(self) -> None:
        """The caches are filled: look at all whose owner is not there, and all who wait; then begin."""
        self._begun = True
        for obj in garbagecollector.astray(self.known.values(), self.known):
            self._add(obj)
        for obj in list(self.known.values()):
            self._wake_waiting(None, obj)
        self.queue.start()

    def dependents(self, uid: str) -> list[Obj]:
        """Those that name the owner of that UID."""
        return [obj for index in self.indexes.values() for obj in index.get(uid)]

    def _resync(self, came: Iterable[Kind], went: Iterable[Kind]) -> None:
        """Watch what there is now, and no more than that."""
        for kind in went:
            del self.kinds[kind.api_version, kind.kind], self.indexes[kind]
        for kind in came:
            self.kinds[kind.api_version, kind.kind] = kind
            self.indexes[kind] = Index(self.informers.of(kind), _owner_uids)
        for kind in came:
            self.informers.of(kind).handlers.append(self._changed)
        again, self.unmapped = self.unmapped, {}
        for key in again:
            self.queue.add(key)

    # -- news ----------------------------------------------------------------------------------------------------
    def _changed(self, old: Obj | None, new: Obj | None) -> None:
        if new is None:
            self._gone(old or {})
            return
        self.known[new["metadata"]["uid"]] = new
        if not (self._begun or self.informers.synced):
            return
        if garbagecollector.owners(new) != (garbagecollector.owners(old) if old is not None else []):
            if garbagecollector.astray([new], self.known):
                self._add(new)
        self._wake_waiting(old, new)
        self._wake_owners(old)

    def _gone(self, obj: Obj) -> None:
        """Those it owned may have to follow; who waited for it may go."""
        uid = obj["metadata"]["uid"]
        self.known.pop(uid, None)
        for dependent in self.dependents(uid):
            self._add(dependent)
        self._wake_owners(obj)

    def _wake_waiting(self, old: Obj | None, new: Obj) -> None:
        """It begins to wait: look at it, and at those it owns."""
        for finalizer in (ORPHAN, FOREGROUND):
            if garbagecollector.waits(new, finalizer) and not (old and garbagecollector.waits(old, finalizer)):
                self._add(new)
                for dependent in self.dependents(new["metadata"]["uid"]) if finalizer == FOREGROUND else ():
                    self._add(dependent)

    def _wake_owners(self, obj: Obj | None) -> None:
        """Owners that *obj* held back, until now."""
        for reference in garbagecollector.owners(obj) if obj is not None else ():
            owner = self.known.get(reference["uid"])
            if owner is not None and garbagecollector.waits(owner, FOREGROUND):
                self._add(owner)

    def _add(self, obj: Obj) -> None:
        self.queue.add((obj["apiVersion"], obj["kind"], *key_of(obj)))

    def _kind_of(self, obj: Obj) -> Kind:
        return self.kinds[obj["apiVersion"], obj["kind"]]

    # -- deeds ---------------------------------------------------------------------------------------------------
    def collect(self, key: Any) -> Steps:
        """Ask the API server which owners exist, and act on the answer."""
        api_version, kind, namespace, name = key
        known = self.kinds.get((api_version, kind))
        obj = self.informers.of(known).get(namespace, name) if known is not None else None
        if obj is None:
            return None
        mine = self.dependents(obj["metadata"]["uid"])
        if garbagecollector.waits(obj, ORPHAN):
            return (yield from execute_all(self.client, garbagecollector.orphan(obj, mine).actions, self._kind_of))
        if garbagecollector.waits(obj, FOREGROUND):
            return (yield from execute_all(self.client, garbagecollector.foreground(obj, mine).actions, self._kind_of))
        states: dict[str, str] = {}
        for reference in garbagecollector.owners(obj):
            error = yield from self._ask(reference, namespace, states)
            if error is not None:
                return error
            if reference["uid"] not in states:
                self.unmapped[key] = None  # of a kind that does not exist: nobody can say
                return None
        return (yield from execute_all(self.client, garbagecollector.plan(obj, states, mine).actions, self._kind_of))

    def _ask(self, reference: Obj, namespace: str, states: dict[str, str]) -> Steps:
        """Note in *states* what the API server says of an owner; returns an error if it says nothing."""
        of = reference["apiVersion"], reference["kind"]
        kind = by_gvk(*of) or self.discovery.find(*of)
        if kind is None or (kind.namespaced and not namespace):
            return None
        reply = yield from self.client.get(kind, reference["name"], namespace)
        if not reply.ok and code(reply) != 404:
            return reply.error
        same = reply.ok and reply.value["metadata"]["uid"] == reference["uid"]
        leaving = same and garbagecollector.waits(reply.value, FOREGROUND)
        states[reference["uid"]] = LEAVING if leaving else THERE if same else GONE
        return None


def _owner_uids(obj: Obj) -> list[str]:
    return [reference["uid"] for reference in garbagecollector.owners(obj)]
