"""Pauses, adoptions and deadlines in a whole cluster; nodes that answer again; and a controller of one's own."""

from kubemini.api.kinds import CONFIG_MAP, DEPLOYMENT, POD, REPLICA_SET, SERVICE
from kubemini.api.labels import contains
from kubemini.api.objects import evolve, freeze
from kubemini.controllers import manager
from kubemini.controllers.decide.actions import Create, Plan, Update, owner_reference
from kubemini.controllers.decide.controller import Controller, Watch, key_of, owner_key
from kubemini.controllers.decide.workloads.deployment.rollout import revision
from tests.worlds.kube import Shop, a_deployment, image, run_until


def progressing(shop, name="web"):
    found = next(d for d in shop.all(DEPLOYMENT) if d["metadata"]["name"] == name)
    held = next(c for c in found["status"]["conditions"] if c["type"] == "Progressing")
    return held["status"], held["reason"]


def test_the_deadline_does_not_run_while_a_rollout_is_paused_and_starts_anew_with_it():
    shop = Shop(a_deployment(3, cpu="64", progressDeadlineSeconds=30))
    shop.run(5)
    shop.patch(DEPLOYMENT, "web", {"spec": {"paused": True}})
    assert progressing(shop) == ("Unknown", "DeploymentPaused")
    shop.run(60)
    assert progressing(shop) == ("Unknown", "DeploymentPaused")
    shop.patch(DEPLOYMENT, "web", {"spec": {"paused": None}})
    assert progressing(shop) == ("Unknown", "DeploymentResumed")
    shop.run(25)
    assert progressing(shop) == ("Unknown", "DeploymentResumed")
    shop.run(10)
    assert progressing(shop) == ("False", "ProgressDeadlineExceeded")


def test_a_rollout_that_was_stuck_before_it_was_paused_says_so_until_it_moves():
    shop = Shop(a_deployment(3, cpu="64", progressDeadlineSeconds=10))
    shop.run(20)
    shop.patch(DEPLOYMENT, "web", {"spec": {"paused": True}})
    shop.run(5)
    assert progressing(shop) == ("False", "ProgressDeadlineExceeded")


def test_a_resumed_rollout_goes_on_to_its_end():
    shop = Shop()
    shop.run(10)
    shop.patch(DEPLOYMENT, "web", {"spec": {"paused": True}})
    shop.patch(DEPLOYMENT, "web", image("1.30"))
    shop.run(10)
    assert {p["spec"]["containers"][0]["image"] for p in shop.pods()} == {"nginx:1.29"}
    shop.patch(DEPLOYMENT, "web", {"spec": {"paused": False}})
    shop.run(30)
    assert {p["spec"]["containers"][0]["image"] for p in shop.pods()} == {"nginx:1.30"}
    assert progressing(shop) == ("True", "NewReplicaSetAvailable")


def test_a_new_rollout_of_an_old_deployment_has_its_whole_deadline():
    shop = Shop(a_deployment(3, progressDeadlineSeconds=30))
    shop.run(60)
    shop.patch(DEPLOYMENT, "web", image("1.30"))
    reasons = [progressing(shop)[1]]
    for _ in range(25):
        shop.run(1)
        reasons.append(progressing(shop)[1])
    assert "ProgressDeadlineExceeded" not in reasons and reasons[-1] == "NewReplicaSetAvailable"


def bare_replicaset(version="1.29", replicas=3):
    spec = a_deployment(replicas)["spec"]
    template = evolve(spec["template"], ("spec", "containers", 0, "image"), f"nginx:{version}")
    return freeze(
        {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "metadata": {"name": "bare", "namespace": "default", "labels": {"app": "web"}},
            "spec": {"replicas": replicas, "selector": spec["selector"], "template": template},
        }
    )


def test_a_deployment_adopts_a_replicaset_of_its_template():
    shop = Shop(bare_replicaset())
    shop.run(10)
    before = {p["metadata"]["uid"] for p in shop.pods()}
    shop.cluster.apply([a_deployment(3)])
    shop.run(20)
    (only,) = shop.all(REPLICA_SET)
    assert only["metadata"]["ownerReferences"][0]["kind"] == "Deployment" and revision(only) == 1
    assert {p["metadata"]["uid"] for p in shop.pods()} == before and len(before) == 3
    assert progressing(shop) == ("True", "NewReplicaSetAvailable")


def test_a_deployment_adopts_a_replicaset_of_another_template_and_rolls_it_down():
    shop = Shop(bare_replicaset("1.0"))
    shop.run(10)
    shop.cluster.apply([a_deployment(3)])
    shop.run(40)
    sizes = {rs["metadata"]["name"] == "bare": rs["spec"]["replicas"] for rs in shop.all(REPLICA_SET)}
    assert sizes == {True: 0, False: 3}
    assert {p["spec"]["containers"][0]["image"] for p in shop.pods()} == {"nginx:1.29"} and len(shop.pods()) == 3


def test_a_replicaset_that_comes_after_its_deployment_is_adopted_too():
    shop = Shop()
    shop.run(10)
    shop.cluster.apply([bare_replicaset("1.0")])
    shop.run(30)
    assert len(shop.pods()) == 3 and len(shop.all(REPLICA_SET)) == 2
    assert all(rs["metadata"].get("ownerReferences") for rs in shop.all(REPLICA_SET))


def test_a_replicaset_whose_label_is_taken_off_is_let_go_and_another_made():
    shop = Shop()
    shop.run(10)
    (first,) = shop.all(REPLICA_SET)
    shop.patch(REPLICA_SET, first["metadata"]["name"], {"metadata": {"labels": {"app": "other"}}})
    shop.run(20)
    by_owner = {bool(rs["metadata"].get("ownerReferences")): rs for rs in shop.all(REPLICA_SET)}
    assert by_owner[False]["metadata"]["uid"] == first["metadata"]["uid"] and len(shop.pods()) == 6


def test_a_node_that_answers_again_loses_no_execute_only_at_the_next_look():
    """NoSchedule goes with the condition, NoExecute in the round of every five seconds."""
    shop = Shop()
    shop.run(10)
    shop.cluster.hosts["worker-1"].power_off()

    def effects():
        return {taint["effect"] for taint in shop.node("worker-1")["spec"].get("taints", ())}

    run_until(shop, lambda: "NoExecute" in effects(), 90)
    shop.cluster.hosts["worker-1"].power_on()
    ready = run_until(shop, lambda: shop.readiness("worker-1") == "True", 30)
    run_until(shop, lambda: "NoSchedule" not in effects(), 1)
    assert "NoExecute" in effects()
    assert 0 < run_until(shop, lambda: not effects(), 6) - ready <= 5.2


def test_a_controller_is_one_file_and_one_name(monkeypatch):
    """A toy: every Service gets a ConfigMap that counts the pods it selects."""

    def decide(service, facts, caught_up, now):
        namespace, selector = service["metadata"]["namespace"], service["spec"].get("selector") or {}
        pods = [p for p in facts.of_namespace(POD, namespace) if contains(p["metadata"].get("labels"), selector)]
        meta = {"name": "count-" + service["metadata"]["name"], "namespace": namespace}
        wanted = {"metadata": {**meta, "ownerReferences": [owner_reference(service)]}, "data": {"pods": str(len(pods))}}
        held = facts.get(CONFIG_MAP, (namespace, meta["name"]))
        if held is not None:
            same = held["data"] == wanted["data"]
            return Plan() if same else Plan((Update(evolve(held, ("data",), wanted["data"])),))
        return Plan((Create(freeze({"apiVersion": "v1", "kind": "ConfigMap", **wanted})),)) if caught_up else Plan()

    def all_services(obj, facts):
        return [key_of(found) for found in facts.of_namespace(SERVICE, obj["metadata"]["namespace"])]

    watches = (Watch(POD, all_services), Watch(CONFIG_MAP, lambda obj, facts: owner_key(obj, SERVICE), made_here=True))
    monkeypatch.setattr(manager, "CONTROLLERS", (*manager.CONTROLLERS, Controller(SERVICE, decide, watches)))
    shop = Shop()
    shop.run(10)

    def counted():
        return [c["data"]["pods"] for c in shop.all(CONFIG_MAP) if c["metadata"]["name"] == "count-web"]

    assert counted() == ["3"]
    shop.patch(DEPLOYMENT, "web", {"spec": {"replicas": 5}})
    shop.run(5)
    assert counted() == ["5"]
    shop.ask("DELETE", SERVICE.path("default", "web"))
    shop.run(5)
    assert counted() == []
