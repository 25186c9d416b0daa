"""Load balancers' addresses: who gets one, which node answers for it, and what a visitor outside notices."""

import hashlib

import pytest

from kubemini.cluster import Cluster
from kubemini.network.decide.speaking.announcing import EXCLUDED, announced, assigned
from kubemini.scenarios import load
from kubemini.sim.units import SECOND

STORY = load("loadbalancer")
PLAIN = """
apiVersion: v1
kind: Service
metadata: {name: NAME}
spec: {type: TYPE, selector: {app: web}, ports: [{port: 80}]}
"""


def service(name="web", ip="", **spec):
    ports = [{"port": 80, "protocol": "TCP"}]
    spec = {"type": "LoadBalancer", "clusterIP": "10.96.0.7", "ports": ports, **spec}
    doors = [{"ip": ip}] if ip else []
    meta = {"namespace": "default", "name": name}
    return {"metadata": meta, "spec": spec, "status": {"loadBalancer": {"ingress": doors}}}


def slice_of(*nodes, of="web", ready=True):
    ends = [
        {"addresses": [f"10.244.1.{i}"], "nodeName": n, "conditions": {"ready": ready}} for i, n in enumerate(nodes)
    ]
    labels = {"kubernetes.io/service-name": of}
    return {"metadata": {"namespace": "default", "name": f"{of}-1", "labels": labels}, "endpoints": ends}


def node(name, ready="True", **labels):
    conditions = [{"type": "Ready", "status": ready}]
    return {"metadata": {"name": name, "labels": labels}, "status": {"conditions": conditions}}


NODES = [node("n1"), node("n2"), node("n3")]


def test_each_gets_the_lowest_free_address_and_keeps_what_it_has():
    there = [service("b"), service("a"), service("c", "198.51.100.1")]
    assert assigned(there) == {("default", "a"): "198.51.100.2", ("default", "b"): "198.51.100.3"}


def test_who_wants_no_load_balancer_or_another_ones_is_given_nothing():
    assert assigned([service("a", type="NodePort")]) == {}
    assert assigned([service("a", loadBalancerClass="cloud.example/nlb")]) == {}


def answering(service, slices, nodes=NODES):
    return announced([service], slices, nodes).get("198.51.100.1")


def test_one_node_answers_always_the_same_and_only_a_ready_one():
    web = service(ip="198.51.100.1")
    order = sorted(["n1", "n2", "n3"], key=lambda n: hashlib.sha256(f"{n}#198.51.100.1".encode()).digest())
    assert answering(web, [slice_of("n1")]) == order[0]
    rest = [node(n, "False" if n == order[0] else "True") for n in order]
    assert answering(web, [slice_of("n1")], rest) == order[1]
    shy = [node(order[0], **{EXCLUDED: ""}), node(order[2])]
    assert answering(web, [slice_of("n1")], shy) == order[2]


def test_by_policy_local_only_a_node_with_a_ready_endpoint_answers():
    web = service(ip="198.51.100.1", externalTrafficPolicy="Local")
    for here in ("n1", "n2", "n3"):
        assert answering(web, [slice_of(here)]) == here
        assert answering(web, [slice_of(here, ready=False)]) is None


def test_without_an_endpoint_nobody_answers():
    web = service(ip="198.51.100.1")
    assert answering(web, [slice_of()]) is None and answering(web, [slice_of("n1", of="other")]) is None


@pytest.fixture(scope="module")
def told():
    cluster = Cluster(STORY.topology, STORY.seed)
    cluster.prepare(STORY.manifests, STORY.workload)
    cluster.run(35)
    holder = cluster.components["speaker-1"].announced["198.51.100.1"]
    cluster.hosts[holder].power_off()
    cluster.run(75)
    return cluster, holder


def visits(cluster, begin, end):
    found = (r.detail for r in cluster.trace.of("request") if r.detail["kind"] == "service")
    return [d for d in found if begin * SECOND <= d["started"] < end * SECOND]


def test_visitors_come_by_the_address_and_their_own_is_seen(told):
    cluster, holder = told
    early = visits(cluster, 15, 34)
    assert {(d["outcome"], d["to"], d["at"], d["source"]) for d in early} == {
        ("ok", "198.51.100.1:80", holder, "203.0.113.101")
    }


def test_a_dead_node_keeps_the_address_until_the_api_says_that_it_is_dead(told):
    cluster, holder = told
    assert {d["outcome"] for d in visits(cluster, 36, 70)} == {"failed"}
    late = visits(cluster, 95, 108)
    assert {d["outcome"] for d in late} == {"ok"} and holder not in {d["at"] for d in late}


def test_a_dead_speaker_answers_for_nothing_and_takes_up_what_was_given():
    cluster = Cluster(STORY.topology, STORY.seed)
    cluster.prepare(STORY.manifests, STORY.workload)
    cluster.run(20)
    speaker = cluster.components["speaker-1"]
    speaker.crash()
    cluster.run(5)
    assert {d["outcome"] for d in visits(cluster, 20.5, 24)} == {"failed"}
    speaker.start()
    cluster.run(5)
    assert {d["to"] for d in visits(cluster, 27, 30) if d["outcome"] == "ok"} == {"198.51.100.1:80"}


def test_a_service_that_becomes_another_type_loses_its_address_and_the_next_one_gets_it():
    cluster = Cluster(STORY.topology, STORY.seed)
    cluster.prepare(STORY.manifests)
    cluster.run(20)
    changed = PLAIN.replace("NAME", "web").replace("TYPE", "ClusterIP")
    other = PLAIN.replace("NAME", "other").replace("TYPE", "LoadBalancer")
    cluster.apply(changed)
    cluster.run(5)
    cluster.apply(other)
    cluster.run(5)
    assert list(cluster.components["speaker-1"].announced) == ["198.51.100.1"]
    notes = [r.detail["text"] for r in cluster.trace.of("note", "speaker-1")]
    withdrawn = notes.index("nobody answers for 198.51.100.1: it is withdrawn")
    assert withdrawn < notes.index("gives 198.51.100.1 to default/other")
