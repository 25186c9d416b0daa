"""RuntimeClass: what a pod costs beside its containers, and where it may run, comes from its RuntimeClass.

Models k/k plugin/pkg/admission/runtimeclass RuntimeClass.Admit RuntimeClass.Validate.
"""

from kubemini.api.errors import ApiError
from kubemini.api.kinds import KNOWN, POD, Kind
from kubemini.api.objects import Obj, evolve, evolve_many, get
from kubemini.api.usage.amounts import read
from kubemini.apiserver.admission import forbid
from kubemini.apiserver.decide.attributes import CREATE, Attributes

NAME = "RuntimeClass"
CLASS = KNOWN["node.k8s.io/v1", "RuntimeClass"]
NO_OVERHEAD = "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead"
OTHER_OVERHEAD = "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead"


def needs(asked: Attributes) -> tuple[Kind, ...]:
    """The classes, for a pod that names one."""
    return (CLASS,) if _looks_at(asked) and get(asked.obj or {}, "spec", "runtimeClassName") else ()


def admit(asked: Attributes) -> "Obj | ApiError | None":
    """A pod with what its class says, or why the two do not fit."""
    pod = asked.obj
    found = _class(asked)
    if pod is None or found is None or isinstance(found, ApiError):
        return found if isinstance(found, ApiError) else pod
    fixed, own = get(found, "overhead", "podFixed") or {}, get(pod, "spec", "overhead") or {}
    if fixed and own and read(fixed) != read(own):
        return forbid(asked, OTHER_OVERHEAD)
    if fixed:
        pod = evolve(pod, ("spec", "overhead"), fixed)
    return _placed(asked, pod, found.get("scheduling") or {})


def validate(asked: Attributes) -> ApiError | None:
    """Why its overhead is not that of its class."""
    found = _class(asked)
    if isinstance(found, ApiError) or asked.obj is None or not _looks_at(asked):
        return found if isinstance(found, ApiError) else None
    own, fixed = get(asked.obj, "spec", "overhead"), get(found or {}, "overhead", "podFixed")
    if fixed is None:
        return forbid(asked, NO_OVERHEAD) if own else None
    return None if read(own) == read(fixed) else forbid(asked, OTHER_OVERHEAD)


def _looks_at(asked: Attributes) -> bool:
    return asked.kind == POD and asked.operation == CREATE and not asked.subresource


def _class(asked: Attributes) -> Obj | ApiError | None:
    called = get(asked.obj or {}, "spec", "runtimeClassName")
    if not _looks_at(asked) or not called:
        return None
    missing = f'pod rejected: RuntimeClass "{called}" not found'
    return asked.known.get(CLASS, "", called) or forbid(asked, missing)


def _placed(asked: Attributes, pod: Obj, scheduling: Obj) -> Obj | ApiError:
    own = get(pod, "spec", "nodeSelector") or {}
    for key, value in sorted((scheduling.get("nodeSelector") or {}).items()):
        if own.get(key, value) != value:
            why = f"runtimeClass.scheduling.nodeSelector[{key}] = {value}; pod.spec.nodeSelector[{key}] = {own[key]}"
            return forbid(asked, f"conflict: {why}")
        own = {**own, key: value}
    edits = [(("spec", "nodeSelector"), own)] if own else []
    held = list(get(pod, "spec", "tolerations") or ())
    added = [one for one in scheduling.get("tolerations") or () if one not in held]
    return evolve_many(pod, *edits, *([(("spec", "tolerations"), held + added)] if added else []))
