"""RuntimeClass: what a pod costs beside its containers comes from its RuntimeClass, never from its writer.

Models k/k plugin/pkg/admission/runtimeclass RuntimeClass.Admit, RuntimeClass.Validate.
Simplified: there are no RuntimeClasses, so a pod that names one, or an overhead, is refused.
"""

from kubemini.api import errors
from kubemini.api.errors import ApiError
from kubemini.api.kinds import POD
from kubemini.api.objects import Obj
from kubemini.apiserver.admission import CREATE, Attributes

NAME = "RuntimeClass"
NO_OVERHEAD = "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead"


def admit(asked: Attributes) -> "Obj | ApiError | None":
    """A pod of the runtime that every node has; other kinds, and updates, as they are."""
    pod = asked.obj
    if asked.kind != POD or pod is None or asked.operation != CREATE:
        return pod
    spec = pod.get("spec") or {}
    if spec.get("runtimeClassName"):
        why = f'pod rejected: RuntimeClass "{spec["runtimeClassName"]}" not found'
        return errors.forbidden(POD, asked.name, why)
    return errors.forbidden(POD, asked.name, NO_OVERHEAD) if spec.get("overhead") else pod
