"""GatewayClasses: a custom resource of Gateway API.

Models kubernetes-sigs/gateway-api apis/v1 GatewayClassSpec; its CRD of release 1.5.1.
"""

from typing import Any

from kubemini.api.kinds import GATEWAY_CLASS
from kubemini.api.objects import Obj, get
from kubemini.apiserver.rules import customresource
from kubemini.apiserver.rules.causes import Wrong, nothing
from kubemini.apiserver.served import ServedKind, serve


def rules(obj: Obj) -> Wrong:
    """Every complaint."""
    yield from customresource.complaints(obj, nothing)


def changes(new: Obj, old: Obj) -> Wrong:
    """Its controller stays."""
    if get(new, "spec", "controllerName") != get(old, "spec", "controllerName"):
        yield customresource.says("spec.controllerName", "Value is immutable")


def summary(obj: Obj) -> dict[str, Any]:
    """Whose it is."""
    return {"controller": get(obj, "spec", "controllerName") or ""}


serve(
    ServedKind(
        GATEWAY_CLASS,
        acted_on=True,
        subresources=("status",),
        counted=True,
        defaults=customresource.defaults,
        rules=rules,
        changes=changes,
        summary=summary,
    )
)
