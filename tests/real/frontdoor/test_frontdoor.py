"""The real HAProxy beside ours, in the same troubles, with kubeadm's settings.

Nothing here is a time: which check fails, and after how many a server leaves and returns.
"""

import pytest

from tests.real.frontdoor import live, ours
from tests.real.frontdoor.live import FATES, NOTICED

pytestmark = pytest.mark.needs("namespaces", "haproxy", "keepalived", "iptables", "openssl", "curl")
SEEDS = range(1, 6)
RUNS = 4


@pytest.fixture(scope="module")
def checks():
    """Check → what HAProxy said with it. If even the server that is well failed, the machine was too busy: again."""
    for _ in range(RUNS):
        told = live.told()
        if not any(said[when]["well"] for said in told.values() for when in said):
            break
    return told


def until_down(said):
    """The checks that took a server down. (Later ones of a machine cut off fail sooner: nobody answers for it.)"""
    ends = [number for number, (_, status) in enumerate(said, 1) if status.endswith("DOWN")]
    return said[: ends[0]] if ends else said


@pytest.mark.parametrize("check", NOTICED)
def test_what_is_wrong_is_called_what_the_real_one_calls_it_and_takes_as_many_checks(checks, check):
    real = checks[check]
    for seed in SEEDS:
        told = ours.checks(check, seed)
        for fate in FATES.values():
            assert until_down(told["during"][fate]) == until_down(real["during"][fate]), fate
            assert told["after"][fate] == real["after"][fate], fate


@pytest.mark.parametrize("check", NOTICED)
def test_a_check_notices_what_it_asks_for(checks, check):
    noticed = {fate for fate, said in checks[check]["during"].items() if said}
    assert noticed == set(NOTICED[check])
