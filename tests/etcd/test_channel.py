"""The subchannel of an etcd client: when it dials again, and what it takes to give a connection up."""

import pytest

from kubemini.etcd.channel import Channel, pause
from kubemini.host import Component, Host
from kubemini.params import Params
from kubemini.sim.units import SECOND
from kubemini.wire.calls import HANDSHAKE, REFUSED
from tests.worlds.etcd import World

MIDDLE = 0.5  # neither late nor early


def dials(luck):
    """The instants (s) of the dials after a loss, with the same *luck* each time."""
    at, found = 0, []
    for failures in range(12):
        found.append(round(at / SECOND, 1))
        at += pause(Params(), failures, luck)
    return found


def test_the_pauses_grow_by_1_6_to_two_minutes():
    """backoff.go, DefaultConfig: 1 s, 1.6, 0.2, 120 s. The recordings fit these instants."""
    assert dials(MIDDLE)[:9] == [0, 1.0, 2.6, 5.2, 9.3, 15.8, 26.3, 43.1, 69.9]
    assert pause(Params(), 50, MIDDLE) == 120 * SECOND


def test_luck_is_a_fifth_more_or_less_but_the_first_pause_is_always_a_second():
    assert [pause(Params(), 0, luck) for luck in (0, 0.99)] == [SECOND, SECOND]
    assert pause(Params(), 1, 0) == round(1.28 * SECOND)
    assert pause(Params(), 50, 0) == 96 * SECOND


class Program(Component):
    """Holds one channel."""

    def boot(self):
        self.seen, self.tries = [], []
        self.channel = Channel(self, "etcd-1", "test", self.look)

    def look(self):
        self.seen.append((self.sim.now, self.channel.ready))

    def connection(self, *args, **more):
        made = super().connection(*args, **more)
        dial = made.dial

        def dialled():
            event = dial()
            self.tries.append([self.sim.now, None])
            event.callbacks.append(lambda e, mine=self.tries[-1]: mine.__setitem__(1, e.value.error))
            return event

        made.dial = dialled
        return made


@pytest.fixture
def world():
    made = World(3)
    made.program = Program(made.sim, made.net, Host(made.sim, "client-2"), "program")
    made.program.start()
    made.run(1)
    made.since = made.sim.now
    return made


def seen(world):
    """[(seconds since, whether READY)] of what changed since."""
    return [((at - world.since) / SECOND, ready) for at, ready in world.program.seen if at >= world.since]


def tried(world):
    return [((at - world.since) / SECOND, error) for at, error in world.program.tries if at >= world.since]


def test_a_member_that_is_back_after_10_s_is_used_again_at_the_dial_that_is_due(world):
    world.members[0].crash()
    world.run(10)
    world.members[0].start()
    world.run(20)
    [(gone, _), (back, ready)] = seen(world)
    assert gone < 0.01 and ready and 12 < back < 19.1  # 9.3 s may be late or early, 15.8 s too
    failed = [at for at, error in tried(world) if error == REFUSED]
    assert failed[0] < 0.01 and failed[1] == pytest.approx(1.0, abs=0.01) and len(failed) in (4, 5)


def test_a_member_that_hangs_is_given_up_after_40_s_and_a_dial_to_it_after_20(world):
    world.members[0].pause()
    world.run(120)
    (gone, ready), *_ = seen(world)
    assert not ready and 10 <= gone <= 40.01
    (first, why), (second, _), *_ = tried(world)
    assert why == HANDSHAKE and first == pytest.approx(gone) and second - first == pytest.approx(21, abs=0.01)


def test_a_member_that_is_cut_off_is_given_up_10_s_after_something_was_sent(world):
    world.net.cut(["client-2"], ["etcd-host-1"])
    world.program.channel.connection.call("range", {"key": "k"}, None)
    world.run(12)
    [(gone, ready)] = seen(world)
    assert not ready and gone == pytest.approx(10, abs=0.01)


def test_a_member_that_says_goodbye_is_left_at_once_and_dialled(world):
    stream = world.program.channel.connection.open_stream("watch", {"key": "k"}, print, print)
    world.run(0.1)
    world.since = world.sim.now
    world.members[0].terminate()
    world.run(0.5)
    [(gone, ready)] = seen(world)
    assert not ready and gone < 0.01 and not stream.closed
    assert [error for _, error in tried(world)] == [REFUSED]
    world.run(11.5)  # after 7 s the member breaks what is left of the old connection: that is no news
    assert stream.closed and len(tried(world)) in (4, 5) and len(seen(world)) == 1


def test_an_idle_channel_costs_nothing_while_all_is_well(world):
    before = world.net.packets
    quiet = World(3)
    quiet.run(1)
    for each in (world, quiet):
        each.before = each.net.packets
        each.run(600)
    assert world.net.packets - before == quiet.net.packets - quiet.before
    assert seen(world) == []
