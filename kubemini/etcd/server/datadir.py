"""What of one member survives its process (``--data-dir``): everything here has been fsynced.

Invariant: the store, the members and the alarms are as of `applied`; the log holds every entry after `start`, and of
what lies before only what it led to. A snapshot is a copy of all that, taken when a peer needs it.
etcd 3.7 server/storage (WAL, backend), etcdserver/server.go snapshot, applySnapshot.
Models etcd server/etcdserver EtcdServer.snapshot, EtcdServer.applySnapshot.
Simplified: the store on disk is always as far as it has been applied, so nothing is applied twice after a crash.
The log is cut when a snapshot is due, where etcd since 3.6 cuts what it keeps in memory every hundred entries.
"""

from typing import NamedTuple

from kubemini.etcd.raft.log import Entry, Snapshot
from kubemini.etcd.raft.messages import HardState, Ready
from kubemini.etcd.server.membership import Membership
from kubemini.etcd.store.lease import Lessor
from kubemini.etcd.store.mvcc import Store
from kubemini.etcd.store.quota import Alarms


class Image(NamedTuple):
    """What a snapshot carries besides its place in the log. It is never changed: who installs it copies it."""

    store: Store
    membership: Membership
    alarms: dict[int, str]


class DataDir:
    """The disk of member *id*.

    *first* are the members at the beginning of the log. *addresses* are those that messages are sent to, which a
    newcomer knows before it has read in the log how they came to be members. *cluster* is the cluster id.
    """

    def __init__(self, id: int, first: Membership, minimum_ttl: int, cluster: int = 1):
        self.id, self.first, self.membership, self.cluster = id, first, first.copy(), cluster
        self.addresses = {m.id: m.address for m in first.members.values()}
        self.learner = False  # as what it joined
        self.alarms = Alarms()
        self.hard_state = HardState()
        self.start = Snapshot(0, 0)  # the log before and up to there is forgotten
        self.entries: list[Entry] = []
        self.store = Store(Lessor(minimum_ttl))
        self.applied = self.snapshot_index = 0

    @property
    def last_index(self) -> int:
        """The index of the last entry."""
        return self.start.index + len(self.entries)

    def write(self, ready: Ready) -> None:
        """*ready* is stable now."""
        if ready.hard_state is not None:
            self.hard_state = ready.hard_state
        if ready.snapshot is not None:
            self._install(ready.snapshot)
        if ready.entries:
            del self.entries[ready.entries[0].index - self.start.index - 1 :]
            self.entries.extend(ready.entries)

    def compact(self, index: int, term: int) -> None:
        """Forget the log up to *index*, which has been applied."""
        del self.entries[: index - self.start.index]
        self.start = Snapshot(index, term)

    def image(self) -> Image:
        """A copy of what has been applied."""
        store = Store(Lessor(self.store.lessor.minimum_ttl))
        store.become(self.store)
        return Image(store, self.membership.copy(), dict(self.alarms.raised))

    def _install(self, snapshot: Snapshot) -> None:
        """What *snapshot* holds stands for the whole log up to it."""
        image: Image = snapshot.data
        self.store.become(image.store)
        self.membership, self.alarms.raised = image.membership.copy(), dict(image.alarms)
        self.addresses = {m.id: m.address for m in self.membership.members.values()}
        self.start, self.entries = Snapshot(snapshot.index, snapshot.term), []
        self.applied = self.snapshot_index = snapshot.index
