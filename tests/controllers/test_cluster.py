"""Controllers at work in a whole cluster: rollouts, dead nodes, changes of the holder, caches that lag."""

import pytest

from kubemini.api.kinds import DEPLOYMENT, ENDPOINT_SLICE, NODE, POD, REPLICA_SET, SERVICE
from kubemini.api.objects import evolve, freeze
from kubemini.cluster import Cluster
from kubemini.controllers.decide.actions import is_ready
from kubemini.controllers.decide.workloads.deployment.rollout import revision
from kubemini.controllers.manager import ControllerManager
from kubemini.host import Host
from kubemini.sim.units import MS, SECOND
from tests.worlds.kube import SHOP, Shop, World, a_deployment, image, run_until

# -- workloads -------------------------------------------------------------------------------------------------------


def test_a_deployment_becomes_pods_on_both_nodes_and_endpoints():
    shop = Shop()
    shop.run(10)
    pods = shop.pods()
    assert len(pods) == 3 and all(map(is_ready, pods))
    assert {p["spec"]["nodeName"] for p in pods} == {"worker-1", "worker-2"}
    (slice,) = shop.all(ENDPOINT_SLICE)
    assert sorted(e["targetRef"]["name"] for e in slice["endpoints"]) == sorted(p["metadata"]["name"] for p in pods)
    assert all(e["conditions"]["ready"] for e in slice["endpoints"])
    (deployment,) = shop.all(DEPLOYMENT)
    assert deployment["status"]["availableReplicas"] == 3
    assert shop.made() == 3


def test_a_quiet_cluster_writes_heartbeats_only():
    shop = Shop()
    shop.run(20)
    before = len(shop.sim.trace.of("object"))
    shop.run(60)
    assert len(shop.sim.trace.of("object")) == before


def test_a_rollout_replaces_pods_one_by_one_and_never_has_fewer_than_three_ready():
    shop = Shop()
    shop.run(10)
    old = {p["metadata"]["name"] for p in shop.pods()}
    shop.patch(DEPLOYMENT, "web", image("1.30"))
    fewest, most = 3, 3
    for _ in range(100):
        shop.run(0.1)
        fewest = min(fewest, sum(map(is_ready, shop.pods())))
        most = max(most, len(shop.pods()))
    assert (fewest, most) == (3, 4)  # 25 % of 3: none may be missing, one may be too many
    assert not old & {p["metadata"]["name"] for p in shop.pods()} and len(shop.pods()) == 3
    sizes = sorted(rs["spec"]["replicas"] for rs in shop.all(REPLICA_SET))
    assert sizes == [0, 3]
    revisions = sorted(map(revision, shop.all(REPLICA_SET)))
    assert revisions == [1, 2]
    shop.patch(DEPLOYMENT, "web", image("1.29"))
    shop.run(10)
    assert len(shop.all(REPLICA_SET)) == 2  # the old template has its ReplicaSet already


def test_a_rollout_to_a_broken_image_stops_at_the_surge():
    """The new pods never become ready (a readiness probe that always fails), so no old one is given up."""
    shop = Shop()
    shop.run(10)
    broken = image("1.30")["spec"]["template"]["spec"]["containers"][0]
    broken = evolve(broken, ("readinessProbe",), {"httpGet": {"path": "/", "port": 8080}})
    fails = {"metadata": {"annotations": {"kubemini.io/readiness": "fail"}}, "spec": {"containers": [broken]}}
    shop.patch(DEPLOYMENT, "web", {"spec": {"template": fails}})
    shop.run(30)
    assert (sum(map(is_ready, shop.pods())), len(shop.pods())) == (3, 4)


def test_recreate_has_no_overlap():
    shop = Shop(a_deployment(strategy={"type": "Recreate"}), SHOP)
    shop.run(10)
    seen = {p["metadata"]["labels"]["pod-template-hash"] for p in shop.pods()}
    shop.cluster.user.spawn(
        shop.cluster.user.request("PATCH", DEPLOYMENT.path("default", "web"), freeze(image("1.30")))
    )
    for _ in range(100):
        shop.run(0.05)
        hashes = {p["metadata"]["labels"]["pod-template-hash"] for p in shop.all(POD)}
        seen |= hashes
        assert len(hashes) <= 1
    assert len(seen) == 2 and len(shop.pods()) == 3 and all(map(is_ready, shop.pods()))


def test_scaling_up_and_down():
    shop = Shop()
    shop.run(10)
    shop.patch(DEPLOYMENT, "web", {"spec": {"replicas": 7}})
    shop.run(10)
    assert len(shop.pods()) == 7 and all(map(is_ready, shop.pods()))
    shop.patch(DEPLOYMENT, "web", {"spec": {"replicas": 2}})
    shop.run(10)
    assert len(shop.pods()) == 2
    assert shop.made() == 7


def test_a_deleted_pod_is_replaced_and_another_name_takes_its_place():
    shop = Shop()
    shop.run(10)
    victim = shop.pods()[0]["metadata"]["name"]
    shop.ask("DELETE", POD.path("default", victim))
    shop.run(5)
    assert len(shop.pods()) == 3 and victim not in [p["metadata"]["name"] for p in shop.pods()]
    assert shop.made() == 4


def test_an_orphan_is_adopted_and_one_too_many_goes():
    shop = Shop()
    shop.run(10)
    orphan = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "orphan", "labels": dict(shop.pods()[0]["metadata"]["labels"])},
        "spec": a_deployment()["spec"]["template"]["spec"],
    }
    shop.ask("POST", POD.path("default"), orphan)
    shop.run(40)
    assert len(shop.all(POD)) == 3 and shop.made() == 4


def test_a_deleted_owner_takes_its_dependents_along():
    shop = Shop()
    shop.run(10)
    shop.ask("DELETE", DEPLOYMENT.path("default", "web"))
    shop.ask("DELETE", SERVICE.path("default", "web"))
    shop.run(40)
    for kind in (REPLICA_SET, POD, ENDPOINT_SLICE):
        assert shop.all(kind) == [], kind.kind


# -- nodes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(1, 5))
@pytest.mark.some(1)
def test_a_dead_node_costs_40_to_55_seconds_and_its_pods_another_300(seed):
    shop = Shop(seed=seed)
    shop.run(20 + seed * 2.3)
    died = shop.sim.now / SECOND
    on_it = [p["metadata"]["name"] for p in shop.pods() if p["spec"]["nodeName"] == "worker-1"]
    shop.cluster.hosts["worker-1"].power_off()
    noticed = run_until(shop, lambda: shop.readiness("worker-1") == "Unknown", 60) - died
    assert 40 <= noticed <= 55.5
    shop.run(1)
    taints = [(t["key"], t["effect"]) for t in shop.node("worker-1")["spec"]["taints"]]
    assert taints == [
        ("node.kubernetes.io/unreachable", "NoSchedule"),
        ("node.kubernetes.io/unreachable", "NoExecute"),
    ]
    assert all(not is_ready(p) for p in shop.pods() if p["metadata"]["name"] in on_it)
    (slice,) = shop.all(ENDPOINT_SLICE)
    assert all(e["nodeName"] == "worker-2" for e in slice["endpoints"] if e["conditions"]["ready"])
    evicted = run_until(shop, lambda: not any(p["metadata"]["name"] in on_it for p in shop.pods()), 320) - died
    assert 340 <= evicted <= 356
    shop.run(5)
    assert len(shop.pods()) == 3 and {p["spec"]["nodeName"] for p in shop.pods()} == {"worker-2"}
    leaving = [p for p in shop.all(POD) if p["metadata"]["name"] in on_it]
    assert len(leaving) == len(on_it)  # Terminating, until the kubelet says that they are gone


def test_a_new_controller_manager_still_marks_the_pods_of_a_node_that_another_found_silent():
    """It dies between writing that the node is Unknown and writing that its pods are not ready."""
    shop = Shop()
    shop.run(20)
    shop.cluster.hosts["worker-1"].power_off()
    on_it = [p["metadata"]["name"] for p in shop.pods() if p["spec"]["nodeName"] == "worker-1"]
    while not [r for r in shop.object_records("Node", "MODIFIED") if r.at > 30 * SECOND]:
        shop.sim.step()
    shop.cluster.components["controller-manager-1"].crash()
    shop.run(5)
    assert any(is_ready(p) for p in shop.pods() if p["metadata"]["name"] in on_it)
    shop.cluster.components["controller-manager-1"].start()
    shop.run(30)
    assert not any(is_ready(p) for p in shop.pods() if p["metadata"]["name"] in on_it)


def test_a_node_that_returns_in_time_keeps_its_pods():
    shop = Shop()
    shop.run(20)
    before = sorted(p["metadata"]["uid"] for p in shop.pods())
    shop.cluster.hosts["worker-1"].power_off()
    shop.run(120)
    assert shop.readiness("worker-1") == "Unknown"
    shop.cluster.hosts["worker-1"].power_on()
    shop.run(40)
    assert shop.readiness("worker-1") == "True" and not shop.node("worker-1")["spec"].get("taints")
    shop.run(300)
    assert sorted(p["metadata"]["uid"] for p in shop.pods()) == before and all(map(is_ready, shop.pods()))


def test_a_blip_of_thirty_seconds_goes_unnoticed():
    shop = Shop()
    shop.run(20)
    shop.cluster.net.cut(["worker-1"], ["cp-1"])
    shop.run(30)
    shop.cluster.net.heal()
    shop.run(60)
    node_writes = [r for r in shop.object_records("Node", "MODIFIED") if r.at > 20 * SECOND]
    assert node_writes == [] and shop.made() == 3


def test_if_every_node_is_silent_nobody_is_evicted():
    """More likely it is the control plane that is cut off: full disruption of all zones stops evictions."""
    shop = Shop()
    shop.run(20)
    shop.cluster.net.cut(["worker-1", "worker-2"], ["cp-1"])
    shop.run(420)
    assert {shop.readiness(f"worker-{i}") for i in (1, 2)} == {"Unknown"}
    assert len(shop.pods()) == 3 and shop.made() == 3
    assert all(t["effect"] == "NoSchedule" for i in (1, 2) for t in shop.node(f"worker-{i}")["spec"]["taints"])


def test_a_no_execute_taint_drives_off_who_does_not_tolerate_it():
    shop = Shop()
    shop.run(15)
    shop.patch(NODE, "worker-1", {"spec": {"taints": [{"key": "gpu", "effect": "NoExecute"}]}})
    shop.run(5)
    assert {p["spec"]["nodeName"] for p in shop.pods()} == {"worker-2"} and len(shop.pods()) == 3


def test_a_cordoned_node_keeps_its_pods_and_gets_no_more():
    shop = Shop()
    shop.run(15)
    shop.patch(NODE, "worker-1", {"spec": {"unschedulable": True}})
    shop.patch(DEPLOYMENT, "web", {"spec": {"replicas": 6}})
    shop.run(5)
    on_it = [p for p in shop.pods() if p["spec"]["nodeName"] == "worker-1"]
    assert len(shop.pods()) == 6 and 1 <= len(on_it) <= 2


def test_pods_of_a_node_that_was_deleted_go_after_forty_to_sixty_seconds():
    """The round that misses the node puts it aside for 40 s; rounds come every 20 s."""
    shop = Shop()
    shop.run(15)
    on_it = [p["metadata"]["name"] for p in shop.pods() if p["spec"]["nodeName"] == "worker-1"]
    shop.cluster.hosts["worker-1"].power_off()
    shop.ask("DELETE", NODE.path("", "worker-1"))
    shop.run(38)
    assert [p for p in shop.all(POD) if p["metadata"]["name"] in on_it]
    shop.run(22)
    assert not [p for p in shop.all(POD) if p["metadata"]["name"] in on_it]
    assert len(shop.pods()) == 3


# -- one of several acts ---------------------------------------------------------------------------------------------


def holder(shop, program):
    return next(c for n, c in shop.cluster.components.items() if n.startswith(program) and c.up and c.elector.leading)


def test_while_no_controller_manager_acts_nothing_is_made_then_everything_at_once():
    shop = Shop(cluster=Cluster.stacked(members=3, workers=2))
    shop.run(15)
    leader = holder(shop, "controller-manager")
    crashed = shop.sim.now / SECOND
    leader.crash()
    shop.patch(DEPLOYMENT, "web", {"spec": {"replicas": 5}})
    shop.run(10)
    assert len(shop.pods()) == 3
    took_over = run_until(shop, lambda: len(shop.pods()) == 5, 15) - crashed
    assert 13.1 <= took_over <= 22.4
    assert holder(shop, "controller-manager") is not leader
    shop.run(10)
    assert all(map(is_ready, shop.pods())) and shop.made() == 5


def test_a_controller_manager_that_is_told_to_stop_keeps_the_others_waiting():
    """Its gate ControllerManagerReleaseLeaderElectionLockOnExit is off. Recorded: 15 to 18 s."""
    shop = Shop(cluster=Cluster.stacked(members=3, workers=2))
    shop.run(15)
    leader = holder(shop, "controller-manager")
    told = shop.sim.now / SECOND
    leader.terminate()
    shop.patch(DEPLOYMENT, "web", {"spec": {"replicas": 5}})
    assert not leader.up
    assert 13.1 <= run_until(shop, lambda: len(shop.pods()) == 5, 25) - told <= 22.4


def test_a_controller_manager_that_wakes_from_a_pause_does_no_lasting_harm():
    """Two may act for a moment; states are compared, so what is too many goes, and what is missing comes."""
    shop = Shop(cluster=Cluster.stacked(members=3, workers=2))
    shop.run(15)
    old = holder(shop, "controller-manager")
    old.pause()
    shop.run(30)
    shop.patch(DEPLOYMENT, "web", {"spec": {"replicas": 6}})
    old.resume()
    shop.patch(DEPLOYMENT, "web", {"spec": {"replicas": 4}})
    shop.run(20)
    assert len(shop.pods()) == 4 and all(map(is_ready, shop.pods()))
    leading = [n for n, c in shop.cluster.components.items() if n.startswith("controller-m") and c.elector.leading]
    assert len(leading) == 1 and leading != [old.name]


def test_a_cache_that_lags_makes_nothing_twice():
    """The watch is 300 ms late, the queue is fast: without expectations there would be too many pods."""
    world = World()
    manager = ControllerManager(world.sim, world.net, Host(world.sim, "far"), "controller-manager-1", ["apiserver-1"])
    opened = manager.open_stream

    def late(target, method, payload, on_item, on_close):
        return opened(target, method, payload, lambda item: manager.after(300 * MS, on_item, item), on_close)

    manager.open_stream = late
    manager.start()
    world.run(5)
    assert world.ask(lambda c: c.create(a_deployment(10))).ok
    world.run(60)
    pods = world.ask(lambda c: c.list(POD)).value["items"]
    made = [r for r in world.sim.trace.of("object") if (r.detail["kind"], r.detail["verb"]) == ("Pod", "ADDED")]
    assert len(pods) == len(made) == 10
    assert len(world.ask(lambda c: c.list(REPLICA_SET)).value["items"]) == 1
    assert world.ask(lambda c: c.create(SHOP)).ok
    world.run(10)
    assert len(world.ask(lambda c: c.list(ENDPOINT_SLICE)).value["items"]) == 1


def test_what_could_not_be_made_is_not_waited_for():
    """The API server dies amid twenty creations: what failed is asked for again in seconds, not after five minutes."""
    shop = Shop(a_deployment(20))
    shop.run(0.3)
    while shop.made() < 7:
        shop.sim.step()
    shop.cluster.components["apiserver-1"].crash()
    shop.run(1)
    shop.cluster.components["apiserver-1"].start()
    shop.run(60)
    assert len(shop.pods()) == 20 and len(shop.sim.trace.of("holder")) == 2


def test_the_silence_of_all_takes_back_the_eviction_of_one():
    shop = Shop()
    shop.run(20)
    shop.cluster.net.cut(["worker-1"], ["cp-1"])
    shop.run(60)
    assert [t["effect"] for t in shop.node("worker-1")["spec"]["taints"]] == ["NoSchedule", "NoExecute"]
    shop.cluster.net.cut(["worker-2"], ["cp-1"])
    shop.run(400)
    assert [t["effect"] for t in shop.node("worker-1")["spec"]["taints"]] == ["NoSchedule"]
    assert shop.made() == 3


@pytest.mark.parametrize("seed", range(3))
def test_whatever_crashes_meanwhile_the_number_comes_out_right(seed):
    """Level, not edge: API server, controller-manager and scheduler die and return at bad moments."""
    shop = Shop(a_deployment(6), SHOP, seed=seed)
    luck = shop.sim.rng("trouble")
    for _ in range(12):
        shop.run(luck.uniform(0.2, 3))
        victim = shop.cluster.components[luck.choice(["apiserver-1", "controller-manager-1", "scheduler-1"])]
        victim.crash()
        shop.run(luck.uniform(0.1, 2))
        victim.start()
    shop.run(90)
    assert len(shop.pods()) == 6 and all(map(is_ready, shop.pods()))
    (slice,) = shop.all(ENDPOINT_SLICE)
    assert sum(e["conditions"]["ready"] for e in slice["endpoints"]) == 6
