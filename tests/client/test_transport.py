"""The connection that the clients of one program share: who dials, what is sent again, who moves."""

import pytest

from kubemini.client import ApiClient
from kubemini.client.transport import Transport
from kubemini.host import Component, Host
from kubemini.sim import Sim
from kubemini.sim.units import SECOND
from kubemini.wire import Network
from kubemini.wire.calls import EOF


class Server(Component):
    """Takes three seconds for everything; `leaves` lets it say GOAWAY with each answer."""

    leaves = False

    def boot(self):
        self.asked, self.greeted = [], 0

    def greet(self, call):
        self.greeted += 1
        return super().greet(call)

    def handle(self, call):
        self.asked.append((self.sim.now // SECOND, call.payload["verb"]))
        if call.stream is not None:
            call.stream.push("news")
            return
        if self.leaves:
            call.peer.go_away()
        yield self.timeout(3 * SECOND)
        call.reply(self.name)


class Program(Component):
    """Asks, and notes what it gets."""

    servers = ("server-1",)

    def boot(self):
        self.transport = Transport(self, self.servers)
        self.replies, self.items, self.ends = [], [], []

    def ask(self, verb, timeout=None, deadline=None):
        self.spawn(self._ask(verb, timeout, deadline))

    def _ask(self, verb, timeout, deadline):
        reply = yield from self.transport.request({"verb": verb}, timeout, deadline)
        said = reply.value if reply.ok else str(reply.error)
        self.replies.append((round(self.sim.now / SECOND, 1), verb, said))
        self.last = reply

    def watch(self):
        return self.transport.stream("watch", {"verb": "WATCH"}, self.items.append, self.ends.append)


class World:
    def __init__(self, servers=1):
        self.sim = Sim(seed=1)
        self.net = Network(self.sim)
        names = [f"server-{n + 1}" for n in range(servers)]
        self.servers = [Server(self.sim, self.net, Host(self.sim, f"host-{n}"), n) for n in names]
        self.server = self.servers[0]
        self.program = Program(self.sim, self.net, Host(self.sim, "here"), "program")
        self.program.servers = names
        for component in (*self.servers, self.program):
            component.start()

    def run(self, seconds):
        self.sim.run_until(round(seconds * SECOND))


@pytest.fixture
def world():
    return World()


def test_all_who_ask_share_one_dial_and_one_connection(world):
    for _ in range(3):
        world.program.ask("GET")
    world.program.watch()
    world.run(1)
    assert world.server.greeted == 1 and len(world.server.asked) == 4 and world.program.items == ["news"]


def test_the_next_request_needs_no_dial_and_costs_two_packets(world):
    world.program.ask("GET")
    world.run(20)
    packets = world.net.packets
    world.program.ask("POST")
    world.run(30)
    assert world.server.greeted == 1 and world.net.packets - packets == 2


def test_a_read_that_a_crash_cut_off_is_tried_again_a_second_later_a_write_is_not(world):
    world.program.ask("GET")
    world.program.ask("POST")
    world.run(1)
    world.server.crash()
    world.server.start()
    world.run(10)
    assert world.program.replies == [(1.0, "POST", "unexpected EOF"), (5.0, "GET", "server-1")]
    assert world.server.asked == [(2, "GET")]


def test_a_refused_dial_is_final_for_reads_too_and_nothing_has_happened(world):
    world.server.crash()
    world.program.ask("GET")
    world.run(10)
    assert world.program.replies == [(0.0, "GET", "connection refused")]
    assert world.program.last.error.definite


class Full(Server):
    """A balancer without a server: it closes whatever it accepts."""

    def greet(self, call):
        self.greeted += 1
        call.fail(EOF)


def test_against_a_balancer_without_servers_a_read_lasts_ten_seconds_and_a_write_none():
    world = World()
    world.server.__class__ = Full
    world.program.ask("GET")
    world.program.ask("POST")
    world.run(30)
    assert world.program.replies == [(0.0, "POST", "EOF"), (10.0, "GET", "EOF")]
    assert world.server.greeted == 11 and world.program.last.error.definite


def test_a_hung_server_lets_new_clients_wait_ten_seconds_for_tls(world):
    world.server.pause()
    world.program.ask("GET")
    world.run(30)
    assert world.program.replies == [(10.0, "GET", "net/http: TLS handshake timeout")]


def test_a_lost_connection_costs_writes_and_delays_reads(world):
    world.program.ask("GET")
    world.run(10)
    world.server.pause()
    world.program.ask("GET")
    world.program.ask("POST")
    world.run(49)
    world.server.resume()
    world.run(60)
    lost = (48.0, "POST", "http2: client connection lost")
    assert world.program.replies[1:] == [lost, (52.0, "GET", "server-1")]


def test_each_attempt_has_its_limit_and_all_together_have_one(world):
    world.program.ask("GET", timeout=SECOND)
    world.run(2)
    world.server.crash()
    world.server.__class__ = Full
    world.server.start()
    world.program.ask("GET", timeout=SECOND, deadline=5 * SECOND)
    world.run(20)
    assert world.program.replies == [(1.0, "GET", "deadline exceeded"), (5.0, "GET", "deadline exceeded")]


def test_who_has_no_time_for_the_dial_leaves_it_to_others(world):
    world.server.pause()
    world.program.ask("POST", timeout=2 * SECOND)
    world.run(1)
    world.program.ask("GET")
    world.run(5)
    world.server.resume()
    world.run(10)
    assert world.program.replies == [(2.0, "POST", "deadline exceeded"), (8.0, "GET", "server-1")]
    assert world.server.greeted == 1 and world.server.asked == [(5, "GET")]


def test_what_is_being_dialled_for_somebody_who_has_gone_is_closed(world):
    transport = world.program.transport
    world.server.pause()
    world.program.ask("GET", timeout=SECOND)
    world.run(2)
    transport.close()
    world.server.resume()
    world.run(5)
    assert transport.connections == [] and not world.server.rpc.accepted


def test_after_goaway_what_runs_goes_on_and_what_is_new_dials_anew(world):
    world.server.leaves = True
    world.program.ask("POST")
    world.run(1)
    world.program.ask("POST")
    world.run(10)
    assert world.program.replies == [(3.0, "POST", "server-1"), (4.0, "POST", "server-1")]
    assert world.server.greeted == 2
    states = [r.detail["state"] for r in world.sim.trace.of("connection")]
    assert states == ["open", "open", "closed", "closed"]


def test_a_stream_without_a_connection_hears_of_the_dial_that_failed(world):
    world.server.crash()
    world.program.watch()
    world.run(1)
    assert [str(error) for error in world.program.ends] == ["connection refused"]


def test_a_stream_that_is_given_up_during_the_dial_is_never_opened(world):
    world.server.pause()
    watch = world.program.watch()
    world.run(1)
    watch.close()
    world.server.resume()
    world.run(2)
    assert world.server.greeted == 1 and world.server.asked == [] and world.program.ends == []


def test_of_several_servers_the_next_is_dialled_and_nobody_moves_back():
    world = World(servers=2)
    world.program.ask("GET")
    world.run(10)
    world.server.crash()
    world.run(11)
    world.program.ask("POST")
    world.run(20)
    world.server.start()
    world.program.ask("POST")
    world.run(30)
    assert [said for _, _, said in world.program.replies] == ["server-1", "server-2", "server-2"]
    before = [(r.detail["before"], r.detail["server"]) for r in world.sim.trace.of("connection")]
    assert before[-1] == ("server-1", "server-2")


def test_a_client_with_a_limit_shares_the_connection_of_the_one_without():
    world = World()
    client = ApiClient(world.program, ["server-1"], "test")
    quick = client.limited(SECOND)
    for one in (client, quick):
        world.program.spawn(one.request("GET", "/"))
    world.run(1.5)
    assert world.server.greeted == 1 and (client.timeout, quick.timeout) == (None, SECOND)


def test_a_connection_takes_a_hundred_requests_at_once_and_the_next_one_dials_anew(world):
    for _ in range(world.net.params.http2_max_streams):
        world.program.ask("GET")
    world.run(1)
    assert world.server.greeted == 1
    world.program.ask("GET")
    world.run(2)
    assert world.server.greeted == 2
    world.run(10)
    world.program.ask("GET")  # there is room again on the first
    world.run(11)
    assert world.server.greeted == 2 and len(world.program.transport.connections[0].calls) == 1
