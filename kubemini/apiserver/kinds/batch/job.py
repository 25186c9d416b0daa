"""Jobs: pods that run until enough of them have succeeded.

The server gives a job a selector of its own and its pods the labels to go with it, unless it is told not to.
Models k/k pkg/registry/batch/job strategy, generateSelector; k/k pkg/apis/batch/validation ValidateJobCreate,
ValidateJobUpdate, validateGeneratedSelector; defaults: k/k pkg/apis/batch/v1 SetDefaults_Job;
columns: k/k pkg/printers/internalversion printJob.
"""

from typing import Any

from kubemini.api import kinds, labels, names
from kubemini.api.objects import Obj, evolve, evolve_many, get, without
from kubemini.api.timestamps import human, instant
from kubemini.apiserver.columns import AGE, NAME, Column
from kubemini.apiserver.columns.workloads import wide
from kubemini.apiserver.rules import notsimulated
from kubemini.apiserver.rules.causes import Wrong, invalid, required
from kubemini.apiserver.rules.filling import filled, unset
from kubemini.apiserver.rules.gostructs import selector as as_go
from kubemini.apiserver.rules.gostructs import stays
from kubemini.apiserver.rules.metadata import label_selector, readable
from kubemini.apiserver.rules.workloads import jobs, jobstatus, replicated
from kubemini.apiserver.served import ServedKind, serve

UID, NAMED = "batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-name"
OLD_UID, OLD_NAMED = "controller-uid", "job-name"
PARTING = (
    "child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set "
    "propagationPolicy=Orphan to suppress this warning"
)
WITHOUT_LIMIT = 2**31 - 1


def spec_defaults(spec: Obj | None) -> dict[str, Any]:
    """The spec of a job, or of a CronJob's jobs, as far as both fill it in."""
    full = filled(spec)
    full["template"] = replicated.template_defaults(full.get("template"))
    if full.get("podFailurePolicy"):
        rules = [_rule_defaults(rule) for rule in full["podFailurePolicy"].get("rules") or ()]
        full["podFailurePolicy"] = {**full["podFailurePolicy"], "rules": rules}
    return full


def _rule_defaults(rule: Obj) -> Obj:
    conditions = rule.get("onPodConditions")
    return {**rule, "onPodConditions": [filled(c, status="True") for c in conditions]} if conditions else rule


def defaults(obj: Obj) -> Obj:
    """*obj* with every default; a job without labels has those of its pods."""
    spec = spec_defaults(obj.get("spec"))
    if spec.get("parallelism") is None and spec.get("completions") is None:
        spec["completions"] = 1
    retries = 6 if spec.get("backoffLimitPerIndex") is None else WITHOUT_LIMIT
    spec = unset(spec, parallelism=1, backoffLimit=retries, completionMode="NonIndexed", suspend=False)
    replacing = "TerminatingOrFailed" if spec.get("podFailurePolicy") is None else "Failed"
    spec = unset(spec, podReplacementPolicy=replacing, manualSelector=False)
    theirs, meta = get(spec, "template", "metadata", "labels"), obj["metadata"]
    if theirs and not meta.get("labels"):
        meta = {**meta, "labels": theirs}
    return {**obj, "metadata": meta, "spec": spec}


def ungated(obj: Obj) -> Obj:
    """*obj* without what a gate holds back. Models k/k pkg/api/job DropDisabledFields"""
    return without(obj, ("spec", "scheduling"))


def begun(obj: Obj, now: int) -> Obj:
    """A selector that no other job has, and the labels that it picks."""
    obj = ungated(obj)
    if get(obj, "spec", "manualSelector"):
        return obj
    uid, name = obj["metadata"].get("uid", ""), obj["metadata"].get("name", "")
    ours = {OLD_NAMED: name, NAMED: name, OLD_UID: uid, UID: uid}
    before = get(obj, "spec", "template", "metadata", "labels") or {}
    picked = {UID: uid, **(get(obj, "spec", "selector", "matchLabels") or {})}
    marked = {**ours, **before}
    shared = [(("metadata", "labels"), marked)] if obj["metadata"].get("labels") in (None, {}, before) else []
    edits = (("spec", "template", "metadata", "labels"), marked), (("spec", "selector", "matchLabels"), picked)
    return evolve_many(obj, *edits, *shared)


def rules(obj: Obj) -> Wrong:
    """Every complaint."""
    spec = obj.get("spec") or {}
    yield from jobs.job_spec(spec, "spec")
    yield from _selector(spec)
    if spec.get("completionMode") == jobs.INDEXED and (spec.get("completions") or 0) > 0:
        last = f"{obj['metadata'].get('name', '')}-{spec['completions'] - 1}"
        if names.dns_label(last):
            text = f"will not able to create pod with invalid DNS label: {last}"
            yield invalid("metadata.name", obj["metadata"].get("name", ""), text)


def _selector(spec: Obj) -> Wrong:
    selector, worn = spec.get("selector"), get(spec, "template", "metadata", "labels")
    if selector is None:
        yield required("spec.selector")
    else:
        yield from label_selector(selector, "spec.selector")
    if readable(selector) and not labels.matches(selector, worn or {}):
        yield invalid("spec.template.metadata.labels", worn, replicated.NO_MATCH)


def generated_selector(obj: Obj) -> Wrong:
    """A selector of the server's making picks this job's pods and no others."""
    spec, meta = obj["spec"], obj["metadata"]
    if spec.get("manualSelector") or spec.get("selector") is None:
        return
    worn = get(spec, "template", "metadata", "labels") or {}
    uid, name = meta.get("uid", ""), meta.get("name", "")
    wanted = {OLD_UID: uid, OLD_NAMED: name, UID: uid, NAMED: name}
    path = "spec.template.metadata.labels"
    for key, value in wanted.items():
        if key not in worn:
            yield required(path, f"must be '{value}'")
        elif worn[key] != value:
            yield invalid(f"{path}[{key}]", worn, f"must be '{value}'")
    if readable(spec["selector"]) and not labels.matches(spec["selector"], wanted):
        yield invalid("spec.selector", as_go(spec["selector"]), "`selector` not auto-generated")


def changes(new: Obj, old: Obj) -> Wrong:
    """How many run at once, and when, may change; what they are may not, but for a job that has not begun."""
    spec, was = new["spec"], old["spec"]
    if spec.get("completionMode") != jobs.INDEXED:
        yield from stays(spec.get("completions"), was.get("completions"), "spec.completions")
    elif spec.get("completions") not in (was.get("completions"), spec.get("parallelism"), None):
        text = "can only be modified in tandem with spec.parallelism"
        yield invalid("spec.completions", spec["completions"], text)
    yield from stays(spec.get("selector"), was.get("selector"), "spec.selector", "*metav1.LabelSelector")
    yield from _template_stays(new, old)
    for field, type in FIXED:
        yield from stays(spec.get(field), was.get(field), f"spec.{field}", type)


FIXED = (
    ("completionMode", ""),
    ("podFailurePolicy", "*batch.PodFailurePolicy"),
    ("backoffLimitPerIndex", ""),
    ("managedBy", ""),
    ("successPolicy", "*batch.SuccessPolicy"),
)


def _template_stays(new: Obj, old: Obj) -> Wrong:
    """Models k/k pkg/apis/batch/validation validatePodTemplateUpdate"""
    after, before = new["spec"]["template"], old["spec"]["template"]
    conditions = get(old, "status", "conditions") or ()
    suspended = any(c.get("type") == "Suspended" and c.get("status") == "True" for c in conditions)
    waits = get(old, "spec", "suspend") and (get(old, "status", "startTime") is None or suspended)
    if waits and not get(old, "status", "active"):
        kept = _where_and_how_much(after, before)
        yield from stays(after["spec"], kept["spec"], "spec.template.spec", "core.PodSpec")
    else:
        yield from stays(after, before, "spec.template", "core.PodTemplateSpec")


def _where_and_how_much(after: Obj, before: Obj) -> Obj:
    """*before* with what may change while a job waits taken from *after*: where its pods run, what they ask for."""
    spec = dict(before["spec"])
    for field in ("nodeSelector", "tolerations", "schedulingGates"):
        spec = {**{key: value for key, value in spec.items() if key != field}, **_only(after["spec"], field)}
    spec = _with_node_affinity(spec, after["spec"].get("affinity"))
    for field in ("containers", "initContainers"):
        mine, theirs = spec.get(field) or [], after["spec"].get(field) or []
        if len(mine) == len(theirs) and mine:
            spec[field] = [
                {**a, "resources": b.get("resources")} if a["name"] == b["name"] else a for a, b in zip(mine, theirs)
            ]
    return evolve(before, ("spec",), spec)


def _only(obj: Obj, field: str) -> dict[str, Any]:
    return {field: obj[field]} if field in obj else {}


def _with_node_affinity(spec: dict[str, Any], wanted: Obj | None) -> dict[str, Any]:
    mine = {key: value for key, value in (spec.get("affinity") or {}).items() if key != "nodeAffinity"}
    mine |= _only(wanted or {}, "nodeAffinity")
    rest = {key: value for key, value in spec.items() if key != "affinity"}
    return {**rest, "affinity": mine} if mine or wanted is not None else rest


def warnings(new: Obj, old: Obj | None) -> list[str]:
    """What its writer is warned of."""
    if old is not None:
        same = new["metadata"].get("generation") == old["metadata"].get("generation")
        return [] if same else jobs.warnings(new["spec"], "spec")
    return [*replicated.name_warnings(new, old), *jobs.warnings(new["spec"], "spec")]


# -- columns -------------------------------------------------------------------------------------------

STATES = (("Complete", "Complete"), ("Failed", "Failed"), ("", "Terminating"), ("Suspended", "Suspended"))
LATER = (("FailureTarget", "FailureTarget"), ("SuccessCriteriaMet", "SuccessCriteriaMet"))


def _status(obj: Obj, now: int) -> str:
    seen = jobstatus.Seen(obj)
    for type, word in (*STATES, *LATER):
        if seen.has(type) if type else "deletionTimestamp" in obj["metadata"]:
            return word
    return "Running"


def _completions(obj: Obj, now: int) -> str:
    done, wanted = get(obj, "status", "succeeded") or 0, get(obj, "spec", "completions")
    if wanted is not None:
        return f"{done}/{wanted}"
    parallel = get(obj, "spec", "parallelism") or 0
    return f"{done}/1 of {parallel}" if parallel > 1 else f"{done}/1"


def _duration(obj: Obj, now: int) -> str:
    began, ended = get(obj, "status", "startTime"), get(obj, "status", "completionTime")
    return human((instant(ended) if ended else now) - instant(began)) if began else ""


COLUMNS = (
    NAME,
    Column("Status", _status, description="Status of the job."),
    Column("Completions", _completions),
    Column("Duration", _duration, description="Time required to complete the job."),
    AGE,
    *wide(),
)
serve(
    ServedKind(
        kinds.KNOWN["batch/v1", "Job"],
        subresources=("status",),
        counted=True,
        orphans=True,
        parting=PARTING,
        fields=("status.successful",),
        unsupported='field label "{}" not supported for Job',
        defaults=defaults,
        begun=begun,
        rules=rules,
        prepare=lambda new, old: ungated(new),
        named=generated_selector,
        changes=changes,
        status_rules=jobstatus.status_rules,
        warnings=warnings,
        first_status=lambda obj: {},
        columns=COLUMNS,
        said=False,
        not_simulated=("few:spec", *notsimulated.under("spec.template.spec", notsimulated.POD_SPEC)),
    )
)
