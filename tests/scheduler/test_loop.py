"""The scheduler at work in a whole cluster: pods that must wait, decisions made once, a new holder."""

import pytest

from kubemini.api.kinds import DEPLOYMENT, NODE, POD
from kubemini.api.objects import evolve, evolve_many, freeze, get
from kubemini.cluster import Cluster
from kubemini.scheduler import plugins
from kubemini.sim.units import SECOND
from tests.worlds.kube import Shop, a_deployment, run_until


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
    assert said["message"] == (
        "0/2 nodes are available: 2 Insufficient cpu. "
        "preemption: 0/2 nodes are available: 2 No preemption victims found for incoming pod."
    )


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
    assert scheduled(pending(shop)[0])["message"] == (
        "0/2 nodes are available: 2 node(s) were unschedulable. "
        "preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling."
    )
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


def test_a_scheduler_that_is_told_to_stop_is_followed_within_seconds():
    """Recorded: it releases its Lease; the next one after 1.2 to 2.4 s."""
    shop = Shop(cluster=Cluster.stacked(members=3, workers=2))
    shop.run(15)
    leader = next(c for n, c in shop.cluster.components.items() if n.startswith("scheduler") and c.elector.leading)
    leader.terminate()
    told = shop.sim.now
    shop.patch(DEPLOYMENT, "web", {"spec": {"replicas": 5}})
    took = run_until(shop, lambda: len(shop.pods()) == 5 and not pending(shop), 20) - told / SECOND
    assert took <= 4.6 and not leader.up and [r.actor for r in shop.sim.trace.of("exit")] == [leader.name]


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
        "VolumeBinding",
        "PodTopologySpread",
        "DynamicResources",
        "NodeResourcesBalancedAllocation",
        "ImageLocality",
    ]
    taints, fit, _, spread, _, balance, _ = scores["worker-1"].values()
    assert taints == spread == 100 and totals["worker-1"] == 3 * taints + fit + 2 * spread + balance
    assert last.detail["node"] == ""
    assert last.detail["rejected"]["worker-1"] == ["NodeResourcesFit", ["Insufficient cpu"]]


# -- gates, and pods that care who is near -----------------------------------------------------------------------------
def apart(key="kubernetes.io/hostname"):
    term = {"topologyKey": key, "labelSelector": {"matchLabels": {"app": "web"}}}
    return {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}


def with_pod_spec(replicas, **spec):
    return evolve_many(a_deployment(replicas), *((("spec", "template", "spec", key), spec[key]) for key in spec))


def test_a_gated_pod_says_so_from_the_first_moment_and_runs_when_the_gate_is_gone():
    bare = with_pod_spec(1, schedulingGates=[{"name": "example.com/wait"}])["spec"]["template"]
    pod = {**bare, "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "labels": {"app": "web"}}}
    shop = Shop(freeze(evolve(pod, ("metadata", "namespace"), "default")))
    shop.run(20)
    (waiting,) = pending(shop)
    assert scheduled(waiting)["reason"] == "SchedulingGated"
    assert scheduled(waiting)["message"] == "Scheduling is blocked due to non-empty scheduling gates"
    assert shop.sim.trace.of("decision") == []
    with pytest.raises(AssertionError, match="only deletion is allowed, but found new scheduling gate"):
        shop.patch(POD, "p", {"spec": {"schedulingGates": [{"name": "b"}]}})
    shop.patch(POD, "p", {"spec": {"schedulingGates": None}})
    shop.run(5)
    assert not pending(shop) and scheduled(shop.pods()[0])["status"] == "True"


def test_pods_that_must_be_apart_are_one_a_node_and_the_rest_waits():
    shop = Shop(with_pod_spec(4, affinity=apart()), cluster=Cluster.single(workers=3))
    shop.run(15)
    (waiting,) = pending(shop)
    assert len({get(p, "spec", "nodeName") for p in shop.pods()} - {None}) == 3
    assert scheduled(waiting)["message"].startswith(
        "0/3 nodes are available: 3 node(s) didn't match pod anti-affinity rules. preemption: "
    )


def test_a_place_that_becomes_free_is_taken():
    shop = Shop(with_pod_spec(3, affinity=apart()))
    shop.run(15)
    running = next(p for p in shop.pods() if p not in pending(shop))
    shop.ask("DELETE", POD.path("default", running["metadata"]["name"]))
    shop.run(15)
    assert len(shop.pods()) == 3 and len(pending(shop)) == 1


def test_a_pod_stays_away_from_whom_does_not_want_it():
    """Anti-affinity is symmetric: the newcomer has no wish of its own."""
    hermit = with_pod_spec(1, affinity=apart())
    shop = Shop(evolve(hermit, ("metadata", "name"), "hermit"), cluster=Cluster.single(workers=1))
    shop.run(10)
    shop.cluster.apply([a_deployment(1)])
    shop.run(10)
    (waiting,) = pending(shop)
    assert "didn't satisfy existing pods anti-affinity rules" in scheduled(waiting)["message"]


def test_pods_that_must_be_near_go_where_the_other_is():
    near = {
        "podAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": [
                {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": "cache"}}}
            ]
        }
    }
    shop = Shop(with_pod_spec(3, affinity=near), cluster=Cluster.single(workers=3))
    shop.run(10)
    assert len(pending(shop)) == 3
    shop.cluster.apply([a_deployment(1, name="cache")])
    shop.run(15)
    where = {p["spec"]["nodeName"] for p in shop.pods("cache")}
    assert {get(p, "spec", "nodeName") for p in shop.pods()} == where


def test_a_plugin_is_added_by_one_file_in_the_folder(tmp_path, monkeypatch):
    (tmp_path / "evenonly.py").write_text(
        "from kubemini.scheduler.decide.plugin import Plugin\n"
        "def refuse(cycle, info):\n"
        "    return None if int(info.name[-1]) % 2 == 0 else 'node(s) were odd'\n"
        "PLUGIN = Plugin('EvenOnly', 1000, filter=refuse)\n"
    )
    monkeypatch.setattr(plugins, "__path__", [*plugins.__path__, str(tmp_path)])
    shop = Shop(cluster=Cluster.single(workers=3))
    shop.run(10)
    assert {p["spec"]["nodeName"] for p in shop.pods()} == {"worker-2"}
    assert shop.sim.trace.of("decision")[0].detail["rejected"]["worker-1"] == ["EvenOnly", ["node(s) were odd"]]
