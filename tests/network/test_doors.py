"""Visitors by other doors than the cluster IP: node ports and external addresses, from workers and from outside."""

from collections import Counter

import pytest

from kubemini.cluster import Cluster
from kubemini.cluster.workload import WorkloadError
from kubemini.params import Params
from kubemini.scenarios import load
from kubemini.sim.units import SECOND
from kubemini.simulate import run

STORY = load("nodeport")
LOCAL = STORY.manifests.replace("type: NodePort", "type: NodePort\n  externalTrafficPolicy: Local")
OUTSIDE = {"service": "web", "every": "250ms", "door": "node-port", "from": "outside"}
CLIENT = "203.0.113.101"


def visited(manifests, seconds=30, workers=3, params=None, busy=None, **visitors):
    cluster = Cluster.single(workers=workers, outside=1, params=params)
    cluster.prepare(manifests, {"visitors": {**OUTSIDE, **visitors}})
    cluster.run(20)
    if busy:
        busy(cluster)
    cluster.run(seconds)
    late = [r.detail for r in cluster.trace.of("request") if r.detail["kind"] == "service"]
    return cluster, [d for d in late if d["started"] > 21 * SECOND]


def test_by_policy_cluster_every_node_serves_and_nobody_sees_the_client():
    _, visits = visited(STORY.manifests)
    assert {d["outcome"] for d in visits} == {"ok"}
    assert Counter(d["to"] for d in visits).keys() == {f"192.168.0.{n}:30080" for n in (101, 102, 103)}
    assert CLIENT not in {d["source"] for d in visits}
    own = [d for d in visits if d["source"].endswith(".1") and d["source"].startswith("10.244")]
    assert own and all(d["source"] == f"10.244.{d['at'][-1]}.1" for d in own)  # a pod of the node entered


def test_by_policy_local_a_node_without_pods_is_silent_and_the_others_show_the_client():
    _, visits = visited(LOCAL)
    silent = {d["to"] for d in visits if d["outcome"] == "failed"}
    assert len(silent) == 1 and {"deadline exceeded" in d["why"] for d in visits if d["to"] in silent} == {True}
    assert {d["source"] for d in visits if d["to"] not in silent} == {CLIENT}
    assert all(d["at"] == f"worker-{d['to'][12]}" for d in visits if d["outcome"] == "ok")


def test_a_worker_goes_round_its_own_way_and_by_others_when_it_is_told_to():
    _, visits = visited(STORY.manifests, **{"from": "workers"})
    assert {d["outcome"] for d in visits} == {"ok"}
    assert {d["at"] for d in visits} == {"worker-1", "worker-2", "worker-3"}


def test_nobody_outside_is_turned_away_by_a_stale_node_that_everybody_inside_forgot():
    def busy(cluster):
        cluster.components["kube-proxy@worker-1"].crash()
        cluster.user.scale("web", 1)
        cluster.run(5)

    _, visits = visited(STORY.manifests, busy=busy, seconds=20)
    late = [d for d in visits if d["started"] > 26 * SECOND]
    assert {d["to"] for d in late if d["outcome"] == "failed"} == {"192.168.0.101:30080"}
    assert any(d["outcome"] == "ok" for d in late if d["to"] == "192.168.0.101:30080")


def test_a_dark_node_answers_nobody_at_its_port():
    def busy(cluster):
        cluster.hosts["worker-2"].power_off()
        cluster.run(3)

    _, visits = visited(STORY.manifests, busy=busy, seconds=5)
    late = [d for d in visits if d["started"] > 23 * SECOND]
    assert {d["outcome"] for d in late if d["to"] == "192.168.0.102:30080"} == {"failed"}


@pytest.mark.parametrize(("mode", "why"), [("iptables", "no answer"), ("nftables", "refused")])
def test_the_modes_differ_for_a_node_at_an_external_ip_without_endpoints(mode, why):
    manifests = STORY.manifests.replace("type: NodePort", "type: NodePort\n  externalIPs: [198.51.100.1]")
    doors = {"from": "workers", "door": "external-ip"}
    params = Params(proxy_mode=mode)
    scaled = lambda cluster: (cluster.user.scale("web", 0), cluster.run(5))  # noqa: E731
    _, visits = visited(manifests, busy=scaled, seconds=5, params=params, **doors)
    late = [d for d in visits if d["started"] > 25 * SECOND]
    assert late and all(why in d["why"] for d in late)


def test_the_other_doors_are_told_by_the_record_only_where_a_scenario_names_one():
    plain = [r.detail for r in run("services", until=20).of("request") if r.detail["kind"] == "service"]
    assert plain and not [d for d in plain if {"source", "rule", "to", "at"} & d.keys()]


def test_a_service_without_that_door_is_said_to_have_none():
    _, visits = visited(STORY.manifests, seconds=3, door="load-balancer")
    assert {d["why"] for d in visits} == {"the Service has no load-balancer (yet)"}


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"door": "window"}, "workload.visitors.door: expected cluster-ip or node-port"),
        ({"from": "mars"}, "workload.visitors.from: expected"),
        ({"from": "outside"}, "nobody is outside this topology; ask for outside: 1"),
    ],
)
def test_a_door_that_is_none_is_named(wrong, says):
    with pytest.raises(WorkloadError, match=says):
        Cluster.single(workers=1).prepare("", {"visitors": {"service": "web", **wrong}})
