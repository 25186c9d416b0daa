"""Deployments, replica sets, stateful sets, daemon sets, jobs and cron jobs described.

Models k/kubectl pkg/describe describeDeployment describeReplicaSet describeStatefulSet describeDaemonSet describeJob
describeCronJob describeReplicationController.
"""

from typing import Any

from kubemini.api.timestamps import human, instant
from kubemini.users.decide.kubectl.asking import Steps
from kubemini.users.decide.kubectl.describing import around
from kubemini.users.decide.kubectl.describing.page import NONE, Page, date, owner, titled, truth
from kubemini.users.decide.kubectl.describing.podspec import template_on
from kubemini.users.decide.kubectl.line import Line
from kubemini.users.decide.kubectl.printing.tables import joined
from kubemini.users.decide.kubectl.targets import Info, selector_of


def deployment(line: Line, info: Info, page: Page) -> Steps:
    """The page of a Deployment."""
    obj, spec, status = info.obj, info.obj["spec"], info.obj.get("status") or {}
    events = yield from around.events(line, info)
    old, new = yield from around.replica_sets(line, info)
    page.head(obj)
    page.field("CreationTimestamp", date(obj["metadata"].get("creationTimestamp")))
    page.marks(obj)
    page.field("Selector", selector_of(spec["selector"]))
    keys = ("updatedReplicas", "replicas", "availableReplicas", "unavailableReplicas")
    updated, total, available, missing = (status.get(key, 0) for key in keys)
    figures = f"{updated} updated | {total} total | {available} available | {missing} unavailable"
    page.field("Replicas", f"{spec.get('replicas', 1)} desired | {figures}")
    strategy = spec.get("strategy") or {}
    page.field("StrategyType", strategy.get("type", ""))
    page.field("MinReadySeconds", spec.get("minReadySeconds", 0))
    if strategy.get("rollingUpdate") is not None:
        rolling = strategy["rollingUpdate"]
        limits = f"{rolling.get('maxUnavailable')} max unavailable, {rolling.get('maxSurge')} max surge"
        page.field("RollingUpdateStrategy", limits)
    template_on(page, spec["template"])
    page.conditions(obj)
    if old or new:
        page.field("OldReplicaSets", _sets(old))
        page.field("NewReplicaSet", _sets(new))
    page.events(events)


def _sets(found: list[Any]) -> str:
    told = [
        f"{one['metadata']['name']} ({(one.get('status') or {}).get('replicas', 0)}/"
        f"{one['spec'].get('replicas', 1)} replicas created)"
        for one in found
    ]
    return ", ".join(told) or NONE


def replica_set(line: Line, info: Info, page: Page) -> Steps:
    """The page of a ReplicaSet, or a ReplicationController."""
    obj, spec, status = info.obj, info.obj["spec"], info.obj.get("status") or {}
    events = yield from around.events(line, info)
    pods = yield from around.pods_of(line, info)
    page.head(obj)
    page.field("Selector", around.selector_text(spec.get("selector")))
    page.marks(obj)
    if owner(obj) and info.resource.name == "replicasets":
        page.field("Controlled By", owner(obj))
    page.field("Replicas", f"{status.get('replicas', 0)} current / {spec.get('replicas', 1)} desired")
    page.field("Pods Status", pods)
    template_on(page, spec["template"])
    page.conditions(obj)
    page.events(events)


def stateful_set(line: Line, info: Info, page: Page) -> Steps:
    """The page of a StatefulSet."""
    obj, spec, status = info.obj, info.obj["spec"], info.obj.get("status") or {}
    events = yield from around.events(line, info)
    pods = yield from around.pods_of(line, info)
    page.head(obj)
    page.field("CreationTimestamp", date(obj["metadata"].get("creationTimestamp")))
    page.field("Selector", selector_of(spec["selector"]))
    page.marks(obj)
    for title, key in (("Service Name", "serviceName"), ("Pod Management Policy", "podManagementPolicy")):
        if spec.get(key):
            page.field(title, spec[key])
    page.field("Replicas", f"{spec.get('replicas', 1)} desired | {status.get('replicas', 0)} total")
    update = spec.get("updateStrategy") or {}
    page.field("Update Strategy", update.get("type", ""))
    rolling = update.get("rollingUpdate") or {}
    if rolling.get("partition") is not None:
        page.field("Partition", rolling["partition"], 1)
        if rolling.get("maxUnavailable") is not None:
            page.field("MaxUnavailable", rolling["maxUnavailable"], 1)
    kept = spec.get("persistentVolumeClaimRetentionPolicy")
    if kept:
        page.line("Persistent Volume Claim Retention Policy:")
        page.field("WhenDeleted", kept.get("whenDeleted", ""), 1)
        page.field("WhenScaled", kept.get("whenScaled", ""), 1)
    page.field("Pods Status", pods)
    template_on(page, spec["template"])
    _claims(page, spec.get("volumeClaimTemplates") or [])
    page.events(events)


def _claims(page: Page, claims: list[Any]) -> None:
    if not claims:
        page.field("Volume Claims", NONE)
        return
    page.line("Volume Claims:")
    for one in claims:
        spec = one.get("spec") or {}
        page.field("Name", one["metadata"]["name"], 1)
        page.field("StorageClass", spec.get("storageClassName", ""), 1)
        page.labels("  Labels", one["metadata"].get("labels"))
        page.annotations("  Annotations", one["metadata"].get("annotations"))
        capacity = ((spec.get("resources") or {}).get("requests") or {}).get("storage", "<default>")
        page.field("Capacity", capacity, 1)
        page.field("Access Modes", f"[{' '.join(spec.get('accessModes') or [])}]", 1)


def daemon_set(line: Line, info: Info, page: Page) -> Steps:
    """The page of a DaemonSet."""
    obj, spec, status = info.obj, info.obj["spec"], info.obj.get("status") or {}
    events = yield from around.events(line, info)
    pods = yield from around.pods_of(line, info)
    page.head(obj)
    page.field("Selector", selector_of(spec["selector"]))
    page.field("Node-Selector", joined(spec["template"]["spec"].get("nodeSelector") or {}))
    page.marks(obj)
    for text, key in (
        ("Desired Number of Nodes Scheduled", "desiredNumberScheduled"),
        ("Current Number of Nodes Scheduled", "currentNumberScheduled"),
        ("Number of Nodes Scheduled with Up-to-date Pods", "updatedNumberScheduled"),
        ("Number of Nodes Scheduled with Available Pods", "numberAvailable"),
        ("Number of Nodes Misscheduled", "numberMisscheduled"),
    ):
        page.line(f"{text}: {status.get(key, 0)}")
    page.field("Pods Status", pods)
    template_on(page, spec["template"])
    page.events(events)


def job(line: Line, info: Info, page: Page) -> Steps:
    """The page of a Job."""
    obj, spec, status = info.obj, info.obj["spec"], info.obj.get("status") or {}
    events = yield from around.events(line, info)
    page.head(obj)
    page.field("Selector", selector_of(spec.get("selector")))
    page.marks(obj)
    if owner(obj):
        page.field("Controlled By", owner(obj))
    if spec.get("parallelism") is not None:
        page.field("Parallelism", spec["parallelism"])
    page.field("Completions", spec.get("completions", "<unset>"))
    if spec.get("completionMode"):
        page.field("Completion Mode", spec["completionMode"])
    if spec.get("suspend") is not None:
        page.field("Suspend", truth(spec["suspend"]))
    if spec.get("backoffLimit") is not None:
        page.field("Backoff Limit", spec["backoffLimit"])
    if spec.get("ttlSecondsAfterFinished") is not None:
        page.field("TTL Seconds After Finished", spec["ttlSecondsAfterFinished"])
    _times(page, spec, status)
    ready = status.get("ready")
    active = f"{status.get('active', 0)} Active" + ("" if ready is None else f" ({ready} Ready)")
    ended = f"{status.get('succeeded', 0)} Succeeded / {status.get('failed', 0)} Failed"
    page.field("Pods Statuses", f"{active} / {ended}")
    if spec.get("completionMode") == "Indexed":
        page.field("Completed Indexes", _indexes(status.get("completedIndexes", "")))
    template_on(page, spec["template"])
    page.events(events)


def _times(page: Page, spec: Any, status: Any) -> None:
    begun, done = status.get("startTime"), status.get("completionTime")
    if begun:
        page.field("Start Time", date(begun))
    if done:
        page.field("Completed At", date(done))
    if begun and done:
        page.field("Duration", human(instant(done) - instant(begun)))
    if spec.get("activeDeadlineSeconds") is not None:
        page.field("Active Deadline Seconds", f"{spec['activeDeadlineSeconds']}s")


def _indexes(text: str, limit: int = 50) -> str:
    comma = text.find(",", limit)
    return NONE if not text else text if comma < 0 else text[: comma + 1] + "..."


def cron_job(line: Line, info: Info, page: Page) -> Steps:
    """The page of a CronJob."""
    obj, spec, status = info.obj, info.obj["spec"], info.obj.get("status") or {}
    events = yield from around.events(line, info)
    page.head(obj)
    page.marks(obj)
    page.field("Schedule", spec.get("schedule", ""))
    page.field("Concurrency Policy", spec.get("concurrencyPolicy", ""))
    page.field("Suspend", titled(spec["suspend"]) if spec.get("suspend") is not None else "<unset>")
    page.field("Time Zone", spec.get("timeZone", "<unset>"))
    page.field("Successful Job History Limit", spec.get("successfulJobsHistoryLimit", "<unset>"))
    page.field("Failed Job History Limit", spec.get("failedJobsHistoryLimit", "<unset>"))
    deadline = spec.get("startingDeadlineSeconds")
    page.field("Starting Deadline Seconds", "<unset>" if deadline is None else f"{deadline}s")
    inner = spec["jobTemplate"]["spec"]
    page.field("Selector", selector_of(inner["selector"]) if inner.get("selector") else "<unset>")
    page.field("Parallelism", inner.get("parallelism", "<unset>"))
    page.field("Completions", inner.get("completions", "<unset>"))
    if inner.get("activeDeadlineSeconds") is not None:
        page.field("Active Deadline Seconds", f"{inner['activeDeadlineSeconds']}s")
    template_on(page, inner["template"])
    last = status.get("lastScheduleTime")
    page.field("Last Schedule Time", date(last) if last else "<unset>")
    page.field("Active Jobs", ", ".join(one.get("name", "") for one in status.get("active") or []) or NONE)
    page.events(events)
