"""Ingresses.

Models k/k pkg/registry/networking/ingress strategy; k/k pkg/apis/networking/validation ValidateIngressCreate,
ValidateIngressSpec, validateIngressBackend, validateHTTPIngressPath.
Simplified: what was wrong before is not let pass in an update.
"""

from typing import Any

from kubemini.api import names
from kubemini.api.kinds import INGRESS
from kubemini.api.objects import Obj, get
from kubemini.apiserver.columns import AGE, NAME, NONE, Column, at
from kubemini.apiserver.rules import causes
from kubemini.apiserver.rules.causes import Wrong, each, indexed, invalid, required, supported
from kubemini.apiserver.served import ServedKind, serve

LEGACY_CLASS = "kubernetes.io/ingress.class"
PATH_TYPES = ("Exact", "ImplementationSpecific", "Prefix")
BAD_SEQUENCES = ("//", "/./", "/../", "%2f", "%2F")
BAD_ENDS = ("/..", "/.")


def rules(obj: Obj) -> Wrong:
    """Every complaint."""
    spec = obj.get("spec") or {}
    if not spec.get("rules") and spec.get("defaultBackend") is None:
        yield invalid("spec", None, "either `defaultBackend` or `rules` must be specified")
    if spec.get("defaultBackend") is not None:
        yield from _backend(spec["defaultBackend"], "spec.defaultBackend")
    yield from indexed(spec.get("rules"), "spec.rules", _rule)
    yield from indexed(spec.get("tls"), "spec.tls", _tls)
    name = spec.get("ingressClassName")
    if name is not None:
        yield from each(names.dns_subdomain(name), "spec.ingressClassName", name)


def create_rules(obj: Obj) -> Wrong:
    """The old way of naming a class, and the new one, may not differ."""
    old, new = get(obj, "metadata", "annotations", LEGACY_CLASS), get(obj, "spec", "ingressClassName")
    if old is not None and new is not None and old != new:
        path = f"annotations.{LEGACY_CLASS}"
        yield invalid(path, old, "must match `ingressClassName` when both are specified")


def _host(host: str, path: str) -> Wrong:
    yield from each(names.wildcard(host) if "*" in host else names.dns_subdomain(host), path, host)


def _rule(rule: Obj, path: str) -> Wrong:
    host = rule.get("host") or ""
    if host:
        if causes.address(host) is not None:
            yield invalid(f"{path}.host", host, "must be a DNS name, not an IP address")
        yield from _host(host, f"{path}.host")
    if rule.get("http") is not None:
        paths = rule["http"].get("paths") or ()
        if not paths:
            yield required(f"{path}.http.paths")
        yield from indexed(paths, f"{path}.http.paths", _path)


def _tls(entry: Obj, path: str) -> Wrong:
    yield from indexed(entry.get("hosts"), f"{path}.hosts", _host)
    name = entry.get("secretName") or ""
    if name:
        yield from each(names.dns_subdomain(name), f"{path}.secretName", name)


def _path(entry: Obj, path: str) -> Wrong:
    how, value = entry.get("pathType"), entry.get("path") or ""
    if how is None:
        yield required(f"{path}.pathType", "pathType must be specified")
        return
    yield from supported(f"{path}.pathType", how, PATH_TYPES)
    if how in PATH_TYPES and not value.startswith("/") and (value or how != "ImplementationSpecific"):
        yield invalid(f"{path}.path", value, "must be an absolute path")
    if how in ("Exact", "Prefix"):
        for text in BAD_SEQUENCES:
            if text in value:
                yield invalid(f"{path}.path", value, f"must not contain '{text}'")
        for text in BAD_ENDS:
            if value.endswith(text):
                yield invalid(f"{path}.path", value, f"cannot end with '{text}'")
    yield from _backend(entry.get("backend") or {}, f"{path}.backend")


def _backend(backend: Obj, path: str) -> Wrong:
    service, resource = backend.get("service"), backend.get("resource")
    if service is not None and resource is not None:
        yield invalid(path, "", "cannot set both resource and service backends")
    elif resource is not None:
        if resource.get("apiGroup") is not None:
            yield from each(
                names.dns_subdomain(resource["apiGroup"]), f"{path}.resource.apiGroup", resource["apiGroup"]
            )
        for field in ("kind", "name"):
            if not resource.get(field):
                yield required(f"{path}.resource.{field}")
            else:
                yield from each(names.path_segment(resource[field]), f"{path}.resource.{field}", resource[field])
    elif service is None:
        yield invalid(path, "", "resource or service backend is required")
    else:
        yield from _service(service, path)


def _service(service: Obj, path: str) -> Wrong:
    name, port = service.get("name") or "", service.get("port") or {}
    if not name:
        yield required(f"{path}.service.name")
    else:
        yield from each(names.dns_label(name), f"{path}.service.name", name)
    called, number = port.get("name") or "", port.get("number") or 0
    if called and number:
        yield invalid(path, "", "cannot set both port name & port number")
    elif called:
        yield from each(names.port_name(called), f"{path}.service.port.name", called)
    elif number:
        yield from each(names.port_number(number), f"{path}.service.port.number", number)
    else:
        yield required(path, "port name or number is required")


def status_rules(new: Obj, old: Obj) -> Wrong:
    """Where it can be reached: addresses that were not there before, and names."""
    before = [entry.get("ip") for entry in get(old, "status", "loadBalancer", "ingress") or ()]
    for number, entry in enumerate(get(new, "status", "loadBalancer", "ingress") or ()):
        path, ip, name = f"status.loadBalancer.ingress[{number}]", entry.get("ip"), entry.get("hostname")
        if ip and ip not in before:
            yield from causes.ip(ip, f"{path}.ip")
        if name:
            yield from each(names.dns_subdomain(name), f"{path}.hostname", name)
            if causes.address(name) is not None:
                yield invalid(f"{path}.hostname", name, "must be a DNS name, not an IP address")


def warnings(obj: Obj, old: Obj | None) -> list[str]:
    """The old way to name a class."""
    old_way = get(obj, "metadata", "annotations", LEGACY_CLASS) is not None
    if old is not None or not old_way or get(obj, "spec", "ingressClassName") is not None:
        return []
    return [f"annotation \"{LEGACY_CLASS}\" is deprecated, please use 'spec.ingressClassName' instead"]


# -- columns -----------------------------------------------------------------------------------------


def _hosts(obj: Obj, now: int) -> str:
    rules = get(obj, "spec", "rules") or ()
    shown: list[str] = []
    for rule in rules:
        if len(shown) == MOST_SHOWN:
            return f"{','.join(shown)} + {len(rules) - MOST_SHOWN} more..."
        shown += [rule["host"]] if rule.get("host") else []
    return ",".join(shown) or "*"


def _address(obj: Obj, now: int) -> str:
    entries = get(obj, "status", "loadBalancer", "ingress") or ()
    return ",".join(sorted({entry.get("ip") or entry.get("hostname") or "" for entry in entries} - {""}))


def _ports(obj: Obj, now: int) -> str:
    return "80, 443" if get(obj, "spec", "tls") else "80"


MOST_SHOWN = 3
COLUMNS = (
    NAME,
    Column(
        "Class",
        at("spec", "ingressClassName", default=NONE),
        description="The name of the IngressClass resource that should be used for additional configuration",
    ),
    Column("Hosts", _hosts, description="Hosts that incoming requests are matched against before the ingress rule"),
    Column("Address", _address, description="Address is a list containing ingress points for the load-balancer"),
    Column("Ports", _ports, description="Ports of TLS configurations that open"),
    AGE,
)


def summary(obj: Obj) -> dict[str, Any]:
    """Its class, and the addresses that a controller gave it: none without one."""
    ips = [
        entry.get("ip") or entry.get("hostname") or "" for entry in get(obj, "status", "loadBalancer", "ingress") or ()
    ]
    return {"class": get(obj, "spec", "ingressClassName") or "", "address": ", ".join(ips)}


serve(
    ServedKind(
        INGRESS,
        acted_on=True,
        subresources=("status",),
        counted=True,
        rules=rules,
        create_rules=create_rules,
        status_rules=status_rules,
        warnings=warnings,
        columns=COLUMNS,
        first_status=lambda obj: {"loadBalancer": {}},
        summary=summary,
    )
)
