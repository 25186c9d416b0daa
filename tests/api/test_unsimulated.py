"""Nothing that a manifest asks for is ignored without a word."""

from kubemini.api import unsimulated
from kubemini.api.manifests import load
from kubemini.cluster import Cluster
from kubemini.scenarios import load as scenario
from kubemini.scenarios import names
from kubemini.view.scene import text_summary

WEB = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      dnsPolicy: ClusterFirst
      serviceAccountName: shop
      hostNetwork: false
      volumes: [{name: v, emptyDir: {}}]
      containers:
      - name: web
        image: nginx:1.27
        args: [--fast]
        env: [{name: A, value: b}, {name: N, valueFrom: {fieldRef: {fieldPath: spec.nodeName}}}]
        volumeMounts: [{name: v, mountPath: /v}]
"""
POD = "spec.template.spec"
IN_VAIN = [
    f"{POD}.volumes",
    f"{POD}.serviceAccountName",
    f"{POD}.containers[0].args",
    f"{POD}.containers[0].env[1].valueFrom",
    f"{POD}.containers[0].volumeMounts",
]


def test_each_field_that_does_nothing_is_named_and_what_happens_anyway_is_not():
    (web,) = load(WEB)
    assert unsimulated.fields(web) == IN_VAIN


def test_whoever_applies_it_is_told_each_field_once_in_the_trace_and_on_the_command_line():
    cluster = Cluster.single(workers=1)
    cluster.run(8)
    cluster.apply(WEB)
    cluster.run(5)
    cluster.apply(WEB)
    trace = cluster.run(5)
    told = [record.detail["text"] for record in trace.of("note") if record.actor == "kubectl"]
    assert told == [f"deployment.apps/web: {field} is not simulated" for field in IN_VAIN]
    assert all(text in text_summary(trace) for text in told)


def test_what_only_a_whole_controller_manager_acts_on_does_nothing_where_few_controllers_run():
    budget = "{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: b}, spec: {minAvailable: 1}}"
    (obj,) = load(budget)
    assert unsimulated.fields(obj) == ["spec"] and unsimulated.fields(obj, all_controllers=True) == []


def test_what_is_refused_is_not_lamented():
    cluster = Cluster.single(workers=1)
    cluster.run(8)
    cluster.apply(WEB.replace("replicas: 1", "replicas: -1"))
    assert not [r for r in cluster.run(5).of("note") if "not simulated" in r.detail["text"]]


def test_the_books_own_stories_ask_for_nothing_in_vain():
    stories = {name: scenario(name) for name in names()}
    assert {
        name: asked
        for name, story in stories.items()
        if story.manifests
        for obj in load(story.manifests)
        if (asked := unsimulated.fields(obj, story.params.all_controllers))
    } == {}
