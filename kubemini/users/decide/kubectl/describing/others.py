"""Namespaces, quotas, config maps, secrets, accounts, roles, budgets, autoscalers and priority classes described.

Models k/kubectl pkg/describe describeNamespace describeQuota describeSecret describeServiceAccount
describePodDisruptionBudgetV1 describeHorizontalPodAutoscalerV2 describePriorityClass; ConfigMapDescriber.Describe,
RoleDescriber.Describe RoleBindingDescriber.Describe.
Simplified: of an autoscaler no behavior is described.
"""

import base64
from typing import Any

from kubemini.users.decide.kubectl.asking import Steps
from kubemini.users.decide.kubectl.describing import around
from kubemini.users.decide.kubectl.describing.page import NONE, Page, date, truth
from kubemini.users.decide.kubectl.line import Line
from kubemini.users.decide.kubectl.printing import rules
from kubemini.users.decide.kubectl.printing.tables import joined
from kubemini.users.decide.kubectl.targets import Info, selector_of

SCOPES = {
    "Terminating": "Matches all pods that have an active deadline. These pods have a limited lifespan on a node before "
    "being actively terminated by the system.",
    "NotTerminating": "Matches all pods that do not have an active deadline. These pods usually include long running "
    "pods whose container command is not expected to terminate.",
    "BestEffort": "Matches all pods that do not have resource requirements set. These pods have a best effort quality "
    "of service.",
    "NotBestEffort": "Matches all pods that have at least one resource requirement set. These pods have a burstable or "
    "guaranteed quality of service.",
}
LIMITS = ("Type", "Resource", "Min", "Max", "Default Request", "Default Limit", "Max Limit/Request Ratio")


def namespace(line: Line, info: Info, page: Page) -> Steps:
    """The page of a Namespace."""
    quotas = yield from line.list((yield from line.known.find("resourcequotas")), info.name)
    limits = yield from line.list((yield from line.known.find("limitranges")), info.name)
    page.head(info.obj, namespace=False)
    page.marks(info.obj)
    status = info.obj.get("status") or {}
    page.field("Status", status.get("phase", ""))
    if status.get("conditions"):
        page.line("Conditions:")
        rows = (
            (one["type"], one["status"], date(one.get("lastTransitionTime")), one["reason"], one["message"])
            for one in status["conditions"]
        )
        page.table(("Type", "Status", "LastTransitionTime", "Reason", "Message"), rows)
    page.line()
    if quotas:
        page.line("Resource Quotas")
        for one in sorted(quotas, key=lambda one: str(one["metadata"]["name"])):
            page.field("Name", one["metadata"]["name"], 1)
            _scopes(page, one, 1, "* ")
            page.line("Resource\tUsed\tHard", 1)
            page.line("--------\t---\t---", 1)
            for row in _quota_rows(one):
                page.line("\t".join(row), 1)
    else:
        page.line("No resource quota.")
    page.line()
    if limits:
        page.line("Resource Limits\n " + "\t".join(LIMITS))
        page.line(" " + "\t".join("-" * len(head) for head in LIMITS))
        for one in limits:
            for limits_row in _limit_rows(one):
                page.line(" " + "\t".join(limits_row))
    else:
        page.line("No LimitRange resource.")


def quota(line: Line, info: Info, page: Page) -> Steps:
    """The page of a ResourceQuota."""
    page.head(info.obj)
    _scopes(page, info.obj, 0, " * ")
    page.table(("Resource", "Used", "Hard"), _quota_rows(info.obj), 0)
    return
    yield


def _scopes(page: Page, obj: Any, level: int, mark: str) -> None:
    scopes = sorted((obj.get("spec") or {}).get("scopes") or [])
    if scopes:
        page.field("Scopes", ", ".join(scopes), level)
        for one in scopes:
            if one in SCOPES:
                page.line(f"{mark}{SCOPES[one]}", level)


def _quota_rows(obj: Any) -> list[tuple[str, str, str]]:
    status = obj.get("status") or {}
    hard, used = status.get("hard") or {}, status.get("used") or {}
    return [(name, str(used.get(name, "0")), str(hard[name])) for name in sorted(hard)]


def limit_range(line: Line, info: Info, page: Page) -> Steps:
    """The page of a LimitRange."""
    page.head(info.obj)
    page.table(LIMITS, _limit_rows(info.obj), 0)
    return
    yield


def _limit_rows(obj: Any) -> list[list[str]]:
    keys = ("min", "max", "defaultRequest", "default", "maxLimitRequestRatio")
    rows = []
    for item in (obj.get("spec") or {}).get("limits") or []:
        found = {name: None for key in keys for name in item.get(key) or {}}
        rows += [
            [item["type"], name, *(str((item.get(key) or {}).get(name, "-")) for key in keys)] for name in sorted(found)
        ]
    return rows


# -- data --------------------------------------------------------------------------------------------------------------
def config_map(line: Line, info: Info, page: Page) -> Steps:
    """The page of a ConfigMap."""
    events = yield from around.events(line, info)
    page.head(info.obj)
    page.marks(info.obj)
    page.line("\nData\n====")
    for key, value in sorted((info.obj.get("data") or {}).items()):
        page.line(f"{key}:\n----\n{value}\n")
    page.line("\nBinaryData\n====")
    for key, value in sorted((info.obj.get("binaryData") or {}).items()):
        page.line(f"{key}: {len(base64.b64decode(value))} bytes")
    page.line()
    page.events(events)


def secret(line: Line, info: Info, page: Page) -> Steps:
    """The page of a Secret: how long its values are, not what they are."""
    type = info.obj.get("type", "")
    page.head(info.obj)
    page.marks(info.obj)
    page.line(f"\nType:\t{type}")
    page.line("\nData\n====")
    for key, value in sorted((info.obj.get("data") or {}).items()):
        data = base64.b64decode(value)
        token = key == "token" and type == "kubernetes.io/service-account-token"
        page.field(key, data.decode() if token else f"{len(data)} bytes")
    return
    yield


def account(line: Line, info: Info, page: Page) -> Steps:
    """The page of a ServiceAccount."""
    events = yield from around.events(line, info)
    page.head(info.obj)
    page.marks(info.obj)
    title, blank = "Image pull secrets:", "                   "
    found = [one["name"] for one in info.obj.get("imagePullSecrets") or []] or [NONE]
    for number, name in enumerate(found):
        page.line(f"{blank if number else title}\t{name}")
    page.events(events)


# -- rights ------------------------------------------------------------------------------------------------------------
def role(line: Line, info: Info, page: Page) -> Steps:
    """The page of a Role, or a ClusterRole."""
    page.head(info.obj, namespace=False)
    page.marks(info.obj)
    page.line("PolicyRule:")
    page.table(rules.HEADS, rules.rows(info.obj.get("rules") or []))
    return
    yield


def binding(line: Line, info: Info, page: Page) -> Steps:
    """The page of a RoleBinding, or a ClusterRoleBinding."""
    page.head(info.obj, namespace=False)
    page.marks(info.obj)
    page.line("Role:")
    page.field("Kind", info.obj["roleRef"]["kind"], 1)
    page.field("Name", info.obj["roleRef"]["name"], 1)
    page.line("Subjects:")
    subjects = info.obj.get("subjects") or []
    page.table(
        ("Kind", "Name", "Namespace"), ((one["kind"], one["name"], one.get("namespace", "")) for one in subjects)
    )
    return
    yield


# -- budgets, scaling, priority ----------------------------------------------------------------------------------------
def budget(line: Line, info: Info, page: Page) -> Steps:
    """The page of a PodDisruptionBudget."""
    spec, status = info.obj.get("spec") or {}, info.obj.get("status") or {}
    events = yield from around.events(line, info)
    page.head(info.obj)
    if spec.get("minAvailable") is not None:
        page.field("Min available", spec["minAvailable"])
    elif spec.get("maxUnavailable") is not None:
        page.field("Max unavailable", spec["maxUnavailable"])
    selector = spec.get("selector")
    page.field("Selector", "<unset>" if selector is None else selector_of(selector) or NONE)
    page.line("Status:")
    for title, key in (
        ("Allowed disruptions", "disruptionsAllowed"),
        ("Current", "currentHealthy"),
        ("Desired", "desiredHealthy"),
        ("Total", "expectedPods"),
    ):
        page.field(title, status.get(key, 0), 2)
    page.events(events)


def autoscaler(line: Line, info: Info, page: Page) -> Steps:
    """The page of a HorizontalPodAutoscaler."""
    spec, status = info.obj.get("spec") or {}, info.obj.get("status") or {}
    target = spec["scaleTargetRef"]
    events = yield from around.events(line, info)
    page.head(info.obj)
    page.marks(info.obj)
    page.field("CreationTimestamp", date(info.obj["metadata"].get("creationTimestamp")))
    page.field("Reference", f"{target['kind']}/{target['name']}")
    page.field("Metrics", "( current / target )")
    current = status.get("currentMetrics") or []
    for number, one in enumerate(spec.get("metrics") or []):
        page.line(_metric(one, current[number] if number < len(current) else {}), 1)
    page.field("Min replicas", spec.get("minReplicas", "<unset>"))
    page.field("Max replicas", spec.get("maxReplicas", 0))
    figures = f"{status.get('currentReplicas', 0)} current / {status.get('desiredReplicas', 0)} desired"
    page.field(f"{target['kind']} pods", figures)
    if status.get("conditions"):
        page.line("Conditions:")
        rows = ((one["type"], one["status"], one["reason"], one["message"]) for one in status["conditions"])
        page.table(("Type", "Status", "Reason", "Message"), rows)
    page.events(events)


def _metric(one: Any, now: Any) -> str:
    kind = one["type"]
    key = kind[0].lower() + kind[1:]
    said, target = one[key], one[key].get("target") or {}
    there = (now.get(key) or {}).get("current") or {}
    if kind in ("Resource", "ContainerResource"):
        of = f' of container "{said["container"]}"' if kind == "ContainerResource" else ""
        head = f"resource {said['name']}{of} on pods"
        if target.get("averageValue") is not None:
            return f"{head}:\t{there.get('averageValue', '<unknown>')} / {target['averageValue']}"
        used, value = there.get("averageUtilization"), there.get("averageValue", "")
        wanted = target.get("averageUtilization")
        shown = "<unknown>" if used is None else f"{used}% ({value})"
        return f"{head}  (as a percentage of request):\t{shown} / {'<auto>' if wanted is None else f'{wanted}%'}"
    name = said["metric"]["name"]
    average = target.get("averageValue") is not None
    value = there.get("averageValue" if average else "value", "<unknown>")
    wanted = target.get("averageValue") if average else target.get("value")
    which = "target average value" if average else "target value"
    if kind == "Pods":
        return f'"{name}" on pods:\t{value} / {wanted}'
    on = f" on {said['describedObject']['kind']}/{said['describedObject']['name']}" if kind == "Object" else ""
    return f'"{name}"{on} ({which}):\t{value} / {wanted}'


def priority_class(line: Line, info: Info, page: Page) -> Steps:
    """The page of a PriorityClass."""
    events = yield from around.events(line, info)
    page.head(info.obj, namespace=False)
    page.field("Value", info.obj.get("value", 0))
    page.field("GlobalDefault", truth(info.obj.get("globalDefault")))
    page.field("PreemptionPolicy", info.obj.get("preemptionPolicy", ""))
    page.field("Description", info.obj.get("description", ""))
    page.field("Annotations", joined(info.obj["metadata"].get("annotations") or {}))
    page.events(events)
