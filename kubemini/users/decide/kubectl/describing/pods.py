"""A pod described.

Models k/kubectl pkg/describe describePod.
"""

from typing import Any

from kubemini.users.decide.kubectl.asking import Steps
from kubemini.users.decide.kubectl.describing import around
from kubemini.users.decide.kubectl.describing.page import Page, date, owner, since
from kubemini.users.decide.kubectl.describing.podspec import containers, spreading, tolerations, volumes
from kubemini.users.decide.kubectl.line import Line
from kubemini.users.decide.kubectl.targets import Info


def pod(line: Line, info: Info, page: Page) -> Steps:
    """The page of a pod."""
    obj, spec, status = info.obj, info.obj["spec"], info.obj.get("status") or {}
    events = yield from around.events(line, info)
    page.head(obj)
    _placing(page, spec, status)
    page.marks(obj)
    _fate(page, obj, status)
    page.field("IP", status.get("podIP", ""))
    ips = status.get("podIPs") or []
    page.line("IPs:" + ("" if ips else "\t<none>"))
    for one in ips:
        page.field("IP", one["ip"], 1)
    if owner(obj):
        page.field("Controlled By", owner(obj))
    if status.get("nominatedNodeName"):
        page.field("NominatedNodeName", status["nominatedNodeName"])
    for title, key, states in (
        ("Init Containers", "initContainers", "initContainerStatuses"),
        ("Containers", "containers", "containerStatuses"),
        ("Ephemeral Containers", "ephemeralContainers", "ephemeralContainerStatuses"),
    ):
        if spec.get(key) or key == "containers":
            containers(page, title, spec.get(key) or [], status.get(states) or [], "", obj)
    _gates(page, spec, status)
    volumes(page, spec.get("volumes") or [], "")
    page.field("QoS Class", status.get("qosClass", ""))
    page.labels("Node-Selectors", spec.get("nodeSelector"))
    page.several("Tolerations", tolerations(spec.get("tolerations") or []))
    spreading(page, spec.get("topologySpreadConstraints") or [], "")
    page.events(events)


def _placing(page: Page, spec: Any, status: Any) -> None:
    if spec.get("priority") is not None:
        page.field("Priority", spec["priority"])
    for title, key in (
        ("Priority Class Name", "priorityClassName"),
        ("Runtime Class Name", "runtimeClassName"),
        ("Service Account", "serviceAccountName"),
    ):
        if spec.get(key):
            page.field(title, spec[key])
    node = spec.get("nodeName")
    page.field("Node", f"{node}/{status.get('hostIP', '')}" if node else "<none>")
    if status.get("startTime"):
        page.field("Start Time", date(status["startTime"]))


def _fate(page: Page, obj: Any, status: Any) -> None:
    meta, phase = obj["metadata"], status.get("phase", "")
    if meta.get("deletionTimestamp") and phase not in ("Failed", "Succeeded"):
        page.field("Status", f"Terminating (lasts {since(meta['deletionTimestamp'], page.now)})")
        page.field("Termination Grace Period", f"{meta.get('deletionGracePeriodSeconds', 0)}s")
    else:
        page.field("Status", phase)
    for title, key in (("Reason", "reason"), ("Message", "message")):
        if status.get(key):
            page.field(title, status[key])
    profile = (obj["spec"].get("securityContext") or {}).get("seccompProfile")
    if profile:
        page.field("SeccompProfile", profile["type"])
        if profile["type"] == "Localhost":
            page.field("LocalhostProfile", profile.get("localhostProfile", ""))


def _gates(page: Page, spec: Any, status: Any) -> None:
    conditions = status.get("conditions") or []
    if spec.get("readinessGates"):
        known = {one["type"]: one["status"] for one in conditions}
        page.line("Readiness Gates:\n  Type\tStatus")
        for gate in spec["readinessGates"]:
            page.line(f"{gate['conditionType']} \t{known.get(gate['conditionType'], '<none>')} ", 1)
    if conditions:
        page.line("Conditions:\n  Type\tStatus")
        for one in conditions:
            page.line(f"{one['type']} \t{one['status']} ", 1)
