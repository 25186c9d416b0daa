"""The driver of `garbagecollector`: a deleted owner sends its dependents into the queue."""

from typing import Any

from kubemini.api.kinds import BY_KIND, by_gvk
from kubemini.api.objects import Obj
from kubemini.client import ApiClient, Index, Informers, WorkQueue
from kubemini.client.client import code
from kubemini.controllers.decide import garbagecollector
from kubemini.controllers.decide.controller import key_of
from kubemini.controllers.reconcile import carry_out_all
from kubemini.sim import Steps


class GarbageCollector:
    """Remembers which UIDs exist, and who depends on them."""

    def __init__(self, client: ApiClient, informers: Informers):
        self.client, self.informers = client, informers
        self.queue = WorkQueue(client.component, self.collect, client.component.net.params.concurrent_syncs)
        self.known: dict[str, Obj] = {}
        self.dependents = {
            kind.kind: Index(informers.of(kind), lambda obj: [ref["uid"] for ref in garbagecollector.owners(obj)])
            for kind in garbagecollector.KINDS
        }
        for kind in garbagecollector.KINDS:
            informers.of(kind).handlers.append(self._changed)

    def start(self) -> None:
        """The caches are filled: look at all whose owner is not there, then begin."""
        for obj in garbagecollector.orphans(self.known.values(), self.known):
            self._add(obj)
        self.queue.start()

    def _changed(self, old: Obj | None, new: Obj | None) -> None:
        obj: Any = new or old
        uid = obj["metadata"]["uid"]
        if new is not None:
            self.known[uid] = new
            if old is None and self.informers.synced and garbagecollector.orphans([new], self.known):
                self._add(new)
            return
        self.known.pop(uid, None)
        for index in self.dependents.values():
            for dependent in index.get(uid):
                self._add(dependent)

    def _add(self, obj: Obj) -> None:
        self.queue.add((obj["kind"], *key_of(obj)))

    def collect(self, key: Any) -> Steps:
        """Ask the API server which owners exist, and act on the answer."""
        kind, namespace, name = key
        obj = self.informers.of(BY_KIND[kind]).get(namespace, name)
        if obj is None:
            return None
        alive = {}
        for reference in garbagecollector.owners(obj):
            owner_kind = by_gvk(reference["apiVersion"], reference["kind"])
            if owner_kind is None:
                return None
            reply = yield from self.client.get(owner_kind, reference["name"], namespace)
            if not reply.ok and code(reply) != 404:
                return reply.error
            alive[reference["uid"]] = reply.ok and reply.value["metadata"]["uid"] == reference["uid"]
        return (yield from carry_out_all(self.client, garbagecollector.plan(obj, alive).actions))
