"""Namespaces.

Models k/k pkg/registry/core/namespace strategy; defaults: k/k pkg/apis/core/v1 SetDefaults_Namespace.
"""

from typing import Any

from kubemini.api import names
from kubemini.api.kinds import NAMESPACE
from kubemini.api.objects import Obj, evolve, get
from kubemini.apiserver.columns import AGE, NAME, Column, at
from kubemini.apiserver.rules.causes import Wrong, invalid
from kubemini.apiserver.rules.filling import filled
from kubemini.apiserver.served import ServedKind, serve

FINALIZER = "kubernetes"
NAME_LABEL = "kubernetes.io/metadata.name"


def defaults(obj: Obj) -> Obj:
    """*obj* with its name as a label."""
    meta = obj["metadata"]
    labels = {**(meta.get("labels") or {}), NAME_LABEL: meta.get("name", "")}
    status = filled(obj.get("status"), phase="Active")
    return {**obj, "metadata": {**meta, "labels": labels}, "status": status}


def begun(obj: Obj, now: int) -> Obj:
    """*obj* with the finalizer that empties it before it goes."""
    given = get(obj, "spec", "finalizers", default=None) or []
    finalizers = given if FINALIZER in given else [*given, FINALIZER]
    return {**obj, "spec": {**(obj.get("spec") or {}), "finalizers": finalizers}}


def prepare(new: Obj, old: Obj) -> Obj:
    """Finalizers change through /finalize alone."""
    return evolve(new, ("spec", "finalizers"), get(old, "spec", "finalizers", default=None) or [])


def status_rules(new: Obj, old: Obj) -> Wrong:
    """Models k/k pkg/apis/core/validation ValidateNamespaceStatusUpdate"""
    going = "deletionTimestamp" in old["metadata"]
    wanted, phase = "Terminating" if going else "Active", get(new, "status", "phase", default="")
    if phase != wanted:
        word = "not empty" if going else "empty"
        yield invalid("status.Phase", phase, f"may only be '{wanted}' if `deletionTimestamp` is {word}")


def summary(namespace: Obj) -> dict[str, Any]:
    """Active, or going."""
    return {"phase": get(namespace, "status", "phase", default="")}


serve(
    ServedKind(
        NAMESPACE,
        acted_on=True,
        returned=True,
        subresources=("status", "finalize"),
        name_rule=names.dns_label,
        fields=("status.phase",),
        defaults=defaults,
        begun=begun,
        prepare=prepare,
        status_rules=status_rules,
        first_status=lambda obj: {"phase": "Active"},
        columns=(NAME, Column("Status", at("status", "phase"), description="The status of the namespace"), AGE),
        summary=summary,
    )
)
