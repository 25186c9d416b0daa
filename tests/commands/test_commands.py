"""Faults are data, checked before anything runs."""

import pytest

from kubemini import faults
from kubemini.cluster import Cluster, build
from kubemini.sim.units import SECOND
from kubemini.simulate import run


@pytest.fixture
def cluster():
    return Cluster(build("stacked", members=3, workers=2))


def planned(cluster, *entry):
    faults.schedule(cluster, faults.parse_all([entry]))


def test_a_fault_happens_at_its_instant_and_is_in_the_trace(cluster):
    planned(cluster, "5s", "crash", "etcd-1")
    cluster.run("6s")
    (command,) = cluster.trace.of("command")
    assert (command.at, command.actor, command.detail) == (
        5 * SECOND,
        "scenario",
        {"action": "crash", "args": ["etcd-1"]},
    )
    assert [r.at for r in cluster.trace.of("crash", "etcd-1")] == [5 * SECOND]


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (("5s", "crash", "etcd-9"), "'etcd-9' is not a component of this cluster; there are: etcd-1, apiserver-1"),
        (("5s", "explode", "etcd-1"), "there is no action 'explode'; there are: crash, restart, pause"),
        (("5s", "crash"), "crash takes component, got 0 argument(s)"),
        (("soon", "crash", "etcd-1"), '"soon" is not a duration'),
        (("5s", "power_off", "etcd-1"), "'etcd-1' is not a host of this cluster; there are: cp-1, cp-2"),
        (("5s", "zone_outage", "z"), "'z' is not a zone of this cluster; there are: a, b, c"),
        (("5s", "cut", "cp-1", "mars"), "'mars' is no host, component or zone"),
        (("5s", "loss", "cp-1", "cp-2", "2"), "expected a share from 0 to 1, got '2'"),
        (("5s", "latency", "cp-1", "cp-2", "5ms", "1ms"), "write the smaller one first"),
        (("5s", "slow_disk", "cp-1", "very"), '"very" is not a duration'),
        (("5s", "get", "k", "etcd-1", "perhaps"), "expected linearizable or serializable"),
        (("5s", "scale", "web", "many"), "expected a number of replicas, got 'many'"),
    ],
)
def test_a_fault_that_cannot_happen_says_what_can(cluster, entry, message):
    with pytest.raises(faults.FaultError) as error:
        planned(cluster, *entry)
    assert message in str(error.value)
    assert len(cluster.trace) == 0


def test_a_bad_command_of_a_run_is_named_by_its_number():
    with pytest.raises(faults.FaultError, match="command 2: there is no action"):
        run("etcd-3", commands=[(1, "crash", "etcd-1"), (2, "kaboom")])


def test_a_zone_outage_takes_every_host_of_the_zone_and_a_restore_brings_them_back(cluster):
    planned(cluster, "2s", "zone_outage", "a")
    planned(cluster, "4s", "zone_restore", "a")
    cluster.run("3s")
    assert [h.name for h in cluster.hosts.values() if not h.powered] == ["cp-1", "worker-1"]
    cluster.run("2s")
    assert all(h.powered for h in cluster.hosts.values())


def test_a_cut_names_hosts_by_their_components_and_zones_too(cluster):
    planned(cluster, "1s", "cut", "etcd-1", "b,c")
    cluster.run("2s")
    assert not cluster.net.reachable("cp-1", "cp-2") and not cluster.net.reachable("cp-3", "cp-1")
    assert cluster.net.reachable("cp-2", "cp-3") and cluster.net.reachable("cp-1", "worker-1")


def test_pause_holds_a_program_and_resume_lets_it_go_on(cluster):
    planned(cluster, "1s", "pause", "etcd-1")
    planned(cluster, "2s", "resume", "etcd-1")
    cluster.run("1500ms")
    assert cluster.components["etcd-1"].paused
    cluster.run("1s")
    assert not cluster.components["etcd-1"].paused


def test_a_lost_disk_kills_the_hosts_programs_and_a_member_that_starts_there_again_knows_nothing():
    trace = run(
        "etcd-3",
        commands=[("5s", "lose_disk", "etcd-host-3"), ("8s", "restart", "etcd-3")],
        until="8001ms",
    )
    assert [r.at for r in trace.of("crash", "etcd-3")] == [5 * SECOND]
    assert max(r.detail["index"] for r in trace.of("append", "etcd-3") if r.at < 5 * SECOND) > 10
    assert [r for r in trace.of("append", "etcd-3") if r.at >= 8 * SECOND] == []


def test_every_command_stands_in_kubemini_faults_by_its_name():
    assert {"Crash", "MemberAdd", "Apply", "parse"} <= set(dir(faults))
    assert all(getattr(faults, kind.__name__) is kind for kind in faults.ACTIONS.values())
    with pytest.raises(AttributeError, match="there is no command Explode; there are: Crash"):
        _ = faults.Explode
