"""Addresses of pods: each its own, for as long as it has it."""

import pytest

from kubemini.host import Host
from kubemini.host.linux import podnetwork
from kubemini.sim import Sim


@pytest.fixture
def host():
    return Host(Sim(), "worker-3")


def test_addresses_are_given_in_turn_and_a_freed_one_is_not_given_again_at_once(host):
    assert [podnetwork.next_ip(host) for _ in range(3)] == ["10.244.3.2", "10.244.3.3", "10.244.3.4"]
    assert podnetwork.next_ip(host, {"10.244.3.3", "10.244.3.5"}) == "10.244.3.6"


def test_the_last_given_is_remembered_on_disk(host):
    podnetwork.next_ip(host)
    host.power_off()
    host.power_on()
    assert podnetwork.next_ip(host) == "10.244.3.3"


def test_an_address_is_never_given_twice_while_in_use(host):
    taken = [podnetwork.next_ip(host) for _ in range(2)]
    for _ in range(1000):
        found = podnetwork.next_ip(host, set(taken))
        assert found not in taken
        taken = [*taken[-100:], found]


def test_the_last_free_address_is_found_and_a_full_range_is_a_defect(host):
    every = {f"10.244.3.{number}" for number in range(2, 255)}
    assert podnetwork.next_ip(host, every - {"10.244.3.200"}) == "10.244.3.200"
    with pytest.raises(AssertionError, match="more than 253 pods"):
        podnetwork.next_ip(host, every)
