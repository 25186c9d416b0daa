"""An etcd client among its members: what it asks again, and of whom; and what a member answers alone."""

import pytest

from kubemini.etcd.client import NEVER_SENT, EtcdClient, again
from kubemini.etcd.errors import COMPACTED, DEADLINE_EXCEEDED, LEADER_CHANGED, NO_SPACE, NOT_FOR_LEARNERS, TIMEOUT
from kubemini.host import Host
from kubemini.sim.units import MS, SECOND
from kubemini.wire.calls import CLOSED, DEADLINE, EOF
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
@pytest.mark.parametrize(
    ("method", "error", "repeated"),
    [
        ("range", EOF, True),
        ("range", TIMEOUT, True),
        ("range", LEADER_CHANGED.of_a_read(), True),
        ("range", COMPACTED, False),
        ("range", DEADLINE, False),
        ("txn", EOF, False),
        ("txn", TIMEOUT, False),
        ("txn", NO_SPACE, False),
        ("txn", DEADLINE_EXCEEDED, True),  # of etcd, which had no leader for it
        ("txn", CLOSED, True),  # it never left
        ("txn", NOT_FOR_LEARNERS, True),
    ],
)
def test_a_read_is_repeated_while_it_may_work_a_write_only_if_it_never_left(method, error, repeated):
    assert again(method, error, 3) is repeated


def test_the_only_endpoint_is_not_asked_twice_because_it_is_a_learner():
    assert not again("txn", NOT_FOR_LEARNERS, 1)


class Task(Client):
    """Runs generators and keeps their results."""

    def boot(self):
        super().boot()
        self.etcd = EtcdClient(self, [f"etcd-{n}" for n in (1, 2, 3)], "test")
        self.own = EtcdClient(self, ["etcd-1"], "own")
        self.results = []

    def do(self, generator):
        def run():
            began = self.sim.now
            reply = yield from generator
            self.results.append(((self.sim.now - began) / SECOND, reply))

        self.spawn(run())


@pytest.fixture
def user():
    world = World(3)
    task = Task(world.sim, world.net, Host(world.sim, "client-2"), "task")
    task.start()
    world.run(1)
    return world, task


def count(world):
    """Note what each member is asked."""
    world.seen = [[], [], []]
    for member, seen in zip(world.members, world.seen):

        def handle(call, serve=member.handle, seen=seen):
            seen.append(call.method)
            return serve(call)

        member.handle = handle


def test_requests_go_to_all_members_in_turn(user):
    world, task = user
    count(world)
    for _ in range(30):
        task.do(task.etcd.put("a", "1"))
        world.run(0.1)
    assert [len(seen) for seen in world.seen] == [10, 10, 10]


def test_a_killed_member_is_left_out_and_nothing_waits(user):
    world, task = user
    next(m for m in world.followers if m.name != "etcd-1").crash()
    world.run(0.1)
    for _ in range(9):
        task.do(task.etcd.put("a", "1"))
        world.run(0.1)
    assert all(reply.ok and took < 0.1 for took, reply in task.results) and len(task.results) == 9


def nine_writes(world, task, patience):
    """Nine writes, each given up after *patience* seconds, while the first follower hangs; that follower."""
    hung = world.followers[0]
    hung.pause()
    for number in range(9):
        task.do(task.etcd.put(f"key-{number}", "1", timeout=patience * SECOND))
        world.run(0.1)
    world.run(6)
    return hung


def test_a_hung_follower_holds_a_third_and_does_late_what_its_clients_still_wait_for(user):
    world, task = user
    hung = nine_writes(world, task, 20)
    assert len(task.results) == 6
    hung.resume()
    world.run(2)
    assert len(task.results) == 9 and all(reply.ok for _, reply in task.results)
    assert all(world.get("etcd-1", key=f"key-{number}") == "1" for number in range(9))


def test_what_was_given_up_while_a_member_hung_it_never_begins(user):
    """In trials with etcd 3.7.3: none of 30 writes that had been given up was found after the member's wake-up."""
    world, task = user
    hung = nine_writes(world, task, 5)
    late = [reply for took, reply in task.results if took > 1]
    assert len(late) == 3 and all(reply.error == DEADLINE for reply in late)
    hung.resume()
    world.run(2)
    assert sum(world.get("etcd-1", key=f"key-{number}") == "1" for number in range(9)) == 6


def lose_two(world):
    """Two of three members die, and the third one learns that it leads nobody."""
    for member in world.members[1:]:
        member.crash()
    world.run(4)


def test_what_waits_for_a_leader_is_forgotten_when_its_client_gives_up(user):
    world, task = user
    lose_two(world)
    task.do(task.own.put("given-up", "1", timeout=3 * SECOND))
    world.run(4)
    for member in world.members[1:]:
        member.start()
    world.run(5)
    assert world.members[0].lead and world.get("etcd-1", key="given-up") is None


def test_with_one_endpoint_that_is_gone_a_request_waits_and_is_served_late(user):
    world, task = user
    world.members[0].crash()
    world.run(0.1)
    task.do(task.own.put("late", "1", timeout=34 * SECOND))
    world.run(10)
    assert task.results == []
    world.members[0].start()
    world.run(20)
    [(took, reply)] = task.results
    assert reply.ok and 10 < took < 20


def test_what_finds_nobody_until_its_time_is_up_has_certainly_not_happened(user):
    world, task = user
    world.members[0].crash()
    world.run(0.1)
    task.do(task.own.put("never", "1", timeout=3 * SECOND))
    world.run(60)
    [(took, reply)] = task.results
    assert took == pytest.approx(3) and reply.error == NEVER_SENT and reply.error.definite
    world.members[0].start()
    world.run(40)
    assert world.get("etcd-2", key="never") is None


def test_of_a_write_that_was_out_once_nobody_knows_the_fate_though_it_waits_at_the_end(user):
    world, task = user
    lose_two(world)
    task.do(task.own.put("perhaps", "1", timeout=12 * SECOND))
    world.run(7.01)  # etcd's own deadline has passed: it is about to be sent once more
    world.members[0].crash()
    world.run(6)
    [(took, reply)] = task.results
    assert took == pytest.approx(12) and reply.error == DEADLINE and not reply.error.definite


def test_a_write_in_flight_on_a_dying_member_ends_with_it_and_a_read_is_asked_elsewhere(user):
    world, task = user
    world.hosts[0].set_slow_disk(50 * MS)
    while world.leader is not world.members[0]:
        world.leader.terminate()
        world.run(3)
    task.do(task.own.put("a", "1"))
    task.do(task.own.range("a"))
    world.run(0.0008)
    world.members[0].crash()
    world.run(1)
    [(_, reply)] = task.results
    assert reply.error == EOF and not reply.error.definite
    world.members[0].start()
    world.run(10)
    assert task.results[1][1].ok
