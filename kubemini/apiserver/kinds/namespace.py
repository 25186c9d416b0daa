"""Namespaces.

Models k/k pkg/registry/core/namespace strategy; defaults: k/k pkg/apis/core/v1 SetDefaults_Namespace.
"""

from typing import Any

from kubemini.api import names
from kubemini.api.kinds import NAMESPACE
from kubemini.api.objects import Obj, evolve, get
from kubemini.apiserver.rules.containers import filled
from kubemini.apiserver.served import ServedKind, serve

FINALIZER = "kubernetes"
NAME_LABEL = "kubernetes.io/metadata.name"


def defaults(obj: Obj) -> Obj:
    """*obj* with its name as a label, and the finalizer that empties it before it goes."""
    meta = obj["metadata"]
    labels = {**(meta.get("labels") or {}), NAME_LABEL: meta.get("name", "")}
    given = get(obj, "spec", "finalizers", default=None) or []
    finalizers = given if FINALIZER in given else [*given, FINALIZER]
    spec = {**(obj.get("spec") or {}), "finalizers": finalizers}
    status = filled(obj.get("status"), phase="Active")
    return {**obj, "metadata": {**meta, "labels": labels}, "spec": spec, "status": status}


def prepare(new: Obj, old: Obj) -> Obj:
    """Finalizers change through /finalize alone."""
    return evolve(new, ("spec", "finalizers"), get(old, "spec", "finalizers", default=None) or [])


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
        prepare=prepare,
        first_status=lambda obj: {"phase": "Active"},
        summary=summary,
    )
)
