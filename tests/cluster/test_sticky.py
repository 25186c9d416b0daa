"""Kubelets behind the balancer: each hangs on one server, for better or worse, as recorded clusters show."""

import pytest

from kubemini.cluster import Cluster
from kubemini.sim.units import SECOND
from tests.worlds.kube import Shop

FAULTS = {
    "its host goes off": lambda cluster, number: cluster.hosts[f"cp-{number}"].power_off(),
    "it hangs": lambda cluster, number: cluster.components[f"apiserver-{number}"].pause(),
    "it dies": lambda cluster, number: cluster.components[f"apiserver-{number}"].crash(),
}


def told(fault):
    """The shop after a minute without the server of kubelet@worker-1, and (s after the fault, state) of that."""
    shop = Shop(cluster=Cluster.stacked(members=3, workers=3))
    shop.run(10)
    for number in (2, 3):  # the first API server to be ready has got them all
        kubelet = shop.cluster.components[f"kubelet@worker-{number}"]
        kubelet.crash()
        kubelet.start()
    shop.run(10)
    kubelet = shop.cluster.components["kubelet@worker-1"]
    server = kubelet.client.transport.connection.server
    began = shop.sim.now
    FAULTS[fault](shop.cluster, server.rpartition("-")[2])
    shop.run(60)
    mine = [r for r in shop.sim.trace.of("connection", kubelet.name) if r.at > began]
    return shop, server, [((r.at - began) / SECOND, r.detail) for r in mine]


@pytest.mark.parametrize("fault", ["its host goes off", "it hangs"])
def test_a_kubelet_of_a_silent_server_moves_after_45_s_at_most_just_inside_the_grace_of_its_node(fault):
    shop, server, ((lost, broken), (moved, opened)) = told(fault)
    assert broken["why"] == "http2: client connection lost" and 25 < lost <= 45
    assert opened["state"] == "open" and opened["before"] == server != opened["server"]
    assert moved - lost < 12
    assert {shop.readiness(f"worker-{n}") for n in (1, 2, 3)} == {"True"}
    changed = [r for r in shop.object_records("Node", "MODIFIED") if r.at > 20 * SECOND]
    assert [r for r in changed if not r.detail["summary"].get("ready")] == []


def test_a_kubelet_of_a_server_that_dies_has_another_one_at_its_next_request():
    _, server, ((lost, broken), (moved, opened)) = told("it dies")
    assert broken["why"] == "EOF" and lost < 0.01
    assert opened["before"] == server != opened["server"] and moved < 2


def test_kubelets_of_the_other_servers_notice_nothing():
    shop, server, _ = told("it hangs")
    kubelets = [shop.cluster.components[f"kubelet@worker-{n}"] for n in (2, 3)]
    lost = {k.name: [r for r in shop.sim.trace.of("connection", k.name) if r.at > 20 * SECOND] for k in kubelets}
    others = [k.name for k in kubelets if k.client.transport.connection.server != server and not lost[k.name]]
    assert others
    assert all(records[0].detail["server"] == server for records in lost.values() if records)
