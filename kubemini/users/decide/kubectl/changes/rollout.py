"""``kubectl rollout``: status, history, undo, restart, pause, resume.

Models k/kubectl pkg/polymorphichelpers DeploymentStatusViewer.Status DaemonSetStatusViewer.Status
StatefulSetStatusViewer.Status DeploymentHistoryViewer.ViewHistory DeploymentRollbacker.Rollback; pkg/cmd/rollout
RolloutStatusOptions.Run.
"""

from typing import Any

from kubemini.api.patch import published, strategic
from kubemini.api.timestamps import timestamp
from kubemini.users.decide.apply import LAST_APPLIED
from kubemini.users.decide.kubectl import files, targets
from kubemini.users.decide.kubectl.asking import JSON_PATCH, STRATEGIC, Failed, Refused, Steps, fail, together
from kubemini.users.decide.kubectl.changes import writing
from kubemini.users.decide.kubectl.changes.labels import found
from kubemini.users.decide.kubectl.describing.podspec import template_text
from kubemini.users.decide.kubectl.flags import BOOL, INT, TIME, Flag, Given
from kubemini.users.decide.kubectl.line import Line
from kubemini.users.decide.kubectl.printing import outputs
from kubemini.users.decide.kubectl.printing.tabs import aligned
from kubemini.users.decide.kubectl.targets import Info
from kubemini.users.decide.kubectl.waiting import GONE, WEEK, until

BASE = (*targets.FILES, *targets.SELECTOR, Flag("field-manager"))
OF_STATUS = (*BASE, Flag("watch", "w", BOOL, True), Flag("revision", kind=INT), Flag("timeout", kind=TIME))
OF_HISTORY = (*BASE, *outputs.OUTPUT, Flag("revision", kind=INT))
OF_UNDO = (*BASE, *writing.WRITES, Flag("to-revision", kind=INT))
OF_OTHERS = (*BASE, *outputs.OUTPUT)
REVISION, CAUSE = "deployment.kubernetes.io/revision", "kubernetes.io/change-cause"
HASH = "pod-template-hash"
RESTARTED = "kubectl.kubernetes.io/restartedAt"
SKIPPED = (
    *(LAST_APPLIED, REVISION, "deployment.kubernetes.io/revision-history", "deprecated.deployment.rollback.to"),
    *("deployment.kubernetes.io/desired-replicas", "deployment.kubernetes.io/max-replicas"),
)
KNOWN = ("pods", "replicasets", "replicationcontrollers", "jobs", "cronjobs")
HISTORIES = ("deployments", "daemonsets", "statefulsets")


def _infos(line: Line, given: Given) -> Steps:
    paths = files.named(line, must=False)
    if not (given.words or paths):
        raise fail("required resource not specified")
    given.values["all"] = True  # a type alone means all of it
    if paths:
        infos, errors, _ = yield from found(line, given, [], paths)
        return infos, errors
    return (yield from targets.tried(line, (yield from targets.meant(line, given.words, all_if_none=True))))


def _nothing(line: Line, infos: list[Info], errors: list[Failed]) -> bool:
    if not infos and not errors:
        line.screen.complain(f"No resources found in {line.namespace} namespace.")
        return True
    return False


# -- status ------------------------------------------------------------------------------------------------------------
def status(line: Line, given: Given) -> Steps:
    """Wait until a rollout is done, and tell how it goes."""
    if given["revision"] < 0:
        raise fail(f"revision must be a positive integer: {given['revision']}")
    infos, errors = yield from _infos(line, given)
    together(errors)
    if _nothing(line, infos, errors):
        return
    for info in infos:
        viewer = VIEWERS.get(info.resource.name)
        if viewer is None or info.resource.group != "apps":
            raise fail(f"no status viewer has been implemented for {_kind(info)}")

        def seen(type: str, obj: Any) -> bool:
            if type == GONE:
                raise fail("object has been deleted")
            text, done = viewer(obj, given["revision"])  # noqa: B023  # called at once
            line.screen.out(text)
            return done or not given.on("watch")

        yield from until(line, info, seen, line.now + (given["timeout"] or WEEK), info.obj)


def _kind(info: Info) -> str:
    one = info.resource
    return f"{one.kind}.{one.group}" if one.group else one.kind


def of_deployment(obj: Any, revision: int) -> tuple[str, bool]:
    """How a Deployment's rollout stands, and whether it is done. Raises Failed."""
    meta, spec, there = obj["metadata"], obj.get("spec") or {}, obj.get("status") or {}
    name = meta["name"]
    if revision:
        running = int((meta.get("annotations") or {}).get(REVISION, 0))
        if revision != running:
            raise fail(f"desired revision ({revision}) is different from the running revision ({running})")
    if meta.get("generation", 0) > there.get("observedGeneration", 0):
        return "Waiting for deployment spec update to be observed...\n", False
    for condition in there.get("conditions") or []:
        if condition["type"] == "Progressing" and condition.get("reason") == "ProgressDeadlineExceeded":
            raise fail(f'deployment "{name}" exceeded its progress deadline')
    total, updated, available = (there.get(key, 0) for key in ("replicas", "updatedReplicas", "availableReplicas"))
    wanted = spec.get("replicas", 1)
    head = f'Waiting for deployment "{name}" rollout to finish: '
    if updated < wanted:
        return f"{head}{updated} out of {wanted} new replicas have been updated...\n", False
    if total > updated:
        return f"{head}{total - updated} old replicas are pending termination...\n", False
    if available < updated:
        return f"{head}{available} of {updated} updated replicas are available...\n", False
    return f'deployment "{name}" successfully rolled out\n', True


def of_daemon_set(obj: Any, revision: int) -> tuple[str, bool]:
    """How a DaemonSet's rollout stands."""
    meta, spec, there = obj["metadata"], obj.get("spec") or {}, obj.get("status") or {}
    if (spec.get("updateStrategy") or {}).get("type") != "RollingUpdate":
        raise fail("rollout status is only available for RollingUpdate strategy type")
    if meta.get("generation", 0) > there.get("observedGeneration", 0):
        return "Waiting for daemon set spec update to be observed...\n", False
    keys = ("updatedNumberScheduled", "desiredNumberScheduled", "numberAvailable")
    updated, desired, available = (there.get(key, 0) for key in keys)
    head = f'Waiting for daemon set "{meta["name"]}" rollout to finish: '
    if updated < desired:
        return f"{head}{updated} out of {desired} new pods have been updated...\n", False
    if available < desired:
        return f"{head}{available} of {desired} updated pods are available...\n", False
    return f'daemon set "{meta["name"]}" successfully rolled out\n', True


def of_stateful_set(obj: Any, revision: int) -> tuple[str, bool]:
    """How a StatefulSet's rollout stands."""
    meta, spec, there = obj["metadata"], obj.get("spec") or {}, obj.get("status") or {}
    strategy = spec.get("updateStrategy") or {}
    if strategy.get("type") != "RollingUpdate":
        raise fail("rollout status is only available for RollingUpdate strategy type")
    seen = there.get("observedGeneration", 0)
    if not seen or meta.get("generation", 0) > seen:
        return "Waiting for statefulset spec update to be observed...\n", False
    wanted, updated = spec.get("replicas", 1), there.get("updatedReplicas", 0)
    if there.get("readyReplicas", 0) < wanted:
        return f"Waiting for {wanted - there.get('readyReplicas', 0)} pods to be ready...\n", False
    if strategy.get("rollingUpdate") is not None:
        new = wanted - strategy["rollingUpdate"].get("partition", 0)
        if updated < new:
            text = f"{updated} out of {new} new pods have been updated...\n"
            return f"Waiting for partitioned roll out to finish: {text}", False
        return f"partitioned roll out complete: {updated} new pods have been updated...\n", True
    current, newest = there.get("currentRevision", ""), there.get("updateRevision", "")
    if newest != current:
        waits = "waiting for statefulset rolling update to complete"
        return f"{waits} {updated} pods at revision {newest}...\n", False
    pods = there.get("currentReplicas", 0)
    return f"statefulset rolling update complete {pods} pods at revision {current}...\n", True


VIEWERS = {"deployments": of_deployment, "daemonsets": of_daemon_set, "statefulsets": of_stateful_set}


# -- history -----------------------------------------------------------------------------------------------------------
def history(line: Line, given: Given) -> Steps:
    """Which revisions there are, or what one of them is."""
    if given["revision"] < 0:
        raise fail(f"revision must be a positive integer: {given['revision']}")
    show = (yield from outputs.of(given)) if given["output"] else None
    infos, errors = yield from _infos(line, given)
    for info in infos:
        try:
            kept = yield from _revisions(line, info)
            _tell_history(line, given, info, kept, show)
        except Failed as problem:
            errors.append(problem)
    together(errors)


def _tell_history(line: Line, given: Given, info: Info, kept: dict[int, Any], show: Any) -> None:
    wanted = given["revision"]
    if wanted and wanted not in kept and (kept or show):
        raise fail("unable to find the specified revision")
    if show is not None:
        for number in [wanted] if wanted else sorted(kept):
            line.screen.out(show(kept[number]))
        return
    if not kept:
        text = "No rollout history found."
    elif wanted:
        text = template_text(_template(kept[wanted]))
    else:
        rows = [f"{number}\t{_cause(kept[number])}\n" for number in sorted(kept)]
        text = aligned("REVISION\tCHANGE-CAUSE\n" + "".join(rows), 0, 2)
    note = f"with revision #{wanted}" if wanted else ""
    line.screen.line(f"{info.called} {note}\n{text}")


def _cause(one: Any) -> str:
    return (one["metadata"].get("annotations") or {}).get(CAUSE) or "<none>"


def _template(one: Any) -> Any:
    template = one["spec"]["template"]
    cause = (one["metadata"].get("annotations") or {}).get(CAUSE)
    if not cause:
        return template
    meta = template.get("metadata") or {}
    notes = {**(meta.get("annotations") or {}), CAUSE: cause}
    return {**template, "metadata": {**meta, "annotations": notes}}


def _revisions(line: Line, info: Info) -> Steps:
    """Number → what was then: a ReplicaSet, or the object itself with that template."""
    if info.resource.name not in HISTORIES or info.resource.group != "apps":
        raise fail(_no("history viewer", "history", info))
    selector = targets.selector_of(info.obj["spec"]["selector"])
    kind = "replicasets" if info.resource.name == "deployments" else "controllerrevisions"
    resource = yield from line.known.find(f"{kind}.apps")
    items = yield from line.list(resource, info.namespace, ("labelSelector", selector))
    mine = [item for item in items if _is_of(item, info.obj)]
    if kind == "replicasets":
        notes = ((item, (item["metadata"].get("annotations") or {}).get(REVISION, "")) for item in mine)
        return {int(number): item for item, number in notes if number.isdigit()}
    return {item["revision"]: {**_at(info.obj, item), "revisionData": item["data"]} for item in mine}


def _no(what: str, doing: str, info: Info) -> str:
    if info.resource.name in KNOWN:
        return f'no {what} has been implemented for "{_kind(info)}"'
    one = info.resource
    return f'error retrieving {doing} for "{_kind(info)}", no visitor method exists for {{{one.group} {one.kind}}}'


def _is_of(item: Any, owner: Any) -> bool:
    owners = item["metadata"].get("ownerReferences") or []
    return any(one.get("controller") and one["uid"] == owner["metadata"]["uid"] for one in owners)


def _at(obj: Any, revision: Any) -> Any:
    """*obj* as it was at a revision."""
    type = published.type_of(obj["apiVersion"], obj["kind"])
    was = strategic.merge(obj, revision["data"], published.lookup, type)
    notes = (revision["metadata"].get("annotations") or {}).get(CAUSE)
    meta = {**was["metadata"], "annotations": {CAUSE: notes} if notes else {}}
    return {**was, "metadata": meta}


# -- undo --------------------------------------------------------------------------------------------------------------
def undo(line: Line, given: Given) -> Steps:
    """Back to an earlier revision."""
    how = yield from writing.of(line, given, "", checks=False)
    infos, errors = yield from _infos(line, given)
    for info in infos:
        try:
            if LAST_APPLIED in (info.obj["metadata"].get("annotations") or {}):
                line.screen.complain(_managed(info))
            text = yield from _rolled_back(line, given, how, info)
            how.tell(info.obj, text)
        except Failed as problem:
            errors.append(problem)
    together(errors)


def _managed(info: Info) -> str:
    return (
        f"Warning: resource {info.resource.name}/{info.name} was previously managed with 'kubectl apply'. Rolling back "
        f"will not update the {LAST_APPLIED} annotation, which may cause unexpected behavior on future 'kubectl apply' "
        "operations. Consider using 'kubectl apply' with your previous configuration file instead."
    )


def _rolled_back(line: Line, given: Given, how: writing.Writing, info: Info) -> Steps:
    kept = yield from _revisions(line, info)
    number = _chosen(info, kept, given["to-revision"])
    was = kept[number]
    template = _without_hash(was["spec"]["template"])
    if how.dry == writing.CLIENT:
        return template_text(was["spec"]["template"])
    if info.obj["spec"].get("paused"):
        resume = "resume it first with 'kubectl rollout resume' and try again"
        raise fail(f"you cannot rollback a paused deployment; {resume}")
    if template == _without_hash(info.obj["spec"]["template"]):
        return f"skipped rollback (current template already matches revision {given['to-revision']})"
    query = tuple(pair for pair in how.query if pair[0] == "dryRun")
    try:
        if "revisionData" in was:
            yield from line.send("PATCH", info.path, was["revisionData"], query, STRATEGIC)
        else:
            yield from line.send("PATCH", info.path, _restore(info, was, template), query, JSON_PATCH)
    except Refused as problem:
        raise fail(f"failed restoring revision {given['to-revision']}: {problem.message}") from None
    return "rolled back"


def _chosen(info: Info, kept: dict[int, Any], wanted: int) -> int:
    if wanted and wanted not in kept:
        raise fail(f"unable to find specified revision {wanted} in history")
    if wanted:
        return wanted
    if len(kept) < 2:
        if info.resource.name == "deployments":
            raise fail(f'no rollout history found for deployment "{info.name}"')
        raise fail("no last revision to roll back to")
    return sorted(kept)[-2]


def _without_hash(template: Any) -> Any:
    meta = template.get("metadata") or {}
    labels = {key: value for key, value in (meta.get("labels") or {}).items() if key != HASH}
    return {**template, "metadata": {**meta, "labels": labels}}


def _restore(info: Info, was: Any, template: Any) -> Any:
    now = info.obj["metadata"].get("annotations") or {}
    then = was["metadata"].get("annotations") or {}
    notes = {key: now[key] for key in SKIPPED if key in now}
    notes |= {key: value for key, value in then.items() if key not in SKIPPED}
    return [
        {"op": "replace", "path": "/spec/template", "value": template},
        {"op": "replace", "path": "/metadata/annotations", "value": notes},
    ]


# -- restart, pause, resume --------------------------------------------------------------------------------------------
def restart(line: Line, given: Given) -> Steps:
    """New pods, by a note in the template."""
    at = timestamp(line.now)
    body = {"spec": {"template": {"metadata": {"annotations": {RESTARTED: at}}}}}
    yield from _each(line, given, "restarted", lambda info: _may_restart(info) or body)


def _may_restart(info: Info) -> Any:
    if info.resource.name not in HISTORIES or info.resource.group != "apps":
        raise fail("restarting is not supported")
    if info.obj["spec"].get("paused"):
        raise fail("can't restart paused deployment (run rollout resume first)")
    return None


def pause(line: Line, given: Given) -> Steps:
    """Let a rollout stand."""
    yield from _each(line, given, "paused", lambda info: _turned(info, True))


def resume(line: Line, given: Given) -> Steps:
    """Let it go on."""
    yield from _each(line, given, "resumed", lambda info: _turned(info, None))


def _turned(info: Info, paused: bool | None) -> Any:
    if info.resource.name != "deployments":
        raise fail("pausing is not supported" if paused else "resuming is not supported")
    if bool(info.obj["spec"].get("paused")) == bool(paused):
        raise fail("is already paused" if paused else "is not paused")
    return {"spec": {"paused": paused}}


def _each(line: Line, given: Given, deed: str, body: Any) -> Steps:
    show = (yield from outputs.of(given)) if given["output"] else None
    infos, errors = yield from _infos(line, given)
    if _nothing(line, infos, errors):
        return
    query = (("fieldManager", given["field-manager"] or "kubectl-rollout"),)
    for info in infos:
        try:
            change = body(info)
        except Failed as problem:
            why = str(problem).removeprefix("error: ")
            errors.append(fail(f'error: {info.resource.called} "{info.name}" {why}'))
            continue
        try:
            after = yield from line.send("PATCH", info.path, change, query, STRATEGIC)
        except Refused as problem:
            errors.append(fail(f"failed to patch: {problem.message}"))
            continue
        writing.Writing("none", (), show, line).tell(after, deed)
    together(errors)
