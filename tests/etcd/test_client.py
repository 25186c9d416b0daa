"""An etcd client among its members: what it asks again, and of whom; and what a member answers alone."""

import pytest

from kubemini.etcd.client import EtcdClient, prefix_end
from kubemini.host import Host
from kubemini.sim.units import MS
from tests.worlds.etcd import Client, World


# -- what asks nobody ------------------------------------------------------------------------------------------------
def test_a_transaction_that_only_compares_is_answered_without_a_leader():
    """v3_server.go isTxnSerializable: with no read that asks for more. Debian's etcd does the same."""
    world = World(3)
    world.put("etcd-1", "v")
    survivor = world.followers[0]
    for member in world.members:
        if member is not survivor:
            member.crash()
    world.run(3)
    compare = {"key": "k", "target": "VERSION", "version": 1}
    world.client.ask(survivor.name, "txn", {"compare": [compare]})
    reply, took = world.wait()
    assert reply.ok and reply.value["succeeded"] and took < 0.01
    world.client.ask(survivor.name, "txn", {"compare": [compare], "success": [{"request_range": {"key": "k"}}]})
    assert not world.wait()[0].ok


# -- the client ------------------------------------------------------------------------------------------------
class Task(Client):
    """Runs one generator and keeps its result."""

    def do(self, generator):
        def run():
            self.result = yield from generator

        self.result = None
        self.spawn(run())


@pytest.fixture
def user():
    world = World(3)
    task = Task(world.sim, world.net, Host(world.sim, "client-2"), "task")
    task.start()
    return world, task, EtcdClient(task, ["etcd-1", "etcd-2", "etcd-3"])


def test_a_client_goes_to_the_next_member_when_the_connection_is_refused(user):
    world, task, etcd = user
    world.members[0].crash()
    world.run(4)
    task.do(etcd.put("a", "1"))
    world.run(1)
    assert task.result.ok and etcd.endpoint == "etcd-2"


def test_a_client_repeats_a_read_but_not_a_write_whose_fate_is_unknown(user):
    world, task, etcd = user
    world.hosts[0].set_slow_disk(50 * MS)
    world.run(1)
    task.do(etcd.txn([], [{"request_put": {"key": "a", "value": "1"}}]))
    world.run(0.0008)
    world.members[0].crash()
    world.run(1)
    assert not task.result.ok and not task.result.error.definite
    world.members[0].start()
    etcd._current = 0
    world.run(3)
    task.do(etcd.range("a"))
    world.members[0].crash()
    world.run(6)
    assert task.result.ok


def test_watch_events_arrive_in_order_from_the_revision_asked_for(user):
    world, _, etcd = user
    for value in "ab":
        world.put("etcd-1", value, key="w/x")
    items = []
    etcd.watch("w/", prefix_end("w/"), items.append, print, start_revision=2, prev_kv=True)
    world.run(0.1)
    for value in "cd":
        world.put("etcd-3", value, key="w/y")
    world.run(0.1)
    events = [event for item in items for event in item["events"]]
    assert [e["kv"]["value"] for e in events] == ["a", "b", "c", "d"]
    assert "prev_kv" not in events[0] and events[1]["prev_kv"]["value"] == "a"
