"""Ingresses.

Models k/k pkg/registry/networking/ingress strategy; k/k pkg/apis/networking/validation ValidateIngressCreate,
ValidateIngressSpec, validateIngressBackend, validateHTTPIngressPath.
Simplified: the deprecated annotation for the class is not warned of; the status is not judged.
"""

from typing import Any

from kubemini.api import names
from kubemini.api.kinds import INGRESS
from kubemini.api.objects import Obj, get
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
        path = f"metadata.annotations.{LEGACY_CLASS}"
        yield invalid(path, old, "must match `ingressClassName` when both are specified")


def _host(host: str, path: str) -> Wrong:
    yield from each(names.wildcard(host) if "*" in host else names.dns_subdomain(host), path, host)


def _rule(rule: Obj, path: str) -> Wrong:
    host = rule.get("host") or ""
    if host:
        if causes.address(host) is not None:
            yield invalid(f"{path}.host", host, "must be a DNS name, not an IP address")
        else:
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
    if not how:
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
        for field in ("kind", "name"):
            if not resource.get(field):
                yield required(f"{path}.resource.{field}")
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
        first_status=lambda obj: {"loadBalancer": {}},
        summary=summary,
    )
)
