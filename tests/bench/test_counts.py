"""How many events a run takes: exact on every machine. How long that takes, `make bench` reports, and no test."""

import pytest

from kubemini.bench import counts, scale, table, workloads
from kubemini.bench.rollout import Fleet
from kubemini.kubectlline import kubectl
from kubemini.sim.units import DAY, SECOND


def test_a_message_between_idle_members_takes_few_events():
    for result in counts.per_message():
        assert table.held(result, table.bars()[result.bar]), result


def test_a_quiescent_run_has_few_events():
    for result in counts.events_saved():
        assert table.held(result, table.bars()[result.bar]), result


def test_a_count_has_no_slack():
    exact = ("events_per_message", "quiet_year_events", "year_events", "write_events")
    assert {table.bars()[bar]["slack"] for bar in exact} == {0.0}


def test_a_quiescent_year_sends_as_many_packets_as_a_full_one_would():
    year = 365 * DAY // SECOND
    day, two = (workloads.idle_etcd(n, fidelity="quiescent").net.packets for n in (100, 200))
    assert workloads.idle_etcd(year, fidelity="quiescent").net.packets == day + (two - day) * (year - 100) // 100
    assert day == workloads.idle_etcd(100).net.packets


def test_the_rollout_that_is_measured_is_done_when_the_clock_stops():
    fleet = Fleet(pods=12)
    assert fleet.told() == 'deployment "web" successfully rolled out\n'
    fleet.roll()
    assert fleet.told() == 'deployment "web" successfully rolled out\n'
    images = kubectl(fleet.cluster, "get pods -o jsonpath={.items[*].spec.containers[0].image}").out.split()
    assert images == ["shop/web:2.0"] * 12


def test_an_event_is_no_more_events_for_many_watchers_and_the_same_bytes_for_all():
    few, many = scale.Audience(2), scale.Audience(40)
    before = [one.asking.cluster.sim.events for one in (few, many)]
    for audience in (few, many):
        audience.tell()
    costs = [one.asking.cluster.sim.events - events for one, events in zip((few, many), before)]
    assert costs[0] == costs[1]
    assert [b"news-1" in said for said in many.texts()] == [True]


def test_the_scheduler_that_is_measured_on_the_wire_places_every_pod():
    assert all(scale.Wired(nodes=5).place(10))


@pytest.mark.needs("pysyncobj")
def test_pysyncobj_leads_five_members_through_virtual_time():
    from kubemini.bench import pysyncobj_twin as twin

    world, members = twin.idle(60)
    assert len({member._getLeader().id for member in members}) == 1
    assert {member.raftCurrentTerm for member in members} == {members[0].raftCurrentTerm}
    heartbeats = world.packets / 2 / (twin.MEMBERS - 1)
    assert 60 / 0.070 < heartbeats < 60 / twin.HEARTBEAT  # ticks of 10 ms make of every 50 ms some 60
