"""A cut holds back what members tell each other; TCP's next try after it has healed gets that through."""

from kubemini.host import Component, Host
from kubemini.sim import Sim
from kubemini.sim.units import MS, SECOND
from kubemini.wire import Network
from kubemini.wire.cuts import Cut


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
        cut.hold((1, 1), "datagram", 4)
    assert len(cut.held) == 4


def test_tries_come_at_doubling_distances():
    cut = Cut(100, (1, 1))
    cut.hold((1, 1), None, 4)
    tries = [cut.passes((1, 1), now, 10, 5 * SECOND, 7 * SECOND) for now in (100, 101, 110, 111, 131, 171)]
    assert tries == [100, 110, 110, 130, 170, 250]
    assert cut.passes((1, 2), 101, 10, 5 * SECOND, 7 * SECOND) is None


def test_after_a_long_cut_a_new_connection_stands_at_once_and_what_the_old_one_held_is_lost():
    world = World()
    world.cut()
    world.say(1)
    world.run(59)
    world.net.heal()
    world.say(2)
    assert world.words == [0, 2]
