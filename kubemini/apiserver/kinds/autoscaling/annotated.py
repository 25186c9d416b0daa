"""What autoscaling/v1 has no fields for, as JSON in annotations: metrics, what they are, behavior, conditions.

    old_metric({"type": "Resource", "resource": {"name": "memory", "target": {"averageValue": "1Gi", ...}}}, "target")
        {"type": "Resource", "resource": {"name": "memory", "targetAverageValue": "1Gi"}}

Models k/k pkg/apis/autoscaling/v1 Convert_autoscaling_MetricSpec_To_v1_MetricSpec,
Convert_v1_MetricSpec_To_autoscaling_MetricSpec; k/k pkg/apis/autoscaling
DropRoundTripHorizontalPodAutoscalerAnnotations.
"""

import json
from collections.abc import Mapping
from typing import Any

from kubemini.api.objects import Obj, get
from kubemini.apiserver.rules.causes import FOR_PAGES

PREFIX = "autoscaling.alpha.kubernetes.io/"
METRICS, CURRENT, CONDITIONS, BEHAVIOR = (
    f"{PREFIX}{word}" for word in ("metrics", "current-metrics", "conditions", "behavior")
)
ALL = (METRICS, CURRENT, CONDITIONS, BEHAVIOR, f"{PREFIX}scale-down-tolerance", f"{PREFIX}scale-up-tolerance")
CONDITION = ("type", "status", "lastTransitionTime", "reason", "message", "observedGeneration")
RULES = ("StabilizationWindowSeconds", "SelectPolicy", "Policies", "Tolerance")
POLICY = ("Type", "Value", "PeriodSeconds")
VALUE, AVERAGE, SHARE = "value", "averageValue", "averageUtilization"
Fields = tuple[tuple[str, tuple[str, ...]], ...]  # a field in v1, and where it is in v2


def _fields(word: str) -> dict[str, Fields]:
    """Field of a metric → its fields; *word*: ``target`` of a spec, ``current`` of a status."""
    share, average, value = (f"{word}{kind}" for kind in ("AverageUtilization", "AverageValue", "Value"))
    whole: Fields = (("name", ("name",)), (share, (word, SHARE)), (average, (word, AVERAGE)))
    name, selector = ("metricName", ("metric", "name")), ("selector", ("metric", "selector"))
    of_value, of_average = (value, (word, VALUE)), (average, (word, AVERAGE))
    return {
        "object": (
            *(("target", ("describedObject",)), name, of_value, selector),
            ("averageValue", (word, AVERAGE)),
        ),
        "pods": (name, of_average, selector),
        "resource": whole,
        "containerResource": (*whole, ("container", ("container",))),
        "external": (name, ("metricSelector", ("metric", "selector")), of_value, of_average),
    }


FIELDS = {word: _fields(word) for word in ("target", "current")}
ALWAYS = {  # amounts that v1 writes even if there are none
    "target": {("object", VALUE), ("pods", AVERAGE)},
    "current": {
        *(("object", VALUE), ("external", VALUE)),
        *((field, AVERAGE) for field in ("pods", "resource", "containerResource")),
    },
}


def old_metric(metric: Obj, word: str) -> dict[str, Any]:
    """A metric of v2 in the form of v1."""
    found: dict[str, Any] = {"type": metric.get("type", "")}
    for field, fields in FIELDS[word].items():
        if metric.get(field) is None:
            continue
        found[field] = {}
        for name, way in fields:
            value = get(metric[field], *way)
            if value is None and (field, way[-1]) in ALWAYS[word] and name != "averageValue":
                value = "0"
            if value is not None:
                found[field][name] = value
    return found


def new_metric(metric: Obj, word: str) -> dict[str, Any]:
    """A metric of v1 in the form of v2."""
    found: dict[str, Any] = {"type": metric.get("type", "")}
    for field, fields in FIELDS[word].items():
        if not isinstance(metric.get(field), Mapping):
            continue
        source: dict[str, Any] = {}
        for name, (first, *last) in fields:
            value = metric[field].get(name)
            if value is not None and last:
                source.setdefault(first, {})[last[0]] = value
            elif value is not None:
                source[first] = value
        if word == "target":
            source["target"] = _typed(field, source.get("target") or {})
        found[field] = source
    return found


def _typed(field: str, target: dict[str, Any]) -> dict[str, Any]:
    if field == "object" and AVERAGE in target and str(target.get(VALUE)) == "0":
        del target[VALUE]
    if field in ("resource", "containerResource"):
        return {"type": "Utilization" if SHARE in target else "AverageValue", **target}
    by_value = AVERAGE not in target if field == "object" else field == "external" and VALUE in target
    return {"type": "Value" if by_value else "AverageValue", **target}


# -- behavior, conditions ----------------------------------------------------------------------------


def old_behavior(behavior: Obj) -> dict[str, Any]:
    """As Kubernetes writes it: its own struct."""
    return {word: _rules(behavior.get(_lower(word))) for word in ("ScaleUp", "ScaleDown")}


def _rules(rules: Obj | None) -> dict[str, Any] | None:
    if rules is None:
        return None
    found = {word: rules.get(_lower(word)) for word in RULES}
    policies = rules.get("policies")
    found["Policies"] = policies and [{word: one.get(_lower(word)) for word in POLICY} for one in policies]
    return found


def new_behavior(said: Any) -> Any:
    """What an annotation says, in the form of v2."""
    if isinstance(said, Mapping):
        return {_lower(key): new_behavior(value) for key, value in said.items() if value is not None}
    return [new_behavior(one) for one in said] if isinstance(said, list) else said


def _lower(word: str) -> str:
    return word[:1].lower() + word[1:]


def old_condition(condition: Obj) -> dict[str, Any]:
    """A condition, in Go's order."""
    return {word: condition[word] for word in CONDITION if condition.get(word) not in (None, "")}


def text(value: Any) -> str:
    """JSON as Go writes it, in the order that it has."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).translate(FOR_PAGES)


def read(annotations: Obj, key: str) -> Any:
    """What *key* says; None: nothing, or nothing that can be read."""
    try:
        return json.loads(annotations[key]) if key in annotations else None
    except ValueError:
        return None
