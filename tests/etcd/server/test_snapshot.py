"""The log is cut short, and who fell behind gets a snapshot instead (paper §7; etcd keeps 5,000 entries more)."""

from dataclasses import replace

import pytest

from kubemini.etcd.client import prefix_end
from kubemini.etcd.raft.log import Entry, Snapshot
from kubemini.etcd.raft.messages import Ready
from kubemini.etcd.server.datadir import DataDir
from kubemini.etcd.server.membership import Membership
from kubemini.params import Params
from kubemini.sim.units import MS
from tests.worlds.etcd import Growing, World

SHORT = replace(Params(), etcd_snapshot_count=20, etcd_snapshot_catchup_entries=5)


def write(world, count, key="k"):
    for number in range(count):
        assert world.put(world.leader.name, str(number), key=f"{key}/{number % 7}").ok


def everything(member):
    """All that a member has stored, with every version."""
    store = member.data.store
    return store.revision, store.compacted, store._versions, store.log, member.data.store.lessor.leases.keys()


@pytest.mark.parametrize("n", [1, 3])
def test_the_log_stays_short_and_nothing_is_lost(n):
    world = World(n, params=SHORT)
    write(world, 100)
    world.run(1)
    for member in world.members:
        assert len(member.data.entries) <= 27 and member.data.last_index == member.raft.last_index >= 101
        assert member.data.entries[0].index == member.data.start.index + 1
    assert world.sim.trace.of("compact")
    for member in world.members:
        member.crash()
        member.start()
    world.run(3)
    assert world.get(world.leader.name, key="k/1") == "99"
    write(world, 30)


def test_a_follower_that_fell_behind_installs_a_snapshot_and_goes_on_from_there():
    world = World(3, params=SHORT)
    world.client.ask("etcd-1", "lease_grant", {"TTL": 60, "ID": 7})
    world.wait()
    late = world.followers[0]
    late.crash()
    write(world, 60)
    world.put(world.leader.name, "v", key="leased", lease=7)
    late.start()
    world.run(1)
    (record,) = world.sim.trace.of("snapshot", late.name)
    assert record.detail["revision"] == 62
    write(world, 10)
    world.run(1)
    assert everything(late) == everything(world.leader)
    assert late.data.store.lessor.leases[7].keys == {"leased": None}
    late.crash()
    late.start()
    world.run(1)
    assert everything(late) == everything(world.leader)
    assert len(world.sim.trace.of("snapshot", late.name)) == 1


def test_one_that_is_only_a_little_behind_needs_none():
    world = World(3, params=SHORT)
    late = world.followers[0]
    write(world, 30)
    late.crash()
    write(world, 4)
    late.start()
    world.run(1)
    assert everything(late) == everything(world.leader) and not world.sim.trace.of("snapshot")


def test_a_snapshot_counts_when_it_is_on_disk():
    world = World(3, params=SHORT)
    late = world.followers[0]
    late.crash()
    write(world, 60)
    late.host.set_slow_disk(300 * MS)
    late.start()
    while late.raft.log.start == 0:
        world.sim.step()
    assert late.data.applied < 60
    late.crash()
    late.start()
    assert late.raft.last_index < 60  # it had not been written
    world.run(3)
    assert everything(late) == everything(world.leader)
    told = [record for record in world.sim.trace if record.actor == late.name and record.what in ("snapshot", "commit")]
    first = next(record for record in told if record.detail["index"] >= 60)
    assert first.what == "snapshot"  # what it commits is not told of the log that it replaces


def test_what_replaces_the_tail_of_a_shortened_log_replaces_it():
    data = DataDir(1, Membership(["a"]), 2)
    data.write(Ready(None, [Entry(1, index) for index in range(1, 11)], [], [], [], True))
    data.compact(6, 1)
    data.write(Ready(None, [Entry(2, 9)], [], [], [], True))
    assert [(e.term, e.index) for e in data.entries] == [(1, 7), (1, 8), (2, 9)] and data.last_index == 9
    data.write(Ready(None, [], [], [], [], True, snapshot=Snapshot(20, 2, data=data.image())))
    assert (data.applied, data.snapshot_index, data.last_index, data.entries) == (20, 20, 20, [])


def test_a_snapshot_that_is_lost_is_sent_again():
    world = World(3, params=SHORT)
    late, leader = world.followers[0], world.leader
    late.crash()
    write(world, 60)
    late.start()
    while leader.raft.progress[late.id].state != "snapshot":
        world.sim.step()
    late.crash()
    world.run(3)
    late.start()
    world.run(4)
    assert everything(late) == everything(leader)


def test_a_newcomer_gets_the_snapshot_and_knows_the_members():
    world = Growing(3, params=SHORT)
    write(world, 60)
    assert world.join("etcd-4") == 4
    world.run(1)
    newcomer = world.members[-1]
    assert world.sim.trace.of("snapshot", "etcd-4")
    assert world.listed()[4] == ("etcd-4", False) and newcomer.membership.members == world.leader.membership.members
    assert newcomer.raft.configuration.voters == {1, 2, 3, 4}
    write(world, 40)
    world.run(1)
    assert everything(newcomer) == everything(world.leader)


def test_a_watch_on_a_member_that_installs_a_snapshot_misses_nothing_or_is_told_what_is_compacted():
    for compact in (False, True):
        world = World(3, params=SHORT)
        late, leader = world.followers[0], world.leader
        items, closed = [], []
        world.client.open_stream(
            late.name, "watch", {"key": "k/", "range_end": prefix_end("k/")}, items.append, closed.append
        )
        write(world, 4)
        world.run(0.1)
        for host in (h.name for h in world.hosts if h is not late.host):
            world.net.set_loss(late.host.name, host, 1)  # a cut would only hold back what it is to hear
        write(world, 60)
        if compact:
            world.client.ask(leader.name, "compact", {"revision": 50})
            world.wait()
        for host in (h.name for h in world.hosts if h is not late.host):
            world.net.set_loss(late.host.name, host, 0)
        world.run(3)
        assert world.sim.trace.of("snapshot", late.name)
        if compact:
            assert items[-1]["canceled"] and items[-1]["compact_revision"] == 50 and closed == [None]
        else:
            events = [event["kv"]["mod_revision"] for item in items for event in item["events"]]
            assert events == list(range(2, 66))  # each once


def test_a_new_leader_after_snapshots_has_every_acknowledged_write():
    world = World(5, params=SHORT)
    for number in range(8):
        victim = world.leader if number % 2 else world.followers[0]
        victim.crash()
        world.run(3)
        write(world, 30, key=f"r{number}")
        victim.start()
        world.run(2)
    for number in range(8):
        assert world.get(world.leader.name, key=f"r{number}/1") == "29"
    world.run(1)
    assert len({everything(m)[0] for m in world.members}) == 1
