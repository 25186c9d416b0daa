"""An etcd member: a thin driver that gives the pure Raft machine a clock, a disk and a wire.

Invariant: what a message promises is on disk before the message leaves. One write to disk is under way at a time; what
arrives meanwhile is stepped, its effects wait. Order: persist, send, apply; a leader that promises nothing to others
sends before its own write (thesis §10.2.1). What is on disk is in `datadir.py`.
Ticks are counted, not simulated: a follower wakes only at the tick at which it would campaign; in a quiescent run a
leader leaves its own out while they change nothing (`quiescence.py`).
Ticks and disk share one loop, as in etcd: while it writes a member takes no ticks, sends nothing, and names itself and
its leader as before (`role`, `term`, `lead`), whatever its Raft has learned meanwhile. One tick waits, the rest is lost.
etcd 3.5 server/etcdserver/raft.go. What clients see is in `server.py`.
Simplified: a crash keeps exactly what was fsynced; a member is up the moment its process starts; a snapshot is one
message, and one write.
"""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from kubemini.etcd import backup, joining, quiescence, reconfigure, transfer
from kubemini.etcd.confchange import ConfChange
from kubemini.etcd.datadir import DataDir, Image
from kubemini.etcd.diary import LONGEST_VALUE, Diary
from kubemini.etcd.links import Links
from kubemini.etcd.log import Entry, LogLost, Snapshot
from kubemini.etcd.membership import Membership
from kubemini.etcd.messages import HEARTBEATS, LEADER, Config, Message, Ready
from kubemini.etcd.raft import Raft
from kubemini.etcd.reconfigure import GONE
from kubemini.etcd.server import Server
from kubemini.host import Component, Host, Timer
from kubemini.net import Call, Network
from kubemini.net.network import HEARTBEAT, MESSAGE, Channel
from kubemini.net.rpc import REFUSED
from kubemini.params import Params
from kubemini.sim import Sim, Steps
from kubemini.sim.kernel import TIMER
from kubemini.sim.units import SECOND


class Member(Component):
    """One etcd process. *members* are those of a new cluster; one that is not among them is a spare: see `join`."""

    raft: Raft
    server: Server
    links: Links

    def __init__(self, sim: Sim, net: Network, host: Host, name: str, members: list[str], params: Params | None = None):
        self.params = params or net.params
        self.members = members  # ``--initial-cluster``
        self.joining = name not in members  # ``--initial-cluster-state=existing``
        self.serving = False
        self.tick_length = self.params.etcd_heartbeat_interval
        self.election_ticks = self.params.etcd_election_timeout // self.tick_length
        self._timeouts = sim.draw(f"raft/{name}/timeout")
        self._phases = sim.draw(f"raft/{name}/phase")
        self._draws = 0
        self.rest: quiescence.Rest | None = None
        super().__init__(sim, net, host, name)
        self.clock_priority = TIMER + (self.index << 62)  # of its ticks, before its other timers of that instant
        self.data = self._format()
        net.watchers.append(self._reachability_changed)

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
        self.serving = False
        found = self.host.disk.files.get(self.name)
        if found is not None:
            self._go_on(found)
        elif self.joining:
            self.data = self.new_data(0, Membership(self.members))
            self.spawn(joining.find_itself(self))
        else:
            first = Membership(self.members, started=False)
            self.data = self.new_data(self.members.index(self.name) + 1, first, self.data.cluster)
            self.spawn(joining.begin_anew(self))

    def _go_on(self, data: DataDir) -> None:
        self.data = data
        if data.id in data.membership.removed:
            self.after(0, self.exit, GONE)
        else:
            self.serve(data)

    def join(self, members: list[str]) -> None:
        """Start with an empty data directory, for a cluster that exists and has been told of us (``member add``)."""
        self.crash()
        self.host.disk.files.pop(self.name, None)
        self.members, self.joining = members, True
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
        self.data = self.host.disk.files[self.name] = data
        self.id, self.serving = data.id, True
        self.links = Links(self)
        self.links.refresh()
        self.raft = Raft(
            Config(
                id=self.id,
                timeout=self._draw_timeout,
                configuration=data.membership.configuration(),
                election_tick=self.election_ticks,
                pre_vote=self.params.etcd_pre_vote,
                check_quorum=self.params.etcd_check_quorum,
                hard_state=data.hard_state,
                snapshot=data.start if data.start.index else None,
                entries=data.entries,
                take_snapshot=self._take_snapshot,
                applied=data.applied,
            )
        )
        self.server = Server(self, data.store)
        self.writing = self._settling = False
        self.rearm = False  # whether this member may have got the right to ask for votes
        self.role, self.term, self.lead = "", 0, 0  # as last taken from Raft, which may know more by now
        self.diary = Diary(self)
        self.next_tick = self.sim.now + self._phases.between(self.incarnation, 1, self.tick_length)
        self._timer: Timer | None = None
        self._wake_at = self._told = 0
        self._wound = self.sim.now
        self._observe()
        self.diary.begin()
        self._fast_forward(self.sim.now + self.params.etcd_peer_read_timeout)
        self._settle()

    @property
    def membership(self) -> Membership:
        """The members, as far as this one has applied the log."""
        return self.data.membership

    @property
    def learner(self) -> bool:
        """Whether this member only listens."""
        info = self.data.membership.members.get(self.id)
        return info.learner if info is not None else self.data.learner

    def peers(self) -> list[str]:
        """The addresses of the others."""
        return [address for id, address in self.data.addresses.items() if id != self.id]

    def others(self) -> list["Member"]:
        """The others, as far as there is anybody at their addresses, and of the same cluster."""
        return [peer for peer in self.at_my_peers() if peer.data.cluster == self.data.cluster]

    def at_my_peers(self) -> list["Member"]:
        """Whoever is at the addresses of the others."""
        found = map(self.net.components.get, self.data.addresses.values())
        return [peer for peer in found if isinstance(peer, Member) and peer is not self]

    def _reachability_changed(self) -> None:
        if self.up and self.serving:
            self.links.refresh()

    def start(self) -> None:
        self.sim.rouse()
        super().start()

    def stop(self, how: str) -> None:
        self.sim.rouse()
        super().stop(how)

    def hand_over(self) -> None:
        """A leader that is told to stop makes another one leader first."""
        if self.serving:
            self.spawn(transfer.stop(self))
        else:
            super().hand_over()

    def pause(self) -> None:
        if self.up and self.serving and not self.paused:
            self._catch_up()
        super().pause()

    def resume(self) -> None:
        if self.up and self.serving and self.paused:  # ticks that nobody took are lost, as with Go's Ticker
            late = max(0, self.sim.now - self.next_tick)
            self.next_tick += -(-late // self.tick_length) * self.tick_length
        super().resume()

    # -- time ------------------------------------------------------------------------------------------------------
    def _draw_timeout(self, number: int) -> int:
        """A randomized election timeout, in ticks; the draws of a dead incarnation are not drawn again."""
        self._draws += 1
        return self._timeouts.between(self._draws, self.election_ticks, 2 * self.election_ticks - 1)

    def _catch_up(self) -> None:
        """Count the ticks before this instant; each of them did nothing else."""
        if self.rest is not None:
            self.sim.rouse()
        late = self.sim.now - self.next_tick
        if late > 0 and not self.writing:
            ticks = -(-late // self.tick_length)
            self.raft.skip(ticks)
            self.next_tick += ticks * self.tick_length

    def due(self) -> int:
        """The instant of the next tick that acts."""
        return self.next_tick + (self.raft.ticks_to_action() - 1) * self.tick_length

    def _wound_up(self) -> int:
        """The tick at which the election timer began to run: zero ticks ago, or as many as nobody was heard."""
        return self.next_tick - (1 + self.raft.elapsed) * self.tick_length

    def _arm(self) -> None:
        """Wake at the next tick that acts; a timer that has become too early finds out when it fires."""
        due = self.due()
        if self.writing and due <= self.sim.now:
            return  # when the disk has answered
        if due != self._told and not self.sim.quiescent and self.raft.role != LEADER and self.raft.promotable:
            self._told = due
            timeout = self.raft.timeout * self.tick_length
            self.sim.record(self.name, "timer", since=self._wound, until=due, timeout=timeout)
        if self._timer is None or due < self._wake_at:
            if self._timer is not None:
                self._timer.cancel()
            self._wake_at = due
            self._timer = self.after(due - self.sim.now, self._wake, key=0)

    def _wake(self) -> None:
        self._timer = None
        if self.writing:
            return  # `_written` takes the tick
        if self.rest is not None or (self.sim.quiescent and self.raft.role == LEADER and quiescence.rest(self)):
            return
        self._catch_up()
        self._wound = self._wound_up()
        if self.due() <= self.sim.now:
            self.take_tick()
        else:
            self._settle()

    def take_tick(self) -> None:
        """The tick that is due, and what it leads to."""
        self.raft.tick()
        self.next_tick += self.tick_length
        self._settle()

    def listened(self, until: int) -> None:
        """The leader has been heard again and again, the last time at the instant *until* (see `quiescence`)."""
        ticks = max(0, -(-(until - self.next_tick) // self.tick_length))
        self.next_tick += ticks * self.tick_length
        self.raft.listened(ticks)

    def wind_up(self) -> None:
        """After a rest: be woken again, at the next tick that acts."""
        if self._timer is None:
            self._arm()

    @property
    def unwound(self) -> bool:
        """Whether the timer went off during a rest."""
        return self._timer is None

    def share_alarm(self, instant: int) -> Callable[[], None]:
        """Be woken at *instant*, which is before the next tick that acts: by what is returned."""
        self._wake_at, self._timer = instant, Timer()
        return partial(self._fire, self._timer, self.incarnation, self._wake, ())

    def _fast_forward(self, until: int) -> None:
        """A starting member that reaches two peers or more (or is alone) need not wait out a whole election timeout.

        etcd server.go adjustTicks.
        """
        peers = [self.net.components.get(name) for name in self.peers()]
        active = sum(p is not None and p.up and self.net.reachable(self.host.name, p.host.name) for p in peers)
        ticks = self.election_ticks - (2 if peers else 1)
        started = self.sim.now + self.params.etcd_peer_read_timeout == until
        if (active > 1 and not started) or not peers:
            self._catch_up()
            self.raft.skip(max(0, min(ticks, self.raft.ticks_to_action() - 1)))
            self._arm()
        elif self.sim.now < until:
            self.after(self.params.etcd_peer_check, self._fast_forward, until)

    # -- in ----------------------------------------------------------------------------------------------------------
    def receive(self, source: str, payload: Any) -> None:
        """A message of a peer's Raft; one that was removed is told so instead of being heard."""
        if not self.serving:
            return
        if payload is GONE:
            self.exit(GONE)
            return
        data = self.data
        if data.membership.removed and payload.source in data.membership.removed:
            self.send(source, GONE)
            return
        if payload.source not in data.addresses:  # it joined later than what we have read of the log
            data.addresses[payload.source] = source  # (rafthttp: X-PeerURLs, AddRemote)
            self.links.refresh()
        raft = self.raft
        if self.sim.now > self.next_tick or self.rest is not None:
            self._catch_up()
        self._wound = self.next_tick - (1 + raft.elapsed) * self.tick_length  # `_wound_up`
        if not self.writing and raft.beat(payload):
            if raft.messages:
                self._send(raft.take_messages())
        else:
            try:
                raft.step(payload)
            except LogLost as lost:  # etcd-io/raft panics, and the process with it
                self.exit(f"panic: {lost}")
                return
            self._settle()

    def handle(self, call: Call) -> Steps | None:
        """A client's request, or a newcomer's."""
        if not self.serving:
            call.fail(REFUSED)
        elif call.method == "peer_members":
            call.reply((self.data.cluster, self.data.first, self.membership.copy()))
        else:
            return self.server.handle(call)
        return None

    def propose(self, command: Any) -> bool:
        """Bring *command* to the leader; False if it was dropped at once."""
        self._catch_up()
        accepted = self.raft.propose(command)
        self._settle()
        return accepted

    def transfer_leader(self, target: int) -> None:
        """Wish for member *target* to lead."""
        self._catch_up()
        self.raft.transfer_leader(target)
        self._settle()

    def ask_read_index(self, context: Any) -> None:
        """Ask the leader, if there is one, for an index fit for a linearizable read; see `Server.confirmed`."""
        self._catch_up()
        self.raft.read_index(context)
        self._settle()

    # -- out: persist, send, apply -----------------------------------------------------------------------------------
    def _settle(self) -> None:
        """Carry out whatever the machine has decided, then sleep until its next tick that matters."""
        if self._settling:
            return  # what the server asks for while it is told of effects is carried out by the loop below
        self._settling = True
        raft = self.raft
        changed = not self.writing and self._observe()
        while not self.writing:
            if raft.promises and raft.redeem():
                changed = self._observe() or changed
            elif raft.has_work():
                self._carry_out(raft.ready())
                changed = self._observe() or changed
            else:
                if raft.messages:
                    self._send(raft.take_messages())
                break
        self._settling = False
        if changed or self.rearm or self._timer is None:  # else the next tick that acts can only have moved away
            self.rearm = False
            self._arm()

    @property
    def settled(self) -> bool:
        """Whether all that was ever proposed is applied, and nothing is on its way to the disk or to others."""
        log = self.raft.log
        return log.last_index == log.commit == log.applied and not self.writing and not self.raft.has_ready()

    def _carry_out(self, ready: Ready) -> None:
        early = self.raft.role == LEADER and all(promise.target == self.id for promise in ready.promises)
        if ready.snapshot is None:  # else it comes first, when it is on disk
            self.diary.progress(ready)
        if early:
            self._send(ready.messages)
        if ready.must_sync or ready.snapshot is not None:
            self.writing = True
            self.host.disk.fsync(self, self._written, ready, early)
        else:
            self._finish(ready, early)

    def _written(self, ready: Ready, sent: bool) -> None:
        self._settling = True  # what the server asks for meanwhile waits until this has been carried out
        late = self.sim.now - self.next_tick
        if late >= 0:
            self.next_tick += (1 + late // self.tick_length) * self.tick_length
        self.writing = False
        self._finish(ready, sent)
        if late >= 0:  # of the ticks during the write one has waited, as Go's Ticker keeps no more
            self.raft.tick()
        self._settling = False
        self._settle()

    def _finish(self, ready: Ready, sent: bool) -> None:
        self.data.write(ready)
        if ready.snapshot is not None:
            self._installed(ready.snapshot)
            self.diary.progress(ready)
        if not sent:
            self._send(ready.messages)
        if ready.committed:
            self._apply(ready.committed)
        self.raft.advance(ready)
        for context, index in ready.reads:
            self.server.confirmed(context, index)
        if self.data.applied - self.data.snapshot_index > self.params.etcd_snapshot_count:
            self._compact_log()

    def _send(self, messages: list[Message]) -> None:
        links, carry = self.links, self.net.carry
        for message in messages:
            channel = links.channels.get(message.target) or links.channel(message.target)
            if channel is None:
                continue
            if message.type in HEARTBEATS:
                carry(channel, HEARTBEAT, channel.arrive, (self.name, message))
            else:
                self._tell(channel, message)

    def _tell(self, channel: Channel, message: Message) -> None:
        name, sim = self.name, self.sim
        arrives = self.net.carry(channel, MESSAGE, channel.arrive, (name, message))
        if message.snapshot is not None:
            wait = self.params.etcd_snapshot_send_timeout if arrives is None else arrives - sim.now
            self.after(wait, self._snapshot_sent, message.target, arrives is not None)
        sim.record(name, "message", to=channel.destination.name, type=message.type, term=message.term, arrives=arrives)

    def correspondent(self, id: int) -> "Member | None":
        """The member that hears what is sent to *id*, if there is one."""
        channel = self.links.channel(id)
        found = channel.destination if channel is not None else None
        return found if isinstance(found, Member) else None

    # -- snapshots ---------------------------------------------------------------------------------------------------
    def _compact_log(self) -> None:
        """So much has been applied that the log is cut short, but for what a slow follower may still need."""
        data = self.data
        data.snapshot_index = data.applied
        index = data.applied - self.params.etcd_snapshot_catchup_entries
        if index > data.start.index:
            self.raft.compact(index)
            data.compact(index, self.raft.log.start_term)
            self.sim.record(self.name, "compact", index=index)

    def _take_snapshot(self) -> Snapshot | None:
        """What has been applied, for a peer that needs more than the log still has."""
        index = self.data.applied
        term = self.raft.log.term(index)
        return None if term is None else Snapshot(index, term, self.raft.configuration, self.data.image())

    def _snapshot_sent(self, peer: int, arrived: bool) -> None:
        self._catch_up()
        self.raft.report_snapshot(peer, arrived)
        self._settle()

    def _installed(self, snapshot: Snapshot) -> None:
        """The disk holds what a leader's snapshot brought: go on from there."""
        self.sim.record(self.name, "snapshot", index=snapshot.index, revision=self.data.store.revision)
        self.links.refresh()
        self.server.restored()
        self.rearm = True

    def _apply(self, entries: list[Entry]) -> None:
        store = self.data.store
        for entry in entries:
            before = store.revision
            if isinstance(entry.data, ConfChange):
                reconfigure.carry_out(self, entry.data)
            elif entry.data is not None:
                self.server.apply(entry.data)
            self.data.applied = entry.index
            if store.revision > before:
                self.diary.changes(store.last_changes())
        self.sim.record(self.name, "apply", index=entries[-1].index, revision=store.revision)
        self.server.applied(self.data.applied)

    # -- who leads -----------------------------------------------------------------------------------------------------
    def _observe(self) -> bool:
        """Note a change of role, term or leader, and tell the server of a new leader or of none."""
        raft = self.raft
        if (raft.role, raft.term, raft.lead) == (self.role, self.term, self.lead):
            return False
        old_role, old_lead = self.role, self.lead
        self.role, self.term, self.lead = raft.role, raft.term, raft.lead
        self.sim.record(self.name, "role", role=self.role, term=self.term, lead=self.leader)
        if (old_role, old_lead) != (self.role, self.lead):
            self.server.leadership(old_lead, self.lead)
        return True

    @property
    def leader(self) -> str | None:
        """The member that this one believes to lead."""
        return self.data.addresses.get(self.lead)


def members(sim: Sim, net: Network, hosts: Iterable[Host], params: Params | None = None) -> list[Member]:
    """A member on each host: etcd-1, etcd-2, …"""
    hosts = list(hosts)
    names = [f"etcd-{number}" for number in range(1, len(hosts) + 1)]
    return [Member(sim, net, host, name, names, params) for host, name in zip(hosts, names, strict=True)]
