"""The driver of `decide.namespace`: a deleted namespace is emptied, looked at again, and let go."""

from typing import Any

from kubemini.api.kinds import NAMESPACE, POD, Kind, object_path
from kubemini.api.objects import Obj
from kubemini.client import ApiClient, Informers, WorkQueue
from kubemini.client.client import code
from kubemini.controllers.decide import namespace as decide
from kubemini.controllers.decide.actions import Delete, terminating
from kubemini.controllers.reconcile import execute_all
from kubemini.sim import Steps


class NamespaceController:
    """It asks the API server itself what is there: no cache would be new enough."""

    def __init__(self, client: ApiClient, informers: Informers):
        self.client, self.component = client, client.component
        self.every = client.component.net.params.all_controllers
        self.queue = WorkQueue(self.component, self.sync, self.component.net.params.concurrent_syncs)
        informers.of(NAMESPACE).handlers.append(self._changed)

    def start(self) -> None:
        """The caches are filled: begin."""
        self.queue.start()

    def _changed(self, old: Obj | None, new: Obj | None) -> None:
        if new is not None and terminating(new):
            self.queue.add_after(new["metadata"]["name"], decide.FIRST_LOOK)

    def sync(self, name: Any) -> Steps:
        """One look: delete what is there, say what is left, and if nothing is, let the namespace go."""
        reply = yield from self.client.get(NAMESPACE, name)
        if not reply.ok:
            return None if code(reply) == 404 else reply.error
        if decide.is_done(reply.value):
            return None
        left: dict[Kind, list[Obj]] = {}
        error = yield from self._empty(name, left)
        if error is not None:
            return error
        namespace: Obj = reply.value
        wanted = decide.with_conditions(namespace, left, self.component.sim.now)
        if wanted is not namespace:
            reply = yield from self.client.update_status(wanted)
            if not reply.ok:
                return reply.error
            namespace = reply.value
        if any(left.values()):
            self.queue.add_after(name, decide.look_again_in(left))
            return None
        done = decide.finalized(namespace)
        reply = yield from self.client.request("PUT", object_path(done, "finalize"), done)
        return None if reply.ok or code(reply) == 404 else reply.error

    def _empty(self, namespace: str, left: dict[Kind, list[Obj]]) -> Steps:
        """Delete everything, pods first, and note in *left* what is still there; returns an error, or None."""
        for kind in (POD, *(kind for kind in decide.content(self.every) if kind != POD)):
            reply = yield from self.client.list(kind, namespace)
            if not reply.ok:
                return reply.error
            found = reply.value["items"]
            error = yield from execute_all(self.client, [Delete(obj) for obj in found if not terminating(obj)])
            if error is not None:
                return error
            if found:
                reply = yield from self.client.list(kind, namespace)
                if not reply.ok:
                    return reply.error
                left[kind] = reply.value["items"]
            if left.get(POD):
                return None
        return None
