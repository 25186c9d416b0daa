"""APIServices: who serves a version of a group; the server makes one for each that it serves itself.

Models k/kube-aggregator pkg/registry/apiservice strategy; k/kube-aggregator pkg/apis/apiregistration/validation
ValidateAPIService; defaults: k/kube-aggregator pkg/apis/apiregistration/v1 SetDefaults_ServiceReference.
Simplified: a service that is not this server's own is not called.
"""

from typing import Any

from kubemini.api import names
from kubemini.api.kinds import KNOWN
from kubemini.api.objects import Obj, get
from kubemini.api.timestamps import timestamp
from kubemini.apiserver.columns import AGE, NAME, Column
from kubemini.apiserver.rules.causes import Wrong, each, invalid, required, shown, supported
from kubemini.apiserver.rules.filling import unset
from kubemini.apiserver.served import ServedKind, serve

LOCAL = "Local APIServices are always available"
HIGHEST_GROUP, HIGHEST_VERSION = 20_000, 1_000
NO_GROUP = "only v1 may have an empty group and it better be legacy kube"
STATUSES = ("True", "False", "Unknown")


def defaults(obj: Obj) -> Obj:
    """*obj* with the port of its service."""
    service = get(obj, "spec", "service")
    return {**obj, "spec": {**obj["spec"], "service": unset(service, port=443)}} if service is not None else obj


def begun(obj: Obj, now: int) -> Obj:
    """A service of this server's own is there at once."""
    status: dict[str, Any] = {}
    if get(obj, "spec", "service") is None:
        told = {"type": "Available", "status": "True", "lastTransitionTime": timestamp(now)}
        status["conditions"] = [{**told, "reason": "Local", "message": LOCAL}]
    return {**obj, "status": status}


def rules(obj: Obj) -> Wrong:
    """Every complaint."""
    spec, name = obj.get("spec") or {}, obj["metadata"].get("name", "")
    group, version = spec.get("group") or "", spec.get("version") or ""
    if name and not names.path_segment(name) and name != f"{version}.{group}":
        wanted = shown(f"{version}.{group}")
        yield invalid("metadata.name", name, f'must be `spec.version+"."+spec.group`: {wanted}')
    if not group and version != "v1":
        yield required("spec.group", NO_GROUP)
    if group:
        yield from each(names.dns_subdomain(group), "spec.group", group)
    yield from each(names.dns1035_label(version), "spec.version", version)
    for field, highest in (("groupPriorityMinimum", HIGHEST_GROUP), ("versionPriority", HIGHEST_VERSION)):
        if not 0 < (spec.get(field) or 0) <= highest:
            yield invalid(f"spec.{field}", spec.get(field) or 0, f"must be positive and less than {highest}")
    if spec.get("service") is None:
        yield from _local(spec)
    else:
        yield from _remote(spec, spec["service"])


def _local(spec: Obj) -> Wrong:
    if spec.get("caBundle"):
        count = len(spec["caBundle"].rstrip("=")) * 3 // 4
        yield invalid("spec.caBundle", f"{count} bytes", "local APIServices may not have a caBundle")
    if spec.get("insecureSkipTLSVerify"):
        yield invalid("spec.insecureSkipTLSVerify", True, "local APIServices may not have insecureSkipTLSVerify")


def _remote(spec: Obj, service: Obj) -> Wrong:
    for field in ("namespace", "name"):
        if not service.get(field):
            yield required(f"spec.service.{field}")
    if wrong := names.port_number(service["port"]):
        yield invalid("spec.service.port", service["port"], "port is not valid: " + ", ".join(wrong))
    if spec.get("insecureSkipTLSVerify") and spec.get("caBundle"):
        yield invalid("spec.insecureSkipTLSVerify", True, "may not be true if caBundle is present")


def status_rules(new: Obj, old: Obj) -> Wrong:
    """A condition is true, false or unknown."""
    for number, condition in enumerate(get(new, "status", "conditions") or ()):
        yield from supported(f"status.conditions[{number}].status", condition.get("status", ""), STATUSES)


def _service(obj: Obj, now: int) -> str:
    service = get(obj, "spec", "service")
    return "Local" if service is None else f"{service.get('namespace', '')}/{service.get('name', '')}"


def _available(obj: Obj, now: int) -> str:
    found = [one for one in get(obj, "status", "conditions") or () if one.get("type") == "Available"]
    if not found:
        return "Unknown"
    status, reason = found[0].get("status", ""), found[0].get("reason", "")
    return status if status == "True" or not reason else f"{status} ({reason})"


COLUMNS = (
    NAME,
    Column("Service", _service, description="The reference to the service that hosts this API endpoint."),
    Column("Available", _available, description="Whether this service is available."),
    AGE,
)
serve(
    ServedKind(
        KNOWN["apiregistration.k8s.io/v1", "APIService"],
        subresources=("status",),
        versioned=True,
        name_rule=names.path_segment,
        defaults=defaults,
        begun=begun,
        rules=rules,
        status_rules=status_rules,
        columns=COLUMNS,
        not_simulated=("spec.service",),
    )
)
