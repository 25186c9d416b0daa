"""One host: what a connection finds in its kernel, and whom it is sent to."""

from collections import Counter
from itertools import pairwise

import pytest

from kubemini.host import Host
from kubemini.host.linux import podnetwork
from kubemini.network import dataplane
from kubemini.network.decide.services import picking
from kubemini.network.decide.services.node import ProxyConfig
from kubemini.network.decide.services.ports import Categories, Endpoint, ServicePort
from kubemini.network.decide.services.verdict import Asked
from kubemini.network.decide.services.world import Entry
from kubemini.sim import Sim
from kubemini.sim.units import SECOND

THREE = tuple(Endpoint(f"10.244.1.{i}", 8080, "worker-1", f"web-{i}") for i in (2, 3, 4))


# -- one host ----------------------------------------------------------------------------------------------------
@pytest.fixture
def host():
    return Host(Sim(1), "worker-1")


def program(host, endpoints, mode="iptables", **more):
    port = ServicePort("default", "web", "", "TCP", "10.96.0.7", 80, **more)
    found = Entry(port, Categories(endpoints, (), endpoints, bool(endpoints)))
    dataplane.written(host, ProxyConfig(mode)).put("default/web", (found,))


def test_a_connection_is_random_never_round_robin(host):
    program(host, THREE)
    draw = host.sim.draws("visitor")
    picks = [dataplane.choose(host, "web", draw.u(n)).pod for n in range(3000)]
    expected = 1000
    chi_square = sum((count - expected) ** 2 / expected for count in Counter(picks).values())
    assert chi_square < 13.8  # 99.9 % of two degrees of freedom
    assert any(a == b for a, b in pairwise(picks))


@pytest.mark.parametrize("pick", [picking.pick, picking.pick_by_number])
def test_the_walk_of_the_chain_is_uniform_to_the_last_bit(pick):
    for n in (1, 2, 3, 5, 7):
        marks = [picking.WHOLE * (2 * i + 1) // (2 * n) for i in range(n)]
        assert [pick(range(n), draw) for draw in marks] == list(range(n))


def test_without_an_endpoint_nobody_is_chosen(host):
    program(host, ())
    assert not dataplane.has_endpoints(host, "web")
    assert dataplane.choose(host, "web", 5) is None
    program(host, THREE)
    assert dataplane.has_endpoints(host, "default/web")


def test_affinity_slides_with_each_new_connection(host):
    program(host, THREE, affinity_s=2)
    draw = host.sim.draws("visitor")
    first = dataplane.choose(host, "web", draw.u(0))
    for n in range(1, 30):  # a connection every 1.1 s keeps it (measured on the Linux kernel)
        host.sim.run_until(n * 1_100_000)
        assert dataplane.choose(host, "web", draw.u(n)) == first
    later = set()
    for n in range(30, 60):  # idle for longer than the timeout: chosen at random again
        host.sim.run_until(n * 3 * SECOND)
        later.add(dataplane.choose(host, "web", draw.u(n)).pod)
    assert len(later) == 3


def test_affinity_ends_with_its_endpoint(host):
    program(host, THREE, affinity_s=2)
    first = dataplane.choose(host, "web", 0).pod
    program(host, tuple(e for e in THREE if e.pod != first), affinity_s=2)
    assert dataplane.choose(host, "web", 0).pod != first


def test_rules_and_listeners_die_with_the_power(host):
    program(host, THREE)
    podnetwork.listening(host)["10.244.1.2"] = "web-2"
    host.power_off()
    host.power_on()
    assert not dataplane.has_endpoints(host, "web")
    assert podnetwork.pod_at(host, "10.244.1.2") is None


def sent_by(host, source, destination="10.96.0.7", port=80, draw=0):
    return dataplane.send(host, Asked("TCP", source, destination, port), draw)


def test_affinity_is_each_clients_own_and_the_same_by_every_door(host):
    program(host, THREE, affinity_s=2, node_port=30080, external_ips=("198.51.100.1",))
    doors = (("10.96.0.7", 80), ("192.168.0.101", 30080), ("198.51.100.1", 80))
    draw = host.sim.draws("affinity")
    for client in ("10.244.2.9", "10.244.2.10", "10.244.2.11"):
        found = {sent_by(host, client, *door, draw.u(n)).endpoint.pod for n, door in enumerate(doors * 5)}
        assert len(found) == 1


def test_the_pick_of_both_modes_is_even_to_the_eye_of_chi_square(host):
    hundred = tuple(Endpoint(f"10.244.2.{i}", 8080, "worker-2", f"web-{i}") for i in range(100))
    for mode in ("iptables", "nftables"):
        program(host, hundred, mode)
        draw = host.sim.draws(mode)
        picks = Counter(sent_by(host, "10.244.1.9", draw=draw.u(n)).endpoint.pod for n in range(20_000))
        chi_square = sum((picks[e.pod] - 200) ** 2 / 200 for e in hundred)
        assert 54 < chi_square < 161  # 99.99 % of 99 degrees of freedom, on either side


def test_the_balls_fall_as_in_the_books_on_chance(host):
    """CURRICULUM 4.8: six connections to three pods reach all of them in 540 of 729 hands; ten to ten miss 3.487."""
    draw = host.sim.draws("hands")
    for m, n, expected in ((6, 3, 189 / 729), (10, 10, None)):
        hands = [{picking.pick(range(n), draw.u(h * m + i)) for i in range(m)} for h in range(4000)]
        if expected is None:
            empty = sum(n - len(hand) for hand in hands) / 4000
            assert abs(empty - n * (1 - 1 / n) ** m) < 0.06
        else:
            assert abs(sum(len(hand) < n for hand in hands) / 4000 - expected) < 0.03


def test_before_kube_proxy_has_written_anything_no_rule_decides(host):
    assert dataplane.table(host) is None and sent_by(host, "10.244.1.9").fate == "passed"


def test_the_other_mode_begins_with_no_rule_of_the_first(host):
    program(host, THREE)
    assert dataplane.written(host, ProxyConfig("nftables")).by_service == {}


def test_rules_follow_when_the_range_of_the_hosts_pods_becomes_known(host):
    program(host, THREE)
    podnetwork.assign(host, ["10.244.64.0/20"])
    program(host, THREE)
    assert dataplane.written(host, ProxyConfig()).node.bridge == "10.244.64.1"
    assert sent_by(host, "192.168.0.101").source == "192.168.0.101"
    assert dataplane.entry(host, "web") is not None
