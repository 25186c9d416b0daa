"""NamespaceLifecycle: nothing new comes into a namespace that is going away; the system's namespaces stay.

Models k/apiserver pkg/admission/plugin/namespace/lifecycle Lifecycle.Admit.
"""

from kubemini.api import errors
from kubemini.api.errors import ApiError
from kubemini.api.kinds import NAMESPACE, Kind
from kubemini.api.objects import Obj
from kubemini.apiserver.decide.attributes import Attributes

NAME = "NamespaceLifecycle"
IMMORTAL = ("default", "kube-public", "kube-system")


def admit(asked: Attributes) -> "Obj | ApiError | None":
    """The object as it is, or why it may not be written or deleted."""
    refused = None
    if asked.operation == "DELETE":
        refused = refuse_delete(asked.kind, asked.name)
    elif asked.operation == "CREATE" and asked.kind.namespaced and asked.space is not None:
        refused = refuse_create(asked.kind, asked.name, asked.space)
    return refused or asked.obj


def refuse_create(kind: Kind, name: str, space: Obj) -> ApiError | None:
    """Why nothing new may be created in the namespace *space*."""
    if "deletionTimestamp" in space["metadata"]:
        return errors.namespace_terminating(kind, name, space["metadata"]["name"])
    return None


def refuse_delete(kind: Kind, name: str) -> ApiError | None:
    """Why it may not be deleted."""
    if kind == NAMESPACE and name in IMMORTAL:
        return errors.forbidden(kind, name, "this namespace may not be deleted")
    return None
