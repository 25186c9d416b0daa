"""Deployments.

Models k/k pkg/registry/apps/deployment strategy; k/k pkg/apis/apps/validation ValidateDeployment,
ValidateDeploymentStrategy; defaults: k/k pkg/apis/apps/v1 SetDefaults_Deployment.
"""

from kubemini.api import names
from kubemini.api.kinds import DEPLOYMENT
from kubemini.api.objects import Obj
from kubemini.apiserver.rules import notsimulated, replicated
from kubemini.apiserver.rules.causes import InOrder, Wrong, each, forbidden, invalid, not_negative, unsupported
from kubemini.apiserver.rules.containers import filled
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
    for field in ("maxUnavailable", "maxSurge"):
        value = rolling.get(field, 0)
        if isinstance(value, str):
            yield from each(names.percent(value), f"{path}.{field}", value)
        elif value < 0:
            yield from not_negative(rolling, path, field)
    unavailable, surge = _figure(rolling.get("maxUnavailable", 0)), _figure(rolling.get("maxSurge", 0))
    if unavailable == 0 and surge == 0:
        yield invalid(f"{path}.maxUnavailable", rolling.get("maxUnavailable", 0), "may not be 0 when `maxSurge` is 0")
    if isinstance(rolling.get("maxUnavailable"), str) and unavailable > 100:
        yield invalid(f"{path}.maxUnavailable", rolling["maxUnavailable"], "must not be greater than 100%")


def _figure(value: int | str) -> int:
    if isinstance(value, str):
        return 0 if names.percent(value) else int(value[:-1])
    return value


def status_rules(new: Obj, old: Obj) -> Wrong:
    """Counts fit together."""
    status = new.get("status") or {}
    yield from replicated.counts(status, "updatedReplicas", "readyReplicas", "availableReplicas")


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
        first_status=lambda obj: {},
        summary=replicated.summary,
        not_simulated=notsimulated.under("spec.template.spec", notsimulated.POD_SPEC),
    )
)
