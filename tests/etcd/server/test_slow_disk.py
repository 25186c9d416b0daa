"""A disk that stalls a member. Ticks and disk share one loop in etcd (server/etcdserver/raft.go, raftNode.start)."""

import pytest

from kubemini.sim.units import SECOND
from tests.worlds.etcd import World

STALL = 20


def stalled(seed=1, n=3):
    """A world whose leader writes for twenty seconds, from 4 s on; and that leader."""
    world = World(n, seed)
    assert world.put("etcd-1", "old").ok
    leader = world.leader
    leader.host.set_slow_disk(STALL * SECOND)
    world.client.put(leader.name, "lost in the stall")
    world.run(0.1)
    return world, leader


def status(world, member):
    world.client.ask(member.name, "status", {})
    reply, took = world.wait()
    assert reply.ok and took < 0.01
    return reply.value


def roles(world, member):
    return [(r.at / SECOND, r.detail["role"]) for r in world.sim.trace.of("role", member.name) if r.at > 4 * SECOND]


@pytest.mark.parametrize("seed", range(4))
def test_a_stalled_leader_names_itself_leader_for_the_whole_stall_and_another_leads_meanwhile(seed):
    world, old = stalled(seed)
    began = world.sim.now / SECOND
    for _ in range(9):
        world.run(2)
        assert (status(world, old)["leader"], status(world, old)["raftTerm"]) == (old.name, 1)
    new = next(m for m in world.members if m is not old and m.raft.role == "leader")
    at = min(t for t, role in roles(world, new) if role == "leader")
    assert 0.9 < at - began < 2.5, "an election timeout after the last heartbeat"
    assert not roles(world, old), "it has not heard of its end"
    old.host.set_slow_disk(0)
    world.run(4)
    [(ended, role)] = roles(world, old)
    assert role == "follower" and 19.8 < ended - began < 20.2 and status(world, old)["leader"] == new.name


def test_stale_reads_are_served_at_once_and_linearizable_ones_time_out_but_never_lie():
    world, old = stalled()
    world.run(4)
    assert world.put(next(m for m in world.members if m is not old).name, "new").ok
    world.client.get(old.name, serializable=True)
    reply, took = world.wait()
    assert reply.value["kvs"][0]["value"] == "old" and took < 0.01
    world.client.get(old.name)
    reply, took = world.wait()
    while world.client.replies[-1][0] != "range":  # the put of the stall ends too
        reply, took = world.wait()
    assert reply.error.message == "etcdserver: request timed out" and 6.9 < took < 7.6
    old.host.set_slow_disk(0)
    world.run(14)
    assert world.get(old.name) == "new"


def test_what_the_stalled_leader_was_writing_is_not_there_afterwards():
    world, old = stalled()
    world.run(8)
    [(*_, put)] = [reply for reply in world.client.replies if reply[2] > SECOND]
    assert put.error.message == "etcdserver: request timed out" and not put.error.definite
    old.host.set_slow_disk(0)
    world.run(20)
    assert {world.get(m.name, serializable=True) for m in world.members} <= {"old", "lost in the stall"}
    assert len({m.data.store.hash() for m in world.members}) == 1


def test_a_stalled_follower_takes_no_ticks_and_does_not_campaign():
    world = World(3)
    follower = world.followers[0]
    follower.host.set_slow_disk(STALL * SECOND)
    world.put(world.leader.name, "x")
    world.run(1)
    for other in world.members:
        if other is not follower:
            other.crash()
    world.run(15)
    assert not roles(world, follower)
    follower.host.set_slow_disk(0)
    world.run(9)
    assert [role for _, role in roles(world, follower)] == ["pre-candidate"]


def test_of_the_ticks_of_a_write_one_is_left():
    """So a leader beats once, at the end of it, and then in its old rhythm."""
    world = World(1)
    leader, tick = world.leader, world.leader.tick_length
    phase = leader.next_tick % tick
    before = leader.raft.elapsed
    leader.host.set_slow_disk(6 * SECOND + tick // 2)
    world.client.put(leader.name, "x")
    world.run(3.45)  # not a whole number of election timeouts, after which a leader counts anew
    assert leader.writing and leader.raft.elapsed in (before, before + 1)
    leader.host.set_slow_disk(0)
    world.run(4)
    assert leader.next_tick % tick == phase and not leader.writing
    assert world.get(leader.name) == "x"


def test_a_single_member_answers_linearizable_reads_when_its_disk_does():
    world = World(1)
    leader = world.leader
    leader.host.set_slow_disk(5 * SECOND)
    world.client.put(leader.name, "x")
    world.run(1)
    world.client.get(leader.name)
    world.wait()
    reply, took = world.wait()
    assert reply.value["kvs"][0]["value"] == "x" and 3.9 < took < 4.1
