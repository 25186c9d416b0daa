"""Packets are lost, and so are their copies: a link that loses nearly all is nearly a cut."""

from collections import Counter

import pytest

from kubemini.host import Component, Host
from kubemini.sim import Sim
from kubemini.sim.units import MINUTE, MS, SECOND
from kubemini.simulate import run
from kubemini.wire import Network

ETCDS = "etcd-host-1,etcd-host-2,etcd-host-3"


class Server(Component):
    """Answers at once; streams a number a second."""

    def handle(self, call):
        for number in range(100 if call.stream else 0):
            call.stream.push(number)
            yield self.timeout(SECOND)
        call.reply(call.payload)


class World:
    """A client and a server on two hosts, and a link that loses."""

    def __init__(self, seed=1):
        self.sim = Sim(seed)
        self.net = Network(self.sim)
        self.server, self.client = (Server(self.sim, self.net, Host(self.sim, name), name) for name in "ab")
        self.server.start()
        self.client.start()
        self.items, self.ends = [], []

    def took(self, timeout=MINUTE):
        """µs that a call takes, and how it ends."""
        began, ends = self.sim.now, []
        event = self.client.call("a", "echo", 1, timeout)
        event.callbacks.append(lambda e: ends.append((self.sim.now - began, e.value)))
        self.sim.run_until(began + timeout + SECOND)
        return ends[0]

    def listen(self):
        self.client.open_stream(
            "a", "count", None, self.items.append, lambda error: self.ends.append((self.sim.now, str(error)))
        )


def outcomes(p, seed=1):
    commands = [(10, "loss", "client-1", ETCDS, p)]
    trace = run(QUIET, seed=seed, commands=commands, until=60)
    return Counter(r.detail["outcome"] for r in trace.of("request") if r.detail["started"] >= 10 * SECOND)


QUIET = {"title": "quiet", "topology": {"kind": "etcd", "members": 3}, "workload": {"etcd_writes": {"every": "1s"}}}


def test_a_link_that_loses_everything_is_a_cut():
    assert outcomes(0) == {"ok": 50}
    assert outcomes(1)["ok"] == 0


def test_the_more_is_lost_the_fewer_requests_come_through():
    shares = [sum(outcomes(p, seed)["ok"] for seed in range(1, 6)) for p in (0, 0.3, 0.6, 0.9, 1)]
    assert shares[0] == 250 and shares == sorted(shares, reverse=True)
    assert shares[1] > 200 and shares[3] < 25 and shares[4] == 0


def test_a_copy_is_lost_with_the_same_chance_and_each_waits_twice_as_long():
    late = Counter()
    for seed in range(400):
        world = World(seed)
        world.net.losses["b", "a"] = 0.5  # only there
        late[world.took()[0] // (100 * MS)] += 1
    tries = [late[0], late[2], late[6], late[14], late[31]]  # 0, 211, 633, 1477, 3165 ms
    assert sum(tries) > 380, late
    for n, share in enumerate(tries[:4]):
        assert abs(share / 400 - 0.5 ** (n + 1)) < 0.07, tries


def test_before_the_last_copy_the_deadline_of_a_call_ends_it():
    world = World()
    world.net.set_loss("a", "b", 0.999)
    took, reply = world.took(5 * SECOND)
    assert took == 5 * SECOND and reply.error.reason == "deadline exceeded" and not reply.error.definite


@pytest.mark.parametrize("p", [0.5, 0.8, 0.95])
def test_a_stream_has_no_gaps_and_ends_when_its_connection_breaks(p):
    for seed in range(20):
        world = World(seed)
        world.listen()
        world.sim.command(5 * SECOND, world.net.set_loss, "a", "b", p)
        world.sim.run_until(MINUTE + 30 * SECOND)
        assert world.items == list(range(len(world.items))) and len(world.items) >= 5
        assert p < 0.95 or [why for _, why in world.ends] == ["http2: client connection lost"]


def test_a_short_loss_of_everything_delays_a_stream_and_a_long_one_ends_it():
    short, long = World(), World()
    for world, until in ((short, 10), (long, 100)):
        world.listen()
        world.sim.command(5 * SECOND, world.net.set_loss, "a", "b", 1)
        world.sim.command(until * SECOND, world.net.set_loss, "a", "b", 0)
        world.sim.run_until(120 * SECOND)
    assert short.items == list(range(100)) and short.ends[0][1] == "None"
    ((at, why),) = long.ends
    assert why == "http2: client connection lost" and at < 55 * SECOND


def test_what_is_sent_behind_a_waiting_packet_arrives_with_it_and_in_order():
    world = World(3)
    world.net.set_loss("a", "b", 0.6)
    for n in range(50):
        world.sim.command(n * 100 * MS + 1, world.client.call, "a", "echo", n, MINUTE)
    arrived = []
    world.server.handle = lambda call: arrived.append(call.payload)
    world.sim.run_until(2 * MINUTE)
    assert arrived == list(range(50))
