"""Checks that are left out would have changed nothing: a balancer that leaves none out says the same."""

import pytest

from kubemini.loadbalancer.checks import Checks
from kubemini.sim.units import MS, SECOND
from tests.worlds.balancer import World

CALM = 15 * SECOND  # all servers have been found well by then
FAULTS = {
    "killed": lambda world: world.servers[1].crash(),
    "hung": lambda world: world.servers[1].pause(),
    "off": lambda world: world.hosts[1].power_off(),
    "cut": lambda world: world.net.cut(["lb-1"], ["cp-2"]),
    "unwell": lambda world: world.servers[1].say(500),
    "lossy": lambda world: world.net.set_loss("lb-1", "cp-2", 1.0),
    "the balancer itself": lambda world: (world.lb.crash(), world.lb.start()),
}


def told(fault, seed):
    """(ms after the fault, server, up, why) of each change of mind."""
    world = World(seed)
    world.client.crash()
    FAULTS[fault](world)
    world.run(15)
    world.servers[1].say(200)
    world.net.set_loss("lb-1", "cp-2", 0)
    world.net.heal()
    world.servers[1].resume()
    world.hosts[1].power_on()
    world.servers[1].start()
    world.run(15)
    return [(r.at, *r.detail.values()) for r in world.sim.trace.of("backend") if r.at > CALM]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.soak), pytest.param(3, marks=pytest.mark.soak)])
def test_a_balancer_that_leaves_no_check_out_says_the_same(fault, seed, monkeypatch):
    rested = told(fault, seed)
    monkeypatch.setattr(Checks, "_can_tell", lambda self, server: False)
    restless = told(fault, seed)
    assert [what[1:] for what in rested] == [what[1:] for what in restless] != []
    assert all(abs(a[0] - b[0]) < 3 * MS for a, b in zip(rested, restless, strict=True))
