"""Watches: a client hears every change of a range of keys, from a revision on, in order, each once.

Invariant: a watch never skips a revision. If the history it needs is compacted it is cancelled with the revision that
can still be read; if it asked for a leader and there is none for three election timeouts, its stream dies, so that the
client tries another member. A watch without news can be told how far the store has come, so that it need not start at
an old revision: now and then (``progress_notify``), or when its client asks.
etcd 3.7 storage/mvcc/watchable_store.go, api/v3rpc/watch.go, interceptor.go.
Models etcd server/storage/mvcc watchableStore.notify, server/etcdserver/api/v3rpc serverWatchStream.
Simplified: a slow client is never dropped; one watch a stream; a response is never cut into fragments.
"""

from typing import Any

from kubemini.etcd.errors import NO_LEADER, EtcdError
from kubemini.etcd.server.driver import Driver
from kubemini.etcd.store.mvcc import DELETE, PUT, TO_THE_END, KeyChange, Store, is_empty, is_in
from kubemini.host import Timer
from kubemini.wire import Call

EMPTY_RANGE = "mvcc: watcher range is empty"
PROGRESS_JITTER = 10  # a stream's own period is up to a tenth longer than that of all


class Watcher:
    """One stream: a range of keys and the next revision to send."""

    __slots__ = ("call", "filters", "key", "next", "prev_kv", "quiet", "range_end", "require_leader")

    def __init__(self, call: Call, revision: int):
        request = call.payload
        self.call, self.next = call, revision
        self.key, self.range_end = request.get("key", ""), request.get("range_end", "")
        self.filters = [f.removeprefix("NO") for f in request.get("filters", ())]
        self.prev_kv = bool(request.get("prev_kv"))
        self.require_leader = bool(request.get("require_leader"))
        self.quiet = True  # since the last time that progress was looked at

    def may_want(self, first: str, last: str) -> bool:
        """Whether its range and that from one key to another have anything in common."""
        end = self.range_end or self.key
        return self.key <= last and (first <= end or end == TO_THE_END)

    def wants(self, change: KeyChange) -> bool:
        """Whether *change* is news here."""
        return (
            change.revision >= self.next
            and is_in(change.kv["key"], self.key, self.range_end)
            and change.type not in self.filters
        )

    def event(self, change: KeyChange, compacted: int) -> dict[str, Any]:
        """The change as it goes over the wire; what was before it may be forgotten by now."""
        event = {"type": change.type, "kv": change.kv}
        if self.prev_kv and change.previous is not None and change.revision > compacted:
            event["prev_kv"] = change.previous
        return event


class Watches:
    """The watches of one member."""

    def __init__(self, member: Driver, store: Store):
        self.member, self.store = member, store
        self.watchers: list[Watcher] = []
        self.revision = store.revision  # told so far
        self._no_leader: Timer | None = None
        self._booted = member.sim.now
        self._jitter = member.sim.draws(f"etcd/{member.name}/progress")
        self._opened = 0

    def _header(self, revision: int) -> dict[str, Any]:
        return {"revision": revision, "raft_term": self.member.term, "member": self.member.name}

    def open(self, call: Call) -> None:
        """A client wants to watch, from now on or from ``start_revision``."""
        assert call.stream is not None, "a watch is a stream: use open_stream"
        start = call.payload.get("start_revision", 0)
        now = self.store.revision
        created = {"header": self._header(now), "created": True, "events": []}
        if is_empty(call.payload.get("key", ""), call.payload.get("range_end", "")):
            call.stream.push({**created, "canceled": True, "cancel_reason": EMPTY_RANGE})
            call.stream.close()
            return
        call.stream.push(created)
        past = self.store.history(start or now + 1)
        if isinstance(past, EtcdError):
            self._cancel(call)
            return
        watcher = Watcher(call, start or now + 1)
        self.watchers.append(watcher)
        call.on_cancel(lambda: self.watchers.remove(watcher))
        self._send(watcher, past, now)
        if call.payload.get("progress_notify"):
            self._opened += 1
            period = self.member.params.etcd_watch_progress_interval
            period += self._jitter.between(self._opened, 0, period // PROGRESS_JITTER - 1)
            self.member.after(period, self._look, watcher, period)

    def _cancel(self, call: Call) -> None:
        """What the watch still needs has been compacted."""
        assert call.stream is not None
        canceled = {"canceled": True, "compact_revision": self.store.compacted, "events": []}
        call.stream.push({"header": self._header(0), **canceled})
        call.stream.close()

    def restored(self) -> None:
        """The store has jumped: a watch hears what it missed, or ends if that is compacted."""
        self.revision = self.store.revision
        for watcher in list(self.watchers):
            past = self.store.history(watcher.next)
            if isinstance(past, EtcdError):
                self.watchers.remove(watcher)
                self._cancel(watcher.call)
            else:
                self._send(watcher, past, self.revision)

    def notify(self) -> None:
        """The store may have a new revision."""
        now = self.store.revision
        if now == self.revision:
            return
        changes = self.store.history(self.revision + 1)
        self.revision = now
        assert not isinstance(changes, EtcdError), "a compaction cannot outrun the watches of its own member"
        keys = [change.kv["key"] for change in changes]
        first, last = min(keys, default=""), max(keys, default="")
        for watcher in self.watchers:
            self._send(watcher, changes if watcher.may_want(first, last) else [], now)

    def _send(self, watcher: Watcher, changes: list[KeyChange], revision: int) -> None:
        events = [watcher.event(change, self.store.compacted) for change in changes if watcher.wants(change)]
        if events and watcher.call.stream is not None:
            watcher.call.stream.push({"header": self._header(revision), "events": events})
            watcher.quiet = False
        watcher.next = max(watcher.next, revision + 1)

    # -- progress ----------------------------------------------------------------------------------------------------
    def _look(self, watcher: Watcher, period: int) -> None:
        """Tell a watch that has heard nothing for a *period* how far the store is."""
        if watcher in self.watchers:
            if watcher.quiet:
                self._tell_progress(watcher)
            watcher.quiet = True
            self.member.after(period, self._look, watcher, period)

    def progress(self, call: Call) -> None:
        """A client asks how far its watches are: each of them is told."""
        for watcher in self.watchers:
            if watcher.call.source == call.source:
                self._tell_progress(watcher)
        call.reply({"header": self._header(self.store.revision)})

    def _tell_progress(self, watcher: Watcher) -> None:
        assert watcher.call.stream is not None
        watcher.call.stream.push({"header": self._header(self.store.revision), "events": []})

    # -- require_leader ------------------------------------------------------------------------------------------------
    def leadership(self, known: bool) -> None:
        """A leader is known, or none is: in that case look again at the third election timeout of the process."""
        if known and self._no_leader is not None:
            self._no_leader.cancel()
            self._no_leader = None
        elif not known and self._no_leader is None:
            period, most = self.member.params.etcd_election_timeout, self.member.params.etcd_max_no_leader
            age = self.member.sim.now - self._booted
            wait = (age // period + most) * period - age
            self._no_leader = self.member.after(wait, self._abandon)

    def _abandon(self) -> None:
        self._no_leader = None
        for watcher in [w for w in self.watchers if w.require_leader]:
            self.watchers.remove(watcher)
            watcher.call.fail(NO_LEADER)


__all__ = ["DELETE", "PUT", "Watches"]
