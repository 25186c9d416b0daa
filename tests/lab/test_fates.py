"""What chapter *Two topologies* counts: dead and silent members, stacked and external."""

import pytest

from kubemini.cluster import build
from kubemini.lab.topologies.fates import fates, waited
from kubemini.simulate import run


def test_stacked_a_third_of_the_writes_waits_until_the_balancer_has_noticed():
    trace = run("stacked", until=48)
    assert fates(trace, 21, 31) == "7 done, 3 done late"
    assert fates(trace, 32, 40) == "8 done"


@pytest.mark.parametrize("fault, back", [("crash", "restart"), ("pause", "resume")])
def test_stacked_dead_and_silent_cost_the_server_beside_the_member_alone(fault, back):
    found = waited(build("stacked", members=3), [(20, fault, "etcd-3"), (45, back, "etcd-3")], 20, 45)
    assert [slow > 0 for slow, _ in found.values()] == [False, False, True]


def test_external_a_dead_member_costs_nobody_and_a_silent_one_everybody():
    external = build("external", etcd_members=3)
    dead = waited(external, [(20, "crash", "etcd-3"), (45, "restart", "etcd-3")], 20, 45)
    silent = waited(external, [(20, "pause", "etcd-3"), (45, "resume", "etcd-3")], 20, 45)
    assert all(slow == 0 for slow, _ in dead.values())
    assert all(3 * slow >= had for slow, had in silent.values())
