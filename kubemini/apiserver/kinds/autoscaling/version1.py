"""HorizontalPodAutoscalers as autoscaling/v1 has them: the cpu in a field, all else in annotations.

Models k/k pkg/apis/autoscaling/v1 Convert_autoscaling_HorizontalPodAutoscaler_To_v1_HorizontalPodAutoscaler,
Convert_v1_HorizontalPodAutoscaler_To_autoscaling_HorizontalPodAutoscaler, SetDefaults_HorizontalPodAutoscaler.
"""

from dataclasses import replace
from typing import Any

from kubemini.api import kinds
from kubemini.api.objects import Obj, get, thaw
from kubemini.apiserver.columns import Column
from kubemini.apiserver.kinds.autoscaling import annotated
from kubemini.apiserver.kinds.autoscaling import horizontalpodautoscaler as version2
from kubemini.apiserver.rules.causes import Wrong
from kubemini.apiserver.served import ServedKind, serve

STORED = kinds.KNOWN["autoscaling/v2", "HorizontalPodAutoscaler"]
VERSION = "autoscaling/v1"
SAME = ("scaleTargetRef", "minReplicas", "maxReplicas")
SAME_STATUS = ("observedGeneration", "lastScaleTime", "currentReplicas", "desiredReplicas")
Part = dict[str, Any]


def _with(obj: Obj, annotations: Part) -> Part:
    meta = {key: value for key, value in obj["metadata"].items() if key != "annotations"}
    return {**meta, "annotations": annotations} if annotations else meta


def _others(obj: Obj) -> Part:
    said = get(obj, "metadata", "annotations") or {}
    return {key: value for key, value in said.items() if key not in annotated.ALL}


def _is_cpu(metric: Obj) -> bool:
    return metric.get("type") == "Resource" and get(metric, "resource", "name") == "cpu"


def _share(metric: Obj, word: str) -> Any:
    return get(metric, "resource", word, "averageUtilization") if _is_cpu(metric) else None


def _kept(said: Obj, names: tuple[str, ...]) -> Part:
    return {name: said[name] for name in names if said.get(name) is not None}


def from_store(stored: Obj) -> Obj:
    """*stored*, which is of v2, in the form of v1."""
    obj = thaw(stored)
    spec, status, more = obj.get("spec") or {}, obj.get("status") or {}, _others(obj)
    metrics, current = spec.get("metrics") or [], status.get("currentMetrics") or []
    others = [annotated.old_metric(one, "target") for one in metrics if _share(one, "target") is None]
    if others:
        more[annotated.METRICS] = annotated.text(others)
    if current:
        more[annotated.CURRENT] = annotated.text([annotated.old_metric(one, "current") for one in current])
    if spec.get("behavior") is not None:
        more[annotated.BEHAVIOR] = annotated.text(annotated.old_behavior(spec["behavior"]))
    if status.get("conditions"):
        more[annotated.CONDITIONS] = annotated.text([annotated.old_condition(one) for one in status["conditions"]])
    new_spec, new_status = _kept(spec, SAME), {"currentReplicas": 0, **_kept(status, SAME_STATUS)}
    shares = [share for one in metrics if (share := _share(one, "target")) is not None]
    now = [share for one in current if (share := _share(one, "current")) is not None]
    new_spec |= {"targetCPUUtilizationPercentage": shares[0]} if shares else {}
    new_status |= {"currentCPUUtilizationPercentage": now[-1]} if now else {}
    return {**obj, "apiVersion": VERSION, "metadata": _with(obj, more), "spec": new_spec, "status": new_status}


def _cpu(word: str, more: Part) -> Part:
    return {"type": "Resource", "resource": {"name": "cpu", word: more}}


def to_store(given: Obj) -> Obj:
    """*given*, which is of v1, in the form of v2."""
    obj = thaw(given)
    spec, status, said = obj.get("spec") or {}, obj.get("status") or {}, get(obj, "metadata", "annotations") or {}
    new_spec = _kept(spec, SAME)
    share = spec.get("targetCPUUtilizationPercentage")
    metrics = [annotated.new_metric(one, "target") for one in annotated.read(said, annotated.METRICS) or ()]
    if share is not None:
        metrics.append(_cpu("target", {"type": "Utilization", "averageUtilization": share}))
    new_spec["metrics"] = metrics or [version2.CPU]
    behavior = annotated.new_behavior(annotated.read(said, annotated.BEHAVIOR) or {})
    new_spec |= {"behavior": behavior} if behavior else {}
    found = {**obj, "apiVersion": STORED.api_version, "metadata": _with(obj, _others(obj)), "spec": new_spec}
    return {**found, "status": _status(status, said)}


def _status(status: Obj, said: Obj) -> Part:
    found = {"desiredReplicas": 0, "currentMetrics": None, **_kept(status, SAME_STATUS)}
    if not found.get("currentReplicas"):
        found.pop("currentReplicas", None)
    now, current = status.get("currentCPUUtilizationPercentage"), annotated.read(said, annotated.CURRENT)
    if current is not None:
        found["currentMetrics"] = [annotated.new_metric(one, "current") for one in current]
    elif now is not None:
        found["currentMetrics"] = [_cpu("current", {"averageUtilization": now})]
    conditions = annotated.read(said, annotated.CONDITIONS)
    return found | ({"conditions": conditions} if conditions else {})


def defaults(obj: Obj) -> Obj:
    """*obj* as it comes back from the form that is stored."""
    return from_store(version2.defaults(to_store(obj)))


def settle_status(new: Obj, old: Obj, now: int) -> Obj:
    """A status as it comes back from the form that is stored."""
    return from_store(to_store(new))


def rules(obj: Obj) -> Wrong:
    """Every complaint."""
    yield from version2.rules(to_store(obj))


def declared(new: Obj, old: Obj | None) -> Wrong:
    """What the generated rules say."""
    yield from version2.declared(to_store(new), None if old is None else to_store(old))


def status_rules(new: Obj, old: Obj) -> Wrong:
    """Every complaint about a status."""
    yield from version2.status_rules(to_store(new), to_store(old))


def _of_version2(column: Column) -> Column:
    return replace(column, cell=lambda obj, now: column.cell(to_store(obj), now))


serve(
    ServedKind(
        kinds.KNOWN[VERSION, "HorizontalPodAutoscaler"],
        subresources=("status",),
        counted=True,
        counts=lambda obj: to_store(obj)["spec"],
        defaults=defaults,
        rules=rules,
        declared=declared,
        status_rules=status_rules,
        settle_status=settle_status,
        first_status=lambda obj: {"currentReplicas": 0, "desiredReplicas": 0},
        stored_as=STORED,
        to_store=to_store,
        from_store=from_store,
        columns=tuple(_of_version2(column) for column in version2.COLUMNS),
        said=False,
        not_simulated=("few:spec",),
    )
)
