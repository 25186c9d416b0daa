"""The real HAProxy and keepalived with kubeadm's settings: which check fails, after how many, who holds the address."""

import pytest

from kubemini.loadbalancer.decide.health import ServerHealth
from kubemini.params import Params
from tests.real.frontdoor import live
from tests.real.frontdoor.live import NOTICED

pytestmark = pytest.mark.needs("namespaces", "haproxy", "keepalived", "iptables", "openssl", "curl")

WHY = {
    "killed": "Layer4 connection problem",
    "hung": "Layer6 timeout",
    "cut off": "Layer4 timeout",
    "sick": "Layer7 wrong status, code: 500",
}
WELL = {"kubeadm": "Layer7 check passed, code: 200", "old": "Layer6 check passed", "tcp": "Layer4 check passed"}


@pytest.fixture(scope="module")
def checks():
    """Check → what HAProxy said with it."""
    return live.told("checks")


@pytest.fixture(scope="module")
def held():
    """Trouble → who held the address in it, and after it."""
    return live.told("address")


def until_down(said):
    """The checks that took a server down. (Later ones of a machine cut off fail sooner: nobody answers for it.)"""
    ends = [number for number, (_, status) in enumerate(said, 1) if status.endswith("DOWN")]
    return said[: ends[0]] if ends else said


def ours(health, tell):
    """How often *health* is told so until it changes its mind."""
    return next(number for number in range(1, 10) if tell(health))


@pytest.mark.parametrize("check", NOTICED)
def test_each_way_to_be_gone_fails_a_check_of_its_own(checks, check):
    said = {fate: until_down(of_it) for fate, of_it in checks[check]["during"].items()}
    expected = {fate: {WHY[fate]} if fate in NOTICED[check] else set() for fate in [*WHY, "well"]}
    assert {fate: {why for why, _ in of_it} for fate, of_it in said.items()} == expected


@pytest.mark.parametrize("check", NOTICED)
def test_a_server_is_down_after_as_many_failed_checks_as_ours_and_up_after_as_many_good_ones(checks, check):
    health = ServerHealth(Params().haproxy_rise, Params().haproxy_fall)
    health.passed()
    fall, rise = ours(health, ServerHealth.failed), ours(health, ServerHealth.passed)
    for fate in NOTICED[check]:
        during, after = until_down(checks[check]["during"][fate]), checks[check]["after"][fate]
        assert [status.split()[1] for _, status in during] == ["UP"] * (fall - 1) + ["DOWN"]
        assert [status.split()[1] for _, status in after] == ["DOWN"] * (rise - 1) + ["UP"]
        assert {why for why, _ in after} == {WELL[check]}


@pytest.mark.parametrize("trouble", ["haproxy killed", "keepalived stopped"])
def test_the_second_balancer_takes_the_address_and_the_first_takes_it_back(held, trouble):
    alone = {when: [who for who in seen if len(who) == 1] for when, seen in held[trouble].items()}
    assert alone["during"] in ([["lb1"], ["lb2"]], [["lb2"]]) and alone["after"] == [["lb2"], ["lb1"]]


def test_two_that_cannot_hear_each_other_both_hold_it(held):
    assert held["deaf"]["during"] == [["lb1"], ["lb1", "lb2"]]
    assert held["deaf"]["after"] in ([["lb1", "lb2"], ["lb1"]], [["lb1"]])
