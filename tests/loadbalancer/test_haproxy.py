"""HAProxy as measured: 2.6.12, three servers, inter 2s fall 3 rise 2, 20 requests a second, 50 ms of work each.

Bounds from recordings of the real thing: kill -9 (15 trials), SIGSTOP (10), /healthz answering 500 (10), and of whole
clusters with kubeadm's settings: killed DOWN after 4.7 to 6.2 s, hung 11.7, host off 10.7 to 12.3.
"""

from statistics import mean

import pytest

from kubemini.loadbalancer.decide.health import ServerHealth, next_server
from kubemini.sim.units import MS, SECOND
from tests.worlds.balancer import FAULT, SERVERS, World

SEEDS = range(1, 9)


def crashed(seed=1, **params):
    world = World(seed, **params)
    world.servers[1].crash()
    world.run(20)
    return world


def hung(seed=1, **params):
    world = World(seed, **params)
    world.servers[1].pause()
    world.run(25)
    return world


# -- checks ----------------------------------------------------------------------------------------


def test_a_crashed_server_is_marked_down_after_4_to_6_seconds():
    times = []
    for seed in SEEDS:
        took, why = crashed(seed).marked(False)
        assert why == "L4CON"
        assert 4.0 <= took <= 6.05
        times.append(took)
    assert 4.6 < mean(times) < 5.5  # measured: 5.0 to 5.2


def test_a_hung_server_is_marked_down_after_10_to_12_seconds():
    times = []
    for seed in SEEDS:
        took, why = hung(seed).marked(False)
        assert why == "L6TOUT"
        assert 10.0 <= took <= 12.05
        times.append(took)
    assert 10.5 < mean(times) < 11.5  # measured: 10.9 to 11.7


def test_failing_healthz_takes_a_server_out_without_a_failed_request():
    for seed in SEEDS:
        world = World(seed)
        world.servers[1].say(500)
        world.run(8)
        took, why = world.marked(False)
        assert why == "L7STS 500"
        assert 4.0 <= took <= 6.05
        world.servers[1].say(200)
        world.fault = world.sim.now
        world.run(6)
        took, why = world.marked(True)
        assert why == "L7OK"
        assert 2.0 <= took <= 4.15
        assert world.client.failed() == []


def test_a_server_that_does_not_know_the_anonymous_yet_is_no_good_either():
    world = World()
    world.servers[1].say(403)
    world.run(8)
    assert world.marked(False)[1] == "L7STS 403"


def test_the_answer_to_a_check_may_take_ten_seconds_where_tls_may_take_two():
    world = World()
    world.servers[1].say(0)
    world.run(40)
    took, why = world.marked(False)
    assert why == "L7TOUT" and 34.0 <= took <= 36.1


@pytest.mark.parametrize("kind", ["tcp", "ssl-hello"])
def test_a_check_that_only_connects_does_not_see_a_failing_healthz(kind):
    world = World(haproxy_check=kind)
    world.servers[1].say(500)
    world.run(30)
    assert world.marked(False) is None


@pytest.mark.parametrize("kind", ["tcp", "ssl-hello", "http"])
def test_a_server_that_has_closed_its_door_is_seen_by_every_check(kind):
    world = World(haproxy_check=kind)
    world.servers[1].listens = False  # told to stop, it still serves what is open
    world.net.changed()
    world.run(8)
    assert world.marked(False)[1] == "L4CON"


def test_a_bare_connect_does_not_even_see_a_hung_server_and_a_greeting_does():
    assert hung(haproxy_check="tcp").marked(False) is None
    world = hung(haproxy_check="ssl-hello")
    assert world.marked(False)[1] == "L6TOUT"
    world.servers[1].resume()
    world.run(6)
    assert world.marked(True)[1] == "L6OK"


def test_a_cut_between_balancer_and_server_looks_like_a_dead_host():
    world = World()
    world.net.cut(["lb-1"], ["cp-2"])
    world.run(20)
    assert world.marked(False)[1] == "L4TOUT"
    world.net.heal()
    world.run(6)
    assert world.lb.health["apiserver-2"].up


def test_after_its_own_restart_a_balancer_takes_all_servers_for_well_until_the_first_check():
    world = World()
    world.hosts[1].power_off()
    world.run(15)
    world.lb.crash()
    world.lb.start()
    assert world.lb.health["apiserver-2"].up
    world.run(5)
    assert not world.lb.health["apiserver-2"].up


def test_the_checks_of_different_servers_do_not_fall_together():
    world = World(haproxy_inter=30 * SECOND)
    for server in world.servers:
        server.say(500)
    world.run(100)
    downs = sorted(r.at for r in world.sim.trace.of("backend") if not r.detail["up"])
    assert downs[1] - downs[0] > 5 * SECOND


# -- new connections -------------------------------------------------------------------------------


def test_without_retries_a_third_of_the_requests_fail_until_then():
    failed = [len(crashed(seed, haproxy_retries=0).client.failed(FAULT)) for seed in SEEDS]
    assert 24 < mean(failed) < 36  # measured: 26.7 of 80, a third


def test_with_redispatch_only_what_was_in_flight_fails():
    for seed in SEEDS:
        world = crashed(seed)
        assert len(world.client.failed()) <= 1  # measured: 0.1 to 0.3, in flight at the kill
        assert world.client.errors() <= {"unexpected EOF"}


def test_redispatch_does_not_help_against_a_hung_server_whose_kernel_accepts():
    for seed in SEEDS[:5]:
        world = hung(seed)
        assert 60 <= len(world.client.failed()) <= 80  # a third, for 10 to 12 s
        assert world.client.errors() == {"net/http: TLS handshake timeout"}
        assert {took // SECOND for _, took in world.client.failed(world.fault)} == {10}


def test_leastconn_shuns_a_hung_server():
    for seed in SEEDS[:5]:
        assert len(hung(seed, haproxy_balance="leastconn").client.failed()) <= 3  # measured: 2.0


def test_a_host_without_power_costs_the_connect_timeout_and_then_goes_elsewhere():
    world = World()
    world.hosts[1].power_off()
    world.run(20)
    took, why = world.marked(False)
    assert why == "L4TOUT"
    assert 10.0 <= took <= 12.05
    after = [took for asked, took, reply in world.client.replies if asked > world.fault]
    assert max(after) < 5.2 * SECOND
    assert sum(took > 5 * SECOND for took in after) > 50  # a third of them, each five seconds late
    assert world.client.failed(world.fault) == []


def test_requests_take_turns():
    world = World()
    counts = [s.served for s in world.servers]
    assert max(counts) - min(counts) <= 2


def test_with_every_server_down_a_connection_is_closed_at_once():
    world = World()
    for server in world.servers:
        server.crash()
    world.run(10)
    _, took, reply = world.client.replies[-1]
    assert not reply.ok and reply.error.definite and str(reply.error) == "EOF"
    assert took < 5 * MS


def test_a_dead_balancer_is_refused_and_a_hung_one_lets_everybody_wait_for_tls():
    world = World()
    world.lb.crash()
    world.run(1)
    assert world.client.errors() <= {"connection refused", "unexpected EOF"}
    world.lb.start()
    world.run(1)
    world.client.replies.clear()
    world.lb.pause()
    world.run(20)
    assert "net/http: TLS handshake timeout" in world.client.errors()


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


def test_checks_of_servers_that_are_well_cost_nothing_and_go_on_when_something_has_changed():
    world = World()
    world.client.crash()
    world.run(70)  # what was under way is over
    before = world.sim.events
    world.run(3600)
    assert world.sim.events - before == 0
    world.servers[1].say(500)
    asked = world.sim.now
    world.run(8)
    took, why = world.marked(False)
    assert why == "L7STS 500" and asked + 4 * SECOND <= world.fault + took * SECOND <= asked + 6 * SECOND
