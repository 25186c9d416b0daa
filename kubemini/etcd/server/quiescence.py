"""Rest: the heartbeats of a quiet cluster are not simulated, and yet they have been sent.

Theory of operation
===================
**Why.** A cluster in which nothing happens still says 2 (n - 1) heartbeats and answers ten times a second:
315 million a year for one etcd of three. While a leader and its followers agree on everything, such a
round changes only how often and how lately they heard of each other. So it need not be simulated, only
counted.

**Falling asleep.** A leader whose tick has come asks `try_rest`. It rests if every follower that can be
reached follows it in its term, has its whole log, has nothing under way (`_follows`), if those are a
quorum, and if nothing is left to chance: no packet is being lost, a round trip is shorter than a heartbeat
interval. From then on neither its timer nor theirs is set (`Driver.resting`).

**Waking up.** Whoever is about to make a difference, or to read what would tell the difference (a command,
a message, a request, a crash), calls `Sim.end_rests` first. `Rest.end` then counts the rounds that are over:
packets sent on each link, ticks and timers of every member (`_count`). A round that is under way at this
very instant cannot be counted half: the members run it themselves, in the past, before what is happening
now goes on (`Sim.replay`).

**Why the result is the same.** Invariant: the trace of every change, and the state at every waking, are
those of the full run. A round depends on nothing but its number, for its latencies are drawn by number
(`sim/chance.py`), and it is over before the next one begins. Events of one instant are ordered by what they
are, never by when they were scheduled, so nobody can tell when a timer was set. And no timer can fire
meanwhile: a follower hears of its leader more often than its shortest timeout, the leader of its followers
between any two checks of the quorum. Random stories told both ways hold this (tests/etcd/server/test_quiescence).

Simplified: nothing is left out while packets are lost, a clock is skewed, a round trip is longer than a heartbeat
interval, or a member that is sent heartbeats does not answer them (it stands still, lags behind, is heard by nobody).
"""

from collections.abc import Callable
from functools import partial

from kubemini.etcd.raft import quorum
from kubemini.etcd.raft.messages import FOLLOWER
from kubemini.etcd.raft.progress import REPLICATE
from kubemini.etcd.server.driver import Driver
from kubemini.host import Timer
from kubemini.sim.engine import TIMER
from kubemini.wire.network import HEARTBEAT

SHORTEST_TIMEOUT = 3  # ticks: a heartbeat, the phase of the follower's clock, and the journey


class Rest:
    """*leader* and *followers* rest from its tick at *first* on; the *deaf* are peers that heartbeats do not reach."""

    def __init__(self, leader: Driver, followers: list[Driver], deaf: list[str], round_trip: int):
        self.leader, self.followers, self.deaf, self.round_trip = leader, followers, deaf, round_trip
        self.first = leader.next_tick
        for member in (leader, *followers):
            member.resting = True
        leader.sim.resting.append(self)

    def end(self) -> None:
        """Make everything as if no tick had been left out."""
        leader, sim = self.leader, self.leader.sim
        for member in (leader, *self.followers):
            member.resting = False
        rounds = self._ticks_so_far()
        latest = self.first + (rounds - 1) * leader.tick_length
        under_way = rounds > 0 and sim.now <= latest + self.round_trip
        if rounds > under_way:
            self._count(rounds - under_way)
        self._rearm_followers()
        if under_way:
            sim.replay(latest, leader.clock_priority, partial(leader.enter, leader.run_tick, ()))
        else:
            _rearm(leader)

    def _ticks_so_far(self) -> int:
        """How many of the leader's ticks come before what is happening now."""
        leader, sim = self.leader, self.leader.sim
        ticks, since = divmod(sim.now - self.first, leader.tick_length)
        return ticks + (since > 0 or sim.reached >= leader.clock_priority)

    def _count(self, rounds: int) -> None:
        """*rounds* of heartbeats have been sent, heard and answered."""
        leader, net = self.leader, self.leader.net
        sent = self.first + (rounds - 1) * leader.tick_length
        for follower in self.followers:
            there, back = net.channel(leader, follower.name), net.channel(follower, leader.name)
            there.sent[HEARTBEAT] += rounds
            back.sent[HEARTBEAT] += rounds
            _skip_following(follower, sent + net.latency(there, HEARTBEAT, there.sent[HEARTBEAT] - 1))
        for name in self.deaf:
            deaf = net.channel(leader, name)
            deaf.sent[HEARTBEAT] += rounds
            if deaf.cut is not None and deaf.destination.up:
                deaf.cut.beats(deaf.ends, self.first, net.room, rounds, leader.tick_length)
        net.packets += rounds * (2 * len(self.followers) + len(self.deaf))
        leader.next_tick = sent + leader.tick_length
        leader.raft.skip_leading(rounds, {leader.id, *(follower.id for follower in self.followers)})

    def _rearm_followers(self) -> None:
        """One alarm wakes all whose timers went off meanwhile, in time for each to see to itself."""
        fired = [follower for follower in self.followers if follower.timer is None]
        if fired:
            instant = min(follower.due() for follower in fired) - 1
            self.leader.sim.at(instant, TIMER, _ring, tuple(_shared_alarm(f, instant) for f in fired))


def _skip_following(follower: Driver, until: int) -> None:
    """The leader has been heard again and again, the last time at the instant *until*."""
    ticks = max(0, -(-(until - follower.next_tick) // follower.tick_length))
    follower.next_tick += ticks * follower.tick_length
    follower.raft.skip_following(ticks)


def _rearm(leader: Driver) -> None:
    """Be woken again, at the next tick that acts."""
    if leader.timer is None:
        leader.arm()


def _shared_alarm(follower: Driver, instant: int) -> Callable[[], None]:
    """What wakes *follower* at *instant*, which is before its next tick that acts."""
    follower.wake_at, follower.timer = instant, Timer()
    return partial(follower._fire, follower.timer, follower.incarnation, follower.wake, ())


def _ring(*wakes: Callable[[], None]) -> None:
    for wake in wakes:
        wake()


def try_rest(leader: Driver) -> bool:
    """Whether *leader*, whose tick has come, rests from now on."""
    if not _may_rest(leader):
        return False
    followers: list[Driver] = []
    deaf, round_trip = [], 0
    for id in leader.raft.peers:
        peer = _heard_by(leader, id)
        if peer is None:
            continue
        channel = leader.net.channel(leader, peer.name)
        round_trip = max(round_trip, 2 * channel.longest)
        if round_trip >= leader.tick_length:
            return False
        if not (peer.up and leader.net.reachable(*channel.pair)):
            deaf.append(peer.name)
        elif _follows(leader, peer):
            followers.append(peer)
        else:
            return False
    answering = {member.id: True for member in (leader, *followers)}
    if quorum.verdict(leader.raft.configuration.majorities, answering) != quorum.WON:
        return False
    Rest(leader, followers, deaf, round_trip)
    return True


def _heard_by(member: Driver, id: int) -> Driver | None:
    """The member that hears what *member* sends to *id*, if there is one."""
    channel = member.links.channel(id)
    found = channel.destination if channel is not None else None
    return found if isinstance(found, Driver) else None


def _may_rest(leader: Driver) -> bool:
    raft = leader.raft
    return (
        raft.commit == raft.last_index
        and not raft.transferee
        and raft.read_requests.none
        and raft.config.heartbeat_tick == 1
        and raft.config.election_tick >= SHORTEST_TIMEOUT
        and leader.id in leader.membership.members
        and leader.sim is leader.net.sim
        and not any(leader.net.losses.values())
    )


def _follows(leader: Driver, peer: Driver) -> bool:
    """Whether *peer*'s answer to a heartbeat is certain, and no news."""
    if not peer.serving or peer.paused or not peer.idle or _heard_by(peer, leader.id) is not leader:
        return False
    if peer.sim is not peer.net.sim:  # its ticks are not those of others
        return False
    if peer.id not in leader.raft.progress:  # somebody else at that address, who was removed
        return False
    raft, follower, progress = leader.raft, peer.raft, leader.raft.progress[peer.id]
    return (
        (follower.role, follower.term, follower.lead) == (FOLLOWER, raft.term, leader.id)
        and progress.match == raft.log.last_index
        and (progress.state, progress.active, progress.paused) == (REPLICATE, True, False)
        and peer.due() > leader.next_tick + leader.tick_length
        and leader.net.reachable(peer.host.name, leader.host.name)
        and not leader.net.channel(leader, peer.name).has_datagrams(leader.sim.now)
        and not leader.net.channel(peer, leader.name).has_datagrams(leader.sim.now)
    )
