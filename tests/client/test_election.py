"""Candidates for one Lease of a real API server: one acts, and what becomes of the Lease that it gives up."""

from itertools import product

import pytest

from kubemini.api.kinds import LEASE
from kubemini.api.objects import freeze
from kubemini.api.timestamps import instant, micro_timestamp, timestamp
from kubemini.client import Elector
from kubemini.client.election import record
from kubemini.sim.units import MS, SECOND
from tests.worlds.kube import World


@pytest.fixture
def world():
    return World()


def candidates(world, number=3, **more):
    """Candidates for one Lease; each acts every 100 ms for as long as it believes that it holds it."""
    acts = []

    def begin(program):
        program.elector = Elector(program.client, "prize", lambda: program.spawn(acting(program)), **more)
        program.elector.start()

    def acting(program):
        while program.elector.leading:
            acts.append((world.sim.now, program.name))
            yield program.timeout(100 * MS)

    for i in range(number):
        world.program(f"candidate-{i + 1}", begin=begin)
    return acts


def leaders(world):
    return [p for p in world.programs.values() if p.up and getattr(p, "elector", None) and p.elector.leading]


def test_one_of_three_wins_and_keeps_renewing(world):
    candidates(world)
    world.run(60)
    (leader,) = leaders(world)
    lease = world.ask(lambda c: c.get(LEASE, "prize", "kube-system")).value["spec"]
    assert lease["holderIdentity"].startswith(leader.name)
    assert world.sim.now - instant(lease["renewTime"]) < 3 * SECOND
    assert lease["leaseDurationSeconds"] == 15 and lease["leaseTransitions"] == 0


def test_after_a_crash_another_takes_over_within_13_to_22_seconds():
    """Two standbys, crash at any moment: mean 16.7 s, all in [13.1, 22.2] s. Twenty seeds."""
    took = []
    for seed in range(20):
        world = World(seed=seed)
        candidates(world)
        world.run(20 + seed * 0.2)
        (leader,) = leaders(world)
        crashed = world.sim.now
        leader.crash()
        world.run(25)
        (heir,) = leaders(world)
        took.append(world.sim.trace.of("holder", heir.name)[-1].at - crashed)
    assert min(took) >= 13.1 * SECOND and max(took) <= 22.2 * SECOND
    assert 15.7 * SECOND <= sum(took) / len(took) <= 17.7 * SECOND


def test_a_holder_that_is_cut_off_stops_before_anybody_else_begins():
    """renewDeadline < leaseDuration: never two at once, though nobody compares clocks."""
    for seed in range(10):
        world = World(seed=seed)
        acts = candidates(world)
        world.run(20 + seed * 0.21)
        (leader,) = leaders(world)
        world.net.cut([leader.host.name], ["cp-1"])
        world.run(40)
        first = [at for at, name in acts if name == leader.name]
        others = [at for at, name in acts if name != leader.name]
        assert others and max(first) < min(others)
        assert any("the program exits" in r.detail["text"] for r in world.sim.trace.of("note", leader.name))


RELEASES = {"releases": True}


def exits(world, name):
    return [(r.at, r.what) for r in world.sim.trace if r.actor == name and r.what in ("exit", "crash")]


def test_who_releases_is_followed_within_seconds_of_being_told_to_stop_and_who_does_not_after_fifteen():
    """Recorded: the scheduler's Lease empty, the next holder after 1.2 to 2.4 s; the manager's after 15 to 18 s."""
    took = {True: [], False: []}
    for seed, releases in product(range(10), (True, False)):
        world = World(seed=seed)
        candidates(world, releases=releases)
        world.run(20 + seed * 0.2)
        (leader,) = leaders(world)
        told = world.sim.now
        leader.elector.resign()
        world.run(0.1)
        lease = world.ask(lambda c: c.get(LEASE, "prize", "kube-system")).value["spec"]
        assert (lease["holderIdentity"] == "") is releases and lease["leaseTransitions"] == 0
        assert [what for _, what in exits(world, leader.name)] == ["exit"]
        world.run(25)
        (heir,) = leaders(world)
        lease = world.ask(lambda c: c.get(LEASE, "prize", "kube-system")).value["spec"]
        assert lease["holderIdentity"] == heir.elector.identity and lease["leaseTransitions"] == 1
        took[releases].append(world.sim.trace.of("holder", heir.name)[-1].at - told)
    assert max(took[True]) <= 4.5 * SECOND and 0.5 * SECOND <= sum(took[True]) / 10 <= 3 * SECOND
    assert min(took[False]) >= 13.1 * SECOND


@pytest.mark.parametrize(("releases", "after"), [(False, (8, 12.1)), (True, (13, 17.1))])
def test_who_releases_and_loses_the_lease_to_a_server_that_hangs_tries_that_first_for_five_seconds(releases, after):
    """Recorded: the controller-manager exits 10 to 12 s after the fault, the scheduler at 15 to 17 s."""
    for seed in range(5):
        world = World(seed=seed)
        candidates(world, 1, releases=releases)
        world.run(10 + seed * 0.4)
        world.servers[0].pause()
        since = world.sim.now
        world.run(20)
        ((at, what), *_) = exits(world, "candidate-1")
        assert what == "crash" and after[0] <= (at - since) / SECOND <= after[1]


def test_who_releases_and_loses_the_lease_to_a_server_that_refuses_exits_at_once():
    world = World()
    candidates(world, 1, **RELEASES)
    world.run(10)
    world.servers[0].crash()
    since = world.sim.now
    world.run(13)
    ((at, what), *_) = exits(world, "candidate-1")
    assert what == "crash" and 8 <= (at - since) / SECOND <= 12.1


def test_a_holder_that_is_told_to_stop_while_its_server_hangs_acts_no_more_and_gives_up_after_five_seconds(world):
    acts = candidates(world, 1, **RELEASES)
    world.run(10)
    world.servers[0].pause()
    (leader,) = leaders(world)
    told = world.sim.now
    leader.elector.resign()
    leader.elector.resign()
    world.run(12)
    ((at, what),) = exits(world, "candidate-1")
    assert what == "exit" and at - told == 5 * SECOND
    assert not leaders(world) and max(at for at, _ in acts) <= told


def test_a_standby_that_is_told_to_stop_leaves_the_lease_alone(world):
    candidates(world, 2, **RELEASES)
    world.run(10)
    (leader,) = leaders(world)
    standby = next(p for p in world.programs.values() if p is not leader and hasattr(p, "elector"))
    standby.elector.resign()
    world.run(20)
    assert not standby.up and leaders(world) == [leader]


def test_a_holder_that_cannot_write_exits_and_is_started_again(world):
    candidates(world, 1)
    world.run(10)
    world.servers[0].pause()
    world.run(15)
    whats = [r.what for r in world.sim.trace if r.actor == "candidate-1" and r.what != "connection"]
    assert whats == ["start", "holder", "note", "crash", "start"]


def test_a_stall_of_etcd_of_twelve_seconds_makes_the_holder_exit_and_one_of_nine_does_not():
    for stall, exits in ((12, 1), (9, 0)):
        world = World()
        candidates(world)
        world.run(20)
        (leader,) = leaders(world)
        world.etcd.pause()
        world.run(stall)
        world.etcd.resume()
        world.run(30)
        assert len(world.sim.trace.of("crash", leader.name)) == exits
        assert len(leaders(world)) == 1


def test_a_paused_holder_still_believes_when_it_wakes_but_its_renewals_fail():
    """There is no fencing: after a pause longer than the Lease it acts on, until the renew deadline ends it."""
    world = World()
    acts = candidates(world)
    world.run(20)
    (old,) = leaders(world)
    old.pause()
    world.run(30)
    (new,) = [p for p in leaders(world) if p is not old]
    woken = world.sim.now
    old.resume()
    world.run(20)
    after = [at for at, name in acts if name == old.name and at > woken]
    assert after and max(after) <= woken + 13 * SECOND
    assert leaders(world) == [new]


def test_a_crashed_holder_is_a_stranger_when_it_returns(world):
    """Another process, another identity: it waits for its own old Lease to run out, as everybody does."""
    candidates(world, 1)
    world.run(10)
    candidate = world.programs["candidate-1"]
    candidate.crash()
    crashed = world.sim.now
    candidate.start()
    world.run(30)
    first, second = world.sim.trace.of("holder", "candidate-1")
    assert 15 * SECOND <= second.at - crashed <= 20 * SECOND and first.at < crashed


def test_a_standby_only_reads(world):
    """Three candidates: one PUT every two seconds, and a GET every two to four from each standby."""
    candidates(world)
    world.run(10)
    revision = world.etcd.data.store.revision
    world.run(60)
    assert 29 <= world.etcd.data.store.revision - revision <= 31


def test_a_renewal_keeps_who_and_since_when():
    old = freeze({"spec": record(None, "a", 15 * SECOND, 0)})
    kept = record(old, "a", 15 * SECOND, 2 * SECOND)
    assert (kept["acquireTime"], kept["leaseTransitions"]) == (micro_timestamp(0), 0)
    taken = record(old, "b", 15 * SECOND, 20 * SECOND)
    assert (taken["acquireTime"], taken["leaseTransitions"]) == (micro_timestamp(20 * SECOND), 1)


def test_instants_are_written_as_kubernetes_writes_them():
    assert timestamp(1_999_999) == "2026-01-01T00:00:01Z"
    assert micro_timestamp(1_304_000) == "2026-01-01T00:00:01.304000Z"
    assert instant(micro_timestamp(123_456_789)) == 123_456_789 and instant(timestamp(5 * SECOND)) == 5 * SECOND
