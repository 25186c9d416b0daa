"""One controller in close-up: what its caches hold, which keys wait, what each look asks for, told to the trace.

Nobody is told by default: these are many records. A run that wants them names the controller (`Params.close_up`), and
then one `CloseUp` listens at its informers and its queue, and is told of each look by its reconciler.
Invariant: it listens and changes nothing. With and without it a run does the same at the same instants.
Models k/klog Infof, at the verbosity at which real controllers tell of each sync
"""

from collections.abc import Hashable, Iterable
from typing import Any

from kubemini.api.kinds import Kind
from kubemini.api.objects import Obj
from kubemini.client import Informers, WorkQueue
from kubemini.client.informer import Informer
from kubemini.controllers.decide.controller import Key
from kubemini.controllers.decide.expectations import Expected
from kubemini.host import Component

VERBS = {
    "UpdateStatus": "writes the status of",
    "Create": "creates",
    "Update": "updates",
    "Patch": "patches",
    "Delete": "deletes",
}


def written(key: Hashable) -> str:
    """A key as logs write it: ``default/web``."""
    return "/".join(filter(None, key)) if isinstance(key, tuple) else str(key)


class CloseUp:
    """Tells of the controller called *name*, whose keys are in *queue* and whose caches are of *kinds*."""

    def __init__(self, component: Component, name: str, queue: WorkQueue, informers: Informers, kinds: Iterable[Kind]):
        self.component, self.name, self.queue = component, name, queue
        self.told = ""
        queue.on_change.append(self._queue)
        for kind in dict.fromkeys(kinds):
            self._listen(informers.of(kind))

    def _record(self, what: str, **detail: Any) -> None:
        self.component.sim.record(self.component.name, what, **detail)

    def _listen(self, informer: Informer) -> None:
        kind = informer.kind.kind

        def cached(old: Obj | None, new: Obj | None) -> None:
            obj = new or old or {}
            verb = "DELETED" if new is None else "ADDED" if old is None else "MODIFIED"
            meta = obj["metadata"]
            revision = 0 if new is None else int(meta["resourceVersion"])
            place = {"namespace": meta.get("namespace", ""), "name": meta["name"]}
            self._record("cache", kind=kind, verb=verb, **place, revision=revision)

        def stands(state: str, why: str) -> None:
            self._record("informer", kind=kind, state=state, version=informer.version, why=why)

        informer.handlers.insert(0, cached)
        informer.on_state.append(stands)

    def _queue(self) -> None:
        queue = self.queue
        detail = {
            "controller": self.name,
            "waiting": [written(key) for key in queue.waiting],
            "working": [written(key) for key in queue.processing],
            "again": [written(key) for key, again in queue.processing.items() if again],
            "later": {written(key): due for key, due in queue.later.items()},
            "failures": {written(key): times for key, times in queue.failures.items()},
        }
        if self.told != (told := str(detail)):
            self.told = told
            self._record("queue", **detail)

    # -- a look, told by the reconciler ------------------------------------------------------------------------------
    def begins(self, key: Key, expected: Expected | None, unseen: bool) -> None:
        """It looks at *key*; *unseen*: not all that it has asked for, and *expected*, has shown up in its caches."""
        creations, deletions = (expected.creations, len(expected.deletions)) if unseen and expected else (0, 0)
        self._record(
            "sync", controller=self.name, key=written(key), step="begins", creations=creations, deletions=deletions
        )

    def asks(self, key: Key, action: Any, found: Obj | None, error: Any) -> None:
        """It has asked for *action*, and was answered: with the object as it is now, if there is one, or an *error*."""
        meta = (found or action.obj)["metadata"]
        self._record(
            "sync",
            controller=self.name,
            key=written(key),
            step="asks",
            verb=VERBS[type(action).__name__],
            kind=action.obj["kind"],
            name=meta.get("name") or f"{meta['generateName']}…",
            error=str(error) if error is not None else "",
        )

    def ends(self, key: Key, error: Any) -> None:
        """The look is over; with an *error* there will be another."""
        said = str(error) if error is not None else ""
        self._record("sync", controller=self.name, key=written(key), step="ends", error=said)
