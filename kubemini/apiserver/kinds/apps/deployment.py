"""Deployments.

Models k/k pkg/registry/apps/deployment strategy; k/k pkg/apis/apps/validation ValidateDeployment,
ValidateDeploymentStrategy; defaults: k/k pkg/apis/apps/v1 SetDefaults_Deployment.
"""

from typing import Any

from kubemini.api.kinds import DEPLOYMENT
from kubemini.api.objects import Obj, get
from kubemini.apiserver.columns import AGE, NAME, WIDE, Column, at
from kubemini.apiserver.columns.workloads import picked_by, ratio, wide
from kubemini.apiserver.rules import notsimulated
from kubemini.apiserver.rules.causes import InOrder, Wrong, forbidden, invalid, not_negative, unsupported
from kubemini.apiserver.rules.filling import filled
from kubemini.apiserver.rules.workloads import replicated
from kubemini.apiserver.rules.workloads.rolling import amount, figure, no_more_than_all
from kubemini.apiserver.served import ServedKind, serve


def defaults(obj: Obj) -> Obj:
    """*obj* with every default."""
    spec = filled(obj.get("spec"), replicas=1, revisionHistoryLimit=10, progressDeadlineSeconds=600, strategy={})
    spec["strategy"] = filled(spec["strategy"], type="RollingUpdate")
    if spec["strategy"]["type"] == "RollingUpdate":
        rolling = filled(spec["strategy"].get("rollingUpdate"), maxUnavailable="25%", maxSurge="25%")
        spec["strategy"]["rollingUpdate"] = rolling
    return {**obj, "spec": spec | {"template": replicated.template_defaults(spec.get("template"))}}


def rules(obj: Obj) -> Wrong:
    """Every complaint."""
    spec = obj.get("spec") or {}
    yield from not_negative(spec, "spec", "replicas")
    yield from replicated.selector_and_template(spec)
    yield from _strategy(spec.get("strategy") or {}, "spec.strategy")
    yield from not_negative(spec, "spec", "minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds")
    deadline = spec.get("progressDeadlineSeconds")
    if deadline is not None and deadline <= (spec.get("minReadySeconds") or 0):
        yield invalid("spec.progressDeadlineSeconds", deadline, "must be greater than minReadySeconds")


def _strategy(strategy: Obj, path: str) -> Wrong:
    how, rolling = strategy.get("type"), strategy.get("rollingUpdate")
    if how == "Recreate" and rolling is not None:
        yield forbidden(f"{path}.rollingUpdate", "may not be specified when strategy `type` is 'Recreate'")
    elif how == "RollingUpdate":
        yield from _rolling(rolling or {}, f"{path}.rollingUpdate")
    elif how != "Recreate":
        yield unsupported(path, InOrder(Type=how, RollingUpdate=rolling), ("Recreate", "RollingUpdate"))


def _rolling(rolling: Obj, path: str) -> Wrong:
    """Models k/k pkg/apis/apps/validation ValidateRollingUpdateDeployment"""
    missing, extra = rolling.get("maxUnavailable", 0), rolling.get("maxSurge", 0)
    yield from amount(missing, f"{path}.maxUnavailable")
    yield from amount(extra, f"{path}.maxSurge")
    if figure(missing) == 0 and figure(extra) == 0:
        yield invalid(f"{path}.maxUnavailable", missing, "may not be 0 when `maxSurge` is 0")
    yield from no_more_than_all(missing, f"{path}.maxUnavailable")


def status_rules(new: Obj, old: Obj) -> Wrong:
    """Counts fit together."""
    status = new.get("status") or {}
    fields = ("observedGeneration", "unavailableReplicas", "terminatingReplicas", "collisionCount")
    yield from not_negative(status, "status", *fields)
    yield from replicated.counts(status, "updatedReplicas", "readyReplicas", "availableReplicas")
    yield from replicated.available_are_ready(status, "readyReplicas")
    yield from replicated.not_fewer_collisions(new, old)


def summary(obj: Obj) -> dict[str, Any]:
    """How many are wanted and ready, and what bounds a rolling update, as it is written."""
    rolling = get(obj, "spec", "strategy", "rollingUpdate", default=None) or {}
    bounds = {"surge": rolling.get("maxSurge"), "unavailable": rolling.get("maxUnavailable")}
    return {**replicated.summary(obj), **bounds, "paused": bool(get(obj, "spec", "paused"))}


COLUMNS = (
    NAME,
    Column("Ready", ratio(("status", "readyReplicas"), ("spec", "replicas"))),
    Column("Up-to-date", at("status", "updatedReplicas", default=0)),
    Column("Available", at("status", "availableReplicas", default=0)),
    AGE,
    *wide(selector=()),
    Column("Selector", picked_by("spec", "selector", none="", broken="<invalid>"), priority=WIDE),
)


serve(
    ServedKind(
        DEPLOYMENT,
        acted_on=True,
        subresources=("status", "scale"),
        counted=True,
        counts=lambda obj: (obj.get("spec"), obj["metadata"].get("annotations") or {}),
        status_keeps=("labels",),
        defaults=defaults,
        rules=rules,
        changes=replicated.selector_stays,
        status_rules=status_rules,
        warnings=replicated.name_warnings,
        first_status=lambda obj: {},
        columns=COLUMNS,
        summary=summary,
        not_simulated=notsimulated.under("spec.template.spec", notsimulated.POD_SPEC),
    )
)
