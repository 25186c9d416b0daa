"""The driver of `decide.namespace`: a deleted namespace is emptied, looked at again, and let go."""

from collections.abc import Sequence
from typing import Any

from kubemini.api.errors import ApiError
from kubemini.api.kinds import NAMESPACE, POD, Kind, object_path
from kubemini.api.objects import Obj
from kubemini.client import ApiClient, Informers, WorkQueue, discover
from kubemini.client.client import code
from kubemini.controllers.decide import namespace as decide
from kubemini.controllers.decide.actions import Delete, terminating
from kubemini.controllers.reconcile import execute_all
from kubemini.sim import Steps

NOT_THERE = (404, 405)  # of a kind that has gone meanwhile, or cannot be listed


class NamespaceController:
    """It asks the API server itself what is there: no cache would be new enough."""

    def __init__(self, client: ApiClient, informers: Informers):
        self.client, self.component = client, client.component
        self.every = client.component.net.params.all_controllers
        workers = self.component.net.params.concurrent_syncs
        self.queue = WorkQueue(self.component, self.sync, workers, decide.BACKOFF)
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
        namespace: Obj = reply.value
        content = decide.Content()
        error = yield from self._empty(namespace, content)
        if error is not None:
            return error
        wanted = decide.with_conditions(namespace, content, self.component.sim.wall)
        if wanted is not namespace:
            reply = yield from self.client.update_status(wanted)  # if that fails, the next look says so
            namespace = reply.value if reply.ok else namespace
        if content.failures(namespace):
            return "some content could not be deleted"
        if any(content.left.values()):
            self.queue.add_after(name, decide.look_again_in(content))
            return None
        return (yield from self._let_go(namespace))

    def _let_go(self, namespace: Obj) -> Steps:
        """Take our finalizer off, from what it is now; returns an error, or None."""
        while True:
            done = decide.finalized(namespace)
            reply = yield from self.client.request("PUT", object_path(done, "finalize"), done)
            if reply.ok or code(reply) == 404:
                return None
            if code(reply) != 409:
                return reply.error
            reply = yield from self.client.get(NAMESPACE, done["metadata"]["name"])
            if not reply.ok:
                return None if code(reply) == 404 else reply.error
            if reply.value["metadata"]["uid"] != namespace["metadata"]["uid"]:
                return "namespace uid has changed across retries"
            namespace = reply.value

    def _empty(self, namespace: Obj, content: decide.Content) -> Steps:
        """Delete everything, pods first, and note in *content* what is still there; returns an error, or None."""
        found, error = yield from discover(self.client)
        if error is not None and not isinstance(error, ApiError):
            return error
        content.undiscovered = error.message if error is not None else ""
        kinds = [*decide.content(self.every), *(kind for kind in found.preferred if kind.namespaced)]
        for kind in (POD, *(kind for kind in kinds if kind != POD)):
            reply = yield from self.client.list(kind, namespace["metadata"]["name"])
            there = reply.value["items"] if reply.ok else ()
            error = reply.error
            if kind == POD:
                content.grace = decide.grace_left(namespace, there, self.component.sim.wall)
            if there:
                error = yield from self._delete(kind, there)
                if error is None:
                    reply = yield from self.client.list(kind, namespace["metadata"]["name"])
                    content.left[kind], error = (reply.value["items"], None) if reply.ok else ((), reply.error)
            if error is not None and not isinstance(error, ApiError):
                return error
            if error is not None and error.code not in NOT_THERE:
                content.refused[kind] = error.message
            if content.left.get(POD):
                return None
        return None

    def _delete(self, kind: Kind, objects: Sequence[Obj]) -> Steps:
        """All of them at once; in a story, or where that cannot be asked for, one by one; returns an error, or None."""
        if self.every:
            options = {"propagationPolicy": "Background"}
            reply = yield from self.client.request("DELETE", kind.path(objects[0]["metadata"]["namespace"]), options)
            if reply.ok or code(reply) not in NOT_THERE:
                return reply.error
        doomed = [Delete(obj) for obj in objects if not terminating(obj)]
        return (yield from execute_all(self.client, doomed, lambda obj: kind))
