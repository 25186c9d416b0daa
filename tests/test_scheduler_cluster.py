"""The scheduler at work in a whole cluster: pods that must wait, decisions made once, a new holder."""

from kubemini.api.kinds import DEPLOYMENT, NODE, POD
from kubemini.api.objects import get
from kubemini.cluster import Cluster
from kubemini.sim.units import SECOND
from tests.kubeworld import Shop, a_deployment, run_until


def scheduled(pod):
    return next(c for c in pod["status"]["conditions"] if c["type"] == "PodScheduled")


def pending(shop):
    return [p for p in shop.pods() if not get(p, "spec", "nodeName")]


def test_a_pod_that_fits_nowhere_says_why_in_the_real_words():
    """Two nodes of 4 cpu: two pods of 3 fit, the third waits."""
    shop = Shop(a_deployment(3, cpu="3"))
    shop.run(10)
    (waiting,) = pending(shop)
    assert waiting["status"]["phase"] == "Pending"
    said = scheduled(waiting)
    assert (said["status"], said["reason"]) == ("False", "Unschedulable")
    assert said["message"] == "0/2 nodes are available: 2 Insufficient cpu."


def test_room_that_becomes_free_is_taken():
    shop = Shop(a_deployment(3, cpu="3"))
    shop.run(10)
    (waiting,) = pending(shop)
    shop.patch(DEPLOYMENT, "web", {"spec": {"replicas": 2}})  # the one that waits goes first
    assert waiting["metadata"]["name"] not in [p["metadata"]["name"] for p in shop.pods()]
    shop.patch(DEPLOYMENT, "web", {"spec": {"replicas": 3}})
    shop.run(5)
    running = next(p for p in shop.pods() if p not in pending(shop))
    shop.ask("DELETE", POD.path("default", running["metadata"]["name"]))
    shop.run(15)
    assert len(pending(shop)) == 1 and len(shop.pods()) == 3  # the freed room is taken again, by one of the two


def test_a_waiting_pod_is_tried_again_when_an_event_may_help_and_not_before():
    shop = Shop(a_deployment(3, cpu="3"))
    shop.run(30)
    decisions = len(shop.sim.trace.of("decision"))
    shop.run(60)
    assert len(shop.sim.trace.of("decision")) == decisions
    shop.patch(NODE, "worker-1", {"spec": {"taints": [{"key": "x", "effect": "PreferNoSchedule"}]}})
    assert len(shop.sim.trace.of("decision")) == decisions  # a taint frees no cpu


def test_every_replica_counts_before_the_watch_shows_it():
    """Ten pods at once, decided within milliseconds: each node gets five, none too many."""
    shop = Shop(a_deployment(10, cpu="700m"))
    shop.run(10)
    on = [p["spec"]["nodeName"] for p in shop.pods()]
    assert (on.count("worker-1"), on.count("worker-2")) == (5, 5)


def test_a_returned_node_gets_nothing_back():
    """A decision is made once: all replicas stay where they are."""
    shop = Shop()
    shop.run(10)
    shop.cluster.hosts["worker-1"].power_off()
    run_until(shop, lambda: {p["spec"].get("nodeName") for p in shop.pods()} == {"worker-2"}, 400)
    shop.run(10)
    shop.cluster.hosts["worker-1"].power_on()
    shop.run(120)
    assert shop.readiness("worker-1") == "True"
    assert {p["spec"]["nodeName"] for p in shop.pods()} == {"worker-2"}


def test_a_cordon_is_respected_and_lifted():
    shop = Shop(a_deployment(2))
    shop.run(5)
    for name in ("worker-1", "worker-2"):
        shop.patch(NODE, name, {"spec": {"unschedulable": True}})
    shop.patch(DEPLOYMENT, "web", {"spec": {"replicas": 8}})
    shop.run(5)
    assert pending(shop)
    assert scheduled(pending(shop)[0])["message"] == "0/2 nodes are available: 2 node(s) were unschedulable."
    shop.patch(NODE, "worker-2", {"spec": {"unschedulable": False}})
    shop.run(12)
    assert not pending(shop)


def test_without_a_scheduler_pods_wait_and_the_next_one_takes_them():
    shop = Shop(cluster=Cluster.stacked(members=3, workers=2))
    shop.run(15)
    leader = next(c for n, c in shop.cluster.components.items() if n.startswith("scheduler") and c.elector.leading)
    leader.crash()
    crashed = shop.sim.now
    shop.patch(DEPLOYMENT, "web", {"spec": {"replicas": 5}})
    shop.run(5)
    assert len(pending(shop)) == 2
    took = run_until(shop, lambda: len(shop.pods()) == 5 and not pending(shop), 20) - crashed / SECOND
    assert 13.1 <= took <= 22.3


def test_a_binding_that_fails_is_tried_again():
    """The API server dies while bindings travel: nothing is lost, nothing is bound twice."""
    for seed in range(5):
        shop = Shop(a_deployment(6), seed=seed)
        shop.run(0.5)
        server = shop.cluster.components["apiserver-1"]
        while len(shop.sim.trace.of("decision")) < 3:
            shop.sim.step()
        server.crash()
        shop.run(1)
        server.start()
        shop.run(60)
        on = [p["spec"]["nodeName"] for p in shop.pods()]
        assert len(on) == 6 and on.count("worker-1") == 3, seed


def test_a_decision_explains_itself_in_the_trace():
    shop = Shop(a_deployment(3, cpu="3"))
    shop.run(10)
    first, *_, last = shop.sim.trace.of("decision")
    assert first.detail["node"] in ("worker-1", "worker-2") and first.detail["rejected"] == {}
    totals, scores = first.detail["totals"], first.detail["scores"]
    assert list(scores["worker-1"]) == [
        "TaintToleration",
        "NodeResourcesFit",
        "PodTopologySpread",
        "NodeResourcesBalancedAllocation",
    ]
    taints, fit, spread, balance = scores["worker-1"].values()
    assert taints == spread == 100 and totals["worker-1"] == 3 * taints + fit + 2 * spread + balance
    assert last.detail["node"] == ""
    assert last.detail["rejected"]["worker-1"] == ["NodeResourcesFit", ["Insufficient cpu"]]
