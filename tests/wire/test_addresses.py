"""Connections to an address that moves from host to host."""

from dataclasses import replace

import pytest

from kubemini.host import Component, Host
from kubemini.params import Params
from kubemini.sim import Sim
from kubemini.sim.units import SECOND
from kubemini.wire import Network
from kubemini.wire.connections import Limits

LIMITS = Limits(10 * SECOND, 30 * SECOND, 15 * SECOND, None, connect=30 * SECOND)
VIP = "api-vip"


class Door(Component):
    """Answers with its name; keeps the stream that it is asked for."""

    stream = None

    def handle(self, call):
        if call.stream is not None:
            self.stream = call.stream
        else:
            call.reply(self.name)


class Client(Component):
    def boot(self):
        self.breaks, self.said, self.items = [], [], []

    def dial(self):
        self.it = self.connection(VIP, LIMITS, lambda e: self.breaks.append((self.sim.now / SECOND, str(e))))
        self.note(self.it.dial())

    def ask(self):
        self.note(self.it.call("echo", None, None))

    def note(self, event):
        def happened(event):
            reply = event.value
            self.said.append((round(self.sim.now / SECOND, 1), reply.value if reply.ok else str(reply.error)))

        happened(event) if event.callbacks is None else event.callbacks.append(happened)


class World:
    def __init__(self, **params):
        self.sim = Sim(1)
        self.net = Network(self.sim, replace(Params(), **params))
        self.hosts = [Host(self.sim, name) for name in ("lb-1", "lb-2", "client-1")]
        self.doors = [Door(self.sim, self.net, h, f"door-{i}") for i, h in enumerate(self.hosts[:2], 1)]
        self.client = Client(self.sim, self.net, self.hosts[2], "client")
        for host, door in zip(self.hosts, self.doors, strict=False):
            self.net.addresses.declare(VIP, host.name, door.name)
        for program in (*self.doors, self.client):
            program.start()

    def move(self, to, away=None, told=True):
        """Host number *to* takes the address, number *away* drops it."""
        if away is not None:
            self.net.addresses.drop(VIP, self.hosts[away].name)
        if to is not None:
            self.net.addresses.take(VIP, self.hosts[to].name)
            if told:
                self.net.announce(VIP, self.hosts[to])
        self.net.changed()

    def run(self, seconds):
        self.sim.run_until(self.sim.now + round(seconds * SECOND))


def dialled(**params):
    found = World(**params)
    found.move(0)
    found.client.dial()
    found.run(1)
    assert found.client.said == [(0, "door-1")]
    return found


@pytest.fixture
def world():
    return dialled()


def test_whoever_uses_a_connection_whose_address_has_moved_is_reset(world):
    world.move(1, away=0)
    world.run(5)
    assert world.client.breaks == []  # nobody has told it
    world.client.ask()
    world.run(0.1)
    assert [why for _, why in world.client.breaks] == ["connection reset by peer"]
    world.client.dial()
    world.run(0.1)
    assert world.client.said[-1][1] == "door-2"


def test_an_idle_one_is_reset_by_its_next_ping(world):
    world.move(1, away=0)
    world.run(40)
    ((at, why),) = world.client.breaks
    assert why == "connection reset by peer" and at <= 31


def test_if_the_address_comes_back_in_time_nobody_has_noticed(world):
    world.client.it.open_stream("watch", None, world.client.items.append, print)
    world.run(1)
    world.move(1, away=0)
    world.doors[0].stream.push("said without the address")
    world.run(5)
    assert world.client.items == []  # a kernel says nothing in the name of an address that it has not
    world.move(0, away=1)
    world.run(10)
    assert world.client.items == ["said without the address"] and world.client.breaks == []
    world.client.ask()
    world.run(1)
    assert world.client.said[-1][1] == "door-1"


def test_who_dials_an_address_that_nobody_has_tries_again_as_tcp_does(world):
    world.move(None, away=0)
    world.client.dial()
    world.run(4)
    world.move(1)
    world.run(10)
    assert world.client.said[-1] == (8.0, "door-2")  # after 1, 3, 7 s


def test_who_has_not_been_told_asks_anew_when_the_old_place_has_been_silent_for_long(world):
    world.move(1, away=0, told=False)
    world.client.dial()
    world.run(22)
    assert len(world.client.said) == 1  # into the void
    world.run(39)
    assert world.client.said[1:] == [(31.0, "i/o timeout")]
    world.client.dial()
    world.run(1)
    assert world.client.said[-1][1] == "door-2"


def test_what_waits_for_a_silent_place_goes_to_the_new_one_as_soon_as_that_is_known():
    world = dialled(arp_reachable_time=2 * SECOND)
    world.move(1, away=0, told=False)
    world.client.ask()
    world.run(8)
    assert world.client.breaks == []
    world.run(7)
    assert [why for _, why in world.client.breaks] == ["connection reset by peer"]


def test_power_and_cuts_are_silence_for_an_address_as_for_a_name(world):
    world.net.cut(["lb-1"], ["client-1"])
    world.client.ask()
    world.run(20)
    assert world.client.said == [(0, "door-1")]
    world.net.heal()
    world.run(10)
    assert world.client.said[-1][1] == "door-1"
    world.hosts[0].power_off()
    world.client.ask()
    world.run(46)
    assert [why for _, why in world.client.breaks] == ["http2: client connection lost"]
