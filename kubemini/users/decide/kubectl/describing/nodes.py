"""A node described: what it is, how it is, what it has, and who uses it.

Models k/kubectl pkg/describe describeNode describeNodeResource describeNodeLease findNodeRoles.
Simplified: no huge pages, and no devices of resource slices.
"""

from typing import Any

from kubemini.api.quantity import Quantity, parse
from kubemini.api.usage import amounts, pods
from kubemini.users.decide.kubectl.asking import Refused, Steps
from kubemini.users.decide.kubectl.describing import around
from kubemini.users.decide.kubectl.describing.page import NONE, Page, date, since, truth
from kubemini.users.decide.kubectl.line import Line
from kubemini.users.decide.kubectl.targets import Info

ROLE, OLD_ROLE = "node-role.kubernetes.io/", "kubernetes.io/role"
LEASES = "kube-node-lease"
NOTHING = Quantity(parse("0").amount)
USED = ("cpu", "memory", "ephemeral-storage")
SYSTEM = (
    ("Machine ID", "machineID"),
    ("System UUID", "systemUUID"),
    ("Boot ID", "bootID"),
    ("Kernel Version", "kernelVersion"),
    ("OS Image", "osImage"),
    ("Operating System", "operatingSystem"),
    ("Architecture", "architecture"),
    ("Container Runtime Version", "containerRuntimeVersion"),
    ("Kubelet Version", "kubeletVersion"),
)


def node(line: Line, info: Info, page: Page) -> Steps:
    """The page of a Node."""
    obj, spec, status = info.obj, info.obj.get("spec") or {}, info.obj.get("status") or {}
    fields = f"spec.nodeName={info.name},status.phase!=Failed,status.phase!=Succeeded"
    try:
        resource = yield from line.known.find("pods")
        running = yield from line.list(resource, "", ("fieldSelector", fields))
    except Refused as problem:
        if problem.reason != "Forbidden":
            raise
        running = None
    events = yield from around.events(line, info)
    page.field("Name", info.name)
    page.field("Roles", _roles(obj["metadata"].get("labels") or {}))
    page.marks(obj)
    page.field("CreationTimestamp", date(obj["metadata"].get("creationTimestamp")))
    page.several("Taints", _taints(spec.get("taints") or []))
    page.field("Unschedulable", truth(spec.get("unschedulable")))
    yield from _lease(line, info, page)
    _conditions(page, status.get("conditions") or [])
    page.line("Addresses:")
    for one in status.get("addresses") or []:
        page.field(one["type"], one["address"], 1)
    for title, key in (("Capacity", "capacity"), ("Allocatable", "allocatable")):
        if status.get(key):
            page.line(f"{title}:")
            for name in sorted(status[key]):
                page.field(f"  {name}", status[key][name])
    page.line("System Info:")
    for title, key in SYSTEM:
        page.field(f"  {title}", (status.get("nodeInfo") or {}).get(key, ""))
    if spec.get("podCIDR"):
        page.field("PodCIDR", spec["podCIDR"])
    if spec.get("podCIDRs"):
        page.field("PodCIDRs", ",".join(spec["podCIDRs"]))
    if spec.get("providerID"):
        page.field("ProviderID", spec["providerID"])
    if running is None:
        page.field("Pods", "not authorized")
    else:
        _usage(page, running, amounts.read(status.get("allocatable") or status.get("capacity")))
    page.events(events)


def _roles(labels: dict[str, str]) -> str:
    found = [key.removeprefix(ROLE) for key in labels if key.startswith(ROLE) and key != ROLE]
    found += [labels[OLD_ROLE]] if labels.get(OLD_ROLE) else []
    return ",".join(sorted(dict.fromkeys(found))) or NONE


def _taints(found: list[Any]) -> list[str]:
    in_order = sorted(found, key=lambda one: f"{one['effect']},{one['key']}")
    return [f"{one['key']}{'=' + one['value'] if one.get('value') else ''}:{one['effect']}" for one in in_order]


def _lease(line: Line, info: Info, page: Page) -> Steps:
    try:
        resource = yield from line.known.find("leases.coordination.k8s.io")
        lease = yield from line.get(resource, info.name, LEASES)
    except Refused as problem:
        page.field("Lease", f"Failed to get lease: {problem.message}")
        return
    spec = lease.get("spec") or {}
    page.line("Lease:")
    page.field("HolderIdentity", spec.get("holderIdentity", "<unset>"), 1)
    for title, key in (("AcquireTime", "acquireTime"), ("RenewTime", "renewTime")):
        page.field(title, date(spec[key]) if spec.get(key) else "<unset>", 1)


def _conditions(page: Page, found: list[Any]) -> None:
    if not found:
        return
    page.line("Conditions:\n  Type\tStatus\tLastHeartbeatTime\tLastTransitionTime\tReason\tMessage")
    page.line("----\t------\t-----------------\t------------------\t------\t-------", 1)
    for one in found:
        times = f"{date(one.get('lastHeartbeatTime'))} \t{date(one.get('lastTransitionTime'))} "
        told = f"{one.get('reason', '')} \t{one.get('message', '')}"
        page.line(f"{one['type']} \t{one['status']} \t{times}\t{told}", 1)


def _usage(page: Page, running: list[Any], there: amounts.Amounts) -> None:
    page.field("Non-terminated Pods", f"({len(running)} in total)")
    page.line("Namespace\tName\t\tCPU Requests\tCPU Limits\tMemory Requests\tMemory Limits\tAge", 1)
    page.line("---------\t----\t\t------------\t----------\t---------------\t-------------\t---", 1)
    requests: amounts.Amounts = {}
    limits: amounts.Amounts = {}
    for pod in running:
        asked, most, meta = pods.requests(pod), pods.limits(pod), pod["metadata"]
        requests, limits = amounts.add(requests, asked), amounts.add(limits, most)
        figures = (_share(of, name, there) for name in ("cpu", "memory") for of in (asked, most))
        age = since(meta.get("creationTimestamp"), page.now)
        page.line("\t".join((meta.get("namespace", ""), meta["name"], "", *figures, age)), 1)
    page.line("Allocated resources:\n  (Total limits may be over 100 percent, i.e., overcommitted.)")
    page.line("Resource\tRequests\tLimits", 1)
    page.line("--------\t--------\t------", 1)
    for name in USED:
        page.line(f"{name}\t{_share(requests, name, there)}\t{_share(limits, name, there)}", 1)
    for name in sorted(there):
        if name not in (*USED, "pods") and not name.startswith("hugepages-"):
            page.line(f"{name}\t{requests.get(name, NOTHING)}\t{limits.get(name, NOTHING)}", 1)


def _share(of: amounts.Amounts, name: str, there: amounts.Amounts) -> str:
    found, whole = of.get(name, NOTHING), there.get(name, NOTHING)
    if name == "cpu":
        part, total = found.millis, whole.millis
    else:
        part, total = found.whole, whole.whole
    return f"{found} ({part * 100 // total if total else 0}%)"
