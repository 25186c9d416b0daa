"""GRPCRoutes: a custom resource of Gateway API.

Models kubernetes-sigs/gateway-api apis/v1 GRPCRouteSpec, GRPCMethodMatch; its CRD of release 1.5.1 and the rules in
CEL there.
Simplified: of the rules in CEL those about methods, back ends and parents.
"""

import re

from kubemini.api.kinds import GRPC_ROUTE
from kubemini.api.objects import Obj
from kubemini.apiserver.kinds.routing.httproute import backends, parents, summary
from kubemini.apiserver.rules import customresource
from kubemini.apiserver.rules.causes import Wrong, indexed
from kubemini.apiserver.rules.customresource import says
from kubemini.apiserver.served import ServedKind, serve

CHARACTERS = {
    "service": r"^(?i)\.?[a-z_][a-z_0-9]*(\.[a-z_][a-z_0-9]*)*$",
    "method": r"^[A-Za-z_][A-Za-z_0-9]*$",
}


def rules(obj: Obj) -> Wrong:
    """Every complaint."""
    yield from customresource.complaints(obj, _cel)


def _cel(obj: Obj) -> Wrong:
    yield from parents(obj["spec"].get("parentRefs") or (), "spec.parentRefs")
    yield from indexed(obj["spec"].get("rules"), "spec.rules", _rule)


def _rule(rule: Obj, path: str) -> Wrong:
    for number, match in enumerate(rule.get("matches") or ()):
        yield from _method(match.get("method"), f"{path}.matches[{number}].method")
    yield from backends(rule.get("backendRefs") or (), f"{path}.backendRefs")


def _method(method: Obj | None, path: str) -> Wrong:
    if method is None:
        return
    if not method.get("service") and not method.get("method"):
        yield says(path, "One or both of 'service' or 'method' must be specified")
    for field, pattern in CHARACTERS.items():
        value = method.get(field) or ""
        fits = re.search(pattern.replace("(?i)", ""), value, re.IGNORECASE)
        if value and method.get("type", "Exact") == "Exact" and not fits:
            yield says(path, f"{field} must only contain valid characters (matching {pattern})")


serve(
    ServedKind(
        GRPC_ROUTE,
        acted_on=True,
        subresources=("status",),
        counted=True,
        defaults=customresource.defaults,
        rules=rules,
        summary=summary,
    )
)
