"""What each metric of a HorizontalPodAutoscaler proposes: ask who measures, count, and say what was found. Pure.

Resources come from metrics.k8s.io, what pods and other objects tell of themselves from custom.metrics.k8s.io, all else
from external.metrics.k8s.io; each is an API that somebody serves behind the API server, or nobody.
Models k/k pkg/controller/podautoscaler HorizontalController.computeReplicasForMetric,
HorizontalController.computeStatusForResourceMetricGeneric; k/k pkg/controller/podautoscaler/metrics restMetricsClient,
getPodMetrics, getContainerMetrics
"""

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

from kubemini.api import gotime, labels, quantity
from kubemini.api.errors import ApiError
from kubemini.api.kinds import by_gvk
from kubemini.api.objects import Obj, get
from kubemini.api.timestamps import instant
from kubemini.controllers.decide.autoscaling import replicas
from kubemini.controllers.decide.autoscaling.replicas import (
    Measured,
    Metrics,
    Patience,
    Resource,
    Tolerances,
    Uncountable,
)
from kubemini.controllers.decide.dialogue import Answer, Ask, Step, words
from kubemini.sim.units import MINUTE, SECOND

RESOURCE_METRICS, CUSTOM, EXTERNAL = "metrics.k8s.io", "custom.metrics.k8s.io", "external.metrics.k8s.io"
WINDOW = MINUTE  # metricServerDefaultMetricWindow
NO_TARGET = {
    "Resource": "neither an average utilization target nor an average value (usage) target was set",
    "other": "neither a value target nor an average value target was set",
}
REASONS = {
    "Resource": "FailedGetResourceMetric",
    "ContainerResource": "FailedGetContainerResourceMetric",
    "Pods": "FailedGetPodsMetric",
    "Object": "FailedGetObjectMetric",
    "External": "FailedGetExternalMetric",
}


@dataclass(frozen=True, slots=True)
class Scene:
    """What all metrics of one look have in common: the pods, how many are wanted and how many there are."""

    namespace: str
    selector: str
    pods: list[Obj]
    specified: int
    running: int
    tolerances: Tolerances
    patience: Patience
    now: int


class Proposal(NamedTuple):
    """How many pods; by what, in the words of a condition; and what currentMetrics says."""

    replicas: int
    name: str
    status: Obj


class Failure(Exception):
    """A metric that says nothing: the *reason* and words of its Event, and how the whole pass puts it."""

    def __init__(self, reason: str, why: str, whole: str):
        super().__init__(whole)
        self.reason, self.why, self.whole = reason, why, whole


class Prefixed(Uncountable):
    """One that the whole pass puts with a *prefix* more than its condition and Event do."""

    def __init__(self, prefix: str, why: Uncountable):
        super().__init__(f"{prefix}: {why}")
        self.told = str(why)


Proposing = Generator[Step, Answer, Proposal]


def proposed(metric: Obj, scene: Scene) -> Proposing:
    """What one metric proposes. Raises Failure."""
    kind = metric["type"]
    ways = {"Pods": _of_pods, "Object": _of_object, "External": _external}
    try:
        if kind in ("Resource", "ContainerResource"):
            return (yield from _of_resource(metric, scene))
        return (yield from ways[kind](metric, scene))
    except Uncountable as why:
        told = why.told if isinstance(why, Prefixed) else str(why)
        raise Failure(REASONS[kind], told, f"{_failing(metric)}: {why}") from why


def _failing(metric: Obj) -> str:
    """How a pass calls a metric that it could not get."""
    match metric["type"]:
        case "Resource":
            return f"failed to get {metric['resource']['name']} resource metric value"
        case "ContainerResource":
            return f"failed to get {metric['containerResource']['container']} container metric value"
        case "Pods":
            return "failed to get pods metric value"
        case "Object":
            return "failed to get object metric value"
    return f"failed to get {metric['external']['metric']['name']} external metric value"


def _saying(prefix: str, why: Uncountable) -> Uncountable:
    return Uncountable(f"{prefix}: {why}")


# -- resources -------------------------------------------------------------------------------------------------------
def _of_resource(metric: Obj, scene: Scene) -> Proposing:
    """cpu or memory, of whole pods or of one container of each."""
    kind = metric["type"]
    said = metric["resource" if kind == "Resource" else "containerResource"]
    name, target, container = said["name"], said["target"], said.get("container", "")
    how = Resource(name, container, scene.now, scene.patience)
    average, utilization = target.get("averageValue"), target.get("averageUtilization")
    if average is None and utilization is None:
        raise Uncountable(f"invalid resource metric source: {NO_TARGET['Resource']}")
    label = f"{name} resource"
    current: dict[str, Any] = {}
    try:
        found = yield from _resource_metrics(name, container, scene)
        if average is not None:
            goal = quantity.parse(str(average)).millis
            wanted = replicas.by_value(scene.pods, found, scene.specified, goal, how, scene.tolerances)
        else:
            wanted = replicas.by_utilization(scene.pods, found, scene.specified, utilization, how, scene.tolerances)
            of = "resource" if kind == "Resource" else "container resource"
            label = f"{name} {of} utilization (percentage of request)"
            current["averageUtilization"] = wanted.utilization
    except Uncountable as why:
        raise _saying(f"failed to get {name} {'usage' if average is not None else 'utilization'}", why) from why
    current = {**current, "averageValue": _shown(wanted.usage, "BinarySI" if name == "memory" else "DecimalSI")}
    who = {"name": name, "current": current} | ({"container": container} if container else {})
    return Proposal(wanted.replicas, label, {"type": kind, kind[:1].lower() + kind[1:]: who})


def _resource_metrics(name: str, container: str, scene: Scene) -> Generator[Step, Answer, Metrics]:
    """What metrics.k8s.io says of the pods. Raises Uncountable."""
    path = f"/apis/{RESOURCE_METRICS}/v1beta1/namespaces/{scene.namespace}/pods"
    answer = yield Ask(path, {"labelSelector": scene.selector})
    prefix = f"unable to get metrics for resource {name}"
    if answer.obj is None:
        told = told_by_client(answer.error, f"pods.{RESOURCE_METRICS}")
        raise Uncountable(f"{prefix}: unable to fetch metrics from resource metrics API: {told}")
    if not answer.obj.get("items"):
        raise Uncountable(f"{prefix}: no metrics returned from resource metrics API")
    return dict(_measured(answer.obj["items"], name, container))


def _measured(items: list[Obj], name: str, container: str) -> Iterator[tuple[str, Measured]]:
    """Pod by pod what it used; one of whose containers nothing is known is left out."""
    for item in items:
        counted = [one for one in item.get("containers") or () if container in ("", one["name"])]
        amounts = [get(one, "usage", name) for one in counted]
        if amounts and None not in amounts:
            total = sum(quantity.parse(str(amount)).millis for amount in amounts)
            window = gotime.duration(item.get("window") or "0s")
            yield item["metadata"]["name"], Measured(total, instant(item["timestamp"]), window)


def told_by_client(error: Any, resource: str) -> str:
    """An error of a GET as client-go says it. Models k/apimachinery pkg/api/errors NewGenericServerResponse"""
    if isinstance(error, ApiError) and error.plain:
        told = {
            404: "the server could not find the requested resource",
            503: "the server is currently unable to handle the request",
        }.get(error.code, f"the server responded with the status code {error.code} but did not return more information")
        return f"{told} (get {resource})"
    return words(error)


# -- what pods and objects tell, and all else ------------------------------------------------------------------------
def _of_pods(metric: Obj, scene: Scene) -> Proposing:
    """A metric that each pod has."""
    said = metric["pods"]
    name, target = said["metric"]["name"], quantity.parse(str(said["target"]["averageValue"])).millis
    try:
        items = yield from _custom(f"namespaces/{scene.namespace}/pods/*/{name}", said["metric"], scene.selector)
        if not items:
            raise Uncountable("no metrics returned from custom metrics API")
    except Uncountable as why:
        raise _saying(f"unable to get metric {name}", why) from why
    found = {item["describedObject"]["name"]: _custom_value(item) for item in items}
    how = Resource("", "", scene.now, scene.patience)
    wanted = replicas.by_value(scene.pods, found, scene.specified, target, how, scene.tolerances)
    status = {"metric": said["metric"], "current": {"averageValue": _shown(wanted.usage)}}
    return Proposal(wanted.replicas, f"pods metric {name}", {"type": "Pods", "pods": status})


def _of_object(metric: Obj, scene: Scene) -> Proposing:
    """A metric of one other object."""
    said, target = metric["object"], metric["object"]["target"]
    name, described = said["metric"]["name"], said["describedObject"]
    usage = yield from _object_usage(said, scene)
    status = {"describedObject": described, "metric": said["metric"]}
    if target.get("value") is not None:
        ratio = usage / quantity.parse(str(target["value"])).millis
        wanted = replicas.by_ratio(scene.pods, scene.specified, ratio, scene.tolerances)
        status["current"] = {"value": _shown(usage)}
        return Proposal(wanted, f"{described['kind']} metric {name}", {"type": "Object", "object": status})
    goal = quantity.parse(str(target["averageValue"])).millis
    shared = replicas.by_share(usage, goal, scene.running, scene.tolerances)
    status["current"] = {"averageValue": _shown(shared.usage)}
    return Proposal(shared.replicas, _external_name(said["metric"]), {"type": "Object", "object": status})


def _object_usage(said: Obj, scene: Scene) -> Generator[Step, Answer, int]:
    described, name = said["describedObject"], said["metric"]["name"]
    who = f"{described['kind']} {scene.namespace}/{described['name']}"
    try:
        kind = by_gvk(described.get("apiVersion", "v1"), described["kind"])
        if kind is None:
            raise Uncountable(f"unable to map kind {described['kind']} to resource")
        where = f"namespaces/{scene.namespace}/{kind.resource}/{described['name']}/{name}"
        items = yield from _custom(where, said["metric"])
        if len(items) != 1:
            count = len(items)
            raise Uncountable(f"the custom metrics API server returned {count} results when we asked for exactly one")
    except Uncountable as why:
        told = Uncountable(f"unable to get metric {name} on {who}: {_fetching(why)}")
        shares = said["target"].get("value") is None
        raise Prefixed(f"failed to get {name} object metric", told) if shares else told from why
    return quantity.parse(str(items[0]["value"])).millis


def _fetching(why: Uncountable) -> str:
    prefix = "unable to fetch metrics from custom metrics API"
    return str(why) if str(why).startswith(prefix) else f"{prefix}: {why}"


def _custom(where: str, metric: Obj, selector: str = "") -> Generator[Step, Answer, list[Obj]]:
    """What custom.metrics.k8s.io says, in the version that it prefers. Raises Uncountable."""
    group = yield Ask(f"/apis/{CUSTOM}")
    prefix = "unable to fetch metrics from custom metrics API"
    if group.obj is None:
        raise Uncountable(f"{prefix}: no custom metrics API ({CUSTOM}) registered")
    query = {"metricLabelSelector": str(_selector(metric))} | ({"labelSelector": selector} if selector else {})
    answer = yield Ask(f"/apis/{group.obj['preferredVersion']['groupVersion']}/{where}", query)
    if answer.obj is None:
        raise Uncountable(f"{prefix}: {told_by_client(answer.error, where)}")
    return list(answer.obj.get("items") or ())


def _custom_value(item: Obj) -> Measured:
    window = item.get("windowSeconds")
    length = WINDOW if window is None else window * SECOND
    return Measured(quantity.parse(str(item["value"])).millis, instant(item["timestamp"]), length)


def _external(metric: Obj, scene: Scene) -> Proposing:
    """A metric of something outside."""
    said, target = metric["external"], metric["external"]["target"]
    name, shares = said["metric"]["name"], metric["external"]["target"].get("averageValue") is not None
    try:
        usage = yield from _external_usage(said["metric"], scene)
        if shares:
            goal = quantity.parse(str(target["averageValue"])).millis
            wanted = replicas.by_share(usage, goal, scene.running, scene.tolerances)
            current = {"averageValue": _shown(wanted.usage)}
        else:
            ratio = usage / quantity.parse(str(target["value"])).millis
            wanted = replicas.Wanted(replicas.by_ratio(scene.pods, scene.specified, ratio, scene.tolerances), usage)
            current = {"value": _shown(usage)}
    except Uncountable as why:
        which = f"{name} external metric" if shares else f"external metric {name}"
        raise Prefixed(f"failed to get {which}", why) from why
    status = {"metric": said["metric"], "current": current}
    return Proposal(wanted.replicas, _external_name(said["metric"]), {"type": "External", "external": status})


def _external_usage(metric: Obj, scene: Scene) -> Generator[Step, Answer, int]:
    name, prefix = metric["name"], "unable to fetch metrics from external metrics API"
    where = f"unable to get external metric {scene.namespace}/{name}/{_shown_selector(metric)}"
    path = f"/apis/{EXTERNAL}/v1beta1/namespaces/{scene.namespace}/{name}"
    answer = yield Ask(path, {"labelSelector": str(_selector(metric))})
    if answer.obj is None:
        raise Uncountable(f"{where}: {prefix}: {told_by_client(answer.error, f'{name}.{EXTERNAL}')}")
    if not answer.obj.get("items"):
        raise Uncountable(f"{where}: no metrics returned from external metrics API")
    return sum(quantity.parse(str(item["value"])).millis for item in answer.obj["items"])


def _selector(metric: Obj) -> labels.Selector:
    said = metric.get("selector")
    return labels.Selector() if said is None else labels.from_object(said)


def _shown_selector(metric: Obj) -> str:
    said = metric.get("selector")
    return "nil" if said is None else labels.as_go_prints(said)


def _external_name(metric: Obj) -> str:
    return f"external metric {metric['name']}({_shown_selector(metric)})"


def _shown(millis: int, form: str = "DecimalSI") -> str:
    """Thousandths as a quantity."""
    return str(quantity.Quantity(Fraction(millis, 1000), form))
