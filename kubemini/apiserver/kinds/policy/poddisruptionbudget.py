"""PodDisruptionBudgets: how many pods may go at once when somebody asks them to.

Models k/k pkg/registry/policy/poddisruptionbudget strategy; k/k pkg/apis/policy/validation
ValidatePodDisruptionBudgetSpec, ValidatePodDisruptionBudgetStatusUpdate;
columns: k/k pkg/printers/internalversion printPodDisruptionBudget.
"""

from typing import Any

from kubemini.api import kinds, names
from kubemini.api.objects import Obj
from kubemini.apiserver.columns import AGE, NAME, Column, at, word_at
from kubemini.apiserver.rules.causes import Wrong, invalid, not_negative, supported
from kubemini.apiserver.rules.conditions import conditions
from kubemini.apiserver.rules.gostructs import internal
from kubemini.apiserver.rules.metadata import label_selector
from kubemini.apiserver.rules.workloads.rolling import amount, no_more_than_all
from kubemini.apiserver.served import ServedKind, serve

COUNTS = ("disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods")


def rules(obj: Obj) -> Wrong:
    """Every complaint."""
    spec = obj.get("spec") or {}
    if spec.get("minAvailable") is not None and spec.get("maxUnavailable") is not None:
        shown = internal(spec, "policy.PodDisruptionBudgetSpec")
        yield invalid("spec", shown, "minAvailable and maxUnavailable cannot be both set")
    for field in ("minAvailable", "maxUnavailable"):
        if spec.get(field) is not None:
            yield from amount(spec[field], f"spec.{field}")
            yield from no_more_than_all(spec[field], f"spec.{field}")
    yield from label_selector(spec.get("selector"), "spec.selector")
    policy = spec.get("unhealthyPodEvictionPolicy")
    if policy is not None:
        yield from supported("spec.unhealthyPodEvictionPolicy", policy, ("AlwaysAllow", "IfHealthyBudget"))


def status_rules(new: Obj, old: Obj) -> Wrong:
    """Counts are not negative."""
    status = new.get("status") or {}
    yield from conditions(status.get("conditions") or (), "status.conditions")
    yield from not_negative(status, "status", *COUNTS)


COLUMNS = (
    NAME,
    Column("Min Available", word_at("spec", "minAvailable", default="N/A")),
    Column("Max Unavailable", word_at("spec", "maxUnavailable", default="N/A")),
    Column("Allowed Disruptions", at("status", "disruptionsAllowed", default=0), type="integer"),
    AGE,
)


def summary(obj: Obj) -> dict[str, Any]:
    """How many may go, how many are healthy, and how many must be."""
    status = obj.get("status") or {}
    names = {"allowed": "disruptionsAllowed", "healthy": "currentHealthy", "needed": "desiredHealthy"}
    return {name: status.get(field, 0) for name, field in names.items()}


serve(
    ServedKind(
        kinds.KNOWN["policy/v1", "PodDisruptionBudget"],
        subresources=("status",),
        counted=True,
        versioned=True,
        name_rule=names.path_segment,
        rules=rules,
        rules_first=True,
        any_finalizer=True,
        status_rules=status_rules,
        first_status=lambda obj: dict.fromkeys(COUNTS, 0),
        columns=COLUMNS,
        summary=summary,
        not_simulated=("few:spec",),
    )
)
