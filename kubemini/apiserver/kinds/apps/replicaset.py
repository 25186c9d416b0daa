"""ReplicaSets.

Models k/k pkg/registry/apps/replicaset strategy; k/k pkg/apis/apps/validation ValidateReplicaSet.
"""

from typing import Any

from kubemini.api.kinds import REPLICA_SET
from kubemini.api.objects import Obj, get
from kubemini.apiserver.columns import AGE, NAME
from kubemini.apiserver.columns.workloads import count, wide
from kubemini.apiserver.rules import notsimulated
from kubemini.apiserver.rules.causes import Wrong, not_negative
from kubemini.apiserver.rules.filling import filled
from kubemini.apiserver.rules.workloads import replicated
from kubemini.apiserver.served import ServedKind, serve


def defaults(obj: Obj) -> Obj:
    """*obj* with every default."""
    spec = filled(obj.get("spec"), replicas=1)
    return {**obj, "spec": spec | {"template": replicated.template_defaults(spec.get("template"))}}


def rules(obj: Obj) -> Wrong:
    """Every complaint."""
    spec = obj.get("spec") or {}
    yield from not_negative(spec, "spec", "replicas", "minReadySeconds")
    yield from replicated.selector_and_template(spec)


def summary(obj: Obj) -> dict[str, Any]:
    """How many are wanted and ready, and of which image: that of the first container."""
    first: Obj = next(iter(get(obj, "spec", "template", "spec", "containers", default=None) or ()), {})
    return {**replicated.summary(obj), "container": first.get("name", ""), "image": first.get("image", "")}


COLUMNS = (
    NAME,
    count("Desired", "spec", "replicas"),
    count("Current", "status", "replicas"),
    count("Ready", "status", "readyReplicas"),
    AGE,
    *wide(),
)
serve(
    ServedKind(
        REPLICA_SET,
        acted_on=True,
        subresources=("status", "scale"),
        counted=True,
        defaults=defaults,
        rules=rules,
        changes=replicated.selector_stays,
        status_rules=replicated.replica_counts,
        warnings=replicated.name_warnings,
        first_status=lambda obj: {"replicas": 0},
        columns=COLUMNS,
        summary=summary,
        not_simulated=notsimulated.under("spec.template.spec", notsimulated.POD_SPEC),
    )
)
