"""ReplicationControllers: what ReplicaSets were before they had a better selector.

Models k/k pkg/registry/core/replicationcontroller strategy; k/k pkg/apis/core/validation
ValidateReplicationControllerSpec, ValidatePodTemplateSpecForRC; defaults: k/k pkg/apis/core/v1
SetDefaults_ReplicationController; columns: k/k pkg/printers/internalversion printReplicationController.
"""

from typing import Any

from kubemini.api import kinds, labels
from kubemini.api.objects import Obj, get
from kubemini.apiserver.columns import AGE, NAME, WIDE, Column, pairs
from kubemini.apiserver.columns.workloads import containers, count
from kubemini.apiserver.rules.causes import Wrong, forbidden, invalid, not_negative, required, supported
from kubemini.apiserver.rules.filling import filled
from kubemini.apiserver.rules.workloads import replicated
from kubemini.apiserver.served import ServedKind, serve


def defaults(obj: Obj) -> Obj:
    """*obj* with every default: its pods' labels are its selector, and its own."""
    spec: dict[str, Any] = filled(obj.get("spec"), replicas=1)
    if spec.get("template") is not None:
        spec["template"] = replicated.template_defaults(spec["template"])
    worn, meta = get(spec, "template", "metadata", "labels"), obj["metadata"]
    if worn and not spec.get("selector"):
        spec["selector"] = worn
    if worn and not meta.get("labels"):
        meta = {**meta, "labels": worn}
    return {**obj, "metadata": meta, "spec": spec}


def rules(obj: Obj) -> Wrong:
    """Every complaint."""
    spec = obj.get("spec") or {}
    selector, template = spec.get("selector") or {}, spec.get("template")
    if not selector:
        yield required("spec.selector")
    if template is None:
        yield required("spec.template")
        return
    worn = get(template, "metadata", "labels")
    if selector and not labels.contains(worn, selector):
        yield invalid("spec.template.metadata.labels", worn, replicated.NO_MATCH)
    yield from replicated.pod_template(template, "spec.template")
    pod = template.get("spec") or {}
    yield from supported("spec.template.spec.restartPolicy", pod.get("restartPolicy", ""), ("Always",))
    if pod.get("activeDeadlineSeconds") is not None:
        text = "activeDeadlineSeconds in ReplicationController is not Supported"
        yield forbidden("spec.template.spec.activeDeadlineSeconds", text)


def declared(new: Obj, old: Obj | None) -> Wrong:
    """What the generated rules say."""
    return not_negative(new.get("spec") or {}, "spec", "replicas", "minReadySeconds")


COLUMNS = (
    NAME,
    count("Desired", "spec", "replicas"),
    count("Current", "status", "replicas"),
    count("Ready", "status", "readyReplicas"),
    AGE,
    Column("Containers", containers("name"), priority=WIDE),
    Column("Images", containers("image"), priority=WIDE),
    Column("Selector", lambda obj, now: pairs(get(obj, "spec", "selector")), priority=WIDE),
)
serve(
    ServedKind(
        kinds.KNOWN["v1", "ReplicationController"],
        subresources=("status", "scale"),
        counted=True,
        orphans=True,
        fields=("status.replicas",),
        defaults=defaults,
        rules=rules,
        declared=declared,
        status_rules=replicated.replica_counts,
        warnings=replicated.name_warnings,
        first_status=lambda obj: {"replicas": 0},
        columns=COLUMNS,
        said=False,
        not_simulated=("few:spec",),
    )
)
