"""Connections that are kept: how they open, what ends them, and what that costs."""

import pytest

from kubemini.host import Component, Host
from kubemini.sim import Sim
from kubemini.sim.units import MS, SECOND
from kubemini.wire import Network
from kubemini.wire.calls import EOF
from kubemini.wire.connections import Limits

HTTP2 = Limits(10 * SECOND, 30 * SECOND, 15 * SECOND, None, connect=30 * SECOND)
GRPC = Limits(20 * SECOND, 30 * SECOND, 10 * SECOND, 10 * SECOND)


class Server(Component):
    """Notes what it is asked; `slow` takes 3 s, `count` streams a number a second, `leave` says GOAWAY."""

    asked: list

    def boot(self):
        self.asked = []

    def greet(self, call):
        if self.full:
            call.fail(EOF)
            return None
        return super().greet(call)

    full = False

    def handle(self, call):
        self.asked.append(call.payload)
        call.on_cancel(lambda: self.asked.append(f"{call.method} cancelled"))
        if call.method == "leave":
            call.peer.go_away()
        if call.method == "slow":
            yield self.timeout(3 * SECOND)
        while call.method == "count" and not call.closed:
            call.stream.push(self.sim.now // SECOND)
            yield self.timeout(SECOND)
        call.reply(call.payload)


class Client(Component):
    """Keeps one connection, and notes what becomes of everything."""

    def boot(self):
        self.seen, self.breaks = [], []

    def dial(self, limits=HTTP2, **more):
        self.it = self.connection("server", limits, lambda e: self.breaks.append((self.sim.now, e)), **more)
        self.note("dialled", self.it.dial())

    def ask(self, method="echo", payload=1, timeout=None):
        self.note(payload, self.it.call(method, payload, timeout))

    def note(self, what, event):
        def happened(event):
            reply = event.value
            said = reply.value if reply.ok else str(reply.error)
            self.seen.append((self.sim.now / SECOND, what, said))

        if event.callbacks is None:
            happened(event)
        else:
            event.callbacks.append(happened)


class World:
    def __init__(self):
        self.sim = Sim(seed=1)
        self.net = Network(self.sim)
        self.a, self.b = Host(self.sim, "a"), Host(self.sim, "b")
        self.server = Server(self.sim, self.net, self.a, "server")
        self.client = Client(self.sim, self.net, self.b, "client")
        self.server.start(), self.client.start()

    def run(self, seconds):
        self.sim.run_until(round(seconds * SECOND))

    def cut(self):
        self.net.cut(["a"], ["b"])

    @property
    def last(self):
        at, what, said = self.client.seen[-1]
        return round(at, 2), what, said

    @property
    def broken(self):
        return [(round(at / SECOND, 2), str(error)) for at, error in self.client.breaks]

    @property
    def states(self):
        return [r.detail["state"] for r in self.sim.trace.records if r.what == "connection"]


@pytest.fixture
def world():
    return World()


@pytest.fixture
def kept(world):
    """A world whose client has a connection since the first second."""
    world.client.dial()
    world.run(1)
    assert world.client.it.open
    return world


def test_who_is_dialled_says_who_serves(kept):
    assert kept.last == (0, "dialled", "server") and kept.client.it.server == "server"
    assert kept.states == ["open"]


def test_a_call_on_a_connection_costs_two_events_and_an_item_of_a_stream_one(kept):
    before = kept.sim.events
    kept.client.ask()
    kept.run(2)
    assert kept.last == (1, 1, 1) and kept.sim.events - before == 2


def test_an_idle_connection_costs_nothing_in_an_hour(kept):
    kept.run(11)  # the limit of the greeting is over
    before = kept.sim.events
    kept.run(3600)
    assert kept.sim.events == before and kept.client.it.open


def test_a_program_that_is_not_there_refuses_the_dial_at_once(world):
    world.server.crash()
    world.client.dial()
    world.run(1)
    assert world.last == (0, "dialled", "connection refused") and world.states == ["refused"]
    assert world.broken == []


def test_a_hung_program_lets_the_dialler_wait_for_tls_until_its_limit(world):
    world.server.pause()
    world.client.dial()
    world.run(20)
    assert world.last == (10, "dialled", "net/http: TLS handshake timeout")
    world.server.resume()
    world.run(21)
    assert world.server.rpc.accepted == {}


def test_silence_lets_the_dialler_wait_for_tcp(world):
    world.a.power_off()
    world.client.dial()
    world.run(60)
    assert world.last == (30, "dialled", "i/o timeout")


def test_a_dial_into_a_cut_gets_through_with_the_next_syn_after_it_has_healed(world):
    world.cut()
    world.client.dial()
    world.run(4)
    world.net.heal()
    world.run(10)
    assert world.last == (7, "dialled", "server")  # tries after 1, 3 and 7 s


def test_a_server_that_turns_clients_away_closes_at_once(world):
    world.server.full = True
    world.client.dial()
    world.run(1)
    assert world.last == (0, "dialled", "EOF") and not world.client.it.open


def test_a_crash_breaks_idle_connections_at_once(kept):
    kept.server.crash()
    kept.run(1.01)
    assert kept.broken == [(1, "EOF")] and kept.states == ["open", "broken"]


def test_a_crash_ends_what_is_asked_and_its_fate_is_unknown(kept):
    kept.client.ask("slow")
    kept.run(2)
    kept.server.crash()
    kept.run(3)
    assert kept.last == (2, 1, "EOF")


def test_killing_a_hung_program_that_has_not_read_all_resets_the_connection(kept):
    kept.server.pause()
    kept.client.ask()
    kept.run(2)
    kept.server.crash()
    kept.run(3)
    assert kept.broken == [(2, "connection reset by peer")]


def test_what_a_hung_program_was_sent_is_carried_out_when_it_goes_on(kept):
    kept.server.pause()
    kept.client.ask()
    kept.run(20)
    assert kept.server.asked == []
    kept.server.resume()
    kept.run(100)
    assert kept.last == (20, 1, 1) and kept.broken == []


@pytest.mark.parametrize("end", [lambda world: None, lambda world: world.client.it.close()])
def test_what_was_given_up_while_a_program_hung_it_never_begins(kept, end):
    kept.server.pause()
    kept.client.ask(payload="given up", timeout=5 * SECOND)
    kept.run(10)
    end(kept)
    kept.server.resume()
    kept.run(20)
    assert kept.server.asked == []


def test_pings_give_a_hung_server_up_thirty_and_fifteen_seconds_after_its_last_frame(kept):
    kept.run(11)
    kept.client.ask()
    kept.run(12)
    kept.server.pause()
    kept.client.ask(payload=2)
    kept.run(100)
    assert kept.broken == [(56, "http2: client connection lost")]
    assert kept.last == (56, 2, "http2: client connection lost")


def test_pings_that_were_answered_unseen_count_as_frames(kept):
    kept.run(100)
    kept.server.pause()
    kept.run(200)
    ((at, _),) = kept.broken
    assert 100 + 15 <= at <= 100 + 45 and at == 135  # of 0 + 30 + 30 + 30 s: the last one at 90


def test_a_frame_in_between_starts_the_pings_anew(kept):
    kept.server.pause()
    kept.run(20)
    kept.client.ask()
    kept.server.resume()
    kept.run(21)
    kept.server.pause()
    kept.run(200)
    assert kept.broken == [(65, "http2: client connection lost")]


def test_a_hung_server_that_wakes_between_ping_and_limit_keeps_the_connection(kept):
    kept.server.pause()
    kept.run(40)
    kept.server.resume()
    kept.run(200)
    assert kept.broken == [] and kept.client.it.open


def test_after_power_has_come_back_who_sends_is_reset_and_who_does_not_knows_nothing(kept):
    kept.a.power_off()
    kept.run(5)
    kept.a.power_on()
    kept.run(6)
    assert kept.broken == []
    kept.client.ask()
    kept.run(7)
    assert kept.broken == [(6, "connection reset by peer")] and kept.server.asked == []


def test_a_silent_host_acknowledges_nothing_and_a_client_with_that_limit_gives_up(world):
    world.client.dial(GRPC)
    world.run(5)
    world.a.power_off()
    world.run(8)
    world.client.ask()
    world.run(60)
    assert world.broken == [(18, "connection timed out")]


def test_a_hung_program_acknowledges_so_only_the_pings_end_that(world):
    world.client.dial(GRPC)
    world.run(5)
    world.server.pause()
    world.client.ask()
    world.run(60)
    assert world.broken == [(40, "http2: client connection lost")]


def test_a_cut_holds_back_and_lets_pass_in_order_when_it_has_healed(kept):
    kept.cut()
    for second in (2, 3, 4):
        kept.client.ask(payload=second)
        kept.run(second)
    kept.net.heal()
    kept.run(20)
    assert kept.server.asked == [2, 3, 4] and kept.broken == []
    assert [said for _, _, said in kept.client.seen[1:]] == [2, 3, 4]
    assert kept.last[0] == 4.17  # 211 ms x 15 after the first of them


def test_a_cut_holds_the_items_of_a_stream_back_and_loses_none(kept):
    items = []
    kept.client.it.open_stream("count", 0, items.append, items.append)
    kept.run(3.5)
    kept.cut()
    kept.run(8.5)
    assert items == [1, 2, 3]
    kept.net.heal()
    kept.run(12.5)
    assert items == list(range(1, 13))


def test_a_cut_of_the_way_back_alone_is_noticed_by_whoever_waits_for_acknowledgements(world):
    world.client.dial(GRPC)
    world.run(1)
    world.net.cut(["a"], ["b"], one_way=True)
    world.client.ask()
    world.run(60)
    assert world.server.asked == [1]
    assert world.broken == [(11, "connection timed out")]


def test_after_a_crash_behind_a_cut_the_first_word_after_the_heal_is_answered_with_the_end(kept):
    kept.cut()
    kept.server.crash()
    kept.server.start()
    kept.run(5)
    assert kept.broken == []
    kept.net.heal()
    kept.run(20)
    assert [why for _, why in kept.broken] == ["EOF"]


def test_goaway_lets_go_on_what_runs_and_closes_when_that_is_over(kept):
    kept.client.ask("slow", 1)
    kept.client.ask("leave", 2)
    kept.run(2)
    assert kept.client.it.draining and kept.client.it.open
    kept.run(10)
    assert kept.last == (4, 1, 1) and not kept.client.it.open
    assert kept.broken == [] and kept.states == ["open", "closed"]


def test_after_goaway_the_limit_of_the_last_call_closes_the_connection_too(kept):
    kept.client.ask("slow", timeout=SECOND)
    kept.client.ask("leave")
    kept.run(1.5)
    assert kept.client.it.draining and kept.client.it.open
    kept.run(5)
    assert not kept.client.it.open


def test_the_limit_of_a_call_ends_it_and_its_server_is_told(kept):
    kept.client.ask("slow", timeout=SECOND)
    kept.run(10)
    assert kept.last == (2, 1, "deadline exceeded")
    assert kept.server.asked == [1, "slow cancelled"] and kept.client.it.open


def test_a_client_that_dies_lets_its_server_know(kept):
    kept.client.ask("slow")
    kept.run(2)
    kept.client.crash()
    kept.run(3)
    assert kept.server.asked == [1, "slow cancelled"] and kept.server.rpc.accepted == {}


def test_a_call_on_a_connection_that_is_gone_has_certainly_not_happened(kept):
    kept.server.crash()
    kept.run(2)
    reply = kept.client.it.call("echo", 1, None).value
    assert not reply.ok and reply.error.definite


def test_a_connection_that_is_not_kept_leaves_no_record(world):
    world.client.dial(kept=False)
    world.run(1)
    world.client.ask()
    world.run(2)
    world.client.it.close()
    world.run(3)
    assert world.last == (1, 1, 1) and world.states == [] and world.server.rpc.accepted == {}


def test_loss_only_delays_what_a_connection_carries(kept):
    kept.net.set_loss("a", "b", 0.3)
    for number in range(20):
        kept.client.ask(payload=number)
        kept.run(2 + number)
    kept.run(100)
    assert kept.server.asked == list(range(20)) and kept.broken == []
    assert max(at - 1 - n for at, n, _ in kept.client.seen[1:]) * SECOND > MS * 300
