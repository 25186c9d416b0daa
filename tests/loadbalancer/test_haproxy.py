"""HAProxy as measured: 2.6.12, three servers, inter 2s fall 3 rise 2, 20 requests a second, 50 ms of work each.

Bounds from recordings of the real thing: kill -9 (15 trials), SIGSTOP (10), /readyz answering 500 (10).
"""

from dataclasses import replace
from statistics import mean

import pytest

from kubemini.api.errors import ApiError
from kubemini.host import Component, Host
from kubemini.loadbalancer.decide.health import ServerHealth, next_server
from kubemini.loadbalancer.haproxy import HAProxy
from kubemini.params import Params
from kubemini.sim import Sim
from kubemini.sim.units import MS, SECOND
from kubemini.wire import Network

SERVERS = ["apiserver-1", "apiserver-2", "apiserver-3"]
SEEDS = range(1, 16)
FAULT = 20 * SECOND


class Server(Component):
    """The measurements' back end: 50 ms of work, and a /readyz that can be told to fail."""

    ready = True

    def boot(self):
        self.served = 0

    def handle(self, call):
        if call.payload["path"] == "/readyz":
            call.reply("ok") if self.ready else call.fail(ApiError(500, "InternalError", "not ready"))
        elif call.stream is not None:
            self.watch = call.stream
        else:
            yield self.timeout(50 * MS)
            self.served += 1
            call.reply(self.name)


class Client(Component):
    """Open loop, 20 requests a second; keeps (asked, took, reply)."""

    def boot(self):
        self.replies, self.items, self.ends = [], [], []
        self.ask(0)

    def ask(self, number):
        asked = self.sim.now
        event = self.call("haproxy-1", "request", {"path": "/"}, timeout=5 * SECOND)
        event.callbacks.append(lambda e: self.replies.append((asked, self.sim.now - asked, e.value)))
        self.after(50 * MS, self.ask, number + 1)

    def failed(self, since=0):
        return [(asked, took) for asked, took, reply in self.replies if not reply.ok and asked >= since]


class World:
    def __init__(self, seed=1, **params):
        self.sim = Sim(seed)
        self.net = Network(self.sim, replace(Params(), **params))
        self.hosts = [Host(self.sim, f"cp-{i}") for i in (1, 2, 3)]
        self.servers = [Server(self.sim, self.net, h, n) for h, n in zip(self.hosts, SERVERS, strict=True)]
        self.lb = HAProxy(self.sim, self.net, Host(self.sim, "lb-1"), "haproxy-1", SERVERS)
        self.client = Client(self.sim, self.net, Host(self.sim, "client-1"), "client")
        for component in (*self.servers, self.lb, self.client):
            component.start()
        # the fault comes at a random moment of the check cycle, as in the recordings
        self.fault = FAULT + self.sim.rng("fault").randrange(2 * SECOND)
        self.sim.run_until(self.fault)

    def run(self, seconds):
        self.sim.run_until(self.sim.now + round(seconds * SECOND))

    def marked(self, up, server="apiserver-2"):
        """Seconds after the fault at which the balancer changed its mind, and why."""
        found = [
            r
            for r in self.sim.trace.of("backend")
            if r.at > self.fault and r.detail["server"] == server and r.detail["up"] is up
        ]
        return ((found[0].at - self.fault) / SECOND, found[0].detail["why"]) if found else None


def crashed(seed=1, **params):
    world = World(seed, **params)
    world.servers[1].crash()
    world.run(20)
    return world


def test_a_crashed_server_is_marked_down_after_4_to_6_seconds():
    times = []
    for seed in SEEDS:
        took, why = crashed(seed).marked(False)
        assert why == "Layer4 connection problem"
        assert 4.0 <= took <= 6.05
        times.append(took)
    assert 4.6 < mean(times) < 5.5  # measured: 5.0 to 5.2


def test_without_retries_a_third_of_the_requests_fail_until_then():
    failed = [len(crashed(seed, haproxy_retries=0).client.failed(FAULT)) for seed in SEEDS]
    assert 24 < mean(failed) < 36  # measured: 26.7 of 80, a third


def test_with_redispatch_only_what_was_in_flight_fails():
    for seed in SEEDS:
        assert len(crashed(seed).client.failed()) <= 1  # measured: 0.1 to 0.3, in flight at the kill


def test_a_hung_server_is_marked_down_after_10_to_12_seconds_and_redispatch_does_not_help():
    times = []
    for seed in SEEDS:
        world = World(seed)
        world.servers[1].pause()
        world.run(20)
        took, why = world.marked(False)
        assert why == "Layer7 timeout"
        assert 10.0 <= took <= 12.05
        assert len(world.client.failed()) >= 35  # measured: 42.7
        times.append(took)
    assert 10.5 < mean(times) < 11.5  # measured: 10.7 to 11.1


def test_leastconn_shuns_a_hung_server():
    for seed in SEEDS[:5]:
        world = World(seed, haproxy_balance="leastconn")
        world.servers[1].pause()
        world.run(15)
        assert len(world.client.failed()) <= 3  # measured: 2.0


def test_failing_readyz_takes_a_server_out_without_a_failed_request():
    for seed in SEEDS:
        world = World(seed)
        world.servers[1].ready = False
        world.run(8)
        took, why = world.marked(False)
        assert why == "Layer7 wrong status, code: 500"
        assert 4.0 <= took <= 6.05
        world.servers[1].ready = True
        world.fault = world.sim.now
        world.run(6)
        took, why = world.marked(True)
        assert why == "check passed"
        assert 2.0 <= took <= 4.15
        assert world.client.failed() == []


def test_a_tcp_check_does_not_see_a_failing_readyz():
    world = World(haproxy_check="tcp")
    world.servers[1].ready = False
    world.run(30)
    assert world.marked(False) is None


def test_a_host_without_power_costs_the_connect_timeout_and_then_goes_elsewhere():
    world = World()
    world.hosts[1].power_off()
    world.run(20)
    took, why = world.marked(False)
    assert why == "Layer4 timeout"
    assert 10.0 <= took <= 12.05
    after = [took for asked, took, reply in world.client.replies if asked > world.fault]
    assert max(after) < 1.2 * SECOND
    assert sum(took > SECOND for took in after) > 50  # a third of them, each a second late
    assert len(world.client.failed(world.fault)) <= 1


def test_a_cut_between_balancer_and_server_looks_like_a_dead_host():
    world = World()
    world.net.cut(["lb-1"], ["cp-2"])
    world.run(20)
    assert world.marked(False)[1] == "Layer4 timeout"
    world.net.heal()
    world.run(6)
    assert world.lb.health["apiserver-2"].up


def test_requests_take_turns():
    world = World()
    counts = [s.served for s in world.servers]
    assert max(counts) - min(counts) <= 2


def test_a_watch_outlives_its_server_s_bad_health_but_not_its_death():
    world = World()
    world.lb.turn = 1
    client = world.client
    client.open_stream("haproxy-1", "watch", {"path": "/w"}, client.items.append, client.ends.append)
    world.run(0.01)
    world.servers[1].ready = False
    world.run(10)
    world.servers[1].watch.push("still here")
    world.run(0.01)
    assert (client.items, client.ends) == (["still here"], [])
    world.servers[1].crash()
    world.run(0.01)
    assert [str(e) for e in client.ends] == ["connection reset by peer"]


def test_a_client_that_leaves_ends_its_session():
    world = World(haproxy_balance="leastconn")
    stream = world.client.open_stream("haproxy-1", "watch", {"path": "/w"}, print, print)
    world.run(0.01)
    held = sum(world.lb.sessions.values())
    stream.close()
    world.run(0.06)
    assert held >= 1
    assert sum(world.lb.sessions.values()) <= 1  # the one request of the open loop that is under way


def test_with_every_server_down_a_connection_is_closed_at_once():
    world = World()
    for server in world.servers:
        server.crash()
    world.run(10)
    _, took, reply = world.client.replies[-1]
    assert not reply.ok and reply.error.definite and str(reply.error) == "EOF"
    assert took < 5 * MS


def test_the_checks_of_different_servers_do_not_fall_together():
    world = World(haproxy_inter=30 * SECOND)
    downs = []
    for server in world.servers:
        server.ready = False
    world.run(100)
    downs = sorted(r.at for r in world.sim.trace.of("backend") if not r.detail["up"])
    assert downs[1] - downs[0] > 5 * SECOND


@pytest.mark.parametrize("fall,rise", [(3, 2), (1, 1), (2, 3)])
def test_health_counts_in_a_row(fall, rise):
    health = ServerHealth(rise, fall)
    assert health.up
    assert health.failed()  # never checked: down at the first failure
    assert [health.passed() for _ in range(rise)] == [False] * (rise - 1) + [True]
    if fall > 1:
        assert not health.failed()
        health.passed()
    assert [health.failed() for _ in range(fall)] == [False] * (fall - 1) + [True]


def test_nobody_up_means_nobody_chosen():
    assert next_server(SERVERS, dict.fromkeys(SERVERS, False), 0, dict.fromkeys(SERVERS, 0), "roundrobin") == -1
