"""TLSRoutes: a custom resource of Gateway API.

Models kubernetes-sigs/gateway-api apis/v1 TLSRouteSpec; its CRD of release 1.5.1 and the rules in CEL there.
"""

import ipaddress
import re

from kubemini.api.kinds import TLS_ROUTE
from kubemini.api.objects import Obj
from kubemini.apiserver.kinds.routing.httproute import backends, parents, summary
from kubemini.apiserver.rules import customresource
from kubemini.apiserver.rules.causes import Wrong, indexed
from kubemini.apiserver.rules.customresource import says
from kubemini.apiserver.served import ServedKind, serve

NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
WILDCARDS = "Wildcards on hostnames must be the first label, and the rest of hostname must be valid based on RFC-1123"


def rules(obj: Obj) -> Wrong:
    """Every complaint."""
    yield from customresource.complaints(obj, _cel)


def _cel(obj: Obj) -> Wrong:
    spec = obj["spec"]
    hosts, path = spec.get("hostnames") or (), "spec.hostnames"
    if any(_is_address(host) for host in hosts):
        yield says(path, "Hostnames cannot contain an IP")
    if not all(NAME.fullmatch(host) for host in hosts if "*" not in host):
        yield says(path, "Hostnames must be valid based on RFC-1123")
    if not all(host.startswith("*.") and NAME.fullmatch(host[2:]) for host in hosts if "*" in host):
        yield says(path, WILDCARDS)
    yield from parents(spec.get("parentRefs") or (), "spec.parentRefs")
    yield from indexed(spec.get("rules"), "spec.rules", _rule)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _rule(rule: Obj, path: str) -> Wrong:
    yield from backends(rule.get("backendRefs") or (), f"{path}.backendRefs")


serve(
    ServedKind(
        TLS_ROUTE,
        subresources=("status",),
        counted=True,
        defaults=customresource.defaults,
        rules=rules,
        summary=summary,
    )
)
