"""A cloud's balancer asks the kube-proxies: who is sent to, who is left, and when; on the wire."""

import pytest

from kubemini.cluster import Cluster, TopologyError, build
from kubemini.host import Component, Host
from kubemini.network.decide.services.health import HEALTHZ_PORT, Probe
from kubemini.network.decide.speaking.checking import LEAVING, Opinion, Place, places
from kubemini.scenarios import load
from kubemini.sim.units import SECOND
from kubemini.simulate import run

STORY = load("cloud")


# -- what it decides
def service(**spec):
    spec = {"type": "LoadBalancer", **spec}
    status = {"loadBalancer": {"ingress": [{"ip": "198.51.100.1"}]}}
    return {"metadata": {"namespace": "default", "name": "web"}, "spec": spec, "status": status}


def node(name, taints=(), **labels):
    return {"metadata": {"name": name, "labels": labels}, "spec": {"taints": [{"key": key} for key in taints]}}


def test_by_policy_local_it_asks_at_the_services_port_and_else_at_kube_proxys():
    nodes = [node("n2"), node("n1")]
    local = service(externalTrafficPolicy="Local", healthCheckNodePort=31000)
    assert places([local], nodes) == [Place("198.51.100.1", "n1", 31000), Place("198.51.100.1", "n2", 31000)]
    assert {place.port for place in places([service()], nodes)} == {HEALTHZ_PORT}


def test_nodes_that_are_excluded_or_about_to_go_are_not_asked():
    shy = node("n2", **{"node.kubernetes.io/exclude-from-external-load-balancers": ""})
    assert [p.node for p in places([service()], [node("n1"), shy, node("n3", [LEAVING])])] == ["n1"]
    assert places([service(type="NodePort")], [node("n1")]) == []


def test_a_node_is_well_after_one_good_answer_and_left_after_three_bad_ones_in_a_row():
    opinion = Opinion(1, 3)
    heard = [opinion.hear(good) for good in (False, True, False, False, True, False, False, False)]
    assert heard == [True, True, False, False, False, False, False, True]
    assert not opinion.well


# -- in a cluster
@pytest.fixture(scope="module")
def told():
    return run(STORY)


def targets(trace, begin, end):
    found = [r for r in trace.of("target") if begin * SECOND <= r.at < end * SECOND]
    return {r.detail["node"]: (r.detail["up"], r.detail["why"]) for r in found}


def visited(trace, begin, end):
    """The nodes by which visits that were answered came in, from *begin* to *end* (s)."""
    found = [r.detail for r in trace.of("request") if begin * SECOND <= r.detail["started"] < end * SECOND]
    return {d.get("at") for d in found if d["kind"] == "service"}


def test_only_nodes_with_a_ready_pod_are_sent_to(told):
    assert targets(told, 0, 30) == {
        "worker-3": (False, "HTTP 503"),
        "worker-2": (True, "HTTP 200"),
        "worker-1": (True, "HTTP 200"),
    }
    assert visited(told, 15, 40) == {"worker-2", "worker-1"}


def test_a_dead_kube_proxy_is_noticed_though_its_rules_go_on(told):
    assert visited(told, 41, 56) == {"worker-2", "worker-1"}
    assert targets(told, 40, 75) == {"worker-2": (False, "connection refused")}
    assert visited(told, 66, 80) == {"worker-1"}
    (left,) = (r.at for r in told.of("target") if 40 * SECOND < r.at < 75 * SECOND)
    assert 40 + 2 * 8 < left / SECOND < 40 + 3 * 8


def test_one_that_is_back_is_sent_to_again_and_nobody_was_turned_away(told):
    assert targets(told, 80, 110) == {"worker-2": (True, "HTTP 200")}
    assert visited(told, 100, 110) == {"worker-2", "worker-1"}
    late = [r for r in told.of("request") if r.at > 15 * SECOND and r.detail["kind"] == "service"]
    assert {r.detail["outcome"] for r in late} == {"ok"}


def test_a_node_without_power_is_left_before_the_api_says_that_it_is_dead():
    cluster = Cluster(STORY.topology, STORY.seed)
    cluster.prepare(STORY.manifests, STORY.workload)
    cluster.run(40)
    cluster.hosts["worker-1"].power_off()
    cluster.run(30)
    assert targets(cluster.trace, 40, 70) == {"worker-1": (False, "deadline exceeded")}
    assert visited(cluster.trace, 66, 70) == {"worker-2"}


def test_where_no_node_is_well_all_are_tried():
    cluster = Cluster(STORY.topology, STORY.seed)
    cluster.prepare(STORY.manifests, STORY.workload)
    cluster.run(20)
    cluster.user.scale("web", 0)
    cluster.run(40)
    assert not any(opinion.well for opinion in cluster.components["cloud-1"].opinions.values())
    balancer = cluster.components["cloud-1"]
    assert {balancer.entrance("198.51.100.1", n) for n in range(50)} == {"worker-3", "worker-2", "worker-1"}
    assert balancer.entrance("198.51.100.9", 1) == ""


def test_asking_nodes_that_answer_alike_costs_no_events():
    def events(seconds):
        cluster = Cluster(STORY.topology, STORY.seed)
        cluster.prepare(STORY.manifests)
        cluster.run(60)
        asked = len(cluster.trace.of("target"))
        before = cluster.components["cloud-1"].rpc._next
        cluster.run(seconds)
        assert len(cluster.trace.of("target")) == asked
        return cluster.components["cloud-1"].rpc._next - before

    assert events(600) <= events(60) + 4


def test_speaker_and_cloud_do_not_go_together():
    with pytest.raises(TopologyError, match=r"topology\.cloud: a speaker gives addresses already"):
        build("single", speaker=True, cloud=True)


# -- what a kube-proxy answers on the wire
class Asker(Component):
    """Somebody with curl."""

    def get(self, cluster, node, port, path="/healthz"):
        """What comes of ``curl NODE:PORT/PATH``: (status, headers, body), or why there is no answer."""
        replies = []

        def ask():
            replies.append((yield self.call(f"kube-proxy@{node}", "http", Probe(port, path), timeout=SECOND)))

        self.spawn(ask())
        cluster.run(2)
        (reply,) = replies
        return reply.value if reply.ok else reply.error.reason


def asking(params=None):
    cluster = Cluster(STORY.topology, STORY.seed, params)
    cluster.prepare(STORY.manifests)
    asker = Asker(cluster.sim, cluster.net, Host(cluster.sim, "asker"), "asker")
    asker.start()
    cluster.run(20)
    return cluster, asker


def test_a_health_check_node_port_answers_as_the_real_one_does():
    cluster, asker = asking()
    (port,) = {place.port for place in cluster.components["cloud-1"].opinions}
    body = {"service": {"namespace": "default", "name": "web"}, "localEndpoints": 1, "serviceProxyHealthy": True}
    headers = {"Content-Type": "application/json", "X-Load-Balancing-Endpoint-Weight": "1"}
    assert asker.get(cluster, "worker-2", port) == (200, headers, body)
    status, headers, body = asker.get(cluster, "worker-3", port)
    assert (status, headers["X-Load-Balancing-Endpoint-Weight"], body["localEndpoints"]) == (503, "0", 0)
    assert asker.get(cluster, "worker-2", port + 1) == "connection refused"


def test_kube_proxys_own_port_says_that_it_is_well_and_a_dead_one_says_nothing():
    cluster, asker = asking()
    status, headers, body = asker.get(cluster, "worker-2", HEALTHZ_PORT)
    assert status == 200 and headers["X-Content-Type-Options"] == "nosniff"
    assert (body["healthy"], body["nodeEligible"], body["lastUpdated"]) == (True, True, body["currentTime"])
    assert body["status"]["IPv4"]["lastUpdated"] < body["currentTime"]
    assert "nodeEligible" not in asker.get(cluster, "worker-2", HEALTHZ_PORT, "/livez")[2]
    assert asker.get(cluster, "worker-2", HEALTHZ_PORT, "/other")[0] == 404
    cluster.components["kube-proxy@worker-2"].crash()
    assert asker.get(cluster, "worker-2", HEALTHZ_PORT) == "connection refused"


def test_a_kube_proxy_that_cannot_write_its_rules_for_a_minute_says_so():
    told = load("cloud")
    cluster, asker = asking(told.params.__class__(iptables_min_sync_period=200 * SECOND))
    assert asker.get(cluster, "worker-2", HEALTHZ_PORT)[0] == 200
    cluster.run(60)
    status, _, body = asker.get(cluster, "worker-2", HEALTHZ_PORT)
    assert (status, body["healthy"]) == (503, False) and body["lastUpdated"] < body["currentTime"]
