"""What a member writes into the trace: how far its log, its votes and its store have come.

Invariant: nothing depends on it. What all members do alike (a revision, a change of the members, an alarm) is written
once, by the first that applies it: one `Tracer`, which all of them share, looks at what their disks hold.
"""

from collections.abc import Callable

from kubemini.etcd.raft.messages import Ready
from kubemini.etcd.server.datadir import DataDir
from kubemini.etcd.server.links import Peer
from kubemini.etcd.store.mvcc import KeyChange

LONGEST_VALUE = 200  # characters of a value that the trace keeps
ROOM_STEPS = 64  # the trace tells the size of the database in so many parts of its quota


class Tracer:
    """Knows every member that there is, to tell what has been written already."""

    def __init__(self) -> None:
        self.peers: list[Peer] = []

    def is_first(self, ours: DataDir, behind: Callable[[DataDir], bool]) -> bool:
        """Whether all the others of this cluster, as far as they have a disk, are *behind*."""
        disks = [peer.host.disk.files[peer.name] for peer in self.peers if peer.name in peer.host.disk.files]
        return all(behind(data) for data in disks if data is not ours and data.cluster == ours.cluster)


class Tracing:
    """What one incarnation writes, which begins with what its disk holds."""

    def __init__(self, member: Peer, tracer: Tracer):
        self.member, self.tracer, self.name, self.record = member, tracer, member.name, member.sim.record
        data = member.data
        self._vote = (data.hard_state.term, data.hard_state.vote)
        self._commit, self._last = data.hard_state.commit, data.last_index
        self._room = (0, 0)

    def begin(self) -> None:
        """A restarted member begins with what its disk holds."""
        data = self.member.data
        if data.entries:
            self.record(self.name, "append", index=data.last_index, term=data.entries[-1].term)
        if data.hard_state.commit:
            self.record(self.name, "commit", index=data.hard_state.commit)
        if data.applied:
            self.record(self.name, "apply", index=data.applied, revision=data.store.revision)
        self.room()

    def progress(self, ready: Ready) -> None:
        """What *ready* is about to write; if there is a snapshot in it, what it has written."""
        state = ready.hard_state
        if ready.snapshot is not None:
            self._last = self._commit = ready.snapshot.index
        if ready.entries:
            first, last = ready.entries[0], ready.entries[-1]
            if first.index <= self._last:
                self.record(self.name, "truncate", index=first.index)
            self._last = last.index
            self.record(self.name, "append", index=last.index, term=last.term)
        if state is None:
            return
        if (state.term, state.vote) != self._vote:
            self._vote = (state.term, state.vote)
            if state.vote:
                candidate = self.member.data.addresses.get(state.vote, "")
                self.record(self.name, "vote", **{"for": candidate, "term": state.term})
        if state.commit > self._commit:
            self._commit = state.commit
            self.record(self.name, "commit", index=state.commit)

    def changes(self, changes: list[KeyChange]) -> None:
        """A revision, if it changed text; of a long one its length is told."""
        for change in changes:
            text = change.kv["value"] if change.kv["version"] else change.previous and change.previous["value"]
            if isinstance(text, str) and self._has_first(change.revision):
                shown = text if len(text) <= LONGEST_VALUE else f"({len(text):,} bytes)"
                value = shown if change.kv["version"] else None
                self.record(self.name, "kv", key=change.kv["key"], value=value, revision=change.revision)

    def room(self) -> None:
        """The size of the database, if it has changed enough to be told."""
        backend, quota = self.member.data.store.backend, self.member.params.etcd_quota_backend_bytes
        room = (backend.size * ROOM_STEPS // quota, backend.in_use * ROOM_STEPS // quota) if quota > 0 else self._room
        if room != self._room:
            self._room = room
            self.record(self.name, "room", size=backend.size, in_use=backend.in_use, quota=quota)

    def membership(self) -> None:
        """The members have changed."""
        if self._applies_first():
            members = self.member.membership
            voters, learners = ([m.address for m in group] for group in (members.voters, members.learners))
            self.record(self.name, "membership", voters=voters, learners=learners)

    def alarm(self, id: int, alarm: str, raised: bool) -> None:
        """An alarm was raised or disarmed."""
        if self._applies_first():
            name = self.member.data.addresses.get(id, "")
            self.record(self.name, "alarm", member=name, alarm=alarm, raised=raised)

    def _applies_first(self) -> bool:
        """Whether nobody has yet applied what this member is applying."""
        applied = self.member.data.applied
        return self.tracer.is_first(self.member.data, lambda other: other.applied <= applied)

    def _has_first(self, revision: int) -> bool:
        return self.tracer.is_first(self.member.data, lambda other: other.store.revision < revision)
