"""DaemonSets: a pod on every node.

An annotation counts the changes of the template: what was a field once.
Models k/k pkg/registry/apps/daemonset strategy; k/k pkg/apis/apps/validation ValidateDaemonSetSpec,
ValidateDaemonSetUpdateStrategy, validateDaemonSetStatus; defaults: k/k pkg/apis/apps/v1 SetDefaults_DaemonSet;
columns: k/k pkg/printers/internalversion printDaemonSet.
"""

from typing import Any

from kubemini.api import kinds, labels
from kubemini.api.objects import Obj, evolve, get, without
from kubemini.apiserver.columns import AGE, NAME, Column, pairs
from kubemini.apiserver.columns.workloads import count, wide
from kubemini.apiserver.rules.causes import Wrong, invalid, not_negative, required, unsupported
from kubemini.apiserver.rules.filling import filled
from kubemini.apiserver.rules.gostructs import internal, stays
from kubemini.apiserver.rules.gostructs import selector as as_go
from kubemini.apiserver.rules.metadata import label_selector, readable
from kubemini.apiserver.rules.workloads import replicated
from kubemini.apiserver.rules.workloads.rolling import amount, figure, no_more_than_all
from kubemini.apiserver.served import ServedKind, serve

TEMPLATES = "deprecated.daemonset.template.generation"
COUNTS = ("currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled", "numberReady")
MORE_COUNTS = ("observedGeneration", "updatedNumberScheduled", "numberAvailable", "numberUnavailable", "collisionCount")


def defaults(obj: Obj) -> Obj:
    """*obj* with every default."""
    spec: dict[str, Any] = filled(obj.get("spec"), updateStrategy={}, revisionHistoryLimit=10)
    strategy = filled(spec["updateStrategy"], type="RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        strategy["rollingUpdate"] = filled(strategy.get("rollingUpdate"), maxUnavailable=1, maxSurge=0)
    meta, marks = obj["metadata"], obj["metadata"].get("annotations") or {}
    return {
        **obj,
        "metadata": meta if TEMPLATES in marks else {**meta, "annotations": {**marks, TEMPLATES: "0"}},
        "spec": {**spec, "updateStrategy": strategy, "template": replicated.template_defaults(spec.get("template"))},
    }


def begun(obj: Obj, now: int) -> Obj:
    """The first template, unless the annotation says that it is a later one."""
    return _counted(obj, max(1, _templates(obj)))


def prepare(new: Obj, old: Obj) -> Obj:
    """The count of templates is the server's."""
    changed = new["spec"].get("template") != old["spec"].get("template")
    return _counted(new, _templates(old) + changed)


def _templates(obj: Obj) -> int:
    text = get(obj, "metadata", "annotations", TEMPLATES) or "0"
    return int(text) if text.isascii() and text.isdigit() else 0


def _counted(obj: Obj, number: int) -> Obj:
    if not number:
        return without(obj, ("metadata", "annotations", TEMPLATES))
    return evolve(obj, ("metadata", "annotations", TEMPLATES), str(number))


def rules(obj: Obj) -> Wrong:
    """Every complaint."""
    spec = obj.get("spec") or {}
    selector, template = spec.get("selector"), spec.get("template") or {}
    yield from label_selector(selector, "spec.selector")
    worn = get(template, "metadata", "labels") or {}
    if readable(selector) and not labels.matches(selector, worn):
        yield invalid("spec.template.metadata.labels", worn or None, replicated.NO_MATCH)
    if selector is not None and not selector.get("matchLabels") and not selector.get("matchExpressions"):
        yield invalid("spec.selector", as_go(selector), "empty selector is invalid for daemonset")
    yield from replicated.pod_template(template, "spec.template")
    yield from replicated.runs_on(template, "spec.template.spec", "DaemonSet")
    yield from not_negative(spec, "spec", "minReadySeconds")
    yield from _strategy(spec.get("updateStrategy") or {}, "spec.updateStrategy")
    yield from not_negative(spec, "spec", "revisionHistoryLimit")


def _strategy(strategy: Obj, path: str) -> Wrong:
    how = strategy.get("type", "")
    if how == "RollingUpdate":
        yield from _rolling(strategy.get("rollingUpdate") or {}, f"{path}.rollingUpdate")
    elif how != "OnDelete":
        shown = internal(strategy, "apps.DaemonSetUpdateStrategy")
        yield unsupported(path, shown, ("RollingUpdate", "OnDelete"))


def _rolling(rolling: Obj, path: str) -> Wrong:
    """Models k/k pkg/apis/apps/validation ValidateRollingUpdateDaemonSet"""
    missing, extra = rolling.get("maxUnavailable", 0), rolling.get("maxSurge", 0)
    yield from amount(missing, f"{path}.maxUnavailable")
    yield from amount(extra, f"{path}.maxSurge")
    yield from no_more_than_all(missing, f"{path}.maxUnavailable")
    yield from no_more_than_all(extra, f"{path}.maxSurge")
    if figure(missing) and figure(extra):
        yield invalid(f"{path}.maxSurge", extra, "may not be set when maxUnavailable is non-zero")
    elif not figure(missing) and not figure(extra):
        yield required(f"{path}.maxUnavailable", "cannot be 0 when maxSurge is 0")


def changes(new: Obj, old: Obj) -> Wrong:
    """Whom it picks stays; what else is wrong comes after it."""
    yield from stays(new["spec"].get("selector"), old["spec"].get("selector"), "spec.selector", "*metav1.LabelSelector")
    yield from rules(new)


def status_rules(new: Obj, old: Obj) -> Wrong:
    """Models k/k pkg/apis/apps/validation ValidateDaemonSetStatusUpdate"""
    yield from not_negative(new.get("status") or {}, "status", *COUNTS, *MORE_COUNTS)
    yield from replicated.not_fewer_collisions(new, old)


COLUMNS = (
    NAME,
    count("Desired", "status", "desiredNumberScheduled"),
    count("Current", "status", "currentNumberScheduled"),
    count("Ready", "status", "numberReady"),
    count("Up-to-date", "status", "updatedNumberScheduled"),
    count("Available", "status", "numberAvailable"),
    Column("Node Selector", lambda obj, now: pairs(get(obj, "spec", "template", "spec", "nodeSelector"))),
    AGE,
    *wide(),
)
serve(
    ServedKind(
        kinds.KNOWN["apps/v1", "DaemonSet"],
        subresources=("status",),
        counted=True,
        defaults=defaults,
        begun=begun,
        prepare=prepare,
        create_rules=rules,
        changes=changes,
        status_rules=status_rules,
        first_status=lambda obj: dict.fromkeys(COUNTS, 0),
        columns=COLUMNS,
        unseen=(TEMPLATES,),
        said=False,
        not_simulated=("few:spec",),
    )
)
