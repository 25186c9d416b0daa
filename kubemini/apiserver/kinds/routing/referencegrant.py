"""ReferenceGrants: a custom resource of Gateway API.

Models kubernetes-sigs/gateway-api apis/v1 ReferenceGrantSpec; its CRD of release 1.5.1 (there without a status, and
without rules in CEL).
"""

from typing import Any

from kubemini.api.kinds import REFERENCE_GRANT
from kubemini.api.objects import Obj, get
from kubemini.apiserver.rules import customresource
from kubemini.apiserver.rules.causes import Wrong, nothing
from kubemini.apiserver.served import ServedKind, serve


def rules(obj: Obj) -> Wrong:
    """Every complaint."""
    yield from customresource.complaints(obj, nothing)


def summary(obj: Obj) -> dict[str, Any]:
    """Which namespaces it trusts."""
    return {"from": ", ".join(one["namespace"] for one in get(obj, "spec", "from") or ())}


serve(
    ServedKind(
        REFERENCE_GRANT, acted_on=True, counted=True, defaults=customresource.defaults, rules=rules, summary=summary
    )
)
