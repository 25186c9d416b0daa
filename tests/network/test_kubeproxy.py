"""kube-proxy in a whole cluster: what the kernels of two workers know, and when."""

from dataclasses import replace
from itertools import pairwise

import pytest

from kubemini.cluster import Cluster
from kubemini.network import dataplane
from kubemini.params import Params
from kubemini.scenarios import load
from kubemini.sim.units import SECOND

SHOP = load("services").manifests


@pytest.fixture
def cluster():
    return started()


def started(**params):
    """A shop of three pods on two workers, running and in every kernel's rules."""
    cluster = Cluster.single(workers=2, params=replace(Params(), **params))
    cluster.apply(SHOP)
    cluster.run("12s")
    assert [len(endpoints(cluster, w)) for w in ("worker-1", "worker-2")] == [3, 3]
    return cluster


def endpoints(cluster, host):
    found = dataplane.entry(cluster.hosts[host], "web")
    return [e.ip for e in found.uses.cluster] if found else None


def test_every_host_has_rules_for_every_endpoint(cluster):
    pods = [r.detail["ip"] for r in cluster.trace.of("pod") if r.detail["state"] == "running" and r.detail["ready"]]
    for host in ("worker-1", "worker-2"):
        assert sorted(endpoints(cluster, host)) == sorted(pods)


def test_rules_follow_a_change_within_seconds_and_at_most_once_a_second(cluster):
    cluster.user.scale("web", 8)
    cluster.run("8s")
    for host in ("worker-1", "worker-2"):
        assert len(endpoints(cluster, host)) == 8
        written = [r.at for r in cluster.trace.of("rules", f"kube-proxy@{host}")]
        assert all(b - a > 0.95 * SECOND for a, b in pairwise(written))  # a second between syncs, each takes its time


def test_a_dead_kube_proxy_leaves_its_rules_and_nobody_updates_them(cluster):
    before = endpoints(cluster, "worker-1")
    cluster.components["kube-proxy@worker-1"].crash()
    cluster.user.scale("web", 1)
    cluster.run("10s")
    assert endpoints(cluster, "worker-1") == before
    assert len(endpoints(cluster, "worker-2")) == 1
    cluster.components["kube-proxy@worker-1"].start()
    cluster.run("2s")
    assert endpoints(cluster, "worker-1") == endpoints(cluster, "worker-2")


def test_a_service_deleted_while_kube_proxy_was_dead_is_cleared_when_it_returns(cluster):
    cluster.components["kube-proxy@worker-1"].crash()
    cluster.user.delete("service", "web")
    cluster.run("3s")
    assert (endpoints(cluster, "worker-1"), endpoints(cluster, "worker-2")) == (endpoints(cluster, "worker-1"), None)
    cluster.components["kube-proxy@worker-1"].start()
    cluster.run("2s")
    assert endpoints(cluster, "worker-1") is None


def test_a_kube_proxy_that_returns_never_writes_what_it_half_knows(cluster):
    cluster.components["kube-proxy@worker-1"].crash()
    cluster.components["kube-proxy@worker-1"].start()
    returned = cluster.sim.now
    cluster.run("5s")
    assert not [r for r in cluster.trace.of("rules") if r.at >= returned]


def test_an_api_server_that_is_gone_changes_no_rule(cluster):
    before = endpoints(cluster, "worker-1")
    written = len(cluster.trace.of("rules"))
    cluster.components["apiserver-1"].crash()
    cluster.run("60s")
    assert endpoints(cluster, "worker-1") == before
    assert len(cluster.trace.of("rules")) == written


def test_a_service_without_pods_is_refused_by_the_kernel(cluster):
    cluster.user.scale("web", 0)
    cluster.run("5s")
    assert endpoints(cluster, "worker-1") == []
    assert dataplane.choose(cluster.hosts["worker-1"], "web", 1) is None


def test_rules_go_with_the_power_and_come_back_after_it(cluster):
    cluster.hosts["worker-1"].power_off()
    assert endpoints(cluster, "worker-1") is None
    cluster.run("2s")
    cluster.hosts["worker-1"].power_on()
    cluster.run("10s")
    assert len(endpoints(cluster, "worker-1")) == 3


def test_a_slower_kube_proxy_writes_less_often():
    cluster = started(iptables_min_sync_period=5 * SECOND)
    written = [r.at for r in cluster.trace.of("rules", "kube-proxy@worker-1")]
    assert all(b - a > 4.9 * SECOND for a, b in pairwise(written))


@pytest.mark.parametrize(("distribution", "near"), [("PreferSameZone", True), ("PreferClose", True), (None, False)])
def test_traffic_stays_in_the_zone_if_the_service_says_so(distribution, near):
    cluster = Cluster.single(workers=4, zones=["a", "b"])
    wish = f"\n  trafficDistribution: {distribution}" if distribution else ""
    cluster.apply(SHOP.replace("replicas: 3", "replicas: 8"))
    cluster.apply(SHOP[SHOP.index("apiVersion: v1") :].rstrip() + wish + "\n")
    cluster.run("20s")
    zones = {name: host.zone for name, host in cluster.hosts.items()}
    for worker in ("worker-1", "worker-2", "worker-3", "worker-4"):
        used = dataplane.entry(cluster.hosts[worker], "web").uses.cluster
        assert {zones[e.node] for e in used} == ({zones[worker]} if near else {"a", "b"})


def test_traffic_stays_on_the_node_where_there_is_a_pod_and_falls_back_to_the_zone():
    cluster = Cluster.single(workers=4, zones=["a", "b"])
    cluster.apply(SHOP.replace("replicas: 3", "replicas: 2"))
    cluster.apply(SHOP[SHOP.index("apiVersion: v1") :].rstrip() + "\n  trafficDistribution: PreferSameNode\n")
    cluster.run("20s")
    entries = {w: dataplane.entry(cluster.hosts[w], "web") for w in cluster.hosts if w.startswith("worker")}
    homes = {e.node for entry in entries.values() for e in entry.uses.cluster}
    for worker, entry in entries.items():
        zone = cluster.hosts[worker].zone
        near = {node for node in homes if cluster.hosts[node].zone == zone}
        assert {e.node for e in entry.uses.cluster} == ({worker} & homes or near or homes)
