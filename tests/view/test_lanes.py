"""The swim-lanes: what travels becomes steps, each with the step it follows from, and with words."""

from functools import cache

import pytest

from kubemini import session
from kubemini.cluster import Cluster
from kubemini.kubectlline import kubectl
from kubemini.sim.units import SECOND
from kubemini.simulate import run
from kubemini.study.slowmotion import slow_motion
from kubemini.view.lanes import FOLLOWS, LINE, REST, lanes, shown, told
from kubemini.view.lanes.causes import link
from kubemini.view.lanes.steps import lane_of, of_key, resource, steps_of
from kubemini.view.lanes.words import many_of

SCALE = "scale deployment web --replicas 3"


@cache
def scaled(without=""):
    return slow_motion(SCALE, without=without)


@cache
def found(without=""):
    return shown(scaled(without))


def line(picture, least=LINE):
    return [step for step in picture["steps"] if step["rank"] >= least]


def said(picture, least=LINE):
    return [step["say"] for step in line(picture, least)]


def test_who_listens_changes_nothing():
    plain, heard = run("anatomy"), run("anatomy", listen=("20s", "23s"))
    assert [record for record in heard if record.what != "sent"] == list(plain)
    assert {record.at // SECOND for record in heard.of("sent")} == {20, 21, 22}


def test_nobody_but_the_api_server_speaks_with_etcd_and_all_speak_with_it():
    ends = {(lane_of(r.actor), lane_of(r.detail["to"])) for r in scaled().of("sent")}
    assert {a for a, b in ends if b == "etcd"} == {b for a, b in ends if a == "etcd"} == {"API server"}
    assert all("API server" in pair for pair in ends)


def test_a_scaling_is_told_from_the_line_to_the_kernel():
    chain = [
        "kubectl changes one thing in Deployment web: spec.replicas = 3.",
        "etcd has Deployment web on its disk: revision 55.",
        "The API server tells the controller-manager: Deployment web has changed.",
        "The Deployment controller writes ReplicaSet web-79f7d66677: 3 replicas.",
        "The ReplicaSet controller creates a Pod.",
        "The API server tells the scheduler: Pod web-79f7d66677-zwmx7 is new.",
        "The scheduler chooses worker-1 for Pod web-79f7d66677-zwmx7.",
        "The scheduler writes a Binding: Pod web-79f7d66677-zwmx7 goes to worker-1.",
        "The API server tells the kubelet of worker-1: Pod web-79f7d66677-zwmx7 is new.",
        "The kubelet of worker-1 starts Pod web-79f7d66677-zwmx7.",
        "On worker-1, Pod web-79f7d66677-zwmx7 runs and is ready.",
        "The kubelet of worker-1 reports on Pod web-79f7d66677-zwmx7: Running.",
        "The EndpointSlice controller writes EndpointSlice web-xwm4k.",
        "kube-proxy of worker-1 writes its kernel's rules: web leads to 3 pods.",
    ]
    told_in_order = iter(said(found()))
    assert [sentence for sentence in chain if sentence not in told_in_order] == []


def test_each_step_follows_from_an_earlier_one_that_had_reached_its_program():
    steps = steps_of(scaled(), 20 * SECOND, 23 * SECOND)
    link(steps)
    for step in steps:
        if step.cause is None:
            assert lane_of(step.source) == "kubectl" or step.about.startswith("Lease/"), step
            continue
        cause = steps[step.cause]
        assert cause.to == step.source and cause.arrives <= step.at, (cause, step)
        if step.form == "event":
            assert cause.revision == step.revision, (cause, step)


def test_what_the_end_needs_is_on_the_line_what_follows_besides_is_not_and_leases_are_neither():
    ranks = {step["say"]: step["rank"] for step in found()["steps"]}
    assert ranks["The ReplicaSet controller creates a Pod."] == LINE
    assert ranks["The Deployment controller reports on Deployment web: 3 replicas, 2 ready."] == FOLLOWS
    assert ranks["The scheduler writes Lease kube-scheduler."] == REST
    last = max(n for n, step in enumerate(found()["steps"]) if step["rank"] == LINE)
    asked = next(n for n, step in enumerate(found()["steps"]) if "spec.replicas" in step["say"])
    way = [last]
    while (cause := found()["steps"][way[-1]]["cause"]) is not None:
        way.append(cause)
    assert asked in way and all(found()["steps"][n]["rank"] == LINE for n in way)


def test_kubectl_has_its_answer_before_there_is_a_pod():
    steps = found()["steps"]
    answers = [n for n, step in enumerate(steps) if step["say"] == "kubectl has its answer."]
    first_pod = next(n for n, step in enumerate(steps) if step["say"] == "The ReplicaSet controller creates a Pod.")
    assert answers[-1] < first_pod
    assert steps[answers[-1]]["why"].endswith("Its change is stored, and kubectl is done: what follows, others do.")


def test_without_the_scheduler_the_pod_is_made_and_nobody_gives_it_a_node():
    sentences = said(found("scheduler-1"), REST)
    assert "The ReplicaSet controller creates a Pod." in sentences
    assert not any("Binding" in sentence or "kubelet of" in sentence for sentence in sentences)
    assert found("scheduler-1")["without"] == "scheduler-1"


def test_what_concerns_one_object_can_be_asked_for():
    pod = lanes(scaled(), 20 * SECOND, 23 * SECOND, about="Pod/web-79f7d66677-zwmx7")
    first = next(step for step in pod["steps"] if step["rank"] >= FOLLOWS)
    assert first["say"] == "The API server asks etcd to store Pod web-79f7d66677-zwmx7."
    with pytest.raises(ValueError, match="nothing was sent about Pod/web-9: name it as Pod/web-1"):
        lanes(scaled(), 20 * SECOND, 23 * SECOND, about="Pod/web-9")


def test_a_line_that_reads_ends_with_its_answer():
    read = shown(slow_motion("get pods"))
    assert read["printed"].startswith("NAME") and said(read)[-1] == "kubectl has its answer."
    assert "kubectl reads Pods." in said(read)


def test_a_line_that_asks_nobody_is_answered_with_what_kubectl_complains_of():
    with pytest.raises(ValueError, match="unknown command"):
        shown(slow_motion("frobnicate"))


def test_a_deleted_deployment_takes_its_pods_out_of_the_rules_and_away():
    gone = said(shown(slow_motion("delete deployment web")))
    assert "kubectl deletes Deployment web." in gone
    assert gone[-1].endswith("web leads to no pod.")
    assert any(sentence.startswith("The kubelet of worker-1 stops Pod web-") for sentence in gone)


def test_a_cluster_of_ones_own_is_listened_to_and_a_balancer_has_a_lane():
    cluster = Cluster.stacked(members=3, workers=1)
    cluster.run("10s")
    cluster.listen()
    kubectl(cluster, "create deployment shop --image=nginx")
    found = shown(cluster.run("3s"), 10 * SECOND, 13 * SECOND)
    assert "load balancer" in found["lanes"]
    assert "The kubelet of worker-1 starts Pod shop-" in told(found)


def test_who_has_not_listened_is_told_how():
    with pytest.raises(ValueError, match="nobody has listened to this run"):
        lanes(run("anatomy", until=2), 0, SECOND)
    with pytest.raises(ValueError, match="nothing was sent from 22"):
        lanes(scaled(), 22_900_000, 22_901_000)


def test_a_widget_asks_for_a_line_of_a_readers_own():
    answer = session.handle({"op": "lanes", "id": 7, "line": SCALE, "without": ""})
    assert answer["id"] == 7 and answer["lanes"] == found()
    refused = session.handle({"op": "lanes", "id": 8, "line": SCALE, "without": "nobody-1"})
    assert refused["op"] == "error" and "nobody-1" in refused["error"]
    assert session.handle({"op": "lanes", "id": 9, "line": 3})["error"].startswith("line: expected")


def test_paths_and_keys_are_read_as_what_they_are_about():
    assert resource("/apis/apps/v1/namespaces/shop/deployments/web/scale") == ("Deployment", "web", "scale")
    assert resource("/api/v1/namespaces/shop") == ("Namespace", "shop", "")
    assert resource("/api/v1/nodes") == ("Node", "", "")
    assert of_key("/registry/services/specs/shop/web") == "Service/web"
    assert of_key("/registry/leases/kube-system/kube-scheduler") == "Lease/kube-scheduler"
    assert [many_of(kind) for kind in ("Pod", "Ingress", "NetworkPolicy", "Gateway", "Endpoints")] == [
        *("Pods", "Ingresses", "NetworkPolicies", "Gateways", "Endpoints")
    ]
