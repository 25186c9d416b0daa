"""The driver: it gives the pure Raft machine a clock, a disk and a wire.

Theory of operation
===================
`raft.Raft` decides, and asks for effects in a `Ready`: entries to write, messages to send, entries to
apply. One loop per member carries them out (`process_ready`), as etcd's raftNode does, and everything
that can happen to a member comes into that loop: a message (`receive`), a tick (`wake`), a wish of a
client (`propose`, `ask_read_index`), the end of a write (`_written`).

**Order.** Persist, send, apply. What a message promises (a vote, "I have it") is on disk before the
message leaves; the machine marks such messages as promises. A leader whose promises are all to itself
sends before its own write (thesis §10.2.1): its own copy counts when its own disk has it.

**One write at a time.** While a write is under way (`writing`) messages are stepped, but their effects
wait: nothing is sent or applied, no tick is taken, and `role`, `term`, `lead` say what the loop last
took from Raft, not what Raft has learned since. So a leader with a stalled disk names itself leader for
as long as the stall lasts, while the others have long elected another; it does no harm, for what it
would have to say is not sent. Of the ticks that come due meanwhile one waits (Go's Ticker keeps no
more), the rest is lost.

**Ticks are counted, not simulated.** Most ticks only count up; so a member sleeps until the tick that
acts (`due`) and makes up for the ones before it when anything happens (`catch_up`). A heartbeat moves
`due` away, so a timer may fire too early: it looks, and sleeps on. Invariant: no effect of a tick is
ever late, and `catch_up` comes before every step.

**A proposal needs a leader.** Until there is one, a client's waits in the server, a peer's in `unled`.

**Above the driver** stands the server. It is told through four callables (`Above`) and may ask for more
while it is told; what it asks for is carried out when the present `Ready` is done (`_busy`). Nothing
here knows what an entry means. In a quiescent run the member hooks `quiescence.try_rest` in: a leader
may then leave out ticks that would change nothing.

Models etcd server/etcdserver raftNode.start. What is on disk is in `datadir.py`.
Simplified: a crash keeps exactly what was fsynced; a snapshot is one message, and one write.
"""

from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

from kubemini.etcd.raft.log import Entry, LogLost, Snapshot
from kubemini.etcd.raft.messages import HEARTBEATS, LEADER, PROPOSAL, Config, Message, Ready
from kubemini.etcd.raft.raft import Raft
from kubemini.etcd.server.datadir import DataDir
from kubemini.etcd.server.links import Links, Peer
from kubemini.etcd.server.membership import GONE
from kubemini.etcd.server.tracing import Tracer, Tracing
from kubemini.host import Host, Timer
from kubemini.params import Params
from kubemini.sim import Sim
from kubemini.sim.engine import TIMER
from kubemini.wire import Network
from kubemini.wire.network import HEARTBEAT, MESSAGE, Channel

MOST_UNLED = 4096  # maxPendingProposals of rafthttp's peer


class Above(NamedTuple):
    """Who is told what the driver brings about."""

    apply: Callable[[list[Entry]], None]  # committed entries: they may change the store, and who is a member
    confirmed: Callable[[Any, int], None]  # (context, index): a read that was asked for may use that index
    leadership: Callable[[int, int], None]  # (old, new): this member's role or its leader has changed (0: none known)
    restored: Callable[[], None]  # the store has jumped to a leader's snapshot


class Driver(Peer):
    """What every incarnation of a member has below its server. `drive` begins one."""

    raft: Raft
    links: Links
    tracing: Tracing

    def __init__(self, sim: Sim, net: Network, host: Host, name: str, params: Params | None):
        self.params = params or net.params
        self.serving = False
        self.tick_length = self.params.etcd_heartbeat_interval
        self.election_ticks = self.params.etcd_election_timeout // self.tick_length
        self._timeouts = sim.draws(f"raft/{name}/timeout")
        self._phases = sim.draws(f"raft/{name}/phase")
        self._draws = 0
        self.resting = False
        self.try_rest: Callable[[Driver], bool] | None = None  # hooked in for a quiescent run
        super().__init__(sim, net, host, name)
        self.tracer = self._shared_tracer()
        self.tracer.peers.append(self)
        self.clock_priority = TIMER + (self.index << 62)  # of its ticks, before its other timers of that instant
        net.watchers.append(self._reachability_changed)

    def _shared_tracer(self) -> Tracer:
        """The tracer of whoever is on this network already; the first one makes it."""
        others = (other for other in self.net.components.values() if isinstance(other, Driver) and other is not self)
        first = next(others, None)
        return Tracer() if first is None else first.tracer

    def _reachability_changed(self) -> None:
        if self.up and self.serving:
            self.links.refresh()

    def drive(self, data: DataDir) -> None:
        """Prepare an incarnation that goes on from *data*; `go` begins it."""
        self.data = data
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

    def go(self, above: Above) -> None:
        """Count ticks and tell *above* from now on; `process_ready` is the first thing to do."""
        self.above = above
        self.writing = self._busy = False
        self.unled: deque[Message] = deque(maxlen=MOST_UNLED)  # peers' proposals
        self.due_is_nearer = False  # whether this member may have got the right to ask for votes
        self.role, self.term, self.lead = "", 0, 0  # as last taken from Raft, which may know more by now
        self.tracing = Tracing(self, self.tracer)
        self.next_tick = self.sim.now + self._phases.between(self.incarnation, 1, self.tick_length)
        self.timer: Timer | None = None
        self.wake_at = self._recorded_due = 0
        self._timer_since = self.sim.now
        self._observe()
        self.tracing.begin()

    @property
    def leader(self) -> str | None:
        """Whom this one believes to lead."""
        return self.data.addresses.get(self.lead)

    def start(self) -> None:
        self.sim.end_rests()
        super().start()

    def stop(self, how: str) -> None:
        self.sim.end_rests()
        super().stop(how)

    def pause(self) -> None:
        if self.up and self.serving and not self.paused:
            self.catch_up()
        super().pause()

    def resume(self) -> None:
        if self.up and self.serving and self.paused:  # ticks that nobody took are lost, as with Go's Ticker
            late = max(0, self.sim.now - self.next_tick)
            self.next_tick += -(-late // self.tick_length) * self.tick_length
        super().resume()

    def urgency(self, waiting: tuple[Callable, tuple]) -> int:
        """Peers' terms and logs come first: who hung passes what waited on to its successor, as real ones do."""
        from_peer = waiting[0] == self.receive and getattr(waiting[1][1], "type", "") != PROPOSAL
        return 0 if from_peer else 1

    # -- time ------------------------------------------------------------------------------------
    def _draw_timeout(self, number: int) -> int:
        """A randomized election timeout, in ticks; the draws of a dead incarnation are not drawn again."""
        self._draws += 1
        return self._timeouts.between(self._draws, self.election_ticks, 2 * self.election_ticks - 1)

    def catch_up(self) -> None:
        """Count the ticks before this instant; each of them did nothing else."""
        if self.resting:
            self.sim.end_rests()
        late = self.sim.now - self.next_tick
        if late > 0 and not self.writing:
            ticks = -(-late // self.tick_length)
            self.raft.skip(ticks)
            self.next_tick += ticks * self.tick_length

    def due(self) -> int:
        """The instant of the next tick that acts."""
        return self.next_tick + (self.raft.ticks_to_action() - 1) * self.tick_length

    def arm(self) -> None:
        """Wake at the next tick that acts; a timer that has become too early finds out when it fires."""
        due = self.due()
        if self.writing and due <= self.sim.now:
            return  # when the disk has answered
        if due != self._recorded_due and not self.sim.quiescent and self.raft.role != LEADER and self.raft.promotable:
            self._recorded_due = due
            timeout = self.raft.timeout * self.tick_length
            self.sim.record(self.name, "timer", since=self._timer_since, until=due, timeout=timeout)
        if self.timer is None or due < self.wake_at:
            if self.timer is not None:
                self.timer.cancel()
            self.wake_at = due
            self.timer = self.after(due - self.sim.now, self.wake, key=0)

    def wake(self) -> None:
        self.timer = None
        if self.writing:
            return  # `_written` takes the tick
        if self.resting or (self.try_rest is not None and self.raft.role == LEADER and self.try_rest(self)):
            return
        self.catch_up()
        self._timer_since = self.next_tick - (1 + self.raft.elapsed) * self.tick_length
        if self.due() <= self.sim.now:
            self.run_tick()
        else:
            self.process_ready()

    def run_tick(self) -> None:
        """The tick that is due, and what it leads to."""
        self.raft.tick()
        self.next_tick += self.tick_length
        self.process_ready()

    # -- in --------------------------------------------------------------------------------------
    def receive(self, source: str, payload: Any) -> None:
        """A message of a peer's Raft; one that was removed is told so instead of being heard."""
        if not self.serving or (payload is not GONE and payload.target != self.data.id):
            return  # or for somebody else at this address (rafthttp: ID mismatch)
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
        if payload.type == PROPOSAL and not raft.lead:
            self.unled.append(payload)
            return
        if self.sim.now > self.next_tick or self.resting:
            self.catch_up()
        self._timer_since = self.next_tick - (1 + raft.elapsed) * self.tick_length
        if not self.writing and raft.step_heartbeat(payload):
            if raft.messages:
                self._send(raft.take_messages())
        else:
            try:
                raft.step(payload)
            except LogLost as lost:  # etcd-io/raft panics, and the process with it
                self.exit(f"panic: {lost}")
                return
            self.process_ready()

    def propose(self, command: Any) -> bool:
        """Bring *command* to the leader; False if it was dropped at once."""
        self.catch_up()
        accepted = self.raft.propose(command)
        self.process_ready()
        return accepted

    def transfer_leader(self, target: int) -> None:
        """Wish for member *target* to lead."""
        self.catch_up()
        self.raft.transfer_leader(target)
        self.process_ready()

    def ask_read_index(self, context: Any) -> None:
        """Ask the leader, if there is one, for an index fit for a linearizable read; see `Server.confirmed`."""
        self.catch_up()
        self.raft.read_index(context)
        self.process_ready()

    # -- out: persist, send, apply ---------------------------------------------------------------
    def process_ready(self) -> None:
        """Carry out whatever the machine has decided, then sleep until its next tick that matters."""
        if self._busy:
            return  # what the server asks for while it is told of effects is carried out by the loop below
        self._busy = True
        raft = self.raft
        changed = not self.writing and self._observe()
        while not self.writing:
            if raft.promises and raft.keep_promises():
                changed = self._observe() or changed
            elif raft.has_work():
                self._execute(raft.ready())
                changed = self._observe() or changed
            else:
                if raft.messages:
                    self._send(raft.take_messages())
                break
        self._busy = False
        if changed or self.due_is_nearer or self.timer is None:  # else the next tick that acts can only have moved away
            self.due_is_nearer = False
            self.arm()

    @property
    def idle(self) -> bool:
        """Whether all that was ever proposed is applied, and nothing is on its way to the disk or to others."""
        log = self.raft.log
        return log.last_index == log.commit == log.applied and not self.writing and not self.raft.has_ready()

    def _execute(self, ready: Ready) -> None:
        early = self.raft.role == LEADER and all(promise.target == self.id for promise in ready.promises)
        if ready.snapshot is None:  # else it comes first, when it is on disk
            self.tracing.progress(ready)
        if early:
            self._send(ready.messages)
        if ready.must_sync or ready.snapshot is not None:
            self.writing = True
            self.host.disk.fsync(self, self._written, ready, early)
        else:
            self._finish(ready, early)

    def _written(self, ready: Ready, sent: bool) -> None:
        self._busy = True  # what the server asks for meanwhile waits until this has been carried out
        late = self.sim.now - self.next_tick
        if late >= 0:
            self.next_tick += (1 + late // self.tick_length) * self.tick_length
        self.writing = False
        self._finish(ready, sent)
        if late >= 0:  # of the ticks during the write one has waited, as Go's Ticker keeps no more
            self.raft.tick()
        self._busy = False
        self.process_ready()

    def _finish(self, ready: Ready, sent: bool) -> None:
        self.data.write(ready)
        if ready.snapshot is not None:
            self._installed(ready.snapshot)
            self.tracing.progress(ready)
        if not sent:
            self._send(ready.messages)
        if ready.committed:
            self.above.apply(ready.committed)
        self.raft.advance(ready)
        for context, index in ready.reads:
            self.above.confirmed(context, index)
        if self.data.applied - self.data.snapshot_index > self.params.etcd_snapshot_count:
            self._compact_log()

    def _observe(self) -> bool:
        """Note a change of role, term or leader, and tell the server of a new leader or of none."""
        raft = self.raft
        if (raft.role, raft.term, raft.lead) == (self.role, self.term, self.lead):
            return False
        old_role, old_lead = self.role, self.lead
        self.role, self.term, self.lead = raft.role, raft.term, raft.lead
        self.sim.record(self.name, "role", role=self.role, term=self.term, lead=self.leader)
        if (old_role, old_lead) != (self.role, self.lead):
            self.above.leadership(old_lead, self.lead)
        while self.lead and self.unled:
            raft.step(self.unled.popleft())
        return True

    def _send(self, messages: list[Message]) -> None:
        links, transmit = self.links, self.net.transmit
        for message in messages:
            channel = links.channels.get(message.target) or links.channel(message.target)
            if channel is None:
                continue
            if message.type in HEARTBEATS:
                transmit(channel, HEARTBEAT, channel.arrive, (self.name, message))
            else:
                self._tell(channel, message)

    def _tell(self, channel: Channel, message: Message) -> None:
        name, sim = self.name, self.sim
        arrives = self.net.transmit(channel, MESSAGE, channel.arrive, (name, message))
        if message.snapshot is not None:
            wait = self.params.etcd_snapshot_send_timeout if arrives is None else arrives - self.net.sim.now
            self.after(wait, self._snapshot_sent, message.target, arrives is not None)
        sim.record(name, "message", to=channel.destination.name, type=message.type, term=message.term, arrives=arrives)

    # -- snapshots -------------------------------------------------------------------------------
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
        self.catch_up()
        self.raft.report_snapshot(peer, arrived)
        self.process_ready()

    def _installed(self, snapshot: Snapshot) -> None:
        """The disk holds what a leader's snapshot brought: go on from there."""
        self.sim.record(self.name, "snapshot", index=snapshot.index, revision=self.data.store.revision)
        self.links.refresh()
        self.above.restored()
        self.due_is_nearer = True
