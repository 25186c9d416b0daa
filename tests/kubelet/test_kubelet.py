"""The kubelet in a whole cluster: pods that start, fail, are restarted, deleted, adopted and lost with the power."""

import pytest

from kubemini.api.kinds import NODE, POD
from kubemini.api.objects import get, thaw
from kubemini.cluster import Cluster
from kubemini.host.linux import podnetwork
from kubemini.params import Params
from kubemini.sim.units import SECOND

HTTP = {"httpGet": {"path": "/", "port": 8080}}


def pod(name, annotations=None, **spec):
    container = {"name": "web", "image": "shop/web:1.0", **spec.pop("container", {})}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": "default",
            "labels": {"app": "web"},
            "annotations": {f"kubemini.io/{k}": v for k, v in (annotations or {}).items()},
        },
        "spec": {"containers": [container], **spec},
    }


class World:
    """One worker, and somebody who asks."""

    def __init__(self):
        self.cluster = Cluster.single(workers=1)
        self.host = self.cluster.hosts["worker-1"]
        self.kubelet = self.cluster.components["kubelet@worker-1"]
        self.run(5)

    def run(self, seconds):
        self.cluster.run(seconds)

    def apply(self, *objects):
        self.cluster.apply(objects)
        self.run(3)

    def ask(self, verb, path, body=None):
        replies = []
        query = {"type": "merge"} if verb == "PATCH" else {}
        event = self.cluster.user.call_api(verb, path, body, query)
        event.callbacks.append(lambda e: replies.append(e.value))
        self.run(0.1)
        return replies[0]

    def get(self, name):
        reply = self.ask("GET", POD.path("default", name))
        return thaw(reply.value) if reply.ok else None

    def annotate(self, name, **behaviour):
        annotations = {f"kubemini.io/{k}": v for k, v in behaviour.items()}
        assert self.ask("PATCH", POD.path("default", name), {"metadata": {"annotations": annotations}}).ok

    def states(self, name):
        return [r.detail["state"] for r in self.cluster.trace.of("pod") if r.detail["name"] == name]

    def serving(self):
        return sorted(podnetwork.listening(self.host).values())


@pytest.fixture
def world():
    return World()


def condition(obj, type="Ready"):
    return next((c["status"] for c in get(obj, "status", "conditions", default=()) if c["type"] == type), None)


def test_a_pod_that_is_bound_runs_and_says_so(world):
    world.apply(pod("web"))
    web = world.get("web")
    assert (web["status"]["phase"], condition(web)) == ("Running", "True")
    assert web["status"]["podIP"] in podnetwork.listening(world.host)
    assert web["status"]["containerStatuses"][0]["restartCount"] == 0
    assert world.states("web") == ["starting", "running"]


def test_a_node_is_registered_once_and_its_lease_is_renewed_every_ten_seconds(world):
    node = world.ask("GET", NODE.path("", "worker-1")).value
    assert condition(node) == "True"
    assert node["spec"]["podCIDR"] == "10.244.1.0/24"
    renewals = []
    for _ in range(30):
        lease = world.ask("GET", "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/worker-1").value
        renewals.append(lease["spec"]["renewTime"])
        world.run(0.9)
    assert len(set(renewals)) in (3, 4)


def test_a_crashing_container_is_restarted_more_and_more_patiently(world):
    world.apply(pod("loop", {"exit-after": "1s"}))
    world.run(110)
    starts = [
        r.at for r in world.cluster.trace.of("pod") if r.detail["name"] == "loop" and r.detail["state"] == "starting"
    ]
    ends = [r.at for r in world.cluster.trace.of("pod") if r.detail["name"] == "loop" and r.detail["state"] == "exited"]
    waits = [(start - end) / SECOND for end, start in zip(ends, starts[1:])]
    bounds = [(0, 0), (10, 15), (20, 30), (40, 60)]
    assert all(low <= wait <= high for (low, high), wait in zip(bounds, waits, strict=False)) and len(waits) >= 3
    status = world.get("loop")["status"]["containerStatuses"][0]
    assert status["restartCount"] == len(starts) - 1


def test_a_container_that_ran_for_ten_minutes_is_restarted_at_once(world):
    world.apply(pod("steady", {"exit-after": "601s"}))
    world.run(1220)
    starts = [r.at for r in world.cluster.trace.of("pod") if r.detail["state"] == "starting"]
    ends = [r.at for r in world.cluster.trace.of("pod") if r.detail["state"] == "exited"]
    assert [start - end for end, start in zip(ends, starts[1:], strict=True)] == [0, 0]


def test_a_pod_that_is_never_restarted_has_failed(world):
    world.apply(pod("once", {"exit-after": "1s"}, restartPolicy="Never"))
    world.run(2)
    assert world.get("once")["status"]["phase"] == "Failed"


def test_a_failing_readiness_probe_takes_the_pod_out_but_does_not_restart_it(world):
    probe = HTTP | {"periodSeconds": 2, "failureThreshold": 2}
    world.apply(pod("web", container={"readinessProbe": probe}))
    world.run(2)
    assert condition(world.get("web")) == "True"
    world.annotate("web", readiness="fail")
    world.run(5)
    web = world.get("web")
    assert (condition(web), web["status"]["containerStatuses"][0]["restartCount"]) == ("False", 0)
    world.annotate("web", readiness="ok")
    world.run(3)
    assert condition(world.get("web")) == "True"


def lifecycle(*command):
    return {"lifecycle": {"preStop": {"exec": {"command": list(command)}}}}


def seconds(world, name, state):
    """When *name* came into this state, in seconds."""
    seen = [r for r in world.cluster.trace.of("pod") if (r.detail["name"], r.detail["state"]) == (name, state)]
    return [r.at / SECOND for r in seen]


def test_a_liveness_probe_fails_by_the_clock_of_the_pod(world):
    """Period 10, threshold 3: killed at 30 s of the pod's age, however long it took to start."""
    world.apply(pod("web", {"liveness": "fail"}, container={"livenessProbe": HTTP}))
    world.run(40)
    (taken_up, *_), (killed, *_) = seconds(world, "web", "starting"), seconds(world, "web", "stopping")
    assert round(killed - taken_up, 6) == 30


def test_a_liveness_kill_obeys_hook_and_grace_and_shows_no_end_in_between(world):
    """K28: the hook sleeps 3 s and the program serves meanwhile; then SIGTERM, and it needs 2 s."""
    probe = HTTP | {"periodSeconds": 2, "failureThreshold": 1}
    container = {"livenessProbe": probe, **lifecycle("sleep", "3")}
    world.apply(pod("web", {"stop-after": "2s"}, container=container))
    world.annotate("web", liveness="fail")
    world.run(2.5)
    (stopping,) = seconds(world, "web", "stopping")
    assert world.serving() == ["web"]
    world.annotate("web", liveness="ok")
    world.run(10)
    (ended,) = seconds(world, "web", "exited")
    assert ended - stopping == 5 and seconds(world, "web", "starting")[1] == ended
    status = world.get("web")["status"]["containerStatuses"][0]
    assert (status["restartCount"], status["lastState"]["terminated"]["exitCode"]) == (1, 0)
    assert condition(world.get("web")) == "True" and world.serving() == ["web"]
    shown = [r.detail["summary"] for r in world.cluster.trace.of("object") if r.detail["name"] == "web"]
    assert not any("CrashLoop" in str(text) for text in shown)


def test_a_kill_for_a_probe_s_sake_ends_a_pod_that_is_never_restarted(world):
    probe = HTTP | {"periodSeconds": 2, "failureThreshold": 1}
    world.apply(pod("web", {"liveness": "fail"}, container={"livenessProbe": probe}, restartPolicy="Never"))
    world.run(8)
    assert world.get("web")["status"]["phase"] == "Succeeded"


def test_a_pod_that_is_being_killed_can_be_deleted(world):
    probe = HTTP | {"periodSeconds": 2, "failureThreshold": 1}
    world.apply(pod("web", {"liveness": "fail", "stop-after": "4s"}, container={"livenessProbe": probe}))
    world.run(2)
    world.cluster.user.delete("pod", "web")
    world.run(8)
    assert world.get("web") is None and world.states("web")[-2:] == ["stopping", "gone"]


def test_a_kubelet_that_returns_in_the_middle_of_a_kill_finishes_it(world):
    probe = HTTP | {"periodSeconds": 2, "failureThreshold": 1}
    world.apply(pod("web", {"liveness": "fail", "stop-after": "4s"}, container={"livenessProbe": probe}))
    world.run(2)
    assert world.states("web")[-1] == "stopping"
    world.kubelet.crash()
    world.run(1)
    world.kubelet.start()
    world.run(1)
    world.annotate("web", liveness="ok")
    world.run(10)
    assert world.states("web")[-3:] == ["exited", "starting", "running"] and condition(world.get("web")) == "True"


def test_a_startup_probe_holds_readiness_and_liveness_back(world):
    """P4: taken up at 0, a first look at 20 s; until then not ready, and liveness has its first tick after it."""
    patient = HTTP | {"periodSeconds": 10, "initialDelaySeconds": 15, "failureThreshold": 30}
    hasty = HTTP | {"periodSeconds": 1, "failureThreshold": 1}
    container = {"startupProbe": patient, "readinessProbe": hasty, "livenessProbe": hasty}
    world.apply(pod("web", {"liveness": "fail"}, container=container))
    (taken_up, *_) = seconds(world, "web", "starting")
    world.run(15)
    status = world.get("web")["status"]["containerStatuses"][0]
    assert (status["started"], status["ready"], status["restartCount"]) == (False, False, 0)
    world.run(10)
    (first_kill, *_) = seconds(world, "web", "stopping")
    assert first_kill - taken_up == 21
    became_ready = [r.at / SECOND for r in world.cluster.trace.of("pod") if r.detail["ready"]]
    assert min(became_ready) - taken_up == 20


def test_a_startup_probe_that_never_passes_costs_the_container_its_life(world):
    probe = HTTP | {"periodSeconds": 5, "failureThreshold": 2}
    world.apply(pod("web", {"startup": "fail"}, container={"startupProbe": probe}))
    world.run(12)
    status = world.get("web")["status"]["containerStatuses"][0]
    assert (status["started"], status["ready"], status["restartCount"]) == (False, False, 1)
    world.annotate("web", startup="ok")
    world.run(8)
    assert condition(world.get("web")) == "True"


@pytest.mark.parametrize(
    "command", [["sleep", "4"], ["/bin/sh", "-c", "sleep 4 && nginx -s quit"], ["sleep", "0.05m", "1s"]]
)
def test_a_hook_holds_sigterm_back(world, command):
    world.apply(pod("web", container=lifecycle(*command)))
    world.cluster.user.delete("pod", "web")
    world.run(3.9)
    assert world.serving() == ["web"]
    world.run(1)
    assert world.get("web") is None and world.cluster.trace.of("note") == []


def test_a_hook_that_is_not_understood_is_said_once(world):
    world.apply(*(pod(name, container=lifecycle("/drain.sh", "5")) for name in ("a", "b")))
    (note,) = world.cluster.trace.of("note")
    assert note.detail["text"] == "a preStop hook is not understood and takes no time here: /drain.sh 5"


def test_a_node_has_the_old_names_of_its_labels_too(world):
    labels = world.ask("GET", NODE.path("", "worker-1")).value["metadata"]["labels"]
    assert (labels["beta.kubernetes.io/os"], labels["beta.kubernetes.io/arch"]) == ("linux", "amd64")
    world.apply(pod("web", nodeSelector={"beta.kubernetes.io/os": "linux"}))
    world.run(1)
    assert condition(world.get("web")) == "True"


def test_a_failing_liveness_probe_restarts_the_container(world):
    world.apply(pod("web", container={"livenessProbe": HTTP | {"periodSeconds": 2, "failureThreshold": 2}}))
    world.annotate("web", liveness="fail")
    world.run(5)
    world.annotate("web", liveness="ok")
    world.run(20)
    web = world.get("web")
    assert condition(web) == "True"
    assert web["status"]["containerStatuses"][0]["restartCount"] >= 1


def test_a_deleted_pod_leaves_the_api_only_when_its_containers_are_gone(world):
    world.apply(pod("slow", {"stop-after": "3s"}))
    world.cluster.user.delete("pod", "slow")
    world.run(2)
    slow = world.get("slow")
    assert "deletionTimestamp" in slow["metadata"]
    assert world.serving() == []
    world.run(2)
    assert world.get("slow") is None
    assert world.states("slow") == ["starting", "running", "stopping", "gone"]


def test_a_pod_that_ignores_sigterm_is_killed_after_its_grace(world):
    world.apply(pod("deaf", {"stop-after": "10m"}, terminationGracePeriodSeconds=4))
    world.cluster.user.delete("pod", "deaf")
    world.run(3.5)
    assert world.get("deaf") is not None
    world.run(1)
    assert world.get("deaf") is None


def test_pods_go_on_serving_without_their_kubelet_and_are_taken_over_when_it_returns(world):
    world.apply(pod("web"))
    world.kubelet.crash()
    world.run(5)
    assert world.serving() == ["web"]
    world.kubelet.start()
    world.run(5)
    web = world.get("web")
    assert (condition(web), web["status"]["containerStatuses"][0]["restartCount"]) == ("True", 0)
    assert world.states("web") == ["starting", "running"]


def test_a_pod_deleted_while_the_kubelet_is_down_is_stuck_terminating_until_it_returns(world):
    world.apply(pod("web"))
    world.kubelet.crash()
    world.cluster.user.delete("pod", "web")
    world.run(40)
    assert "deletionTimestamp" in world.get("web")["metadata"]
    assert world.serving() == ["web"]
    world.kubelet.start()
    world.run(5)
    assert world.get("web") is None
    assert world.serving() == []


def test_containers_whose_pod_is_gone_from_the_api_end_when_the_kubelet_returns(world):
    world.apply(pod("web"))
    world.kubelet.crash()
    assert world.ask("DELETE", POD.path("default", "web"), {"gracePeriodSeconds": 0}).ok
    world.run(5)
    assert (world.get("web"), world.serving()) == (None, ["web"])
    world.kubelet.start()
    world.run(5)
    assert world.serving() == []
    assert world.host.kernel.containers.of_pod == {}


def test_a_container_that_exits_while_its_kubelet_is_dead_is_restarted_when_it_returns(world):
    world.apply(pod("web", {"exit-after": "5s"}))
    world.kubelet.crash()
    world.run(10)
    assert world.states("web")[-1] == "exited"
    world.kubelet.start()
    world.run(4)
    assert world.states("web")[-2:] == ["starting", "running"]
    assert world.get("web")["status"]["containerStatuses"][0]["restartCount"] == 1


def test_after_a_power_cycle_the_same_pod_runs_again_with_one_restart_and_another_address(world):
    world.apply(pod("web"))
    before = world.get("web")
    world.host.power_off()
    world.run(5)
    world.host.power_on()
    world.run(5)
    after = world.get("web")
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert condition(after) == "True"
    assert after["status"]["containerStatuses"][0]["restartCount"] == 1
    assert after["status"]["podIP"] != before["status"]["podIP"]


def test_a_status_that_could_not_be_sent_is_sent_when_the_api_server_is_back(world):
    probe = HTTP | {"periodSeconds": 2, "failureThreshold": 1}
    world.apply(pod("web", container={"readinessProbe": probe}))
    world.annotate("web", readiness="fail")
    world.cluster.components["apiserver-1"].crash()
    world.run(5)
    world.cluster.components["apiserver-1"].start()
    world.run(Params().pod_status_sync / SECOND + 5)
    assert condition(world.get("web")) == "False"


def test_a_kubelet_that_was_silent_sets_its_node_and_its_pods_ready_again(world):
    world.apply(pod("web"))
    world.kubelet.pause()
    world.run(60)
    assert condition(world.ask("GET", NODE.path("", "worker-1")).value) == "Unknown"
    assert condition(world.get("web")) == "False"  # the node controller says so; nobody has asked the pod
    assert world.serving() == ["web"]
    world.kubelet.resume()
    world.run(65)
    assert condition(world.ask("GET", NODE.path("", "worker-1")).value) == "True"
    assert condition(world.get("web")) == "True"
