"""StatefulSets: pods that keep their names, and their volumes.

Models k/k pkg/registry/apps/statefulset strategy; k/k pkg/apis/apps/validation ValidateStatefulSetSpec,
ValidateStatefulSetUpdate, ValidateStatefulSetStatus; defaults: k/k pkg/apis/apps/v1 SetDefaults_StatefulSet;
columns: k/k pkg/printers/internalversion printStatefulSet.
"""

from typing import Any

from kubemini.api import kinds, names
from kubemini.api.objects import Obj, get
from kubemini.apiserver.columns import AGE, NAME, Column
from kubemini.apiserver.columns.workloads import ratio, wide
from kubemini.apiserver.rules.causes import Wrong, each, invalid, not_negative, required, supported
from kubemini.apiserver.rules.filling import filled
from kubemini.apiserver.rules.gostructs import internal, stays
from kubemini.apiserver.rules.metadata import annotations, label_pairs, readable
from kubemini.apiserver.rules.volumes import claims
from kubemini.apiserver.rules.workloads import replicated
from kubemini.apiserver.rules.workloads.rolling import amount, figure, no_more_than_all
from kubemini.apiserver.served import ServedKind, serve

ROLLING = "RollingUpdate"
ONLY_ROLLING = f"only allowed for updateStrategy '{ROLLING}'"
COUNTED = ("readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas")
FIXED = (  # fields that stay, and what a refusal shows them as
    ("selector", "*metav1.LabelSelector"),
    ("volumeClaimTemplates", "[]core.PersistentVolumeClaim"),
    ("serviceName", "string"),
    ("podManagementPolicy", "string"),
)


def defaults(obj: Obj) -> Obj:
    """*obj* with every default."""
    spec: dict[str, Any] = filled(obj.get("spec"), podManagementPolicy="OrderedReady", replicas=1)
    spec = filled(spec, revisionHistoryLimit=10, updateStrategy={}, persistentVolumeClaimRetentionPolicy={})
    strategy = spec["updateStrategy"]
    if not strategy.get("type"):
        strategy = {"rollingUpdate": {}, **strategy, "type": ROLLING}
    if strategy["type"] == ROLLING and strategy.get("rollingUpdate") is not None:
        strategy = {**strategy, "rollingUpdate": filled(strategy["rollingUpdate"], partition=0, maxUnavailable=1)}
    spec["updateStrategy"] = strategy
    retained = filled(spec["persistentVolumeClaimRetentionPolicy"], whenDeleted="Retain", whenScaled="Retain")
    spec["persistentVolumeClaimRetentionPolicy"] = retained
    spec["template"] = replicated.template_defaults(spec.get("template"))
    if spec.get("volumeClaimTemplates"):
        spec["volumeClaimTemplates"] = [_claim_defaults(claim) for claim in spec["volumeClaimTemplates"]]
    return {**obj, "spec": spec}


def _claim_defaults(claim: Obj) -> dict[str, Any]:
    full = {**claim, "kind": "PersistentVolumeClaim", "apiVersion": "v1", "metadata": claim.get("metadata") or {}}
    status = {"phase": "Pending", **(claim.get("status") or {})}
    return {**full, "spec": claims.claim_defaults(claim.get("spec")), "status": status}


def _always(spec: Obj, is_new: bool) -> Wrong:
    """What is judged of every one; what cannot change is judged only of a new one."""
    policy = spec.get("podManagementPolicy", "")
    if policy not in ("OrderedReady", "Parallel"):
        text = "must be 'OrderedReady' or 'Parallel'"
        yield invalid("spec.podManagementPolicy", policy, text) if policy else required("spec.podManagementPolicy")
    yield from _strategy(spec.get("updateStrategy") or {}, "spec.updateStrategy")
    retained = spec.get("persistentVolumeClaimRetentionPolicy") or {}
    for field in ("whenDeleted", "whenScaled"):
        path = f"spec.persistentVolumeClaimRetentionPolicy.{field}"
        yield from supported(path, retained.get(field, ""), ("Retain", "Delete"))
    if is_new:
        for number, claim in enumerate(spec.get("volumeClaimTemplates") or ()):
            yield from claims.claim_spec(claim.get("spec") or {}, f"spec.volumeClaimTemplates[{number}].spec")
    yield from not_negative(spec, "spec", "replicas", "minReadySeconds")
    if spec.get("ordinals") is not None:
        yield from not_negative(spec["ordinals"], "spec.ordinals", "start")
    if is_new and spec.get("serviceName"):
        yield from each(names.dns_label(spec["serviceName"]), "spec.serviceName", spec["serviceName"])
    yield from _pods(spec)


def _strategy(strategy: Obj, path: str) -> Wrong:
    how, rolling = strategy.get("type", ""), strategy.get("rollingUpdate")
    if how == ROLLING:
        if rolling is not None:
            yield from _rolling(rolling, f"{path}.rollingUpdate")
    elif how == "OnDelete":
        if rolling is not None:
            shown = internal(rolling, "apps.RollingUpdateStatefulSetStrategy")
            yield invalid(f"{path}.rollingUpdate", shown, ONLY_ROLLING)
    elif not how:
        yield required(path)
    else:
        shown = internal(strategy, "apps.StatefulSetUpdateStrategy")
        yield invalid(path, shown, f"must be '{ROLLING}' or 'OnDelete'")


def _rolling(rolling: Obj, path: str) -> Wrong:
    """Models k/k pkg/apis/apps/validation validateRollingUpdateStatefulSet"""
    yield from not_negative(rolling, path, "partition")
    missing = rolling.get("maxUnavailable")
    if missing is not None:
        yield from amount(missing, f"{path}.maxUnavailable")
        if figure(missing) == 0:
            yield invalid(f"{path}.maxUnavailable", missing, "cannot be 0")
        yield from no_more_than_all(missing, f"{path}.maxUnavailable")


def _pods(spec: Obj) -> Wrong:
    selector = spec.get("selector")
    yield from replicated.whole_selector(selector, "spec.selector", "statefulset")
    template = spec.get("template") or {}
    if not readable(selector):
        yield invalid("spec.selector", internal(selector, "*metav1.LabelSelector"), "")
    else:
        yield from replicated.picked(selector, template, "spec.template.metadata.labels")
        yield from replicated.pod_template(_as_made(template, spec), "spec.template")
        yield from label_pairs(get(template, "metadata", "labels"), "spec.template.labels")
        yield from annotations(get(template, "metadata", "annotations"), "spec.template.annotations")
    yield from replicated.runs_on(template, "spec.template.spec", "StatefulSet")


def _as_made(template: Obj, spec: Obj) -> Obj:
    """The template without what the controller gives its pods, and with the volumes of the claims."""
    pod = {key: value for key, value in (template.get("spec") or {}).items() if key not in ("hostname", "subdomain")}
    own = dict.fromkeys(get(claim, "metadata", "name", default="") for claim in spec.get("volumeClaimTemplates") or ())
    if own:
        kept = [volume for volume in pod.get("volumes") or () if volume.get("name") not in own]
        pod["volumes"] = [
            {"name": name, "persistentVolumeClaim": {"claimName": name}} for name in dict.fromkeys(own)
        ] + kept
    return {**template, "spec": pod}


def create_rules(obj: Obj) -> Wrong:
    """Every complaint about a new one."""
    yield from _always(obj.get("spec") or {}, is_new=True)


def changes(new: Obj, old: Obj) -> Wrong:
    """Every complaint about a changed one: its name, its claims and its Service stay."""
    yield from _always(new.get("spec") or {}, is_new=False)
    for field, type in FIXED:
        yield from stays(_held(new, field), _held(old, field), f"spec.{field}", type)


def _held(obj: Obj, field: str) -> Any:
    """A field as the server holds it: claims do not say their kind."""
    value = obj["spec"].get(field)
    if field != "volumeClaimTemplates":
        return value
    return [{key: part for key, part in claim.items() if key not in ("apiVersion", "kind")} for claim in value or ()]


def status_rules(new: Obj, old: Obj) -> Wrong:
    """Counts fit together."""
    status = new.get("status") or {}
    yield from replicated.counts(status, *COUNTED)
    yield from not_negative(status, "status", "observedGeneration", "collisionCount")
    yield from replicated.available_are_ready(status, "status.readyReplicas")
    yield from replicated.not_fewer_collisions(new, old)


def warnings(new: Obj, old: Obj | None) -> list[str]:
    """What its writer is warned of."""
    spec = new["spec"]
    middle = "spec" if old is None else "Spec"
    told = [
        text
        for number, claim in enumerate(spec.get("volumeClaimTemplates") or ())
        for text in claims.warnings(
            claim["spec"], f"spec.volumeClaimTemplates[{number}].{middle}".removesuffix(".spec")
        )
    ]
    if (spec.get("revisionHistoryLimit") or 0) < 0:
        keeps = "a negative value retains all historical revisions; a value >= 0 is recommended"
        told.append(f"spec.revisionHistoryLimit: {keeps}")
    return told


COLUMNS = (
    NAME,
    Column(
        "Ready",
        ratio(("status", "readyReplicas"), ("spec", "replicas")),
        description="Number of the pod with ready state",
    ),
    AGE,
    *wide(selector=()),
)
serve(
    ServedKind(
        kinds.KNOWN["apps/v1", "StatefulSet"],
        subresources=("status", "scale"),
        counted=True,
        name_rule=names.dns_label,
        defaults=defaults,
        create_rules=create_rules,
        changes=changes,
        status_rules=status_rules,
        warnings=warnings,
        first_status=lambda obj: {"replicas": 0, "availableReplicas": 0},
        columns=COLUMNS,
        said=False,
        not_simulated=("few:spec",),
    )
)
