"""Informers: a local copy of a collection, kept up to date by one list and one watch.

Invariant: the copy is always some past state of the collection, never a mixture, and never goes back in time; it may
be late. What is in it is shared by all who look, and cannot be written to.
A reflector lists (resourceVersion 0: any state the server has in its cache), watches from the list's
resourceVersion, and when the watch ends goes on from the last version it saw. Only after an error does it list again:
if that version is too old (410), asking for the latest state.
Simplified: list and watch, where newer clients let the watch send the list too; watches do not end every 5-10 min.

Models k/client-go tools/cache Reflector.ListAndWatch
Models k/client-go tools/cache sharedIndexInformer.HandleDeltas
"""

from collections.abc import Callable, Iterable
from typing import Any

import simpy

from kubemini.api.errors import ApiError, from_status
from kubemini.api.kinds import Kind
from kubemini.api.objects import Obj
from kubemini.client.client import ApiClient
from kubemini.client.workqueue import exponential
from kubemini.sim import Steps
from kubemini.sim.units import SECOND
from kubemini.wire.rpc import LOST, REFUSED

Handler = Callable[[Obj | None, Obj | None], None]


def unusable(error: Any) -> bool:
    """Whether the server cannot go on from the version that was asked for: compacted, or from its future."""
    causes = error.details.get("causes", ()) if isinstance(error, ApiError) else ()
    too_large = any(cause.get("reason") == "ResourceVersionTooLarge" for cause in causes)
    return too_large or getattr(error, "code", 0) == 410


def worth_retrying(error: Any) -> bool:
    """Whether the same watch may work a little later: nobody there, or too busy."""
    return error == REFUSED or getattr(error, "code", 0) == 429


class Informer:
    """A reflector and its cache; handlers hear ``(old, new)``: (None, new) added, (old, None) deleted."""

    def __init__(
        self, client: ApiClient, kind: Kind, on_change: Handler | None = None, namespace: str = "", **query: str
    ):
        self.client, self.kind, self.namespace, self.query = client, kind, namespace, query
        self.handlers: list[Handler] = [on_change] if on_change else []
        self.objects: dict[tuple[str, str], Obj] = {}
        self.synced = False
        self.on_synced: list[Callable[[], None]] = []
        self._task: Any = None  # from its start on
        self._stream: Any = None  # the watch
        self.version = ""  # the last resourceVersion seen
        self._expired = False
        self._why = ""  # the last watch or list failed
        self._unheard: list[Callable[[], None]] | None = None  # what arrives while the watch is cut
        self.on_state: list[Callable[[str, str], None]] = []  # hear what it is about (trace word "informer"), and why
        self._failures = self._last_failure = self._drawn = 0
        component = client.component
        self._draws = component.sim.draws(f"reflector/{component.name}/{component.incarnation}/{kind.plural}")

    # -- the cache -----------------------------------------------------------------------------------------------
    def get(self, namespace: str, name: str) -> Obj | None:
        """The object as last seen, or None."""
        return self.objects.get((namespace, name))

    def values(self, namespace: str | None = None) -> Iterable[Obj]:
        """All objects as last seen, of one namespace if named."""
        if namespace is None:
            return self.objects.values()
        return [obj for (ns, _), obj in self.objects.items() if ns == namespace]

    # -- the reflector -------------------------------------------------------------------------------------------
    def start(self) -> None:
        """Begin; once for each incarnation of the component."""
        if self._task is None:
            self._task = self.client.component.spawn(self._run())

    def stop(self) -> None:
        """Ask no more, and hear no more."""
        if self._task is not None:
            self._task.cancel()
        if self._stream is not None:
            self._stream.close()

    def cut(self) -> None:
        """Hear nothing more on the watch, not even its end; what is asked for besides is answered as before."""
        if self._unheard is None:
            self._unheard = []
            self._tell_state("cut")

    def mend(self) -> None:
        """Hear what has arrived meanwhile; if the watch has ended, that it has, and nothing of what came before."""
        unheard, self._unheard = self._unheard or [], None
        self._tell_state("watches")
        for hear in unheard:
            hear()

    def _run(self) -> Steps:
        while True:
            self._tell_state("lists")
            reply = yield from self.client.list(
                self.kind, self.namespace, resourceVersion=self._list_from(), **self.query
            )
            if reply.ok:
                self._expired = False
                self._replace(reply.value)
                yield from self._watch_until_lost()
            else:
                self._why = str(reply.error)
                if unusable(reply.error) and not self._expired:
                    self._expired = True
                    continue
            self._tell_state("waits")
            yield self._back_off()

    def _tell_state(self, state: str) -> None:
        if state == "watches" and self._unheard is not None:
            state = "cut"
        for tell in self.on_state:
            tell(state, self._why)

    def _list_from(self) -> str:
        return "" if self._expired else self.version or "0"

    def _watch_until_lost(self) -> Steps:
        """Watch, and watch again from where the last watch ended, as long as that is possible."""
        while True:
            opened, before = self.client.component.sim.now, self.version
            self._why = ""
            self._tell_state("watches")
            error = yield self._watch()
            self._why = str(error) if error is not None else ""
            if worth_retrying(error):
                self._tell_state("waits")
                yield self._back_off()
                continue
            self._expired = unusable(error)
            short = self.client.component.sim.now - opened < SECOND and self.version == before
            if isinstance(error, ApiError) or error == LOST or short:
                return  # a connection that was lost reads as an error in the stream, its end as that of the watch

    def _watch(self) -> simpy.Event:
        """One watch; the event happens when it is closed, with the error (None: in peace)."""
        ended = simpy.Event(self.client.component.sim)

        def on_item(item: Any) -> None:
            if self._unheard is not None:
                self._unheard.append(lambda: on_item(item))
            elif item["type"] == "ERROR":
                self._stream.close()
                ended.succeed(from_status(item["object"]))
            else:
                self._hear(item["type"], item["object"])

        def on_close(error: Any) -> None:
            if self._unheard is not None:  # what had arrived is lost with its connection
                self._unheard[:] = [lambda: on_close(error)]
            else:
                ended.succeed(error)

        self._stream = self.client.watch(
            self.kind,
            on_item,
            on_close,
            self.namespace,
            resourceVersion=self.version,
            allowWatchBookmarks="true",
            **self.query,
        )
        return ended

    def _back_off(self) -> simpy.Event:
        """Wait 0.8 s, twice as long each time, at most 30 s; up to as much again by chance."""
        component, params = self.client.component, self.client.component.net.params
        now = component.sim.now
        if now - self._last_failure > params.reflector_backoff_reset:
            self._failures = 0
        delay = exponential(self._failures, params.reflector_backoff)
        self._failures, self._last_failure, self._drawn = self._failures + 1, now, self._drawn + 1
        return component.timeout(self._draws.between(self._drawn, delay, 2 * delay))

    # -- news ----------------------------------------------------------------------------------------------------
    def _hear(self, type: str, obj: Obj) -> None:
        """A watch event: remember it, then tell."""
        meta = obj["metadata"]
        self.version = meta["resourceVersion"]
        if type == "BOOKMARK":
            return
        key = (meta.get("namespace", ""), meta["name"])
        if type == "DELETED":
            old = self.objects.pop(key, None)
            self._tell(obj if old is None else old, None)
        else:
            old = self.objects.get(key)
            self.objects[key] = obj
            self._tell(old, obj)

    def _replace(self, listed: Obj) -> None:
        """A whole list: every difference to what was known is news."""
        before = self.objects
        self.objects = {(o["metadata"].get("namespace", ""), o["metadata"]["name"]): o for o in listed["items"]}
        self.version = listed["metadata"]["resourceVersion"]
        first, self.synced = not self.synced, True
        for key, old in before.items():
            if key not in self.objects:
                self._tell(old, None)
        for key, new in self.objects.items():
            if (found := before.get(key)) is None or _version(found) != _version(new):
                self._tell(found, new)
        if first:
            for act in self.on_synced:
                act()

    def _tell(self, old: Obj | None, new: Obj | None) -> None:
        """To every handler; a namesake of an object that is gone is no change of it, but another object."""
        if old is not None and new is not None and old["metadata"]["uid"] != new["metadata"]["uid"]:
            self._tell(old, None)
            old = None
        for handler in self.handlers:
            handler(old, new)


def _version(obj: Obj) -> str:
    return obj["metadata"]["resourceVersion"]


class Informers:
    """The informers that the controllers of one program share: one list and one watch a kind, however many listen."""

    def __init__(self, client: ApiClient):
        self.client = client
        self.all: dict[tuple[str, str], Informer] = {}

    def of(self, kind: Kind, namespace: str = "") -> Informer:
        """The informer of *kind*, in one namespace if named."""
        key = (kind.resource, namespace)
        if key not in self.all:
            self.all[key] = Informer(self.client, kind, namespace=namespace)
        return self.all[key]

    def drop(self, kind: Kind) -> None:
        """Forget *kind*: it is no more."""
        informer = self.all.pop((kind.resource, ""), None)
        if informer is not None:
            informer.stop()

    def start_new(self) -> None:
        """Start those that have come after `start`."""
        for informer in self.all.values():
            informer.start()

    @property
    def synced(self) -> bool:
        """Whether every informer has its first list."""
        return all(informer.synced for informer in self.all.values())

    def start(self, when_synced: Callable[[], None]) -> None:
        """Start them all; *when_synced* is called once, when every one has its first list."""

        def check() -> None:
            if self.synced:
                when_synced()

        for informer in self.all.values():
            informer.on_synced.append(check)
            informer.start()


class Index:
    """Objects of an informer by what a function says of them, such as the UID of their owner; kept up to date."""

    def __init__(self, informer: Informer, keys: Callable[[Obj], Iterable[str]]):
        self.keys = keys
        self.entries: dict[str, dict[tuple[str, str], Obj]] = {}
        informer.handlers.insert(0, self._changed)

    def get(self, key: str) -> list[Obj]:
        """The objects under *key*, in order of appearance."""
        return list(self.entries.get(key, {}).values())

    def _changed(self, old: Obj | None, new: Obj | None) -> None:
        for obj, act in ((old, self._remove), (new, self._add)):
            if obj is not None:
                for key in self.keys(obj):
                    act(key, (obj["metadata"].get("namespace", ""), obj["metadata"]["name"]), obj)

    def _add(self, key: str, name: tuple[str, str], obj: Obj) -> None:
        self.entries.setdefault(key, {})[name] = obj

    def _remove(self, key: str, name: tuple[str, str], obj: Obj) -> None:
        self.entries.get(key, {}).pop(name, None)
