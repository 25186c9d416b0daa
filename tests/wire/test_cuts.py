"""A cut holds back what members tell each other; TCP's next try after it has healed gets that through."""

from dataclasses import replace

from kubemini.host import Component, Host
from kubemini.sim import Sim
from kubemini.sim.units import MS, SECOND
from kubemini.wire import Network
from kubemini.wire.cuts import Cut, Room, next_try
from kubemini.wire.network import HEARTBEAT

ROOM = Room(4096, 1100, 5 * SECOND)


class Ear(Component):
    """Remembers what it has heard, and when."""

    def boot(self):
        self.heard = []

    def receive(self, source, payload):
        self.heard.append((self.sim.now, payload))


class World:
    def __init__(self):
        self.sim = Sim(1)
        self.net = Network(self.sim)
        self.a, self.b = (Ear(self.sim, self.net, Host(self.sim, f"host-{n}"), n) for n in "ab")
        self.a.start(), self.b.start()
        self.say(0)

    def say(self, what):
        self.a.send("b", what)
        self.run(1)

    def run(self, seconds):
        self.sim.run_until(self.sim.now + round(seconds * SECOND))

    def cut(self):
        self.net.cut(["host-a"], ["host-b"])
        self.since = self.sim.now

    @property
    def words(self):
        return [word for _, word in self.b.heard]


def test_what_is_said_into_a_cut_comes_late_in_order_and_all_later_words_behind_it():
    world = World()
    world.cut()
    for word in range(1, 6):
        world.say(word)
    assert world.words == [0]
    world.net.heal()
    world.a.send("b", 6)
    world.run(3)
    assert world.words == [0, 1, 2, 3, 4, 5, 6]
    at = (world.b.heard[1][0] - world.since) // MS
    assert at == 6541  # 211 ms x 31: the fifth try


def test_after_a_cut_in_which_nothing_was_said_nothing_waits():
    world = World()
    world.cut()
    world.run(5)
    world.net.heal()
    world.say(1)
    assert world.words == [0, 1] and world.b.heard[1][0] - world.since < 5001 * MS


def test_the_end_of_either_program_loses_what_is_held_back():
    for end in "ab":
        world = World()
        world.cut()
        world.say(1)
        program = getattr(world, end)
        program.crash()
        program.start()
        world.say(2)  # no connection stands: this one is lost too
        world.net.heal()
        world.say(3)
        assert world.words[-1] == 3 and 1 not in world.words and 2 not in world.words


def test_a_cut_of_one_direction_leaves_the_other():
    world = World()
    world.net.cut(["host-a"], ["host-b"], one_way=True)
    world.b.send("a", "back")
    world.run(1)
    assert [word for _, word in world.a.heard] == ["back"]


def test_more_than_a_sender_keeps_is_dropped():
    cut = Cut(0, (1, 1))
    for _ in range(9):
        cut.hold((1, 1), "datagram", 0, Room(4, 100, 5 * SECOND))
    assert len(cut.held) == 4


def test_tries_come_at_doubling_distances():
    cut = Cut(100, (1, 1))
    cut.hold((1, 1), None, 100, ROOM)
    tries = [cut.passes((1, 1), now, 10) for now in (100, 101, 110, 111, 131, 171)]
    assert tries == [100, 110, 110, 130, 170, 250]
    assert cut.passes((1, 2), 101, 10) is None


def test_once_the_neighbour_is_forgotten_tries_come_at_equal_distances():
    assert [next_try(0, now, 10, forgotten=65) for now in (31, 71, 151, 231)] == [70, 110, 190, 270]


def test_a_sender_notices_when_its_kernel_has_taken_no_more_for_five_seconds():
    cut = Cut(0, (1, 1))
    for now in (1, 2, 3):
        assert not cut.noticed(9 * SECOND, Room(4, 2, 5 * SECOND))
        cut.hold((1, 1), None, now * SECOND, Room(4, 2, 5 * SECOND))
    other = Cut(0, (1, 1))
    other.beats((1, 1), 1 * SECOND, Room(4, 2, 5 * SECOND), rounds=7, every=1 * SECOND)
    assert other.full == cut.full  # a leader at rest sends them all the same
    assert not cut.noticed(8 * SECOND - 1, Room(4, 2, 5 * SECOND))
    assert cut.noticed(8 * SECOND, Room(4, 2, 5 * SECOND))


def test_after_a_cut_of_a_minute_words_wait_for_the_next_try_as_on_the_real_one():
    world = World()
    world.net.params = replace(world.net.params, arp_reachable_time=30 * SECOND)
    world.cut()
    world.say(1)
    world.run(59)
    world.net.heal()
    world.say(2)
    assert world.words == [0]
    world.run(49)
    assert world.words == [0, 1, 2]
    at = (world.b.heard[1][0] - world.since) / SECOND
    assert 66 < at < 81  # 26.8 or 53.8 s, and steps of 13.5 or 27 s from then on


def test_a_leaders_heartbeats_go_round_the_connection_that_its_kernel_takes_no_more_for():
    for beats, words in ((20, [0, "beat"]), (2, [0])):
        world = World()
        world.net.params = replace(world.net.params, tcp_send_buffer=10)
        world.cut()
        channel = world.net.channel(world.a, "b")
        for _ in range(beats):
            world.net.transmit(channel, HEARTBEAT, channel.arrive, ("a", "beat"))
        world.run(60)
        world.net.heal()
        world.a.send("b", "entry")
        world.net.transmit(channel, HEARTBEAT, channel.arrive, ("a", "beat"))
        world.run(1)
        assert world.words == words
        world.run(49)
        assert world.words[len(words) - 1 :] != words[-1:] and "entry" in world.words
