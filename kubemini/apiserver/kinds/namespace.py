"""Namespaces.

Models k/k pkg/registry/core/namespace strategy; defaults: k/k pkg/apis/core/v1 SetDefaults_Namespace.
"""

from typing import Any

from kubemini.api import names
from kubemini.api.kinds import NAMESPACE
from kubemini.api.objects import Obj, get
from kubemini.apiserver.rules.containers import filled
from kubemini.apiserver.served import ServedKind, serve

NAME_LABEL = "kubernetes.io/metadata.name"


def defaults(obj: Obj) -> Obj:
    """*obj* with its name as a label, and the finalizer that empties it before it goes."""
    meta = obj["metadata"]
    labels = {**(meta.get("labels") or {}), NAME_LABEL: meta.get("name", "")}
    spec = filled(obj.get("spec"), finalizers=["kubernetes"])
    status = filled(obj.get("status"), phase="Active")
    return {**obj, "metadata": {**meta, "labels": labels}, "spec": spec, "status": status}


def summary(namespace: Obj) -> dict[str, Any]:
    """Active, or going."""
    return {"phase": get(namespace, "status", "phase", default="")}


serve(
    ServedKind(
        NAMESPACE,
        subresources=("status", "finalize"),
        name_rule=names.dns_label,
        fields=("status.phase",),
        defaults=defaults,
        first_status=lambda obj: {"phase": "Active"},
        summary=summary,
    )
)
