"""Workloads in a whole cluster: through the API server, the scheduler and kubelets."""

from kubemini.api.kinds import CONTROLLER_REVISION, CRON_JOB, DAEMON_SET, JOB, POD
from kubemini.api.objects import freeze
from kubemini.cluster import Cluster
from kubemini.controllers.decide.actions import condition
from kubemini.params import Params, changed
from tests.worlds.kube import Shop


def shop_with(*objects):
    return Shop(*objects, cluster=Cluster.single(workers=2, params=changed(Params(), {"all_controllers": True})))


def template(app, **annotations):
    notes = {f"kubemini.io/{name.replace('_', '-')}": text for name, text in annotations.items()}
    spec = {"containers": [{"name": "c", "image": "nginx:1.29"}]}
    return {"metadata": {"labels": {"app": app}, "annotations": notes}, "spec": spec}


def a_workload(kind, name, **spec):
    meta = {"name": name, "namespace": "default"}
    return freeze({"apiVersion": kind.api_version, "kind": kind.kind, "metadata": meta, "spec": spec})


def a_failing_job(**spec):
    pods = template("task", exit_after="1s")
    pods["spec"]["restartPolicy"] = "Never"
    return a_workload(JOB, "task", template=pods, **spec)


def a_daemon():
    return a_workload(DAEMON_SET, "agent", selector={"matchLabels": {"app": "agent"}}, template=template("agent"))


def test_a_job_whose_pods_fail_tries_again_after_ten_seconds_and_gives_up():
    shop = shop_with(a_failing_job(backoffLimit=1))
    shop.run(8)
    (job,) = shop.all(JOB)
    assert job["status"]["failed"] == 1 and len(shop.pods("task")) == 1
    shop.run(25)
    (job,) = shop.all(JOB)
    assert condition(job, "Failed")["reason"] == "BackoffLimitExceeded" and job["status"]["failed"] == 2
    assert job["status"]["uncountedTerminatedPods"] == {}
    assert not any(pod["metadata"].get("finalizers") for pod in shop.pods("task"))


def test_a_job_that_is_deleted_leaves_nothing_behind_though_its_pods_have_a_finalizer():
    shop = shop_with(a_failing_job(completions=3, parallelism=3))
    shop.run(6)
    assert len(shop.pods("task")) == 3
    shop.ask("DELETE", JOB.path("default", "task"), {"propagationPolicy": "Background"})
    shop.run(60)
    assert shop.all(JOB) == [] and [p for p in shop.all(POD) if p["metadata"]["name"].startswith("task")] == []


def test_a_job_is_gone_when_its_time_has_passed():
    shop = shop_with(a_failing_job(backoffLimit=0, ttlSecondsAfterFinished=20))
    shop.run(15)
    assert condition(shop.all(JOB)[0], "Failed")
    shop.run(30)
    assert shop.all(JOB) == []


def test_a_daemon_runs_once_on_every_node_and_a_new_holder_changes_nothing():
    shop = shop_with(a_daemon())
    shop.run(15)
    pods = shop.pods("agent")
    assert sorted(pod["spec"]["nodeName"] for pod in pods) == ["worker-1", "worker-2"]
    assert shop.all(DAEMON_SET)[0]["status"]["numberReady"] == 2
    manager = shop.cluster.components["controller-manager-1"]
    manager.crash()
    shop.run(1)
    manager.start()
    shop.run(40)
    assert {p["metadata"]["uid"] for p in shop.pods("agent")} == {p["metadata"]["uid"] for p in pods}
    assert len(shop.all(CONTROLLER_REVISION)) == 1


def test_an_idle_cronjob_costs_one_timer_a_start():
    """Whatever else happens in the cluster happens without it too."""
    inner = {"spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "app"}]}}}}
    yearly = a_workload(CRON_JOB, "tick", schedule="0 0 1 1 *", jobTemplate=inner)
    events = []
    for objects in ((a_daemon(),), (a_daemon(), yearly)):
        shop = shop_with(*objects)
        shop.run(60)
        before = shop.sim.events
        shop.run(600)
        events.append(shop.sim.events - before)
    assert events[1] == events[0]
