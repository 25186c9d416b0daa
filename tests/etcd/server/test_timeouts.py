"""How long etcd works on a request: 5 s + 2 x election timeout, whatever the election timeout is (ReqTimeout)."""

from dataclasses import replace

import pytest

from kubemini.params import Params
from kubemini.sim.units import MS, SECOND
from tests.worlds.etcd import World


@pytest.mark.parametrize(("election", "seconds"), [(1000, 7.0), (3000, 11.0), (500, 6.0)])
@pytest.mark.parametrize("method", ["put", "range", "lease_grant"])
def test_the_patience_of_a_member_grows_with_the_election_timeout(election, seconds, method):
    world = World(3, params=replace(Params(), etcd_election_timeout=election * MS))
    world.run(6)
    survivor, *others = world.members
    for other in others:
        other.crash()
    world.client.ask(survivor.name, method, {"TTL": 5} if method == "lease_grant" else {"key": "k"}, 60 * SECOND)
    reply, took = world.wait()
    assert not reply.ok and seconds - 0.01 < took < seconds + (0.51 if method == "range" else 0.01)
