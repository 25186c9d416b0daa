"""Two balancers and one address: what the scenario promises, over several seeds, and the sentences that tell it."""

from functools import cache

import pytest

from kubemini.cluster import Cluster
from kubemini.sim.units import SECOND
from kubemini.simulate import run
from kubemini.view.story import story

SEEDS = (None, 1, 2, 3)


@cache
def told(seed=None):
    return run("two-balancers", seed)


def writes(seed, start, end):
    """The fates of the writes that began in [start, end) seconds."""
    asked = [r.detail for r in told(seed).of("request") if start * SECOND <= r.detail["started"] < end * SECOND]
    assert asked, "no writes in this stretch of the story"
    return {write["outcome"] for write in asked}


def holders(seed, at):
    """Which keepaliveds have the address *at* seconds."""
    found = {}
    for record in told(seed):
        if record.at > at * SECOND:
            break
        if record.what == "address":
            found[record.actor] = record.detail["held"]
        elif record.what == "power_off":
            found.pop(f"keepalived-{record.actor[-1]}", None)
    return [name for name, held in sorted(found.items()) if held]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.some(1)
def test_half_a_minute_passes_until_the_second_balancer_has_the_address(seed):
    assert writes(seed, 15, 20) == {"ok"}
    assert writes(seed, 20, 49) == {"failed"}
    assert holders(seed, 49) == ["keepalived-1"] and holders(seed, 54) == ["keepalived-2"]
    assert writes(seed, 54, 60) == {"ok"}


@pytest.mark.parametrize("seed", SEEDS)
def test_the_first_takes_it_back_when_it_is_well_again(seed):
    assert holders(seed, 65) == ["keepalived-2"] and holders(seed, 70) == ["keepalived-1"]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_host_without_power_is_missed_within_four_seconds(seed):
    assert holders(seed, 82.5) == [] and holders(seed, 84) == ["keepalived-2"]
    assert "failed" not in writes(seed, 80, 110)  # those that began in the gap wait


@pytest.mark.parametrize("seed", SEEDS)
def test_two_that_cannot_hear_each_other_both_have_it_and_no_write_fails(seed):
    assert holders(seed, 114) == holders(seed, 121) == ["keepalived-1", "keepalived-2"]
    assert writes(seed, 110, 121) == {"ok"}
    assert holders(seed, 124) == ["keepalived-1"]


def test_the_sentences_say_who_has_the_address():
    first = [line[2] for line in story(told())]
    assert "The address is on lb-1, whose load balancer is down: nobody reaches the API servers" in first
    assert "No load balancer has the address: nobody reaches the API servers" in first
    both = "3 of 3 members up, quorum is 2, lb-1 and lb-2 both have the address: writes accepted"
    assert next(line[0] / SECOND for line in story(told()) if line[2] == both) == pytest.approx(113.2, abs=0.1)


def test_a_balancer_that_has_lost_the_address_ends_the_sessions_that_came_by_it():
    cluster = Cluster.stacked(load_balancers=2)
    cluster.run("20s")
    first, second = cluster.components["haproxy-1"], cluster.components["haproxy-2"]
    came_by_the_address = len(first.open)
    assert came_by_the_address == 4 and len(second.open) == 0
    cluster.components["keepalived-1"].pause()
    cluster.run("5s")
    cluster.net.addresses.drop("api-vip", "lb-1")
    cluster.net.changed()
    cluster.run("34s")
    assert len(first.open) == 4  # timeout client 35s
    cluster.run("2s")
    assert len(first.open) == 0 and len(second.open) == 4
