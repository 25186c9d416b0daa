"""The watch cache: one watch of etcd a kind serves all the watches and cached reads of an API server.

Theory of operation.

    etcd ──watch from revision r+1──▶ objects (the state now)      LIST and GET at resourceVersion 0 or N
                                      log (what changed, in order) WATCH: a place in the log

A thousand clients that watch pods must not be a thousand watches of etcd. So the cache lists a kind once, remembers the
revision r of that list, and watches from r + 1 on. Each change goes three ways: into `objects`, so that reads need no
etcd; into `log`, so that somebody who saw revision n can be told what came after n; and out to the watchers. A watcher
is nothing but a place in the log (`seen`) and a selector; that a selector sees an object begin or cease to match is
worked out from the object before and after, which is why the log holds both.

What can go wrong, and what then:
- A watcher asks for a revision that the log has forgotten (`_oldest`): 410, and it lists again. The log forgets what is
  older than the history that is kept, a hundred entries at a time.
- etcd compacts what the cache has not heard yet, or has no leader for 30 s: the cache cannot go on without a gap, so it
  sends its watchers away (they come back, and may have to list), begins anew with a list, and refuses until it has it.
- etcd cannot be reached: the cache waits until a subchannel of its client is READY, for as long as that takes, and
  then goes on from its revision. Its state is old meanwhile, never wrong: reads that ask for no newer one are answered.
- The cache lags behind what a client has just written through this server: a GET or LIST without a resourceVersion does
  not come here.

Invariant: what is in the cache is a past state of etcd, never a mixture; a watcher hears every later change once, in
order of revision, or is told that it cannot (410).
Models k/apiserver pkg/storage/cacher Cacher, watchCache, cacheWatcher.convertToWatchEvent.
Simplified: a cache is begun when its kind is first asked for; events and leases are cached like the rest; etcd is not
asked for the progress of a watch; how slow a watcher may be is counted in events, not in time (http.py); a bookmark is
sent only if it says something new.
"""

from bisect import bisect_right
from collections.abc import Callable
from typing import Any

import simpy

from kubemini.api import errors
from kubemini.api.errors import ApiError
from kubemini.api.kinds import Kind
from kubemini.api.objects import Obj, freeze
from kubemini.apiserver.caching.audience import Audience, CacheWatcher, news
from kubemini.apiserver.caching.changes import ADDED, BOOKMARK, DELETED, MODIFIED, CachedChange, event
from kubemini.apiserver.caching.selection import Selection
from kubemini.apiserver.decide.customs.conversion import Unconverted
from kubemini.apiserver.storage import Storage, decode, with_version
from kubemini.etcd.client import EtcdClient, prefix_end
from kubemini.etcd.errors import COMPACTED, EtcdError
from kubemini.etcd.store.mvcc import DELETE
from kubemini.host import Component
from kubemini.sim import Steps
from kubemini.sim.units import SECOND
from kubemini.wire import Call
from kubemini.wire.connections import Connection

INDEXES = {"pods": "spec.nodeName"}  # of a kind: the field, besides the name, by which watchers are filed
END_OF_LIST = {"k8s.io/initial-events-end": "true"}


def _revision(change: CachedChange) -> int:
    return change.revision


class WatchCache:
    """The cache of one kind."""

    def __init__(self, component: Component, etcd: EtcdClient, storage: Storage, kind: Kind):
        self.component, self.etcd, self.storage = component, etcd, storage
        self.kind, self.params = kind, component.net.params
        self.prefix = kind.key()
        self.objects: dict[str, Obj] = {}
        self.revision = 0
        self.ready = False
        self.log: list[CachedChange] = []
        self.audience = self._nobody()
        self._oldest = 0  # a watch from here on, or later, misses nothing
        self._emptied: int | None = None  # when it last lost what it had; None: it has not
        self._waiting: list[simpy.Event] = []
        self.on_news: Callable[[], None] | None = None  # called after it has heard something
        self._stream: Any = None
        self._wanted: list[tuple[int, simpy.Event]] = []  # revisions that somebody waits for
        self._task = component.spawn(self._run())

    def _nobody(self) -> Audience:
        return Audience(INDEXES.get(self.kind.resource, ""))

    # -- reading -----------------------------------------------------------------------------------------------------
    def get(self, namespace: str, name: str) -> Obj | None:
        """The object as last heard of."""
        return self.objects.get(self.kind.key(namespace, name))

    def items(self, namespace: str = "") -> list[Obj]:
        """The objects as last heard of, by key."""
        prefix = self.kind.key(namespace)
        return [self.objects[key] for key in sorted(self.objects) if key.startswith(prefix)]

    def wait(self) -> Steps:
        """Until there is something to read: None, or the ApiError of a cache that is not, or no more, filled."""
        if not self.ready and self._emptied is None:
            event = simpy.Event(self.component.sim)
            self._waiting.append(event)
            yield event
        if self.ready:
            return None
        now = self.component.sim.now
        return errors.cache_not_ready((now - (self._emptied or now)) / SECOND)

    def reach(self, revision: int) -> Steps:
        """Wait for news as new as *revision*, or as long as one waits for that; whether they came."""
        wanted = (revision, simpy.Event(self.component.sim))
        self._wanted.append(wanted)
        yield wanted[1] | self.component.timeout(self.params.watch_cache_block_timeout)
        if wanted in self._wanted:
            self._wanted.remove(wanted)
        return self.revision >= revision

    # -- watching ----------------------------------------------------------------------------------------------------
    def watch(
        self, call: Call, since: int, selection: Selection | None, bookmarks: bool, initial: bool
    ) -> ApiError | None:
        """Serve *call* with what comes after the revision *since* (0: after now).

        *initial*: first the objects that are there, and a bookmark, if wanted, that says that these were all.
        """
        since = 0 if initial else since
        if since and since < self._oldest:
            return errors.too_old(since, self._oldest)
        watcher = CacheWatcher(call, since or self.revision, bookmarks)
        if since:
            watcher.hear(news(self.log[bisect_right(self.log, since, key=_revision) :], selection))
        elif initial:
            self._begin(watcher, selection)
        self.audience.add(watcher, selection)
        call.on_cancel(lambda: self.audience.remove(call))
        return None

    def _begin(self, watcher: CacheWatcher, selection: Selection | None) -> None:
        """All that is there."""
        for obj in self.items():
            if selection is None or selection(obj):
                watcher.push(event(ADDED, obj))
        if watcher.bookmarks:
            watcher.push(self._bookmark(annotations=END_OF_LIST))

    def end(self, call: Call) -> None:
        """The time of a watch is over: end it in peace, if it still is there."""
        if self.audience.remove(call):
            assert call.stream is not None
            call.stream.close()

    def send_bookmarks(self) -> None:
        """Tell those who asked for it how far they have come."""
        for watcher in self.audience:
            if watcher.bookmarks and watcher.seen < self.revision:
                watcher.seen = self.revision
                watcher.push(self._bookmark())

    def _bookmark(self, **meta: Any) -> Obj:
        """An object that is nothing but a revision."""
        meta = {"resourceVersion": str(self.revision), **meta}
        only = freeze({"kind": self.kind.kind, "apiVersion": self.kind.api_version, "metadata": meta})
        return event(BOOKMARK, only)

    # -- following etcd ----------------------------------------------------------------------------------------------
    def _run(self) -> Steps:
        """List, then watch, until that cannot go on; then again."""
        while True:
            found = yield from self.storage.list(self.kind)
            if not isinstance(found, ApiError):
                self._fill(*found)
            self._wake()
            self._tell()
            if self.ready:
                yield from self._follow()
                self._empty()
            yield self.component.timeout(self.params.watch_cache_retry)

    def _fill(self, objects: dict[str, Obj], revision: int) -> None:
        self.objects, self.revision, self._oldest, self.ready = objects, revision, revision, True
        self.log.clear()

    def stop(self) -> None:
        """Its kind is no more, or another: send the watchers away, and hear no more."""
        self._task.cancel()
        if self._stream is not None:
            self._stream.close()
        self._empty()
        self._wake()

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, []
        for one in waiting:
            one.succeed()

    def _empty(self) -> None:
        """Send the watchers away: they come back, and may have to list again."""
        self.ready, self._emptied = False, self.component.sim.now
        audience, self.audience = self.audience, self._nobody()
        for watcher in audience:
            assert watcher.call.stream is not None
            watcher.call.stream.close()

    def _follow(self) -> Steps:
        """Watch etcd, again and again from where the last watch ended, until history is lost or patience.

        A connection that breaks costs nothing of the patience: clientv3 opens the watch anew by itself.
        """
        sim, params = self.component.sim, self.params
        leaderless_since: int | None = None
        while True:
            connection = yield from self.etcd.ready()
            opened = sim.now
            error = yield self._watch(connection)
            if error == COMPACTED:
                return
            if leaderless_since is None or sim.now - opened > params.watch_cache_forgiven:
                leaderless_since = sim.now if isinstance(error, EtcdError) else None
            elif isinstance(error, EtcdError) and sim.now - leaderless_since > params.watch_cache_patience:
                return
            yield self.component.timeout(params.watch_cache_redial)

    def _watch(self, connection: Connection) -> simpy.Event:
        """One watch of etcd; the event happens when it ends, with the error."""
        ended = simpy.Event(self.component.sim)

        def on_item(item: dict[str, Any]) -> None:
            if item.get("canceled"):
                stream.close()
                ended.succeed(COMPACTED)
            elif item["events"]:
                try:
                    self._hear(item)
                except Unconverted:  # an object that cannot be read is a gap: it begins anew, when all can be
                    stream.close()
                    ended.succeed(COMPACTED)

        def on_close(error: Any) -> None:
            ended.succeed(error)

        payload = {"key": self.prefix, "range_end": prefix_end(self.prefix), "require_leader": True}
        payload["start_revision"] = self.revision + 1
        stream = self._stream = connection.open_stream("watch", payload, on_item, on_close)
        return ended

    def _hear(self, item: dict[str, Any]) -> None:
        """News of etcd: into the cache, into the log, and out to the watchers."""
        changes = [change for change in map(self._apply, item["events"]) if change is not None]
        self.log += changes
        self._trim()
        self.audience.tell(changes)
        for entry in [entry for entry in self._wanted if entry[0] <= self.revision]:
            self._wanted.remove(entry)
            entry[1].succeed()
        self._tell()

    def _tell(self) -> None:
        if self.on_news is not None:
            self.on_news()

    def _apply(self, change: dict[str, Any]) -> CachedChange | None:
        """Into `objects`; None if it was deleted and is not known: of a store that was restored beneath a cache."""
        kv, now = change["kv"], self.component.sim.now
        key, revision = kv["key"], kv["mod_revision"]
        old = self.objects.get(key)
        self.revision = revision
        if change["type"] == DELETE:
            if old is None:
                return None
            del self.objects[key]
            new, type = with_version(old, revision), DELETED
        else:
            new, type = decode(self.kind, kv), ADDED if old is None else MODIFIED
            self.objects[key] = new
        return CachedChange(now, revision, type, old, new, event(type, new))

    def _trim(self) -> None:
        """Forget what is too old, a hundred entries at a time."""
        if len(self.log) < 200 or self.log[100].at > self.component.sim.now - self.params.watch_cache_history:
            return
        self._oldest = self.log[100].revision - 1
        del self.log[:100]
