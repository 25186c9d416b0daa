"""Calls and streams: what every program may rely on, whatever becomes of the other."""

import pytest

from kubemini.host import Component, Host
from kubemini.sim import Sim
from kubemini.sim.units import MS, SECOND
from kubemini.wire import Network


class Server(Component):
    """Doubles numbers; `slow` takes 3 s; `count` streams a number a second."""

    def handle(self, call):
        if call.method == "slow":
            yield self.timeout(3 * SECOND)
        if call.method == "count":
            for number in range(100):
                call.stream.push(number)
                yield self.timeout(SECOND)
        call.reply((call.payload or 0) * 2)

    def receive(self, source, payload):
        self.sim.record(self.name, "note", text=str(payload))


class Client(Component):
    """Keeps what it was told."""

    def boot(self):
        self.seen = []

    def ask(self, method, payload=21, timeout=10 * SECOND):
        event = self.call("server", method, payload, timeout)
        event.callbacks.append(lambda e: self.seen.append((self.sim.now, e.value)))


@pytest.fixture
def world():
    sim = Sim(seed=1)
    net = Network(sim)
    a, b = Host(sim, "a"), Host(sim, "b")
    server, client = Server(sim, net, a, "server"), Client(sim, net, b, "client")
    server.start()
    client.start()
    return sim, net, server, client


def outcome(client):
    (at, reply) = client.seen[-1]
    return at, reply.ok, reply.value if reply.ok else reply.error.reason


def test_a_call_takes_two_network_latencies_and_two_events(world):
    sim, _, _, client = world
    before = sim.events
    client.ask("double")
    sim.run_until(5 * MS)
    at, ok, value = outcome(client)
    assert ok and value == 42 and 300 <= at <= 900
    assert sim.events - before == 2


def test_a_program_that_is_not_running_refuses_at_once_and_definitely(world):
    sim, _, server, client = world
    server.crash()
    client.ask("double")
    sim.run_until(5 * MS)
    reply = client.seen[-1][1]
    assert reply.error.reason == "connection refused" and reply.error.definite


def test_a_crash_resets_calls_that_are_open_and_their_fate_is_unknown(world):
    sim, _, server, client = world
    client.ask("slow")
    sim.command(SECOND, server.crash)
    sim.run_until(2 * SECOND)
    at, reply = client.seen[-1]
    assert reply.error.reason == "connection reset by peer" and not reply.error.definite
    assert SECOND < at < SECOND + MS


def test_a_host_without_power_is_silent_and_only_the_deadline_ends_the_call(world):
    sim, _, server, client = world
    client.ask("slow", timeout=5 * SECOND)
    sim.command(SECOND, server.host.power_off)
    sim.run_until(10 * SECOND)
    assert outcome(client) == (5 * SECOND, False, "deadline exceeded")


def test_a_paused_program_answers_when_it_resumes(world):
    sim, _, server, client = world
    server.pause()
    client.ask("double", timeout=60 * SECOND)
    sim.command(20 * SECOND, server.resume)
    sim.run_until(21 * SECOND)
    at, ok, value = outcome(client)
    assert ok and value == 42 and at >= 20 * SECOND


def test_an_answer_of_a_former_life_is_never_given(world):
    sim, _, server, client = world
    client.ask("slow")
    sim.command(SECOND, server.crash)
    sim.command(2 * SECOND, server.start)
    sim.run_until(10 * SECOND)
    assert [reply.ok for _, reply in client.seen] == [False]


def test_a_stream_delivers_in_order_and_a_crash_of_the_server_ends_it_at_once(world):
    sim, _, server, client = world
    items, ends = [], []
    client.open_stream("server", "count", None, items.append, ends.append)
    sim.command(3500 * MS, server.crash)
    sim.run_until(10 * SECOND)
    assert items == [0, 1, 2, 3]
    assert [e.reason for e in ends] == ["connection reset by peer"]


def test_a_cut_stream_is_declared_dead_by_a_ping_after_45_seconds_at_the_latest(world):
    sim, net, _, client = world
    items, ends = [], []
    client.open_stream("server", "count", None, items.append, lambda e: ends.append((sim.now, e.reason)))
    sim.command(10 * SECOND, net.cut, ["a"], ["b"])
    sim.run_until(120 * SECOND)
    ((at, reason),) = ends
    assert reason == "http2: client connection lost" and 25 * SECOND <= at <= 55 * SECOND
    assert items == list(range(10))


def test_a_short_cut_delays_the_items_of_a_stream_and_loses_none(world):
    sim, net, _, client = world
    items, ends = [], []
    client.open_stream("server", "count", None, items.append, ends.append)
    sim.command(3500 * MS, net.cut, ["a"], ["b"])
    sim.command(8500 * MS, net.heal)
    sim.run_until(12 * SECOND)
    assert items == list(range(12)) and ends == []


def test_a_one_way_cut_stops_one_direction_only(world):
    _, net, server, client = world
    net.cut(["b"], ["a"], one_way=True)
    assert client.send("server", "lost") is None
    assert server.send("client", "arrives") is not None
