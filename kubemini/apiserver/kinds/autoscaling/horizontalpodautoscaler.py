"""HorizontalPodAutoscalers: as many pods as the load asks for.

Models k/k pkg/registry/autoscaling/horizontalpodautoscaler strategy; defaults: k/k pkg/apis/autoscaling/v2
SetDefaults_HorizontalPodAutoscaler, GenerateHPAScaleUpRules, GenerateHPAScaleDownRules;
columns: k/k pkg/printers/internalversion printHorizontalPodAutoscaler, formatHPAMetrics.
"""

from collections.abc import Sequence
from typing import Any

from kubemini.api import kinds
from kubemini.api.objects import Obj, get
from kubemini.apiserver.columns import AGE, NAME, NONE, UNKNOWN, UNSET, Column, at, word_at
from kubemini.apiserver.rules.causes import Wrong, not_negative
from kubemini.apiserver.rules.filling import filled
from kubemini.apiserver.rules.workloads import scaling
from kubemini.apiserver.served import ServedKind, serve

CPU = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}}
ALL = {"type": "Percent", "value": 100, "periodSeconds": 15}
SOME = {"type": "Pods", "value": 4, "periodSeconds": 15}
UP = {"stabilizationWindowSeconds": 0, "selectPolicy": "Max", "policies": [SOME, ALL]}
DOWN = {"selectPolicy": "Max", "policies": [ALL]}
SHOWN = 2  # metrics in a column


def defaults(obj: Obj) -> Obj:
    """*obj* with every default: without metrics, 80 % of the cpu."""
    spec: dict[str, Any] = filled(obj.get("spec"), minReplicas=1)
    if not spec.get("metrics"):
        spec["metrics"] = [CPU]
    behavior = spec.get("behavior")
    if behavior is not None:
        ways = {
            "scaleUp": {**UP, **_given(behavior, "scaleUp")},
            "scaleDown": {**DOWN, **_given(behavior, "scaleDown")},
        }
        spec["behavior"] = {**behavior, **ways}
    return {**obj, "spec": spec}


def _given(behavior: Obj, way: str) -> dict[str, Any]:
    return {key: value for key, value in (behavior.get(way) or {}).items() if value is not None}


def rules(obj: Obj) -> Wrong:
    """Every complaint."""
    yield from scaling.autoscaler(obj.get("spec") or {}, "spec")


def declared(new: Obj, old: Obj | None) -> Wrong:
    """What the generated rules say."""
    yield from scaling.bounds(new.get("spec") or {}, "spec")


def status_rules(new: Obj, old: Obj) -> Wrong:
    """Models k/k pkg/apis/autoscaling/validation ValidateHorizontalPodAutoscalerStatusUpdate"""
    status = new.get("status") or {}
    for number, condition in enumerate(status.get("conditions") or ()):
        yield from not_negative(condition, f"status.conditions[{number}]", "observedGeneration")
    yield from not_negative(status, "status", "currentReplicas", "desiredReplicas")


# -- columns -------------------------------------------------------------------------------------------


def _reference(obj: Obj, now: int) -> str:
    ref = get(obj, "spec", "scaleTargetRef") or {}
    return f"{ref.get('kind', '')}/{ref.get('name', '')}"


def _targets(obj: Obj, now: int) -> str:
    metrics, seen = get(obj, "spec", "metrics") or (), get(obj, "status", "currentMetrics") or ()
    texts = [_target(metric, seen[number : number + 1]) for number, metric in enumerate(metrics)]
    more = f" + {len(texts) - SHOWN} more..." if len(texts) > SHOWN else ""
    return ", ".join(texts[:SHOWN]) + more if texts else NONE


def _target(metric: Obj, seen: Sequence[Obj]) -> str:
    """``cpu: 12%/80%``: what is, and what should be."""
    field = scaling.FIELDS.get(metric.get("type", ""), "")
    if not field:
        return "<unknown type>"
    wanted, current = get(metric, field, "target") or {}, get(seen, 0, field, "current") or {}
    name = f"{metric[field]['name']}: " if field in ("resource", "containerResource") else ""
    if wanted.get("averageValue") is not None:
        average = " (avg)" if field in ("external", "object") else ""
        return f"{name}{current.get('averageValue', UNKNOWN)}/{wanted['averageValue']}{average}"
    if not name:
        return f"{current.get('value', UNKNOWN)}/{wanted.get('value', '0')}"
    share, goal = current.get("averageUtilization"), wanted.get("averageUtilization")
    is_now = UNKNOWN if share is None else f"{share}%"
    return f"{name}{is_now}/{'<auto>' if goal is None else f'{goal}%'}"


COLUMNS = (
    NAME,
    Column("Reference", _reference),
    Column("Targets", _targets),
    Column("MinPods", word_at("spec", "minReplicas", default=UNSET)),
    Column("MaxPods", at("spec", "maxReplicas", default=0)),
    Column("Replicas", at("status", "currentReplicas", default=0)),
    AGE,
)
serve(
    ServedKind(
        kinds.KNOWN["autoscaling/v2", "HorizontalPodAutoscaler"],
        subresources=("status",),
        counted=True,
        defaults=defaults,
        rules=rules,
        declared=declared,
        status_rules=status_rules,
        first_status=lambda obj: {"desiredReplicas": 0, "currentMetrics": None},
        columns=COLUMNS,
        said=False,
        not_simulated=("few:spec",),
    )
)
