"""CronJobs: jobs by the clock.

Models k/k pkg/registry/batch/cronjob strategy; k/k pkg/apis/batch/validation validateCronJobSpec,
ValidateJobTemplateSpec; defaults: k/k pkg/apis/batch/v1 SetDefaults_CronJob;
columns: k/k pkg/printers/internalversion printCronJob.
"""

from kubemini.api import kinds
from kubemini.api.objects import Obj, get, without
from kubemini.apiserver.columns import AGE, NAME, NONE, UNSET, Column, at, elapsed, number_of
from kubemini.apiserver.columns.workloads import wide
from kubemini.apiserver.kinds.batch.job import spec_defaults
from kubemini.apiserver.rules.causes import Wrong, invalid, not_negative, required, supported, unsupported
from kubemini.apiserver.rules.filling import filled
from kubemini.apiserver.rules.gostructs import selector as as_go
from kubemini.apiserver.rules.workloads import jobs, replicated, schedules
from kubemini.apiserver.served import ServedKind, serve

LONGEST = 52  # characters of a name: its jobs' names have eleven more
JOB = ("spec", "jobTemplate", "spec")
POLICIES = ("Allow", "Forbid", "Replace")
ZONED = "cannot use TZ or CRON_TZ in spec.spec.schedule, use timeZone instead, see"
DOCS = "https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details"


def defaults(obj: Obj) -> Obj:
    """*obj* with every default."""
    spec = filled(obj.get("spec"), concurrencyPolicy="Allow", suspend=False)
    spec = filled(spec, successfulJobsHistoryLimit=3, failedJobsHistoryLimit=1)
    template = spec.get("jobTemplate") or {}
    inner = {**template, "metadata": template.get("metadata") or {}, "spec": spec_defaults(template.get("spec"))}
    return {**obj, "spec": {**spec, "jobTemplate": inner}}


def ungated(obj: Obj) -> Obj:
    """*obj* without what a gate holds back. Models k/k pkg/api/job DropDisabledFields"""
    return without(obj, (*JOB, "scheduling"))


def _always(spec: Obj, had_zone: bool) -> Wrong:
    if spec.get("schedule"):
        yield from schedules.schedule(spec["schedule"], spec.get("timeZone"), "spec.schedule", had_zone)
    yield from not_negative(spec, "spec", "startingDeadlineSeconds")


def _template(spec: Obj) -> Wrong:
    policy = spec.get("concurrencyPolicy", "")
    if not policy:
        yield required("spec.concurrencyPolicy")
    else:
        yield from supported("spec.concurrencyPolicy", policy, POLICIES)
    job, path = get(spec, "jobTemplate", "spec") or {}, "spec.jobTemplate.spec"
    yield from jobs.job_spec(job, path)
    if job.get("selector") is not None:
        yield invalid(f"{path}.selector", as_go(job["selector"]), "`selector` will be auto-generated")
    if job.get("manualSelector"):
        yield unsupported(f"{path}.manualSelector", True, ("nil", "false"))
    yield from not_negative(spec, "spec", "successfulJobsHistoryLimit", "failedJobsHistoryLimit")


def create_rules(obj: Obj) -> Wrong:
    """Every complaint about a new one."""
    spec, name = obj.get("spec") or {}, obj["metadata"].get("name", "")
    yield from _always(spec, had_zone=False)
    yield from schedules.time_zone(spec.get("timeZone"), "spec.timeZone")
    yield from _template(spec)
    if len(name) > LONGEST:
        yield invalid("metadata.name", name, f"must be no more than {LONGEST} characters")


def declared(new: Obj, old: Obj | None) -> Wrong:
    """What Kubernetes generates from the type."""
    if not get(new, "spec", "schedule"):
        yield required("spec.schedule")


def changes(new: Obj, old: Obj) -> Wrong:
    """Every complaint about a changed one; what it has had for long is borne with."""
    spec, was = new.get("spec") or {}, old.get("spec") or {}
    yield from _always(spec, had_zone="TZ" in was.get("schedule", ""))
    if spec.get("timeZone") != was.get("timeZone"):
        yield from schedules.time_zone(spec.get("timeZone"), "spec.timeZone")
    yield from _template(spec)


def warnings(new: Obj, old: Obj | None) -> list[str]:
    """What its writer is warned of."""
    job = get(new, "spec", "jobTemplate", "spec") or {}
    told = jobs.warnings(job, "spec.jobTemplate.spec")
    if old is None:
        return [*replicated.name_warnings(new, old), *told]
    if new["metadata"].get("generation") == old["metadata"].get("generation"):
        told = []
    return [*told, f"{ZONED} {DOCS}"] if "TZ" in get(new, "spec", "schedule", default="") else told


def _suspend(obj: Obj, now: int) -> str:
    value = get(obj, "spec", "suspend")
    return UNSET if value is None else str(value)


def _last(obj: Obj, now: int) -> str:
    when = get(obj, "status", "lastScheduleTime")
    return elapsed(when, now) if when is not None else NONE


COLUMNS = (
    NAME,
    Column("Schedule", at("spec", "schedule")),
    Column("Timezone", at("spec", "timeZone", default=NONE)),
    Column("Suspend", _suspend, type="boolean"),
    Column("Active", number_of("status", "active"), type="integer"),
    Column("Last Schedule", _last),
    AGE,
    *wide(*JOB, "template", selector=(*JOB, "selector")),
)
serve(
    ServedKind(
        kinds.KNOWN["batch/v1", "CronJob"],
        subresources=("status",),
        counted=True,
        defaults=defaults,
        begun=lambda obj, now: ungated(obj),
        prepare=lambda new, old: ungated(new),
        create_rules=create_rules,
        changes=changes,
        declared=declared,
        warnings=warnings,
        first_status=lambda obj: {},
        columns=COLUMNS,
        said=False,
        not_simulated=("few:spec",),
    )
)
