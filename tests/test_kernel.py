"""The kernel, the wire and the machines: what every component may rely on."""

import pytest

from kubemini.host import Component, Host
from kubemini.host.linux import Kernel
from kubemini.sim import Sim, Trace
from kubemini.sim.units import MS, SECOND, clock, duration
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


def test_power_loss_keeps_the_disk_and_loses_memory_and_kernel_state(world):
    _, _, server, _ = world
    host = server.host
    host.disk.files["log"] = [1, 2, 3]
    host.kernel.services["web"] = []
    host.power_off()
    assert not server.up
    assert host.disk.files == {"log": [1, 2, 3]} and host.kernel == Kernel()


def test_fsync_takes_time_and_is_dropped_when_the_program_dies(world):
    sim, _, server, _ = world
    done = []
    server.host.disk.fsync(server, done.append, "first")
    sim.run_until(SECOND)
    server.host.set_slow_disk(2 * SECOND)
    server.host.disk.fsync(server, done.append, "second")
    sim.command(2 * SECOND, server.crash)
    sim.run_until(10 * SECOND)
    assert done == ["first"]


def test_faults_act_before_anything_else_of_their_instant(world):
    sim, _, server, _ = world
    happened = []
    server.after(SECOND, happened.append, "timer")
    sim.command(SECOND, happened.append, "fault")
    sim.run_until(2 * SECOND)
    assert happened == ["fault", "timer"]


def test_the_nth_draw_does_not_depend_on_the_others():
    one, other = Sim(5).draws("link"), Sim(5).draws("link")
    assert [one.u(n) for n in range(200)][137] == other.u(137)
    assert Sim(5).draws("link").u(0) != Sim(6).draws("link").u(0)


def test_a_trace_survives_its_json_lines():
    trace = Trace({"seed": 1}, [])
    sim = Sim(1)
    sim.record("etcd-1", "start")
    trace.records += sim.trace.records
    again = Trace.from_jsonl(trace.to_jsonl())
    assert again == trace and again.digest() == trace.digest()


def test_a_broken_trace_file_is_refused_with_the_line():
    with pytest.raises(ValueError, match="line 2 is not a trace record"):
        Trace.from_jsonl('{"seed": 1}\n{broken\n')


def test_a_word_outside_the_vocabulary_is_refused():
    with pytest.raises(AssertionError, match="vocabulary"):
        Sim(1).record("etcd-1", "explode")


@pytest.mark.parametrize(
    ("text", "micros"), [("200ms", 200_000), ("1.5s", 1_500_000), (2, 2_000_000), ("2m", 120_000_000)]
)
def test_durations_read_as_people_write_them(text, micros):
    assert duration(text) == micros


@pytest.mark.parametrize("text", ["soon", "-1s", "", "1 parsec", "nan"])
def test_a_bad_duration_says_what_to_write(text):
    with pytest.raises(ValueError, match=r"duration"):
        duration(text)


def test_the_clock_prints_milliseconds():
    assert clock(1_304 * MS) == "1.304s"
