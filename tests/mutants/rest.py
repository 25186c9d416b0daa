"""Faults of rest (etcd/server/quiescence.py), one line each: ``python -m tests.mutants.rest [NAME…]`` plants them.

Each must make some story differ between its full and its quiescent telling, one of `test_quiescence` or a random one
of `worlds/quiet`. Some faults are not in the mechanism but in what it rests on: chance that is counted, and the
canonical order of what happens at one instant.
"""

import sys

from tests.mutants.mutant import Mutant, try_all

STORIES = 120  # tried before a fault counts as unnoticed
REST, MEMBER, RAFT = "etcd.server.quiescence", "etcd.server.driver", "etcd.raft.raft"

MUTANTS = (
    Mutant("tick-too-many", "counts a tick that is still to come", REST, "return ticks + (", "return ticks + 1 + ("),
    Mutant(
        "tick-of-now-forgotten",
        "forgets the tick of this very instant",
        REST,
        "(since > 0 or sim.reached >= leader.clock_priority)",
        "(since > 0)",
    ),
    Mutant(
        "tick-of-now-too-early",
        "counts the tick of this instant before its turn",
        REST,
        "(since > 0 or sim.reached >= leader.clock_priority)",
        "1",
    ),
    Mutant(
        "under-way-counts-as-done",
        "takes a round that is under way for complete",
        REST,
        "under_way = rounds > 0 and",
        "under_way = False and",
    ),
    Mutant(
        "no-round-trip",
        "takes an answer that is under way for received",
        REST,
        "round_trip = max(round_trip, 2 * channel.longest)",
        "round_trip = max(round_trip, channel.longest)",
    ),
    Mutant(
        "phase-lost",
        "hears heartbeats when they are sent",
        REST,
        "_skip_following(follower, sent + ",
        "_skip_following(follower, sent + 0 * ",
    ),
    Mutant(
        "last-heartbeat-forgotten",
        "hears of the last heartbeat but one",
        REST,
        "there.sent[HEARTBEAT] - 1)",
        "there.sent[HEARTBEAT] - 2)",
    ),
    Mutant(
        "answers-uncounted", "does not number the answers", REST, "            back.sent[HEARTBEAT] += rounds\n", ""
    ),
    Mutant(
        "deaf-uncounted",
        "does not number what is sent to the deaf",
        REST,
        "deaf.sent[HEARTBEAT] += rounds",
        "pass",
    ),
    Mutant("packets-uncounted", "does not count packets", REST, "net.packets += rounds", "net.packets += 0 * rounds"),
    Mutant(
        "leader-stands",
        "leaves the leader's clock where it was",
        REST,
        "leader.next_tick = sent + leader.tick_length",
        "pass",
    ),
    Mutant("never-wound-up", "wakes nobody whose timer went off", REST, "        self._rearm_followers()\n", ""),
    Mutant(
        "wound-up-late",
        "wakes followers after their time",
        REST,
        "for follower in fired) - 1",
        "for follower in fired) + 10**5",
    ),
    Mutant(
        "lagging-followers",
        "rests with followers that lack entries",
        REST,
        "progress.match == raft.log.last_index",
        "progress.match <= raft.log.last_index",
    ),
    Mutant("unsettled-followers", "rests with followers that have work to do", REST, "or not peer.idle or", "or"),
    Mutant(
        "impatient-followers",
        "rests with followers that are about to campaign",
        REST,
        "        and peer.due() > leader.next_tick + leader.tick_length\n",
        "",
    ),
    Mutant("paused-followers", "rests with followers that stand still", REST, "or peer.paused or", "or"),
    Mutant(
        "unheard-followers",
        "rests with followers that are not heard",
        REST,
        "        and leader.net.reachable(peer.host.name, leader.host.name)\n",
        "",
    ),
    Mutant("loss-ignored", "rests while packets are lost", REST, "and not any(leader.net.losses.values())", ""),
    Mutant(
        "long-journeys",
        "rests though rounds overlap",
        REST,
        "        if round_trip >= leader.tick_length:\n            return False\n",
        "",
    ),
    Mutant(
        "journeys-unfinished",
        "rests while something is under way",
        "wire.network",
        "return self.last[False] > now",
        "return False",
    ),
    Mutant("no-quorum", "rests without a quorum", REST, "answering) != quorum.WON", "answering) is None"),
    Mutant(
        "unheard-of-followers",
        "rests with followers not heard of since the quorum was checked",
        REST,
        "(REPLICATE, True, False)",
        "(REPLICATE, progress.active, False)",
    ),
    Mutant(
        "reads-forgotten", "rests while a read waits for heartbeats", REST, "        and raft.read_requests.none\n", ""
    ),
    Mutant("transfer-forgotten", "rests while it hands over", REST, "        and not raft.transferee\n", ""),
    Mutant(
        "election-clock-stands",
        "does not turn its own election timer",
        RAFT,
        "self.elapsed = elapsed % self.config.election_tick",
        "pass",
    ),
    Mutant(
        "nobody-falls-silent",
        "never notices who has fallen silent",
        RAFT,
        "(progress.active and not checked)",
        "progress.active",
    ),
    Mutant(
        "follower-hears-nothing",
        "lets followers' timers run on",
        RAFT,
        "        self.elapsed = 0\n        self.heartbeat_elapsed += ticks",
        "        self.heartbeat_elapsed += ticks",
    ),
    Mutant(
        "sleeps-through-messages",
        "sleeps through a message",
        MEMBER,
        "        if self.resting:\n            self.sim.end_rests()\n        late",
        "        late",
    ),
    Mutant(
        "sleeps-through-starts",
        "sleeps through a member's start",
        MEMBER,
        "    def start(self) -> None:\n        self.sim.end_rests()\n",
        "    def start(self) -> None:\n",
    ),
    Mutant(
        "sleeps-through-deeds",
        "sleeps through commands and faults",
        "sim.engine",
        "        self.end_rests()\n        act(*args)",
        "        act(*args)",
    ),
    Mutant(
        "forgets-the-instant",
        "loses track of what has happened at this instant",
        "sim.engine",
        "                self.reached = priority\n            elif",
        "                self.reached = 0\n            elif",
    ),
    Mutant(
        "replays-too-far",
        "runs a round under way beyond the present",
        "sim.engine",
        "queue[0][:2] < (now, reached)",
        "queue[0][0] <= now",
    ),
    Mutant(
        "insertion-order-of-deliveries",
        "orders simultaneous deliveries by when they were sent",
        "wire.network",
        "channel.priorities[purpose] + n, act",
        "DELIVERY, act",
    ),
    Mutant(
        "insertion-order-of-timers",
        "orders a member's tick among its timers by when it was set",
        MEMBER,
        "self.wake, key=0)",
        "self.wake)",
    ),
    Mutant(
        "sequential-luck",
        "draws latencies in the order of sending",
        "wire.network",
        "channel.draws[purpose].u(n)",
        "channel.draws[0].u(self.packets)",
    ),
)


def first_difference(mutant: Mutant) -> str:
    """The first story that is told otherwise in full than quiescent, as it is with *mutant*."""
    from tests import panics
    from tests.etcd.server import test_quiescence
    from tests.worlds import quiet

    panics.are_failures()
    for sentence in test_quiescence.SENTENCES:
        try:
            sentence()
        except AssertionError as error:
            return f"{getattr(sentence, '__name__', sentence)}: {error}".splitlines()[0]
    return next((told for seed in range(STORIES) if (told := quiet.difference(seed)[0])), "")


if __name__ == "__main__":
    sys.exit(try_all("tests.mutants.rest", MUTANTS, sys.argv[1:], first_difference))
