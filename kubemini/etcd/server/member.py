"""An etcd member: how its process begins, with which data directory, and how it ends.

Invariant: an incarnation is built from what its disk holds and from nothing else.
The loop below it is in `driver.py`, what clients see in `server.py`.
Models etcd server/etcdserver NewServer, bootstrapRaftFromCluster, bootstrapRaftFromWAL.
Simplified: a member is up the moment its process starts.
"""

from collections.abc import Iterable

from kubemini.etcd.raft.confchange import ConfChange
from kubemini.etcd.raft.log import Entry
from kubemini.etcd.server import backup, joining, reconfigure, transfer
from kubemini.etcd.server.datadir import DataDir, Image
from kubemini.etcd.server.driver import Above, Driver
from kubemini.etcd.server.membership import GONE, Membership
from kubemini.etcd.server.server import Server
from kubemini.etcd.server.tracing import LONGEST_VALUE
from kubemini.host import Host
from kubemini.host.component import TOLD
from kubemini.params import Params
from kubemini.sim import Sim, Steps
from kubemini.sim.units import SECOND
from kubemini.wire import Call, Network
from kubemini.wire.rpc import REFUSED


class Member(Driver):
    """One etcd process. *members* are those of a new cluster; one that is not among them is a spare: see `join`."""

    server: Server
    stopping = False  # it has been told to

    def __init__(self, sim: Sim, net: Network, host: Host, name: str, members: list[str], params: Params | None = None):
        super().__init__(sim, net, host, name, params)
        self.members = members  # ``--initial-cluster``
        self.joining = name not in members  # ``--initial-cluster-state=existing``
        self.data = self._format()
        if sim.quiescent:
            from kubemini.etcd.server import quiescence  # a full run has no use for it

            self.try_rest = quiescence.try_rest

    # -- life ------------------------------------------------------------------------------------------------------
    def _format(self) -> DataDir:
        """The data directory that a first member has from the start; who joins does not know its id yet."""
        files = self.host.disk.files
        if self.joining:
            return self.new_data(0, Membership(self.members))
        if self.name not in files:
            files[self.name] = self.new_data(self.members.index(self.name) + 1, Membership(self.members))
        return files[self.name]

    def new_data(self, id: int, first: Membership, cluster: int = 1) -> DataDir:
        """An empty data directory for member *id* of a cluster that began with *first*."""
        return DataDir(id, first, -(-3 * self.params.etcd_election_timeout // (2 * SECOND)), cluster)

    def boot(self) -> None:
        self.serving = self.stopping = False
        found = self.host.disk.files.get(self.name)
        if found is not None:
            self._go_on(found)
        elif self.joining:
            self.data = self.new_data(0, Membership(self.members))
            self.spawn(joining.find_itself(self, self.members, self._enter))
        else:
            first = Membership(self.members, started=False)
            self.data = self.new_data(self.members.index(self.name) + 1, first, self.data.cluster)
            self.spawn(joining.begin_anew(self, self.members, self._enter))

    def _go_on(self, data: DataDir) -> None:
        self.data = data
        if data.id in data.membership.removed:
            self.after(0, self.exit, GONE)
        else:
            self.serve(data)

    def _enter(self, data: DataDir) -> None:
        self.serve(data)
        self.net.changed()  # its peers can connect now

    def join(self, members: list[str]) -> None:
        """Start with an empty data directory, for a cluster that exists and has been told of us (``member add``)."""
        self.crash()
        self.host.disk.files.pop(self.name, None)
        self.begin(members, exists=True)

    def begin(self, members: list[str], exists: bool) -> None:
        """Start on the disk as it is, with ``--initial-cluster`` *members*, and its state ``existing`` or ``new``."""
        self.members, self.joining = members, exists
        self.start()

    def restore(self, image: Image, members: list[str], cluster: int, bump: int = 0) -> None:
        """Become one of *members* of a new cluster that begins with *image*: restore, while stopped, and start."""
        assert not self.up, f"{self.name} runs: stop it before its data directory is replaced"
        self.members, self.joining = members, False
        data = self.data = self.host.disk.files[self.name] = backup.restored(image, self.name, members, cluster, bump)
        kept = backup.keys(data, LONGEST_VALUE)
        self.sim.record(self.name, "restore", revision=data.store.revision, members=members, cluster=cluster, kv=kept)
        self.start()

    def serve(self, data: DataDir) -> None:
        """Begin, with what *data* holds."""
        self.host.disk.files[self.name] = data
        self.drive(data)
        self.server = server = Server(self, data.store)
        self.go(Above(self._apply, server.confirmed, server.leadership, server.restored))
        self._fast_forward(self.sim.now + self.params.etcd_peer_read_timeout)
        self.process_ready()

    def _fast_forward(self, until: int) -> None:
        """A starting member that reaches two peers or more (or is alone) need not wait out a whole election timeout.

        Models etcd server/etcdserver adjustTicks.
        """
        peers = [self.net.components.get(name) for name in self.peers()]
        active = sum(p is not None and p.up and self.net.reachable(self.host.name, p.host.name) for p in peers)
        ticks = self.election_ticks - (2 if peers else 1)
        started = self.sim.now + self.params.etcd_peer_read_timeout == until
        if (active > 1 and not started) or not peers:
            self.catch_up()
            self.raft.skip(max(0, min(ticks, self.raft.ticks_to_action() - 1)))
            self.arm()
        elif self.sim.now < until:
            self.after(self.params.etcd_peer_check, self._fast_forward, until)

    def on_sigterm(self) -> None:
        """Serve nobody new, and end when that does no harm; a second signal adds nothing."""
        if not self.serving:
            super().on_sigterm()
        elif not self.stopping:
            self.stopping = True
            self.spawn(self._end())
            self.net.changed()  # whoever checks it, or what stands before it, will find out

    def _end(self) -> Steps:
        yield from transfer.leave(self)
        if transfer.longest_connected(self) is None:
            self.exit(TOLD)
        else:
            self._retire()
            self.after(self.params.etcd_peer_close_timeout, self.exit, TOLD)

    def _retire(self) -> None:
        """Raft stops, and so does all this incarnation has under way; the process goes on for a while."""
        self.sim.end_rests()
        self.serving = False
        self.incarnation += 1
        self.rpc.abandon(reset=True)
        self.net.changed()

    # -- in and out ------------------------------------------------------------------------------------------------
    def greet(self, call: Call) -> None:
        """A client has connected: one that is about to end, or does not serve yet, lets nobody in."""
        if self.serving and not self.stopping:
            call.reply(self.name)
        else:
            call.fail(REFUSED)

    def handle(self, call: Call) -> Steps | None:
        """A client's request, or a newcomer's."""
        if not self.serving or (self.stopping and call.source not in self.peers()):
            call.fail(REFUSED)
        elif call.method == "peer_members":
            call.reply((self.data.cluster, self.data.first, self.membership.copy()))
        else:
            return self.server.handle(call)
        return None

    def _apply(self, entries: list[Entry]) -> None:
        store = self.data.store
        for entry in entries:
            before = store.revision
            if isinstance(entry.data, ConfChange):
                reconfigure.apply_change(self, entry.data, self.server.answered)
            elif entry.data is not None:
                self.server.apply(entry.data)
            self.data.applied = entry.index
            if store.revision > before:
                self.tracing.changes(store.last_changes())
        self.sim.record(self.name, "apply", index=entries[-1].index, revision=store.revision)
        self.server.applied(self.data.applied)


def members(sim: Sim, net: Network, hosts: Iterable[Host], params: Params | None = None) -> list[Member]:
    """A member on each host: etcd-1, etcd-2, …"""
    hosts = list(hosts)
    names = [f"etcd-{number}" for number in range(1, len(hosts) + 1)]
    return [Member(sim, net, host, name, names, params) for host, name in zip(hosts, names, strict=True)]
