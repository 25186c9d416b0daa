"""The driver of `garbagecollector`: who has lost an owner, or waits for those it owns, goes into the queue."""

from typing import Any

from kubemini.api.kinds import KNOWN, by_gvk
from kubemini.api.objects import Obj
from kubemini.client import ApiClient, Index, Informers, WorkQueue
from kubemini.client.client import code
from kubemini.controllers.decide import garbagecollector
from kubemini.controllers.decide.controller import key_of
from kubemini.controllers.decide.garbagecollector import FOREGROUND, GONE, LEAVING, ORPHAN, THERE
from kubemini.controllers.reconcile import execute_all
from kubemini.sim import Steps


class GarbageCollector:
    """Remembers which UIDs exist, and who depends on them."""

    def __init__(self, client: ApiClient, informers: Informers):
        self.client, self.informers = client, informers
        self.queue = WorkQueue(client.component, self.collect, client.component.net.params.concurrent_syncs)
        self.known: dict[str, Obj] = {}
        kinds = garbagecollector.kinds(client.component.net.params.all_controllers)
        self.indexes = [
            Index(informers.of(kind), lambda obj: [ref["uid"] for ref in garbagecollector.owners(obj)])
            for kind in kinds
        ]
        for kind in kinds:
            informers.of(kind).handlers.append(self._changed)

    def start(self) -> None:
        """The caches are filled: look at all whose owner is not there, and all who wait; then begin."""
        for obj in garbagecollector.astray(self.known.values(), self.known):
            self._add(obj)
        for obj in list(self.known.values()):
            self._wake_waiting(None, obj)
        self.queue.start()

    def dependents(self, uid: str) -> list[Obj]:
        """Those that name the owner of that UID."""
        return [obj for index in self.indexes for obj in index.get(uid)]

    # -- news ----------------------------------------------------------------------------------------------------
    def _changed(self, old: Obj | None, new: Obj | None) -> None:
        if new is None:
            self._gone(old or {})
            return
        self.known[new["metadata"]["uid"]] = new
        if not self.informers.synced:
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

    # -- deeds ---------------------------------------------------------------------------------------------------
    def collect(self, key: Any) -> Steps:
        """Ask the API server which owners exist, and act on the answer."""
        api_version, kind, namespace, name = key
        obj = self.informers.of(KNOWN[api_version, kind]).get(namespace, name)
        if obj is None:
            return None
        mine = self.dependents(obj["metadata"]["uid"])
        if garbagecollector.waits(obj, ORPHAN):
            return (yield from execute_all(self.client, garbagecollector.orphan(obj, mine).actions))
        if garbagecollector.waits(obj, FOREGROUND):
            return (yield from execute_all(self.client, garbagecollector.foreground(obj, mine).actions))
        states: dict[str, str] = {}
        for reference in garbagecollector.owners(obj):
            error = yield from self._ask(reference, namespace, states)
            if error is not None:
                return error
            if reference["uid"] not in states:
                return None  # of a kind that does not exist: nobody can say
        return (yield from execute_all(self.client, garbagecollector.plan(obj, states, mine).actions))

    def _ask(self, reference: Obj, namespace: str, states: dict[str, str]) -> Steps:
        """Note in *states* what the API server says of an owner; returns an error if it says nothing."""
        kind = by_gvk(reference["apiVersion"], reference["kind"])
        if kind is None or (kind.namespaced and not namespace):
            return None
        reply = yield from self.client.get(kind, reference["name"], namespace)
        if not reply.ok and code(reply) != 404:
            return reply.error
        same = reply.ok and reply.value["metadata"]["uid"] == reference["uid"]
        leaving = same and garbagecollector.waits(reply.value, FOREGROUND)
        states[reference["uid"]] = LEAVING if leaving else THERE if same else GONE
        return None
