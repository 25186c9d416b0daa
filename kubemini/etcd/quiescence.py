"""Rest: the heartbeats of a quiet cluster are not simulated, and yet they have been sent.

While a leader and its followers agree on everything, a round of heartbeats changes only how often and how lately they
heard of each other. So the leader leaves its ticks out, and whoever is about to make a difference wakes it first
(`Sim.rouse`): the rounds that are complete are counted, one that is under way is run by the members themselves.
Invariant: the trace of every change, and the state at every waking, are those of the full run. For a round depends on
nothing but its number (`sim/chance.py`) and is over before the next one begins; simultaneous events are ordered by what
they are; and no timer can fire meanwhile: a follower hears of its leader more often than its shortest timeout, the
leader of its followers between any two checks of the quorum.
Simplified: nothing is left out while packets are lost, a round trip is longer than a heartbeat interval, or a member
that is sent heartbeats does not answer them (it stands still, lags behind, is heard by nobody).
"""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from kubemini.etcd import quorum
from kubemini.etcd.messages import FOLLOWER
from kubemini.etcd.progress import REPLICATE
from kubemini.net.network import HEARTBEAT
from kubemini.sim.kernel import TIMER

if TYPE_CHECKING:
    from kubemini.etcd.member import Member

SHORTEST_TIMEOUT = 3  # ticks: a heartbeat, the phase of the follower's clock, and the journey


class Rest:
    """*leader* and *followers* rest from its tick at *first* on; the *deaf* are peers that heartbeats do not reach."""

    def __init__(self, leader: "Member", followers: list["Member"], deaf: list[str], round_trip: int):
        self.leader, self.followers, self.deaf, self.round_trip = leader, followers, deaf, round_trip
        self.first = leader.next_tick
        for member in (leader, *followers):
            member.rest = self
        leader.sim.resting.append(self)

    def end(self) -> None:
        """Make everything as if no tick had been left out."""
        leader, sim = self.leader, self.leader.sim
        for member in (leader, *self.followers):
            member.rest = None
        rounds = self._ticks_so_far()
        latest = self.first + (rounds - 1) * leader.tick_length
        under_way = rounds > 0 and sim.now <= latest + self.round_trip
        if rounds > under_way:
            self._count(rounds - under_way)
        self._wind_up()
        if under_way:
            sim.replay(latest, leader.clock_priority, partial(leader.enter, leader.take_tick, ()))
        else:
            leader.wind_up()

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
            follower.listened(sent + net.latency(there, HEARTBEAT, there.sent[HEARTBEAT] - 1))
        for name in self.deaf:
            net.channel(leader, name).sent[HEARTBEAT] += rounds
        net.packets += rounds * (2 * len(self.followers) + len(self.deaf))
        leader.next_tick = sent + leader.tick_length
        leader.raft.led(rounds, {leader.id, *(follower.id for follower in self.followers)})

    def _wind_up(self) -> None:
        """One alarm wakes all whose timers went off meanwhile, in time for each to see to itself."""
        unwound = [follower for follower in self.followers if follower.unwound]
        if unwound:
            instant = min(follower.due() for follower in unwound) - 1
            self.leader.sim.at(instant, TIMER, _ring, tuple(f.share_alarm(instant) for f in unwound))


def _ring(*wakes: Callable[[], None]) -> None:
    for wake in wakes:
        wake()


def rest(leader: "Member") -> bool:
    """Whether *leader*, whose tick has come, rests from now on."""
    if not _may_rest(leader):
        return False
    followers: list[Member] = []
    deaf, round_trip = [], 0
    for id in leader.raft.peers:
        peer = leader.correspondent(id)
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


def _may_rest(leader: "Member") -> bool:
    raft = leader.raft
    return (
        raft.commit == raft.last_index
        and not raft.transferee
        and raft.read_requests.none
        and raft.config.heartbeat_tick == 1
        and raft.config.election_tick >= SHORTEST_TIMEOUT
        and leader.id in leader.membership.members
        and not any(leader.net.losses.values())
    )


def _follows(leader: "Member", peer: "Member") -> bool:
    """Whether *peer*'s answer to a heartbeat is certain, and no news."""
    if not peer.serving or peer.paused or not peer.settled or peer.correspondent(leader.id) is not leader:
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
