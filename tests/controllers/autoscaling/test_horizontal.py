"""One look of the autoscaler: whom it asks, what it writes, what it tells."""

import pytest

from kubemini.api.errors import ApiError, page_not_found
from kubemini.api.kinds import POD
from kubemini.api.objects import evolve, evolve_many, freeze
from kubemini.api.timestamps import timestamp
from kubemini.cluster import Cluster
from kubemini.controllers.decide.actions import Tell, UpdateStatus
from kubemini.controllers.decide.autoscaling import horizontal
from kubemini.controllers.decide.autoscaling.behaviour import Memory
from kubemini.controllers.decide.autoscaling.horizontal import AUTOSCALER, Settings
from kubemini.controllers.decide.autoscaling.replicas import Patience
from kubemini.controllers.decide.controller import Facts, key_of
from kubemini.controllers.decide.dialogue import Answer, Ask
from kubemini.params import Params, changed
from kubemini.sim.units import MINUTE, SECOND
from tests.controllers.autoscaling.test_replicas import NOW, using
from tests.controllers.workloads.talking import talk

SETTINGS = Settings(15 * SECOND, 5 * MINUTE, 0.1, Patience(5 * MINUTE, 30 * SECOND))
CPU = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}}}
WEB = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}


def an_hpa(metrics=(CPU,), status=None, name="web", **spec):
    meta = {"name": name, "namespace": "default", "uid": name, "generation": 1}
    said = {"scaleTargetRef": WEB, "minReplicas": 1, "maxReplicas": 10, "metrics": list(metrics), **spec}
    kind = {"apiVersion": AUTOSCALER.api_version, "kind": AUTOSCALER.kind}
    return freeze({**kind, "metadata": meta, "spec": said, "status": status or {"desiredReplicas": 0}})


def a_scale(replicas, selector="app=web"):
    return freeze(
        {
            "kind": "Scale",
            "metadata": {"name": "web"},
            "spec": {"replicas": replicas},
            "status": {"replicas": replicas, "selector": selector},
        }
    )


def pod_metrics(**cpus):
    def item(name, cpu):
        said = {"timestamp": timestamp(NOW), "window": "1s"}
        return {
            "metadata": {"name": name},
            **said,
            "containers": [{"name": "c", "usage": {"cpu": cpu, "memory": "80Mi"}}],
        }

    return freeze({"items": [item(name, cpu) for name, cpu in cpus.items()]})


class Api:
    """Answers what an autoscaler asks; *extra*: path → Answer."""

    def __init__(self, replicas, metrics=None, selector="app=web", extra=None, refuses=0):
        self.replicas, self.metrics, self.selector = replicas, metrics, selector
        self.extra, self.refuses, self.asked = extra or {}, refuses, []

    def __call__(self, step):
        if not isinstance(step, Ask):
            return None
        self.asked.append((step.verb, step.path))
        if step.path in self.extra:
            return self.extra[step.path]
        if step.path.endswith("/scale"):
            if step.verb == "PUT" and self.refuses:
                self.refuses -= 1
                return Answer(error=ApiError(409, "Conflict", "the object has been modified"))
            self.replicas = step.body["spec"]["replicas"] if step.verb == "PUT" else self.replicas
            return Answer(a_scale(self.replicas, self.selector))
        if step.path.startswith("/apis/metrics.k8s.io") and self.metrics is not None:
            return Answer(self.metrics)
        return Answer(error=page_not_found())


def look(hpa, api, pods=(), memory=None, others=()):
    there = {POD: list(pods), AUTOSCALER: [hpa, *(one for one, _ in others)]}
    known = {key_of(one): kept for one, kept in others}
    facts = Facts(
        get=lambda kind, key: None,
        of_namespace=lambda kind, space: there[kind],
        owned_by=lambda kind, uid: [],
        memory=memory,
        recall=known.get,
    )
    return talk(horizontal.decide(hpa, facts, True, NOW, SETTINGS), [api])


def said(steps):
    return [(step.reason, step.message) for step in steps if isinstance(step, Tell)]


def written(steps):
    (status,) = [step.obj["status"] for step in steps if isinstance(step, UpdateStatus)]
    return status, {one["type"]: (one["status"], one["reason"]) for one in status["conditions"]}


def test_a_load_above_its_target_writes_the_scale_then_tells_then_says_so():
    api = Api(2, pod_metrics(a="80m", b="80m"))
    steps, end = look(an_hpa(), api, [using("a"), using("b")])
    assert api.asked[-1] == ("PUT", "/apis/apps/v1/namespaces/default/deployments/web/scale") and api.replicas == 4
    assert [type(step) for step in steps] == [Ask, Ask, Ask, Tell, UpdateStatus]
    assert end.again_at == NOW + 15 * SECOND


def test_the_status_says_what_was_seen_and_why_it_went_no_further():
    api = Api(2, pod_metrics(a="100m", b="100m"))
    steps, _ = look(an_hpa(maxReplicas=3), api, [using("a"), using("b")])
    status, conditions = written(steps)
    assert said(steps) == [
        ("SuccessfulRescale", "New size: 3; reason: cpu resource utilization (percentage of request) above target")
    ]
    assert (status["currentReplicas"], status["desiredReplicas"], status["observedGeneration"]) == (2, 3, 1)
    seen = {"averageUtilization": 100, "averageValue": "100m"}
    assert status["currentMetrics"] == [{"type": "Resource", "resource": {"name": "cpu", "current": seen}}]
    assert status["lastScaleTime"] == timestamp(NOW)
    assert conditions == {
        "AbleToScale": ("True", "SucceededRescale"),
        "ScalingActive": ("True", "ValidMetricFound"),
        "ScalingLimited": ("True", "TooManyReplicas"),
        "ScaledToZero": ("False", "NotScaledToZero"),
    }


def test_a_look_that_finds_all_as_it_said_writes_nothing():
    api, pods = Api(2, pod_metrics(a="50m", b="50m")), [using("a"), using("b")]
    steps, end = look(an_hpa(), api, pods)
    status, _ = written(steps)
    steps, _ = look(an_hpa(status=status), api, pods, end.memory)
    assert [type(step) for step in steps] == [Ask, Ask]


@pytest.mark.parametrize(
    ("replicas", "wanted", "why"),
    [
        (12, 10, "Current number of replicas above Spec.MaxReplicas"),
        (1, 2, "Current number of replicas below Spec.MinReplicas"),
    ],
)
def test_out_of_its_bounds_it_is_put_right_without_any_metrics(replicas, wanted, why):
    api = Api(replicas)
    steps, _ = look(an_hpa(minReplicas=2), api)
    assert api.replicas == wanted and said(steps) == [("SuccessfulRescale", f"New size: {wanted}; reason: {why}")]


def test_a_target_at_zero_is_left_alone_unless_the_autoscaler_brought_it_there():
    steps, _ = look(an_hpa(), Api(0))
    assert written(steps)[1]["ScalingActive"] == ("False", "ScalingDisabled")
    zeroed = [{"type": "ScaledToZero", "status": "True", "lastTransitionTime": timestamp(0), "reason": "ScaledToZero"}]
    queue = {"type": "External", "external": {"metric": {"name": "queue"}, "target": {"type": "Value", "value": "10"}}}
    path = "/apis/external.metrics.k8s.io/v1beta1/namespaces/default/queue"
    api = Api(0, extra={path: Answer(freeze({"items": [{"value": "25"}]}))})
    look(an_hpa([queue], {"conditions": zeroed}, minReplicas=0), api)
    assert api.replicas == 3


def test_without_metrics_nothing_is_scaled_and_both_events_are_told():
    api = Api(2)
    steps, _ = look(an_hpa(), api, [using("a")])
    why = (
        "failed to get cpu utilization: unable to get metrics for resource cpu: unable to fetch metrics from resource "
        "metrics API: the server could not find the requested resource (get pods.metrics.k8s.io)"
    )
    whole = f"invalid metrics (1 invalid out of 1), first error is: failed to get cpu resource metric value: {why}"
    assert said(steps) == [("FailedGetResourceMetric", why), ("FailedComputeMetricsReplicas", whole)]
    assert written(steps)[0]["currentMetrics"] == [{"type": ""}]


def test_one_metric_that_fails_stops_the_way_down_and_not_the_way_up():
    memory = {
        "type": "Resource",
        "resource": {"name": "memory", "target": {"type": "Utilization", "averageUtilization": 50}},
    }
    pods = [using("a"), using("b")]
    down, up = (Api(2, pod_metrics(a=cpu, b=cpu)) for cpu in ("1m", "100m"))
    steps, _ = look(an_hpa([CPU, memory]), down, pods)
    assert down.replicas == 2 and said(steps)[-1][0] == "FailedComputeMetricsReplicas"
    look(an_hpa([CPU, memory]), up, pods)
    assert up.replicas == 4


def test_a_target_that_is_not_there_or_of_no_kind_or_without_a_scale():
    path = "/apis/apps/v1/namespaces/default/deployments/web/scale"
    gone = ApiError(404, "NotFound", 'deployments.apps "web" not found')
    steps, _ = look(an_hpa(), Api(1, extra={path: Answer(error=gone)}))
    assert said(steps) == [("FailedGetScale", gone.message)]
    assert written(steps)[1] == {"AbleToScale": ("False", "FailedGetScale")}
    steps, _ = look(an_hpa(scaleTargetRef={**WEB, "kind": "Deploymnt"}), Api(1))
    assert said(steps) == [("FailedGetScale", 'no matches for kind "Deploymnt" in group "apps"')]


def test_two_autoscalers_over_the_same_pods_both_give_up():
    other = an_hpa(name="web2"), Memory(selector="app in (web)")
    steps, _ = look(an_hpa(), Api(1, pod_metrics(a="1m")), [using("a")], others=[other])
    why = "pods by selector app=web are controlled by more than one HPA (e.g. [default/web default/web2])"
    assert said(steps) == [("AmbiguousSelector", why), ("FailedComputeMetricsReplicas", why)]
    assert written(steps)[1]["ScalingActive"] == ("False", "AmbiguousSelector")
    elsewhere = an_hpa(name="web2"), Memory(selector="app=other")
    assert said(look(an_hpa(), Api(1, pod_metrics(a="50m")), [using("a")], others=[elsewhere])[0]) == []


def test_a_scale_that_somebody_changed_meanwhile_is_written_again():
    api = Api(1, pod_metrics(a="100m"), refuses=2)
    steps, _ = look(an_hpa(), api, [using("a")])
    assert api.replicas == 2 and [verb for verb, _ in api.asked].count("PUT") == 3
    api = Api(1, pod_metrics(a="100m"), refuses=9)
    steps, _ = look(an_hpa(), api, [using("a")])
    assert said(steps)[0][0] == "FailedRescale" and written(steps)[1]["AbleToScale"] == ("False", "FailedUpdateScale")


def test_a_containers_own_use_counts_alone():
    mine = {"name": "cpu", "container": "c", "target": {"type": "Utilization", "averageUtilization": 50}}
    api = Api(2, pod_metrics(a="100m", b="100m"))
    steps, _ = look(an_hpa([{"type": "ContainerResource", "containerResource": mine}]), api, [using("a"), using("b")])
    seen = written(steps)[0]["currentMetrics"][0]
    assert api.replicas == 4 and seen["containerResource"]["container"] == "c"
    other = {**mine, "container": "x"}
    steps, _ = look(an_hpa([{"type": "ContainerResource", "containerResource": other}]), api, [using("a")])
    assert said(steps)[0][0] == "FailedGetContainerResourceMetric"


OBJECT = {
    "describedObject": {"apiVersion": "v1", "kind": "Service", "name": "front"},
    "metric": {"name": "hits"},
    "target": {"type": "Value", "value": "100"},
}
PODS = {"metric": {"name": "hits"}, "target": {"type": "AverageValue", "averageValue": "10"}}
CUSTOM = "/apis/custom.metrics.k8s.io"


def custom(path, *items):
    group = freeze({"preferredVersion": {"groupVersion": "custom.metrics.k8s.io/v1beta2"}})
    return {CUSTOM: Answer(group), f"{CUSTOM}/v1beta2/namespaces/default/{path}": Answer(freeze({"items": items}))}


def test_what_pods_and_objects_tell_comes_from_the_custom_metrics_api():
    item = {"describedObject": {"name": "a"}, "timestamp": timestamp(NOW), "value": "20"}
    api = Api(1, extra=custom("pods/*/hits", item))
    steps, _ = look(an_hpa([{"type": "Pods", "pods": PODS}]), api, [using("a")])
    assert api.replicas == 2 and "pods metric hits above target" in said(steps)[0][1]
    api = Api(2, extra=custom("services/front/hits", {"value": "300"}))
    steps, _ = look(an_hpa([{"type": "Object", "object": OBJECT}]), api, [using("a"), using("b")])
    assert api.replicas == 4 and "Service metric hits above target" in said(steps)[0][1]
    shared = {**OBJECT, "target": {"type": "AverageValue", "averageValue": "100"}}
    api = Api(2, extra=custom("services/front/hits", {"value": "300"}))
    look(an_hpa([{"type": "Object", "object": shared}]), api, [using("a"), using("b")])
    assert api.replicas == 3


@pytest.mark.parametrize(
    ("metric", "reason", "why"),
    [
        (
            {"type": "Pods", "pods": PODS},
            "FailedGetPodsMetric",
            "unable to get metric hits: unable to fetch metrics from custom metrics API: no custom metrics API "
            "(custom.metrics.k8s.io) registered",
        ),
        (
            {"type": "Object", "object": OBJECT},
            "FailedGetObjectMetric",
            "unable to get metric hits on Service default/front: unable to fetch metrics from custom metrics API: no "
            "custom metrics API (custom.metrics.k8s.io) registered",
        ),
        (
            {"type": "External", "external": {"metric": {"name": "queue"}, "target": {"type": "Value", "value": "1"}}},
            "FailedGetExternalMetric",
            "unable to get external metric default/queue/nil: unable to fetch metrics from external metrics API: the "
            "server could not find the requested resource (get queue.external.metrics.k8s.io)",
        ),
    ],
)
def test_where_nobody_serves_such_metrics_it_is_said_in_the_real_words(metric, reason, why):
    steps, _ = look(an_hpa([metric]), Api(1), [using("a")])
    assert said(steps)[0] == (reason, why) and said(steps)[1][1].endswith(why)


def test_a_tolerance_of_its_own_holds_where_the_flags_would_not():
    wide = {"tolerance": "500m"}
    up = {
        "stabilizationWindowSeconds": 0,
        "selectPolicy": "Max",
        "policies": [{"type": "Pods", "value": 4, "periodSeconds": 15}],
    }
    api = Api(2, pod_metrics(a="70m", b="70m"))
    look(an_hpa(behavior={"scaleUp": {**up, **wide}, "scaleDown": up}), api, [using("a"), using("b")])
    assert api.replicas == 2
    look(an_hpa(behavior={"scaleUp": up, "scaleDown": up}), api, [using("a"), using("b")])
    assert api.replicas == 3


def test_a_change_of_the_spec_is_looked_at_at_once_and_of_the_status_in_its_turn():
    delay = horizontal.controller(SETTINGS).delay
    new = evolve_many(an_hpa(), (("metadata", "generation"), 2))
    assert delay(None, new, 0) == 0 and delay(an_hpa(), new, 0) == 0
    assert delay(an_hpa(), evolve(an_hpa(), ("status", "desiredReplicas"), 3), 0) == 15 * SECOND


def test_in_a_cluster_a_load_brings_pods_and_metrics_that_fail_bring_none():
    cluster = Cluster.single(workers=1, params=changed(Params(), {"all_controllers": True}))
    metrics = cluster.use_metrics_server()
    container = {"name": "c", "image": "app:1", "resources": {"requests": {"cpu": "100m"}}}
    meta = {"labels": {"app": "web"}}
    spec = {
        "replicas": 1,
        "selector": {"matchLabels": meta["labels"]},
        "template": {"metadata": meta, "spec": {"containers": [container]}},
    }
    web = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec}
    hpa = an_hpa()
    cluster.user.apply([freeze(web), evolve_many(hpa, (("metadata",), {"name": "web"}), (("status",), {}))])
    metrics.usage = {"*": {"c": {"cpu": "20m"}}}
    cluster.run("60s")
    stored = cluster.components["apiserver-1"].core.cache(AUTOSCALER)
    seen = stored.get("default", "web")["status"]["currentMetrics"][0]["resource"]["current"]
    assert seen == {"averageUtilization": 20, "averageValue": "20m"}
    metrics.usage = {"*": {"c": {"cpu": "90m"}}}
    cluster.run("16s")
    assert stored.get("default", "web")["status"]["desiredReplicas"] == 2
    metrics.crash()
    cluster.run("16s")
    (active,) = [one for one in stored.get("default", "web")["status"]["conditions"] if one["type"] == "ScalingActive"]
    assert "the server is currently unable to handle the request (get pods.metrics.k8s.io)" in active["message"]
